"""Files to keep without the worker that makes them: rows and bytes as `catalog.copies.downloads` leaves them."""

import hashlib
from itertools import count
from pathlib import Path

from catalog.models import Download, Rendition, Upload, Work
from members import clock
from tests import cast

_numbers = count(1)
ENDINGS = {"original": "flac", "flac": "flac", "mp3": "mp3", "opus": "opus"}
TYPES = {"original": "audio/flac", "flac": "audio/flac", "mp3": "audio/mpeg", "opus": "audio/ogg"}


def keep(
    store: Path,
    work: Work,
    *,
    content: bytes = b"",
    format: str = "original",  # noqa: A002
    filename: str = "",
    content_type: str = "",
    upload: Upload | None = None,
) -> Download:
    """Put a file into the store and show it as a download of the work's file, the newest unless one is named."""
    content = content or f"the bytes of {work.title}, number {next(_numbers)}".encode()
    named = filename or f"{work.creator.name} - {work.title}.{ENDINGS[format]}"
    made = Download(
        work=work,
        upload=upload or Upload.objects.filter(work=work).latest("finished_at"),
        format=format,
        fingerprint="0" * 64,
        state=Download.State.READY,
        percent=100,
        filename=named,
        content_type=content_type or TYPES[format],
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        asked_at=clock.now(),
        finished_at=clock.now(),
    )
    made.key = f"downloads/{made.id}/{named}"
    path = store / made.key
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    made.save(force_insert=True)
    return made


def give_cover(store: Path, work: Work, content: bytes, *, ending: str, content_type: str, edge: int = 64) -> None:
    """Give a work a cover."""
    prefix = f"renditions/{work.id}/cover/"
    (store / prefix).mkdir(parents=True)
    (store / prefix / f"cover.{ending}").write_bytes(content)
    layout = {"file": f"cover.{ending}", "width": edge, "height": edge, "content_type": content_type}
    Rendition.objects.create(
        work=work, kind="cover", prefix=prefix, layout=layout, size_bytes=len(content), created_at=clock.now()
    )


def own(by: cast.Person, work: Work) -> None:
    """Buy all of a work."""
    cast.buy(by, work, price_micros=50_000_000)
