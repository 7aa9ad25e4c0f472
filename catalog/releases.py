"""Releases from tags: tracks of one album find each other, and so do photos of one folder.

The first file that names an album makes the release, every later one joins it, whether it came with the same folder or
years after. Albums are told apart by MusicBrainz's id where files have one, else by their title. The order on a release
is that of disc and track numbers, and of file names in a series, until its people arrange it by hand: from then on
whatever joins it comes last.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from stdnum import isrc as isrc_numbers
from stdnum.exceptions import ValidationError as NoNumber

from catalog.models import Release, Upload, Work

NUMBER_MOST = 9_999
# How many tracks an EP has at most, and a single.
EP_MOST, SINGLE_MOST = 6, 1
NUMBERS = re.compile(r"\d+")
ARTWORK = re.compile(
    r"(cover|folder|front|back|albumart|artwork|booklet|cd|disc)\b.*\.(jpe?g|png|webp|tiff?)", re.IGNORECASE
)
FRONT = re.compile(r"(cover|folder|front|albumart)\b.*\.(jpe?g|png|webp)", re.IGNORECASE)

# Where a work stands in the order that its file names: disc and track, or the name's parts.
Place = tuple[Any, ...]


def said_by_tags(found: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a work that its file's tags fill; what is no licence, ISRC or id is left out."""
    columns: dict[str, Any] = {}
    if found.get("licence"):
        columns["licence"] = found["licence"]
    try:
        columns["isrc"] = str(isrc_numbers.validate(found.get("isrc", ""))).upper()
    except NoNumber:
        columns["isrc"] = ""
    columns["musicbrainz_recording"] = _id(found.get("musicbrainz_recording", ""))
    return columns


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def is_artwork(filename: str) -> bool:
    """Return whether a picture beside recordings is called like their artwork, and so is no photo of its own."""
    return ARTWORK.fullmatch(filename) is not None


def is_front(filename: str) -> bool:
    """Return whether a picture beside recordings is called like the front of their sleeve."""
    return FRONT.fullmatch(filename) is not None


def join(work: Work, *, upload: Upload) -> None:
    """Put a new work on the release that its file names, made if there is none; on none if it names none.

    Inside the creator's lock and a transaction. A handful of queries.
    """
    found = upload.found
    release = _series(upload) if work.kind == Work.Kind.PHOTO else _album(upload, found)
    if release is None:
        work.position = _number(found.get("track", ""))
        work.save(update_fields=["position"])
        return
    before = {row.id: row for row in Work.objects.select_for_update().filter(release=release).order_by("id")}
    places = _places(release, before)
    arranged_by_files = {id_: row.position for id_, row in before.items()} == _positions(places)
    work.release = release
    if arranged_by_files:
        after = _positions({**places, work.id: _place(release, found, upload.filename)})
        work.position = after.pop(work.id)
        for id_, position in after.items():
            if before[id_].position != position:
                Work.objects.filter(id=id_).update(position=position)
    else:
        work.position = max((row.position or 0 for row in before.values()), default=0) + 1
    work.save(update_fields=["release", "position"])


def _album(upload: Upload, found: dict[str, Any]) -> Release | None:
    """Return the creator's release that the tags name."""
    if not found["album"]:
        return None
    album_id = _id(found.get("musicbrainz_release", ""))
    mine = (
        Release.objects.filter(creator_id=upload.creator_id)
        .exclude(kind=Release.Kind.SERIES)
        .order_by("created_at", "id")
    )
    if album_id is not None and (known := mine.filter(musicbrainz_release=album_id).first()) is not None:
        return known
    named = mine.filter(title__iexact=found["album"])
    if album_id is not None:
        # Another id is another album of the same name.
        named = named.filter(musicbrainz_release=None)
    earlier = named.first()
    if earlier is None:
        return Release.objects.create(
            creator_id=upload.creator_id,
            title=found["album"],
            kind=_kind(found["track"]),
            released_on=_day(found["date"]),
            musicbrainz_release=album_id,
        )
    if album_id is not None:
        earlier.musicbrainz_release = album_id
        earlier.save(update_fields=["musicbrainz_release"])
    return earlier


def _series(upload: Upload) -> Release | None:
    """Return the creator's series that is called like the folder the photo lay in."""
    title = upload.folder.rpartition("/")[2]
    if not title:
        return None
    series = Release.objects.filter(creator_id=upload.creator_id, kind=Release.Kind.SERIES, title__iexact=title[:200])
    earlier = series.order_by("created_at", "id").first()
    if earlier is not None:
        return earlier
    return Release.objects.create(creator_id=upload.creator_id, title=title[:200], kind=Release.Kind.SERIES)


def _kind(track: str) -> str:
    """Return what a release is called of which a track says how many there are, e.g. 1/4."""
    total = _number(track.partition("/")[2])
    if total is None or total > EP_MOST:
        return Release.Kind.ALBUM
    return Release.Kind.EP if total > SINGLE_MOST else Release.Kind.SINGLE


def _places(release: Release, works: Iterable[UUID]) -> dict[UUID, Place]:
    """Return the place that each work's newest file names."""
    uploads = Upload.objects.filter(work_id__in=list(works), state=Upload.State.READY).order_by("finished_at", "id")
    return {
        row["work_id"]: _place(release, row["found"], row["filename"])
        for row in uploads.values("work_id", "found", "filename")
    }


def _place(release: Release, found: dict[str, Any], filename: str) -> Place:
    if release.kind == Release.Kind.SERIES:
        # IMG_2 comes before IMG_10.
        words = NUMBERS.split(filename.lower())
        numbers = [int(number[:18]) for number in NUMBERS.findall(filename)]
        return tuple(part for pair in zip(words, [*numbers, 0], strict=True) for part in pair)
    return (_number(found.get("disc", "")) or 1, _number(found.get("track", "")))


def _positions(places: dict[UUID, Place]) -> dict[UUID, int | None]:
    """Return the position of each work: its track's number, or counted through where there are discs or file names."""
    tracks = all(len(place) == 2 and isinstance(place[0], int) for place in places.values())
    if tracks and all(disc == 1 for disc, _ in places.values()):
        return {id_: track for id_, (_, track) in places.items()}
    numbered = {id_: place for id_, place in places.items() if place[-1] is not None}
    in_order = sorted(numbered, key=lambda id_: (numbered[id_], str(id_)))
    counted: dict[UUID, int | None] = {id_: number for number, id_ in enumerate(in_order, start=1)}
    return {id_: counted.get(id_) for id_ in places}


def _day(text: str) -> date | None:
    """Return the day that a tag names; a year alone is no day."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _number(text: str) -> int | None:
    number = text.partition("/")[0].strip()
    if number.isascii() and number.isdigit() and 0 < int(number) <= NUMBER_MOST:
        return int(number)
    return None
