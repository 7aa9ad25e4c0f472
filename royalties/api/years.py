"""The years' surpluses over HTTP: the figures for everybody, and each member's own part."""

from django.http import HttpResponseRedirect
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import person_id
from members.api import ProblemSerializer
from members.tokens import Scope
from royalties.serializers.years import MyPartSerializer, SurplusSerializer
from royalties.year import parts, publication


class Surplus(APIView):
    """A year's surplus."""

    scope = None

    @extend_schema(responses={200: SurplusSerializer, 404: ProblemSerializer})
    def get(self, request: Request, year: int) -> Response:
        """Return how it is divided, or would be, and the seal under which members vote on it."""
        return Response(SurplusSerializer(publication.published(year)).data)


class SurplusBundle(APIView):
    """Every line that made a year's figures."""

    scope = None

    @extend_schema(
        responses={302: OpenApiResponse(description="Where the zip lies, for about an hour."), 404: ProblemSerializer}
    )
    def get(self, request: Request, year: int) -> HttpResponseRedirect:
        """Lead to the zip. `verify_year.py`, which lies in it, recomputes it."""
        return HttpResponseRedirect(publication.bundle_url(publication.published(year), clock.now()))


class MySurplus(APIView):
    """One's own part of a year's surplus."""

    scope = Scope.LISTEN

    @extend_schema(responses={200: MyPartSerializer, 404: ProblemSerializer, 503: ProblemSerializer})
    def get(self, request: Request, year: int) -> Response:
        """Return one's parts by class, with the names under which their lines are public."""
        me = person_id(request)
        publication.published(year)
        mine = {"capital_micros": parts.capital(me), "parts": parts.of_person(me, year=year)}
        return Response(MyPartSerializer(mine).data)
