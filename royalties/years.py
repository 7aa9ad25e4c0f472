"""A year of a payee, for whoever fills in their tax return: what was earned, released and paid out, by work.

All of it is from statements of sealed months and adds up to them. There is nothing in it about listeners, and so no
country either: the co-op owes royalties, wherever somebody listened.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max, Min

from members import clock, money
from members.problems import NotFound
from royalties import payouts, statements
from royalties.payout_models import Payout
from royalties.run_models import Statement

YEAR_LEAST, YEAR_MOST = 2000, 9999
HEAD = ("what", "id", "name", "day", "micros")
# Said wherever a year is told.
NO_ADVICE = (
    "This is not tax advice. It says what the co-op owed and paid you, and nothing about what you owe to anybody; ask"
    " your tax office or an adviser what of it counts, and when."
)

BY_WORK = """
SELECT l.work_id, w.title, coalesce(sum(l.net_micros) FILTER (WHERE l.of_month = l.month), 0)::bigint,
       coalesce(sum(l.net_micros) FILTER (WHERE l.of_month < l.month), 0)::bigint
  FROM royalties_line l JOIN catalog_work_standing w USING (work_id)
 WHERE l.payee_id = %(who)s AND l.month = ANY(%(months)s)
 GROUP BY l.work_id, w.title ORDER BY sum(l.net_micros) DESC, w.title, l.work_id
"""


@dataclass(frozen=True, kw_only=True)
class YearWork:
    """What a work earned a payee in a year, in micros; `released` was held in an earlier month."""

    work_id: UUID
    title: str
    earned_micros: int
    released_micros: int

    @property
    def added_micros(self) -> int:
        """Return both."""
        return self.earned_micros + self.released_micros


@dataclass(frozen=True, kw_only=True)
class Year:
    """A year's statements and what follows from them, in micros. Statements from January on, works the largest first.

    `opening + earned + released + returned - paid_out = closing`. `payouts` were released in the statements' months,
    which `paid_out` is the sum of; `came_back` are those that the bank sent back within them.
    """

    year: int
    statements: list[Statement]
    works: list[YearWork]
    payouts: list[Payout]
    came_back: list[Payout]
    opening_micros: int
    earned_micros: int
    released_micros: int
    paid_out_micros: int
    returned_micros: int
    closing_micros: int

    @property
    def added_micros(self) -> int:
        """Return what the year added: earned and released."""
        return self.earned_micros + self.released_micros

    @property
    def last_month(self) -> date:
        """Return the month up to which the year is told."""
        return self.statements[-1].month

    @property
    def is_whole(self) -> bool:
        """Return whether its December is told."""
        return self.last_month.month == 12


def known(person_id: UUID) -> list[int]:
    """Return the years of which a person has statements, the newest first. One query."""
    found = statements.of_person(person_id).order_by().aggregate(first=Min("month"), last=Max("month"))
    if found["first"] is None:
        return []
    return list(range(found["last"].year, found["first"].year - 1, -1))


def of(*, person_id: UUID, year: int) -> Year:
    """Return a person's year. Three queries. Raises NotFound where there is no statement of theirs in it."""
    if not YEAR_LEAST <= year <= YEAR_MOST:
        raise NotFound("there is no such year of yours")
    found = list(statements.of_person(person_id).filter(month__year=year).defer("content").order_by("month"))
    if not found:
        raise NotFound("there is no such year of yours")
    months = {one.month for one in found}
    left = list(payouts.of_person(person_id))
    return Year(
        year=year,
        statements=found,
        works=_works(person_id, sorted(months)),
        payouts=sorted((one for one in left if _month_of(one.batch.released_at) in months), key=_released_at),
        came_back=sorted((one for one in left if _month_of(one.ended_at) in months), key=_ended_at),
        opening_micros=found[0].opening_micros,
        earned_micros=sum(one.earned_micros for one in found),
        released_micros=sum(one.released_micros for one in found),
        paid_out_micros=sum(one.paid_out_micros for one in found),
        returned_micros=sum(one.returned_micros for one in found),
        closing_micros=found[-1].closing_micros,
    )


def rows(of: Year) -> Iterator[tuple[str, str, str, str, int]]:
    """Yield a year as a table without its head: sums, months, works, payouts, and what came back."""
    for name in ("opening", "earned", "released", "paid_out", "returned", "closing"):
        yield ("sum", "", name, "", getattr(of, f"{name}_micros"))
    for one in of.statements:
        yield ("month", str(one.id), f"{one.month:%Y-%m}", "", one.added_micros)
    for work in of.works:
        yield ("work", str(work.work_id), statements.cell(work.title), "", work.added_micros)
    for payout in of.payouts:
        yield ("payout", payout.end_to_end, payout.mask, _day(payout.batch.released_at), _micros(payout))
    for payout in of.came_back:
        yield ("came-back", payout.end_to_end, statements.cell(payout.reason), _day(payout.ended_at), _micros(payout))


def _day(moment: datetime | None) -> str:
    return "" if moment is None else clock.day(moment).isoformat()


def _micros(payout: Payout) -> int:
    return money.from_cents(payout.cents)


def _works(person_id: UUID, months: list[date]) -> list[YearWork]:
    with connection.cursor() as cursor:
        cursor.execute(BY_WORK, {"who": person_id, "months": months})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [
        YearWork(work_id=work_id, title=title, earned_micros=earned, released_micros=released)
        for work_id, title, earned, released in rows
    ]


def _month_of(moment: datetime | None) -> date | None:
    return None if moment is None else clock.month(moment)


def _released_at(one: Payout) -> tuple[datetime, str]:
    assert one.batch.released_at is not None
    return one.batch.released_at, one.end_to_end


def _ended_at(one: Payout) -> tuple[datetime, str]:
    assert one.ended_at is not None
    return one.ended_at, one.end_to_end
