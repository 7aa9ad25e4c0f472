"""Wallets and top-ups, field by field."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from members import policies
from members.api import StrictSerializer, WholeMicros
from playback import wallets
from playback.models import TopUp
from playback.wallets import Entry


class LimitsBody(StrictSerializer):
    """Both limits; null means none."""

    day_limit_micros = WholeMicros(allow_null=True, max_value=wallets.LIMIT_MOST_MICROS)
    month_limit_micros = WholeMicros(allow_null=True, max_value=wallets.LIMIT_MOST_MICROS)


class TopUpBody(StrictSerializer):
    """What is paid, gross, in whole cents; `country` decides the VAT."""

    amount_micros = WholeMicros()
    country = serializers.RegexField(r"^[A-Za-z]{2}$", required=False)


class WalletSerializer(serializers.Serializer):
    """A wallet. Limits are those in force; a raise that waits stands beside them."""

    balance_micros = serializers.IntegerField()
    promo_micros = serializers.IntegerField()
    currency = serializers.CharField()
    day_limit_micros = serializers.IntegerField(allow_null=True)
    month_limit_micros = serializers.IntegerField(allow_null=True)
    next_day_limit_micros = serializers.IntegerField(allow_null=True)
    next_day_limit_at = serializers.DateTimeField(allow_null=True)
    next_month_limit_micros = serializers.IntegerField(allow_null=True)
    next_month_limit_at = serializers.DateTimeField(allow_null=True)
    spent_today_micros = serializers.IntegerField()
    spent_this_month_micros = serializers.IntegerField()
    frozen = serializers.BooleanField()


class EntrySerializer(serializers.Serializer):
    """One line of the wallet's history, both pockets together."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(
        choices=[
            *("play", "purchase", "reversal", "top-up", "promo"),
            *("cash-out", "cash-out-returned", "chargeback", "chargeback-won", "dues"),
        ]
    )
    id = serializers.UUIDField(source="row_id")
    amount_micros = serializers.IntegerField()
    promo_part_micros = serializers.IntegerField()
    work = serializers.UUIDField(source="work_id", allow_null=True)
    work_title = serializers.CharField(allow_null=True)
    play_number = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    balance_after_micros = serializers.IntegerField()
    promo_after_micros = serializers.IntegerField()
    pricing_version = serializers.IntegerField(allow_null=True, help_text="By which a play or purchase was priced.")
    pricing_href = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "nullable": True})
    def get_pricing_href(self, of: Entry) -> str | None:
        """Return where that version is read."""
        return policies.href("pricing", of.pricing_version) if of.pricing_version else None


class EntriesSerializer(serializers.Serializer):
    """A page of the history; `next` is the address of the earlier ones."""

    results = EntrySerializer(many=True)
    next = serializers.CharField(allow_null=True)


class TopUpSerializer(serializers.Serializer):
    """A top-up: where it is paid, and what became of it."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=TopUp.State.choices)
    checkout_url = serializers.CharField()


class ReceiptSerializer(TopUpSerializer):
    """A top-up with its receipt: what was paid, the credit (net) and the VAT, in whole cents; null until it settled."""

    country = serializers.CharField()
    vat_ppm = serializers.IntegerField()
    gross_cents = serializers.IntegerField(allow_null=True)
    net_cents = serializers.IntegerField(allow_null=True)
    vat_cents = serializers.IntegerField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
