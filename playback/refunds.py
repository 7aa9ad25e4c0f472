"""Refunds: what the gateway's word makes of each part of a cash-out.

A refund waits, is sent, and ends `refunded` or `returned` (the credit is in the wallet again). The gateway says so as
answers and as signed webhooks, at least once and in any order; that it failed wins over that it was made, for a bank
may send money back. A payment too old for the gateway is paid by transfer (playback/transfers.py).
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from members import clock, letters, money
from members.letters import Letter
from playback import wallets
from playback.cashout_models import Refund

PENDING, REFUNDED, REFUSED, TOO_OLD = "pending", "refunded", "refused", "too-old"
OUTCOMES = frozenset({PENDING, REFUNDED, REFUSED, TOO_OLD})
# What the gateway's events say, by their type.
EVENTS = {"refund.paid": REFUNDED, "refund.failed": REFUSED, "refund.too_old": TOO_OLD}
# A refund that the gateway took but has not ended is asked about again after this long.
ASK_AGAIN = timedelta(hours=1)
REFUSED_WORDS = "The payment could not take it back."
_UNDER_WAY = (Refund.State.WAITING, Refund.State.SENT)
logger = logging.getLogger(__name__)


def record(*, refund_id: UUID, outcome: str, gateway_id: str, now: datetime) -> Refund | None:
    """Write what the gateway says of a refund, once, however often and in whichever order it says it.

    Returns the refund as it stands afterwards, or None for one that is not there.
    """
    assert outcome in OUTCOMES, outcome
    with transaction.atomic():
        refund = lock(refund_id)
        if refund is None:
            return None
        if outcome == REFUSED and (refund.state in _UNDER_WAY or _was_made_by_the_gateway(refund)):
            give_back(refund, reason=REFUSED_WORDS)
        elif outcome == TOO_OLD and refund.state in _UNDER_WAY:
            _leave_to_treasurers(refund, now)
        elif outcome == REFUNDED and refund.state in _UNDER_WAY:
            refund.state, refund.ended_at, refund.gateway_id = Refund.State.REFUNDED, clock.money_moment(), gateway_id
            refund.save(update_fields=["state", "ended_at", "gateway_id"])
        elif outcome == PENDING and refund.state in _UNDER_WAY:
            refund.state, refund.gateway_id, refund.not_before = Refund.State.SENT, gateway_id, now + ASK_AGAIN
            refund.save(update_fields=["state", "gateway_id", "not_before"])
        elif outcome != PENDING:
            logger.info("refund %s is %s; that it is %s changes nothing", refund.id, refund.state, outcome)
    return refund


def lock(refund_id: UUID) -> Refund | None:
    """Lock the listener's wallet, then the refund, and return it; None for one that is not there."""
    listener_id = Refund.objects.filter(id=refund_id).values_list("listener_id", flat=True).first()
    if listener_id is None:
        return None
    wallets.lock(listener_id)
    return Refund.objects.select_for_update(of=("self",)).select_related("top_up").get(id=refund_id)


def give_back(refund: Refund, *, reason: str) -> None:
    """Put the credit of a refund that nobody could pay into the wallet again, and say so. Both rows are locked."""
    wallet = wallets.lock(refund.listener_id)
    wallet.balance_micros += money.from_cents(refund.net_cents)
    wallet.save(update_fields=["balance_micros"])
    refund.state, refund.reason, refund.ended_at = Refund.State.RETURNED, reason, clock.money_moment()
    refund.balance_after_micros, refund.promo_after_micros = wallet.balance_micros, wallet.promo_micros
    refund.save(update_fields=["state", "reason", "ended_at", "balance_after_micros", "promo_after_micros"])
    letter = Letter(
        subject=f"{money.show_cents(refund.net_cents)} are in your wallet again",
        paragraphs=[
            (
                f"You cashed out credit; {money.show_cents(refund.gross_cents)} should have gone back to your payment"
                f" of {day_of(refund.top_up.settled_at)}. {reason} So the credit is yours again, to the cent."
            ),
        ],
        facts=[("Credit now", money.show(wallet.balance_micros))],
        act="Your wallet",
        path="/wallet",
    )
    letters.send(letter, person_id=refund.listener_id, key=f"refund-returned:{refund.id}", now=refund.ended_at)


def _leave_to_treasurers(refund: Refund, now: datetime) -> None:
    refund.state = Refund.State.TRANSFER
    refund.save(update_fields=["state"])
    letter = Letter(
        subject=f"{money.show_cents(refund.gross_cents)} come by transfer",
        paragraphs=[
            f"Your payment of {day_of(refund.top_up.settled_at)} is too old to be paid back the way it came.",
            (
                "A treasurer of the co-op writes to this address and asks for a bank account in your name."
                " A second treasurer releases the transfer. Until then the cash-out says that it is on its way."
            ),
        ],
        act="See the cash-out",
        path=f"/wallet/cash-outs/{refund.cash_out_id}",
    )
    letters.send(letter, person_id=refund.listener_id, key=f"refund-by-transfer:{refund.id}", now=now)


def _was_made_by_the_gateway(refund: Refund) -> bool:
    return refund.state == Refund.State.REFUNDED and not refund.transfers.filter(released_at__isnull=False).exists()


def day_of(moment: datetime | None) -> str:
    """Return the co-op's day as letters say it: `4 December 2026`."""
    assert moment is not None
    return f"{moment.astimezone(clock.zone()):%-d %B %Y}"


def minute_of(moment: datetime) -> str:
    """Return day and time as letters say them: `4 December 2026, 21:02`."""
    return f"{moment.astimezone(clock.zone()):%-d %B %Y, %H:%M}"
