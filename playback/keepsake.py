"""Keepsake: the pages in a zip by which a library is looked at and heard from a disk, without a server or a network.

They are written with the face of the site: its tokens, components and fonts, and a style and a small script of their
own. They name nothing that is not in the zip, and forbid the browser to fetch anything else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from catalog.copies.kept import Kept
from members import clock
from playback.library import Shelved

ON_A_PAGE = 250
# What browsers show and play by themselves; the rest is offered as a file.
SHOWN = {"image/jpeg", "image/png", "image/webp"}
HEARD = {"audio/flac", "audio/x-flac", "audio/mpeg", "audio/ogg", "audio/opus", "audio/wav", "audio/x-wav", "audio/mp4"}
FACE = {
    "tokens.css": "tokens.css",
    "base.css": "base.css",
    "keepsake.css": "playback/keepsake.css",
    "keepsake.js": "playback/keepsake.js",
    "mark.svg": "mark.svg",
    "fonts/OFL-Besley.txt": "fonts/OFL-Besley.txt",
    "fonts/OFL-FamiljenGrotesk.txt": "fonts/OFL-FamiljenGrotesk.txt",
    **{
        f"fonts/{name}.woff2": f"fonts/{name}.woff2"
        for name in (
            "besley-latin-wght-normal",
            "besley-latin-wght-italic",
            "besley-latin-ext-wght-normal",
            "familjen-grotesk-latin-wght-normal",
            "familjen-grotesk-latin-ext-wght-normal",
        )
    },
}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A work with where its files lie in the zip; an empty path is none."""

    work: Shelved
    path: str
    file: Kept | None
    cover: str
    certificate: str
    certified: dict[str, Any]

    @property
    def is_shown(self) -> bool:
        """Whether a browser shows the file as a picture."""
        return self.file is not None and bool(self.path) and self.file.content_type in SHOWN

    @property
    def is_heard(self) -> bool:
        """Whether a browser plays the file."""
        return self.file is not None and bool(self.path) and self.file.content_type in HEARD


def pages(pieces: Sequence[Piece], *, missing: Sequence[dict[str, str]], now: datetime) -> Iterator[tuple[str, Any]]:
    """Yield the path and the content of each file of the pages."""
    parts = [pieces[start : start + ON_A_PAGE] for start in range(0, len(pieces), ON_A_PAGE)] or [pieces]
    names = ["index.html", *(f"page-{n}.html" for n in range(2, len(parts) + 1))]
    for number, (name, part) in enumerate(zip(names, parts, strict=True), start=1):
        context = {
            "tracks": [piece for piece in part if not piece.work.facts.is_photo],
            "photos": [piece for piece in part if piece.work.facts.is_photo],
            "all_works": len(pieces),
            "paid_micros": sum(piece.work.paid_micros for piece in pieces),
            "missing": missing if number == 1 else [],
            "names": names if len(names) > 1 else [],
            "name": name,
            "packed_at": now.astimezone(clock.zone()),
            "site": settings.BASE_URL,
        }
        yield name, render_to_string("playback/keepsake/page.html", context)
    for path, source in FACE.items():
        yield f"face/{path}", static(source)


def static(name: str) -> bytes:
    """Return a static file of ours."""
    path = finders.find(name)
    assert isinstance(path, str), name
    with open(path, "rb") as file:  # noqa: PTH123  (the finders speak of paths as texts)
        return file.read()
