"""The royalty run's rows, and the refusals of a sealed month."""

import uuid
from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("catalog", "0009_sheet_facts"),
        ("members", "0004_facts"),
        ("playback", "0008_charge_facts"),
        ("royalties", "0001_founding"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Run",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("stuck", "Stuck"), ("sealed", "Sealed")],
                        default="running",
                        max_length=7,
                    ),
                ),
                (
                    "step",
                    models.CharField(
                        choices=[
                            ("posting", "Posting"),
                            ("gathering", "Gathering"),
                            ("lining", "Lining"),
                            ("counting", "Counting"),
                            ("checking", "Checking"),
                            ("booking", "Booking"),
                            ("stating", "Stating"),
                            ("publishing", "Publishing"),
                            ("sealing", "Sealing"),
                        ],
                        default="posting",
                        max_length=10,
                    ),
                ),
                ("percent", models.PositiveSmallIntegerField(default=0)),
                ("words", models.CharField(blank=True, max_length=200)),
                ("begun_at", models.DateTimeField()),
                ("sealed_at", models.DateTimeField(null=True)),
                ("gross_micros", models.BigIntegerField(default=0)),
                ("creators_micros", models.BigIntegerField(default=0)),
                ("coop_micros", models.BigIntegerField(default=0)),
                ("held_micros", models.BigIntegerField(default=0)),
                ("released_micros", models.BigIntegerField(default=0)),
                ("refunds_borne_micros", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="run_month_is_a_first_day"),
                    models.CheckConstraint(
                        condition=models.Q(("percent__lte", 100)), name="run_percent_is_at_most_100"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "sealed"), _negated=True), ("sealed_at__isnull", False), _connector="OR"
                        ),
                        name="run_sealed_has_its_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "gross_micros",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("creators_micros"), "+", models.F("coop_micros")
                                ),
                            )
                        ),
                        name="run_parts_are_the_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField()),
                ("sheet_id", models.UUIDField(null=True)),
                ("sheet_version", models.PositiveIntegerField(null=True)),
                ("revenue_seq", models.PositiveIntegerField()),
                ("since", models.DateTimeField()),
                ("gross_micros", models.BigIntegerField()),
                ("promo_micros", models.BigIntegerField()),
                ("creators_micros", models.BigIntegerField(default=0)),
                ("coop_micros", models.BigIntegerField(default=0)),
                (
                    "plays_by_number",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), null=True, size=None
                    ),
                ),
                ("purchases", models.BigIntegerField(null=True)),
                ("listeners", models.BigIntegerField(null=True)),
                ("refunded_micros", models.BigIntegerField(null=True)),
                ("released_in", models.DateField(null=True)),
                (
                    "work",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.work",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_in", None), ("sheet_id", None)),
                        fields=["month"],
                        name="group_held",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("month", "work", "sheet_id", "revenue_seq"), name="group_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("gross_micros__gt", 0),
                            ("promo_micros__gte", 0),
                            ("promo_micros__lte", models.F("gross_micros")),
                        ),
                        name="group_has_something",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("coop_micros__gte", 0),
                            ("creators_micros__gte", 0),
                            (
                                "gross_micros",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("creators_micros"), "+", models.F("coop_micros")
                                ),
                            ),
                        ),
                        name="group_parts_are_the_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("released_in", None),
                            models.Q(("released_in__gt", models.F("month")), ("sheet_id", None)),
                            _connector="OR",
                        ),
                        name="group_released_was_held",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Line",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "month",
                        "work_id",
                        "of_month",
                        "sheet_id",
                        "revenue_seq",
                        "line_number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("month", models.DateField()),
                ("of_month", models.DateField()),
                ("sheet_id", models.UUIDField()),
                ("revenue_seq", models.PositiveIntegerField()),
                ("line_number", models.PositiveIntegerField()),
                ("share_ppm", models.PositiveIntegerField()),
                ("net_micros", models.BigIntegerField()),
                (
                    "payee",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "work",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="catalog.work",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["payee", "month"], name="line_by_payee")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("net_micros__gte", 0), ("of_month__lte", models.F("month"))),
                        name="line_is_earned_before_it_is_paid",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RunShard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("lined", "Lined"),
                            ("counted", "Counted"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="shards", to="royalties.run"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("run", "number"), name="run_shard_once")],
            },
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("month", models.DateField()),
                ("opening_micros", models.BigIntegerField()),
                ("earned_micros", models.BigIntegerField()),
                ("released_micros", models.BigIntegerField()),
                ("paid_out_micros", models.BigIntegerField()),
                ("returned_micros", models.BigIntegerField()),
                ("closing_micros", models.BigIntegerField()),
                ("content", models.JSONField()),
                ("sha256", models.CharField(max_length=64)),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("person", "month"), name="statement_once_a_month"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "closing_micros",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                models.F("opening_micros"), "+", models.F("earned_micros")
                                            ),
                                            "+",
                                            models.F("released_micros"),
                                        ),
                                        "+",
                                        models.F("returned_micros"),
                                    ),
                                    "-",
                                    models.F("paid_out_micros"),
                                ),
                            )
                        ),
                        name="statement_adds_up",
                    ),
                ],
            },
        ),
        migrations.RunSQL((SQL / "runs.sql").read_text(), (SQL / "runs_away.sql").read_text()),
    ]
