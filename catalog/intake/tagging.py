"""What a recording says about itself: its tags and its artwork.

Run by the ingest as a process of its own, inside the sandbox: tags are written by strangers, a compressed frame of a
few kilobytes may unfold to gigabytes, and a picture of a few hundred bytes may claim to be a hundred thousand pixels
wide. Whatever happens here, the recording itself is not refused for it. So this file imports no Django.
"""

import base64
import json
import re
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import mutagen
from mutagen.flac import Picture
from mutagen.id3 import ID3, ID3FileType
from mutagen.mp4 import MP4Tags

from catalog import naming

PIXELS_MOST = 36_000_000
PICTURE_BYTES_MOST = 20_000_000
EDGE, SMALL_EDGE = 1_200, 480
SMALL = "cover-small.jpg"
PAPER = (251, 248, 242)
FRONT_COVER = 3
CREATIVE_COMMONS = re.compile(
    r"creativecommons\.org/(?:licenses/(by(?:-sa)?)/([34]\.0)|publicdomain/(zero)/1\.0)", re.IGNORECASE
)

ITUNES = "----:com.apple.iTunes:"
# What each tag is called in ID3, in MP4 and in Vorbis comments.
NAMES = {
    "title": ("TIT2", "\xa9nam", "title"),
    "artist": ("TPE1", "\xa9ART", "artist"),
    "album": ("TALB", "\xa9alb", "album"),
    "track": ("TRCK", "trkn", "tracknumber"),
    "date": ("TDRC", "\xa9day", "date"),
    "disc": ("TPOS", "disk", "discnumber"),
    "isrc": ("TSRC", f"{ITUNES}ISRC", "isrc"),
    "recording": ("UFID:http://musicbrainz.org", f"{ITUNES}MusicBrainz Track Id", "musicbrainz_trackid"),
    "release": ("TXXX:MusicBrainz Album Id", f"{ITUNES}MusicBrainz Album Id", "musicbrainz_albumid"),
}
LENGTHS = {"title": 300, "artist": 120, "album": 200, "track": 20, "date": 40}
LENGTH_OF_OTHERS = 40
LICENCE_WORDS = ("wcop", "tcop", "cprt", "licen", "copyright")


def licence_of(tags: Any) -> str:
    """Return the licence of the catalogue whose address the tags name, e.g. cc-by-sa-3.0; "" if they name none.

    Every program has its own tag for it, so all that speak of a licence or a copyright are looked at.
    """
    # Vorbis comments are a list of pairs that only plays a mapping.
    for key in tags.keys():  # noqa: SIM118
        if any(word in key.lower() for word in LICENCE_WORDS):
            match = CREATIVE_COMMONS.search(str(tags[key])[:2_000])
            if match is not None:
                return "cc0-1.0" if match[3] else f"cc-{match[1].lower()}-{match[2]}"
    return ""


def _first(tags: Any, column: int, names: tuple[str, str, str]) -> str:
    key = names[column]
    if column == 0:
        frames = tags.getall(key) if hasattr(tags, "getall") else []
        # An identifier is bytes, everything else texts.
        identifiers = [frame.data.decode(errors="replace") for frame in frames if hasattr(frame, "owner")]
        texts = (str(part) for frame in frames for part in getattr(frame, "text", ()) if str(part))
        return next(iter([*identifiers, *texts]), "")
    values = tags.get(key) or tags.get(key.replace("tracknumber", "track")) or []
    value = values[0] if isinstance(values, list) and values else values
    if isinstance(value, tuple):
        value = value[0]
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    return str(value) if value else ""


def read_tags(file: Any) -> dict[str, str]:
    """Return the tags of an opened recording that the catalogue uses, each clean and short; missing ones are absent."""
    tags = file.tags
    if tags is None:
        return {}
    column = 0 if isinstance(tags, ID3) else 1 if isinstance(tags, MP4Tags) else 2
    found = {}
    for tag, names in NAMES.items():
        try:
            text = naming.clean(_first(tags, column, names), most=LENGTHS.get(tag, LENGTH_OF_OTHERS))
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            continue
        if text:
            found[tag] = text
    try:
        licence = licence_of(tags)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        licence = ""
    return {**found, "licence": licence} if licence else found


