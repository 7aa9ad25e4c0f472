"""The ledger: accounts and transfers, marks of what was posted, locked months, alarms."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("royalties", "0002_runs"),
    ]

    operations = [
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("posted_at", models.DateTimeField()),
                ("rows", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("code", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("asset", "asset"),
                            ("liability", "liability"),
                            ("equity", "equity"),
                            ("income", "income"),
                            ("expense", "expense"),
                        ],
                        max_length=9,
                    ),
                ),
                ("floor", models.BooleanField(default=False)),
                ("person_id", models.UUIDField(null=True)),
                ("balance_micros", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("floor", False),
                            models.Q(
                                ("balance_micros__gte", 0),
                                ("kind__in", ["asset", "expense"]),
                            ),
                            models.Q(
                                models.Q(
                                    (
                                        "kind__in",
                                        ["asset", "expense"],
                                    ),
                                    _negated=True,
                                ),
                                ("balance_micros__lte", 0),
                            ),
                            _connector="OR",
                        ),
                        name="account_never_goes_below_its_floor",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["asset", "liability", "equity", "income", "expense"])),
                        name="account_kind_is_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200)),
                ("words", models.TextField()),
                ("raised_at", models.DateTimeField()),
                ("cleared_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("cleared_at", None)), fields=("key",), name="alarm_rings_once_at_a_time"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LockedMonth",
            fields=[
                ("month", models.DateField(primary_key=True, serialize=False)),
                ("locked_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("month__day", 1)), name="locked_month_is_its_first_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="PostingMark",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "source", "row_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("source", models.CharField(max_length=20)),
                ("row_id", models.UUIDField()),
                ("day", models.DateField()),
                (
                    "posting",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="marks",
                        to="royalties.posting",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_micros", models.BigIntegerField()),
                ("kind", models.CharField(max_length=32)),
                ("key", models.CharField(max_length=200, unique=True)),
                ("group", models.CharField(blank=True, db_column="together", max_length=120)),
                ("happened_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
                ("month", models.DateField(db_index=True)),
                ("reason", models.TextField(blank=True)),
                (
                    "credit",
                    models.ForeignKey(
                        db_column="credit",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="royalties.account",
                    ),
                ),
                (
                    "debit",
                    models.ForeignKey(
                        db_column="debit",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="royalties.account",
                    ),
                ),
                (
                    "reverses",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reversed_by",
                        to="royalties.transfer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount_micros__gt", 0)), name="transfer_amount_is_positive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("debit", models.F("credit")), _negated=True),
                        name="transfer_has_two_accounts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("month__day", 1)), name="transfer_month_is_its_first_day"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(models.Q(("key", ""), _negated=True), models.Q(("kind", ""), _negated=True)),
                        name="transfer_has_a_key_and_a_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("reverses", None), models.Q(("reason", ""), _negated=True), _connector="OR"
                        ),
                        name="transfer_that_reverses_has_a_reason",
                    ),
                ],
            },
        ),
        migrations.RunSQL((SQL / "ledger.sql").read_text(), (SQL / "ledger_away.sql").read_text()),
    ]
