"""Holdings: what one listener has in one work, and what the next play of it costs.

A holding keeps the terms of its first live charge. Its cap begins as that price and only falls: whenever a quote is
written for it, to the price of that moment. So a vote or a price rise never makes a begun work dearer, and a fall is
kept. It is owned when what was paid is the cap. What `quote` says is a function of what it is given.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection

from catalog import ladder
from catalog.ladder import Terms
from playback.models import Holding


@dataclass(frozen=True, kw_only=True)
class Held:
    """A holding as read: terms (None without a live charge), cap and paid in micros, the numbers paid, when owned."""

    terms: Terms | None = None
    cap_micros: int | None = None
    paid_micros: int = 0
    paid_plays: frozenset[int] = frozenset()
    owned_at: datetime | None = None
    revision: int = 0


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What the next play and the rest of a work cost now, in micros. `play_number` is None when nothing is asked."""

    terms: Terms
    cap_micros: int
    paid_micros: int
    paid_plays: frozenset[int]
    play_number: int | None
    price_micros: int

    @property
    def remaining_micros(self) -> int:
        """What is left to own it."""
        return self.cap_micros - self.paid_micros

    @property
    def steps(self) -> list[int]:
        """The ladder of the cap: what each play would cost from the start."""
        return ladder.ladder(self.cap_micros, self.terms.plays, self.terms.growth_num, self.terms.growth_den)


NOTHING = Held()


def read(*, listener_id: UUID, work_id: UUID) -> Held:
    """Return what the listener has in the work. One query."""
    row = Holding.objects.filter(listener_id=listener_id, work_id=work_id).first()
    return NOTHING if row is None else from_row(row)


def read_many(*, listener_id: UUID, work_ids: Collection[UUID]) -> dict[UUID, Held]:
    """Return what the listener has in these works; who has nothing in one is missing. One query."""
    rows = Holding.objects.filter(listener_id=listener_id, work_id__in=work_ids)
    return {row.work_id: from_row(row) for row in rows}


def from_row(row: Holding) -> Held:
    """Return the row as the rules speak of it."""
    terms = None
    if row.price_micros is not None:
        terms = Terms(
            price_micros=row.price_micros,
            plays=row.plays or 0,
            growth_num=row.growth_num or 0,
            growth_den=row.growth_den or 0,
            pricing_version=row.pricing_version or 0,
        )
    return Held(
        terms=terms,
        cap_micros=row.cap_micros,
        paid_micros=row.paid_micros,
        paid_plays=numbers(row.paid_plays),
        owned_at=row.owned_at,
        revision=row.revision,
    )


def numbers(bits: int) -> frozenset[int]:
    """Return the play numbers that the bits stand for: bit n-1 is play n."""
    return frozenset(n + 1 for n in range(bits.bit_length()) if bits >> n & 1)


def terms_now(*, figure: int | None, pricing: Mapping[str, int | str], version: int) -> Terms:
    """Return the terms a holding would begin with under this version of the policy `pricing`."""
    return Terms(
        price_micros=ladder.price_now(
            figure,
            default=int(pricing["price_default_micros"]),
            price_min=int(pricing["price_min_micros"]),
            price_max=int(pricing["price_max_micros"]),
        ),
        plays=int(pricing["plays"]),
        growth_num=int(pricing["growth_num"]),
        growth_den=int(pricing["growth_den"]),
        pricing_version=version,
    )


def quote(*, held: Held, now: Terms) -> Quote:
    """Return the quote for a holding, given the terms a new one would have now.

    A holding with terms keeps them, and its cap falls to the price now if that is lower, but not below what is paid. A
    quote whose `remaining_micros` is 0 asks for nothing: the work is free, or the fall has made it owned.
    """
    terms = held.terms or now
    cap = cap_now(held=held, now=now)
    asked = Quote(
        terms=terms,
        cap_micros=cap,
        paid_micros=held.paid_micros,
        paid_plays=held.paid_plays,
        play_number=None,
        price_micros=0,
    )
    if asked.remaining_micros == 0 or held.owned_at is not None:
        return asked
    number, price = ladder.next_play(
        cap=cap,
        paid=held.paid_micros,
        paid_plays=held.paid_plays,
        plays=terms.plays,
        num=terms.growth_num,
        den=terms.growth_den,
    )
    return replace(asked, play_number=number, price_micros=price)


def cap_now(*, held: Held, now: Terms) -> int:
    """Return the cap as a quote of this moment would write it, in micros."""
    if held.terms is not None and len(held.paid_plays) == held.terms.plays:
        # Every number is paid though a purchase between them was given back: nothing could ever be asked for the rest.
        return held.paid_micros
    return (
        now.price_micros if held.cap_micros is None else max(held.paid_micros, min(held.cap_micros, now.price_micros))
    )


def keep_fallen_cap(*, listener_id: UUID, work_id: UUID, held: Held, cap_micros: int, now: datetime) -> Held:
    """Store a cap that has fallen, at once, and with it ownership if nothing is left to pay; return what is held then.

    The wallet must be locked. One query where the cap fell, none where it did not.
    """
    if held.terms is None or held.owned_at is not None or held.cap_micros == cap_micros:
        return held
    owned_at = now if cap_micros == held.paid_micros else None
    Holding.objects.filter(listener_id=listener_id, work_id=work_id).update(
        cap_micros=cap_micros, owned_at=owned_at, revision=held.revision + 1
    )
    return replace(held, cap_micros=cap_micros, owned_at=owned_at, revision=held.revision + 1)


def keep_fallen_caps(*, listener_id: UUID, caps: Mapping[UUID, int], held: Mapping[UUID, Held], now: datetime) -> None:
    """Store the caps that have fallen, of any number of works, as `keep_fallen_cap` does. One query, or none."""
    fallen = {
        work_id: cap
        for work_id, cap in caps.items()
        if (one := held.get(work_id, NOTHING)).terms is not None and one.owned_at is None and one.cap_micros != cap
    }
    if not fallen:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE playback_holding h SET cap_micros = f.cap, revision = h.revision + 1,"
            "       owned_at = CASE WHEN f.cap = h.paid_micros THEN %s::timestamptz END"
            "  FROM unnest(%s::uuid[], %s::bigint[]) AS f (work_id, cap)"
            " WHERE h.listener_id = %s AND h.work_id = f.work_id",
            [now, list(fallen), list(fallen.values()), listener_id],
        )


def keep_free(*, listener_id: UUID, work_id: UUID, held: Held, now: datetime) -> Held:
    """Keep a work that is free: a holding with cap 0, owned, without a charge. The wallet must be locked."""
    Holding.objects.update_or_create(
        listener_id=listener_id,
        work_id=work_id,
        defaults={"cap_micros": 0, "owned_at": now, "revision": held.revision + 1},
    )
    return replace(held, cap_micros=0, owned_at=now, revision=held.revision + 1)


def keep_many_free(*, listener_id: UUID, held: Mapping[UUID, Held], work_ids: Collection[UUID], now: datetime) -> None:
    """Keep works that are free, as `keep_free` does. The wallet must be locked. One query, or none."""
    rows = [
        Holding(
            listener_id=listener_id,
            work_id=work_id,
            cap_micros=0,
            owned_at=now,
            revision=held.get(work_id, NOTHING).revision + 1,
        )
        for work_id in work_ids
    ]
    Holding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["listener", "work"],
        update_fields=["cap_micros", "owned_at", "revision"],
    )
