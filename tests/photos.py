"""Photos for tests: every form that may come in, with all that cameras and editors write into them, planted.

`PLANTED` are words and numbers that nobody but the creator may ever be served: a place, serial numbers, names, editors'
histories, thumbnails, and what hides behind a picture.
"""

import io
import random
import struct
import zlib
from functools import cache
from typing import Any

from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import IFDRational

# Latitude and longitude as cameras write them; no other number in these files has these bytes.
PLACE_NUMBERS = ((52, 1), (31, 1), (987_654_321, 1_234_567))
GPS_BYTES = (struct.pack("<II", 987_654_321, 1_234_567), struct.pack(">II", 987_654_321, 1_234_567))
PLANTED = (
    b"SERIAL-4711",
    b"LENS-SERIAL-4712",
    b"OWNER-PLANTED",
    b"MAKER-PLANTED",
    b"UNIQUE-PLANTED",
    b"XMP-PLANTED",
    b"IPTC-PLANTED",
    b"COMMENT-PLANTED",
    b"THUMBNAIL-PLANTED",
    b"SECOND-PLANTED",
    b"BEHIND-PLANTED",
    b"DESCRIPTION-PLANTED",
    b"SOFTWARE-PLANTED",
    *GPS_BYTES,
)
ALLOWED = {
    "camera": "Refrain Test Camera",
    "lens": "Refrain 35 mm",
    "exposure": "1/250 s",
    "aperture": "f/8",
    "iso": "200",
    "focal_length": "35 mm",
    "taken_at": "2018-05-01T12:30:00",
    "artist": "Ana Ærø",
    "copyright": "© Ana",
}
PNG_BEGIN = b"\x89PNG\r\n\x1a\n"
FORMS = ("JPEG", "PNG", "TIFF", "WEBP")
ENDINGS = {"JPEG": "jpg", "PNG": "png", "TIFF": "tiff", "WEBP": "webp"}
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>exif:GPSLatitude='52,31' XMP-PLANTED</x:xmpmeta>"


@cache
def scene(width: int = 320, height: int = 200, mode: str = "RGB") -> Image.Image:
    """Return a picture with a red, a green, a blue and a white corner and a soft ground between."""
    ground = Image.linear_gradient("L").resize((width, height))
    picture = Image.merge("RGB", (ground, ground.transpose(Image.Transpose.FLIP_TOP_BOTTOM), ground))
    draw = ImageDraw.Draw(picture)
    w, h = width // 8, height // 8
    corners = {(0, 0): "red", (width - w, 0): "green", (0, height - h): "blue", (width - w, height - h): "white"}
    for (x, y), colour in corners.items():
        draw.rectangle((x, y, x + w - 1, y + h - 1), fill=colour)
    return picture.convert(mode)


@cache
def noise(width: int = 160, height: int = 120) -> Image.Image:
    """Return a picture that packs badly, so that there is something to cut off."""
    fate = random.Random(7)
    return Image.frombytes("RGB", (width, height), fate.randbytes(width * height * 3))


def exif(*, orientation: int = 1) -> Image.Exif:
    """Return EXIF with everything that is allowed and everything that is not."""
    block = Image.Exif()
    block[0x010F], block[0x0110], block[0x0112] = "Refrain", "Refrain Test Camera", orientation
    # As many programs do: UTF-8, where the standard has ASCII.
    block[0x013B], block[0x8298] = "Ana Ærø".encode(), "© Ana".encode()
    block[0x010E], block[0x0131] = "DESCRIPTION-PLANTED", "SOFTWARE-PLANTED"
    taking = block.get_ifd(0x8769)
    taking[0x829A], taking[0x829D], taking[0x8827] = IFDRational(1, 250), IFDRational(8), 200
    taking[0x920A] = IFDRational(35)
    taking[0x9003], taking[0xA434] = "2018:05:01 12:30:00", "Refrain 35 mm"
    taking[0xA430], taking[0xA431], taking[0xA435] = "OWNER-PLANTED", "SERIAL-4711", "LENS-SERIAL-4712"
    taking[0xA420], taking[0x927C] = "UNIQUE-PLANTED", b"MAKER-PLANTED"
    gps = block.get_ifd(0x8825)
    gps[1], gps[3] = "N", "E"
    gps[2] = gps[4] = tuple(IFDRational(above, below) for above, below in PLACE_NUMBERS)
    return block


def exif_bytes(*, orientation: int = 1) -> bytes:
    """Return that EXIF as JPEG carries it, with a thumbnail that tells behind it."""
    return exif(orientation=orientation).tobytes() + b"THUMBNAIL-PLANTED"


def plain(form: str, picture: Image.Image | None = None, **options: Any) -> bytes:
    """Return a picture in this form, with nothing beside it unless the options say so."""
    content = io.BytesIO()
    (picture or scene()).save(content, form, **options)
    return content.getvalue()


def telling(form: str, *, orientation: int = 1, size: tuple[int, int] = (320, 200)) -> bytes:
    """Return a photo in this form that says everything that a photo can say."""
    return {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp, "TIFF": _tiff}[form](orientation, scene(*size))


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _jpeg(orientation: int, picture: Image.Image) -> bytes:
    whole = plain("JPEG", picture, quality=92)
    told = segment(0xE1, exif_bytes(orientation=orientation))
    told += segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)
    told += segment(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + b"IPTC-PLANTED")
    told += segment(0xE2, b"MPF\0" + b"SECOND-PLANTED")
    told += segment(0xE5, b"MAKER-PLANTED") + segment(0xFE, b"COMMENT-PLANTED")
    second = plain("JPEG", picture.resize((32, 20)), comment=b"SECOND-PLANTED")
    return whole[:2] + told + whole[2:] + second + b"BEHIND-PLANTED"


def _png(orientation: int, picture: Image.Image) -> bytes:
    whole = plain("PNG", picture)
    told = chunk(b"eXIf", exif_bytes(orientation=orientation).removeprefix(b"Exif\0\0"))
    told += chunk(b"tEXt", b"Comment\0COMMENT-PLANTED") + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)
    told += chunk(b"zTXt", b"Software\0\0" + zlib.compress(b"SOFTWARE-PLANTED", 0)) + chunk(b"prVt", b"MAKER-PLANTED")
    at = 8 + 25
    return whole[:at] + told + whole[at:] + b"BEHIND-PLANTED"


def _webp(orientation: int, picture: Image.Image) -> bytes:
    whole = plain("WEBP", picture, quality=90, exif=exif_bytes(orientation=orientation), xmp=XMP)
    own = b"PRIV" + struct.pack("<I", 14) + b"MAKER-PLANTED\0"
    return whole[:4] + struct.pack("<I", len(whole) - 8 + len(own)) + whole[8:] + own + b"BEHIND-PLANTED"


def _tiff(orientation: int, picture: Image.Image) -> bytes:
    block = Image.Exif()
    # Read back from bytes, for only then Pillow writes the directories below the first.
    block.load(exif(orientation=orientation).tobytes())
    block[0x013B], block[0x8298] = "Ana Ærø".encode(), "© Ana".encode()
    block[700], block[33723], block[50740] = XMP, b"IPTC-PLANTED", b"MAKER-PLANTED"
    return plain("TIFF", picture, exif=block) + b"BEHIND-PLANTED"
