"""Payouts over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from members.access import CursorPage, person_id
from members.tokens import Scope
from royalties import payouts
from royalties.payout_models import Payout
from royalties.serializers.payouts import PayoutSerializer


class Payouts(ListAPIView):
    """One's payouts."""

    scope = Scope.EARNINGS
    serializer_class = PayoutSerializer

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-released_at", "-id")  # type: ignore[assignment]

    @extend_schema(responses={200: PayoutSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what was paid to one's account and what came back, newest first."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Payout]:
        """Return one's own."""
        return payouts.of_person(person_id(self.request))
