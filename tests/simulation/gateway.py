"""The payment provider of a life: checkouts, payers, and webhooks that come late, twice and in any order."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

from playback.gateways import Checkout, GatewaySilent
from playback.models import TopUp


class Gateway:
    """A provider as the world has them: it may be silent, and it remembers everything it ever told."""

    def __init__(self) -> None:
        self.silent = False
        self.checkouts: dict[Any, str] = {}
        self.told: list[dict[str, Any]] = []
        self._numbers = count(1)

    def start(self, *, top_up: TopUp, return_url: str) -> Checkout:  # noqa: ARG002  (the protocol's)
        """Open a checkout; for the same top-up it is the same."""
        if self.silent:
            raise GatewaySilent("Nothing was paid; try again in a moment.")
        opened = self.checkouts.setdefault(top_up.id, f"checkout-{top_up.id}")
        return Checkout(id=opened, url=f"https://pay.example/{opened}")

    def settle(self, *, checkout_id: str) -> None:
        """Be paid without a person: this provider cannot."""
        raise GatewaySilent(f"{checkout_id} waits for its payer.")

    def events(self, *, since: datetime) -> Iterable[Mapping[str, Any]]:  # noqa: ARG002  (the protocol's)
        """Return everything it told."""
        if self.silent:
            raise GatewaySilent("Try again in a moment.")
        return list(self.told)

    def checkout_of(self, top_up_id: Any) -> str | None:
        """Return the checkout that was opened for a top-up, if one was."""
        return self.checkouts.get(top_up_id)

    def tell(self, top_up_id: Any, kind: str, cents: int, *, currency: str = "EUR") -> dict[str, Any]:
        """Let something happen to a checkout; return the event, to be delivered whenever the wire likes."""
        event = {
            "id": f"event-{top_up_id}-{next(self._numbers)}",
            "type": kind,
            "checkout": {
                "id": self.checkouts.get(top_up_id, "checkout-unknown"),
                "reference": str(top_up_id),
                "amount_cents": cents,
                "currency": currency,
            },
        }
        self.told.append(event)
        return event
