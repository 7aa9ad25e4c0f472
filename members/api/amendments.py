"""Amendments over HTTP: the numbered versions of a proposal, suggesting another, and its author's answer."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import CursorPage, person_id
from members.api import ProblemSerializer, StrictSerializer, read
from members.tokens import Scope
from members.voting import discussion, proposals
from members.voting.proposal_models import ProposalVersion


class ProposalVersionSerializer(serializers.ModelSerializer):
    """A version of a proposal: number 1 is its author's, later ones are amendments.

    It is the proposal's once it is accepted. Without either answer it waits for the author's; what waits when the text
    is frozen counts as declined.
    """

    written_by = serializers.CharField(source="written_by.name")
    params = serializers.DictField(allow_null=True, help_text="All figures that it asks for; null for advice.")

    class Meta:
        model = ProposalVersion
        fields = ("number", "written_by", "title", "reasons", "params", "written_at", "accepted_at", "declined_at")


class AmendmentBody(StrictSerializer):
    """Another text, or other figures: all of them, or null for advice."""

    title = serializers.CharField(max_length=120)
    reasons = serializers.CharField(max_length=20_000)
    params = serializers.DictField(allow_null=True)


class Amendments(ListAPIView):
    """The versions of a proposal, the first one first; and suggesting another."""

    serializer_class = ProposalVersionSerializer

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """In their order."""

        ordering = ("number",)  # type: ignore[assignment]

    def scope_for(self, method: str | None) -> Scope | None:
        """Return what a token needs: nothing to read."""
        return Scope.VOTE if method == "POST" else None

    def get_queryset(self) -> QuerySet[ProposalVersion]:
        """Return those of a proposal that everybody may read."""
        if getattr(self, "swagger_fake_view", False):
            return ProposalVersion.objects.none()
        found = proposals.get(self.kwargs["proposal_id"], person_id=None)
        return found.versions.select_related("written_by")

    @extend_schema(responses={200: ProposalVersionSerializer(many=True), 404: ProblemSerializer})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List every version of a proposal, with what became of it."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=AmendmentBody,
        responses={
            201: ProposalVersionSerializer,
            403: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
            422: ProblemSerializer,
        },
    )
    def post(self, request: Request, proposal_id: UUID) -> Response:
        """Suggest another version while it is deliberated; the author's own are accepted at once."""
        said = read(AmendmentBody, request.data)
        made = discussion.amend(proposal_id=proposal_id, person_id=person_id(request), now=clock.now(), **said)
        return Response(ProposalVersionSerializer(made).data, status=201)


ANSWERED = {200: ProposalVersionSerializer, 404: ProblemSerializer, 409: ProblemSerializer}


class AcceptAmendment(APIView):
    """An author's yes to an amendment."""

    scope = Scope.VOTE

    @extend_schema(request=None, responses=ANSWERED)
    def post(self, request: Request, proposal_id: UUID, number: int) -> Response:
        """Take it over. Who sponsored other figures is asked again."""
        author = person_id(request)
        discussion.accept(proposal_id=proposal_id, number=number, author_id=author, now=clock.now())
        return Response(ProposalVersionSerializer(_version(proposal_id, number)).data)


class DeclineAmendment(APIView):
    """An author's no to an amendment."""

    scope = Scope.VOTE

    @extend_schema(request=None, responses=ANSWERED)
    def post(self, request: Request, proposal_id: UUID, number: int) -> Response:
        """Leave the proposal as it is."""
        author = person_id(request)
        discussion.decline(proposal_id=proposal_id, number=number, author_id=author, now=clock.now())
        return Response(ProposalVersionSerializer(_version(proposal_id, number)).data)


def _version(proposal_id: UUID, number: int) -> ProposalVersion:
    return ProposalVersion.objects.select_related("written_by").get(proposal_id=proposal_id, number=number)
