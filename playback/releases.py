"""Releases: what all of an album or series costs one listener, and buying it, all or nothing.

Every work that can be sold now and is neither owned nor own is bought at its own rest, under the terms of its holding;
free ones are kept; those taken off or suspended are left out. Looking writes nothing. A purchase names the list it was
shown, by its hash: another list, or a larger sum, and nothing is bought (sql/releases.sql moves the money).
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from catalog import publishing
from catalog.ladder import Terms
from catalog.publishing import Standing, WorkUnavailable
from members import money, policies, seals
from members.problems import Problem
from playback import charging, holdings, wallets
from playback.charging import AlreadyBought, Answer, OwnWork, PriceChanged
from playback.holdings import NOTHING, Held
from playback.models import Charge

ROUTE = "release"


class Part(StrEnum):
    """What becomes of a work when its release is bought: bought, kept for nothing, or left out and why."""

    BOUGHT = "bought"
    KEPT = "kept"
    OWNED = "owned"
    OWN = "own"
    UNAVAILABLE = "unavailable"
    # Bought before, and a play beneath the purchase was given back: plays pay it again.
    BY_PLAYS = "by-plays"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A work of a release: what it costs to own it now, in micros (0 unless it would be bought)."""

    work_id: UUID
    kind: str
    title: str
    part: Part
    price_micros: int
    paid_micros: int
    cap_micros: int


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a release costs somebody now; `list_hash` stands for the works that would be bought or kept."""

    release_id: UUID
    purchase_micros: int
    list_hash: str
    pricing_version: int
    lines: tuple[Line, ...]
    blocked: Problem | None

    def caps(self) -> dict[UUID, int]:
        """Return the caps of the works that are quoted: of those left out no quote is written."""
        return {line.work_id: line.cap_micros for line in self.lines if line.part not in (Part.OWN, Part.UNAVAILABLE)}

    def works(self, part: Part) -> list[UUID]:
        """Return the works of one part, in the order of the release."""
        return [line.work_id for line in self.lines if line.part == part]


@dataclass(frozen=True, kw_only=True)
class Purchased:
    """What a purchase did, the same each time it is asked under its key. Micros; ids of works as text."""

    charged_micros: int
    bought: list[str]
    kept: list[str]
    balance_micros: int
    promo_micros: int


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What an offer is made of: how the works stand, what is held, and the terms that new holdings would have."""

    standings: list[Standing]
    held: dict[UUID, Held]
    fresh: dict[UUID, Terms]
    bought_before: frozenset[UUID]
    pricing_version: int

    def of(self, standing: Standing) -> Held:
        """Return what is held in a work."""
        return self.held.get(standing.work_id, NOTHING)


def offer(*, person_id: UUID | None, release_id: UUID, now: datetime) -> Offer:
    """Return what the release costs this person, or a new listener, now. Writes nothing; at most four queries.

    Raises NotFound.
    """
    found = _find(person_id, release_id, now)
    made = _offer(release_id, found, now)
    if person_id is None or not made.purchase_micros:
        return made
    blocked = wallets.overview(person_id=person_id, now=now).refusal(made.purchase_micros)
    return replace(made, blocked=blocked)


def purchase(
    *, person_id: UUID, release_id: UUID, price_micros: int, list_hash: str, key: str, now: datetime
) -> Purchased:
    """Buy all of the release that can be bought, for at most `price_micros` together, and keep what is free.

    One transaction, a bounded number of statements. An answer that moved money is kept for ever under `key`. What is
    owned already costs nothing and is no refusal.

    Raises NotFound, PriceChanged (with the sum and list as they are; nothing was bought), OwnWork, AlreadyBought,
    WorkUnavailable, KeyReused, WalletFrozen, LimitReached and InsufficientFunds.
    """
    body = seals.sha256_of({"release": str(release_id), "price_micros": price_micros, "list_hash": list_hash})
    with transaction.atomic():
        wallet = wallets.lock(person_id)
        kept = charging.kept_answer(person_id=person_id, route=ROUTE, key=key, body_sha256=body)
        if kept is not None:
            return Purchased(**kept)
        found = _find(person_id, release_id, now)
        made = _offer(release_id, found, now)
        holdings.keep_fallen_caps(listener_id=person_id, caps=made.caps(), held=found.held, now=now)
        bought, free = made.works(Part.BOUGHT), made.works(Part.KEPT)
        refused = _nothing_to_sell(made) if not bought and not free else _another_list(made, list_hash)
        if refused is None:
            answer = _take_all(person_id, price_micros, bought, found) if bought else None
            if answer is None or answer.outcome == "charged":
                holdings.keep_many_free(listener_id=person_id, held=found.held, work_ids=free, now=now)
                purchased = Purchased(
                    charged_micros=(answer and answer.charged_micros) or 0,
                    bought=[str(work_id) for work_id in bought],
                    kept=[str(work_id) for work_id in free],
                    balance_micros=wallet.balance_micros if answer is None else answer.balance_micros or 0,
                    promo_micros=wallet.promo_micros if answer is None else answer.promo_micros or 0,
                )
                if answer is not None:
                    charging.keep_answer(
                        person_id=person_id, route=ROUTE, key=key, body_sha256=body, answer=asdict(purchased)
                    )
                return purchased
            refused = _changed(made) if answer.outcome == "price-changed" else charging.refusal(answer)
    # Raised after the transaction: caps that have fallen stay fallen, though nothing is bought.
    raise refused


