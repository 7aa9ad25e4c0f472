"""Downloads: a work as a file to keep, in the format somebody asks for, made once by a worker and then kept.

The row is the queue, and says what was made: size, SHA-256 and the fingerprint of all that was written into the file.
When the catalogue says something else of the work since then, whoever asks next gets a file made anew. A work whose
file was replaced is kept in both versions: `ask` takes the moment of which somebody wants it (infra/decisions/0008).

Nobody is asked here whether they may: that is `playback.takings`.
"""

import hashlib
import json
import logging
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet

from catalog import delivery, naming, publishing, store, versions
from catalog.copies import pressing
from catalog.intake import leases, probing, rooms
from catalog.intake.sniffing import Unreadable
from catalog.licences import WORDS
from catalog.models import Download, Leftover, Rendition, Upload, Work
from catalog.photography import metadata, photos
from catalog.sandbox import ProgramKilled, ProgramMissing
from members import clock
from members.problems import Invalid, NotFound

logger = logging.getLogger(__name__)

ORIGINAL = "original"
ATTEMPTS_MOST = 3
# Part of each fingerprint: a change of how files are written makes them anew.
MANNER = 1
NAME_MOST = 180
PERCENT_PRESSED, PERCENT_LABELLED = 85, 90
OURS = (*store.FAULTS, OperationalError, InterfaceError, ProgramMissing, ProgramKilled)
LICENCE_ADDRESSES = {
    "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "cc-by-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "cc-by-sa-3.0": "https://creativecommons.org/licenses/by-sa/3.0/",
    "cc-by-sa-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
}
UNFIT = str.maketrans(dict.fromkeys('<>:"/\\|?*', "-"))


@dataclass(frozen=True, kw_only=True)
class Original:
    """The untouched file of a work, for its creator alone."""

    work: uuid.UUID
    filename: str
    size_bytes: int
    sha256: str
    url: str


def original(*, work_id: uuid.UUID, person_id: uuid.UUID, now: datetime) -> Original:
    """Return the file as its creator sent it, for those who run the profile. Three queries. Raises NotFound."""
    work = Work.objects.filter(id=work_id).only("creator_id").first()
    if work is None or not publishing.manages(creator_id=work.creator_id, person_id=person_id):
        raise NotFound("there is no such work of yours")
    upload = _version(work_id, None)
    return Original(
        work=work_id,
        filename=upload.filename,
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        url=delivery.keep_url(upload.original_key, now=now, filename=upload.filename),
    )


def formats_of(work_id: uuid.UUID, *, as_of: datetime | None = None) -> list[str]:
    """Return the formats that a work can be kept in, its own first. Two queries. Raises NotFound."""
    return _formats(_version(work_id, as_of))


def _formats(upload: Upload) -> list[str]:
    if photos.is_photo(upload.kind):
        return [ORIGINAL]
    lossless = ["flac"] if upload.found.get("lossless") else []
    return [ORIGINAL, *lossless, "mp3", "opus"]


def _version(work_id: uuid.UUID, as_of: datetime | None) -> Upload:
    upload = versions.at(work_id, moment=as_of)
    if upload is None:
        raise NotFound("this work has no file")
    return upload


def ask(*, work_id: uuid.UUID, format: str, now: datetime, as_of: datetime | None = None) -> Download:  # noqa: A002
    """Return the download of a work in a format: ready, or waiting for the worker who makes it.

    `as_of` asks for the file that the work had at that moment, without it for the one it has now. One that failed, or
    was made when the catalogue said something else, waits anew. Raises NotFound, Invalid for a format it cannot have.
    """
    upload = _version(work_id, as_of)
    if format not in _formats(upload):
        raise Invalid(f"This work can be kept as {', '.join(_formats(upload))}.")
    fingerprint = _fingerprint(upload)
    with transaction.atomic():
        found, made = Download.objects.select_for_update().get_or_create(
            upload=upload,
            format=format,
            defaults={"work_id": work_id, "fingerprint": fingerprint, "asked_at": now},
        )
        failed = found.state == Download.State.FAILED
        if not made and (failed or found.fingerprint != fingerprint):
            found.state, found.fingerprint, found.asked_at = Download.State.WAITING, fingerprint, now
            found.percent = found.attempts = 0
            found.leased_until = None
            found.save(update_fields=["state", "fingerprint", "asked_at", "percent", "attempts", "leased_until"])
    return found


def url(download: Download, *, now: datetime) -> str:
    """Return the address that a ready download is saved from, for about an hour. No query."""
    return delivery.keep_url(download.key, now=now, filename=download.filename)


def fields_of(upload: Upload) -> dict[str, Any]:
    """Return what a file of this upload's work says about itself. One query."""
    assert upload.work_id is not None
    work = Work.objects.select_related("creator", "release").get(id=upload.work_id)
    release = work.release
    dated = release.released_on if release is not None else None
    if dated is None and work.published_at is not None:
        dated = clock.day(work.published_at)
    address = f"{settings.BASE_URL}/works/{work.id}"
    recording, album = work.musicbrainz_recording, release.musicbrainz_release if release is not None else None
    return {
        "title": work.title,
        "artist": work.creator.name,
        "album": release.title if release is not None else "",
        "track": str(work.position) if work.position is not None else "",
        "date": dated.isoformat() if dated is not None else "",
        "copyright": f"{work.creator.name}: {WORDS[work.licence][0]}",
        "licence_url": LICENCE_ADDRESSES.get(work.licence, ""),
        "credits": [_credit(credit) for credit in work.credits],
        "isrc": work.isrc,
        "recording": str(recording) if recording is not None else "",
        "release": str(album) if album is not None else "",
        "comment": address,
        "address": address,
    }


