"""Cash-outs: what was taken, what is refunded to which payment, transfers by hand."""

import uuid
from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("playback", "0005_photos_and_releases"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CashOut",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("amount_micros", models.BigIntegerField()),
                ("taken_at", models.DateTimeField()),
                ("balance_after_micros", models.BigIntegerField()),
                ("promo_after_micros", models.BigIntegerField()),
                (
                    "listener",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cash_outs",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("line_number", models.PositiveSmallIntegerField()),
                ("net_cents", models.BigIntegerField()),
                ("vat_cents", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sent", "Sent"),
                            ("transfer", "Transfer"),
                            ("refunded", "Refunded"),
                            ("returned", "Returned"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("gateway_id", models.CharField(blank=True, max_length=80)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("not_before", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("reason", models.TextField(blank=True)),
                ("balance_after_micros", models.BigIntegerField(null=True)),
                ("promo_after_micros", models.BigIntegerField(null=True)),
                (
                    "cash_out",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunds",
                        to="playback.cashout",
                    ),
                ),
                (
                    "listener",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "top_up",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="playback.topup"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="gatewayevent",
            name="refund",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="events", to="playback.refund"
            ),
        ),
        migrations.CreateModel(
            name="RefundTransfer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("holder", models.CharField(max_length=120)),
                ("iban", models.CharField(max_length=34)),
                ("entered_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
                (
                    "entered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="transfers", to="playback.refund"
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="cashout",
            index=models.Index(fields=["listener", "-taken_at"], name="cash_out_by_listener"),
        ),
        migrations.AddConstraint(
            model_name="cashout",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_micros__gt", 0)), name="cash_out_amount_is_positive"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "sent"])), fields=["not_before"], name="refund_to_be_asked"
            ),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(
                condition=models.Q(("state", "transfer")), fields=["line_number"], name="refund_by_transfer"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(fields=("cash_out", "line_number"), name="refund_line_number_is_unique"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.UniqueConstraint(fields=("cash_out", "top_up"), name="refund_one_per_payment"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("net_cents__gt", 0), ("vat_cents__gte", 0)), name="refund_amount_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("state__in", ["waiting", "sent", "transfer"])),
                    models.Q(("ended_at__isnull", False), ("state__in", ["refunded", "returned"])),
                    _connector="OR",
                ),
                name="refund_ended_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "returned"), _negated=True),
                    models.Q(
                        ("balance_after_micros__isnull", False),
                        ("promo_after_micros__isnull", False),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="refund_returned_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundtransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("released_at", None), ("released_by", None)),
                    models.Q(("released_at__isnull", False), ("released_by__isnull", False)),
                    _connector="OR",
                ),
                name="refund_transfer_released_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundtransfer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("released_by", None),
                    models.Q(("released_by", models.F("entered_by")), _negated=True),
                    _connector="OR",
                ),
                name="refund_transfer_takes_two_people",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundtransfer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("released_at__isnull", False)),
                fields=("refund",),
                name="refund_transfer_is_released_once",
            ),
        ),
        migrations.RunSQL((SQL / "cashouts.sql").read_text(), (SQL / "cashouts_away.sql").read_text()),
    ]
