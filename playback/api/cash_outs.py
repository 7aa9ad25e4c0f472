"""Cash-outs over HTTP: the plan, the taking, what became of it; and the transfers that treasurers make."""

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import CursorPage, idempotency_key, person_id
from members.api import ProblemSerializer, read
from members.problems import Invalid
from members.tokens import Scope
from playback import cashouts, tasks, transfers
from playback.api.answers import KEY, REFUSALS
from playback.cashout_models import CashOut, Refund
from playback.serializers.cash_outs import (
    CashOutAsked,
    CashOutBody,
    CashOutSerializer,
    GiveUpBody,
    PlanSerializer,
    RefundEntrySerializer,
    RefundSerializer,
    RefundTransferBody,
    RefundTransfersSerializer,
)

_WITH_REFUNDS = Prefetch("refunds", Refund.objects.select_related("top_up").order_by("line_number"))


class CashOuts(ListAPIView):
    """Take bought credit out."""

    serializer_class = CashOutSerializer

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-taken_at", "-id")  # type: ignore[assignment]

    def scope_for(self, method: str) -> str:
        """Return the scope: to look is to listen, to take is to spend."""
        return Scope.SPEND if method == "POST" else Scope.LISTEN

    @extend_schema(responses={200: CashOutSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List one's cash-outs, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(parameters=[KEY], request=CashOutBody, responses={201: CashOutSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Take the credit at once. It goes back to the payments it came from, newest first, and nowhere else."""
        key = idempotency_key(request)
        body = read(CashOutBody, request.data)
        taken, _ = cashouts.take(
            person_id=person_id(request),
            amount_micros=body["amount_micros"],
            key=key,
            plan_hash=body.get("plan_hash"),
        )
        tasks.wake_refunds()
        return Response(CashOutSerializer(taken).data, status=201)

    def get_queryset(self) -> QuerySet[CashOut]:
        """Return one's own."""
        return CashOut.objects.filter(listener_id=person_id(self.request)).prefetch_related(_WITH_REFUNDS)


class CashOutPlan(APIView):
    """What a cash-out would do."""

    scope = Scope.LISTEN

    @extend_schema(parameters=[CashOutAsked], responses={200: PlanSerializer, **REFUSALS})
    def get(self, request: Request) -> Response:
        """Return what would go back to which payment now; nothing is taken by it."""
        said = request.query_params.get("amount_micros", "")
        if not (said.isascii() and said.isdigit() and len(said) <= 16):
            raise Invalid("Say how much, as a whole number: ?amount_micros=")
        planned = cashouts.plan(person_id=person_id(request), amount_micros=int(said))
        return Response(PlanSerializer(planned).data)


class OneCashOut(APIView):
    """A cash-out."""

    scope = Scope.LISTEN

    @extend_schema(
        responses={200: CashOutSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}
    )
    def get(self, request: Request, cash_out_id: UUID) -> Response:
        """Return what became of it."""
        return Response(CashOutSerializer(cashouts.get(person_id=person_id(request), cash_out_id=cash_out_id)).data)


class Transfers(APIView):
    """Refunds of payments too old for the gateway; treasurers only."""

    scope = Scope.TREASURY

    @extend_schema(responses={200: RefundTransfersSerializer, 401: ProblemSerializer, 403: ProblemSerializer})
    def get(self, request: Request) -> Response:
        """List what waits, oldest first."""
        found = transfers.waiting(staff_id=person_id(request))
        return Response(RefundTransfersSerializer({"results": found}).data)

    @extend_schema(request=RefundTransferBody, responses={201: RefundEntrySerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Enter where one is paid to; another treasurer releases it."""
        body = read(RefundTransferBody, request.data)
        entry = transfers.enter(
            refund_id=body["refund"],
            staff_id=person_id(request),
            holder=body["holder"],
            iban=body["iban"],
            now=clock.now(),
        )
        return Response(RefundEntrySerializer(entry).data, status=201)


class ReleaseTransfer(APIView):
    """Release a transfer that another treasurer entered."""

    scope = Scope.TREASURY

    @extend_schema(request=None, responses={200: RefundEntrySerializer, **REFUSALS})
    def post(self, request: Request, refund_id: UUID, entry_id: UUID) -> Response:
        """Release exactly this entry."""
        released = transfers.release(
            refund_id=refund_id, transfer_id=entry_id, staff_id=person_id(request), now=clock.now()
        )
        return Response(RefundEntrySerializer(released).data)


class GiveUpTransfer(APIView):
    """Give the credit back to the wallet instead."""

    scope = Scope.TREASURY

    @extend_schema(request=GiveUpBody, responses={200: RefundSerializer, **REFUSALS})
    def post(self, request: Request, refund_id: UUID) -> Response:
        """Give it back, with a reason that the listener reads."""
        body = read(GiveUpBody, request.data)
        refund = transfers.give_up(refund_id=refund_id, staff_id=person_id(request), reason=body["reason"])
        return Response(RefundSerializer(refund).data)
