"""Reversals and promo: what staff give back or give, each with a reason, never to themselves or for their own works.

A reversal gives the pockets back as they were paid; the play's number is free again. Never more is given back than
was paid, and a charge is given back once, however often it is asked.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F

from catalog import publishing
from members import admission, clock, money, notices, seals
from members.admission import Staff
from members.problems import Invalid, NotAllowed, NotFound, Problem
from playback import charging, wallets
from playback.models import (
    Charge,
    Holding,
    PromoBudget,
    PromoFunding,
    PromoGrant,
    Reversal,
    ReversalAsk,
    Session,
    Wallet,
)

# Above this a second person has to ask for the same.
ALONE_MOST_MICROS = 20 * money.MICROS
MAY_GIVE = (Staff.TREASURER, Staff.DIRECTOR)


class BudgetSpent(Problem):
    """The promo budget has less than the grant."""

    slug, status, title = "promo-budget-spent", 409, "The promo budget is spent"


@dataclass(frozen=True, kw_only=True)
class GivenBack:
    """What a reversal did; `waits` when a second person has to ask for the same. Micros."""

    charge_id: UUID
    reversal_id: UUID | None
    amount_micros: int
    waits: bool


def check_may_give(*, staff_id: UUID, listener_id: UUID) -> None:
    """Raise NotAllowed unless the person is a treasurer or director, and somebody else than the listener."""
    if not admission.has_role(person_id=staff_id, roles=MAY_GIVE):
        raise NotAllowed("only a treasurer or a director gives money back or grants promo")
    if staff_id == listener_id:
        raise NotAllowed("nobody gives money to themselves")


def reverse(*, listener_id: UUID, charge_id: UUID, staff_id: UUID, reason: str, now: datetime) -> GivenBack:
    """Give a charge back. Asked again, it answers the same. Above 20.00 the first ask waits for a second person.

    Raises NotFound, Invalid without a reason, and NotAllowed.
    """
    if not reason.strip():
        raise Invalid("A reversal needs a reason; the listener reads it.")
    check_may_give(staff_id=staff_id, listener_id=listener_id)
    with transaction.atomic():
        wallet = wallets.lock(listener_id)
        charge = Charge.objects.filter(listener_id=listener_id, id=charge_id).select_related("work").first()
        if charge is None:
            raise NotFound("there is no such charge")
        if publishing.manages(creator_id=charge.work.creator_id, person_id=staff_id):
            raise NotAllowed("nobody gives money back for a work they manage")
        if charge.reversal_id is not None:
            return GivenBack(
                charge_id=charge_id, reversal_id=charge.reversal_id, amount_micros=charge.amount_micros, waits=False
            )
        first, second = staff_id, None
        if charge.amount_micros > ALONE_MOST_MICROS:
            ask, _ = ReversalAsk.objects.get_or_create(
                charge_id=charge_id,
                defaults={"listener_id": listener_id, "staff_id": staff_id, "reason": reason, "asked_at": now},
            )
            if ask.staff_id == staff_id:
                return GivenBack(charge_id=charge_id, reversal_id=None, amount_micros=charge.amount_micros, waits=True)
            first, second, reason = ask.staff_id, staff_id, ask.reason
        return _give_back(wallet, charge, first, second, reason)


def _give_back(wallet: Wallet, charge: Charge, staff_id: UUID, second_id: UUID | None, reason: str) -> GivenBack:
    """Write the reversal and what follows from it. The wallet is locked; the moment is read after the periods' lock."""
    moment = clock.money_moment()
    bought = charge.amount_micros - charge.promo_micros
    wallet.balance_micros += bought
    wallet.promo_micros += charge.promo_micros
    # The limits' counters get back only what their own day and month, if they still run, had counted. A clock that
    # stepped back over midnight began to count anew, so there may be less than the charge.
    if wallet.spent_day == clock.day(charge.charged_at) == clock.day(moment):
        wallet.spent_day_micros = max(0, wallet.spent_day_micros - charge.amount_micros)
    if wallet.spent_month == clock.month(charge.charged_at) == clock.month(moment):
        wallet.spent_month_micros = max(0, wallet.spent_month_micros - charge.amount_micros)
    wallet.save(update_fields=["balance_micros", "promo_micros", "spent_day_micros", "spent_month_micros"])
    reversal = Reversal.objects.create(
        id=uuid4(),
        listener_id=charge.listener_id,
        charge_id=charge.id,
        staff_id=staff_id,
        second_id=second_id,
        reason=reason.strip(),
        amount_micros=charge.amount_micros,
        promo_micros=charge.promo_micros,
        reversed_at=moment,
        balance_after_micros=wallet.balance_micros,
        promo_after_micros=wallet.promo_micros,
    )
    Charge.objects.filter(listener_id=charge.listener_id, id=charge.id).update(reversal_id=reversal.id)
    _lower_holding(charge)
    notices.write(
        person_id=charge.listener_id,
        key=f"reversal:{reversal.id}",
        subject=f"{money.show(charge.amount_micros)} were given back to you",
        body=(
            f"For “{charge.work.title}”: {reason.strip()}.\n\n"
            f"The play is free to be paid again, and the credit is yours: {settings.BASE_URL}/wallet\n"
        ),
        now=moment,
    )
    if charge.session_id is not None:
        Session.objects.filter(listener_id=charge.listener_id, id=charge.session_id).update(reversed_at=moment)
    return GivenBack(charge_id=charge.id, reversal_id=reversal.id, amount_micros=charge.amount_micros, waits=False)


