"""Celery edges of `catalog`. The row is the queue: a message that is lost delays an upload, and the sweep finds it."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from celery import current_app, shared_task
from django.db import transaction
from kombu.exceptions import OperationalError

from catalog import ingest, objections, sharing, versions
from catalog.copies import downloads
from catalog.intake import rooms, transfers
from members import clock, locks

logger = logging.getLogger(__name__)

SWEEP_MOST = 50
# The constant that names the sweep's lock: one sweep at a time, whoever's beat woke it.
SWEEP_LOCK = 1_919_247_970
TRANSFERS_LOCK, DOWNLOADS_LOCK, LEFTOVERS_LOCK = SWEEP_LOCK + 1, SWEEP_LOCK + 2, SWEEP_LOCK + 3
# Folders for temporary files that killed processes may have left.
ROOMS = ("receive", "part", "press", "artwork")
# A message of the sweep that no worker took until then is dropped: the next sweep writes it again.
SWEEP_EXPIRES_SECONDS = 60
# A message saves its upload the wait for the sweep. Whoever sent the file does not wait longer for it than this.
IMPATIENT = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25, "interval_start": 0, "max_retries": 1}


@shared_task(name="catalog.tasks.advance_upload")
def advance_upload(upload_id: str) -> None:
    """Take an upload as far as it goes, step by step."""
    while ingest.advance(upload_id=uuid.UUID(upload_id), now=clock.now()):
        pass


@shared_task(name="catalog.tasks.sweep_uploads")
def sweep_uploads() -> int:
    """Wake what nobody works on: uploads whose worker died, or whose message was lost. Return how many."""
    woken = _wake_all(ingest.unfinished, advance_upload, lock=SWEEP_LOCK)
    if woken is None:
        return 0
    ingest.tidy(limit=SWEEP_MOST)
    return woken


@shared_task(name="catalog.tasks.deliver_transfer")
def deliver_transfer(transfer_id: str) -> None:
    """Make the upload of a file that has arrived in pieces, and send a worker to it."""
    upload_id = transfers.deliver(transfer_id=uuid.UUID(transfer_id), now=clock.now())
    if upload_id is not None:
        wake(upload_id)


@shared_task(name="catalog.tasks.sweep_transfers")
def sweep_transfers() -> int:
    """Wake transfers that are whole and nobody takes in, and end those for which nothing came. Return how many."""
    woken = _wake_all(transfers.whole, deliver_transfer, lock=TRANSFERS_LOCK)
    if woken is None:
        return 0
    return woken + transfers.sweep(now=clock.now(), limit=SWEEP_MOST)


@shared_task(name="catalog.tasks.make_download")
def make_download(download_id: str) -> None:
    """Make a file that somebody wants to keep."""
    downloads.make(download_id=uuid.UUID(download_id), now=clock.now())


@shared_task(name="catalog.tasks.sweep_downloads")
def sweep_downloads() -> int:
    """Wake downloads that nobody makes. Return how many."""
    return _wake_all(downloads.waiting, make_download, lock=DOWNLOADS_LOCK) or 0


@shared_task(name="catalog.tasks.sweep_leftovers")
def sweep_leftovers() -> int:
    """Remove files that nothing names any more, in the store and in this machine's rooms. Return how many."""
    with transaction.atomic():
        if not locks.is_ours(LEFTOVERS_LOCK):
            return 0
    swept = versions.sweep_leftovers(now=clock.now(), limit=SWEEP_MOST)
    return swept + rooms.sweep(names=ROOMS)


def _wake_all(waiting: Callable[..., list[uuid.UUID]], task: Any, *, lock: int) -> int | None:
    """Write a message for each row that waits, and return how many; None while another sweep does so."""
    with transaction.atomic():
        if not locks.is_ours(lock):
            return None
        found = waiting(now=clock.now(), limit=SWEEP_MOST)
        for row_id in found:
            task.apply_async([str(row_id)], expires=SWEEP_EXPIRES_SECONDS)
    return len(found)


@shared_task(name="catalog.tasks.remind_payees")
def remind_payees() -> int:
    """Remind who was offered a share and has not answered for 90 days. Return how many sheets wait so long."""
    return sharing.remind(now=clock.now(), limit=SWEEP_MOST)


@shared_task(name="catalog.tasks.hold_works_against_content")
def hold_works_against_content() -> int:
    """Object to works that a new version of `content` refuses, and take off those whose time has come."""
    now = clock.now()
    return objections.look(now=now) + objections.settle(now=now)


def wake(upload_id: uuid.UUID) -> None:
    """Send a worker to an upload once this transaction is committed. A broker that is away only delays it."""
    transaction.on_commit(lambda: _send(advance_upload, upload_id))


def wake_transfer(transfer_id: uuid.UUID) -> None:
    """Send a worker to a transfer that is whole, in the same manner."""
    transaction.on_commit(lambda: _send(deliver_transfer, transfer_id))


def wake_download(download_id: uuid.UUID) -> None:
    """Send a worker to a download, in the same manner."""
    transaction.on_commit(lambda: _send(make_download, download_id))


def _send(task: Any, row_id: uuid.UUID) -> None:
    try:
        with current_app.connection_for_write(transport_options=IMPATIENT) as broker:
            task.apply_async([str(row_id)], connection=broker)
    except OperationalError:
        logger.warning("%s %s waits for the sweep: the broker is away", task.name, row_id)
