"""Takings: the files of a work that its owner takes along, in every state of the catalogue."""

from datetime import datetime, timedelta
from uuid import UUID

from catalog.copies import downloads, kept
from catalog.copies.kept import Kept
from catalog.facts import Facts
from members.problems import Invalid, Problem
from playback import library

FORMATS = ("original", "flac", "mp3", "opus")
# A program that polls sees a failure for so long; after it, asking tries again.
TRIED_AGAIN_AFTER = timedelta(minutes=10)
NAMES = {"original": "Its own format", "flac": "FLAC", "mp3": "MP3", "opus": "Opus"}


class DownloadFailed(Problem):
    """The file could not be made."""

    slug, status, title = "download-failed", 409, "This file could not be made"


def formats(work: Facts) -> list[str]:
    """Return what the work can be taken along as: a photo as it is, FLAC only of what was lossless before."""
    if work.is_photo:
        return ["original"]
    return [one for one in FORMATS if one != "flac" or work.lossless]


def take(*, person_id: UUID, work_id: UUID, format: str, now: datetime, bought: bool = False) -> Kept:  # noqa: A002
    """Return a file of a work that the person owns; ask for it if it was never made. It is ready, or being made.

    A work whose file was replaced can be had as it is now, or as it was when it became theirs (`bought`).

    Raises NotFound for a work that is not theirs, and Invalid for a format it cannot be had in.
    """
    held = library.owned(person_id=person_id, work_id=work_id)
    if format not in FORMATS:
        raise Invalid(f"The format is one of {', '.join(FORMATS)}.")
    return Kept.of(downloads.ask(work_id=work_id, format=format, now=now, as_of=held.owned_at if bought else None))


def take_or_refuse(*, person_id: UUID, work_id: UUID, format: str, now: datetime, bought: bool = False) -> Kept:  # noqa: A002
    """Do as `take`, and raise DownloadFailed once for a file that could not be made; asked again, it is tried again."""
    held = library.owned(person_id=person_id, work_id=work_id)
    at = {work_id: held.owned_at} if bought and held.owned_at else None
    last = kept.of([work_id], at=at).get(work_id, {}).get(format)
    if last is not None and last.has_failed and now < last.asked_at + TRIED_AGAIN_AFTER:
        raise DownloadFailed(last.reason)
    return take(person_id=person_id, work_id=work_id, format=format, now=now, bought=bought)
