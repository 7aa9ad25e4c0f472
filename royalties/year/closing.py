"""Closing a year: what it left is read from the ledger, once, and lies in the reserve until members divide it.

A year is closed when all its months are sealed and their books are locked, in the order of years. A loss comes out of
the reserve, and out of nothing else: no member's capital is taken without a vote. Where the reserve falls below nothing
by it, later surpluses fill it up before anything of them is divided.
"""

from datetime import UTC, date, datetime
from uuid import UUID

from django.db import connection, transaction

from members import clock, locks, months, patience
from members.problems import NotFound, Problem
from royalties import accounts, ledger
from royalties.ledger import Entry
from royalties.payouts import check_treasurer
from royalties.year.models import FinancialYear

State = FinancialYear.State
RESULT = """
SELECT coalesce(sum(CASE WHEN a.code = t.credit THEN t.amount_micros ELSE -t.amount_micros END), 0)::bigint
  FROM royalties_transfer t JOIN royalties_account a ON a.code IN (t.debit, t.credit)
 WHERE a.kind IN ('income', 'expense') AND t.month BETWEEN %(first)s AND %(last)s
"""


class YearOpen(Problem):
    """A year is closed in its order, when all its months are sealed and their books are locked."""

    slug, status, title = "year-open", 409, "The year cannot be closed yet"


def bounds(year: int) -> tuple[datetime, datetime]:
    """Return the first moment of a year and that of the next, by the co-op's clock on the wall."""
    return clock.start_of(date(year, 1, 1)), clock.start_of(date(year + 1, 1, 1))


def months_of(year: int) -> tuple[date, date]:
    """Return the first and the last month of a year."""
    return date(year, 1, 1), date(year, 12, 1)


def close(*, year: int, staff_id: UUID, now: datetime) -> FinancialYear:
    """Close a year and book what it left; asked again, it is the same year. The workers then draw its figures.

    Raises NotAllowed for all but treasurers, YearOpen.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        # Two who close at once are one after the other, and nothing is booked meanwhile.
        locks.wait_for(ledger.PEN)
        known = FinancialYear.objects.filter(year=year).first()
        if known is not None:
            return known
        check_may_close(year)
        patience.take_time(minutes=5)
        result, reserve = result_of(year), ledger.balance(accounts.RESERVE)
        made = FinancialYear.objects.create(
            year=year,
            closed_at=now,
            closed_by_id=staff_id,
            result_micros=result,
            shortfall_micros=max(0, -reserve),
            words="Waits for a worker",
        )
        if result:
            ledger.book([_entry(year, result, now)], now=now)
    return made


def check_may_close(year: int) -> None:
    """Raise YearOpen unless a year's months are all sealed, its books locked, and the year before is closed.

    In the year in which the co-op began, the months before its first have nothing to seal.
    """
    first, last = months_of(year)
    earliest, end = months.earliest(), months.period(last)
    if earliest is None or last < earliest.starts_on or end is None or end.sealed_at is None:
        raise YearOpen(f"The months of {year} are not all sealed.")
    if not ledger.is_locked(last):
        raise YearOpen(f"The books of December {year} are not locked.")
    if earliest.starts_on < first and not FinancialYear.objects.filter(year=year - 1).exists():
        raise YearOpen(f"Years are closed in their order, and {year - 1} is not.")


def may_close(now: datetime) -> int | None:
    """Return the year that can be closed at `now`, or None. At most five queries."""
    latest = FinancialYear.objects.order_by("-year").values_list("year", flat=True).first()
    earliest = months.earliest()
    if earliest is None:
        return None
    year: int = earliest.starts_on.year if latest is None else latest + 1
    if now < bounds(year)[1].astimezone(UTC):
        return None
    try:
        check_may_close(year)
    except YearOpen:
        return None
    return year


def result_of(year: int) -> int:
    """Return what a year left, in micros: all income less all costs of its months. One query."""
    first, last = months_of(year)
    with connection.cursor() as cursor:
        cursor.execute(RESULT, {"first": first, "last": last})
        result: int = cursor.fetchone()[0]
    return result


def get(year: int) -> FinancialYear:
    """Return a closed year. One query. Raises NotFound."""
    found = FinancialYear.objects.select_related("closed_by", "redeeming_by").filter(year=year).first()
    if found is None:
        raise NotFound("no such year is closed")
    return found


def _entry(year: int, result: int, now: datetime) -> Entry:
    debit, credit = (accounts.RESULT, accounts.RESERVE) if result > 0 else (accounts.RESERVE, accounts.RESULT)
    return Entry(
        debit=debit,
        credit=credit,
        amount_micros=abs(result),
        kind="year-result",
        key=f"year:{year}:result",
        group=f"year:{year}",
        happened_at=bounds(year)[1],
        month=clock.month(now),
        reason=f"Result of {year}",
    )
