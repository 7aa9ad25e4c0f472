"""Wallets, limits and top-ups over HTTP, and the gateway's events."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import idempotency_key, person_id, problem_answer
from members.api import ProblemSerializer, read
from members.problems import Invalid, Problem
from members.tokens import Scope
from playback import topups, wallets
from playback.api.answers import KEY, REFUSALS
from playback.models import TopUp
from playback.serializers.wallet import (
    EntriesSerializer,
    LimitsBody,
    ReceiptSerializer,
    TopUpBody,
    TopUpSerializer,
    WalletSerializer,
)


class Wallet(APIView):
    """One's wallet."""

    scope = Scope.LISTEN

    @extend_schema(responses={200: WalletSerializer, 401: ProblemSerializer, 403: ProblemSerializer})
    def get(self, request: Request) -> Response:
        """Return pockets, limits and what was spent."""
        return Response(WalletSerializer(wallets.overview(person_id=person_id(request), now=clock.now())).data)


class Limits(APIView):
    """One's limits."""

    scope = Scope.SPEND

    @extend_schema(request=LimitsBody, responses={200: WalletSerializer, **REFUSALS})
    def put(self, request: Request) -> Response:
        """Set both. Lowering holds at once, raising after 24 hours."""
        body = read(LimitsBody, request.data)
        return Response(
            WalletSerializer(wallets.set_limits(person_id=person_id(request), now=clock.now(), **body)).data
        )


class Entries(APIView):
    """The history of one's wallet."""

    scope = Scope.LISTEN
    page = 50

    @extend_schema(
        parameters=[
            OpenApiParameter("before", datetime, description="Only what is older than this moment."),
            OpenApiParameter(
                "before_id", UUID, description="And those lines of that very moment that stand after this one."
            ),
        ],
        responses={200: EntriesSerializer, 400: ProblemSerializer, 401: ProblemSerializer, 403: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        """Return fifty lines, newest first."""
        asked, fields = request.query_params, {"before": serializers.DateTimeField, "before_id": serializers.UUIDField}
        found = wallets.entries(
            person_id=person_id(request),
            limit=self.page,
            **{name: field().run_validation(asked[name]) for name, field in fields.items() if name in asked},
        )
        query = asked.copy()
        if found:
            query["before"], query["before_id"] = found[-1].at.isoformat(), str(found[-1].row_id)
        more = f"{settings.BASE_URL}{request.path}?{query.urlencode()}" if len(found) == self.page else None
        return Response(EntriesSerializer({"results": found, "next": more}).data)


class TopUps(APIView):
    """Buy credit."""

    scope = Scope.SPEND

    @extend_schema(
        parameters=[
            KEY,
            OpenApiParameter(
                "X-Play-Money", str, OpenApiParameter.HEADER, description="`settle` pays at once; demo only."
            ),
        ],
        request=TopUpBody,
        responses={201: TopUpSerializer, 503: ProblemSerializer, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        """Open a checkout for a top-up."""
        key = idempotency_key(request)
        body = read(TopUpBody, request.data)
        cents, rest = divmod(body["amount_micros"], 10_000)
        if rest:
            raise Invalid("A top-up is in whole cents: a multiple of 10 000 micros.")
        top_up = topups.start(
            person_id=person_id(request),
            amount_cents=cents,
            country=body.get("country", settings.COUNTRY),
            evidence=["asked in the API" if "country" in body else "the co-op's own country"],
            idempotency_key=key,
            return_url=f"{settings.BASE_URL}/wallet",
            now=clock.now(),
        )
        if (
            request.headers.get("X-Play-Money") == "settle"
            and not settings.IN_PRODUCTION
            and top_up.state == TopUp.State.STARTED
        ):
            topups.gateway().settle(checkout_id=top_up.checkout_id)
        return Response(TopUpSerializer(top_up).data, status=201)


class OneTopUp(APIView):
    """A top-up."""

    scope = Scope.LISTEN

    @extend_schema(
        responses={200: ReceiptSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}
    )
    def get(self, request: Request, top_up_id: UUID) -> Response:
        """Return its state, and its receipt once it is settled."""
        return Response(ReceiptSerializer(topups.get(person_id=person_id(request), top_up_id=top_up_id)).data)


def webhook(request: HttpRequest) -> HttpResponse:
    """Take in an event of the gateway. It answers 204 for one that was taken in, now or before."""
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST"})
    try:
        now = clock.now()
        topups.check_signature(
            header=request.headers.get("Refrain-Signature", ""), body=request.body, actual=now - clock.offset()
        )
        topups.take_in(event=topups.read_event(request.body), now=now)
    except Problem as problem:
        return problem_answer(problem)
    return HttpResponse(status=204)
