"""What a photo says about how it was taken: what may be shown and served of it, and what stays with its creator.

By allow-list: what is not named here is never written into a file that we serve. Where a photo was taken and which
very camera took it (its serial number, its owner's name) are looked for only to tell the creator that they were there.
Used by the process that reads photos, which knows nothing of Django; so neither does this.

The numbers of tags are those of Exif 2.32 and TIFF 6.0.
"""

import math
import re
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from PIL import Image

from catalog import naming

TEXT, SHORT, LONG, RATIONAL, SIGNED_RATIONAL = 2, 3, 4, 5, 10
TEXT_MOST = 200
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
MAKE, MODEL, ORIENTATION, ARTIST, COPYRIGHT = 0x010F, 0x0110, 0x0112, 0x013B, 0x8298
EXPOSURE, APERTURE, ISO, TAKEN, TAKEN_OFFSET, FOCAL, LENS_MAKE, LENS = (
    *(0x829A, 0x829D, 0x8827, 0x9003),
    *(0x9011, 0x920A, 0xA433, 0xA434),
)
# What its maker says it shows: never served with the file, offered to its creator as the text for who cannot see it.
DESCRIPTION = 0x010E
WORDS_LEAST = 3
ALLOWED = {MAKE: TEXT, MODEL: TEXT, ORIENTATION: SHORT, ARTIST: TEXT, COPYRIGHT: TEXT}
ALLOWED_OF_TAKING = {
    EXPOSURE: RATIONAL,
    APERTURE: RATIONAL,
    0x8822: SHORT,  # exposure program
    ISO: SHORT,
    TAKEN: TEXT,
    TAKEN_OFFSET: TEXT,
    0x9204: SIGNED_RATIONAL,  # exposure bias
    0x9207: SHORT,  # metering mode
    0x9209: SHORT,  # flash
    FOCAL: RATIONAL,
    0xA001: SHORT,  # colour space
    0xA402: SHORT,  # exposure mode
    0xA403: SHORT,  # white balance
    0xA405: SHORT,  # focal length as on 35 mm film
    LENS_MAKE: TEXT,
    LENS: TEXT,
}
# The camera's owner, the serial numbers of body and lens, the picture's own number; DNG's for the camera.
NAMING_ONE_CAMERA = (0xA430, 0xA431, 0xA435, 0xA420, 0xC62F)
MAKER_NOTE = 0x927C
MOMENT = re.compile(r"(\d{4}):(\d\d):(\d\d) ([01]\d|2[0-3]):([0-5]\d):([0-5]\d)")
# A tag, its type, how many values, and these as bytes.
Entry = tuple[int, int, int, bytes]


@dataclass
class Said:
    """What a photo says: `image` and `taking` hold the allowed values by tag, cleaned.

    `place` and `one_camera` say whether it also names a place, or one camera or person. `description` is what its maker
    says it shows, for the creator alone.
    """

    image: dict[int, object] = field(default_factory=dict)
    taking: dict[int, object] = field(default_factory=dict)
    place: bool = False
    one_camera: bool = False
    description: str = ""

    @property
    def orientation(self) -> int:
        """Return 1..8, as Exif counts; 1 for an upright photo and for nonsense."""
        value = self.image.get(ORIENTATION)
        return value if isinstance(value, int) and 1 <= value <= 8 else 1


def read(exif: Image.Exif) -> Said:
    """Return what is allowed of a photo's EXIF and whether there was more. Whatever is broken in it is left out."""
    said = Said()
    said.image = _allowed(exif, ALLOWED)
    try:
        taking: Mapping[int, object] = exif.get_ifd(EXIF_IFD)
    except Exception:  # noqa: BLE001  (whatever a broken directory makes Pillow stumble over)
        taking = {}
    said.taking = _allowed(taking, ALLOWED_OF_TAKING)
    try:
        said.place = any(tag != 0 for tag in exif.get_ifd(GPS_IFD))
    except Exception:  # noqa: BLE001
        said.place = True
    said.one_camera = any(tag in taking or tag in exif for tag in (*NAMING_ONE_CAMERA, MAKER_NOTE))
    said.description = _described(exif)
    return said


def _described(exif: Image.Exif) -> str:
    """Return what the maker wrote of the picture; cameras write their own name there, in capitals or in two words."""
    words = str(_allowed(exif, {DESCRIPTION: TEXT}).get(DESCRIPTION, ""))
    return words if len(words.split()) >= WORDS_LEAST and not words.isupper() else ""


def _allowed(tags: Mapping[int, object], allowed: Mapping[int, int]) -> dict[int, object]:
    found = {}
    for tag, kind in allowed.items():
        try:
            value = _value(tags.get(tag), kind)
        except (TypeError, ValueError, ArithmeticError, AttributeError):
            continue
        if value is not None:
            found[tag] = value
    return found


