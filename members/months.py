"""Months of the co-op as money sees them: open, then closing while they are counted, then sealed for ever.

A month without a row is open. Whoever moves money holds the periods' lock, shared, until it has moved
(`clock.money_moment`); closing takes it exclusively for the one short moment in which a month ends.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction

from members import clock, locks
from members.models import Month

OPEN, CLOSING, SEALED = "open", Month.State.CLOSING.value, Month.State.SEALED.value
LOCK = 1919247969
LOCK_MS_MOST = 1_000


@dataclass(frozen=True, kw_only=True)
class Period:
    """A month that is no longer open. `closed_at` divides what counts in it from what came too late."""

    starts_on: date
    state: str
    closed_at: datetime
    sealed_at: datetime | None


def after(month: date) -> date:
    """Return the month that follows."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def before(month: date) -> date:
    """Return the month that precedes."""
    return date(month.year - (month.month == 1), (month.month + 10) % 12 + 1, 1)


def period(month: date) -> Period | None:
    """Return what is known of a month, None while it is open. One query."""
    return _period(Month.objects.filter(starts_on=month).first())


def earliest() -> Period | None:
    """Return the first month that is no longer open. One query."""
    return _period(Month.objects.order_by("starts_on").first())


def latest() -> Period | None:
    """Return the last month that is no longer open. One query."""
    return _period(Month.objects.order_by("-starts_on").first())


def in_open_month(moment: datetime) -> datetime:
    """Return the moment, or that of the last close if that is later; no month closes until the transaction ends.

    For what counts from a moment on and is no money itself. Two queries.
    """
    clock.money_moment()
    known = latest()
    return moment if known is None else max(moment, known.closed_at)


def closed_until(month: date) -> list[Period]:
    """Return the months no longer open up to this one, oldest first. One query."""
    rows = Month.objects.filter(starts_on__lte=month).order_by("starts_on")
    return [found for row in rows if (found := _period(row)) is not None]


def hold_all() -> None:
    """Take the periods' lock, so that no money moves until the transaction ends, or raise OperationalError in a second.

    Only at the beginning of a short transaction of its own.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = %s", [LOCK_MS_MOST])
    locks.wait_for(LOCK)


def close(*, month: date, no_earlier_than: datetime | None = None) -> Period:
    """Close a month while `hold_all` holds; asked again, it answers the same.

    `no_earlier_than` is the moment after the last that must count in the month, where it is later than the clock, which
    may have stepped back.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO members_month (starts_on, state, closed_at)"
            " VALUES (%s, 'closing', greatest(coop_now(), %s)) ON CONFLICT DO NOTHING",
            [month, no_earlier_than],
        )
    closed = period(month)
    assert closed is not None
    return closed


def seal(*, month: date, now: datetime) -> None:
    """Seal a month that is closing; nothing in it changes from now on."""
    with transaction.atomic():
        assert Month.objects.filter(starts_on=month, state=Month.State.CLOSING).update(
            state=Month.State.SEALED, sealed_at=now
        ), f"{month} is not closing"


def _period(row: Month | None) -> Period | None:
    if row is None:
        return None
    return Period(starts_on=row.starts_on, state=row.state, closed_at=row.closed_at, sealed_at=row.sealed_at)
