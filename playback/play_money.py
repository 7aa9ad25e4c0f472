"""The client of the demo's gateway, a separate process that plays a payment provider. Production refuses it."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import requests
from django.conf import settings

from playback import refunds
from playback.gateways import Checkout, GatewaySilent, RefundAnswer
from playback.models import TopUp

TIMEOUT_SECONDS = 5


class PlayMoney:
    """Speaks with the play-money gateway at `address`."""

    def __init__(self, *, address: str, key: str) -> None:
        self.address = address.rstrip("/")
        self.headers = {"Authorization": f"Bearer {key}"}

    def start(self, *, top_up: TopUp, return_url: str) -> Checkout:
        """Open a checkout for the top-up; for the same top-up it is the same one."""
        found = self._ask(
            "POST",
            "/checkouts",
            {
                "reference": str(top_up.id),
                "person": str(top_up.listener_id),
                "amount_cents": top_up.asked_cents,
                "currency": settings.CURRENCY,
                "country": top_up.country,
                "return_url": return_url,
            },
        )
        return Checkout(id=found["id"], url=found["url"])

    def settle(self, *, checkout_id: str) -> None:
        """Pay a checkout without a person."""
        self._ask("POST", f"/checkouts/{checkout_id}/settle", {})

    def refund(self, *, refund_id: UUID, checkout_id: str, amount_cents: int) -> RefundAnswer:
        """Pay back a part of a checkout. What the gateway will never do is its answer, not its silence."""
        asked = {"reference": str(refund_id), "checkout": checkout_id, "amount_cents": amount_cents}
        found = self._ask("POST", "/refunds", asked, refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT))
        if "error" in found:
            return RefundAnswer(id="", state=refunds.REFUSED)
        return RefundAnswer(id=found["id"], state=found["state"])

    def events(self, *, since: datetime) -> Iterable[Mapping[str, Any]]:
        """Return the events since a moment."""
        found: Iterable[Mapping[str, Any]] = self._ask("GET", f"/events?since={int(since.timestamp())}", None)["events"]
        return found

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, *, refusals: tuple[HTTPStatus, ...] = ()
    ) -> dict[str, Any]:
        try:
            answer = requests.request(
                method,
                self.address + path,
                data=None if body is None else json.dumps(body),
                headers={**self.headers, "Content-Type": "application/json"},
                timeout=TIMEOUT_SECONDS,
            )
        except requests.RequestException as error:
            raise GatewaySilent("Nothing was paid; try again in a moment.") from error
        if answer.status_code >= HTTPStatus.BAD_REQUEST and answer.status_code not in refusals:
            raise GatewaySilent(f"It answered {answer.status_code}; nothing was paid.")
        found: dict[str, Any] = answer.json()
        return found
