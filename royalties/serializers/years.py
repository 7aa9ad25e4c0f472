"""Financial years as the API shows them."""

from typing import Any

from rest_framework import serializers

from members import policies
from royalties.year.models import FinancialYear


class ClassFiguresSerializer(serializers.Serializer):
    """A class's pool and what became of it. Patronage is in micros, of workers in minutes."""

    pool_cents = serializers.IntegerField()
    patronage = serializers.IntegerField()
    others_patronage = serializers.IntegerField()
    members = serializers.IntegerField()
    members_cents = serializers.IntegerField()
    reserve_cents = serializers.IntegerField()
    cash_cents = serializers.IntegerField()
    retained_cents = serializers.IntegerField()


class ClassesSerializer(serializers.Serializer):
    """The three classes that have pools."""

    creators = ClassFiguresSerializer()
    listeners = ClassFiguresSerializer()
    workers = ClassFiguresSerializer()


class GuardSerializer(serializers.Serializer):
    """Of a euro spent on one's own record `comes_back` (a fraction) does; the pools were cut to `scale_ppm`."""

    revenue_version = serializers.IntegerField()
    revenue_href = serializers.SerializerMethodField()
    creators_ppm = serializers.IntegerField()
    coop_ppm = serializers.IntegerField()
    comes_back = serializers.CharField()
    scale_ppm = serializers.IntegerField()

    def get_revenue_href(self, of: dict[str, Any]) -> str:
        """Return where that version of the policy is read."""
        return policies.href("revenue", of["revenue_version"])


class FiguresSerializer(serializers.Serializer):
    """How a year's result is divided, as members vote on it."""

    year = serializers.IntegerField()
    result_micros = serializers.IntegerField()
    shortfall_micros = serializers.IntegerField(help_text="Of it, what made good what earlier years lost.")
    result_cents = serializers.IntegerField()
    surplus_version = serializers.IntegerField()
    surplus_href = serializers.SerializerMethodField()
    params = serializers.DictField(child=serializers.IntegerField())
    reserve_cents = serializers.IntegerField()
    guard_reserve_cents = serializers.IntegerField()
    common_good_cents = serializers.IntegerField()
    classes = ClassesSerializer()
    guard = GuardSerializer()
    stays_cents = serializers.IntegerField(help_text="All that stays in the reserve.")
    cash_cents = serializers.IntegerField(help_text="All that members are paid at once.")

    def get_surplus_href(self, of: dict[str, Any]) -> str:
        """Return where that version of the policy is read."""
        return policies.href("surplus", of["surplus_version"])


class SurplusSerializer(serializers.ModelSerializer):
    """A year whose figures are public. `manifest_sha256` is the motion that members vote on."""

    figures = FiguresSerializer()
    signed = serializers.JSONField(source="document", help_text="The signed manifest, as it lies in the bundle.")

    class Meta:
        model = FinancialYear
        fields = (
            "year", "state", "closed_at", "accepted_at", "done_at", "redeemed_at", "figures", "size_bytes",
            "zip_sha256", "manifest_sha256", "signed",
        )  # fmt: skip


class SurplusPartSerializer(serializers.Serializer):
    """A member's part of one class's pool; `published_as` is empty where the class is too small for public lines."""

    year = serializers.IntegerField()
    state = serializers.CharField()
    member_class = serializers.CharField()
    patronage = serializers.IntegerField(help_text="Micros; of workers minutes.")
    class_patronage = serializers.IntegerField()
    pool_cents = serializers.IntegerField()
    cents = serializers.IntegerField()
    cash_cents = serializers.IntegerField()
    retained_cents = serializers.IntegerField()
    capital_is_paid = serializers.BooleanField(help_text="Whether what was retained has left the capital account.")
    published_as = serializers.CharField()


class MyPartSerializer(serializers.Serializer):
    """What is one's own of a year, and what lies in the capital account now."""

    capital_micros = serializers.IntegerField()
    parts = SurplusPartSerializer(many=True)
