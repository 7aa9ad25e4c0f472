"""Charging: asks the database to charge a session or a purchase, and says in words what it answered.

The moving of money is one SQL function (sql/charging.sql). Here stand only the ways in: a play, a purchase, a work kept
for nothing; and the refusals' names.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from catalog import objections, publishing
from catalog.publishing import WorkUnavailable
from members import money, policies, seals, statements
from members.problems import NotFound, Problem
from playback import holdings, wallets
from playback.models import Charge, KeptAnswer
from playback.sessions import SessionExpired


class PriceChanged(Problem):
    """The price moved since it was shown; the fresh quote comes with the refusal, and nothing was charged."""

    slug, status, title = "price-changed", 409, "The price has changed"


class OwnWork(Problem):
    """One does not buy one's own work."""

    slug, status, title = "own-work", 409, "This work is your own"


class AlreadyBought(Problem):
    """A work is bought once; where a play beneath a purchase was given back, plays pay it again."""

    slug, status, title = "already-bought", 409, "This work was bought before"


class KeyReused(Problem):
    """The Idempotency-Key was used before, for something else."""

    slug, status, title = "key-reused", 409, "This Idempotency-Key was used for another request"


@dataclass(frozen=True, kw_only=True)
class Charged:
    """What a charge answered, the same each time it is asked. Micros; `charged_micros` is 0 for an owned work."""

    charged_micros: int
    play_number: int | None
    paid_micros: int
    remaining_micros: int
    owned: bool
    balance_micros: int
    promo_micros: int


class Answer(NamedTuple):
    """The SQL type playback_answer, field by field."""

    outcome: str
    charge_id: UUID | None
    work_id: UUID | None
    play_number: int | None
    charged_micros: int | None
    paid_micros: int | None
    cap_micros: int | None
    balance_micros: int | None
    promo_micros: int | None
    limit_name: str | None
    limit_micros: int | None
    needed_micros: int | None
    playlist_until: datetime | None


_CHARGE_SESSION = "SELECT * FROM playback_charge_session(%s, %s, %s)"
_CHARGE_PURCHASE = "SELECT * FROM playback_charge_purchase(%s, %s, %s, %s, %s::smallint, %s, %s, %s, %s)"


def charge_session(*, person_id: UUID, session_id: UUID, price_micros: int) -> tuple[Charged, datetime | None]:
    """Charge the play that the session's quote describes, never more than `price_micros`.

    Returns the answer, and until when the session's playlist lives, None for a photo, which has none. One round trip;
    asked again, the same answer.

    Raises NotFound, SessionExpired, WorkUnavailable, WalletFrozen, LimitReached, InsufficientFunds, and PriceChanged
    (then `sessions.requote` writes the fresh quote).
    """
    row = statements.ask(_CHARGE_SESSION, [person_id, session_id, price_micros])
    assert row is not None
    answer = Answer(*row)
    return _charged_or_raise(answer), answer.playlist_until


def purchase(*, person_id: UUID, work_id: UUID, price_micros: int, key: str, now: datetime) -> Charged:
    """Pay the rest of a work at once, never more than `price_micros`, or keep one that is free.

    The answer of a purchase that moved money is kept for ever under `key`; the same key with another body raises
    KeyReused. Raises NotFound, WorkUnavailable, OwnWork, AlreadyBought, PriceChanged (with the sum it would be),
    WalletFrozen, LimitReached and InsufficientFunds.
    """
    body = seals.sha256_of({"work": str(work_id), "price_micros": price_micros})
    with transaction.atomic():
        wallet = wallets.lock(person_id)
        kept = kept_answer(person_id=person_id, route="purchase", key=key, body_sha256=body)
        if kept is not None:
            return Charged(**kept)
        standing = publishing.standing(work_id=work_id, person_id=person_id, now=now)
        held = holdings.read(listener_id=person_id, work_id=work_id)
        if held.owned_at is not None:
            return _owned(held, wallet.balance_micros, wallet.promo_micros)
        if standing.own:
            raise OwnWork("It plays free to you; there is nothing to buy.")
        if not (standing.may_play_on(now) if held.terms else standing.may_begin()):
            raise WorkUnavailable(
                "It was taken off or suspended, so nobody new can buy it.", **objections.why_off(standing)
            )
        pricing = policies.policy_at("pricing", now)
        terms = holdings.terms_now(figure=standing.figure, pricing=pricing.params, version=pricing.seq)
        asked = holdings.quote(held=held, now=terms)
        held = holdings.keep_fallen_cap(
            listener_id=person_id, work_id=work_id, held=held, cap_micros=asked.cap_micros, now=now
        )
        if asked.remaining_micros == 0:
            if held.terms is None:
                held = holdings.keep_free(listener_id=person_id, work_id=work_id, held=held, now=now)
            return _owned(held, wallet.balance_micros, wallet.promo_micros)
        refused: Problem
        if held.terms is not None and _bought(person_id, work_id):
            refused = AlreadyBought(
                f"A play of it was given back to you; the next play costs {money.show(asked.price_micros)}.",
                price_micros=asked.price_micros,
            )
        elif asked.remaining_micros > price_micros:
            refused = PriceChanged(
                f"It costs {money.show(asked.remaining_micros)} to own it; nothing was charged.",
                price_micros=asked.remaining_micros,
                pricing_version=pricing.seq,
                policy=pricing.citation,
            )
        else:
            answer = _take_the_rest(person_id, work_id, price_micros, asked)
            if answer.outcome == "charged":
                charged = _charged_or_raise(answer)
                keep_answer(person_id=person_id, route="purchase", key=key, body_sha256=body, answer=asdict(charged))
                return charged
            refused = refusal(answer)
    # Raised after the transaction: the cap that has fallen stays fallen, though nothing is bought.
    raise refused


