"""Rolls over HTTP: what everybody may know of one, and where one stands oneself."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.access import person_id
from members.api import ProblemSerializer
from members.tokens import Scope
from members.voting import proposals, rolls


class RollCorrectionSerializer(serializers.Serializer):
    """A line that the secretary corrected; no class is an empty one."""

    number = serializers.IntegerField()
    name = serializers.CharField(help_text="What the person is called on this roll: only the co-op's key tells who.")
    class_before = serializers.CharField()
    class_after = serializers.CharField()
    reason = serializers.CharField()
    corrected_at = serializers.CharField()
    root_before = serializers.CharField()
    root_after = serializers.CharField()


class RollSerializer(serializers.Serializer):
    """The roll of a vote: what was announced and signed, how it was corrected since, and its root now."""

    election = serializers.UUIDField()
    announced_at = serializers.DateTimeField()
    opens_at = serializers.DateTimeField()
    corrected_until = serializers.DateTimeField()
    notice = serializers.DictField(help_text="Signed: `notice`, its `sha256`, the `key`'s name and the `signature`.")
    root = serializers.CharField(  # type: ignore[assignment]  # the framework has a `root` of its own
        help_text="Of the Merkle tree (RFC 6962) over its lines in the order of their names."
    )
    members = serializers.DictField(child=serializers.IntegerField())
    corrections = RollCorrectionSerializer(many=True)


class RollProofSerializer(serializers.Serializer):
    """The way from one's leaf to the root, with the notice and the corrections that the root follows from."""

    format = serializers.CharField()
    leaf = serializers.CharField(help_text="Canonical JSON: class, election, and one's name on the roll.")
    index = serializers.IntegerField()
    count = serializers.IntegerField()
    path = serializers.ListField(child=serializers.CharField(), help_text="Siblings, lowest first, in hexadecimal.")
    root = serializers.CharField()  # type: ignore[assignment]  # as above
    notice = serializers.DictField()
    corrections = RollCorrectionSerializer(many=True)


class RollPlaceSerializer(serializers.Serializer):
    """Where one stands oneself: `class` is empty for who is not on the roll, and `why_not` says why."""

    member_class = serializers.CharField(source="class_name")
    voted = serializers.BooleanField()
    joined_at = serializers.DateTimeField(allow_null=True)
    in_class_since = serializers.DateTimeField(allow_null=True)
    paid_until = serializers.DateField(allow_null=True)
    why_not = serializers.ListField(child=serializers.CharField())
    proof = RollProofSerializer(allow_null=True)


class Roll(APIView):
    """The roll of a proposal's vote."""

    scope = None

    @extend_schema(responses={200: RollSerializer, 404: ProblemSerializer})
    def get(self, _request: Request, proposal_id: UUID) -> Response:
        """Return what everybody may know of it. It names nobody."""
        return Response(RollSerializer(rolls.said(_election(proposal_id))).data)


class MyPlace(APIView):
    """Oneself on the roll of a proposal's vote."""

    scope = Scope.LISTEN

    @extend_schema(responses={200: RollPlaceSerializer, 404: ProblemSerializer})
    def get(self, request: Request, proposal_id: UUID) -> Response:
        """Return whether you are on it, in which class and since when, with the proof; or why not."""
        election, me = _election(proposal_id), person_id(request)
        place = rolls.place(election, person_id=me)
        shown = {name: getattr(place, name) for name in ("class_name", "voted", "joined_at", "in_class_since")}
        proof = rolls.proof(election, person_id=me) if place.is_on_it else None
        said = {**shown, "paid_until": place.paid_until, "why_not": place.why_not, "proof": proof}
        return Response(RollPlaceSerializer(said).data, headers={"Cache-Control": "no-store"})


def _election(proposal_id: UUID) -> Any:
    return rolls.election_of(proposals.get(proposal_id, person_id=None))
