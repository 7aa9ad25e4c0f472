"""Financial years: their closing, what was drawn of them, and each member's part."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0012_motions"),
        ("catalog", "0014_tenures"),
        ("royalties", "0011_surplus"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Eligible",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField()),
                ("month", models.DateField()),
                ("work_id", models.UUIDField()),
                ("sheet_id", models.UUIDField(null=True)),
                ("sheet_version", models.PositiveIntegerField(null=True)),
                ("revenue_seq", models.PositiveIntegerField()),
                ("eligible_micros", models.BigIntegerField()),
                ("creators_micros", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("year", "month", "work_id", "sheet_id", "revenue_seq"),
                        name="eligible_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("creators_micros__gte", 0),
                            ("creators_micros__lte", models.F("eligible_micros")),
                            ("eligible_micros__gt", 0),
                        ),
                        name="eligible_is_some",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FinancialYear",
            fields=[
                ("year", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("drawing", "Drawing"),
                            ("publishing", "Publishing"),
                            ("ready", "Ready"),
                            ("nothing", "Nothing"),
                            ("booking", "Booking"),
                            ("done", "Done"),
                            ("redeeming", "Redeeming"),
                            ("redeemed", "Redeemed"),
                        ],
                        default="drawing",
                        max_length=10,
                    ),
                ),
                ("percent", models.PositiveSmallIntegerField(default=0)),
                ("words", models.CharField(max_length=200)),
                ("through", models.PositiveIntegerField(default=0)),
                ("closed_at", models.DateTimeField()),
                ("result_micros", models.BigIntegerField()),
                ("shortfall_micros", models.BigIntegerField()),
                ("figures", models.JSONField(null=True)),
                ("lines", models.PositiveIntegerField(default=0)),
                ("key", models.CharField(blank=True, max_length=200)),
                ("size_bytes", models.BigIntegerField(default=0)),
                ("zip_sha256", models.CharField(blank=True, max_length=64)),
                ("manifest_sha256", models.CharField(blank=True, max_length=64)),
                ("previous_manifest_sha256", models.CharField(blank=True, max_length=64)),
                ("document", models.JSONField(null=True)),
                ("accepted_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("redeeming_at", models.DateTimeField(null=True)),
                ("redeemed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "redeemed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "redeeming_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("percent__lte", 100)), name="year_percent_is_at_most_100"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("shortfall_micros__gte", 0)), name="year_shortfall_is_none_or_some"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["drawing", "nothing"]), ("figures__isnull", False), _connector="OR"
                        ),
                        name="year_drawn_has_figures",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["drawing", "nothing", "publishing"]),
                            models.Q(("manifest_sha256", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="year_ready_is_published",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("redeemed_by", None),
                            models.Q(
                                ("redeeming_by__isnull", False),
                                models.Q(("redeemed_by", models.F("redeeming_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="year_is_redeemed_by_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Patronage",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "year", "line", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("year", models.PositiveSmallIntegerField()),
                ("line", models.PositiveIntegerField()),
                (
                    "member_class",
                    models.CharField(
                        choices=[("creators", "Creators"), ("listeners", "Listeners"), ("workers", "Workers")],
                        max_length=9,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("patronage", models.BigIntegerField()),
                ("cents", models.BigIntegerField()),
                ("cash_cents", models.BigIntegerField()),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["person", "year"], name="patronage_by_person")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("cash_cents__gte", 0), ("cash_cents__lte", models.F("cents")), ("patronage__gt", 0)
                        ),
                        name="patronage_is_some",
                    )
                ],
            },
        ),
        migrations.RunSQL((SQL / "years.sql").read_text(), (SQL / "years_away.sql").read_text()),
    ]
