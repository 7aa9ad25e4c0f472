"""Cash-outs and their refunds, field by field. Credit is in micros, what payments get back in whole cents as micros."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from members import money
from members.api import StrictSerializer, WholeMicros
from playback.cashout_models import CashOut, Refund


class CashOutBody(StrictSerializer):
    """How much credit to cash out, in whole cents; with `plan_hash` exactly as the plan showed it, or not at all."""

    amount_micros = WholeMicros()
    plan_hash = serializers.RegexField(r"^[0-9a-f]{64}$", required=False)


class CashOutAsked(StrictSerializer):
    """How much credit would be cashed out."""

    amount_micros = serializers.IntegerField(min_value=0, max_value=2**53 - 1)


class RefundTransferBody(StrictSerializer):
    """Whose account a refund is paid to."""

    refund = serializers.UUIDField()
    holder = serializers.CharField(max_length=120)
    iban = serializers.CharField(max_length=42)


class GiveUpBody(StrictSerializer):
    """Why the credit comes back instead; the listener reads it."""

    reason = serializers.CharField(max_length=500)


class PartSerializer(serializers.Serializer):
    """What one payment would get back."""

    top_up = serializers.UUIDField(source="top_up_id")
    paid_at = serializers.DateTimeField()
    net_micros = serializers.SerializerMethodField()
    vat_micros = serializers.SerializerMethodField()
    vat_ppm = serializers.IntegerField()

    def get_net_micros(self, part: object) -> int:
        """Return the credit."""
        return money.from_cents(part.net_cents)  # type: ignore[attr-defined]  # a Part or a Refund

    def get_vat_micros(self, part: object) -> int:
        """Return its share of the VAT."""
        return money.from_cents(part.vat_cents)  # type: ignore[attr-defined]  # a Part or a Refund


class PlanSerializer(serializers.Serializer):
    """What a cash-out would do now: taken, left, and what goes back to which payment, newest first."""

    amount_micros = serializers.IntegerField()
    available_micros = serializers.IntegerField()
    balance_after_micros = serializers.IntegerField()
    refunds = PartSerializer(many=True, source="parts")
    plan_hash = serializers.CharField()


class RefundSerializer(PartSerializer):
    """What one payment gets back, and how far that is; `returned` means that the credit is in the wallet again."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=Refund.State.choices)
    paid_at = serializers.DateTimeField(source="top_up.settled_at")
    vat_ppm = serializers.IntegerField(source="top_up.vat_ppm")
    ended_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class CashOutSerializer(serializers.ModelSerializer):
    """A cash-out and its refunds."""

    refunds = serializers.SerializerMethodField()

    class Meta:
        model = CashOut
        fields = ["id", "amount_micros", "taken_at", "balance_after_micros", "promo_after_micros", "refunds"]
        read_only_fields = fields

    @extend_schema_field(RefundSerializer(many=True))
    def get_refunds(self, cash_out: CashOut) -> list[dict[str, object]]:
        """Return them in their order."""
        ordered = sorted(cash_out.refunds.all(), key=lambda one: one.line_number)
        return RefundSerializer(ordered, many=True).data  # type: ignore[return-value]  # a list, made of many


class RefundTransferSerializer(serializers.Serializer):
    """A refund to be paid by transfer, with its newest entry, if there is one."""

    refund = serializers.UUIDField(source="id")
    listener = serializers.UUIDField(source="listener_id")
    gross_micros = serializers.SerializerMethodField()
    asked_at = serializers.DateTimeField(source="cash_out.taken_at")
    paid_at = serializers.DateTimeField(source="top_up.settled_at")
    entry = serializers.UUIDField(source="entry.id", allow_null=True, default=None)
    holder = serializers.CharField(source="entry.holder", allow_null=True, default=None)
    iban = serializers.CharField(source="entry.mask", allow_null=True, default=None)
    entered_by = serializers.UUIDField(source="entry.entered_by_id", allow_null=True, default=None)

    def get_gross_micros(self, refund: Refund) -> int:
        """Return what is paid."""
        return money.from_cents(refund.gross_cents)


class RefundTransfersSerializer(serializers.Serializer):
    """The refunds that wait for a transfer, oldest first."""

    results = RefundTransferSerializer(many=True)


class RefundEntrySerializer(serializers.Serializer):
    """An entry of a transfer; released once it has its moment."""

    id = serializers.UUIDField()
    refund = serializers.UUIDField(source="refund_id")
    entered_at = serializers.DateTimeField()
    released_at = serializers.DateTimeField(allow_null=True)
