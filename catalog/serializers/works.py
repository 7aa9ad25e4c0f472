"""What the API of the catalogue reads and writes, field by field."""

from django.conf import settings
from rest_framework import serializers

from catalog import describing
from catalog.models import Creator, Work
from catalog.rules import LICENCES
from members.api import StrictSerializer, WholeMicros


class CreditSerializer(StrictSerializer):
    """Somebody who took part: a name, perhaps with what they did."""

    role = serializers.CharField(max_length=describing.CREDIT_ROLE_MOST, allow_blank=True, default="")
    name = serializers.CharField(max_length=describing.CREDIT_NAME_MOST)


class WorkSerializer(serializers.ModelSerializer):
    """A work as everyone sees it; `price_micros` is its own figure, null where it follows the policy."""

    creator: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    creator_name = serializers.CharField(source="creator.name", read_only=True)
    currency = serializers.SerializerMethodField()
    credits: serializers.ListField = serializers.ListField(child=CreditSerializer(), read_only=True)
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
            "credits",
            "isrc",
            "language",
            "tags",
            "alternative_text",
            "musicbrainz_recording",
            "duration_ms",
            "width",
            "height",
            "lossless",
            "published_at",
        ]
        read_only_fields = fields

    def get_currency(self, work: Work) -> str:
        """Return the co-op's currency."""
        return settings.CURRENCY


class LadderAskedSerializer(serializers.Serializer):
    """At which price; what is left out asks for the work's own."""

    price_micros = serializers.IntegerField(min_value=0, max_value=2**53 - 1, required=False)


class LadderSerializer(serializers.Serializer):
    """The prices of plays 1..N for somebody who begins now; empty for a free work."""

    work = serializers.UUIDField()
    currency = serializers.CharField()
    pricing_version = serializers.IntegerField()
    pricing_href = serializers.CharField(help_text="Where that version of the policy is read.")
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
    credits: serializers.ListField = serializers.ListField(
        child=CreditSerializer(), max_length=describing.CREDITS_MOST, required=False
    )
    isrc = serializers.CharField(max_length=40, required=False, allow_blank=True, help_text="With or without hyphens.")
    language = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="BCP 47, for instance de or pt-BR; zxx for none."
    )
    tags: serializers.ListField = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=100, required=False
    )
    alternative_text = serializers.CharField(
        max_length=describing.ALTERNATIVE_TEXT_MOST, required=False, allow_blank=True
    )
    musicbrainz_recording = serializers.UUIDField(required=False, allow_null=True)
    release = serializers.UUIDField(
        source="release_id", required=False, allow_null=True, help_text="A release of the same profile."
    )
    position = serializers.IntegerField(
        min_value=1, max_value=describing.POSITION_MOST, required=False, allow_null=True
    )


class CreatorSerializer(serializers.ModelSerializer):
    """A profile that works appear under."""

    class Meta:
        model = Creator
        fields = ["slug", "name", "about"]
        read_only_fields = fields
