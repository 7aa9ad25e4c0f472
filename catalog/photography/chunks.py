"""The chunks of which PNG and WebP files are made: found, and those that belong to the picture put together anew.

As `segments` does it for JPEG: the picture's own bytes are copied as they are, and only what is known is copied. Used
by the process that reads photos; imports no Django.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from catalog.photography.segments import (
    COPY_BYTES,
    EXIF_MARK,
    HIDDEN,
    NO_PICTURE,
    NOT_COMPLETE,
    PARTS_MOST,
    PROFILE_MOST,
    Malformed,
    Parts,
    Source,
    check_size,
    copy,
)

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What a picture needs to look as it should: palette, transparency, gamma, resolution.
PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"cICP", b"pHYs")
PNG_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
_COLOURS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def _chunks_of_png(source: Source) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, begin and end of each chunk's content."""
    at = len(PNG_SIGNATURE)
    for _ in range(PARTS_MOST):
        header = source[at : at + 8]
        if len(header) < 8:
            raise Malformed(NOT_COMPLETE)
        length, name = struct.unpack(">I4s", header)
        end = at + 8 + length
        if end + 4 > len(source):
            raise Malformed(NOT_COMPLETE)
        yield name, at + 8, end
        at = end + 4
        if name == b"IEND":
            return
    raise Malformed("has more parts than any photo.")


@dataclass
class _Pixels:
    """The packed pixels of a PNG, unpacked only to see that nothing else is in there."""

    most: int
    inflater: "zlib._Decompress" = field(default_factory=zlib.decompressobj)
    unpacked: int = 0

    def take(self, source: Source, begin: int, end: int) -> None:
        """Go on with a part. Raises Malformed if there is something in it that no pixel is made of."""
        for at in range(begin, end, COPY_BYTES):
            piece = source[at : min(end, at + COPY_BYTES)]
            while piece and not self.inflater.eof:
                try:
                    self.unpacked += len(self.inflater.decompress(piece, COPY_BYTES))
                except zlib.error:
                    raise Malformed("is damaged: its picture cannot be unpacked. Send it again.") from None
                piece = self.inflater.unconsumed_tail
            if piece or self.inflater.unused_data or self.unpacked > self.most:
                raise Malformed(HIDDEN)


