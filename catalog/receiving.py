"""Receiving: how a file that somebody sends gets into the store, and its row into the queue of the ingest.

A file is spooled to a disk piece by piece while its SHA-256 is taken; the row is written before the file is stored, so
that the same file sent twice at once is one upload.
"""

import hashlib
import logging
import tempfile
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from catalog import leases, naming, publishing, store
from catalog.models import Upload
from members.problems import Invalid, NotFound, Problem

logger = logging.getLogger(__name__)

# How long a file usually takes into the store at most, and after how long its row counts as left behind.
STORES_WITHIN, STORING = timedelta(minutes=1), timedelta(minutes=15)


class TooLarge(Problem):
    """The file is larger than what can be taken in; nothing of it was kept."""

    slug, status, title = "file-too-large", 413, "The file is too large"


class AlreadyUploaded(Problem):
    """The same file of the same creator is a work already: `work` names it."""

    slug, status, title = "already-uploaded", 409, "This file is a work already"


class StoreUnavailable(Problem):
    """The file could not be stored: a fault of the service, not of the file."""

    slug, status, title = "store-unavailable", 503, "The file could not be stored"


def receive(
    *, person_id: uuid.UUID, creator_id: uuid.UUID, filename: str, chunks: Iterable[bytes], now: datetime
) -> Upload:
    """Take a file in, piece by piece, and return its upload; the same file still on its way is that upload again.

    Raises NotFound when the person does not run the profile, TooLarge, Invalid for an empty file, AlreadyUploaded
    naming the work, StoreUnavailable. An upload that stops half way leaves nothing. Not to be called in a transaction.
    """
    if not publishing.manages(creator_id=creator_id, person_id=person_id):
        raise NotFound("there is no such profile of yours")
    with tempfile.TemporaryDirectory(prefix="refrain-receive-") as folder:
        path = Path(folder) / "original"
        sha256, size = _spool(chunks, path)
        upload = Upload(
            person_id=person_id,
            creator_id=creator_id,
            filename=naming.file_name(filename),
            size_bytes=size,
            sha256=sha256,
            created_at=now,
            # Nobody may begin before the file is in the store. If this process dies, the lease runs out, and the file
            # is found to be missing.
            leased_until=now + STORING,
        )
        upload.original_key = f"originals/{upload.id}"
        earlier = _enter(upload)
        if earlier is not None:
            return earlier
        _store_original(upload, path, now=now)
    return upload


def _spool(chunks: Iterable[bytes], path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.UPLOAD_BYTES_MAX:
                raise TooLarge(
                    f"The file is larger than {settings.UPLOAD_BYTES_MAX:,} bytes, which is the most that can be taken"
                    " in for now. Nothing of it was kept.",
                    bytes_most=settings.UPLOAD_BYTES_MAX,
                )
            digest.update(chunk)
            file.write(chunk)
    if size == 0:
        raise Invalid("The file is empty. Nothing was taken in.")
    return digest.hexdigest(), size


def _enter(upload: Upload) -> Upload | None:
    """Write the row, or return the upload of the same file that is still on its way. Raises AlreadyUploaded."""
    with transaction.atomic():
        leases.lock(f"{upload.creator_id}:{upload.sha256}")
        same = Upload.objects.filter(creator_id=upload.creator_id, sha256=upload.sha256)
        # One that stopped on its way into the store must not hold up the person who sends the file again.
        same.filter(
            state=Upload.State.RECEIVED,
            attempts=0,
            leased_until__isnull=False,
            created_at__lt=upload.created_at - STORES_WITHIN,
        ).update(
            state=Upload.State.REJECTED,
            reason="The upload stopped half way, and the file was sent again.",
            finished_at=upload.created_at,
            leased_until=None,
        )
        earlier = same.exclude(state=Upload.State.REJECTED).select_related("work").order_by("created_at").first()
        if earlier is None:
            upload.save(force_insert=True)
            return None
    if earlier.work is None:
        return earlier
    raise AlreadyUploaded(
        f"This very file is already the work “{earlier.work.title}”. Nothing was taken in a second time.",
        work=str(earlier.work.id),
    )


def _store_original(upload: Upload, path: Path, *, now: datetime) -> None:
    try:
        store.put(key=upload.original_key, path=path, content_type="application/octet-stream")
    except store.FAULTS as error:
        logger.exception("upload %s could not be stored", upload.id)
        reason = "The file could not be stored: the store did not answer. Send it again in a while."
        _arriving(upload).update(state=Upload.State.REJECTED, reason=reason, finished_at=now, leased_until=None)
        raise StoreUnavailable(reason) from error
    _arriving(upload).update(leased_until=None)
    upload.refresh_from_db()


def _arriving(upload: Upload) -> QuerySet[Upload]:
    return Upload.objects.filter(id=upload.id, state=Upload.State.RECEIVED, attempts=0)
