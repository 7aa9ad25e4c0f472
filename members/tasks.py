"""Celery edges of `members`."""

from celery import shared_task

from members import clock, lineage, notices
from members.belonging import dues, expulsions, memberships
from members.erasing import erasures
from members.voting import dry_runs, proposal_life


@shared_task(name="members.tasks.sweep_notices")
def sweep_notices() -> int:
    """Send what waits to be sent."""
    return notices.send_waiting(now=clock.now())


@shared_task(name="members.tasks.look_at_members")
def look_at_members() -> int:
    """Remind those whose year ends, give places whose condition is met by now, end appeals whose panel was silent.

    Done again, it finds nothing new.
    """
    now = clock.now()
    return dues.remind(now=now) + memberships.settle_waiting(now=now) + expulsions.settle(now=now)


@shared_task(name="members.tasks.move_erasures")
def move_erasures() -> int:
    """Move on everybody who asked to be erased. Nobody goes while money waits for a backup to be recovered."""
    return 0 if lineage.is_closed() else erasures.advance(now=clock.now())


@shared_task(name="members.tasks.move_proposals")
def move_proposals() -> int:
    """Move every proposal on whose time has come. Safe to run twice: each step locks its proposal and looks again."""
    return proposal_life.advance(now=clock.now())


@shared_task(name="members.tasks.gather_dry_runs")
def gather_dry_runs() -> int:
    """Count what dry runs of the last sealed month are made of, before anybody waits for one."""
    return dry_runs.gather()


@shared_task(name="members.tasks.seal_urns")
def seal_urns() -> int:
    """Sign what lies in the urns of open votes, where a checkpoint is due."""
    return proposal_life.seal_urns(now=clock.now())
