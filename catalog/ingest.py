"""Ingest: how a file that was received becomes a work, or is refused with a reason its sender understands.

The row of an Upload is the queue. Each call of `advance` does one step of it, `received -> inspected -> rendered ->
ready`, under a lease that is renewed while it works; whoever dies loses the lease, and the step is done again by
another. A step writes files under names of its own and shows them only in its last transaction, so half a work is
never seen, and what an attempt left behind is removed by the next.
"""

import logging
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from catalog import naming, releases, sandbox, store, versions
from catalog.intake import artwork, contents, leases
from catalog.intake.sniffing import Unreadable
from catalog.models import Rendition, Upload, Work
from catalog.photography import photos

logger = logging.getLogger(__name__)

ATTEMPTS_MOST = 3
# Faults of the machine, of the installation or of the store, not of the file: tried again for as long as they last.
OURS = (*store.FAULTS, OperationalError, InterfaceError, sandbox.ProgramMissing)
WAITS = (
    "It waits: something of ours is missing or away. Nothing is wrong with the file; we were told, and it goes on by"
    " itself."
)
PERCENT_INSPECTED, PERCENT_MADE, PERCENT_RENDERED = 5, 85, 95
# What a file itself decides about its work.
MEASURED = ("duration_ms", "width", "height", "lossless", "loudness_centilufs")
# Folders of attempts on this machine. One untouched for a day belongs to an upload that another machine finished.
ROOM, ABANDONED_SECONDS = "refrain-ingest-", 86_400


def unfinished(*, now: datetime, limit: int) -> list[uuid.UUID]:
    """Return the oldest uploads that are not finished and that nobody holds, at most `limit`. One query."""
    waiting = Upload.objects.exclude(state__in=leases.FINISHED).filter(leases.free(now)).order_by("created_at")
    return list(waiting.values_list("id", flat=True)[:limit])


def advance(*, upload_id: uuid.UUID, now: datetime) -> bool:
    """Do the next step of an upload and return whether another one is left to do at once.

    False for an upload that is finished, unknown, held by another worker, or has to wait: for a store that is away, for
    a program that is missing or cannot begin.
    A fault in our own code is raised; the sweep tries again, and the third time the upload is rejected.
    """
    hold = leases.claim(upload_id=upload_id, now=now)
    if hold is None:
        return False
    upload = Upload.objects.get(id=upload_id)
    try:
        _step(upload, hold)
    except Unreadable as refusal:
        _reject(upload, hold, reason=str(refusal))
        return False
    except leases.LeaseLost:
        logger.warning("upload %s was taken over by another worker", upload_id)
        return False
    except OURS:
        logger.exception("upload %s waits", upload_id)
        hold.rest(counts=False, reason=WAITS)
        return False
    except Exception:
        hold.rest(counts=True)
        raise
    return upload.state != Upload.State.RENDERED


def _step(upload: Upload, hold: leases.Hold) -> None:
    if upload.attempts > ATTEMPTS_MOST:
        raise Unreadable(
            "The file could not be read on three attempts. It was not taken in. If it opens on your own machine,"
            " save it anew (a recording as FLAC or WAV, a photo as JPEG or PNG) and send that."
        )
    step = {Upload.State.RECEIVED: _inspect, Upload.State.INSPECTED: _render, Upload.State.RENDERED: _finish}
    step[Upload.State(upload.state)](upload, hold)


def _reject(upload: Upload, hold: leases.Hold, *, reason: str) -> None:
    """End an upload with a reason; its file and what was made from it go, the row stays for the person to read."""
    try:
        hold.write(release=True, state=Upload.State.REJECTED, reason=reason, finished_at=hold.moment())
    except leases.LeaseLost:
        return
    _empty(upload)


def _empty(upload: Upload) -> None:
    """Remove the files of a rejected upload. One whose files are still there keeps the name of its original."""
    try:
        store.remove(upload.original_key)
        _remove_staged(upload)
    except OURS:
        logger.exception("files of the rejected upload %s are still there", upload.id)
        return
    upload.found.pop("made", None)
    Upload.objects.filter(id=upload.id).update(original_key="", found=upload.found)


def tidy(*, limit: int) -> int:
    """Remove the files of uploads that were rejected while the store was away; return how many were looked at."""
    left = list(Upload.objects.filter(state=Upload.State.REJECTED).exclude(original_key="")[:limit])
    for upload in left:
        _empty(upload)
    return len(left)


@contextmanager
def _room(upload: Upload, hold: leases.Hold) -> Iterator[Path]:
    """Give a folder of its own with the original in it; what killed attempts left on this machine is removed first."""
    prefix = f"{ROOM}{upload.id}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        made = Path(name).stat().st_mtime
        for left in Path(name).parent.glob(f"{ROOM}*"):
            with suppress(FileNotFoundError):
                abandoned = left.name.startswith(prefix) or left.stat().st_mtime < made - ABANDONED_SECONDS
                if abandoned and left != Path(name):
                    shutil.rmtree(left, ignore_errors=True)
        original = Path(name) / "original"
        try:
            store.fetch(key=upload.original_key, path=original, beat=hold.beat)
        except FileNotFoundError:
            raise Unreadable("The upload stopped half way: the file never arrived. Send it again.") from None
        if original.stat().st_size != upload.size_bytes:
            raise Unreadable("The upload stopped half way: only a part of the file arrived. Send it again.")
        yield Path(name)


