"""Celery edges of `members`."""

from celery import shared_task

from members import clock, notices


@shared_task(name="members.tasks.sweep_notices")
def sweep_notices() -> int:
    """Send what waits to be sent."""
    return notices.send_waiting(now=clock.now())
