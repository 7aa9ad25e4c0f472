"""Split sheets over HTTP: proposing one, reading those one may see, accepting and declining."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import sharing
from catalog.models import SplitSheet
from catalog.serializers.splits import ProposalSerializer, SplitSheetSerializer
from catalog.sharing import Payee
from members import clock
from members.access import CursorPage, person_id
from members.api import ProblemSerializer, read
from members.tokens import Scope

ANSWERS = {
    200: SplitSheetSerializer,
    401: ProblemSerializer,
    403: ProblemSerializer,
    404: ProblemSerializer,
    409: ProblemSerializer,
}


def _answer(sheet_id: UUID) -> Response:
    sheet = SplitSheet.objects.prefetch_related("lines").get(id=sheet_id)
    states = sharing.states(work_id=sheet.work_id, now=clock.now())
    return Response(SplitSheetSerializer(sheet, context={"states": states}).data)


class SplitSheets(ListAPIView):
    """The split sheets of a work, newest first: all to who has a role in its profile, to a payee those with them."""

    serializer_class = SplitSheetSerializer
    scope = Scope.PUBLISH

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = "-version"

    @extend_schema(responses={200: SplitSheetSerializer(many=True), 404: ProblemSerializer})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List them."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[SplitSheet]:
        """Return those that the person may see."""
        if getattr(self, "swagger_fake_view", False):
            return SplitSheet.objects.none()
        return sharing.seen_by(work_id=self.kwargs["work_id"], person_id=person_id(self.request))

    def get_serializer_context(self) -> dict[str, Any]:
        """Give the serializer how each sheet stands."""
        work_id = self.kwargs.get("work_id")
        states = sharing.states(work_id=work_id, now=clock.now()) if work_id else {}
        return {**super().get_serializer_context(), "states": states}


class ProposeSplitSheet(APIView):
    """Say who is paid for a work."""

    scope = Scope.PUBLISH

    @extend_schema(request=ProposalSerializer, responses={**ANSWERS, 400: ProblemSerializer})
    def put(self, request: Request, work_id: UUID) -> Response:
        """Propose a sheet; the same one again invites nobody again. With oneself alone it is in force at once."""
        body = read(ProposalSerializer, request.data)
        payees = [Payee(**payee) for payee in body["payees"]]
        sheet = sharing.propose(work_id=work_id, person_id=person_id(request), payees=payees, now=clock.now())
        return _answer(sheet.id)


class AcceptSplitSheet(APIView):
    """Accept one's share."""

    scope = Scope.PUBLISH

    @extend_schema(request=None, responses=ANSWERS)
    def post(self, request: Request, sheet_id: UUID) -> Response:
        """Accept it, once; the last acceptance puts it in force from the next midnight."""
        return _answer(sharing.accept(sheet_id=sheet_id, person_id=person_id(request)).id)


class DeclineSplitSheet(APIView):
    """Decline one's share."""

    scope = Scope.PUBLISH

    @extend_schema(request=None, responses=ANSWERS)
    def post(self, request: Request, sheet_id: UUID) -> Response:
        """Decline it, which ends the sheet."""
        return _answer(sharing.decline(sheet_id=sheet_id, person_id=person_id(request)).id)
