"""Proposals over HTTP: what is asked, standing behind it, casting a ballot, and the bundle of its vote."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock, policies, tokens
from members.access import CursorPage, person_id
from members.api import ProblemSerializer, StrictSerializer, read
from members.api.ballots import BallotBody, BallotReceiptSerializer, CastBallot
from members.problems import NotFound
from members.tokens import Scope
from members.voting import ballot_bundles, dry_runs, elections, proposals, urns
from members.voting.dry_runs import Stairs
from members.voting.proposal_models import Proposal

OWN_NEEDS = frozenset({Scope.LISTEN, Scope.EARNINGS})


class ProposalSerializer(serializers.ModelSerializer):
    """A proposal. `ends_at` is when its present part ends; `params` are all figures that it asks for.

    It would follow the version `base_seq` of its policy, and made `made_seq`. Once its text is frozen, it is voted on
    by the version `governance_seq` of `governance`.
    """

    params = serializers.DictField(allow_null=True, help_text="Whole numbers and words, by name; null for advice.")
    author = serializers.CharField(source="author.name")
    base_href = serializers.SerializerMethodField(help_text="Where that version is read; the others likewise.")
    made_href = serializers.SerializerMethodField()
    governance_href = serializers.SerializerMethodField()

    class Meta:
        model = Proposal
        fields = (
            "id", "number", "author", "key", "kind", "title", "reasons", "params", "base_seq", "base_href", "version",
            "state", "submitted_at", "ends_at", "frozen_sha256", "governance_seq", "governance_href", "effective_from",
            "made_seq", "made_href", "ended_at", "why",
        )  # fmt: skip

    def get_base_href(self, of: Proposal) -> str | None:
        """Return where the version that it was compared with is read."""
        return policies.href(of.key, of.base_seq) if of.base_seq else None

    def get_made_href(self, of: Proposal) -> str | None:
        """Return where the version that it made is read."""
        return policies.href(of.key, of.made_seq) if of.made_seq else None

    def get_governance_href(self, of: Proposal) -> str | None:
        """Return where the rules of its vote are read."""
        return policies.href("governance", of.governance_seq) if of.governance_seq else None


class TurnoutSerializer(serializers.Serializer):
    """How many are on the roll and how many of them voted; what they said stays closed until the vote is counted."""

    members = serializers.IntegerField()
    voted = serializers.IntegerField()


class OneProposalSerializer(ProposalSerializer):
    """A proposal with its vote."""

    turnout = serializers.SerializerMethodField()
    verdict = serializers.SerializerMethodField()

    class Meta:
        model = Proposal
        fields = (*ProposalSerializer.Meta.fields, "turnout", "verdict")

    @extend_schema_field(TurnoutSerializer(allow_null=True))
    def get_turnout(self, of: Proposal) -> dict[str, int] | None:
        """Return how many voted."""
        return TurnoutSerializer(elections.turnout(of.election.id)).data if of.election else None

    def get_verdict(self, of: Proposal) -> str | None:
        """Return what the count came to, once it is published."""
        return str(urns.result(of.election.id).verdict) if of.election and of.election.result else None


class ProposalBody(StrictSerializer):
    """A draft: `key` is the policy, empty for advice in words; `params` are all of its figures, or null."""

    key = serializers.CharField(max_length=32, allow_blank=True)
    title = serializers.CharField(max_length=120)
    reasons = serializers.CharField(max_length=20_000)
    params = serializers.DictField(allow_null=True)


class Proposals(ListAPIView):
    """Everything members were ever asked to decide, newest first; and writing a draft."""

    serializer_class = ProposalSerializer

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-submitted_at", "-id")  # type: ignore[assignment]

    def scope_for(self, method: str | None) -> Scope | None:
        """Return what a token needs: nothing to read."""
        return Scope.VOTE if method == "POST" else None

    @extend_schema(responses={200: ProposalSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List every proposal that was put before the members, newest first."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Proposal]:
        """Return them, without drafts."""
        return proposals.public()

    @extend_schema(
        request=ProposalBody,
        responses={201: ProposalSerializer, 403: ProblemSerializer, 404: ProblemSerializer, 422: ProblemSerializer},
    )
    def post(self, request: Request) -> Response:
        """Keep a draft, which only you see; put it before the members with `submit`."""
        made = proposals.draft(author_id=person_id(request), now=clock.now(), **read(ProposalBody, request.data))
        return Response(ProposalSerializer(made).data, status=201)


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class WholeOrWords(serializers.Field):
    """A whole number, or words where a figure is none."""

    def to_representation(self, value: int | str) -> int | str:
        """Return it as it is."""
        return value


class OneProposal(APIView):
    """A proposal."""

    scope = None

    @extend_schema(responses={200: OneProposalSerializer, 404: ProblemSerializer})
    def get(self, _request: Request, proposal_id: UUID) -> Response:
        """Return what it asks, how far it is, and how many have voted; the verdict once it is counted."""
        return Response(OneProposalSerializer(proposals.get(proposal_id, person_id=None)).data)


class PreviewRowSerializer(serializers.Serializer):
    """A figure as it was and as it would have been; null where too few people stand behind it for it to be told."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name, as the answer has it
    before = WholeOrWords(allow_null=True)
    after = WholeOrWords(allow_null=True)
    unit = serializers.ChoiceField(choices=["micros", "cents", "count", "ppm", "words"])


