"""Periods: which month may be closed, when it closes by itself, and the closing.

Months close in their order, each after it ended and after the one before it was sealed. From the moment a month is
`closing` on, nothing is charged or given back in it; so a run that reads after it reads the same for ever.
"""

import random
import time
from datetime import date, datetime, timedelta

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from members import clock, months
from members.months import Period
from members.problems import Problem

# By itself a month closes on the third of the next, at three in the night: what was charged in its last hours and had
# to be given back was given back by then.
CLOSES_ON_DAY, CLOSES_AT_HOUR = 3, 3
TRIES_MOST = 120
# Somebody who waits before a page is told sooner that charges hold the lock.
TRIES_FOR_A_PAGE = 3
PAUSE_SECONDS_MOST = 1.0

EARLIEST = "SELECT min(charged_at) FROM playback_charge_facts"
LAST_GIVEN_BACK = """
SELECT max(reversed_at) + interval '1 microsecond' FROM playback_charge_facts WHERE reversed_at >= %s
"""


class MonthNotOver(Problem):
    """A month is closed after it has ended, never before."""

    slug, status, title = "month-not-over", 409, "The month is not over"


class EarlierMonthOpen(Problem):
    """Months are sealed in their order."""

    slug, status, title = "earlier-month-open", 409, "An earlier month is not sealed yet"


class PeriodsBusy(Problem):
    """Charges held the periods' lock for longer than closing waits."""

    slug, status, title = "periods-busy", 503, "The month could not be closed now"


def close(*, month: date, tries: int = TRIES_MOST) -> Period:
    """Close a month, or find it closed; commits. Raises MonthNotOver, EarlierMonthOpen, PeriodsBusy.

    Each try waits up to a second for charges that are under way, and a second more before the next.
    """
    known = months.period(month)
    if known is not None:
        return known
    _check_may_close(month, now=clock.now())
    for _ in range(tries):
        try:
            with transaction.atomic():
                months.hold_all()
                closed = months.close(month=month, no_earlier_than=_last_given_back(month))
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            # Whoever waited for the lock behind us has it now; so charges go on between our tries.
            time.sleep(random.uniform(0, PAUSE_SECONDS_MOST))  # noqa: S311  (a pause, no secret)
        else:
            return closed
    raise PeriodsBusy("Charges held the lock each time; nothing was changed. Try again.")


def due(now: datetime) -> date | None:
    """Return the month that should have closed by itself by now, the oldest, or None. At most two queries."""
    month = _oldest_open()
    if month is None:
        return None
    return month if now >= closes_at(month) else None


def closes_at(month: date) -> datetime:
    """Return the moment at which a month closes by itself."""
    return clock.start_of(months.after(month).replace(day=CLOSES_ON_DAY)) + timedelta(hours=CLOSES_AT_HOUR)


def unsealed() -> date | None:
    """Return the month that is closing, or None. One query."""
    latest = months.latest()
    return latest.starts_on if latest is not None and latest.state == months.CLOSING else None


def ended(now: datetime) -> list[date]:
    """Return the months that have ended and are still open, oldest first. At most two queries."""
    month, found = _oldest_open(), []
    while month is not None and months.after(month) <= clock.month(now):
        found.append(month)
        month = months.after(month)
    return found


def may_close(now: datetime) -> date | None:
    """Return the month that may be closed at `now`: the oldest that is open, if it has ended. At most three queries."""
    return None if unsealed() else next(iter(ended(now)), None)


def bounds(month: date) -> tuple[datetime, datetime]:
    """Return the first moment of a month and that of the next."""
    return clock.start_of(month), clock.start_of(months.after(month))


def _oldest_open() -> date | None:
    """Return the month after the last that closed; before any did, that of the first charge; None without charges."""
    latest = months.latest()
    if latest is not None:
        return months.after(latest.starts_on)
    with connection.cursor() as cursor:
        cursor.execute(EARLIEST)
        earliest = cursor.fetchone()[0]
    return None if earliest is None else clock.month(earliest)


def _check_may_close(month: date, *, now: datetime) -> None:
    if month.day != 1 or now < clock.start_of(months.after(month)):
        raise MonthNotOver(f"{month:%Y-%m} is closed after it has ended; nothing was changed.")
    oldest, latest = _oldest_open(), months.latest()
    if latest is not None and latest.state != months.SEALED:
        raise EarlierMonthOpen(f"{latest.starts_on:%Y-%m} is being closed; seal it first.")
    if oldest is not None and (month > oldest or (latest is not None and month < oldest)):
        raise EarlierMonthOpen(f"The month to be closed next is {oldest:%Y-%m}.")


def _last_given_back(month: date) -> datetime | None:
    """Return the moment after the last reversal: it counts in the open month, even if the clock stepped back since."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_GIVEN_BACK, [clock.start_of(month)])
        moment: datetime | None = cursor.fetchone()[0]
    return moment
