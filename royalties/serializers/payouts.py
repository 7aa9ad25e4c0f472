"""What the API says of payouts, field by field."""

from django.conf import settings
from rest_framework import serializers

from royalties.payout_models import Payout
from royalties.serializers.statements import MonthField


class PayoutSerializer(serializers.ModelSerializer):
    """A payout, in whole cents. Of the account only what may be shown."""

    month = MonthField(source="batch.month")
    amount_cents = serializers.IntegerField(source="cents")
    currency = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=["in-transit", "booked", "rejected", "returned"])
    account = serializers.CharField(source="mask", help_text="Empty where it was lost.")
    reference = serializers.CharField(source="end_to_end")
    released_at = serializers.DateTimeField()
    booked_on = serializers.DateField(allow_null=True)
    reason = serializers.CharField(help_text="Why it came back; else empty.")

    class Meta:
        model = Payout
        fields = [
            "id",
            "month",
            "amount_cents",
            "currency",
            "state",
            "account",
            "reference",
            "released_at",
            "booked_on",
            "reason",
        ]

    def get_currency(self, _of: Payout) -> str:
        """Return the co-op's currency."""
        return settings.CURRENCY
