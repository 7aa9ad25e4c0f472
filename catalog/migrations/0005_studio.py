"""The studio: profiles with links and an end, invitations to roles, what split sheets need; and the database's guards."""

import uuid
from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_photos"),
        ("members", "0002_clock"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RoleInvitation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("editor", "Editor"), ("viewer", "Viewer")], max_length=6
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[("accepted", "Accepted"), ("declined", "Declined"), ("withdrawn", "Withdrawn")],
                        max_length=9,
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="creator",
            name="closed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="creator",
            name="links",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.URLField(max_length=300), blank=True, db_default=[], default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="splitline",
            name="declined_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="splitline",
            name="part",
            field=models.CharField(
                blank=True, help_text="What the share is for, in the publisher's words.", max_length=80
            ),
        ),
        migrations.AddField(
            model_name="splitsheet",
            name="ended_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="splitsheet",
            name="ending",
            field=models.CharField(
                blank=True, choices=[("declined", "Declined"), ("replaced", "Replaced")], max_length=8
            ),
        ),
        migrations.AddField(
            model_name="splitsheet",
            name="proposed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="splitsheet",
            name="reminded_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="splitline",
            index=models.Index(
                condition=models.Q(("accepted_at", None)), fields=["email"], name="split_line_unanswered"
            ),
        ),
        migrations.AddIndex(
            model_name="splitsheet",
            index=models.Index(
                condition=models.Q(("ended_at", None), ("in_force_from", None)),
                fields=["created_at"],
                name="split_sheet_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="splitline",
            constraint=models.UniqueConstraint(fields=("sheet", "email"), name="split_payee_stands_once_on_a_sheet"),
        ),
        migrations.AddConstraint(
            model_name="splitline",
            constraint=models.CheckConstraint(
                condition=models.Q(("accepted_at", None), ("declined_at", None), _connector="OR"),
                name="split_line_has_one_answer",
            ),
        ),
        migrations.AddConstraint(
            model_name="splitsheet",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None), ("in_force_from", None)),
                fields=("work",),
                name="split_sheet_waits_alone",
            ),
        ),
        migrations.AddConstraint(
            model_name="splitsheet",
            constraint=models.CheckConstraint(
                condition=models.Q(("in_force_from", None), ("ended_at", None), _connector="OR"),
                name="split_sheet_in_force_has_no_ending",
            ),
        ),
        migrations.AddConstraint(
            model_name="splitsheet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ending", "")),
                    models.Q(models.Q(("ending", ""), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="split_sheet_ending_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="splitsheet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("in_force_from", None), ("in_force_from__gte", models.F("created_at")), _connector="OR"
                ),
                name="split_sheet_is_never_backdated",
            ),
        ),
        migrations.AddField(
            model_name="roleinvitation",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="invitations", to="catalog.creator"
            ),
        ),
        migrations.AddField(
            model_name="roleinvitation",
            name="invited_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="roleinvitation",
            index=models.Index(
                condition=models.Q(("answered_at", None)), fields=["email"], name="role_invitation_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="roleinvitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("answered_at", None)),
                fields=("creator", "email"),
                name="role_invitation_waits_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="roleinvitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer", ""), ("answered_at", None)),
                    models.Q(models.Q(("answer", ""), _negated=True), ("answered_at__isnull", False)),
                    _connector="OR",
                ),
                name="role_invitation_answer_has_its_moment",
            ),
        ),
        migrations.RunSQL((SQL / "split_sheets.sql").read_text(), (SQL / "split_sheets_away.sql").read_text()),
    ]
