"""A payment provider for tests of cash-outs: it takes refunds, refuses them, says nothing, or loses its answer."""

from itertools import count
from typing import Any
from uuid import UUID

from members import clock
from playback import cashouts, topups
from playback.cashout_models import CashOut, Refund
from playback.gateways import GatewaySilent, RefundAnswer

_numbers = count(1)


class Till:
    """What a provider remembers of refunds: one for each reference, however often it is asked."""

    def __init__(self) -> None:
        self.made: dict[UUID, tuple[str, int]] = {}
        self.asked: list[UUID] = []
        self.silent = False
        self.loses_answers = False
        self.says = lambda _: "refunded"

    def refund(self, *, refund_id: UUID, checkout_id: str, amount_cents: int) -> RefundAnswer:
        """Make the refund, unless it was made before."""
        self.asked.append(refund_id)
        if self.silent:
            raise GatewaySilent("Try again in a moment.")
        state = self.says(refund_id)
        if state in ("refunded", "pending"):
            assert self.made.setdefault(refund_id, (checkout_id, amount_cents)) == (checkout_id, amount_cents)
        if self.loses_answers:
            raise GatewaySilent("The line broke.")
        return RefundAnswer(id=f"refund-{refund_id}", state=state)

    def tells(self, refund: Refund, kind: str, **wrong: Any) -> dict[str, Any]:
        """Return the event that tells of a refund."""
        said = {
            "id": f"refund-{refund.id}",
            "reference": str(refund.id),
            "checkout": refund.top_up.checkout_id,
            "amount_cents": refund.gross_cents,
            "currency": "EUR",
            **wrong,
        }
        return {"id": f"refund-event-{next(_numbers)}", "type": kind, "created": 0, "refund": said}


def take(person: Any, cents: int, *, key: str = "") -> CashOut:
    """Cash out some cents of credit, under a key of its own unless one is given."""
    taken, _ = cashouts.take(person_id=person.id, amount_micros=cents * 10_000, key=key or f"out-{next(_numbers)}")
    return taken


def refunds_of(taken: CashOut) -> list[tuple[int, int, str]]:
    """Return net, VAT and state of each refund of a cash-out, in their order."""
    return [(one.net_cents, one.vat_cents, one.state) for one in cashouts.parts_of(taken)]


def send() -> int:
    """Let the worker ask once."""
    return cashouts.send_waiting(now=clock.now())


def tell(event: dict[str, Any]) -> bool:
    """Deliver an event."""
    return topups.take_in(event=event, now=clock.now())
