"""Which life of the database this is, and the times in which it was closed until it had recovered."""

import uuid
from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0005_month_facts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Closing",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("why", models.TextField()),
                ("lost_since", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField(null=True)),
                ("words", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("opened_at", None)),
                        fields=("opened_at",),
                        name="closing_one_at_a_time",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("opened_at", None), models.Q(("words", ""), _negated=True), _connector="OR"
                        ),
                        name="closing_ended_says_what_was_found",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Lineage",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("identity", models.TextField()),
                ("life", models.UUIDField(default=uuid.uuid4)),
                ("number", models.BigIntegerField(default=0)),
                ("lived_until", models.DateTimeField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="lineage_is_one_row")],
            },
        ),
        migrations.RunSQL((SQL / "lineage.sql").read_text(), (SQL / "lineage_away.sql").read_text()),
    ]
