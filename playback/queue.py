"""Queues: what playing several works one after the other would cost now, and what was stopped in the middle.

Nothing here writes. Every sum is made here, so that a page prints what the server counted and adds up nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from catalog import facts, publishing
from catalog.facts import Facts
from catalog.publishing import Standing
from members import policies
from playback import holdings, openings, sessions
from playback.holdings import Held
from playback.models import Session

# So many works make a queue; a longer list is cut there.
WORKS_MOST = 100
# Who stopped sooner, or that near to the end, has nothing to go on with.
STOPPED_FROM_MS = 10_000
STOPPED_BEFORE_END_MS = 10_000


@dataclass(frozen=True, kw_only=True)
class Line:
    """A track in a queue, for one person. Money in micros, lengths in thousandths of a second.

    `basis` is None where it cannot be played now. `price_micros` is what playing it now would cost: 0 for what is
    owned, own or free, and for a play that is paid and not heard out (`paid_already`); `next_micros` is what the play
    after that one costs. `rest_micros` is the sum of the prices from this line to the last.
    """

    facts: Facts
    basis: str | None
    paid_already: bool
    position_ms: int
    price_micros: int
    next_micros: int
    remaining_micros: int
    paid_plays: frozenset[int]
    plays: int
    free_ms: int
    rest_micros: int

    @property
    def owned(self) -> bool:
        """Whether it is theirs."""
        return self.basis == sessions.OWNED

    @property
    def asks(self) -> bool:
        """Whether playing it once more costs something."""
        return self.basis == sessions.PAID and not self.paid_already


def lines(*, person_id: UUID | None, work_ids: Sequence[UUID], now: datetime) -> list[Line]:
    """Return the tracks as a queue, each once, in this order. At most six queries, however many there are.

    What the person may not know of, and photos, are left out.
    """
    wanted = list(dict.fromkeys(work_ids))[:WORKS_MOST]
    known = publishing.standings_of(work_ids=wanted, person_id=person_id, now=now)
    tracks = [work_id for work_id in wanted if work_id in known and known[work_id].kind == "track"]
    told = facts.of(tracks)
    held = holdings.read_many(listener_id=person_id, work_ids=tracks) if person_id is not None else {}
    open_now = _open_now(person_id, tracks, now)
    found = [
        _line(told[work_id], known[work_id], held.get(work_id, holdings.NOTHING), open_now.get(work_id), now)
        for work_id in tracks
    ]
    rest = 0
    for i in range(len(found) - 1, -1, -1):
        rest += found[i].price_micros
        found[i] = replace(found[i], rest_micros=rest)
    return found


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """A work that was stopped in the middle, and where. Going on with it costs nothing."""

    facts: Facts
    position_ms: int
    owned: bool

    @property
    def seconds(self) -> float:
        """Where it stands, in seconds."""
        return self.position_ms / 1000

    @property
    def length_seconds(self) -> float:
        """How long the work is, in seconds."""
        return (self.facts.duration_ms or 0) / 1000


def unfinished(*, person_id: UUID, now: datetime, limit: int = 12) -> list[Stopped]:
    """Return what the person stopped in the middle and may go on with, nothing asked; the latest first. Four queries.

    That is a play that was paid and whose address still lives, or a work that is owned, own or free.
    """
    rows = list(
        Session.objects.filter(
            _whole(),
            listener_id=person_id,
            ended_at=None,
            work__kind="track",
            position_ms__gte=STOPPED_FROM_MS,
            playlist_until__gt=now,
        )
        .exclude(work__state__in=["draft", "suspended"])
        .order_by("-began_at")
        .values("work_id", "position_ms", "work__duration_ms", "basis")[: 4 * limit]
    )
    rows = [row for row in rows if row["position_ms"] <= (row["work__duration_ms"] or 0) - STOPPED_BEFORE_END_MS]
    told = facts.of([row["work_id"] for row in rows[:limit]])
    return [
        Stopped(facts=told[row["work_id"]], position_ms=row["position_ms"], owned=row["basis"] != Session.Basis.PAID)
        for row in rows[:limit]
    ]


def _whole() -> Q:
    """Return what a session is whose work may be heard whole, and was not yet."""
    return (Q(charge_id__isnull=False) | ~Q(basis=Session.Basis.PAID)) & Q(completed_at=None, reversed_at=None)


def _open_now(person_id: UUID | None, work_ids: list[UUID], now: datetime) -> dict[UUID, int]:
    """Return where each paid play that was not heard out stands: going on with it costs nothing."""
    if person_id is None:
        return {}
    rows = Session.objects.filter(
        _whole(),
        listener_id=person_id,
        work_id__in=work_ids,
        ended_at=None,
        charge_id__isnull=False,
        playlist_until__gt=now,
    )
    return dict(rows.values_list("work_id", "position_ms"))


def _line(told: Facts, standing: Standing, held: Held, stopped_at_ms: int | None, now: datetime) -> Line:
    pricing = policies.policy_at("pricing", now)
    terms = holdings.terms_now(figure=standing.figure, pricing=pricing.params, version=pricing.seq)
    asked = holdings.quote(held=held, now=terms)
    basis = sessions.basis_of(standing=standing, held=held, asked=asked, now=now)
    paid_already = basis == sessions.PAID and stopped_at_ms is not None
    return Line(
        facts=told,
        basis=basis,
        paid_already=paid_already,
        position_ms=stopped_at_ms or 0,
        price_micros=asked.price_micros if basis == sessions.PAID and not paid_already else 0,
        next_micros=asked.price_micros if basis == sessions.PAID else 0,
        remaining_micros=asked.remaining_micros if basis == sessions.PAID else 0,
        paid_plays=held.paid_plays,
        plays=asked.terms.plays,
        free_ms=openings.free_ms(duration_ms=standing.duration_ms, now=now),
        rest_micros=0,
    )
