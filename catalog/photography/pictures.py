"""What a photo is, and everything that is made of it. Run by the ingest as a process of its own, inside the sandbox.

A file is first put together anew from the parts of its picture alone (`segments`, `chunks`, `strips`), and only that
is decoded: what buyers get is that file, and what everybody sees was made of it. How many pixels there are is read from
the header before the first is unpacked. All colours become sRGB. Imports no Django.
"""

import io
import json
import mmap
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, ImageCms, ImageDraw, ImageFont

from catalog.photography import chunks, exif, segments, strips
from catalog.photography.segments import Malformed, Parts, Source

PREVIEW_EDGES = (480, 960, 1_600)
COVER_EDGE = 480
WHITE = (255, 255, 255)
VIEW_QUALITY, PREVIEW_QUALITY, COVER_QUALITY = 90, 82, 84
PROGRESSIVE_PIXELS_MOST = 40_000_000
ENDINGS = {"JPEG": "jpg", "PNG": "png", "TIFF": "tiff", "WEBP": "webp"}
# The mark across a preview, in parts of the picture's shorter side, and how it leans.
MARK_WIDTH, NAME_WIDTH, LEANS_DEGREES = 0.62, 0.4, 14
MARK_FILL, MARK_EDGE = (255, 255, 255, 120), (0, 0, 0, 56)
LATIN = frozenset(map(chr, [*range(0x20, 0x7F), *range(0xA0, 0x100), 0x131, 0x152, 0x153, *range(0x2013, 0x2027)]))
LATIN_TOO = frozenset(map(chr, [*range(0x100, 0x250), *range(0x1E00, 0x1F00)]))
UPSIDE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
READERS: dict[str, Callable[[Source], Parts]] = {
    "JPEG": segments.read_jpeg,
    "PNG": chunks.read_png,
    "WEBP": chunks.read_webp,
    "TIFF": strips.read_tiff,
}
LEFT_OUT = "Something else was packed behind the picture in this file. Only the picture was taken in."


def opened(path: Path | BinaryIO, form: str) -> Image.Image:
    """Return the photo with its header read and nothing decoded. Raises Malformed if it has too many pixels."""
    Image.MAX_IMAGE_PIXELS = None
    try:
        picture = Image.open(path, formats=(form,))
    except (OSError, ValueError, SyntaxError, TypeError, ArithmeticError, LookupError) as error:
        raise Malformed(segments.NO_PICTURE) from error
    segments.check_size(picture.size)
    return picture


def read(source: Source, form: str) -> tuple[Parts, exif.Said]:
    """Return the parts of a photo and what it says of itself; nothing of it is decoded. Raises Malformed."""
    parts = READERS[form](source)
    if parts.moving:
        raise Malformed("moves: it is an animation of several pictures. A photo is one. Send the one you mean.")
    segments.check_not_foreign(source, parts.picture)
    if form == "TIFF":
        with opened(io.BufferedReader(_Mapped(source)), form) as picture:
            said = exif.read(picture.getexif())
    else:
        block = Image.Exif()
        try:
            block.load(parts.exif)
        except Exception:  # noqa: BLE001  (whatever broken EXIF makes Pillow stumble over)
            block = Image.Exif()
        said = exif.read(block)
    said.place = said.place or b"exif:GPS" in parts.xmp
    return parts, said


class _Mapped(io.RawIOBase):
    """A mapped file for a reader that wants to close what it was given."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source, self.place = source, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        self.place = max(0, place + {0: 0, 1: self.place, 2: len(self.source)}[whence])
        return self.place

    def readinto(self, buffer: Any) -> int:
        piece = self.source[self.place : self.place + len(buffer)]
        buffer[: len(piece)] = piece
        self.place += len(piece)
        return len(piece)


def _profile(icc: bytes, mode: str) -> ImageCms.ImageCmsProfile | None:
    """Return the colour profile if it is one, of the picture's own kind of colour, with nothing else packed into it."""
    if not icc or segments.FOREIGN.search(icc):
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = profile.profile.xcolor_space.strip()
    except Exception:  # noqa: BLE001  (whatever a broken profile makes the reader raise)
        return None
    fitting = {"RGB": ("RGB", "RGBA", "RGBX", "P", "PA"), "GRAY": ("L", "LA", "1", "I;16"), "CMYK": ("CMYK",)}
    return profile if mode in fitting.get(space, ()) else None


