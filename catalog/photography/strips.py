"""The strips and tiles of which a TIFF is made: found, and the first picture of a file put together anew.

The pixels' own bytes are copied as they are, whatever their depth and packing; of the tags only those that a reader
needs to make pixels of them. Used by the process that reads photos; imports no Django.
"""

import struct
from dataclasses import dataclass, field
from typing import BinaryIO

from catalog.photography import exif
from catalog.photography.segments import (
    NO_PICTURE,
    NOT_COMPLETE,
    PROFILE_MOST,
    Malformed,
    Parts,
    Source,
    check_size,
    copy,
)

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
OFFSETS, LENGTHS, PROFILE, XMP = {273: 279, 324: 325}, (279, 325), 34675, 700
# Edges, depth, packing, colours, resolution, planes, palette, tiles, inks, extra samples, JPEG's tables, YCbCr.
KEPT = frozenset(
    {256, 257, 258, 259, 262, 266, 277, 278, 282, 283, 284, 296, 301, 317, 320, 322, 323, 332, 334, 338, 339, 347}
    | {529, 530, 531, 532}
)
OLD_JPEG, COLOUR_FILTERS = 6, (32803, 34892)
WIDTH, HEIGHT = 256, 257
MODES = {0: "L", 1: "L", 3: "P", 5: "CMYK", 8: "LAB"}
SUBFILE, COMPRESSION, PHOTOMETRIC, DNG_VERSION = 254, 259, 262, 50706
VALUE_MOST = 4_000_000
ENTRIES_MOST = 4_096


@dataclass
class Strips(Parts):
    """The first picture of a TIFF: `kept` are its tags, `order` the order of its bytes, `tag` where strips are told."""

    order: str = "<"
    kept: list[exif.Entry] = field(default_factory=list)
    tag: int = 273


def read_tiff(source: Source) -> Strips:
    """Return the parts of the first picture. Raises Malformed."""
    strips = Strips(order="<" if source[:2] == b"II" else ">")
    tags, following = _directory(source, strips.order)
    if (
        DNG_VERSION in tags
        or _number(tags, SUBFILE, strips.order) & 1
        or (_number(tags, PHOTOMETRIC, strips.order) in COLOUR_FILTERS)
    ):
        raise Malformed("is a camera's raw file. Develop it, and send it as JPEG, PNG, TIFF or WebP.")
    if _number(tags, COMPRESSION, strips.order) == OLD_JPEG:
        raise Malformed("is packed as TIFF was before 1995. Save it anew and send that.")
    strips.size = _number(tags, WIDTH, strips.order), _number(tags, HEIGHT, strips.order)
    check_size(strips.size)
    strips.mode = MODES.get(_number(tags, PHOTOMETRIC, strips.order), "RGB")
    strips.kept = [(tag, *entry) for tag, entry in tags.items() if tag in KEPT]
    strips.icc = tags[PROFILE][2] if PROFILE in tags else b""
    strips.xmp = tags[XMP][2] if XMP in tags else b""
    strips.behind = int(following > 0)
    strips.tag = 324 if 324 in tags else 273
    offsets = _numbers(tags, strips.tag, strips.order)
    lengths = _numbers(tags, OFFSETS[strips.tag], strips.order)
    if not offsets or len(offsets) != len(lengths):
        raise Malformed(NO_PICTURE)
    strips.picture = [(offset, offset + length) for offset, length in zip(offsets, lengths, strict=True)]
    if any(end > len(source) for _, end in strips.picture):
        raise Malformed(NOT_COMPLETE)
    # Strips that all lie in the same place would unfold to many times the file.
    if sum(lengths) > len(source):
        raise Malformed("has more picture in it than it has bytes: it is damaged.")
    return strips


def _directory(source: Source, order: str) -> tuple[dict[int, tuple[int, int, bytes]], int]:
    """Return type, count and bytes of each tag of the first directory, and where the next one is."""
    big = source[2:4] in (b"+\0", b"\0+")
    try:
        at = struct.unpack_from(order + ("Q" if big else "I"), source, 8 if big else 4)[0]
        count = struct.unpack_from(order + ("Q" if big else "H"), source, at)[0]
        at += 8 if big else 2
        tags = {}
        for _ in range(min(count, ENTRIES_MOST)):
            tag, kind, number = struct.unpack_from(order + ("HHQ" if big else "HHI"), source, at)
            length, within = SIZES.get(kind, 0) * number, 8 if big else 4
            place = at + (12 if big else 8)
            if length > within:
                place = struct.unpack_from(order + ("Q" if big else "I"), source, place)[0]
            if 0 < length <= max(VALUE_MOST, PROFILE_MOST) and place + length <= len(source):
                tags[tag] = (kind, number, source[place : place + length])
            at += 20 if big else 12
        following = struct.unpack_from(order + ("Q" if big else "I"), source, at)[0]
    except (struct.error, OverflowError):
        raise Malformed(NOT_COMPLETE) from None
    return tags, following


def _numbers(tags: dict[int, tuple[int, int, bytes]], tag: int, order: str) -> tuple[int, ...]:
    kind, count, content = tags.get(tag, (0, 0, b""))
    return struct.unpack(f"{order}{count}{CODES[kind]}", content) if kind in CODES else ()


def _number(tags: dict[int, tuple[int, int, bytes]], tag: int, order: str) -> int:
    return next(iter(_numbers(tags, tag, order)), 0)


def write_tiff(source: Source, strips: Strips, said: exif.Said, target: BinaryIO) -> None:
    """Write a TIFF of this one picture: its pixels' bytes, the tags they need, and what is allowed of its EXIF."""
    order, at, offsets = strips.order, 8, []
    for begin, end in strips.picture:
        offsets.append(at)
        at += end - begin
    padding = at % 2
    listed = list(strips.kept)
    lengths = [end - begin for begin, end in strips.picture]
    for tag, numbers in ((strips.tag, offsets), (OFFSETS[strips.tag], lengths)):
        listed.append((tag, exif.LONG, len(numbers), struct.pack(f"{order}{len(numbers)}I", *numbers)))
    if strips.icc:
        listed.append((PROFILE, 7, len(strips.icc), strips.icc))
    listed += exif.entries(said.image, exif.ALLOWED, order=order)
    taking = exif.entries(said.taking, exif.ALLOWED_OF_TAKING, order=order)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    target.write(mark + struct.pack(order + "I", at + padding))
    copy(source, strips.picture, target)
    target.write(bytes(padding) + exif.two_directories(listed, taking, at=at + padding, order=order))