class TriedLadderSerializer(serializers.Serializer):
    """What each play of a work costs as it is and as it would be, in micros, the first play first; `words` name it."""

    words = serializers.CharField()
    before_micros = serializers.SerializerMethodField()
    after_micros = serializers.SerializerMethodField()

    def get_before_micros(self, of: Stairs) -> list[int]:
        """Return its steps as they are."""
        return [micros for micros, _ in of.before]

    def get_after_micros(self, of: Stairs) -> list[int]:
        """Return its steps as they would be."""
        return [micros for micros, _ in of.after]


class PreviewSerializer(serializers.Serializer):
    """A dry run: what the asked figures would have made of the month that begins on `month`.

    `own` are the figures of whoever asks, told to nobody else: to who is signed in, and by a token that may read both
    what one heard (`listen`) and what one earned (`earnings`). Others, and who has none, get an empty list.
    """

    month = serializers.DateField(allow_null=True)
    words = serializers.CharField()
    rows = PreviewRowSerializer(many=True)
    own = PreviewRowSerializer(many=True)
    ladder = TriedLadderSerializer(source="stairs", allow_null=True)
    caveat = serializers.CharField()


class ProposalPreview(APIView):
    """The dry run of what a proposal asks."""

    scope = None

    @extend_schema(responses={200: PreviewSerializer, 404: ProblemSerializer})
    def get(self, request: Request, proposal_id: UUID) -> Response:
        """Return what it would have made of what was recorded; from its freeze on as it was found then.

        One's own figures are made anew, of the same month.
        """
        asked = proposals.get(proposal_id, person_id=None)
        found = dry_runs.of_proposal(asked, now=clock.now(), person_id=_whose_own(request))
        if found is None:
            raise NotFound("there is no dry run of this proposal")
        return Response(PreviewSerializer(found).data, headers={"Cache-Control": "no-store"})


def _whose_own(request: Request) -> UUID | None:
    """Return whose own figures may be told here: what they heard and earned, so to who may read both."""
    if not request.user.is_authenticated:
        return None
    if isinstance(request.auth, tokens.Bearer) and not request.auth.scopes >= OWN_NEEDS:
        return None
    return person_id(request)


class Sponsor(APIView):
    """Standing behind a proposal."""

    scope = Scope.VOTE

    @extend_schema(
        request=None,
        responses={200: OneProposalSerializer, 403: ProblemSerializer, 404: ProblemSerializer, 409: ProblemSerializer},
    )
    def post(self, request: Request, proposal_id: UUID) -> Response:
        """Stand behind it as it is now; done again it is the same."""
        proposals.sponsor(proposal_id=proposal_id, person_id=person_id(request), now=clock.now())
        return Response(OneProposalSerializer(proposals.get(proposal_id, person_id=None)).data)


class ProposalBallot(CastBallot):
    """One person's ballot on a proposal. Its bodies are never logged."""

    @extend_schema(
        request=BallotBody,
        responses={
            200: BallotReceiptSerializer,
            403: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    def post(self, request: Request, proposal_id: UUID) -> Response:
        """Cast your ballot and get its receipt. The same choice and nonce again give the same receipt, all else 409."""
        found = proposals.get(proposal_id, person_id=None)
        if found.election_id is None:
            raise NotFound("no vote was called on this proposal yet")
        return super().post(request, found.election_id)


class ProposalBundle(APIView):
    """Every ballot of a counted vote, and what is needed to count them again."""

    scope = None

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY, 404: ProblemSerializer})
    def get(self, _request: Request, proposal_id: UUID) -> FileResponse:
        """Return the zip."""
        found = proposals.get(proposal_id, person_id=None)
        if found.election is None or not found.election.bundle_key:
            raise NotFound("no vote on this proposal is counted")
        name = ballot_bundles.file_name(found.election)
        return FileResponse(ballot_bundles.read(found.election), as_attachment=True, filename=name)
