"""Elections: what is announced, the roll and the urn of each, and what of them is published."""

import uuid
from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0008_membership"),
    ]

    operations = [
        migrations.CreateModel(
            name="Election",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("question_sha256", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("ordinary", "ordinary"),
                            ("special", "special"),
                            ("constitutional", "constitutional"),
                            ("advisory", "advisory"),
                            ("statutory", "statutory"),
                        ],
                        max_length=16,
                    ),
                ),
                ("rules", models.JSONField()),
                ("is_second_call", models.BooleanField()),
                ("announced_at", models.DateTimeField()),
                ("opens_at", models.DateTimeField()),
                ("closes_at", models.DateTimeField()),
                ("signing_key", models.CharField(max_length=16)),
                ("public_key", models.CharField(max_length=64)),
                ("notice", models.JSONField()),
                ("roll_root", models.CharField(max_length=64)),
                ("roll_members", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[("announced", "Announced"), ("closed", "Closed")], default="announced", max_length=9
                    ),
                ),
                ("closed_at", models.DateTimeField(null=True)),
                ("votes", models.JSONField(null=True)),
                ("result", models.JSONField(null=True)),
                ("bundle_key", models.CharField(blank=True, max_length=200)),
                ("bundle_bytes", models.BigIntegerField(null=True)),
                ("bundle_sha256", models.CharField(blank=True, max_length=64)),
                ("manifest", models.JSONField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("closes_at__gt", models.F("opens_at"))),
                        name="election_closes_after_it_opens",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("opens_at__gt", models.F("announced_at"))),
                        name="election_is_announced_before",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("result", None), ("state", "announced"), ("votes", None)),
                            models.Q(
                                ("closed_at__gte", models.F("closes_at")), ("state", "closed"), ("votes__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="election_is_counted_when_closed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("bundle_key", ""), ("result", None)),
                            models.Q(("bundle_bytes__gt", 0), ("result__isnull", False)),
                            _connector="OR",
                        ),
                        name="election_result_has_its_bundle",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Ballot",
            fields=[
                ("tracker", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("class_name", models.CharField(db_column="class", max_length=16)),
                ("choice", models.CharField(max_length=7)),
                ("nonce", models.BinaryField(max_length=16)),
                (
                    "election",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ballots", to="members.election"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("made_at", models.DateTimeField()),
                ("new_trackers", models.BinaryField()),
                ("document", models.JSONField()),
                (
                    "election",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="checkpoints", to="members.election"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("election", "number"), name="checkpoint_number_is_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="RollCorrection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=32)),
                ("class_before", models.CharField(blank=True, max_length=16)),
                ("class_after", models.CharField(blank=True, max_length=16)),
                ("reason", models.TextField()),
                ("corrected_at", models.DateTimeField()),
                ("root_before", models.CharField(max_length=64)),
                ("root_after", models.CharField(max_length=64)),
                (
                    "corrected_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "election",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="corrections", to="members.election"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("election", "number"), name="roll_correction_number_is_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("class_before", models.F("class_after")), _negated=True),
                        name="roll_correction_corrects",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="roll_correction_says_why"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RollLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "election", "name", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=32)),
                ("person_id", models.UUIDField(null=True)),
                ("class_name", models.CharField(db_column="class", max_length=16)),
                ("voted", models.BooleanField()),
                (
                    "election",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="roll_lines", to="members.election"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("election", "person_id"), name="roll_line_once_per_person")
                ],
            },
        ),
        migrations.RunSQL((SQL / "ballots.sql").read_text(), (SQL / "ballots_away.sql").read_text()),
    ]
