"""Statements and earnings, field by field. Money is in whole micros."""

from datetime import date

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from members import policies
from members.api import CitationSerializer
from royalties import payouts
from royalties.earned import WorkSoFar
from royalties.run_models import Statement


class MonthField(serializers.Field):
    """A month, as in `2026-10`."""

    def to_representation(self, value: date) -> str:
        """Return its name."""
        return f"{value:%Y-%m}"


extend_schema_field({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$", "example": "2026-10"})(MonthField)


class StatementSerializer(serializers.ModelSerializer):
    """A month's statement in sums: `closing = opening + earned + released + returned - paid_out`."""

    month = MonthField()
    currency = serializers.SerializerMethodField()

    class Meta:
        model = Statement
        fields = [
            "id",
            "month",
            "currency",
            "opening_micros",
            "earned_micros",
            "released_micros",
            "paid_out_micros",
            "returned_micros",
            "closing_micros",
            "sha256",
        ]

    def get_currency(self, _of: Statement) -> str:
        """Return the co-op's currency."""
        return settings.CURRENCY


class StatementLineSerializer(serializers.Serializer):
    """What one work earned its payee under one split sheet and one version of `revenue`."""

    of_month = serializers.CharField(help_text="When it was charged; earlier than the statement if it was held.")
    work = serializers.UUIDField()
    title = serializers.CharField()
    sheet = serializers.UUIDField()
    sheet_version = serializers.IntegerField()
    revenue_version = serializers.IntegerField()
    line_number = serializers.IntegerField()
    share_ppm = serializers.IntegerField()
    plays_by_number = serializers.ListField(child=serializers.IntegerField(), help_text="Plays of number 1 first.")
    purchases = serializers.IntegerField()
    listeners = serializers.IntegerField(allow_null=True, help_text="Null for fewer than `listeners_least`.")
    gross_micros = serializers.IntegerField()
    creators_micros = serializers.IntegerField()
    given_back_micros = serializers.IntegerField(help_text="Given back before the month closed; not in the gross.")
    net_micros = serializers.IntegerField()
    published_as = serializers.CharField(help_text="The payee's name on this work's lines in the month's bundle.")


class DuePayoutSerializer(serializers.Serializer):
    """What is due to be paid out after the month, in whole cents, or why nothing is; `held` waits, and is not lost."""

    cents = serializers.IntegerField()
    why_not = serializers.ChoiceField(
        choices=["", payouts.NOTHING, payouts.NO_ACCOUNT, payouts.HELD_BACK, payouts.TOO_LITTLE]
    )
    held_micros = serializers.IntegerField()


class StatementContentSerializer(serializers.Serializer):
    """All of a statement. `sha256` is that of its canonical JSON (RFC 8785), without `id`, `sha256` and `policies`."""

    id = serializers.UUIDField()
    sha256 = serializers.CharField()
    policies = CitationSerializer(many=True, help_text="What its lines and its payout went by.")
    format = serializers.CharField()
    month = serializers.CharField()
    person = serializers.UUIDField()
    currency = serializers.CharField()
    listeners_least = serializers.IntegerField()
    opening_micros = serializers.IntegerField()
    earned_micros = serializers.IntegerField()
    released_micros = serializers.IntegerField()
    paid_out_micros = serializers.IntegerField()
    returned_micros = serializers.IntegerField()
    closing_micros = serializers.IntegerField()
    payout = DuePayoutSerializer()
    lines = StatementLineSerializer(many=True)


class WorkSoFarSerializer(serializers.Serializer):
    """What a work was paid in a month that is not divided yet, to the end of `until`."""

    work = serializers.UUIDField(source="work_id")
    title = serializers.CharField()
    sheet_version = serializers.IntegerField(allow_null=True, help_text="Null where no split sheet is in force: held.")
    revenue_version = serializers.IntegerField()
    revenue_href = serializers.SerializerMethodField(help_text="Where that version of the policy is read.")
    until = serializers.DateField()
    gross_micros = serializers.IntegerField()
    creators_micros = serializers.IntegerField()
    share_ppm = serializers.IntegerField()
    net_micros = serializers.IntegerField()

    def get_revenue_href(self, of: WorkSoFar) -> str:
        """Return it."""
        return policies.href("revenue", of.revenue_version)


class MonthSoFarSerializer(serializers.Serializer):
    """A month that is not divided yet: not final, for what is given back before it closes is taken off.

    While it runs, a work is told of to the last day from which on five more people have paid for it, and a quiet one
    not at all; once it is over (`is_over`), all of it.
    """

    month = MonthField()
    counted_until = serializers.DateField()
    is_over = serializers.BooleanField()
    gross_micros = serializers.IntegerField()
    net_micros = serializers.IntegerField(help_text="One's own, of all works that are told of.")
    held_micros = serializers.IntegerField(help_text="The creators' part of works without a split sheet in force.")
    works = WorkSoFarSerializer(many=True)
    held = WorkSoFarSerializer(many=True, help_text="Works of one's profiles without a split sheet in force.")


class EarningsSerializer(serializers.Serializer):
    """What one has earned: what is owed now, months that are not divided yet, and sealed ones, the newest first."""

    currency = serializers.CharField()
    payable_micros = serializers.IntegerField()
    in_transit_micros = serializers.IntegerField(help_text="On its way to one's bank.")
    held_micros = serializers.IntegerField(help_text="Of one's profiles' works, until a split sheet is in force.")
    held_works = serializers.IntegerField()
    so_far = MonthSoFarSerializer(many=True)
    last_statement = StatementSerializer(allow_null=True)
    months = StatementSerializer(many=True)
