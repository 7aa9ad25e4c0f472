"""The library: what one listener owns and what is on the way, in every state of the catalogue.

What is owned stays: no question is asked here about a work's state or its creator's profile. What is on the way shows
how far it is, what the next play costs, and until when it can be gone on with where it was taken off.
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, Max, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Concat, Lower

from catalog import facts
from catalog.facts import Facts
from catalog.publishing import PLAY_ON
from members import policies
from members.problems import Invalid, NotFound
from playback import holdings
from playback.following_models import Favourite
from playback.holdings import Held
from playback.models import Charge, Holding

PAGE = 50
QUERY_MOST = 200
WORDS_MOST = 8
BIGINT_MOST = 2**63 - 1


class State(StrEnum):
    """Which part of a library."""

    OWNED = "owned"
    BEGUN = "begun"


class Sort(StrEnum):
    """In which order: moved last first, by title, by creator, or least left to pay first."""

    RECENT = "recent"
    TITLE = "title"
    CREATOR = "creator"
    NEAREST = "nearest"


@dataclass(frozen=True, kw_only=True)
class Shelved:
    """A work in somebody's library. Money in micros; the next play's number and price are None where none is sold.

    `until` is when a work that was taken off can no longer be gone on with; `moved_at` when it was last paid or became
    theirs.
    """

    facts: Facts
    owned_at: datetime | None
    kept_free: bool
    cap_micros: int
    paid_micros: int
    remaining_micros: int
    plays: int
    paid_plays: frozenset[int]
    play_number: int | None
    price_micros: int | None
    until: datetime | None
    moved_at: datetime | None

    @property
    def ticks(self) -> list[str]:
        """What each play of the ladder is: paid, next or left."""
        return [
            "paid" if n in self.paid_plays else "next" if n == self.play_number else "left"
            for n in range(1, self.plays + 1)
        ]


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A page of a library, and where the next one begins (None: nowhere)."""

    works: list[Shelved]
    next_cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much is in a library; `paid_micros` is for all of it."""

    owned: int
    begun: int
    paid_micros: int


def counts(*, person_id: UUID) -> Counts:
    """Return how much is in the person's library. One query."""
    found = _of(person_id).aggregate(
        owned=Count("work_id", filter=Q(owned_at__isnull=False)),
        begun=Count("work_id", filter=Q(owned_at=None)),
        paid=Coalesce(Sum("paid_micros"), 0),
    )
    return Counts(owned=found["owned"], begun=found["begun"], paid_micros=int(found["paid"]))


def shelf(
    *,
    person_id: UUID,
    now: datetime,
    state: State | None = None,
    query: str = "",
    kind: str | None = None,
    sort: Sort = Sort.RECENT,
    cursor: str | None = None,
    limit: int = PAGE,
) -> Shelf:
    """Return a page of the person's library. Five queries, however long it is. Raises Invalid for a foreign cursor.

    Every word of `query` stands in the title, the creator's name or the release's.
    """
    rows = _sorted(_found(_of(person_id), state=state, query=query, kind=kind), sort)
    if cursor:
        rows = rows.filter(_beyond(sort, cursor))
    shown: list[Any] = list(rows[: limit + 1])
    page = shown[:limit]
    return Shelf(
        works=_shelved([(row.work_id, holdings.from_row(row), row.moved_at) for row in page], now),
        next_cursor=_cursor(sort, page[-1]) if len(shown) > limit else None,
    )


def owned(*, person_id: UUID, work_id: UUID) -> Holding:
    """Return what the person has in a work that they own, whatever state the work is in. One query. Raises NotFound."""
    held = Holding.objects.filter(listener_id=person_id, work_id=work_id, owned_at__isnull=False).first()
    if held is None:
        raise NotFound("there is no such work in your library")
    return held


def one(*, person_id: UUID, work_id: UUID, now: datetime) -> Shelved:
    """Return a work of the person's library. Five queries. Raises NotFound."""
    row: Any = _sorted(_of(person_id).filter(work_id=work_id), Sort.RECENT).first()
    if row is None:
        raise NotFound("there is no such work in your library")
    return _shelved([(row.work_id, holdings.from_row(row), row.moved_at)], now)[0]


def these(*, person_id: UUID, work_ids: list[UUID], now: datetime) -> dict[UUID, Shelved]:
    """Return those of the works that are in the person's library. Five queries."""
    rows: list[Any] = list(_sorted(_of(person_id).filter(work_id__in=work_ids), Sort.RECENT))
    found = _shelved([(row.work_id, holdings.from_row(row), row.moved_at) for row in rows], now)
    return {work.facts.work_id: work for work in found}


def favourites(*, person_id: UUID, now: datetime, cursor: str | None = None, limit: int = PAGE) -> Shelf:
    """Return a page of the works the person wants at hand, marked last first, begun or not. Five queries.

    Raises Invalid for a foreign cursor.
    """
    rows = Favourite.objects.filter(listener_id=person_id).order_by("-marked_at", "work_id")
    rows = rows.annotate(place=F("marked_at"))
    if cursor:
        rows = rows.filter(_beyond(Sort.RECENT, cursor))
    shown = list(rows[: limit + 1])
    page = shown[:limit]
    held = {
        row.work_id: holdings.from_row(row)
        for row in Holding.objects.filter(listener_id=person_id, work_id__in=[row.work_id for row in page])
    }
    return Shelf(
        works=_shelved([(row.work_id, held.get(row.work_id, holdings.NOTHING), None) for row in page], now),
        next_cursor=_cursor(Sort.RECENT, page[-1]) if len(shown) > limit else None,
    )


