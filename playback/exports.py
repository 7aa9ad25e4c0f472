"""Exports: who leaves, leaves with everything they paid for. A zip of a library, made by a worker.

The row is the queue. A turn of work first has every file made that is not there yet (`catalog.copies.downloads`, by
other workers), and comes back while they are made; then it packs all of them in one stream into the store (`packing`).
A turn that is cut off is begun again by the next one, and what it left is removed: packing has no step that must not
happen twice. The zip goes after a week.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.db.models import F

from catalog.copies import downloads, kept, parcels
from catalog.copies.kept import Kept
from catalog.intake import leases
from catalog.intake.leases import Hold, LeaseLost
from members import notices
from members.problems import NotFound, Problem
from playback import library, packing
from playback.library_models import LibraryExport

logger = logging.getLogger(__name__)

# What a track is packed as; photos are packed as what they are.
FORMATS = ("original", "flac", "mp3", "opus")
KEPT_FOR = timedelta(days=7)
# How long a turn waits for the files it asked for, and after how long it packs without those that do not come.
WAIT_SECONDS, PAUSE_SECONDS = 1, 10
# So many files of one library are being made at once, so that other people's wait no longer than a moment.
ASKED_AT_ONCE = 20
PATIENCE = timedelta(hours=24)
ATTEMPTS_MOST = 5
PERCENT_GATHERED, PERCENT_PACKED = 40, 99
SHOWN_MOST = 10
UNFINISHED = (LibraryExport.State.WAITING, LibraryExport.State.PACKING)
FILE = "refrain-library.zip"


class LibraryEmpty(Problem):
    """There is nothing to pack."""

    slug, status, title = "library-empty", 409, "Nothing in this library is owned yet"


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a turn of work leaves: after how many seconds the next is due (None: none is), which downloads to wake."""

    again_after_seconds: int | None = None
    downloads: tuple[UUID, ...] = ()


def ask(*, person_id: UUID, format: str, now: datetime) -> LibraryExport:  # noqa: A002
    """Ask for a zip of what the person owns, tracks in `format`; while one is made, it is that one.

    Raises LibraryEmpty.
    """
    assert format in FORMATS
    works = library.counts(person_id=person_id).owned
    if not works:
        raise LibraryEmpty("Own a work first; what is on the way can be gone on with in your library.")
    asked = LibraryExport(listener_id=person_id, format=format, works=works, asked_at=now)
    try:
        with transaction.atomic():
            asked.save(force_insert=True)
    except IntegrityError:
        return LibraryExport.objects.filter(listener_id=person_id).order_by("-asked_at")[0]
    return asked


def get(*, person_id: UUID, export_id: UUID) -> LibraryExport:
    """Return an export of the person's. Raises NotFound."""
    found = LibraryExport.objects.filter(listener_id=person_id, id=export_id).first()
    if found is None:
        raise NotFound("there is no such export")
    return found


def asked_by(person_id: UUID) -> list[LibraryExport]:
    """Return the last exports of the person, the newest first. One query."""
    return list(LibraryExport.objects.filter(listener_id=person_id).order_by("-asked_at")[:SHOWN_MOST])


def unfinished(*, now: datetime, limit: int) -> list[UUID]:
    """Return exports that nobody works on, the oldest first."""
    waiting = LibraryExport.objects.filter(leases.free(now), state__in=UNFINISHED).order_by("asked_at")
    return list(waiting.values_list("id", flat=True)[:limit])


def advance(*, export_id: UUID, now: datetime) -> Turn:
    """Take a turn at an export and return what is left to do.

    Safe to run twice: what another worker holds, or what is finished, is left alone.
    """
    hold = leases.claim_row(LibraryExport.objects.filter(state__in=UNFINISHED), row_id=export_id, now=now)
    if hold is None:
        return Turn()
    export = LibraryExport.objects.get(id=export_id)
    try:
        if export.attempts > ATTEMPTS_MOST:
            _fail(export, hold)
            return Turn()
        return _turn(export, hold)
    except LeaseLost:
        logger.warning("export %s was taken over", export_id)
        return Turn()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("export %s broke", export_id)
        hold.pause(timedelta(seconds=PAUSE_SECONDS))
        return Turn(again_after_seconds=PAUSE_SECONDS + 1)


def expire(*, now: datetime, limit: int) -> int:
    """Remove zips whose time is over; return how many."""
    due = LibraryExport.objects.filter(state=LibraryExport.State.READY, expires_at__lte=now).order_by("expires_at")
    over = list(due[:limit])
    for export in over:
        _expire(export)
    return len(over)


