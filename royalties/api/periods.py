"""Sealed months over HTTP, for everybody; and each listener's proof."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseRedirect
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import CursorPage, person_id
from members.api import ProblemSerializer
from members.tokens import Scope
from royalties import transparency
from royalties.publication_models import Publication
from royalties.serializers.periods import OnePeriodSerializer, PeriodSerializer, ProofSerializer


class Periods(ListAPIView):
    """Sealed months."""

    scope = None
    serializer_class = PeriodSerializer

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-month",)  # type: ignore[assignment]

    @extend_schema(responses={200: PeriodSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List them, the newest first."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Publication]:
        """Return all of them."""
        return transparency.sealed()


class OnePeriod(APIView):
    """A sealed month."""

    scope = None

    @extend_schema(responses={200: OnePeriodSerializer})
    def get(self, request: Request, month: str) -> Response:
        """Return its sums and the signed manifest of its bundle."""
        return Response(OnePeriodSerializer(transparency.period(transparency.month_of(month))).data)


class Bundle(APIView):
    """Every line that made a month's figures."""

    scope = None

    @extend_schema(responses={302: OpenApiResponse(description="Where the zip lies, for about an hour.")})
    def get(self, request: Request, month: str) -> HttpResponseRedirect:
        """Lead to the zip. `verify_bundle.py`, which lies in it and on the month's page, recomputes it."""
        found = transparency.period(transparency.month_of(month))
        return HttpResponseRedirect(transparency.bundle_url(found, clock.now()))


class MyProof(APIView):
    """Whether one's own month was counted."""

    scope = Scope.LISTEN

    @extend_schema(responses={200: ProofSerializer, 503: ProblemSerializer})
    def get(self, request: Request, month: str) -> Response:
        """Return what was counted of one's month, and the way from it to the root that the manifest signs."""
        proof = transparency.my_proof(person_id=person_id(request), month=transparency.month_of(month))
        return Response(ProofSerializer(proof).data)
