"""What Refrain needs of whoever takes payments, and what they answer. `playback/play_money.py` is one of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from members.problems import Problem
from playback.models import TopUp


class GatewaySilent(Problem):
    """The gateway cannot be reached; nothing was paid and the same request may be sent again."""

    slug, status, title = "gateway-unreachable", 503, "The payment gateway does not answer"


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """Where a top-up is paid."""

    id: str
    url: str


@dataclass(frozen=True, kw_only=True)
class RefundAnswer:
    """What the gateway says of a refund: `state` is pending, refunded, refused or too-old (playback/refunds.py)."""

    id: str
    state: str


class PaymentGateway(Protocol):
    """What Refrain needs of whoever takes payments. `start` and `refund` are safe to repeat for the same row."""

    def start(self, *, top_up: TopUp, return_url: str) -> Checkout:
        """Open a checkout for the top-up. Raises GatewaySilent."""

    def settle(self, *, checkout_id: str) -> None:
        """Pay a checkout without a person; only play money can. Raises GatewaySilent."""

    def refund(self, *, refund_id: UUID, checkout_id: str, amount_cents: int) -> RefundAnswer:
        """Pay back a part of a paid checkout; for the same refund it is the same one. Raises GatewaySilent."""

    def events(self, *, since: datetime) -> Iterable[Mapping[str, Any]]:
        """Return the events since a moment, for webhooks that never came. Raises GatewaySilent."""
