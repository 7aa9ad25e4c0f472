"""What a file that somebody takes home says about itself: title, who made it, its licence, where it came from.

Run as a process of its own, inside the sandbox, on a file that ffmpeg made a moment ago from a stranger's. All that the
stranger's tags said is gone by then; what is written here comes from the catalogue alone. So this imports no Django.
"""

import base64
import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, TALB, TCOP, TDRC, TIT2, TPE1, TRCK, TSRC, TXXX, UFID, WCOP, WOAF
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Cover, MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE
from PIL import Image

FRONT_COVER = 3
ITUNES = "----:com.apple.iTunes:"
MUSICBRAINZ = "http://musicbrainz.org"
# How each field is called in Vorbis comments; those of MusicBrainz are its tagger's.
VORBIS = {
    "title": "TITLE",
    "artist": "ARTIST",
    "album": "ALBUM",
    "track": "TRACKNUMBER",
    "date": "DATE",
    "copyright": "COPYRIGHT",
    "licence_url": "LICENSE",
    "credits": "CREDITS",
    "isrc": "ISRC",
    "recording": "MUSICBRAINZ_TRACKID",
    "release": "MUSICBRAINZ_ALBUMID",
    "comment": "COMMENT",
    "address": "WEBSITE",
}
MP4_ATOMS = {
    "title": "\xa9nam",
    "artist": "\xa9ART",
    "album": "\xa9alb",
    "date": "\xa9day",
    "copyright": "cprt",
    "comment": "\xa9cmt",
}
MP4_FREE = {
    "licence_url": "LICENSE",
    "credits": "CREDITS",
    "isrc": "ISRC",
    "recording": "MusicBrainz Track Id",
    "release": "MusicBrainz Album Id",
    "address": "WEBSITE",
}


def label(path: Path, fields: dict[str, Any], cover: Path | None) -> None:
    """Write the fields into the recording at `path`, and the picture at `cover`, in the manner of its kind.

    `fields` has texts under the keys of VORBIS (credits: a list of texts); empty ones are left out.
    """
    said = {name: value for name, value in fields.items() if value}
    art = cover.read_bytes() if cover is not None else b""
    write = {
        ".flac": _flac,
        ".mp3": _mp3,
        ".wav": _wave,
        ".aiff": _aiff,
        ".m4a": _mp4,
        ".ogg": _ogg,
        ".opus": _ogg,
    }
    write[path.suffix](path, said, art)


def _comments(said: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (VORBIS[name], line) for name, value in said.items() for line in (value if isinstance(value, list) else [value])
    ]


def _picture(art: bytes) -> Picture:
    with Image.open(BytesIO(art)) as image:
        width, height = image.size
    picture = Picture()
    picture.type, picture.mime, picture.data = FRONT_COVER, "image/jpeg", art
    picture.width, picture.height, picture.depth = width, height, 24
    return picture


def _flac(path: Path, said: dict[str, Any], art: bytes) -> None:
    file = FLAC(path)
    file.delete()
    file.clear_pictures()
    for name, line in _comments(said):
        file[name] = [*file.get(name, []), line]
    if art:
        file.add_picture(_picture(art))
    file.save()


def _ogg(path: Path, said: dict[str, Any], art: bytes) -> None:
    file = OggOpus(path) if path.suffix == ".opus" else OggVorbis(path)
    file.delete()
    for name, line in _comments(said):
        file[name] = [*file.get(name, []), line]
    if art:
        file["METADATA_BLOCK_PICTURE"] = [base64.b64encode(_picture(art).write()).decode()]
    file.save()


def _id3(tags: ID3, said: dict[str, Any], art: bytes) -> None:
    plain = {"title": TIT2, "artist": TPE1, "album": TALB, "track": TRCK, "date": TDRC, "copyright": TCOP, "isrc": TSRC}
    for name, frame in plain.items():
        if name in said:
            tags.add(frame(encoding=3, text=[said[name]]))
    if "comment" in said:
        tags.add(COMM(encoding=3, lang="eng", desc="", text=[said["comment"]]))
    if "licence_url" in said:
        tags.add(WCOP(url=said["licence_url"]))
    if "address" in said:
        tags.add(WOAF(url=said["address"]))
    if "credits" in said:
        tags.add(TXXX(encoding=3, desc="CREDITS", text=said["credits"]))
    if "recording" in said:
        tags.add(UFID(owner=MUSICBRAINZ, data=said["recording"].encode()))
    if "release" in said:
        tags.add(TXXX(encoding=3, desc="MusicBrainz Album Id", text=[said["release"]]))
    if art:
        tags.add(APIC(encoding=3, mime="image/jpeg", type=FRONT_COVER, desc="", data=art))


def _mp3(path: Path, said: dict[str, Any], art: bytes) -> None:
    MP3(path).delete()
    tags = ID3()
    _id3(tags, said, art)
    tags.save(path, v1=0)


def _wave(path: Path, said: dict[str, Any], art: bytes) -> None:
    file = WAVE(path)
    _chunk(file, said, art)


def _aiff(path: Path, said: dict[str, Any], art: bytes) -> None:
    file = AIFF(path)
    _chunk(file, said, art)


def _chunk(file: Any, said: dict[str, Any], art: bytes) -> None:
    if file.tags is None:
        file.add_tags()
    file.tags.clear()
    _id3(file.tags, said, art)
    file.save()


def _mp4(path: Path, said: dict[str, Any], art: bytes) -> None:
    file = MP4(path)
    file.delete()
    for name, atom in MP4_ATOMS.items():
        if name in said:
            file[atom] = [said[name]]
    for name, word in MP4_FREE.items():
        if name in said:
            lines = said[name] if isinstance(said[name], list) else [said[name]]
            file[ITUNES + word] = [MP4FreeForm(line.encode()) for line in lines]
    if "track" in said:
        file["trkn"] = [(int(said["track"]), 0)]
    if art:
        file["covr"] = [MP4Cover(art, imageformat=MP4Cover.FORMAT_JPEG)]
    file.save()


def main(path: str, fields: str, cover: str) -> None:
    """Label the file at `path` with the fields in the JSON file `fields`; `cover` may be empty."""
    label(Path(path), json.loads(Path(fields).read_text()), Path(cover) if cover else None)
    sys.stdout.write("labelled")
