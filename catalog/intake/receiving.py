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

from catalog import naming, publishing, store, versions
from catalog.intake import leases, rooms, sniffing
from catalog.models import Creator, Upload, Work
from members.problems import Invalid, NotFound, Problem

logger = logging.getLogger(__name__)

# What is enough to tell a photo from a recording.
HEAD_BYTES = 16
PHOTO_MARKS = tuple(mark for mark, _ in sniffing.PHOTO_MARKS)
FOLDER_MOST = 255
# How long a file usually takes into the store at most, and after how long its row counts as left behind.
STORES_WITHIN, STORING = timedelta(minutes=1), timedelta(minutes=15)


class TooLarge(Problem):
    """The file is larger than what can be taken in; nothing of it was kept."""

    slug, status, title = "file-too-large", 413, "The file is too large"


class AlreadyUploaded(Problem):
    """The same file of the same creator is a work already, which `work` names, or the artwork of its folder."""

    slug, status, title = "already-uploaded", 409, "This file is a work already"


class StoreUnavailable(Problem):
    """The file could not be stored: a fault of the service, not of the file."""

    slug, status, title = "store-unavailable", 503, "The file could not be stored"


def folder_name(path: str) -> str:
    """Return the path of a folder among the files that were sent together: clean parts, joined by slashes."""
    parts = (naming.clean(part, most=FOLDER_MOST) for part in path.replace("\\", "/").split("/"))
    return "/".join(part for part in parts if part not in ("", ".", ".."))[-FOLDER_MOST:].strip("/")


def most_bytes(head: bytes) -> int:
    """Return how many bytes a file may have that begins with `head`: a photo fewer than a recording."""
    is_photo = head.startswith(PHOTO_MARKS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
    return min(settings.PHOTO_BYTES_MAX, settings.UPLOAD_BYTES_MAX) if is_photo else settings.UPLOAD_BYTES_MAX


def check_size(size: int, *, head: bytes) -> None:
    """Raise TooLarge for a file of `size` bytes that begins with `head` and is larger than its kind may be."""
    most = most_bytes(head)
    if size > most:
        kind = "a photo" if most < settings.UPLOAD_BYTES_MAX else "a recording"
        raise TooLarge(
            f"The file is larger than {most:,} bytes, which is the most that {kind} may have for now. Nothing of it"
            " was kept.",
            bytes_most=most,
        )


def check_sender(*, person_id: uuid.UUID, creator_id: uuid.UUID, replaces: uuid.UUID | None) -> None:
    """Raise NotFound unless the person runs the profile, and the work that the file replaces is the profile's.

    Raises ProfileClosed for one that takes nothing more in.
    """
    if not publishing.manages(creator_id=creator_id, person_id=person_id):
        raise NotFound("there is no such profile of yours")
    if Creator.objects.filter(id=creator_id, closed_at__isnull=False).exists():
        raise publishing.ProfileClosed("Its owner closed this profile. It takes nothing more in.")
    if replaces is not None and not Work.objects.filter(id=replaces, creator_id=creator_id).exists():
        raise NotFound("there is no such work of this profile")


def receive(
    *,
    person_id: uuid.UUID,
    creator_id: uuid.UUID,
    filename: str,
    chunks: Iterable[bytes],
    now: datetime,
    folder: str = "",
    replaces: uuid.UUID | None = None,
) -> Upload:
    """Take a file in, piece by piece, and return its upload; the same file still on its way is that upload again.

    `folder` is where it lay among the files it came with; `replaces` names the work whose file it is from now on.
    Raises NotFound when the person does not run the profile, TooLarge, Invalid for an empty file, AlreadyUploaded
    naming the work, StoreUnavailable. An upload that stops half way leaves nothing. Not to be called in a transaction.
    """
    check_sender(person_id=person_id, creator_id=creator_id, replaces=replaces)
    with tempfile.TemporaryDirectory(prefix=f"{rooms.PREFIX}receive-") as room:
        path = Path(room) / "original"
        sha256, size = _spool(chunks, path)
        upload = Upload(
            person_id=person_id,
            creator_id=creator_id,
            filename=naming.file_name(filename),
            folder=folder_name(folder),
            replaces_id=replaces,
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
    digest, size, head = hashlib.sha256(), 0, b""
    with path.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if len(head) < HEAD_BYTES:
                head = (head + chunk)[:HEAD_BYTES]
            check_size(size, head=head)
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
        known = list(same.exclude(state=Upload.State.REJECTED).select_related("work").order_by("created_at"))
        # The artwork of one folder may be that of another, too.
        known = [one for one in known if not one.found.get("artwork") or one.folder == upload.folder]
        on_its_way = next((one for one in known if one.state not in leases.FINISHED), None)
        if on_its_way is not None:
            return on_its_way
        if not known or _goes_back(upload):
            upload.save(force_insert=True)
            return None
    work = known[0].work
    if work is None:
        raise AlreadyUploaded("This very picture is the artwork of its folder already. Nothing was taken in.")
    raise AlreadyUploaded(
        f"This very file is already the work “{work.title}”. Nothing was taken in a second time.", work=str(work.id)
    )


def _goes_back(upload: Upload) -> bool:
    """Return whether the file is one that the work it replaces had before, and has no longer."""
    if upload.replaces_id is None:
        return False
    of_the_work = [version.sha256 for version in versions.of(upload.replaces_id)]
    return upload.sha256 in of_the_work and upload.sha256 != of_the_work[-1]


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
