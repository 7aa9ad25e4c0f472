"""Celery edges of `playback`."""

from datetime import timedelta

from celery import shared_task

from members import clock
from playback import audience_counting, sessions, topups
from playback.topups import GatewaySilent


@shared_task(name="playback.tasks.sweep_sessions")
def sweep_sessions() -> int:
    """Delete old sessions that were never charged, once the audience of their month is settled."""
    return sessions.forget_uncharged(now=clock.now(), kept_from=audience_counting.settled_moment())


@shared_task(name="playback.tasks.count_audiences")
def count_audiences() -> int:
    """Count the audiences of the days whose night is over, and settle the months that have ended."""
    return audience_counting.count(now=clock.now())


@shared_task(name="playback.tasks.pull_gateway_events")
def pull_gateway_events() -> int:
    """Take in what the gateway knows of the last two days and no webhook told."""
    now = clock.now()
    try:
        return topups.pull(since=now - clock.offset() - timedelta(days=2), now=now)
    except GatewaySilent:
        return 0
