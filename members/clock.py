"""The co-op's clock, days and months: the only place that reads a clock.

SQL `coop_now()` is the clock of the database plus an offset that only tests and the demo's builder may set. Edges
read it once per request or task and pass it on as `now`; charging and closing call it in SQL after taking their lock.
"""

import time
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from members.problems import NotAllowed


def now() -> datetime:
    """Return the co-op's present moment. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coop_now()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def now_and_closed() -> tuple[datetime, bool]:
    """Return the co-op's present moment, and whether money has to wait (members/lineage.py). One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coop_now(), coop_is_closed()")
        moment, closed = cursor.fetchone()
    return moment, closed


def money_moment() -> datetime:
    """Return the moment at which money that moves now is booked, and keep its month open until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coop_money_moment()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def ticks() -> float:
    """Return seconds of a clock that never steps, for waiting and for the age of what a process remembers.

    It dates nothing: no row, no rule and no sum ever sees it.
    """
    return time.monotonic()


def zone() -> ZoneInfo:
    """Return the co-op's time zone."""
    return ZoneInfo(settings.COOP_TIME_ZONE)


def day(moment: datetime) -> date:
    """Return the co-op's day in which `moment` lies; SQL `coop_day` says the same."""
    return moment.astimezone(zone()).date()


def month(moment: datetime) -> date:
    """Return the first day of the co-op's month in which `moment` lies."""
    return day(moment).replace(day=1)


def start_of(first: date) -> datetime:
    """Return the moment at which a day of the co-op begins."""
    return datetime(first.year, first.month, first.day, tzinfo=zone())


def set_offset(offset: timedelta) -> None:
    """Move the clock of the whole co-op to the database's plus `offset`. For tests and the demo's builder alone."""
    if not settings.CLOCK_MAY_MOVE:
        raise NotAllowed("the clock of a co-op in production cannot be moved")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE members_coop SET clock_offset = %s", [offset])  # type: ignore[list-item]  # psycopg takes intervals


def offset() -> timedelta:
    """Return how far the clock has been moved: zero in production."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_offset FROM members_coop")
        moved: timedelta = cursor.fetchone()[0]
    return moved