def pictures(file: Any) -> list[tuple[int, bytes]]:
    """Return the pictures in an opened recording with their kind (3 is the front cover)."""
    tags = file.tags
    found = [(picture.type, picture.data) for picture in getattr(file, "pictures", [])]
    if isinstance(tags, ID3):
        found += [(frame.type, frame.data) for frame in tags.getall("APIC")]
    elif isinstance(tags, MP4Tags):
        found += [(FRONT_COVER, bytes(cover)) for cover in tags.get("covr", [])]
    elif tags is not None:
        for text in tags.get("metadata_block_picture", []):
            picture = Picture(base64.b64decode(text))
            found.append((picture.type, picture.data))
    return found


def write_cover(source: bytes, target: Path) -> tuple[int, int]:
    """Write `source` as a JPEG of at most 1200 x 1200 without any metadata, and return its width and height."""
    if len(source) > PICTURE_BYTES_MOST:
        raise ValueError(f"it has {len(source)} bytes")
    # Loading Pillow takes as long as reading the tags of a recording, and most recordings have no picture.
    from PIL import Image, ImageOps  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = PIXELS_MOST
    with Image.open(BytesIO(source), formats=("JPEG", "PNG", "WEBP", "GIF", "BMP")) as picture:
        width, height = picture.size
        if width * height > PIXELS_MOST:
            raise ValueError(f"it has {width} x {height} pixels")
        picture.draft("RGB", (2 * EDGE, 2 * EDGE))
        if picture.mode in ("RGB", "RGBA", "L"):
            picture.thumbnail((EDGE, EDGE))
        upright = ImageOps.exif_transpose(picture).convert("RGBA")
    upright.thumbnail((EDGE, EDGE))
    # A picture of its own: what hangs on the old one (EXIF, comments, profiles) stays behind.
    clean = Image.new("RGB", upright.size, PAPER)
    clean.paste(upright, mask=upright.getchannel("A"))
    clean.save(target, "JPEG", quality=88, progressive=True)
    return clean.size


def write_small_cover(cover: Path, target: Path) -> tuple[int, int]:
    """Write a cover made by `write_cover` as a smaller one for cards, and return its width and height."""
    from PIL import Image  # noqa: PLC0415  (see write_cover)

    with Image.open(cover, formats=("JPEG",)) as picture:
        picture.thumbnail((SMALL_EDGE, SMALL_EDGE), Image.Resampling.LANCZOS)
        picture.save(target, "JPEG", quality=84, progressive=True)
        return picture.size


def _opened(path: Path) -> Any:
    """Return the recording opened for its tags; None if it is of no kind that mutagen knows."""
    try:
        return mutagen.File(path)
    except mutagen.MutagenError:
        # Bare AAC with ID3 in front of it is taken for an MP3, in which it then finds no frame.
        with path.open("rb") as file:
            if file.read(3) != b"ID3":
                raise
        return ID3FileType(path)


def read(path: Path, picture_path: Path) -> dict[str, Any]:
    """Return the tags of the recording at `path`, notes for its creator, and the sizes of its cover if it has one."""
    notes: list[str] = []
    try:
        file = _opened(path)
    except Exception:  # noqa: BLE001  (mutagen raises whatever a broken tag makes it stumble over)
        return {"tags": {}, "cover": None, "notes": ["The tags in the file are broken and were not read."]}
    if file is None:
        return {"tags": {}, "cover": None, "notes": []}
    tags = read_tags(file)
    cover = small = None
    try:
        found = sorted(pictures(file), key=lambda kind_and_bytes: kind_and_bytes[0] != FRONT_COVER)
        if found:
            cover = write_cover(found[0][1], picture_path)
            small = write_small_cover(picture_path, picture_path.with_name(SMALL))
    except Exception:  # noqa: BLE001  (whatever a broken picture makes a decoder raise)
        notes.append("The artwork in the file could not be read; a sleeve is drawn instead.")
        picture_path.unlink(missing_ok=True)
        cover = None
    return {"tags": tags, "cover": cover, "small": small, "notes": notes}


def main(path: str, picture_path: str) -> None:
    """Print what `read` found as one JSON object."""
    sys.stdout.write(json.dumps(read(Path(path), Path(picture_path))))
