"""Celery edges of `catalog`. The row is the queue: a message that is lost delays an upload, and the sweep finds it."""

import logging
import uuid

from celery import current_app, shared_task
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from catalog import ingest
from members import clock

logger = logging.getLogger(__name__)

SWEEP_MOST = 50
# The constant that names the sweep's lock: one sweep at a time, whoever's beat woke it.
SWEEP_LOCK = 1_919_247_970
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
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SWEEP_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        waiting = ingest.unfinished(now=clock.now(), limit=SWEEP_MOST)
        for upload_id in waiting:
            advance_upload.apply_async([str(upload_id)], expires=SWEEP_EXPIRES_SECONDS)
    ingest.tidy(limit=SWEEP_MOST)
    return len(waiting)


def wake(upload_id: uuid.UUID) -> None:
    """Send a worker to an upload once this transaction is committed. A broker that is away only delays it."""
    transaction.on_commit(lambda: _send(upload_id))


def _send(upload_id: uuid.UUID) -> None:
    try:
        with current_app.connection_for_write(transport_options=IMPATIENT) as broker:
            advance_upload.apply_async([str(upload_id)], connection=broker)
    except OperationalError:
        logger.warning("upload %s waits for the sweep: the broker is away", upload_id)
