"""Casting a ballot over HTTP. What is said here is written down nowhere but in the urn."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.access import person_id
from members.api import ProblemSerializer, StrictSerializer, read
from members.tokens import Scope
from members.voting import ballots


class BallotBody(StrictSerializer):
    """What a voter says, and the number that they drew for it."""

    choice = serializers.ChoiceField(ballots.CHOICES)
    nonce = serializers.RegexField(
        "^[0-9a-f]{32}$",
        max_length=32,
        trim_whitespace=False,
        help_text="16 random bytes, drawn by the voter's own program, in hexadecimal. Keep them: send them again where"
        " no answer came, and find your ballot with them.",
    )


class ReceiptSaid(serializers.Serializer):
    """What is signed."""

    format = serializers.CharField()
    election = serializers.UUIDField()
    tracker = serializers.CharField(help_text="Under which the ballot lies in the urn: a SHA-256 in hexadecimal.")


class BallotReceiptSerializer(serializers.Serializer):
    """The election's word that a ballot is in its urn, as recount.py reads it."""

    receipt = ReceiptSaid()
    public_key = serializers.CharField(help_text="The election's own, Ed25519, as its notice announced it.")
    signature = serializers.CharField(help_text="Of the canonical JSON (RFC 8785) of `receipt`.")


class CastBallot(APIView):
    """One person's ballot in one vote. Its bodies are never logged."""

    scope = Scope.VOTE

    @extend_schema(
        request=BallotBody,
        responses={
            200: BallotReceiptSerializer,
            403: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    def post(self, request: Request, election_id: UUID) -> Response:
        """Cast your ballot and get its receipt. The same choice and nonce again give the same receipt, all else 409."""
        body = read(BallotBody, request.data)
        receipt = ballots.cast(
            election_id=election_id,
            person_id=person_id(request),
            choice=body["choice"],
            nonce=bytes.fromhex(body["nonce"]),
        )
        return Response(receipt.document(), headers={"Cache-Control": "no-store"})
