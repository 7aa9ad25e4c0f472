"""Celery edges of `royalties`. The run's rows are the queue: a lost message waits for the next sweep."""

import logging
from datetime import date

from celery import shared_task
from kombu.exceptions import OperationalError

from members import clock, lineage
from royalties import claims, highwater, periods, posting, reconciliation, recovery, runs, so_far, treasury
from royalties.year import leaving
from royalties.year import work as year_work

logger = logging.getLogger(__name__)
SWEEP_EXPIRES_SECONDS = 60


@shared_task(name="royalties.tasks.work_on_run")
def work_on_run(month: str) -> None:
    """Take turns at a run while there are any, and call others to help where it can be shared out."""
    while not lineage.is_closed():
        turn = runs.advance(month=date.fromisoformat(month), now=clock.now())
        if turn.opened_shares:
            _call_helpers(month)
        if not turn.took:
            return


@shared_task(name="royalties.tasks.sweep_runs")
def sweep_runs() -> int:
    """Close the month whose day has come, and wake runs that nobody works on. Return how many."""
    if lineage.is_closed():
        return 0
    now = clock.now()
    # A month that is closing has its run, unless whoever closed it died between the two.
    month = periods.unsealed() or periods.due(now)
    if month is not None:
        runs.begin(month=month, now=now)
    running = runs.running()
    for month in running:
        work_on_run.apply_async([month.isoformat()], expires=SWEEP_EXPIRES_SECONDS)
    return len(running)


def wake_run(month: date) -> None:
    """Call a worker to a run; without a broker the next sweep finds it."""
    try:
        work_on_run.apply_async([month.isoformat()], expires=SWEEP_EXPIRES_SECONDS)
    except OperationalError:
        logger.warning("the run of %s waits for the next sweep: the broker is away", month)


@shared_task(name="royalties.tasks.tidy_claims")
def tidy_claims() -> int:
    """Forget accounts of paid claims, let lapse what nobody claimed, ring for capital that is due. Return how many."""
    if lineage.is_closed():
        return 0
    now = clock.now()
    return claims.tidy(now=now) + leaving.ring(now=now)


@shared_task(name="royalties.tasks.work_on_year")
def work_on_year(year: int) -> None:
    """Take turns at a closed year while there are any."""
    while not lineage.is_closed() and year_work.advance(year=year, now=clock.now()):
        pass


def wake_year(year: int) -> None:
    """Call a worker to a year; without a broker the next sweep finds it."""
    try:
        work_on_year.apply_async([year], expires=SWEEP_EXPIRES_SECONDS)
    except OperationalError:
        logger.warning("the year %s waits for the next sweep: the broker is away", year)


@shared_task(name="royalties.tasks.sweep_years")
def sweep_years() -> int:
    """Wake the years on which there may be work: that are drawn, whose motion was accepted, whose capital is paid."""
    waiting = [] if lineage.is_closed() else year_work.waiting()
    for year in waiting:
        work_on_year.apply_async([year], expires=SWEEP_EXPIRES_SECONDS)
    return len(waiting)


@shared_task(name="royalties.tasks.post_rows")
def post_rows() -> int:
    """Carry over into the ledger what is not in it yet, and forget marks of sealed months. Return how many rows."""
    if lineage.is_closed():
        return 0
    posting.forget_marks()
    now = clock.now()
    recovery.place(now=now)
    return posting.post(now=now)


@shared_task(name="royalties.tasks.count_so_far")
def count_so_far() -> int:
    """Divide the months that are not sealed as they stand, once a day was counted. Return how many months."""
    return so_far.count(now=clock.now())


@shared_task(name="royalties.tasks.reconcile_books")
def reconcile_books() -> int:
    """Compare the books with what happened, and ring for what differs or waits too long. Return how many differ."""
    return len(reconciliation.raise_alarms(now=clock.now()))


@shared_task(name="royalties.tasks.keep_high_water")
def keep_high_water() -> bool:
    """Say outside how far the database has come, or find that it was restored, and close. Return whether it is open."""
    return highwater.keep()


@shared_task(name="royalties.tasks.ring_for_disputes")
def ring_for_disputes() -> int:
    """Let alarms ring for payments that were taken back and that no treasurer decided. Return how many."""
    return treasury.ring_for_disputes(now=clock.now())


def _call_helpers(month: str) -> None:
    try:
        for _ in range(runs.SHARDS - 1):
            work_on_run.apply_async([month], expires=SWEEP_EXPIRES_SECONDS)
    except OperationalError:
        logger.warning("the run of %s goes on alone: the broker is away", month)
