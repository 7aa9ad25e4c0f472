"""People who asked to be erased, and how far that has come."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0013_dry_run"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("settling", "Settling"),
                            ("erased", "Erased"),
                            ("taken-back", "Taken Back"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("waits_for", models.JSONField(default=list)),
                ("erased_at", models.DateTimeField(null=True)),
                ("code_sha256", models.CharField(blank=True, max_length=64)),
                (
                    "begun_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="erasures",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["state", "ends_at"], name="erasure_by_state")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "taken-back"), _negated=True),
                        fields=("person",),
                        name="erasure_one_of_a_person",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("code_sha256", ""), _negated=True),
                        fields=("code_sha256",),
                        name="erasure_code_is_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("erased_at__isnull", False), ("state", "erased")),
                            models.Q(models.Q(("state", "erased"), _negated=True), ("erased_at", None)),
                            _connector="OR",
                        ),
                        name="erasure_done_has_its_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("asked_at"))), name="erasure_can_be_taken_back"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("begun_by", None),
                            models.Q(("begun_by", models.F("person")), _negated=True),
                            _connector="OR",
                        ),
                        name="erasure_is_begun_by_another",
                    ),
                ],
            },
        ),
    ]
