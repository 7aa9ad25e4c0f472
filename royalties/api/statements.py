"""Statements and earnings over HTTP."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.access import CursorPage, person_id
from members.tokens import Scope
from royalties import ledger, statements
from royalties.run_models import Statement
from royalties.serializers.statements import EarningsSerializer, StatementContentSerializer, StatementSerializer


class Statements(ListAPIView):
    """One's statements."""

    scope = Scope.EARNINGS
    serializer_class = StatementSerializer

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-month",)  # type: ignore[assignment]

    @extend_schema(responses={200: StatementSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List one's statements of sealed months, newest first."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Statement]:
        """Return one's own."""
        return statements.of_person(person_id(self.request))


class OneStatement(APIView):
    """A statement."""

    scope = Scope.EARNINGS

    @extend_schema(responses={200: StatementContentSerializer})
    def get(self, request: Request, statement_id: UUID) -> Response:
        """Return all of it, each line with what it was made of."""
        found = statements.one(person_id=person_id(request), statement_id=statement_id)
        return Response({"id": str(found.id), "sha256": found.sha256, **found.content})


class Earnings(APIView):
    """What one has earned."""

    scope = Scope.EARNINGS

    @extend_schema(responses={200: EarningsSerializer})
    def get(self, request: Request) -> Response:
        """Return what is owed now, and the sums of the last two years' months."""
        who = person_id(request)
        content = {
            "currency": settings.CURRENCY,
            "payable_micros": ledger.payable([who])[who],
            "months": statements.of_person(who)[: statements.PAGE],
        }
        return Response(EarningsSerializer(content).data)
