"""Statements and earnings over HTTP."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members.access import CursorPage, person_id
from members.tokens import Scope
from royalties import earned, statement_pdf, statements
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
        return earned.months_of(person_id(self.request))


class OneStatement(APIView):
    """A statement."""

    scope = Scope.EARNINGS

    @extend_schema(responses={200: StatementContentSerializer})
    def get(self, request: Request, statement_id: UUID) -> Response:
        """Return all of it, each line with what it was made of."""
        found = statements.one(person_id=person_id(request), statement_id=statement_id)
        cited = [one.citation for one in statements.cited(found)]
        return Response({"id": str(found.id), "sha256": found.sha256, "policies": cited, **found.content})


class StatementPaper(APIView):
    """A statement on paper."""

    scope = Scope.EARNINGS

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, statement_id: UUID) -> HttpResponse:
        """Return it as PDF, made now; it names the statement's SHA-256."""
        found = statements.one(person_id=person_id(request), statement_id=statement_id)
        answer = HttpResponse(statement_pdf.write(found), content_type="application/pdf")
        answer["Content-Disposition"] = f'attachment; filename="refrain-statement-{found.month:%Y-%m}.pdf"'
        return answer


class Earnings(APIView):
    """What one has earned."""

    scope = Scope.EARNINGS

    @extend_schema(responses={200: EarningsSerializer})
    def get(self, request: Request) -> Response:
        """Return what is owed now, months that are not divided yet, and the sums of the last two years' months."""
        who = person_id(request)
        known = list(earned.months_of(who)[: statements.PAGE])
        content = {
            "currency": settings.CURRENCY,
            **vars(earned.owed(who)),
            "so_far": earned.so_far(who),
            "last_statement": known[0] if known else None,
            "months": known,
        }
        return Response(EarningsSerializer(content).data)