def _find(person_id: UUID | None, release_id: UUID, now: datetime) -> _Found:
    """Read everything that decides. Three queries for a listener, one for a stranger."""
    standings = publishing.standings_in_release(release_id=release_id, person_id=person_id, now=now)
    pricing = policies.policy_at("pricing", now)
    held: dict[UUID, Held] = {}
    bought_before: frozenset[UUID] = frozenset()
    if person_id is not None:
        held = holdings.read_many(listener_id=person_id, work_ids=[one.work_id for one in standings])
        begun = [work_id for work_id, one in held.items() if one.terms is not None and one.owned_at is None]
        live = Charge.objects.filter(listener_id=person_id, work_id__in=begun, reversal_id=None)
        bought_before = frozenset(live.filter(kind=Charge.Kind.PURCHASE).values_list("work_id", flat=True))
    fresh = {
        one.work_id: holdings.terms_now(figure=one.figure, pricing=pricing.params, version=pricing.seq)
        for one in standings
    }
    return _Found(standings=standings, held=held, fresh=fresh, bought_before=bought_before, pricing_version=pricing.seq)


def _offer(release_id: UUID, found: _Found, now: datetime) -> Offer:
    lines = tuple(_line(one, found, now) for one in found.standings)
    works = {
        part: sorted(str(line.work_id) for line in lines if line.part == part) for part in (Part.BOUGHT, Part.KEPT)
    }
    return Offer(
        release_id=release_id,
        purchase_micros=sum(line.price_micros for line in lines),
        list_hash=seals.sha256_of(works),
        pricing_version=found.pricing_version,
        lines=lines,
        blocked=None,
    )


def _line(standing: Standing, found: _Found, now: datetime) -> Line:
    held = found.of(standing)
    cap = holdings.cap_now(held=held, now=found.fresh[standing.work_id])
    part = _part(standing, held, cap, standing.work_id in found.bought_before, now)
    return Line(
        work_id=standing.work_id,
        kind=standing.kind,
        title=standing.title,
        part=part,
        price_micros=cap - held.paid_micros if part == Part.BOUGHT else 0,
        paid_micros=held.paid_micros,
        cap_micros=cap,
    )


def _part(standing: Standing, held: Held, cap: int, bought_before: bool, now: datetime) -> Part:  # noqa: FBT001
    """Return what becomes of the work; the order is that of a single purchase."""
    if held.owned_at is not None:
        return Part.OWNED
    if standing.own:
        return Part.OWN
    if not (standing.may_play_on(now) if held.terms else standing.may_begin()):
        return Part.UNAVAILABLE
    if cap == held.paid_micros:
        return Part.OWNED if held.terms else Part.KEPT
    return Part.BY_PLAYS if bought_before else Part.BOUGHT


def _nothing_to_sell(made: Offer) -> Problem | None:
    """Return why there is nothing to buy or keep; None where all there is is owned already."""
    parts = {line.part for line in made.lines}
    if Part.OWNED in parts:
        return None
    if Part.OWN in parts:
        return OwnWork("They play free to you; there is nothing to buy.")
    if Part.BY_PLAYS in parts:
        return AlreadyBought("Plays of it were given back to you, and plays pay them again.")
    return WorkUnavailable("All of it was taken off or suspended, so nobody new can buy it.")


def _another_list(made: Offer, list_hash: str) -> Problem | None:
    return None if made.list_hash == list_hash else _changed(made)


def _changed(made: Offer) -> PriceChanged:
    return PriceChanged(
        f"All of it costs {money.show(made.purchase_micros)} now, or is another list than shown; nothing was bought.",
        price_micros=made.purchase_micros,
        list_hash=made.list_hash,
        pricing_version=made.pricing_version,
        policy=policies.citation("pricing", made.pricing_version),
    )


def _take_all(person_id: UUID, price_micros: int, works: list[UUID], found: _Found) -> Answer:
    terms: list[Any] = [found.fresh[work_id] for work_id in works]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM playback_charge_release(%s, %s, %s::uuid[], %s::bigint[], %s::smallint[], %s::integer[],"
            " %s::integer[], %s::integer[])",
            [
                person_id,
                price_micros,
                works,
                [one.price_micros for one in terms],
                [one.plays for one in terms],
                [one.growth_num for one in terms],
                [one.growth_den for one in terms],
                [one.pricing_version for one in terms],
            ],
        )
        return Answer(*cursor.fetchone())
