"""What is in an original, and all that is made of it: for recordings and photos alike, behind the same two doors.

`find` looks and makes nothing; `make` puts files into the store under names of their own, which only the ingest's last
step shows to anybody.
"""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from catalog import renditions, sleeves, store
from catalog.intake import artwork, probing, sniffing
from catalog.intake.sniffing import Form, PhotoForm
from catalog.models import Rendition
from catalog.photography import photos

COVER, SMALL_COVER, SLEEVE, VIEW = artwork.COVER, artwork.SMALL_COVER, artwork.SLEEVE, "view.jpg"


def find(folder: Path, *, beat: Callable[[], None]) -> tuple[str, dict[str, Any]]:
    """Return the kind of the file `original` in `folder`, and what was found in it. Raises sniffing.Unreadable.

    In all that is found there are title, artist, album, track, date, licence ("" where nothing is said) and notes for
    the creator.
    """
    form = sniffing.sniff(folder / "original")
    if isinstance(form, PhotoForm):
        return _found_in_photo(folder, form, beat)
    return _found_in_recording(folder, form, beat)


def make(
    folder: Path,
    *,
    kind: str,
    found: dict[str, Any],
    work_id: uuid.UUID,
    creator_name: str,
    on_percent: Callable[[int], None],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make and store what a work needs, and return it by kind of rendition, and what was found out about it meanwhile.

    Each is `{"prefix", "layout", "bytes"}`. `on_percent` hears 0..100, at least once a second. Raises
    sniffing.Unreadable.
    """
    if found.get("artwork"):
        return {Rendition.Kind.COVER: artwork.make(folder, prefix=prefix_for(work_id))}, {}
    if photos.is_photo(kind):
        return _photo(folder, kind, work_id, creator_name, on_percent)
    return _track(folder, kind, found, work_id, on_percent)


def _found_in_recording(folder: Path, form: Form, beat: Callable[[], None]) -> tuple[str, dict[str, Any]]:
    recording = probing.inspect(folder, form, beat=beat)
    said = probing.read_tags(folder)
    tags = said["tags"]
    return recording.kind, {
        "codec": recording.codec,
        "demuxer": recording.demuxer,
        "sample_rate": recording.sample_rate,
        "channels": recording.channels,
        "duration_ms": recording.duration_ms,
        "lossless": recording.lossless,
        "title": tags.get("title", ""),
        "artist": tags.get("artist", ""),
        "album": tags.get("album", ""),
        "track": tags.get("track", ""),
        "date": tags.get("date", ""),
        "disc": tags.get("disc", ""),
        "isrc": tags.get("isrc", ""),
        "musicbrainz_recording": tags.get("recording", ""),
        "musicbrainz_release": tags.get("release", ""),
        "licence": tags.get("licence", ""),
        "notes": said["notes"],
        "has_picture": said["cover"] is not None,
    }


def _found_in_photo(folder: Path, form: PhotoForm, beat: Callable[[], None]) -> tuple[str, dict[str, Any]]:
    photo = photos.inspect(folder, form, beat=beat)
    return photo.kind, {
        "width": photo.width,
        "height": photo.height,
        "shown": photo.shown,
        "place": photo.place,
        "one_camera": photo.one_camera,
        "description": photo.description,
        "title": "",
        "artist": photo.shown.get("artist", ""),
        "album": "",
        "track": "",
        "date": photo.shown.get("taken_at", ""),
        "licence": "",
        "notes": photo.notes,
    }


def _photo(
    folder: Path, kind: str, work_id: uuid.UUID, creator_name: str, on_percent: Callable[[int], None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    form = sniffing.PHOTO_FORMS[kind]
    made = photos.render(folder, form, creator_name=creator_name, beat=lambda: on_percent(50))
    view_at, preview_at, cover_at = (prefix_for(work_id) for _ in range(3))

    def put(prefix: str, name: str) -> int:
        on_percent(100)
        return store.put(key=prefix + name, path=folder / name, content_type=photos.MEDIA_TYPE)

    sizes = [{**size, "bytes": put(preview_at, size["file"])} for size in made.sizes]
    stored: dict[str, Any] = {
        Rendition.Kind.VIEW: {"prefix": view_at, "layout": _picture(VIEW, made.view), "bytes": put(view_at, VIEW)},
        Rendition.Kind.PREVIEW: {
            "prefix": preview_at,
            "layout": {"sizes": sizes, "content_type": photos.MEDIA_TYPE},
            "bytes": sum(size["bytes"] for size in sizes),
        },
        Rendition.Kind.COVER: {
            "prefix": cover_at,
            "layout": _picture(COVER, made.cover),
            "bytes": put(cover_at, COVER),
        },
    }
    return stored, {"width": made.view[0], "height": made.view[1]}


def _picture(name: str, size: Sequence[int]) -> dict[str, Any]:
    return {"file": name, "width": size[0], "height": size[1], "content_type": photos.MEDIA_TYPE}


def _track(
    folder: Path, kind: str, found: dict[str, Any], work_id: uuid.UUID, on_percent: Callable[[int], None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    stored: dict[str, Any] = {}
    recording = probing.Recording(
        kind=kind,
        **{name: found[name] for name in ("demuxer", "codec", "sample_rate", "channels", "duration_ms", "lossless")},
    )
    encoded = renditions.encode(folder, recording, on_percent=on_percent)
    target = renditions.segment_seconds_for(recording.duration_ms)
    for kbits in renditions.KBITS:
        prefix = prefix_for(work_id)

        def put(name: str, path: Path, prefix: str = prefix) -> int:
            on_percent(100)
            return store.put(key=prefix + name, path=path, content_type=renditions.MEDIA_TYPE)

        layout, size = renditions.cut(folder, kbits=kbits, target_seconds=target, put=put)
        stored[f"hls-{kbits}"] = {"prefix": prefix, "layout": layout, "bytes": size}
    stored[Rendition.Kind.COVER] = _cover(folder, work_id, encoded, has_picture=found["has_picture"])
    stored[Rendition.Kind.WAVEFORM] = {"prefix": "", "layout": {"peaks": encoded.waveform}, "bytes": 0}
    return stored, {"duration_ms": encoded.duration_ms, "loudness_centilufs": encoded.loudness_centilufs}


def _cover(folder: Path, work_id: uuid.UUID, encoded: renditions.Encoded, *, has_picture: bool) -> dict[str, Any]:
    """Store the artwork of the recording in two sizes, or a sleeve drawn from its sound."""
    prefix = prefix_for(work_id)
    said: dict[str, Any] = probing.read_tags(folder) if has_picture else {"cover": None}
    if said["cover"] is None:
        (folder / SLEEVE).write_text(sleeves.draw(work_id=work_id, loudness=encoded.course))
        stored = store.put(key=prefix + SLEEVE, path=folder / SLEEVE, content_type=sleeves.MEDIA_TYPE)
        layout = {"file": SLEEVE, "width": sleeves.EDGE, "height": sleeves.EDGE}
        return {"prefix": prefix, "layout": {**layout, "content_type": sleeves.MEDIA_TYPE}, "bytes": stored}
    stored = 0
    for name in (COVER, SMALL_COVER):
        stored += store.put(key=prefix + name, path=folder / name, content_type=photos.MEDIA_TYPE)
    return artwork.rendition(prefix, said["cover"], said["small"], stored)


def prefix_for(work_id: uuid.UUID) -> str:
    """Return a new place in the store for files of a work."""
    return f"renditions/{work_id}/{uuid.uuid4()}/"
