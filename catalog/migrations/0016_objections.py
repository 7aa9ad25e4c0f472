"""Works that are public already and that a new version of `content` refuses: objections, appeals, panels."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0015_erasure"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ContentLook",
            fields=[
                ("policy_seq", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("done_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Objection",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("policy_seq", models.PositiveIntegerField()),
                ("rule", models.CharField(max_length=20)),
                ("words", models.TextField()),
                ("made_at", models.DateTimeField()),
                ("leaves_at", models.DateTimeField()),
                (
                    "outcome",
                    models.CharField(
                        blank=True, choices=[("off", "Off"), ("kept", "Kept"), ("mended", "Mended")], max_length=6
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "work",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="objections", to="catalog.work"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ObjectionAppeal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("text", models.TextField()),
                ("filed_at", models.DateTimeField()),
                ("decide_until", models.DateTimeField()),
                (
                    "ruling",
                    models.CharField(blank=True, choices=[("stays", "It stays"), ("goes", "It goes")], max_length=5),
                ),
                ("ruled_at", models.DateTimeField(null=True)),
                (
                    "objection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="appeal", to="catalog.objection"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ObjectionPanelist",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "ruling",
                    models.CharField(blank=True, choices=[("stays", "It stays"), ("goes", "It goes")], max_length=5),
                ),
                ("reasons", models.TextField(blank=True)),
                ("ruled_at", models.DateTimeField(null=True)),
                (
                    "appeal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="panel", to="catalog.objectionappeal"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="objection",
            index=models.Index(condition=models.Q(("outcome", "")), fields=["leaves_at"], name="objection_open"),
        ),
        migrations.AddConstraint(
            model_name="objection",
            constraint=models.UniqueConstraint(fields=("work", "policy_seq"), name="objection_once_per_version"),
        ),
        migrations.AddConstraint(
            model_name="objection",
            constraint=models.CheckConstraint(
                condition=models.Q(("leaves_at__gt", models.F("made_at"))), name="objection_leaves_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="objection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("outcome", "")),
                    models.Q(models.Q(("outcome", ""), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="objection_outcome_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="objectionappeal",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="objection_appeal_says_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="objectionappeal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ruled_at", None), ("ruling", "")),
                    models.Q(models.Q(("ruling", ""), _negated=True), ("ruled_at__isnull", False)),
                    _connector="OR",
                ),
                name="objection_ruling_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="objectionpanelist",
            constraint=models.UniqueConstraint(fields=("appeal", "person"), name="objection_panelist_once"),
        ),
        migrations.AddConstraint(
            model_name="objectionpanelist",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ruled_at", None), ("ruling", "")),
                    models.Q(
                        models.Q(("ruling", ""), _negated=True),
                        models.Q(("reasons", ""), _negated=True),
                        ("ruled_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="objection_panelist_gives_reasons",
            ),
        ),
    ]
