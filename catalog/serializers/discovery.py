"""What may be asked of lists, and releases as everyone sees them."""

from rest_framework import serializers

from catalog.models import Release, Work
from catalog.rules import LICENCES
from catalog.search import WORDS_LENGTH_MOST
from catalog.serializers.works import WorkSerializer
from members.api import ProblemSerializer

WORDS = "All of these words, each with a typing error or two if nothing has it as it is."


class WorksAskedSerializer(serializers.Serializer):
    """Which works are asked for; what is left out narrows nothing."""

    q = serializers.CharField(
        max_length=WORDS_LENGTH_MOST,
        required=False,
        allow_blank=True,
        help_text=f"{WORDS} Of title, creator, release and tags.",
    )
    kind = serializers.ChoiceField(choices=Work.Kind.choices, required=False)
    creator = serializers.SlugField(required=False, help_text="A creator's slug.")
    release = serializers.UUIDField(required=False, help_text="A release's id.")
    tag = serializers.CharField(max_length=40, required=False)
    licence = serializers.ChoiceField(choices=LICENCES, required=False)
    lossless = serializers.BooleanField(required=False, help_text="Whether its original is.")
    free = serializers.BooleanField(required=False, help_text="Whether nothing is asked for it.")
    mine = serializers.BooleanField(required=False, help_text="One's own, in every state.")


class CreatorsAskedSerializer(serializers.Serializer):
    """Which creators are asked for."""

    q = serializers.CharField(max_length=WORDS_LENGTH_MOST, required=False, allow_blank=True, help_text=WORDS)


class ReleasesAskedSerializer(serializers.Serializer):
    """Which releases are asked for."""

    q = serializers.CharField(max_length=WORDS_LENGTH_MOST, required=False, allow_blank=True, help_text=WORDS)
    creator = serializers.SlugField(required=False, help_text="A creator's slug.")


class ReleaseSerializer(serializers.ModelSerializer):
    """A release; `published` is how many of its works are."""

    creator: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    creator_name = serializers.CharField(source="creator.name", read_only=True)
    published = serializers.IntegerField(read_only=True)

    class Meta:
        model = Release
        fields = ["id", "kind", "title", "creator", "creator_name", "released_on", "published"]
        read_only_fields = fields


class OneReleaseSerializer(ReleaseSerializer):
    """A release with its published works in their order, and what all of it costs the one who asks."""

    works = WorkSerializer(many=True)
    currency = serializers.CharField()
    purchase_micros = serializers.IntegerField(help_text="What owning all of it costs now.")
    list_hash = serializers.CharField(help_text="Stands for the works a purchase would buy or keep.")
    pricing_version = serializers.IntegerField()
    pricing_href = serializers.CharField(help_text="Where that version of the policy is read.")
    lines = serializers.ListField(child=serializers.DictField(), help_text="What each work adds to the sum.")
    blocked = ProblemSerializer(allow_null=True, help_text="What a purchase would be refused with now.")

    class Meta(ReleaseSerializer.Meta):
        fields = [
            *ReleaseSerializer.Meta.fields,
            "works",
            "currency",
            "purchase_micros",
            "list_hash",
            "pricing_version",
            "pricing_href",
            "lines",
            "blocked",
        ]
        read_only_fields = fields