def _inspect(upload: Upload, hold: leases.Hold) -> None:
    with _room(upload, hold) as folder:
        kind, found = contents.find(folder, beat=hold.beat)
    found["title"] = found["title"] or naming.title_of_file(upload.filename)
    if upload.replaces_id is not None:
        versions.check_kind(upload, is_photo=photos.is_photo(kind))
    if photos.is_photo(kind) and artwork.is_artwork(upload):
        found["artwork"] = True
    hold.write(
        release=True,
        state=Upload.State.INSPECTED,
        kind=kind,
        found=found,
        percent=PERCENT_INSPECTED,
        attempts=0,
        reason="",
    )


def _render(upload: Upload, hold: leases.Hold) -> None:
    found = upload.found
    _remove_staged(upload)
    work_id = uuid.uuid4()
    made: dict[str, Any] = {"work": str(work_id), "renditions": {}}
    # Written down before the first file is, so that an attempt that dies leaves nothing unknown behind.
    found["made"] = made
    hold.write(found=found, percent=PERCENT_INSPECTED)
    with _room(upload, hold) as folder:
        made["renditions"], more = contents.make(
            folder,
            kind=upload.kind,
            found=found,
            work_id=work_id,
            creator_name=upload.creator.name,
            on_percent=lambda percent: hold.beat(
                PERCENT_INSPECTED + percent * (PERCENT_MADE - PERCENT_INSPECTED) // 100
            ),
        )
    found |= more
    hold.write(release=True, state=Upload.State.RENDERED, found=found, percent=PERCENT_RENDERED, attempts=0, reason="")


def _remove_staged(upload: Upload) -> None:
    """Remove the files that an attempt put into the store for a work that was never made."""
    staged = upload.found.get("made")
    if staged and upload.work_id is None:
        store.remove_under(f"renditions/{staged['work']}/")


def _finish(upload: Upload, hold: leases.Hold) -> None:
    """Make the work with all its renditions, or give a work that there is its new file, in one transaction.

    The artwork of a folder becomes no work: those of its folder have it.
    """
    if upload.found.get("artwork"):
        works = artwork.dress(upload, now=hold.moment(), beat=hold.beat)
        words = "The artwork of its folder. " + (
            f"{works} work{'s have' if works > 1 else ' has'} it; what brings a picture of its own keeps that."
            if works
            else "Every work there has a picture already, and keeps it."
        )
        _end(hold, reason=words)
        return
    while not _enter(upload, hold):
        pass


def _end(hold: leases.Hold, **columns: Any) -> None:
    hold.write(release=True, state=Upload.State.READY, percent=100, finished_at=hold.moment(), attempts=0, **columns)


def _enter(upload: Upload, hold: leases.Hold) -> bool:
    """Make the work; False if its folder's artwork came meanwhile: then nothing was written."""
    found = dict(upload.found)
    made = found.pop("made")
    cover = made["renditions"].get(Rendition.Kind.COVER)
    is_drawn = artwork.is_drawn(cover)
    if is_drawn and (beside := artwork.beside(upload)) is not None:
        prefix = contents.prefix_for(uuid.UUID(made["work"]))
        made["renditions"][Rendition.Kind.COVER] = artwork.copied(beside, prefix=prefix)
        hold.write(found=upload.found)
        store.remove_under(cover["prefix"])
        is_drawn = False
    now = hold.moment()
    with transaction.atomic():
        leases.lock(f"releases of {upload.creator_id}")
        if is_drawn and artwork.beside(upload) is not None:
            return False
        measured = {name: found.get(name) for name in MEASURED}
        if upload.replaces_id is None:
            work = _new_work(upload, uuid.UUID(made["work"]), found, measured, now)
        else:
            work = versions.replace(upload, measured=measured, now=now)
        Rendition.objects.bulk_create(
            Rendition(
                work=work,
                kind=kind,
                prefix=rendition["prefix"],
                layout=rendition["layout"],
                size_bytes=rendition["bytes"],
                created_at=now,
            )
            for kind, rendition in made["renditions"].items()
        )
        _end(hold, work=work, found=found, reason="")
    return True


def _new_work(
    upload: Upload, work_id: uuid.UUID, found: dict[str, Any], measured: dict[str, Any], now: datetime
) -> Work:
    work = Work.objects.create(
        id=work_id,
        creator_id=upload.creator_id,
        kind=Work.Kind.PHOTO if photos.is_photo(upload.kind) else Work.Kind.TRACK,
        title=found["title"],
        created_at=now,
        **measured,
        **releases.said_by_tags(found),
    )
    releases.join(work, upload=upload)
    return work
