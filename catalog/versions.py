"""Versions: the files a work has had. A newer one takes the place of the older in one moment, and none is forgotten.

Whoever owns a work hears its newest version, and may download that one and the one they bought. What was made of the
older one for listening stays in the store until the last address that was signed for it has lapsed, so that who
listens while a file is replaced hears their sitting out.
"""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from catalog import store
from catalog.intake.sniffing import Unreadable
from catalog.models import Leftover, Rendition, Upload, Work

# A playlist lives for twelve hours at most, an address in it for little more than one.
LEFTOVERS_STAY = timedelta(hours=14)


def of(work_id: uuid.UUID) -> list[Upload]:
    """Return the uploads whose files a work has had, the oldest first; the last is the one it has now. One query."""
    return list(Upload.objects.filter(work_id=work_id, state=Upload.State.READY).order_by("finished_at", "id"))


def at(work_id: uuid.UUID, *, moment: datetime | None) -> Upload | None:
    """Return the upload whose file the work had at `moment` (None: has now); its first one for an earlier moment."""
    known = of(work_id)
    if moment is None:
        return known[-1] if known else None
    then = [upload for upload in known if upload.finished_at is not None and upload.finished_at <= moment]
    return next(iter([*reversed(then), *known]), None)


def check_kind(upload: Upload, *, is_photo: bool) -> None:
    """Raise Unreadable unless the file is of the kind of the work that it replaces."""
    assert upload.replaces_id is not None
    replaced = Work.objects.only("kind").get(id=upload.replaces_id)
    if is_photo != (replaced.kind == Work.Kind.PHOTO):
        kinds = ("a recording", "a photo") if is_photo else ("a photo", "a recording")
        raise Unreadable(f"This work is {kinds[0]}, and the file is {kinds[1]}. Upload it as a work of its own.")


def replace(upload: Upload, *, measured: dict[str, Any], now: datetime) -> Work:
    """Give a work what its new file says of itself, and make place for what was made of it. In a transaction.

    What its people wrote about it (title, credits, licence, price) stays as it is.
    """
    assert upload.replaces_id is not None
    work = Work.objects.select_for_update().get(id=upload.replaces_id)
    for name, value in measured.items():
        setattr(work, name, value)
    work.save(update_fields=list(measured))
    retire(work, now=now)
    return work


def of_many(
    work_ids: Collection[uuid.UUID], *, at: Mapping[uuid.UUID, datetime] | None = None
) -> dict[uuid.UUID, Upload]:
    """Return the upload whose file each work has now, or had at the moment given for it. One query."""
    rows = Upload.objects.filter(work_id__in=work_ids, state=Upload.State.READY).order_by("finished_at", "id")
    found: dict[uuid.UUID, Upload] = {}
    for row in rows:
        assert row.work_id is not None
        moment = at.get(row.work_id) if at is not None else None
        if row.work_id not in found or moment is None or (row.finished_at is not None and row.finished_at <= moment):
            found[row.work_id] = row
    return found


def retire(work: Work, *, now: datetime) -> None:
    """Take the renditions of a work away, to make place for those of another file. Inside the ingest's transaction.

    Their files become leftovers.
    """
    renditions = Rendition.objects.filter(work=work)
    prefixes = set(renditions.exclude(prefix="").values_list("prefix", flat=True))
    Leftover.objects.bulk_create(
        [Leftover(prefix=prefix, remove_after=now + LEFTOVERS_STAY) for prefix in sorted(prefixes)],
        ignore_conflicts=True,
    )
    renditions.delete()


def sweep_leftovers(*, now: datetime, limit: int) -> int:
    """Remove the files of leftovers whose time has come, and return how many prefixes they were."""
    due = list(Leftover.objects.filter(remove_after__lt=now).order_by("remove_after")[:limit])
    for leftover in due:
        store.remove_under(leftover.prefix)
        leftover.delete()
    return len(due)
