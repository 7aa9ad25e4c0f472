"""Chargebacks: a listener's bank takes a payment back, and the co-op learns of it from the gateway.

Of bought credit at most what is left of that very payment comes out of the wallet, and never more than is in it; all
the rest is the co-op's loss until the dispute is won. Charges, holdings and royalties stand: who was paid was paid by
rule. The wallet is frozen until a treasurer decides, whatever the banks say meanwhile.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from members import admission, clock, letters, money
from members.admission import Staff
from members.letters import Letter
from members.problems import Invalid, NotAllowed, NotFound
from playback import refunds, wallets
from playback.cashout_models import Refund
from playback.chargeback_models import Chargeback
from playback.models import GatewayEvent, TopUp, Wallet

OPENED, WON, LOST = "chargeback.opened", "chargeback.won", "chargeback.lost"
EVENTS = frozenset({OPENED, WON, LOST})
TREASURERS = (Staff.TREASURER,)
REASON_MOST = 500
logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Undecided:
    """A chargeback whose wallet is frozen still. Micros of credit, cents of the payment."""

    id: UUID
    listener_id: UUID
    listener: str
    email: str
    paid_at: datetime | None
    opened_at: datetime
    gross_cents: int
    taken_micros: int
    disputed_micros: int
    state: str


def take_in(*, event: Mapping[str, Any], now: datetime) -> bool:
    """Take in an event about a chargeback once, in whichever order its events come; return whether it was new.

    One that names no settled payment of ours, or another currency, is kept and does nothing but ring in the log.
    """
    said = event["chargeback"]
    with transaction.atomic():
        top_up = _lock_payment(said["reference"])
        if GatewayEvent.objects.filter(id=event["id"]).exists():
            return False
        GatewayEvent.objects.bulk_create(
            [GatewayEvent(id=event["id"], type=event["type"], top_up=top_up, content=dict(event), received_at=now)]
        )
        fits = said["amount_cents"] > 0 and said["currency"] == settings.CURRENCY and event["type"] in EVENTS
        if top_up is None or not fits:
            logger.error("gateway event %s fits no settled payment: %s", event["id"], said)
            return True
        found = _opened(top_up, gateway_id=said["id"], gross_cents=said["amount_cents"])
        if event["type"] == WON and found.state != Chargeback.State.WON:
            _book_back(found)
        elif event["type"] == LOST and found.state == Chargeback.State.OPEN:
            found.state, found.ended_at = Chargeback.State.LOST, clock.money_moment()
            found.save(update_fields=["state", "ended_at"])
    return True


def left_of(top_up: TopUp) -> int:
    """Return how much of a payment a chargeback may take as credit, in micros: its net less what was cashed out of it.

    What an earlier chargeback of the same payment took, unless that was won, is gone already. Two queries.
    """
    cashed = top_up.refunds.exclude(state=Refund.State.RETURNED).aggregate(cents=Sum("net_cents"))["cents"] or 0
    taken = top_up.chargebacks.exclude(state=Chargeback.State.WON).aggregate(micros=Sum("taken_micros"))["micros"] or 0
    return max(0, money.from_cents((top_up.net_cents or 0) - cashed) - taken)


def undecided() -> list[Undecided]:
    """Return the chargebacks that no treasurer has decided, oldest first. One query."""
    rows = Chargeback.objects.filter(decided_at=None).select_related("listener", "top_up").order_by("opened_at", "id")
    return [
        Undecided(
            id=row.id,
            listener_id=row.listener_id,
            listener=str(row.listener),
            email=row.listener.email,
            paid_at=row.top_up.settled_at,
            opened_at=row.opened_at,
            gross_cents=row.gross_cents,
            taken_micros=row.taken_micros,
            disputed_micros=row.disputed_micros,
            state=row.state,
        )
        for row in rows
    ]


def decide(*, chargeback_id: UUID, staff_id: UUID, reason: str, now: datetime) -> Chargeback:
    """Let the wallet move again once its last chargeback is decided; a treasurer says why, and the listener reads it.

    Decided again, it stays as it was decided. Raises NotAllowed, also for one's own wallet, NotFound, and Invalid
    without a reason.
    """
    if not admission.has_role(person_id=staff_id, roles=TREASURERS):
        raise NotAllowed("only treasurers decide about a frozen wallet")
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= REASON_MOST:
        raise Invalid("Say why in a sentence; the listener reads it.")
    listener_id = Chargeback.objects.filter(id=chargeback_id).values_list("listener_id", flat=True).first()
    if listener_id is None:
        raise NotFound("there is no such chargeback")
    if listener_id == staff_id:
        raise NotAllowed("nobody decides about their own wallet")
    with transaction.atomic():
        wallets.lock(listener_id)
        found = Chargeback.objects.select_for_update().get(id=chargeback_id)
        if found.decided_at is not None:
            return found
        found.decided_by_id, found.decided_at, found.reason = staff_id, now, reason
        found.save(update_fields=["decided_by", "decided_at", "reason"])
        if not Chargeback.objects.filter(listener_id=listener_id, decided_at=None).exists():
            Wallet.objects.filter(listener_id=listener_id).update(frozen_at=None)
            letter = Letter(
                subject="Your wallet moves again",
                paragraphs=[f"A treasurer of the co-op looked at the disputed payment and decided: {reason}"],
                act="Your wallet",
                path="/wallet",
            )
            letters.send(letter, person_id=listener_id, key=f"chargeback-decided:{found.id}", now=now)
    return found


def _lock_payment(reference: str) -> TopUp | None:
    """Lock the wallet, then the settled payment that a reference names, and return it; None where there is none."""
    try:
        top_up_id = UUID(reference)
    except ValueError:
        return None
    settled = TopUp.objects.filter(id=top_up_id, state=TopUp.State.SETTLED)
    listener_id = settled.values_list("listener_id", flat=True).first()
    if listener_id is None:
        return None
    wallets.lock(listener_id)
    # Locked, so that a refund of it, which locks it too, is counted before or after.
    return settled.select_for_update().get()


def _opened(top_up: TopUp, *, gateway_id: str, gross_cents: int) -> Chargeback:
    """Return the chargeback of that id, booked and its wallet frozen if nobody told of it before."""
    found = Chargeback.objects.filter(gateway_id=gateway_id).first()
    if found is not None:
        return found
    wallet = wallets.lock(top_up.listener_id)
    gross = money.from_cents(gross_cents)
    taken = min(wallet.balance_micros, left_of(top_up), gross)
    moment = clock.money_moment()
    wallet.balance_micros -= taken
    wallet.frozen_at = wallet.frozen_at or moment
    wallet.save(update_fields=["balance_micros", "frozen_at"])
    made = Chargeback.objects.create(
        gateway_id=gateway_id,
        listener_id=top_up.listener_id,
        top_up=top_up,
        gross_cents=gross_cents,
        taken_micros=taken,
        disputed_micros=gross - taken,
        opened_at=moment,
        balance_after_micros=wallet.balance_micros,
        promo_after_micros=wallet.promo_micros,
    )
    logger.error("chargeback %s: %s of payment %s", made.id, money.show(gross), top_up.id)
    letter = Letter(
        subject="A payment of yours was taken back",
        paragraphs=[
            (
                f"Your bank took back the payment of {money.show_cents(gross_cents)} that we received on"
                f" {refunds.day_of(top_up.settled_at)}. Until a treasurer has looked at it, your wallet is frozen."
            ),
            "What you own stays yours and plays as before. Nobody whose works you played loses anything.",
        ],
        facts=[("Taken out of your credit", money.show(taken)), ("Credit left", money.show(wallet.balance_micros))],
        act="Your wallet",
        path="/wallet",
        after=["If this was a mistake, tell your bank so and answer this letter."],
    )
    letters.send(letter, person_id=top_up.listener_id, key=f"chargeback:{made.id}", now=moment)
    return made


def _book_back(found: Chargeback) -> None:
    """Give the wallet what the chargeback took; the wallet is locked, and stays frozen until a treasurer decides."""
    wallet = wallets.lock(found.listener_id)
    wallet.balance_micros += found.taken_micros
    wallet.save(update_fields=["balance_micros"])
    found.state, found.ended_at = Chargeback.State.WON, clock.money_moment()
    found.won_balance_after_micros, found.won_promo_after_micros = wallet.balance_micros, wallet.promo_micros
    found.save(update_fields=["state", "ended_at", "won_balance_after_micros", "won_promo_after_micros"])
    letter = Letter(
        subject="The disputed payment stands",
        paragraphs=[
            f"The dispute about {money.show_cents(found.gross_cents)} is over and the payment stands.",
            f"{money.show(found.taken_micros)} are in your wallet again, as they were.",
        ],
        facts=[("Credit now", money.show(wallet.balance_micros))],
        act="Your wallet",
        path="/wallet",
    )
    letters.send(letter, person_id=found.listener_id, key=f"chargeback-won:{found.id}", now=found.ended_at)
