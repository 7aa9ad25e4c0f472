"""What the API reads and writes of split sheets, field by field."""

from typing import Any

from rest_framework import serializers

from catalog import sharing
from catalog.models import SplitLine, SplitSheet
from members import money
from members.api import StrictSerializer

STATES = ("waiting", "accepted", "in-force", "past", "declined", "replaced")


class WholePpm(serializers.IntegerField):
    """A share: a JSON whole number of millionths, not a float, a text or a boolean."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": money.PPM, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        """Return the number as it is."""
        if type(data) is not int:
            raise serializers.ValidationError("A share is a whole number of ppm.")
        return super().to_internal_value(data)


class PayeeSerializer(StrictSerializer):
    """One payee as it is proposed."""

    email = serializers.EmailField(max_length=sharing.EMAIL_MOST)
    share_ppm = WholePpm(help_text="Millionths; all shares sum to exactly 1 000 000.")
    part = serializers.CharField(
        max_length=sharing.PART_MOST, allow_blank=True, default="", help_text="What the share is for."
    )


class ProposalSerializer(StrictSerializer):
    """A split sheet as it is proposed."""

    payees: serializers.ListField = serializers.ListField(
        child=PayeeSerializer(), min_length=1, max_length=sharing.PAYEES_MOST
    )


class SplitLineSerializer(serializers.ModelSerializer):
    """One line of a sheet: to whom, how much, what for, and their answer."""

    class Meta:
        model = SplitLine
        fields = ["line_number", "email", "part", "share_ppm", "accepted_at", "declined_at"]
        read_only_fields = fields


class SplitSheetSerializer(serializers.ModelSerializer):
    """A split sheet and how it stands at this moment."""

    work = serializers.UUIDField(source="work_id", read_only=True)
    state = serializers.SerializerMethodField()
    lines = serializers.SerializerMethodField()

    class Meta:
        model = SplitSheet
        fields = ["id", "work", "version", "state", "created_at", "in_force_from", "ended_at", "lines"]
        read_only_fields = fields

    def get_state(self, sheet: SplitSheet) -> str:
        """Return one of waiting, accepted (in force later), in-force, past, declined, replaced."""
        states: dict[Any, str] = self.context["states"]
        return states[sheet.id]

    def get_lines(self, sheet: SplitSheet) -> list[dict[str, Any]]:
        """Return the lines in their order."""
        lines = sorted(sheet.lines.all(), key=lambda line: line.line_number)
        return [dict(SplitLineSerializer(line).data) for line in lines]