def _lower_holding(charge: Charge) -> None:
    """Take the charge out of its holding; with the last live charge go the terms."""
    row = Holding.objects.get(listener_id=charge.listener_id, work_id=charge.work_id)
    row.paid_micros -= charge.amount_micros
    if charge.play_number is not None:
        row.paid_plays &= ~(1 << (charge.play_number - 1))
    row.owned_at = None
    row.revision += 1
    if row.paid_micros == 0:
        row.price_micros = row.plays = row.growth_num = row.growth_den = row.pricing_version = row.cap_micros = None
    Holding.objects.filter(listener_id=row.listener_id, work_id=row.work_id).update(
        **{
            name: getattr(row, name)
            for name in (
                "paid_micros",
                "paid_plays",
                "owned_at",
                "revision",
                "price_micros",
                "plays",
                "growth_num",
                "growth_den",
                "pricing_version",
                "cap_micros",
            )
        }
    )


def grant(*, listener_id: UUID, staff_id: UUID, amount_micros: int, reason: str, key: str) -> PromoGrant:
    """Give promo credit from the budget; asked again with the same key it is the same grant.

    Raises NotAllowed, Invalid, KeyReused, BudgetSpent, and NotFound for a listener who is not there.
    """
    if amount_micros <= 0 or not reason.strip():
        raise Invalid("A grant has an amount above zero and a reason.")
    check_may_give(staff_id=staff_id, listener_id=listener_id)
    admission.email_of(listener_id)
    body = seals.sha256_of({"listener": str(listener_id), "amount_micros": amount_micros, "reason": reason.strip()})
    with transaction.atomic():
        wallet = wallets.lock(listener_id)
        kept = charging.kept_answer(person_id=staff_id, route="grant", key=key, body_sha256=body)
        if kept is not None:
            return PromoGrant.objects.get(id=kept["id"])
        if not PromoBudget.objects.filter(id=1, left_micros__gte=amount_micros).update(
            left_micros=F("left_micros") - amount_micros
        ):
            raise BudgetSpent("The budget has less than that left; the board decides about more.")
        wallet.promo_micros += amount_micros
        wallet.save(update_fields=["promo_micros"])
        given = PromoGrant.objects.create(
            listener_id=listener_id,
            staff_id=staff_id,
            reason=reason.strip(),
            amount_micros=amount_micros,
            granted_at=clock.money_moment(),
            balance_after_micros=wallet.balance_micros,
            promo_after_micros=wallet.promo_micros,
        )
        charging.keep_answer(person_id=staff_id, route="grant", key=key, body_sha256=body, answer={"id": str(given.id)})
        return given


def fund_budget(*, amount_micros: int, reason: str = "") -> None:
    """Put an amount into the promo budget, or with one below zero take it out, as the board decided.

    Raises BudgetSpent where less is left than is taken out, and Invalid for nothing.
    """
    if not amount_micros:
        raise Invalid("The promo budget is changed by some amount.")
    with transaction.atomic():
        if not PromoBudget.objects.filter(id=1, left_micros__gte=-amount_micros).update(
            left_micros=F("left_micros") + amount_micros
        ):
            raise BudgetSpent("The budget has less than that left; what was given away stays given.")
        PromoFunding.objects.create(
            amount_micros=amount_micros, reason=" ".join(reason.split()), funded_at=clock.money_moment()
        )