def inspect(path: Path, form: str) -> dict[str, Any]:
    """Return the photo's upright size, what may be shown of how it was taken, and what else was found in it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as source:
        parts, said = read(source, form)
    width, height = parts.size if said.orientation < 5 else parts.size[::-1]
    return {
        "width": width,
        "height": height,
        "shown": exif.shown(said),
        "place": said.place,
        "one_camera": said.one_camera,
        "description": said.description,
        "notes": [LEFT_OUT] if parts.behind else [],
    }


def clean(path: Path, form: str, target: Path) -> None:
    """Write the photo anew from the parts of its picture, with its profile and what is allowed of its EXIF."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as source:
        parts, said = read(source, form)
        parts.icc = parts.icc if _profile(parts.icc, parts.mode) is not None else b""
        parts.exif = exif.rebuilt(said)
        with target.open("wb") as out:
            if form == "JPEG":
                segments.write_jpeg(source, parts, out)
            elif form == "PNG":
                chunks.write_png(source, parts, out)
            elif form == "WEBP":
                chunks.write_webp(source, parts, out)
            else:
                assert isinstance(parts, strips.Strips)
                strips.write_tiff(source, parts, said, out)


def decoded(path: Path, form: str) -> Image.Image:
    """Return the photo upright, in sRGB, on white where it was transparent. Raises Malformed."""
    with opened(path, form) as picture:
        icc = picture.info.get("icc_profile", b"")
        try:
            picture.load()
            orientation = exif.read(picture.getexif()).orientation
        except (OSError, ValueError, SyntaxError, TypeError, ArithmeticError, LookupError) as error:
            raise Malformed(_why(error)) from error
        plain = _in_srgb(picture, icc)
    if orientation in UPSIDE:
        plain = plain.transpose(UPSIDE[orientation])
    return plain


def _why(error: Exception) -> str:
    return segments.NOT_COMPLETE if "truncated" in str(error) else "is damaged: its picture cannot be decoded."


def _in_srgb(picture: Image.Image, icc: bytes) -> Image.Image:
    profile = _profile(icc, picture.mode)
    picture = _plain(picture)
    if profile is None:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    try:
        ours = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, ours, picture.mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
        if picture.mode == "RGB":
            ImageCms.applyTransform(picture, transform, inPlace=True)
            return picture
        turned = ImageCms.applyTransform(picture, transform)
    except ImageCms.PyCMSError:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    assert turned is not None
    return turned


def _plain(picture: Image.Image) -> Image.Image:
    """Return the picture as L, RGB or CMYK with 8 bits a colour, on white."""
    mode = picture.mode
    if mode.startswith("I;16"):
        wide = picture if mode == "I;16" else picture.convert("I")
        return wide.point(lambda value: value * (1 / 256)).convert("L")
    if mode in ("I", "F"):
        raise Malformed("has pixels with a sign or of 32 bits. Save it with 8 or 16 bits a colour and send that.")
    has_alpha = mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
    if has_alpha:
        picture = picture.convert("RGBA")
        if picture.getchannel("A").getextrema() == (255, 255):
            return picture.convert("RGB")
        ground = Image.new("RGBA", picture.size, (*WHITE, 255))
        return Image.alpha_composite(ground, picture).convert("RGB")
    if mode in ("1", "L"):
        return picture.convert("L")
    return picture if mode in ("RGB", "CMYK") else picture.convert("RGB")


