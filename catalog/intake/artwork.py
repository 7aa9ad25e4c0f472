"""A folder's artwork: the picture that lies beside the recordings of an album, for those that bring none themselves.

People keep one `cover.jpg` in the folder of an album. Sent together with it, it becomes no photo, but takes the place
of the drawn sleeves of the works whose files lay in that folder, whichever of them is ready first. A recording that
brings a picture of its own keeps it.

Whoever ends second sees the first: a recording looks for artwork under the lock in which its work is made, and the
artwork, once it can be found, waits for that lock before it looks for works.
"""

import json
import tempfile
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from catalog import releases, sandbox, store, versions
from catalog.intake import leases, rooms
from catalog.intake.sniffing import Unreadable
from catalog.models import Leftover, Rendition, Transfer, Upload

COVER, SMALL_COVER, SLEEVE = "cover.jpg", "cover-small.jpg", "cover.svg"
MEDIA_TYPE = "image/jpeg"
RECORDINGS = r"\.(flac|wav|aiff?|mp3|m4a|mp4|aac|ogg|oga|opus)$"
FRAMES = sandbox.Limits(seconds=30, memory_bytes=400_000_000)


def is_artwork(upload: Upload) -> bool:
    """Return whether a picture is the artwork of recordings that came, or come, in the same folder. Two queries."""
    if not upload.folder or upload.replaces_id is not None or not releases.is_front(upload.filename):
        return False
    beside = Q(creator_id=upload.creator_id, folder=upload.folder, filename__iregex=RECORDINGS)
    uploads = Upload.objects.filter(beside).exclude(state=Upload.State.REJECTED)
    transfers = Transfer.objects.filter(beside).exclude(state=Transfer.State.REFUSED)
    return uploads.exists() or transfers.exists()


def make(folder: Path, *, prefix: str) -> dict[str, Any]:
    """Store the picture `original` in `folder` as a cover in two sizes; return it as a rendition. Raises Unreadable."""
    program = sandbox.python("catalog.intake.framing", "original", COVER)
    try:
        sizes = json.loads(sandbox.output(program, folder=folder, limits=FRAMES))
    except (sandbox.ProgramFailed, sandbox.ProgramStopped, ValueError):
        raise Unreadable(
            "The picture beside the recordings could not be read. They keep their own, or have a sleeve drawn."
        ) from None
    size = sum(
        store.put(key=prefix + name, path=folder / name, content_type=MEDIA_TYPE) for name in (COVER, SMALL_COVER)
    )
    return rendition(prefix, sizes["cover"], sizes["small"], size)


def rendition(prefix: str, cover: list[int], small: list[int], size_bytes: int) -> dict[str, Any]:
    """Return a cover in two sizes, each [width, height], as the rendition of a work."""
    layout = {**_picture(COVER, cover), "small": _picture(SMALL_COVER, small)}
    return {"prefix": prefix, "layout": layout, "bytes": size_bytes}


def _picture(name: str, size: list[int]) -> dict[str, Any]:
    return {"file": name, "width": size[0], "height": size[1], "content_type": MEDIA_TYPE}


def is_drawn(cover: dict[str, Any] | None) -> bool:
    """Return whether the cover that was made for a work, if any was, is a drawn sleeve."""
    return cover is not None and cover["layout"]["file"] == SLEEVE


def beside(upload: Upload) -> Upload | None:
    """Return the newest artwork of the folder that a recording came in, once its files are there. One query."""
    if not upload.folder:
        return None
    made = Upload.objects.filter(
        creator_id=upload.creator_id,
        folder=upload.folder,
        found__artwork=True,
        state__in=[Upload.State.RENDERED, Upload.State.READY],
    )
    return made.order_by("-created_at", "-id").first()


def copied(artwork: Upload, *, prefix: str) -> dict[str, Any]:
    """Store the artwork once more, under another prefix; return it as a rendition. A work's files are its own."""
    made = artwork.found["made"]["renditions"]["cover"]
    with tempfile.TemporaryDirectory(prefix=f"{rooms.PREFIX}artwork-") as room:
        for name in (COVER, SMALL_COVER):
            path = Path(room) / name
            path.write_bytes(b"".join(store.pieces(made["prefix"] + name)))
            store.put(key=prefix + name, path=path, content_type=MEDIA_TYPE)
    return {**made, "prefix": prefix, "layout": {**made["layout"], "artwork": str(artwork.id)}}


def dress(artwork: Upload, *, now: datetime, beat: Callable[[], None]) -> int:
    """Give the artwork to all works of its folder that have a drawn sleeve; return how many have it. Safe to repeat."""
    with transaction.atomic():
        leases.lock(f"releases of {artwork.creator_id}")
    covers = Rendition.objects.filter(kind=Rendition.Kind.COVER, work_id__in=_works_of(artwork))
    for row in covers.filter(layout__file=SLEEVE).order_by("id"):
        beat()
        _replace(row, copied(artwork, prefix=f"renditions/{row.work_id}/{uuid.uuid4()}/"), now=now)
    return covers.filter(layout__artwork=str(artwork.id)).count()


def _works_of(artwork: Upload) -> list[uuid.UUID]:
    rows = Upload.objects.filter(
        creator_id=artwork.creator_id, folder=artwork.folder, state=Upload.State.READY, work__kind="track"
    )
    return [work_id for work_id in rows.values_list("work_id", flat=True).distinct() if work_id is not None]


def _replace(drawn: Rendition, made: dict[str, Any], *, now: datetime) -> None:
    """Put the artwork in the place of a drawn sleeve, unless something else has taken it meanwhile."""
    with transaction.atomic():
        row = Rendition.objects.select_for_update().filter(id=drawn.id, prefix=drawn.prefix).first()
        if row is not None:
            row.prefix, row.layout, row.size_bytes = made["prefix"], made["layout"], made["bytes"]
            row.save(update_fields=["prefix", "layout", "size_bytes"])
            Leftover.objects.create(prefix=drawn.prefix, remove_after=now + versions.LEFTOVERS_STAY)
    if row is None:
        store.remove_under(made["prefix"])
