"""The month so far: what a payee's works were paid in a month that is not divided yet, and what their share of it is.

It is divided by the run's own statements, each night, as if the month closed then. What may be told of a work ends with
the day to which `playback.privacy` lets sums of money be told: every figure, less the one of any morning before it, is
about at least five people or nobody. So a quiet work is told of when the month is over, and a busy one to yesterday's
end. Once the month is over all of it is told, however few paid, as the statement will; then also what was given back is
taken off. Nothing here is owed to anyone: the run counts for itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db import connection, transaction

from members import clock, locks, months, patience
from playback import audience_counting
from royalties import earning, periods
from royalties.earning import Place
from royalties.so_far_models import SoFarCounted, SoFarGroup, SoFarLine, SoFarWork

# The constant that names the lock of the count: one count at a time.
COUNT_LOCK = 1_919_247_973
AT_ONCE = 2_000
ONE_DAY = timedelta(days=1)
TABLES = {
    "charges": "royalties_charges_so_far",
    "groups": "royalties_sofargroup",
    "lines": "royalties_sofarline",
}

EVERY_WORK = """
INSERT INTO royalties_sofarwork (month, work_id, begins_at, until_at, is_over)
SELECT DISTINCT %(month)s::date, work_id, %(begins)s::timestamptz, %(ends)s::timestamptz, true
  FROM playback_charge_facts WHERE charged_at >= %(begins)s AND charged_at < %(ends)s
"""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A month that is not sealed: to which day's end its charges were counted. `is_over` says that it has ended."""

    month: date
    counted_until: date
    is_over: bool


def count(*, now: datetime) -> int:
    """Make the months that are not sealed anew, once the day before was counted; return how many months."""
    counted_until = audience_counting.counted_until(now=now)
    if counted_until is None:
        return 0
    wanted = list(_wanted(counted_until, now))
    with transaction.atomic():
        if not locks.is_ours(COUNT_LOCK) or not _is_due(wanted):
            return 0
        patience.take_time(minutes=60, megabytes=128)
        for rows in (SoFarLine, SoFarGroup, SoFarWork, SoFarCounted):
            rows.objects.all().delete()
        # The newest first: the run of a month pays what was held in those before it, and there are none of them yet.
        for one in sorted(wanted, key=lambda counted: counted.month, reverse=True):
            _count(one, now)
    return len(wanted)


def _wanted(counted_until: date, now: datetime) -> Iterator[Counted]:
    closing = periods.unsealed()
    running = counted_until.replace(day=1)
    for month in {running, *periods.ended(now), *([closing] if closing else [])}:
        known = months.period(month)
        last = months.after(month) - ONE_DAY
        if (known is None or known.state != months.SEALED) and month <= running:
            yield Counted(month=month, counted_until=min(last, counted_until), is_over=counted_until >= last)


def _is_due(wanted: Iterable[Counted]) -> bool:
    """Tell whether something is new: a day, a month that ended, or one that was sealed."""
    made = set(SoFarCounted.objects.values_list("month", "counted_until", "is_over"))
    return made != {(one.month, one.counted_until, one.is_over) for one in wanted}


def _count(one: Counted, now: datetime) -> None:
    begins, ends = periods.bounds(one.month)
    if one.is_over:
        with connection.cursor() as cursor:
            cursor.execute(EVERY_WORK, {"month": one.month, "begins": begins, "ends": ends})
        known = months.period(one.month)
        closed_at = now if known is None else known.closed_at
    else:
        told = audience_counting.paid_until(one.month)
        while some := [_work(one.month, work_id, last) for work_id, last in islice(told, AT_ONCE)]:
            SoFarWork.objects.bulk_create(some)
        closed_at = begins
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE royalties_sofarwork")
    place = Place(**TABLES, closed_at=closed_at)
    earning.gather(one.month, place=place)
    earning.line(one.month, place=place)
    SoFarCounted.objects.create(month=one.month, counted_until=one.counted_until, counted_at=now, is_over=one.is_over)


def _work(month: date, work_id: UUID, last: date) -> SoFarWork:
    return SoFarWork(
        month=month,
        work_id=work_id,
        begins_at=clock.start_of(month),
        until_at=clock.start_of(last + ONE_DAY),
        is_over=False,
    )
