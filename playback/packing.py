"""Packing: what lies in the zip of a library, and how it is written in one stream.

    refrain-library/
      index.html ...            everything, to look at and hear without a server (keepsake)
      works/CREATOR/FILE        the files, as downloads have them
      covers/  certificates/    sleeves; a signed certificate of each work, the program that checks them, the keys
      library.m3u8  library.json  SHA256SUMS  README.txt
      face/                     style and fonts of the pages

Files are stored, not deflated: sound and pictures do not get smaller. Memory holds one block of one file and the
names of all of them; a zip may be larger than 4 GB and have more than 65 535 files (zip64).
"""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Protocol, cast
from uuid import UUID

from django.template.loader import render_to_string

from catalog import facts, naming, store
from catalog.copies import parcels
from catalog.copies.kept import Kept
from catalog.facts import Facts
from members import clock, wellknown
from playback import certificates, keepsake, library, records
from playback.certificates import NoSigningKey
from playback.keepsake import Piece

FOLDER = "refrain-library"
CHUNK = 200
NAME_MOST = 120
# Names that some system would not write, and letters that some player would not read in a list.
NOT_IN_NAMES = str.maketrans(dict.fromkeys('<>:"|?*#%\\/', "_"))
NOT_AS_NAMES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
# Files a zip of which needs the longer fields.
LARGE = 2**31 - 1
ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/svg+xml": "svg"}
VERIFIER = "playback/verify_certificate.py"


class Beat(Protocol):
    """Says how far the zip is: which part of the bytes, and how many works."""

    def __call__(self, part: float, packed: int) -> None:
        """Say it."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What goes into a zip: whose it is, which works with which files, and which have none."""

    person_id: UUID
    work_ids: list[UUID]
    files: dict[UUID, Kept]
    missing: list[dict[str, str]]
    now: datetime


def missing(work_ids: list[UUID], files: dict[UUID, Kept]) -> dict[UUID, tuple[str, str]]:
    """Return the title and the reason of each work that has no file to pack."""
    lacking = [work_id for work_id in work_ids if work_id not in files or not files[work_id].is_ready]
    told = facts.of(lacking)
    reasons = {work_id: files[work_id].reason if work_id in files else "" for work_id in lacking}
    return {work_id: (told[work_id].title, reasons[work_id] or "It was not made in a day.") for work_id in lacking}


def names(works: list[Facts], files: dict[UUID, Kept]) -> dict[UUID, str]:
    """Return the path of each work's file in the zip, different also where a system ignores case."""
    taken: set[str] = set()
    found = {}
    for work in works:
        if work.work_id not in files or not files[work.work_id].is_ready:
            continue
        folder = f"works/{_name(work.creator)}"
        stem, dot, ending = _name(files[work.work_id].filename or work.title).rpartition(".")
        stem, ending = (stem, dot + ending) if stem else (ending, "")
        path, n = f"{folder}/{stem}{ending}", 2
        while path.lower() in taken:
            path, n = f"{folder}/{stem} ({n}){ending}", n + 1
        taken.add(path.lower())
        found[work.work_id] = path
    return found


def _name(text: str) -> str:
    """Return a name that every file system takes."""
    said = naming.file_name(text.replace("/", "_").translate(NOT_IN_NAMES), most=NAME_MOST).rstrip(". ") or "_"
    return f"_{said}" if said.partition(".")[0].lower() in NOT_AS_NAMES else said