def _credit(credit: dict[str, Any]) -> str:
    role, name = str(credit.get("role") or ""), str(credit.get("name") or "")
    return f"{role}: {name}" if role else name


def _fingerprint(upload: Upload) -> str:
    said = {} if photos.is_photo(upload.kind) else {"fields": fields_of(upload), "cover": _cover_key(upload)}
    return hashlib.sha256(json.dumps([MANNER, upload.sha256, said], sort_keys=True).encode()).hexdigest()


def _cover_key(upload: Upload) -> str:
    """Return where the work's artwork is, if it is a picture that tags can carry; a drawn sleeve is none."""
    assert upload.work_id is not None
    cover = Rendition.objects.filter(work_id=upload.work_id, kind=Rendition.Kind.COVER).first()
    if cover is None or cover.layout["content_type"] != "image/jpeg":
        return ""
    return cover.prefix + str(cover.layout["file"])


def waiting(*, now: datetime, limit: int) -> list[uuid.UUID]:
    """Return the oldest downloads that wait and that nobody makes, at most `limit`. One query."""
    free = _queue().filter(leases.free(now)).order_by("asked_at")
    return list(free.values_list("id", flat=True)[:limit])


def _queue() -> QuerySet[Download]:
    return Download.objects.filter(state=Download.State.WAITING)


def make(*, download_id: uuid.UUID, now: datetime) -> bool:
    """Make the file of a download and return whether it is ready now.

    False for one that is made, unknown, held by another worker, cannot be made, or waits for a store that is away.
    """
    hold = leases.claim_row(_queue(), row_id=download_id, now=now)
    if hold is None:
        return False
    download = Download.objects.select_related("upload", "work", "work__creator").get(id=download_id)
    try:
        _make(download, hold)
    except (pressing.CannotPress, Unreadable) as refusal:
        _fail(hold, str(refusal))
        return False
    except leases.LeaseLost:
        logger.warning("download %s was taken over by another worker, or changed", download_id)
        return False
    except OURS:
        logger.exception("download %s waits", download_id)
        hold.rest(counts=False)
        return False
    except Exception:
        hold.rest(counts=True)
        raise
    return True


def _fail(hold: leases.Hold, reason: str) -> None:
    try:
        hold.write(release=True, state=Download.State.FAILED, reason=reason, finished_at=hold.moment())
    except leases.LeaseLost:
        return


@contextmanager
def _room(upload: Upload, hold: leases.Hold) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"{rooms.PREFIX}press-", ignore_cleanup_errors=True) as name:
        try:
            store.fetch(key=upload.original_key, path=Path(name) / "original", beat=hold.beat)
        except FileNotFoundError:
            raise pressing.CannotPress("The original of this work is missing.") from None
        yield Path(name)


def _make(download: Download, hold: leases.Hold) -> None:
    upload = download.upload
    if download.attempts > ATTEMPTS_MOST:
        raise pressing.CannotPress("The file could not be made on three attempts.")
    # The row's fingerprint is that of the moment somebody asked; what is written now may be newer.
    fingerprint = _fingerprint(upload)
    with _room(upload, hold) as folder:
        if photos.is_photo(upload.kind):
            path = folder / "cleaned"
            kind = metadata.cleaned(folder / "original", path)
            ending, content_type = metadata.ENDINGS[kind], metadata.MEDIA_TYPES[kind]
        else:
            to = pressing.format_of(download.format, kind=upload.kind)
            path = _pressed(folder, to, download, hold)
            ending, content_type = to.ending, to.content_type
        size, sha256 = path.stat().st_size, _sha256(path, hold)
        hold.beat(PERCENT_LABELLED)
        key = f"{_folder(download.id)}{uuid.uuid4()}/file{ending}"
        store.put(key=key, path=path, content_type=content_type)
    _show(
        download,
        hold,
        fingerprint=fingerprint,
        key=key,
        filename=_filename(download.work, ending),
        content_type=content_type,
        size_bytes=size,
        sha256=sha256,
    )


def _pressed(folder: Path, to: pressing.Format, download: Download, hold: leases.Hold) -> Path:
    upload = download.upload
    columns = ("demuxer", "codec", "sample_rate", "channels", "duration_ms", "lossless")
    recording = probing.Recording(kind=upload.kind, **{name: upload.found[name] for name in columns})
    path = pressing.press(folder, to, recording, on_percent=lambda percent: hold.beat(percent * PERCENT_PRESSED // 100))
    cover, cover_key = None, _cover_key(upload)
    if cover_key:
        cover = folder / "cover.jpg"
        store.fetch(key=cover_key, path=cover, beat=hold.beat)
    pressing.label(folder, path, fields_of(upload), cover)
    return path


def _show(download: Download, hold: leases.Hold, **columns: Any) -> None:
    """Show the new file, and let the one before it go once its addresses have lapsed."""
    now = hold.moment()
    with transaction.atomic():
        if download.key:
            prefix = download.key.rpartition("/")[0] + "/"
            Leftover.objects.get_or_create(prefix=prefix, defaults={"remove_after": now + versions.LEFTOVERS_STAY})
        hold.write(
            release=True, state=Download.State.READY, percent=100, reason="", finished_at=now, attempts=0, **columns
        )


def _folder(download_id: uuid.UUID) -> str:
    return f"downloads/{download_id}/"


def _filename(work: Work, ending: str) -> str:
    """Return `Artist - Title` with an ending, as every file system takes it."""
    name = naming.clean(f"{work.creator.name} - {work.title}".translate(UNFIT), most=NAME_MOST).strip(". ")
    return (name or "work") + ending


def _sha256(path: Path, hold: leases.Hold) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(store.COPY_BYTES):
            digest.update(block)
            hold.beat()
    return digest.hexdigest()
