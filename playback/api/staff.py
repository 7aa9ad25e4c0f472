"""What staff do over HTTP: give back, and give promo."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import idempotency_key, person_id
from members.api import read
from members.tokens import Scope
from playback import reversals
from playback.api.answers import KEY, REFUSALS
from playback.serializers.staff import GivenBackSerializer, GrantBody, GrantSerializer, ReversalBody


class Reversals(APIView):
    """Give a charge back; staff only."""

    scope = Scope.TREASURY

    @extend_schema(request=ReversalBody, responses={200: GivenBackSerializer, 202: GivenBackSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Give it back, or wait for a second person above 20.00."""
        body = read(ReversalBody, request.data)
        done = reversals.reverse(
            listener_id=body["listener"],
            charge_id=body["charge"],
            staff_id=person_id(request),
            reason=body["reason"],
            now=clock.now(),
        )
        return Response(GivenBackSerializer(done).data, status=202 if done.waits else 200)


class Grants(APIView):
    """Give promo credit; staff only."""

    scope = Scope.TREASURY

    @extend_schema(parameters=[KEY], request=GrantBody, responses={201: GrantSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Give it from the budget."""
        key = idempotency_key(request)
        body = read(GrantBody, request.data)
        given = reversals.grant(
            listener_id=body["listener"],
            staff_id=person_id(request),
            amount_micros=body["amount_micros"],
            reason=body["reason"],
            key=key,
        )
        return Response(GrantSerializer(given).data, status=201)