def _value(raw: object, kind: int) -> object:
    """Return a value of this kind, clean and within its bounds, or None."""
    if isinstance(raw, tuple) and raw:
        raw = raw[0]
    if raw is None:
        return None
    if kind == TEXT:
        return _text(raw) or None
    if kind == SHORT:
        number = int(raw)  # type: ignore[call-overload]
        return number if 0 <= number <= 0xFFFF else None
    above, below = int(raw.numerator), int(raw.denominator)  # type: ignore[attr-defined]
    least, most = (-(2**31), 2**31 - 1) if kind == SIGNED_RATIONAL else (0, 2**32 - 1)
    within = least <= above <= most and 0 < below <= most and math.isfinite(above / below)
    return (above, below) if within else None


def _text(raw: object) -> str:
    text = raw.decode("latin-1") if isinstance(raw, bytes) else str(raw)
    # Many programs write UTF-8 where the standard has ASCII; Pillow reads it byte by byte.
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode()
    return naming.clean(text.split("\0")[0], most=TEXT_MOST)


def shown(said: Said) -> dict[str, str]:
    """Return what a page may say about how the photo was taken, in the words of photographers; what is unknown lacks.

    Keys: camera, lens, exposure, aperture, iso, focal_length, taken_at (ISO 8601 without a zone), artist, copyright.
    """
    image, taking = said.image, said.taking
    found = {
        "camera": _with_maker(image.get(MAKE), image.get(MODEL)),
        "lens": _with_maker(taking.get(LENS_MAKE), taking.get(LENS)),
        "exposure": _seconds(taking.get(EXPOSURE)),
        "aperture": _number(taking.get(APERTURE), before="f/"),
        "iso": str(taking.get(ISO) or ""),
        "focal_length": _number(taking.get(FOCAL), after=" mm"),
        "taken_at": _moment(taking.get(TAKEN)),
        "artist": str(image.get(ARTIST, "")),
        "copyright": str(image.get(COPYRIGHT, "")),
    }
    return {name: words for name, words in found.items() if words}


def _with_maker(make: object, model: object) -> str:
    maker, name = str(make or ""), str(model or "")
    if not name or not maker or name.casefold().startswith(maker.split(maxsplit=1)[0].casefold()):
        return name
    return f"{maker} {name}"


def _number(value: object, *, before: str = "", after: str = "") -> str:
    if not isinstance(value, tuple) or value[0] == 0:
        return ""
    return f"{before}{value[0] / value[1]:.4g}{after}"


def _seconds(value: object) -> str:
    if not isinstance(value, tuple) or value[0] == 0:
        return ""
    above, below = value
    return f"{above / below:.3g} s" if above * 3 >= below else f"1/{round(below / above)} s"


def _moment(value: object) -> str:
    match = MOMENT.fullmatch(str(value or ""))
    if match is None:
        return ""
    year, month, day, hour, minute, second = match.groups()
    try:
        taken = date(int(year), int(month), int(day))
    except ValueError:
        return ""
    return f"{taken.isoformat()}T{hour}:{minute}:{second}"


def entries(values: Mapping[int, object], kinds: Mapping[int, int], *, order: str = "<") -> list[Entry]:
    """Return allowed values as the entries of a directory, packed in this order of bytes."""
    packed: list[Entry] = []
    for tag, value in values.items():
        if isinstance(value, str):
            text = value.encode() + b"\0"
            packed.append((tag, TEXT, len(text), text))
        elif isinstance(value, tuple):
            form = "ii" if kinds[tag] == SIGNED_RATIONAL else "II"
            packed.append((tag, kinds[tag], 1, struct.pack(order + form, *value)))
        else:
            packed.append((tag, SHORT, 1, struct.pack(order + "H", value)))
    return packed


def directory(listed: Iterable[Entry], *, at: int, order: str = "<") -> bytes:
    """Return a directory (IFD) that begins at the offset `at` of its file, with the longer values right behind it."""
    sorted_entries = sorted(listed)
    values_at = at + 2 + 12 * len(sorted_entries) + 4
    head, values = struct.pack(order + "H", len(sorted_entries)), b""
    for tag, kind, count, value in sorted_entries:
        if len(value) <= 4:
            where = value.ljust(4, b"\0")
        else:
            where = struct.pack(order + "I", values_at + len(values))
            values += value + b"\0" * (len(value) % 2)
        head += struct.pack(order + "HHI", tag, kind, count) + where
    return head + bytes(4) + values


def two_directories(first: list[Entry], taking: list[Entry], *, at: int, order: str = "<") -> bytes:
    """Return the first directory of a file, at the offset `at`, and behind it the one of how the photo was taken."""
    if not taking:
        return directory(first, at=at, order=order)
    pointer = (EXIF_IFD, LONG, 1, bytes(4))
    behind = at + len(directory([*first, pointer], at=at, order=order))
    pointer = (EXIF_IFD, LONG, 1, struct.pack(order + "I", behind))
    return directory([*first, pointer], at=at, order=order) + directory(taking, at=behind, order=order)


def rebuilt(said: Said) -> bytes:
    """Return EXIF made anew of what is allowed, as it stands in PNG and WebP; b"" if nothing is."""
    if not said.image and not said.taking:
        return b""
    first, taking = entries(said.image, ALLOWED), entries(said.taking, ALLOWED_OF_TAKING)
    return b"II*\0" + struct.pack("<I", 8) + two_directories(first, taking, at=8)
