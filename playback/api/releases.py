"""Releases over HTTP: what all of one costs, and buying it."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import idempotency_key, person_id
from members.api import read
from members.tokens import Scope
from playback import releases
from playback.api.answers import KEY, REFUSALS
from playback.serializers.releases import OfferSerializer, PurchasedSerializer, ReleasePurchaseBody


def offer_content(*, person_id: UUID | None, release_id: UUID, now: datetime) -> dict[str, Any]:
    """Return what a release costs somebody, as `GET releases/{id}` shows it (settings.CATALOG_RELEASE_OFFER)."""
    offer = releases.offer(person_id=person_id, release_id=release_id, now=now)
    content = {
        **vars(offer),
        "currency": settings.CURRENCY,
        "blocked": offer.blocked.content() if offer.blocked else None,
    }
    return dict(OfferSerializer(content).data)


class ReleasePurchase(APIView):
    """Buy all of a release at once, or nothing."""

    scope = Scope.SPEND

    @extend_schema(parameters=[KEY], request=ReleasePurchaseBody, responses={200: PurchasedSerializer, **REFUSALS})
    def post(self, request: Request, release_id: UUID) -> Response:
        """Buy what was shown, for at most `price_micros` together; free works are kept."""
        key = idempotency_key(request)
        body = read(ReleasePurchaseBody, request.data)
        purchased = releases.purchase(
            person_id=person_id(request), release_id=release_id, key=key, now=clock.now(), **body
        )
        return Response(asdict(purchased))
