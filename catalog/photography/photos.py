"""Photos on their way in: what one is, and its previews, full-size view and cover. All of it is made in the sandbox.

The decoders of pictures are written in C and read files of strangers, so the process that runs them (`pictures`) has
few rights, a bounded memory of its own, and ends with its photo; the worker itself stays small however many pixels
there are.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.staticfiles import finders

from catalog import sandbox
from catalog.intake.sniffing import PHOTO_FORMS, PhotoForm, Unreadable
from catalog.models import Upload
from catalog.photography import pictures

logger = logging.getLogger(__name__)

# 105 million pixels of four bytes, twice, and what a progressive JPEG or a WebP needs beside them.
LIMITS = sandbox.Limits(seconds=300, memory_bytes=2_000_000_000)
MEDIA_TYPE = "image/jpeg"
# What a watermark is written with: the letters of western Europe, and the other Latin ones.
FONTS = ("fonts/besley-latin-wght-normal.woff2", "fonts/besley-latin-ext-wght-normal.woff2")
# Ends of a program that its file brought about. Being killed (SIGKILL) may be the machine's doing.
CRASHES = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE")


@dataclass(frozen=True, kw_only=True)
class Photo:
    """What was found in an original. The size is in pixels, upright.

    `shown` may be seen by everybody; that there was a place, or a camera's own number, and how its
    maker described it, is for its creator alone.
    """

    kind: str
    width: int
    height: int
    shown: dict[str, str]
    place: bool
    one_camera: bool
    description: str
    notes: list[str]


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What was made, as files of these names in the folder. Sizes are pixels."""

    view: tuple[int, int]
    sizes: list[dict[str, Any]]
    cover: tuple[int, int]


def is_photo(kind: str) -> bool:
    """Return whether an original of this kind is a photo."""
    return kind in PHOTO_FORMS


def inspect(folder: Path, form: PhotoForm, *, beat: Callable[[], None]) -> Photo:
    """Return what the photo `original` in `folder` is. Raises Unreadable."""
    if (folder / "original").stat().st_size > settings.PHOTO_BYTES_MAX:
        raise Unreadable(
            f"The photo is larger than {settings.PHOTO_BYTES_MAX:,} bytes, which is the most that can be taken in."
        )
    return Photo(kind=form.kind, **_answer(folder, form, ["inspect", form.reader], beat))


def render(folder: Path, form: PhotoForm, *, creator_name: str, beat: Callable[[], None]) -> Rendered:
    """Make `view.jpg`, `cover.jpg` and the watermarked previews of `original` in `folder`. Raises Unreadable."""
    name = creator_name if pictures.nameable(creator_name) else ""
    made = _answer(folder, form, ["render", form.reader, name, *_fonts()], beat)
    return Rendered(view=tuple(made["view"]), sizes=made["sizes"], cover=tuple(made["cover"]))


def _fonts() -> list[str]:
    """Return the paths of the fonts that a watermark is written with."""
    found = [finders.find(font) for font in FONTS]
    if None in found:
        raise sandbox.ProgramMissing(f"the fonts {' and '.join(FONTS)} are not both among the static files")
    return [str(path) for path in found]


def clean(folder: Path, form: PhotoForm, *, beat: Callable[[], None]) -> None:
    """Write `original` in `folder` anew as `clean`, from its picture and allowed metadata alone. Raises Unreadable."""
    _answer(folder, form, ["clean", form.reader, "clean"], beat)


def _answer(folder: Path, form: PhotoForm, words: list[str], beat: Callable[[], None]) -> dict[str, Any]:
    said = bytearray()
    program = sandbox.python("catalog.photography.pictures", *words)
    try:
        for piece in sandbox.stream(program, folder=folder, limits=LIMITS):
            said += piece
            beat()
        answer: dict[str, Any] = json.loads(said)
    except (sandbox.ProgramFailed, ValueError):
        logger.warning("the reader of photos ended", exc_info=True)
        raise Unreadable(f"The file begins like {form.name}, but cannot be read: it is damaged.") from None
    except sandbox.ProgramStopped:
        raise Unreadable(
            f"The file begins like {form.name}, but reading it took far longer than a photo may."
        ) from None
    except sandbox.ProgramKilled as killed:
        if str(killed) not in CRASHES:
            raise
        raise Unreadable(f"The file begins like {form.name}, but nothing can read it: it is damaged.") from None
    if "refused" in answer:
        raise Unreadable(answer["refused"])
    return answer


def shown_of(work_id: UUID) -> dict[str, str]:
    """Return what a page may say about how a photo was taken. One query.

    Keys: camera, lens, exposure, aperture, iso, focal_length, taken_at, artist, copyright; what is unknown lacks.
    """
    newest = Upload.objects.filter(work_id=work_id, state=Upload.State.READY).order_by("-finished_at", "-id")
    found = newest.values_list("found", flat=True).first() or {}
    return dict(found.get("shown", {}))
