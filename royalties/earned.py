"""What a creator sees of their money: what is owed, the months, the month so far, and what a sealed month was made of.

Sealed months are read from statements, which say the same for ever; the month that is not divided yet from `so_far`.
Nobody sees another payee's sums: of those who share a work one learns the share that stands on the split sheet, which
whoever stands on it may read.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet, Sum

from catalog import profiles
from members import admission, clock, money
from royalties import ledger, statements
from royalties.payout_models import Payout
from royalties.run_models import Statement
from royalties.so_far_models import SoFarCounted

MONTHS_SHOWN = 12
ONE_DAY = timedelta(days=1)

# A payee's works of the months that are not divided yet, the largest first; held ones are those of one's profiles.
SO_FAR = """
SELECT l.month, l.work_id, w.title, g.sheet_version, g.revenue_seq, s.until_at, g.gross_micros, g.creators_micros,
       l.share_ppm, l.net_micros
  FROM (SELECT month, work_id, sheet_id, revenue_seq, sum(share_ppm)::int AS share_ppm,
               sum(net_micros)::bigint AS net_micros
          FROM royalties_sofarline WHERE payee_id = %(who)s AND of_month = month
         GROUP BY month, work_id, sheet_id, revenue_seq) AS l
  JOIN royalties_sofargroup g USING (month, work_id, sheet_id, revenue_seq)
  JOIN royalties_sofarwork s USING (month, work_id)
  JOIN catalog_work_standing w USING (work_id)
 ORDER BY l.month, l.net_micros DESC, w.title, l.work_id, g.since
"""
SO_FAR_HELD = """
SELECT g.month, g.work_id, w.title, NULL::int, g.revenue_seq, s.until_at, g.gross_micros, g.creators_micros, 0, 0
  FROM catalog_work_standing w
  JOIN royalties_sofargroup g ON g.work_id = w.work_id AND g.sheet_id IS NULL
  JOIN royalties_sofarwork s ON s.month = g.month AND s.work_id = g.work_id
 WHERE w.creator_id = ANY(%(run_by)s)
 ORDER BY g.month, g.creators_micros DESC, w.title, g.work_id
"""
# What waits for a split sheet, of works of one's profiles.
HELD = """
SELECT coalesce(sum(g.creators_micros), 0)::bigint, count(DISTINCT g.work_id)
  FROM royalties_group g JOIN catalog_work_standing w USING (work_id)
 WHERE w.creator_id = ANY(%(run_by)s) AND g.sheet_id IS NULL AND g.released_in IS NULL
   AND g.month IN (SELECT month FROM royalties_run WHERE state = 'sealed')
"""
PARTNERS = """
SELECT sheet_id, payee_id, share_ppm FROM catalog_payee_facts
 WHERE sheet_id = ANY(%(sheets)s) ORDER BY sheet_id, line_number
"""


@dataclass(frozen=True, kw_only=True)
class Owed:
    """What stands on a payee's account now, in micros, and beside it.

    `held_micros` waits for a split sheet of `held_works` works of the person's profiles, and is not theirs yet.
    """

    payable_micros: int
    in_transit_micros: int
    held_micros: int
    held_works: int


@dataclass(frozen=True, kw_only=True)
class WorkSoFar:
    """What a work was paid so far in a month, to the end of `until`, under one split sheet and version of `revenue`.

    `sheet_version` is None where no sheet is in force: then the creators' part is held, and nobody's.
    """

    month: date
    work_id: UUID
    title: str
    sheet_version: int | None
    revenue_version: int
    until: date
    gross_micros: int
    creators_micros: int
    share_ppm: int
    net_micros: int


@dataclass(frozen=True, kw_only=True)
class MonthSoFar:
    """A month that is not divided yet: what was counted of it, and what of that is the payee's own."""

    month: date
    counted_until: date
    is_over: bool
    works: list[WorkSoFar]
    held: list[WorkSoFar]

    @property
    def net_micros(self) -> int:
        """Return the payee's own, of all works."""
        return sum(work.net_micros for work in self.works)

    @property
    def gross_micros(self) -> int:
        """Return what was paid for the works."""
        return sum(work.gross_micros for work in self.works)

    @property
    def held_micros(self) -> int:
        """Return what waits for a split sheet."""
        return sum(work.creators_micros for work in self.held)


@dataclass(frozen=True, kw_only=True)
class Partner:
    """Who shares a work, as its split sheet names them."""

    name: str
    share_ppm: int
    is_me: bool


@dataclass(frozen=True, kw_only=True)
class WorkEarned:
    """What a work earned a payee in a sealed month under one split sheet, as the statement says it."""

    work_id: UUID
    title: str
    sheet_id: UUID
    sheet_version: int
    creators_micros: int
    net_micros: int
    share_ppm: int
    of_month: str


