"""Celery edges of `royalties`. The run's rows are the queue: a lost message waits for the next sweep."""

import logging
from datetime import date

from celery import shared_task
from kombu.exceptions import OperationalError

from members import clock
from royalties import periods, runs

logger = logging.getLogger(__name__)
SWEEP_EXPIRES_SECONDS = 60


@shared_task(name="royalties.tasks.work_on_run")
def work_on_run(month: str) -> None:
    """Take turns at a run while there are any, and call others to help where it can be shared out."""
    while True:
        turn = runs.advance(month=date.fromisoformat(month), now=clock.now())
        if turn.opened_shares:
            _call_helpers(month)
        if not turn.took:
            return


@shared_task(name="royalties.tasks.sweep_runs")
def sweep_runs() -> int:
    """Close the month whose day has come, and wake runs that nobody works on. Return how many."""
    now = clock.now()
    due = periods.due(now) if periods.unsealed() is None else None
    if due is not None:
        runs.begin(month=due, now=now)
    running = runs.running()
    for month in running:
        work_on_run.apply_async([month.isoformat()], expires=SWEEP_EXPIRES_SECONDS)
    return len(running)


def _call_helpers(month: str) -> None:
    try:
        for _ in range(runs.SHARDS - 1):
            work_on_run.apply_async([month], expires=SWEEP_EXPIRES_SECONDS)
    except OperationalError:
        logger.warning("the run of %s goes on alone: the broker is away", month)
