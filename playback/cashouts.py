"""Cashing out: bought credit goes back to the payments it came from, newest first, each at most its rest.

Bought credit is spent oldest first, so the balance always is the rest of the newest top-ups; which rest is which is
derived here and written nowhere. The credit is taken at once and the refunds are written with it; a worker asks the
gateway afterwards (`send_waiting`), and playback/refunds.py says what its answers do. Promo credit is never paid out.
"""

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from members import clock, letters, money, seals
from members.letters import Letter
from members.problems import Invalid, NotFound, Problem
from playback import charging, refunds, topups, wallets
from playback.cashout_models import CashOut, Refund
from playback.chargeback_models import Chargeback
from playback.gateways import GatewaySilent
from playback.models import TopUp

# Who asks the gateway holds the row this long; the gateway's client gives up long before.
LEASE = timedelta(seconds=60)
PAUSE_FIRST, PAUSE_MOST = timedelta(seconds=5), timedelta(minutes=15)
logger = logging.getLogger(__name__)


class CannotCashOut(Problem):
    """More was asked for than the bought credit that can go back; `available_micros` says how much that is."""

    slug, status, title = "cash-out-refused", 409, "This cannot be cashed out"


class PlanChanged(Problem):
    """Since the refunds were shown something was played, bought or added, so they would be others."""

    slug, status, title = "plan-changed", 409, "What would be refunded has changed"


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one payment gets back, in cents: the credit (net), its share of the VAT, and both together."""

    top_up_id: UUID
    paid_at: datetime
    paid_cents: int
    net_cents: int
    vat_cents: int
    vat_ppm: int
    country: str

    @property
    def gross_cents(self) -> int:
        """Return what is paid back."""
        return self.net_cents + self.vat_cents


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a cash-out would do now. Micros are credit; `plan_hash` stands for the parts exactly as they are."""

    amount_micros: int
    available_micros: int
    balance_after_micros: int
    parts: list[Part]
    plan_hash: str

    @property
    def vat_cents(self) -> int:
        """Return the VAT that goes back."""
        return sum(part.vat_cents for part in self.parts)

    @property
    def gross_cents(self) -> int:
        """Return everything that is paid back."""
        return sum(part.gross_cents for part in self.parts)


def available(balance_micros: int) -> int:
    """Return how much of a balance can be cashed out: whole cents, for payments are; the rest of a cent stays."""
    return balance_micros - balance_micros % money.MICROS_PER_CENT


def plan(*, person_id: UUID, amount_micros: int) -> Plan:
    """Return what cashing out `amount_micros` of credit would refund to which payment. Two queries.

    Raises Invalid for an amount that is not some whole cents, and CannotCashOut.
    """
    return _plan(person_id, wallets.balance_of(person_id), amount_micros)


def take(*, person_id: UUID, amount_micros: int, key: str, plan_hash: str | None = None) -> tuple[CashOut, bool]:
    """Take the credit out at once and write what is to be refunded; return the cash-out, and whether it is new.

    With a `plan_hash` it does exactly what was shown under it, or nothing. Repeated with the same key it is the same
    cash-out. Raises Invalid, CannotCashOut, PlanChanged, KeyReused, WalletFrozen.
    """
    body = seals.sha256_of({"amount_micros": amount_micros})
    with transaction.atomic():
        wallet = wallets.lock(person_id)
        kept = charging.kept_answer(person_id=person_id, route="cash-out", key=key, body_sha256=body)
        if kept is not None:
            return get(person_id=person_id, cash_out_id=UUID(kept["id"])), False
        if wallet.frozen_at is not None:
            raise wallets.frozen()
        planned = _plan(person_id, wallet.balance_micros, amount_micros)
        if plan_hash is not None and plan_hash != planned.plan_hash:
            raise PlanChanged("The credit moved since it was shown. Look at it again; nothing was taken.")
        wallet.balance_micros -= amount_micros
        wallet.save(update_fields=["balance_micros"])
        taken = CashOut.objects.create(
            listener_id=person_id,
            amount_micros=amount_micros,
            taken_at=clock.money_moment(),
            balance_after_micros=wallet.balance_micros,
            promo_after_micros=wallet.promo_micros,
        )
        Refund.objects.bulk_create(
            Refund(
                cash_out=taken,
                listener_id=person_id,
                top_up_id=part.top_up_id,
                line_number=number,
                net_cents=part.net_cents,
                vat_cents=part.vat_cents,
            )
            for number, part in enumerate(planned.parts, start=1)
        )
        charging.keep_answer(
            person_id=person_id, route="cash-out", key=key, body_sha256=body, answer={"id": str(taken.id)}
        )
        _acknowledge(taken, planned)
    return taken, True


def get(*, person_id: UUID, cash_out_id: UUID) -> CashOut:
    """Return a cash-out of this person. Raises NotFound."""
    found = CashOut.objects.filter(id=cash_out_id, listener_id=person_id).first()
    if found is None:
        raise NotFound("there is no such cash-out of yours")
    return found


def parts_of(cash_out: CashOut) -> list[Refund]:
    """Return the refunds of a cash-out with their payments, in their order. One query."""
    return list(cash_out.refunds.select_related("top_up").order_by("line_number"))


