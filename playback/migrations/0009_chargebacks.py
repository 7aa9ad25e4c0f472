"""Chargebacks: payments that a listener's bank took back."""

import uuid
from pathlib import Path

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("playback", "0008_charge_facts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Chargeback",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("gateway_id", models.CharField(max_length=80, unique=True)),
                ("gross_cents", models.BigIntegerField()),
                ("taken_micros", models.BigIntegerField()),
                ("disputed_micros", models.BigIntegerField()),
                ("opened_at", models.DateTimeField()),
                ("balance_after_micros", models.BigIntegerField()),
                ("promo_after_micros", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")], default="open", max_length=4
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("won_balance_after_micros", models.BigIntegerField(null=True)),
                ("won_promo_after_micros", models.BigIntegerField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(blank=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "listener",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="chargebacks",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "top_up",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="chargebacks", to="playback.topup"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("decided_at", None)), fields=["opened_at"], name="chargeback_undecided"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("disputed_micros__gte", 0), ("gross_cents__gt", 0), ("taken_micros__gte", 0)
                        ),
                        name="chargeback_is_never_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "disputed_micros",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("gross_cents"), "*", models.Value(10000)
                                    ),
                                    "-",
                                    models.F("taken_micros"),
                                ),
                            )
                        ),
                        name="chargeback_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_at", None), ("state", "open")),
                            models.Q(("ended_at__isnull", False), ("state__in", ["won", "lost"])),
                            _connector="OR",
                        ),
                        name="chargeback_ended_has_its_moment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "won"), _negated=True),
                            models.Q(
                                ("won_balance_after_micros__isnull", False), ("won_promo_after_micros__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="chargeback_won_is_booked_back",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("decided_by", None), ("reason", "")),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                                models.Q(("reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="chargeback_decided_says_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by", None),
                            models.Q(("decided_by", models.F("listener")), _negated=True),
                            _connector="OR",
                        ),
                        name="chargeback_is_never_decided_for_oneself",
                    ),
                ],
            },
        ),
        migrations.RunSQL((SQL / "chargebacks.sql").read_text(), (SQL / "chargebacks_away.sql").read_text()),
    ]