def fitted(picture: Image.Image, edge: int) -> Image.Image:
    """Return the whole picture with its longer edge at most `edge` pixels; never larger than it is."""
    width, height = picture.size
    longer = max(width, height)
    if longer <= edge:
        return picture.copy()
    size = max(1, round(width * edge / longer)), max(1, round(height * edge / longer))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def marked(picture: Image.Image, *, name: str, fonts: list[str]) -> Image.Image:
    """Return the picture with Refrain's name and its maker's across it, light on a thin dark edge."""
    width, height = picture.size
    shorter = min(width, height)
    layer = Image.new("RGBA", (2 * shorter, shorter), (255, 255, 255, 0))
    draw = ImageDraw.Draw(layer)
    _write(draw, "Refrain", fonts, across=round(MARK_WIDTH * shorter), at=(shorter, round(0.44 * shorter)), bold=True)
    if name:
        _write(draw, name, fonts, across=round(NAME_WIDTH * shorter), at=(shorter, round(0.6 * shorter)), bold=False)
    # Only what was written on is turned.
    left, top, right, bottom = layer.getbbox() or (0, 0, 1, 1)
    reach_x, reach_y = max(shorter - left, right - shorter), max(abs(shorter // 2 - top), abs(bottom - shorter // 2))
    layer = layer.crop((shorter - reach_x, shorter // 2 - reach_y, shorter + reach_x, shorter // 2 + reach_y))
    layer = layer.rotate(LEANS_DEGREES, resample=Image.Resampling.BILINEAR, expand=True)
    marked_picture = picture.convert("RGB")
    marked_picture.paste(layer, ((width - layer.width) // 2, (height - layer.height) // 2), layer)
    return marked_picture


def _write(
    draw: ImageDraw.ImageDraw, words: str, fonts: list[str], *, across: int, at: tuple[int, int], bold: bool
) -> None:
    """Write words of one line, at most `across` wide, centred on a place."""
    trial = 100
    natural = max(1.0, sum(font.getlength(part) for part, font in _runs(words, fonts, size=trial, bold=bold)))
    size = int(min(trial * across / natural, across * (0.4 if bold else 0.14)))
    if size < 5:
        return
    runs = _runs(words, fonts, size=size, bold=bold)
    edge = max(1, size // 48)
    x = at[0] - sum(font.getlength(part) for part, font in runs) / 2
    for part, font in runs:
        draw.text((x, at[1]), part, font=font, anchor="lm", fill=MARK_FILL, stroke_width=edge, stroke_fill=MARK_EDGE)
        x += font.getlength(part)


def _runs(words: str, fonts: list[str], *, size: int, bold: bool) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """Return the words cut into runs, each with the font that has its letters."""
    runs: list[tuple[str, int]] = []
    for letter in words:
        font = 1 if letter in LATIN_TOO else 0
        if runs and runs[-1][1] == font:
            runs[-1] = (runs[-1][0] + letter, font)
        else:
            runs.append((letter, font))
    return [(part, _font(fonts[number], size=size, bold=bold)) for part, number in runs]


def _font(path: str, *, size: int, bold: bool) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(path, size)
    font.set_variation_by_axes([800 if bold else 600])
    return font


def nameable(name: str) -> bool:
    """Return whether the fonts have all letters of a name."""
    return all(letter in LATIN or letter in LATIN_TOO for letter in name)


def render(path: Path, form: str, *, name: str, fonts: list[str]) -> dict[str, Any]:
    """Write `view.jpg`, `cover.jpg` and the previews beside the photo, and return their sizes.

    The photo is put together anew first (`clean`), and what is made is made of that. Raises Malformed.
    """
    folder = path.parent
    cleaned = folder / f"clean.{ENDINGS[form]}"
    clean(path, form, cleaned)
    picture = decoded(cleaned, form)
    cleaned.unlink()
    # Without what hangs on it: comments, profiles, EXIF.
    picture.info.clear()
    # All of a progressive picture is held while it is packed, in six bytes a pixel: of the largest that is too much.
    progressive = picture.width * picture.height <= PROGRESSIVE_PIXELS_MOST
    picture.save(folder / "view.jpg", "JPEG", quality=VIEW_QUALITY, subsampling=0, progressive=progressive)
    size = picture.size
    sizes: list[dict[str, Any]] = []
    largest = fitted(picture, PREVIEW_EDGES[-1])
    del picture
    marked_one = marked(largest, name=name, fonts=fonts)
    for edge in PREVIEW_EDGES:
        small = fitted(marked_one, edge)
        if sizes and sizes[-1]["width"] == small.width:
            break
        file = f"preview-{small.width}.jpg"
        small.save(folder / file, "JPEG", quality=PREVIEW_QUALITY, progressive=True, optimize=True)
        sizes.append({"file": file, "width": small.width, "height": small.height})
    cover = fitted(largest, COVER_EDGE)
    cover.save(folder / "cover.jpg", "JPEG", quality=COVER_QUALITY, progressive=True, optimize=True)
    return {"view": size, "sizes": sizes, "cover": cover.size}


def main(task: str, form: str, *words: str) -> None:
    """Do one task on the file `original` of this folder, and print what came of it, or why not, as one JSON object."""
    path = Path("original")
    try:
        if task == "inspect":
            answer = inspect(path, form)
        elif task == "clean":
            clean(path, form, Path(words[0]))
            answer = {}
        else:
            name, *fonts = words
            answer = render(path, form, name=name, fonts=fonts)
    except Malformed as malformed:
        answer = {"refused": f"The photo {malformed}"}
    except MemoryError:
        answer = {"refused": "The photo takes far more memory to open than a photo of its size may."}
    sys.stdout.write(json.dumps(answer))