def owned_ids(*, person_id: UUID) -> list[UUID]:
    """Return every work that the person owns, by creator and title. One query."""
    rows = _sorted(_found(_of(person_id), state=State.OWNED), Sort.CREATOR)
    return list(rows.values_list("work_id", flat=True))


def _of(person_id: UUID) -> QuerySet[Holding]:
    """Return the holdings that are owned or have a live charge."""
    return Holding.objects.filter(Q(owned_at__isnull=False) | Q(price_micros__isnull=False), listener_id=person_id)


def _found(
    rows: QuerySet[Holding], *, state: State | None = None, query: str = "", kind: str | None = None
) -> QuerySet[Holding]:
    if state is not None:
        rows = rows.filter(owned_at__isnull=state != State.OWNED)
    if kind is not None:
        rows = rows.filter(work__kind=kind)
    for word in query.replace("\0", "")[:QUERY_MOST].split()[:WORDS_MOST]:
        rows = rows.filter(
            Q(work__title__icontains=word)
            | Q(work__creator__name__icontains=word)
            | Q(work__release__title__icontains=word)
        )
    return rows


def _sorted(rows: QuerySet[Holding], sort: Sort) -> QuerySet[Holding]:
    paid = (
        Charge.objects.filter(listener_id=OuterRef("listener_id"), work_id=OuterRef("work_id"), reversal_id=None)
        .order_by()
        .values("work_id")
        .annotate(last=Max("charged_at"))
        .values("last")
    )
    # An opened work is owned at its last charge; one that was kept free has no charge.
    moved = Coalesce(F("owned_at"), Subquery(paid))
    places: dict[Sort, Any] = {
        Sort.RECENT: moved,
        Sort.TITLE: Lower("work__title"),
        Sort.CREATOR: Concat(Lower("work__creator__name"), Value("\n"), Lower("work__title")),
        Sort.NEAREST: Case(When(owned_at__isnull=False, then=Value(0)), default=F("cap_micros") - F("paid_micros")),
    }
    annotated = rows.annotate(place=places[sort], moved_at=moved)
    return annotated.order_by("-place" if sort == Sort.RECENT else "place", "work_id")


def _cursor(sort: Sort, row: Any) -> str:
    place = row.place.isoformat() if isinstance(row.place, datetime) else row.place
    said = json.dumps([sort, place, str(row.work_id)], separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _beyond(sort: Sort, cursor: str) -> Q:
    """Return the condition of the rows after a cursor. Raises Invalid for one that `_cursor` did not make."""
    try:
        said = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        told, place, work_id = said
        work_id = UUID(work_id)
        if sort == Sort.RECENT:
            place = datetime.fromisoformat(place)
        known = place.tzinfo is not None if isinstance(place, datetime) else _is_place(sort, place)
    except (ValueError, TypeError, AttributeError, RecursionError):
        told, known = None, False
    if told != sort or not known:
        raise Invalid("The cursor is not one of ours; begin again without it.")
    after = Q(place__lt=place) if sort == Sort.RECENT else Q(place__gt=place)
    return after | Q(place=place, work_id__gt=work_id)


def _is_place(sort: Sort, place: object) -> bool:
    if sort == Sort.NEAREST:
        return type(place) is int and 0 <= place <= BIGINT_MOST
    # Half a character can be read from JSON, but no database can be asked for it.
    return isinstance(place, str) and "\0" not in place and place.encode(errors="ignore").decode() == place


def _shelved(rows: list[tuple[UUID, Held, datetime | None]], now: datetime) -> list[Shelved]:
    """Return works with what is held of them, and when that moved last."""
    known = facts.of([work_id for work_id, _, _ in rows])
    pricing = policies.policy_at("pricing", now)
    found = []
    for work_id, held, moved_at in rows:
        work = known[work_id]
        terms = holdings.terms_now(figure=work.figure, pricing=pricing.params, version=pricing.seq)
        asked = holdings.quote(held=held, now=terms)
        until = work.off_at + PLAY_ON if work.state == "off" and work.off_at and held.terms else None
        sold = work.state == "published" or (until is not None and now < until)
        found.append(
            Shelved(
                facts=work,
                owned_at=held.owned_at,
                kept_free=held.owned_at is not None and held.terms is None,
                cap_micros=asked.cap_micros,
                paid_micros=held.paid_micros,
                remaining_micros=0 if held.owned_at else asked.remaining_micros,
                plays=asked.terms.plays,
                paid_plays=held.paid_plays,
                play_number=asked.play_number if sold else None,
                price_micros=asked.price_micros if sold and asked.play_number is not None else None,
                until=until if held.owned_at is None else None,
                moved_at=moved_at,
            )
        )
    return found