def owed(person_id: UUID) -> Owed:
    """Return what is owed to a person now, on its way to them, and held. Four queries."""
    on_its_way = Payout.objects.filter(person_id=person_id, state=Payout.State.IN_TRANSIT).aggregate(cents=Sum("cents"))
    held_micros, held_works = _rows(HELD, run_by=_run_by(person_id))[0]
    return Owed(
        payable_micros=ledger.payable([person_id])[person_id],
        in_transit_micros=money.from_cents(on_its_way["cents"] or 0),
        held_micros=held_micros,
        held_works=held_works,
    )


def months_of(person_id: UUID) -> QuerySet[Statement]:
    """Return a person's statements, the newest first, without the lines they are made of."""
    return statements.of_person(person_id).defer("content")


def so_far(person_id: UUID) -> list[MonthSoFar]:
    """Return the months that are not divided yet, the oldest first, as far as they are told. Four queries."""
    works = [_work_so_far(row) for row in _rows(SO_FAR, who=person_id)]
    held = [_work_so_far(row) for row in _rows(SO_FAR_HELD, run_by=_run_by(person_id))]
    return [
        MonthSoFar(
            month=one.month,
            counted_until=one.counted_until,
            is_over=one.is_over,
            works=[work for work in works if work.month == one.month],
            held=[work for work in held if work.month == one.month],
        )
        for one in SoFarCounted.objects.order_by("month")
    ]


def by_work(lines: Iterable[dict[str, Any]]) -> list[WorkEarned]:
    """Return the works of a statement's lines, the largest first; of several lines on one sheet the sum."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for line in lines:
        found.setdefault((line["work"], line["sheet"], line["of_month"], line["revenue_version"]), []).append(line)
    works = [
        WorkEarned(
            work_id=UUID(some[0]["work"]),
            title=some[0]["title"],
            sheet_id=UUID(some[0]["sheet"]),
            sheet_version=some[0]["sheet_version"],
            creators_micros=some[0]["creators_micros"],
            net_micros=sum(line["net_micros"] for line in some),
            share_ppm=sum(line["share_ppm"] for line in some),
            of_month=some[0]["of_month"],
        )
        for some in found.values()
    ]
    return sorted(works, key=lambda work: (-work.net_micros, work.title, work.of_month, str(work.work_id)))


def by_number(lines: Sequence[dict[str, Any]]) -> list[int]:
    """Return how many plays there were of number 1, 2 and so on, then how many purchases, of a statement's works.

    As the statement says them of each work; a payee's several lines of one work are counted once.
    """
    counted: set[tuple[Any, ...]] = set()
    plays: list[int] = []
    purchases = 0
    for line in lines:
        key = (line["work"], line["sheet"], line["of_month"], line["revenue_version"])
        if key in counted:
            continue
        counted.add(key)
        purchases += line["purchases"]
        numbers = line["plays_by_number"]
        plays += [0] * (len(numbers) - len(plays))
        for place, count in enumerate(numbers):
            plays[place] += count
    return [*plays, purchases]


def partners(person_id: UUID, sheets: Collection[UUID]) -> dict[UUID, list[Partner]]:
    """Return who shares each of these split sheets; of sheets that the person stands on, and no others. Two queries."""
    rows = _rows(PARTNERS, sheets=list(sheets))
    theirs = {sheet_id for sheet_id, payee_id, _ in rows if payee_id == person_id}
    names = admission.names_of(payee_id for sheet_id, payee_id, _ in rows if sheet_id in theirs)
    found: dict[UUID, list[Partner]] = {sheet_id: [] for sheet_id in theirs}
    for sheet_id, payee_id, share_ppm in rows:
        if sheet_id in theirs:
            found[sheet_id].append(Partner(name=names[payee_id], share_ppm=share_ppm, is_me=payee_id == person_id))
    return found


def _work_so_far(row: tuple[Any, ...]) -> WorkSoFar:
    month, work_id, title, sheet_version, revenue_version, until_at, gross, creators, share, net = row
    return WorkSoFar(
        month=month,
        work_id=work_id,
        title=title,
        sheet_version=sheet_version,
        revenue_version=revenue_version,
        until=clock.day(until_at - ONE_DAY),
        gross_micros=gross,
        creators_micros=creators,
        share_ppm=share,
        net_micros=net,
    )


def _run_by(person_id: UUID) -> list[UUID]:
    return [creator.id for creator in profiles.run_by(person_id)]


def _rows(sql: str, **given: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall()