def pack(parcel: parcels.Parcel, contents: Contents, *, beat: Beat) -> None:
    """Write the whole zip into the parcel; `beat` is called after each block."""
    pieces = list(_pieces(contents))
    total = sum(contents.files[piece.work.facts.work_id].size_bytes for piece in pieces if piece.path) or 1
    # It asks for writing and flushing alone, and cannot seek: what follows of a file is written behind it.
    with zipfile.ZipFile(cast("IO[bytes]", parcel), "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        writer = _Writer(archive, contents.now)
        done = packed = 0
        for piece in pieces:
            if not piece.path:
                continue
            file = contents.files[piece.work.facts.work_id]
            packed += 1
            for length in writer.copy(piece.path, file.key, size=file.size_bytes):
                done += length
                beat(min(1.0, done / total), packed)
        for piece in pieces:
            if piece.cover and piece.work.facts.cover:
                for _ in writer.copy(piece.cover, piece.work.facts.cover.key, size=0):
                    beat(1.0, packed)
            if piece.certificate:
                writer.write(piece.certificate, _printed(piece.certified))
        for path, text in _papers(contents, pieces):
            writer.write(path, text)
            beat(1.0, packed)


@dataclass(frozen=True)
class _Writer:
    """Writes files into the zip, all of them dated with the moment at which it was packed."""

    archive: zipfile.ZipFile
    now: datetime

    def copy(self, path: str, key: str, *, size: int) -> Iterator[int]:
        """Write what the store has under `key`, and yield how much after each block."""
        with self.archive.open(self._entry(path), "w", force_zip64=size >= LARGE) as target:
            for block in store.pieces(key):
                target.write(block)
                yield len(block)

    def write(self, path: str, content: str | bytes) -> None:
        """Write a small file."""
        self.archive.writestr(self._entry(path), content)

    def _entry(self, path: str) -> zipfile.ZipInfo:
        local = self.now.astimezone(clock.zone())
        entry = zipfile.ZipInfo(f"{FOLDER}/{path}", local.timetuple()[:6])
        entry.external_attr = 0o644 << 16
        return entry


def _pieces(contents: Contents) -> Iterator[Piece]:
    """Yield each work of the library with where its files lie in the zip."""
    told: dict[UUID, library.Shelved] = {}
    certified: dict[UUID, dict[str, Any]] = {}
    for start in range(0, len(contents.work_ids), CHUNK):
        some = contents.work_ids[start : start + CHUNK]
        told |= library.these(person_id=contents.person_id, work_ids=some, now=contents.now)
        try:
            certified |= certificates.issue_many(
                person_id=contents.person_id, work_ids=some, named=False, now=contents.now
            )
        except NoSigningKey:
            continue
    works = [told[work_id] for work_id in contents.work_ids if work_id in told]
    paths = names([work.facts for work in works], contents.files)
    for work in works:
        work_id, cover = work.facts.work_id, work.facts.cover
        yield Piece(
            work=work,
            path=paths.get(work_id, ""),
            file=contents.files.get(work_id),
            cover=f"covers/{work_id}.{ENDINGS.get(cover.content_type, 'img')}" if cover else "",
            certificate=f"certificates/{work_id}.json" if work_id in certified else "",
            certified=certified.get(work_id, {}),
        )


def _papers(contents: Contents, pieces: list[Piece]) -> Iterator[tuple[str, str | bytes]]:
    """Yield everything in the zip that is neither a work nor a cover nor a certificate."""
    yield from keepsake.pages(pieces, missing=contents.missing, now=contents.now)
    yield "library.m3u8", playlist([(piece.work.facts, piece.path) for piece in pieces if piece.path])
    yield "library.json", _printed(records.everything(person_id=contents.person_id, now=contents.now))
    sums = [f"{piece.file.sha256}  {piece.path}\n" for piece in pieces if piece.path and piece.file]
    yield "SHA256SUMS", "".join(sums)
    yield (
        "README.txt",
        render_to_string("playback/keepsake/readme.txt", {"missing": contents.missing, "now": contents.now}),
    )
    yield "certificates/verify_certificate.py", keepsake.static(VERIFIER)
    yield "certificates/refrain-keys.json", _printed(wellknown.keys())


def playlist(works: list[tuple[Facts, str]]) -> str:
    """Return the tracks as an M3U8 list of paths relative to it, in UTF-8."""
    lines = ["#EXTM3U"]
    for work, path in works:
        if not work.is_photo:
            seconds = round((work.duration_ms or 0) / 1000)
            lines += [f"#EXTINF:{seconds},{work.creator} - {work.title}", path]
    return "\n".join(lines) + "\n"


def _printed(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"
