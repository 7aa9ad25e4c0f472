"""What a release costs, and its purchase, field by field."""

from typing import Any

from rest_framework import serializers

from members import policies
from members.api import ProblemSerializer, StrictSerializer, WholeMicros
from playback.releases import Part


class ReleasePurchaseBody(StrictSerializer):
    """The most that may be charged in all, and the list that was shown."""

    price_micros = WholeMicros()
    list_hash = serializers.RegexField(r"^[0-9a-f]{64}$")


class LineSerializer(serializers.Serializer):
    """A work of the release; `price_micros` is what it adds to the sum."""

    work = serializers.UUIDField(source="work_id")
    kind = serializers.ChoiceField(choices=["track", "photo"])
    title = serializers.CharField()
    part = serializers.ChoiceField(choices=[str(part) for part in Part])
    price_micros = serializers.IntegerField()
    paid_micros = serializers.IntegerField()
    cap_micros = serializers.IntegerField()


class OfferSerializer(serializers.Serializer):
    """What all of a release costs this person now. Send `list_hash` back with a purchase."""

    purchase_micros = serializers.IntegerField()
    list_hash = serializers.CharField()
    currency = serializers.CharField()
    pricing_version = serializers.IntegerField()
    pricing_href = serializers.SerializerMethodField(help_text="Where that version of the policy is read.")
    lines = LineSerializer(many=True)
    blocked = ProblemSerializer(allow_null=True)

    def get_pricing_href(self, of: dict[str, Any]) -> str:
        """Return where that version is read."""
        return policies.href("pricing", of["pricing_version"])


class PurchasedSerializer(serializers.Serializer):
    """What a purchase did, the same however often it is asked under its key."""

    charged_micros = serializers.IntegerField()
    bought = serializers.ListField(child=serializers.UUIDField())
    kept = serializers.ListField(child=serializers.UUIDField())
    balance_micros = serializers.IntegerField()
    promo_micros = serializers.IntegerField()
