"""Celery edges of `playback`."""

import logging
import uuid
from datetime import timedelta

from celery import Task, current_app, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from catalog.tasks import wake_download
from members import clock, lineage
from playback import audience_counting, cashouts, exports, sessions, shelves, topups
from playback.gateways import GatewaySilent

logger = logging.getLogger(__name__)
# A message saves a row the wait for the sweep. Whoever asked does not wait longer for the broker than this.
SWEEP_MOST = 50
SWEEP_EXPIRES_SECONDS = 60
IMPATIENT = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25, "interval_start": 0, "max_retries": 1}


@shared_task(name="playback.tasks.sweep_sessions")
def sweep_sessions() -> int:
    """Delete old sessions that were never charged, once the audience of their month is settled."""
    return sessions.forget_uncharged(now=clock.now(), kept_from=audience_counting.settled_moment())


@shared_task(name="playback.tasks.count_audiences")
def count_audiences() -> int:
    """Count the audiences of the days whose night is over, and settle the months that have ended."""
    return audience_counting.count(now=clock.now())


@shared_task(name="playback.tasks.fill_shelves")
def fill_shelves() -> bool:
    """Fill the front page's shelves, once a day."""
    return shelves.fill(now=clock.now())


@shared_task(name="playback.tasks.pull_gateway_events")
def pull_gateway_events(days: int = 2) -> int:
    """Take in what the gateway knows of the last days and no webhook told, unless all of it is being recovered."""
    if lineage.is_closed():
        return 0
    now = clock.now()
    try:
        return topups.pull(since=now - clock.offset() - timedelta(days=days), now=now)
    except GatewaySilent:
        return 0


@shared_task(name="playback.tasks.send_refunds")
def send_refunds() -> int:
    """Ask the gateway for the refunds that wait."""
    if lineage.is_closed():
        return 0
    return cashouts.send_waiting(now=clock.now())


def wake_refunds() -> None:
    """Send a worker to the refunds once this transaction is committed. A broker that is away only delays them."""
    transaction.on_commit(lambda: _send(send_refunds))


@shared_task(name="playback.tasks.pack_library")
def pack_library(export_id: str) -> None:
    """Take a turn at a zip of a library, and come back for the next one if files are still being made."""
    turn = exports.advance(export_id=uuid.UUID(export_id), now=clock.now())
    for download_id in turn.downloads:
        wake_download(download_id)
    if turn.again_after_seconds is not None:
        pack_library.apply_async([export_id], countdown=turn.again_after_seconds)


@shared_task(name="playback.tasks.sweep_exports")
def sweep_exports() -> int:
    """Wake zips that nobody packs, and let those go whose time is over. Return how many were woken."""
    now = clock.now()
    exports.expire(now=now, limit=SWEEP_MOST)
    waiting = exports.unfinished(now=now, limit=SWEEP_MOST)
    for export_id in waiting:
        pack_library.apply_async([str(export_id)], expires=SWEEP_EXPIRES_SECONDS)
    return len(waiting)


def wake_export(export_id: uuid.UUID) -> None:
    """Send a worker to a zip once this transaction is committed. A broker that is away only delays it."""
    transaction.on_commit(lambda: _send(pack_library, str(export_id)))


def _send(task: Task, *arguments: str) -> None:
    try:
        with current_app.connection_for_write(transport_options=IMPATIENT) as broker:
            task.apply_async(arguments, connection=broker)
    except OperationalError:
        logger.warning("%s waits for its sweep: the broker is away", task.name)