def read_png(source: Source) -> Parts:
    """Return the parts of a PNG. Raises Malformed, also if there is more in its picture than its pixels."""
    if source[12:16] != b"IHDR" or len(source) < 33:
        raise Malformed(NOT_COMPLETE)
    width, height, depth, colours = struct.unpack(">IIBB", source[16:26])
    parts = Parts(size=(width, height), mode=PNG_MODES.get(colours, "RGB"))
    check_size(parts.size)
    # Every row has a byte more than its pixels; a picture in seven passes has more and shorter rows.
    pixels = _Pixels(most=2 * height * (1 + (width * depth * _COLOURS.get(colours, 4) + 7) // 8) + 64)
    for name, begin, end in _chunks_of_png(source):
        if name == b"IDAT":
            pixels.take(source, begin, end)
        if name in PNG_KEPT:
            _check_sum(source, begin, end)
            parts.picture.append((begin - 8, end + 4))
        else:
            _take_png(name, source[begin : min(end, begin + PROFILE_MOST)], parts)
        parts.behind = len(source) - end - 4
    if not pixels.unpacked:
        raise Malformed(NO_PICTURE)
    return parts


def _take_png(name: bytes, content: bytes, parts: Parts) -> None:
    if name in (b"acTL", b"fdAT"):
        # An animation says of how many pictures it is. One of a single picture is no animation, unless another follows.
        parts.moving |= name == b"fdAT" or content[:4] != b"\0\0\0\1"
    elif name == b"eXIf":
        parts.exif = content.removeprefix(EXIF_MARK)
    elif name == b"iCCP":
        parts.icc = _unpacked_profile(content)
    elif name == b"iTXt" and content.startswith(b"XML:com.adobe.xmp"):
        parts.xmp = content
    elif not name[0] & 0x20:
        # The standard's capital letter: whoever does not know this chunk cannot show the picture.
        raise Malformed("is packed in a way that cannot be read.")


def _check_sum(source: Source, begin: int, end: int) -> None:
    total = zlib.crc32(source[begin - 4 : begin])
    for at in range(begin, end, COPY_BYTES):
        total = zlib.crc32(source[at : min(end, at + COPY_BYTES)], total)
    if total != int.from_bytes(source[end : end + 4]):
        raise Malformed("is damaged: a part of it is not as it was written. Send it again.")


def _unpacked_profile(content: bytes) -> bytes:
    _, _, packed = content.partition(b"\0")
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(packed[1:], PROFILE_MOST)
    except zlib.error:
        return b""
    return profile if inflater.eof else b""


def write_png(source: Source, parts: Parts, target: BinaryIO) -> None:
    """Write the PNG anew: its own chunks, with the EXIF and profile that `parts` hold now behind the first."""
    target.write(PNG_SIGNATURE)
    copy(source, parts.picture[:1], target)
    rest = parts.picture[1:]
    if parts.icc:
        target.write(_png_chunk(b"iCCP", b"profile\0\0" + zlib.compress(parts.icc)))
        # A picture has one or the other.
        rest = [(begin, end) for begin, end in rest if source[begin + 4 : begin + 8] != b"sRGB"]
    if parts.exif:
        target.write(_png_chunk(b"eXIf", parts.exif))
    copy(source, rest, target)


def _png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def read_webp(source: Source) -> Parts:
    """Return the parts of a WebP: its picture and its transparency. Raises Malformed."""
    parts, at, end_of_file = Parts(), 12, 8 + int.from_bytes(source[4:8], "little")
    if end_of_file > len(source):
        raise Malformed(NOT_COMPLETE)
    for _ in range(PARTS_MOST):
        if at + 8 > end_of_file:
            break
        name, length = struct.unpack("<4sI", source[at : at + 8])
        begin, end = at + 8, at + 8 + length
        if end > end_of_file:
            raise Malformed(NOT_COMPLETE)
        if name in (b"VP8 ", b"VP8L", b"ALPH"):
            parts.picture.append((at, end))
            size = _size_of_webp(name, source[begin : begin + 10])
            if size is not None:
                check_size(size)
                parts.size = size
        else:
            _take_webp(name, source[begin : min(end, begin + PROFILE_MOST)], parts)
        at = end + length % 2
    if parts.size == (0, 0) and not parts.moving:
        raise Malformed(NO_PICTURE)
    parts.behind = len(source) - end_of_file
    return parts


def _size_of_webp(name: bytes, head: bytes) -> tuple[int, int] | None:
    """Return width and height, which a picture says in its first bytes; None for what is no picture."""
    if name == b"VP8 " and head[3:6] == b"\x9d\x01\x2a" and len(head) == 10:
        width, height = struct.unpack("<HH", head[6:])
        return width & 0x3FFF, height & 0x3FFF
    if name == b"VP8L" and head[:1] == b"\x2f" and len(head) >= 5:
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _take_webp(name: bytes, content: bytes, parts: Parts) -> None:
    if name in (b"ANIM", b"ANMF"):
        parts.moving = True
    elif name == b"EXIF":
        parts.exif = content.removeprefix(EXIF_MARK)
    elif name == b"ICCP":
        parts.icc = content
    elif name == b"XMP ":
        parts.xmp = content


def write_webp(source: Source, parts: Parts, target: BinaryIO) -> None:
    """Write the WebP anew: its own chunks, with the EXIF and profile that `parts` hold now."""
    names = [source[begin : begin + 4] for begin, _ in parts.picture]
    # A lossless picture says in its fifth byte whether it has transparency; a lossy one has a chunk of it.
    lossless_alpha = b"VP8L" in names and source[parts.picture[names.index(b"VP8L")][0] + 12] & 0x10
    flags = 0x20 * bool(parts.icc) | 0x10 * bool(b"ALPH" in names or lossless_alpha) | 0x08 * bool(parts.exif)
    before = b""
    if flags:
        edges = b"".join(struct.pack("<I", edge - 1)[:3] for edge in parts.size)
        before = _webp_chunk(b"VP8X", struct.pack("<I", flags) + edges)
        before += _webp_chunk(b"ICCP", parts.icc) if parts.icc else b""
    after = _webp_chunk(b"EXIF", parts.exif) if parts.exif else b""
    length = 4 + len(before) + len(after) + sum((end - begin) + (end - begin) % 2 for begin, end in parts.picture)
    target.write(b"RIFF" + struct.pack("<I", length) + b"WEBP" + before)
    for begin, end in parts.picture:
        copy(source, [(begin, end)], target)
        target.write(b"\0" * ((end - begin) % 2))
    target.write(after)


def _webp_chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