def _turn(export: LibraryExport, hold: Hold) -> Turn:
    work_ids = library.owned_ids(person_id=export.listener_id)
    chosen = kept.choose(work_ids, wanted=export.format)
    files = _there(chosen)
    lacking = _lacking(export, chosen, files)
    if lacking and hold.moment() < export.asked_at + PATIENCE:
        return _gather(chosen, files, lacking, hold)
    prefix = f"exports/{export.id}/"
    parcels.forget(prefix)
    # Each attempt packs under a name of its own: one that was slow and lost its lease cannot spoil its successor's.
    key = f"{prefix}{export.attempts}/{FILE}"
    missing = [
        {"work": str(work_id), "title": title, "reason": reason}
        for work_id, (title, reason) in packing.missing(work_ids, files).items()
    ]
    hold.write(state=LibraryExport.State.PACKING, percent=PERCENT_GATHERED, works=len(work_ids), missing=missing)

    def beat(part: float, packed: int) -> None:
        hold.beat(
            percent=PERCENT_GATHERED + int(part * (PERCENT_PACKED - PERCENT_GATHERED)),
            packed=packed,
        )

    with parcels.sending(key=key, content_type="application/zip") as parcel:
        packing.pack(
            parcel,
            packing.Contents(
                person_id=export.listener_id, work_ids=work_ids, files=files, missing=missing, now=hold.moment()
            ),
            beat=beat,
        )
    _finish(
        export,
        hold,
        key=key,
        size_bytes=parcel.size_bytes,
        sha256=parcel.sha256,
        packed=sum(file.is_ready for file in files.values()),
    )
    return Turn()


def _there(chosen: dict[UUID, str]) -> dict[UUID, Kept]:
    """Return the file of each work in the format chosen for it, made or not, where it was ever asked for."""
    found = kept.of(chosen)
    return {work_id: found[work_id][wanted] for work_id, wanted in chosen.items() if wanted in found.get(work_id, {})}


def _lacking(export: LibraryExport, chosen: dict[UUID, str], files: dict[UUID, Kept]) -> list[UUID]:
    """Return the works whose file is still to come. One that failed before this was asked for is tried once more."""
    return [
        work_id
        for work_id in chosen
        if work_id not in files
        or files[work_id].is_waiting
        or (files[work_id].has_failed and files[work_id].asked_at < export.asked_at)
    ]


def _gather(chosen: dict[UUID, str], files: dict[UUID, Kept], lacking: list[UUID], hold: Hold) -> Turn:
    """Have some of the files made that are lacking, and come back. A turn that only waits is no attempt that failed."""
    being_made = sum(files[work_id].is_waiting for work_id in lacking if work_id in files)
    unasked = [work_id for work_id in lacking if work_id not in files or not files[work_id].is_waiting]
    asked = [
        downloads.ask(work_id=work_id, format=chosen[work_id], now=hold.moment()).id
        for work_id in unasked[: max(0, ASKED_AT_ONCE - being_made)]
    ]
    done = len(chosen) - len(lacking)
    percent = PERCENT_GATHERED * done // len(chosen)
    hold.pause(timedelta(seconds=WAIT_SECONDS), percent=percent, attempts=F("attempts") - 1)
    return Turn(again_after_seconds=WAIT_SECONDS + 1, downloads=tuple(asked))


def _finish(export: LibraryExport, hold: Hold, **columns: Any) -> None:
    """Show the zip, tell its owner, and let an earlier one go."""
    now = hold.moment()
    with transaction.atomic():
        hold.write(
            release=True,
            state=LibraryExport.State.READY,
            percent=100,
            finished_at=now,
            expires_at=now + KEPT_FOR,
            **columns,
        )
        notices.write(
            person_id=export.listener_id,
            key=f"export:{export.id}",
            subject="Your library is packed",
            body=(
                f"Everything you own is in one zip: {settings.BASE_URL}/library/export\n\n"
                f"It is kept for {KEPT_FOR.days} days.\n"
            ),
            now=now,
        )
    earlier = LibraryExport.objects.filter(listener_id=export.listener_id, state=LibraryExport.State.READY)
    for one in earlier.exclude(id=export.id):
        _expire(one)


def _expire(export: LibraryExport) -> None:
    """Remove a zip. The row says so first, so that no page offers what is gone."""
    LibraryExport.objects.filter(id=export.id).update(state=LibraryExport.State.EXPIRED)
    parcels.forget(f"exports/{export.id}/")


def _fail(export: LibraryExport, hold: Hold) -> None:
    parcels.forget(f"exports/{export.id}/")
    hold.write(
        release=True,
        state=LibraryExport.State.FAILED,
        reason=f"It broke {ATTEMPTS_MOST} times. Ask for it again; if it breaks again, tell us.",
        finished_at=hold.moment(),
    )
