"""What the API of the catalogue reads and writes, field by field."""

from django.conf import settings
from rest_framework import serializers

from catalog.models import Creator, Work
from catalog.rules import LICENCES
from members.api import StrictSerializer, WholeMicros


class WorkSerializer(serializers.ModelSerializer):
    """A work as everyone sees it; `price_micros` is its own figure, null where it follows the policy."""

    creator: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    creator_name = serializers.CharField(source="creator.name", read_only=True)
    currency = serializers.SerializerMethodField()
    release = serializers.UUIDField(source="release_id", read_only=True, allow_null=True)

    class Meta:
        model = Work
        fields = [
            "id",
            "kind",
            "title",
            "creator",
            "creator_name",
            "release",
            "position",
            "state",
            "price_micros",
            "currency",
            "licence",
            "origin",
            "explicit",
            "historic",
            "duration_ms",
            "lossless",
            "published_at",
        ]
        read_only_fields = fields

    def get_currency(self, work: Work) -> str:
        """Return the co-op's currency."""
        return settings.CURRENCY


class WorksAskedSerializer(serializers.Serializer):
    """Which works are asked for; what is left out narrows nothing."""

    q = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="Words of the title or the creator's name."
    )
    kind = serializers.ChoiceField(choices=Work.Kind.choices, required=False)
    creator = serializers.SlugField(required=False, help_text="A creator's slug.")
    release = serializers.UUIDField(required=False, help_text="A release's id.")
    mine = serializers.BooleanField(required=False, help_text="One's own, in every state.")


class LadderSerializer(serializers.Serializer):
    """The prices of plays 1..N for somebody who begins now; empty for a free work."""

    work = serializers.UUIDField()
    currency = serializers.CharField()
    pricing_version = serializers.IntegerField()
    price_micros = serializers.IntegerField()
    steps_micros = serializers.ListField(child=serializers.IntegerField())


class ChangeSerializer(StrictSerializer):
    """What may be changed of one's own work; what is left out stays."""

    title = serializers.CharField(max_length=300, required=False)
    price_micros = WholeMicros(required=False, allow_null=True)
    licence = serializers.ChoiceField(choices=LICENCES, required=False)
    origin = serializers.ChoiceField(choices=Work.Origin.choices, required=False)
    explicit = serializers.BooleanField(required=False)
    historic = serializers.BooleanField(required=False)


class CreatorSerializer(serializers.ModelSerializer):
    """A profile that works appear under."""

    class Meta:
        model = Creator
        fields = ["slug", "name", "about"]
        read_only_fields = fields