def _bought(person_id: UUID, work_id: UUID) -> bool:
    return Charge.objects.filter(
        listener_id=person_id, work_id=work_id, kind=Charge.Kind.PURCHASE, reversal_id=None
    ).exists()


def kept_answer(*, person_id: UUID, route: str, key: str, body_sha256: str) -> dict[str, Any] | None:
    """Return the answer kept under the key, or None. Raises KeyReused when the body was another one."""
    row = KeptAnswer.objects.filter(person_id=person_id, route=route, key=key).first()
    if row is None:
        return None
    if row.body_sha256 != body_sha256:
        raise KeyReused("The same key came with another request before; nothing was done now.")
    found: dict[str, Any] = row.answer
    return found


def keep_answer(*, person_id: UUID, route: str, key: str, body_sha256: str, answer: dict[str, Any]) -> None:
    """Keep an answer for ever. Inside the transaction that moved the money, under the wallet's lock."""
    KeptAnswer.objects.create(person_id=person_id, route=route, key=key, body_sha256=body_sha256, answer=answer)


def _take_the_rest(person_id: UUID, work_id: UUID, price_micros: int, asked: holdings.Quote) -> Answer:
    terms = asked.terms
    with connection.cursor() as cursor:
        cursor.execute(
            _CHARGE_PURCHASE,
            [
                person_id,
                work_id,
                price_micros,
                terms.price_micros,
                terms.plays,
                terms.growth_num,
                terms.growth_den,
                terms.pricing_version,
                asked.cap_micros,
            ],
        )
        return Answer(*cursor.fetchone())


def _owned(held: holdings.Held, balance_micros: int, promo_micros: int) -> Charged:
    return Charged(
        charged_micros=0,
        play_number=None,
        paid_micros=held.paid_micros,
        remaining_micros=0,
        owned=True,
        balance_micros=balance_micros,
        promo_micros=promo_micros,
    )


def _charged_or_raise(answer: Answer) -> Charged:
    """Return what was charged, or raise the refusal by its name."""
    if answer.outcome in ("charged", "recorded", "owned"):
        paid, cap = answer.paid_micros or 0, answer.cap_micros or 0
        return Charged(
            charged_micros=answer.charged_micros or 0,
            play_number=answer.play_number,
            paid_micros=paid,
            remaining_micros=0 if answer.outcome == "owned" else cap - paid,
            owned=answer.outcome == "owned" or paid == cap,
            balance_micros=answer.balance_micros or 0,
            promo_micros=answer.promo_micros or 0,
        )
    raise refusal(answer)


def refusal(answer: Answer) -> Problem:
    """Return what the database refused with, by its name and figures."""
    needed = answer.needed_micros or 0
    if answer.outcome == "spending-limit-reached":
        return wallets.limit_reached(name=answer.limit_name or "", limit=answer.limit_micros or 0, needed=needed)
    if answer.outcome == "insufficient-funds":
        available = (answer.balance_micros or 0) + (answer.promo_micros or 0)
        return wallets.insufficient_funds(needed=needed, available=available)
    return _PLAIN_REFUSALS[answer.outcome]()


_PLAIN_REFUSALS: dict[str, Callable[[], Problem]] = {
    "not-found": lambda: NotFound("there is no such session of yours"),
    "session-expired": lambda: SessionExpired("The price shown has lapsed; begin again and nothing is lost."),
    "work-unavailable": lambda: WorkUnavailable("It was suspended after a report; nothing was charged."),
    "price-changed": lambda: PriceChanged("The price moved since it was shown; nothing was charged."),
    "wallet-frozen": wallets.frozen,
}
