"""Objections to works under a voted rule, field by field."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.objection_models import Objection, ObjectionAppeal
from members import policies
from members.api import CitationSerializer, StrictSerializer
from members.api.panels import RulingSerializer
from members.voting import panels


class ObjectionAppealBody(StrictSerializer):
    """Why the work should stay."""

    text = serializers.CharField(max_length=panels.TEXT_MOST)


class ObjectionAppealSerializer(serializers.ModelSerializer):
    """What the people of a work say, and what the panel said; `ruling` is empty until two agree."""

    rulings = serializers.SerializerMethodField()

    class Meta:
        model = ObjectionAppeal
        fields = ["id", "text", "filed_at", "decide_until", "ruling", "ruled_at", "rulings"]
        read_only_fields = fields

    @extend_schema_field(RulingSerializer(many=True))
    def get_rulings(self, appeal: ObjectionAppeal) -> list[dict[str, Any]]:
        """Return what each of the three said who spoke, without names."""
        spoken = sorted((one for one in appeal.panel.all() if one.ruling), key=lambda one: (one.ruled_at, one.id))
        return list(RulingSerializer(spoken, many=True).data)


class SentOffSerializer(serializers.ModelSerializer):
    """A voted rule by which a work went off."""

    policy = serializers.SerializerMethodField()

    class Meta:
        model = Objection
        fields = ["policy", "rule", "words", "ended_at"]
        read_only_fields = fields

    @extend_schema_field(CitationSerializer)
    def get_policy(self, objection: Objection) -> dict[str, int | str]:
        """Return the version that objects."""
        return policies.citation("content", objection.policy_seq)


class SentOffListSerializer(serializers.Serializer):
    """The voted rules by which a work went off, newest first."""

    results = SentOffSerializer(many=True)


class ObjectionSerializer(SentOffSerializer):
    """An objection to one's own work: it goes off at `leaves_at`, while `outcome` is empty."""

    title = serializers.CharField(source="work.title")
    appeal = serializers.SerializerMethodField()

    class Meta:
        model = Objection
        fields = [
            "id", "work", "title", "policy", "rule", "words", "made_at", "leaves_at", "outcome", "ended_at", "appeal",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ObjectionAppealSerializer(allow_null=True))
    def get_appeal(self, objection: Objection) -> dict[str, Any] | None:
        """Return the appeal, or null where there is none."""
        found = getattr(objection, "appeal", None)
        return None if found is None else dict(ObjectionAppealSerializer(found).data)
