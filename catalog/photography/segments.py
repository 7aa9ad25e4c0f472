"""The parts of which a JPEG is made: found, and those that belong to the picture put together anew.

Nothing is decoded, so nothing is lost: the picture's own bytes are copied as they are. What is not part of it (other
metadata, thumbnails, second pictures, whatever lies behind the end) is not copied, because only what is known is.
`chunks` does the same for PNG and WebP. Used by the process that reads photos; imports no Django.
"""

import mmap
import re
import struct
from dataclasses import dataclass, field
from typing import BinaryIO

PIXELS_MOST = 105_000_000
# JPEG can say no more.
EDGE_MOST = 65_000
COPY_BYTES = 1 << 20
# More parts than this are there to keep a reader busy.
PARTS_MOST = 200_000
PROFILE_MOST = 8_000_000
EXIF_MARK, XMP_MARK, ICC_MARK = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
ICC_PART = 65_000
# Files of another kind, hidden where a decoder passes them over: between the last pixel and the end of a picture.
FOREIGN = re.compile(
    rb"<(?:!doctype\s|html|script|iframe|\?php|svg\s[a-z])|%pdf-\d|PK\x03\x04[\x0a\x14\x2d]\x00|Rar!\x1a\x07",
    re.IGNORECASE,
)
# Within a scan FF is followed by a nought or a number of a restart.
_MARKER_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
_MARKER = re.compile(rb"\xff+[^\x00\xff]", re.DOTALL)
_START, _END, _SCAN, _ALONE = 0xD8, 0xD9, 0xDA, frozenset({0x01, *range(0xD0, 0xD9)})
_JFIF, _APP1, _APP2, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Huffman and arithmetic tables, quantization, restart interval, number of lines.
_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})
NOT_COMPLETE = "is not complete: it stops in the middle of the picture. Send it again."
NO_PICTURE = "is damaged or not complete: it has no picture that could be read. Send it again."
HIDDEN = "has something packed into it that is no picture. It was not taken in."

# The bytes of a file, mapped into memory: slices are copied, the whole never is.
Source = mmap.mmap


class Malformed(Exception):
    """The file does not keep to its own form; the text goes on from "The photo "."""


@dataclass
class Parts:
    """What was found in a file. `picture` are the parts to copy, first and last place of each, in their order."""

    picture: list[tuple[int, int]] = field(default_factory=list)
    # Width and height as they are stored, checked before anything is unpacked, and Pillow's name for their kind.
    size: tuple[int, int] = (0, 0)
    mode: str = "RGB"
    head: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    icc: bytes = b""
    moving: bool = False
    # How many bytes lie behind the end of the picture.
    behind: int = 0


def check_size(size: tuple[int, int]) -> None:
    """Raise Malformed unless a photo may have this width and height."""
    width, height = size
    if width < 1 or height < 1:
        raise Malformed(NO_PICTURE)
    if width * height > PIXELS_MOST or max(width, height) > EDGE_MOST:
        raise Malformed(
            f"has {width:,} x {height:,} pixels. Up to {PIXELS_MOST // 1_000_000} million can be taken in,"
            f" on edges of at most {EDGE_MOST:,}."
        )


def copy(source: Source, parts: list[tuple[int, int]], target: BinaryIO) -> None:
    """Write these parts of the source to the target, in pieces."""
    for begin, end in parts:
        target.writelines(source[at : min(end, at + COPY_BYTES)] for at in range(begin, end, COPY_BYTES))


def check_not_foreign(source: Source, parts: list[tuple[int, int]]) -> None:
    """Raise Malformed if a file of another kind is hidden in these parts."""
    with memoryview(source) as view:
        for begin, end in parts:
            with view[begin:end] as part:
                if FOREIGN.search(part):
                    raise Malformed(HIDDEN)


class _Reading:
    """A JPEG as it is gone through, segment by segment."""

    def __init__(self) -> None:
        self.parts, self.profile = Parts(), dict[int, bytes]()
        self.frames = self.scans = 0
        self.ended = False

    def take(self, marker: int, source: Source, begin: int, end: int) -> int:
        """Take in the segment whose length stands at `begin`, and return where the next one is looked for."""
        content = slice(begin + 2, end)
        if marker == _SCAN:
            self.scans += 1
            following = _MARKER_AFTER_SCAN.search(source, end)
            end = len(source) if following is None else following.start()
            self.parts.picture.append((begin - 2, end))
        elif marker in _FRAMES or marker in _TABLES:
            if marker in _FRAMES:
                self._take_frame(source[content])
            self.parts.picture.append((begin - 2, end))
        elif marker == _ADOBE and end - begin == 14 and source[content][:5] == b"Adobe":
            # It says how the colours are coded.
            self.parts.picture.append((begin - 2, end))
        elif marker in (_JFIF, _APP1, _APP2):
            self._take_application(source[content])
        return end

    def _take_frame(self, content: bytes) -> None:
        self.frames += 1
        if len(content) >= 6:
            height, width, colours = struct.unpack(">HHB", content[1:6])
            self.parts.size, self.parts.mode = (width, height), {1: "L", 4: "CMYK"}.get(colours, "RGB")
            check_size(self.parts.size)

    def _take_application(self, content: bytes) -> None:
        if content.startswith(b"JFIF\0") and len(content) >= 14:
            # Without the thumbnail that may follow.
            self.parts.head = content[:12] + bytes(2)
        elif content.startswith(EXIF_MARK) and not self.parts.exif:
            self.parts.exif = content[len(EXIF_MARK) :]
        elif content.startswith(XMP_MARK):
            self.parts.xmp += content[len(XMP_MARK) :]
        elif content.startswith(ICC_MARK) and len(content) > 14:
            self.profile[content[12]] = content[14:]


def read_jpeg(source: Source) -> Parts:
    """Return the parts of a JPEG: tables, frame and scans, without any application's own. Raises Malformed."""
    reading, at = _Reading(), 2
    for _ in range(PARTS_MOST):
        found = _MARKER.search(source, at)
        if found is None:
            break
        marker, begin = source[found.end() - 1], found.end()
        if marker == _END:
            reading.parts.behind, reading.ended = len(source) - begin, True
            break
        if marker in _ALONE:
            at = begin
            continue
        end = begin + int.from_bytes(source[begin : begin + 2])
        if end < begin + 2 or end > len(source):
            break
        at = reading.take(marker, source, begin, end)
    if reading.frames != 1 or reading.scans == 0:
        raise Malformed(NO_PICTURE)
    # A decoder would fill what is missing with grey, and say nothing.
    if not reading.ended:
        raise Malformed(NOT_COMPLETE)
    reading.parts.icc = b"".join(reading.profile[number] for number in sorted(reading.profile))
    return reading.parts


def write_jpeg(source: Source, parts: Parts, target: BinaryIO) -> None:
    """Write the JPEG anew: its own parts, with the EXIF and profile that `parts` hold now."""
    target.write(b"\xff\xd8")
    if parts.head:
        target.write(_segment(_JFIF, parts.head))
    if parts.exif:
        target.write(_segment(_APP1, EXIF_MARK + parts.exif))
    pieces = [parts.icc[at : at + ICC_PART] for at in range(0, len(parts.icc), ICC_PART)]
    target.writelines(
        _segment(_APP2, ICC_MARK + bytes((number, len(pieces))) + piece) for number, piece in enumerate(pieces, start=1)
    )
    copy(source, parts.picture, target)
    target.write(b"\xff\xd9")


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content