def send_waiting(*, now: datetime, limit: int = 100) -> int:
    """Ask the gateway for refunds that wait, and again for those it has not ended; return how many it answered.

    The row is the queue: it is leased before the gateway is asked and written after. Whoever dies in between leaves a
    lease that runs out, and the gateway knows a refund by the row's id, so that asking again refunds nothing twice.
    """
    due = Q(state__in=[Refund.State.WAITING, Refund.State.SENT]) & (Q(not_before=None) | Q(not_before__lte=now))
    answered = 0
    for refund in list(Refund.objects.filter(due).select_related("top_up").order_by("not_before", "id")[:limit]):
        claimed = Refund.objects.filter(due, id=refund.id).update(not_before=now + LEASE, attempts=F("attempts") + 1)
        if not claimed:
            continue
        try:
            answer = topups.gateway().refund(
                refund_id=refund.id, checkout_id=refund.top_up.checkout_id, amount_cents=refund.gross_cents
            )
        except GatewaySilent as silent:
            logger.warning("refund %s waits: %s", refund.id, silent.detail)
            pause = min(PAUSE_MOST, PAUSE_FIRST * 2 ** min(refund.attempts, 10))
            Refund.objects.filter(id=refund.id, state=refund.state).update(not_before=now + pause)
        else:
            refunds.record(refund_id=refund.id, outcome=answer.state, gateway_id=answer.id, now=now)
            answered += 1
    return answered


def _plan(person_id: UUID, balance_micros: int, amount_micros: int) -> Plan:
    if amount_micros <= 0 or amount_micros % money.MICROS_PER_CENT:
        raise Invalid("A cash-out is some whole cents: a multiple of 10 000 micros.")
    rests = _rests(person_id, balance_micros)
    # Credit whose payment was taken back, and that came back from a refund after it, buys but has nowhere to go.
    can = min(available(balance_micros), available(sum(rest.micros for rest in rests)))
    if amount_micros > can:
        raise CannotCashOut(
            f"{money.show(amount_micros)} were asked for; {money.show(can)} of bought credit can go back.",
            available_micros=can,
        )
    parts, left = [], amount_micros // money.MICROS_PER_CENT
    for rest in rests:
        cents, top_up = min(left, rest.micros // money.MICROS_PER_CENT), rest.top_up
        if not cents:
            break
        assert top_up.settled_at is not None
        parts.append(
            Part(
                top_up_id=top_up.id,
                paid_at=top_up.settled_at,
                paid_cents=top_up.gross_cents or 0,
                net_cents=cents,
                # Of the VAT that is left, as much as of the net; the last refund of a payment takes what remains.
                vat_cents=money.allocate(rest.vat_cents, [cents, rest.net_cents - cents])[0],
                vat_ppm=top_up.vat_ppm,
                country=top_up.country,
            )
        )
        left -= cents
    assert left == 0, "the balance is more than the rests of what was paid"
    return Plan(
        amount_micros=amount_micros,
        available_micros=can,
        balance_after_micros=balance_micros - amount_micros,
        parts=parts,
        plan_hash=seals.sha256_of(
            [{**asdict(part), "top_up_id": str(part.top_up_id), "paid_at": part.paid_at.isoformat()} for part in parts]
        ),
    )


@dataclass(frozen=True, kw_only=True)
class _Rest:
    """What is left of a payment: of the credit it bought, in micros; of its net and VAT not refunded yet, in cents."""

    top_up: TopUp
    micros: int
    net_cents: int
    vat_cents: int


def _rests(person_id: UUID, balance_micros: int) -> list[_Rest]:
    """Return the payments that the balance is the rest of, newest first. One query."""
    stays = ~Q(refunds__state=Refund.State.RETURNED)
    paid = (
        TopUp.objects.filter(listener_id=person_id, state=TopUp.State.SETTLED)
        .exclude(chargebacks__state__in=[Chargeback.State.OPEN, Chargeback.State.LOST])
        .annotate(
            net_left=F("net_cents") - Coalesce(Sum("refunds__net_cents", filter=stays), 0),
            vat_left=F("vat_cents") - Coalesce(Sum("refunds__vat_cents", filter=stays), 0),
        )
        .order_by("-settled_at", "-id")
    )
    rests, left = [], balance_micros
    for top_up in paid:
        micros = min(left, money.from_cents(top_up.net_left))
        if micros:
            rests.append(_Rest(top_up=top_up, micros=micros, net_cents=top_up.net_left, vat_cents=top_up.vat_left))
        left -= micros
        if not left:
            break
    return rests


def _acknowledge(taken: CashOut, planned: Plan) -> None:
    """Write the acknowledgement that the law asks for: what was withdrawn, when, and what goes where."""
    facts = [
        (
            f"To the payment of {refunds.day_of(part.paid_at)}, {money.show_cents(part.paid_cents)}",
            (
                f"{money.show_cents(part.gross_cents)} (credit {money.show_cents(part.net_cents)},"
                f" VAT {money.show_cents(part.vat_cents)})"
            ),
        )
        for part in planned.parts
    ]
    letter = Letter(
        subject=f"You cashed out {money.show(taken.amount_micros)}",
        paragraphs=[
            (
                f"We took {money.show(taken.amount_micros)} out of your wallet on {refunds.minute_of(taken.taken_at)},"
                f" as you asked. {money.show_cents(planned.gross_cents)} go back to how you paid, and nowhere else."
            ),
        ],
        facts=[*facts, ("Credit left", money.show(taken.balance_after_micros))],
        act="See what became of it",
        path=f"/wallet/cash-outs/{taken.id}",
        after=["If a payment cannot take its part back, we tell you: that credit comes back to your wallet."],
    )
    letters.send(letter, person_id=taken.listener_id, key=f"cash-out:{taken.id}", now=taken.taken_at)
