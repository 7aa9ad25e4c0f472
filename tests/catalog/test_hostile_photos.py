"""Photos made to cost more than they may, to be something else as well, or to bring something along. Each ends clearly.

What hides behind a picture is left out of everything that is served; what hides inside one is refused.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, TiffImagePlugin

from catalog import sandbox
from catalog.intake import sniffing
from catalog.models import Upload, Work
from catalog.photography import metadata, photos, pictures
from tests import media
from tests import photos as made

Send = Callable[..., Upload]

SCRIPT = b"<html><script>alert(document.domain)</script></html>"
SVG = (
    b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
)


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.html", SCRIPT)
    return content.getvalue()


def refused(content: bytes, folder: Path) -> str:
    """Return with which words a photo is refused, without its whole way through the ingest."""
    (folder / "original").write_bytes(content)
    try:
        form = sniffing.sniff(folder / "original")
        assert isinstance(form, sniffing.PhotoForm)
        photos.inspect(folder, form, beat=lambda: None)
        photos.render(folder, form, creator_name="Ana", beat=lambda: None)
    except sniffing.Unreadable as refusal:
        words = str(refusal)
        assert (words[0].isupper(), words.endswith("."), "Traceback" in words) == (True, True, False)
        return words
    pytest.fail("it was taken for a photo")


def served(take_in: Send, store: Path, content: bytes, name: str) -> tuple[Upload, list[bytes]]:
    """Return what becomes of a file, and all that anybody but its creator may be sent of it."""
    upload = take_in(content, name)
    assert (upload.state, upload.reason) == ("ready", "")
    metadata.cleaned(store / upload.original_key, store / "download")
    files = [path for path in (store / "renditions").rglob("*") if path.is_file()]
    return upload, [path.read_bytes() for path in [*files, store / "download"]]


# --- what is no photo ---

NO_PHOTOS = {
    "drawing.jpg": (SVG, "This is a drawing (SVG)"),
    "drawing-later.jpg": (b"<!-- " + b"x" * 900 + b" -->\n" + SVG, "This is a drawing (SVG)"),
    "page.jpg": (b"<!DOCTYPE html>\n" + SCRIPT, "This is a page of the web"),
    "page.png": (b"\n\n" + SCRIPT, "This is a page of the web"),
    "paper.tiff": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "This is a PDF"),
    "paper.jpg": (b"%PDF-1.4\n" + b"1 0 obj << /Type /Catalog >> endobj\n" * 20, "This is a PDF"),
    "moving.jpg": (made.plain("GIF"), "This is a GIF"),
    "old.png": (made.plain("BMP"), "This is a BMP"),
    "phone.jpg": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "This is HEIC"),
    "raw.tiff": (b"II*\0\x10\0\0\0CR\x02\0" + bytes(200), "a camera's raw file"),
    "words.webp": (b"RIFF and WEBP and nothing else\n" * 9, "This is text"),
    "archive.jpg": (zipped(), "archive"),
    "head-alone.jpg": (b"\xff\xd8\xff", "no picture"),
    "head-alone.png": (b"\x89PNG\r\n\x1a\n", "not complete"),
    "head-alone.webp": (b"RIFF\x04\0\0\0WEBP", "no picture"),
    "head-alone.tiff": (b"II*\0", "not complete"),
    "noise.jpg": (b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40, "no picture"),
    "behind-tags.jpg": (b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + made.plain("JPEG"), "tags of a recording in front"),
}


@pytest.mark.parametrize("name", NO_PHOTOS)
def test_what_is_no_photo_is_refused_whatever_its_name(name: str, tmp_path: Path) -> None:
    content, words = NO_PHOTOS[name]
    assert words in refused(content, tmp_path)


def test_a_refused_photo_leaves_nothing(take_in: Send, store: Path) -> None:
    for content in (SVG, bomb_png(20_000, 20_000), made.plain("JPEG")[:1_500], animated("PNG")):
        upload = take_in(content, "photo.jpg")

        assert (upload.state, upload.work, upload.leased_until, upload.original_key) == ("rejected", None, None, "")
        assert upload.reason.endswith(".")
    assert (Work.objects.count(), media.files_under(store)) == (0, [])


# --- bombs ---


def bomb_png(width: int, height: int, *, real: bool = False) -> bytes:
    """Return a PNG of a few kilobytes that says how large it is; with `real` there are so many pixels."""
    rows = zlib.compressobj(9)
    packed = b""
    if real:
        row = bytes(1 + width * 3)
        packed = b"".join(rows.compress(row) for _ in range(height))
    packed += rows.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return made.PNG_BEGIN + made.chunk(b"IHDR", header) + made.chunk(b"IDAT", packed) + made.chunk(b"IEND", b"")


def bomb_jpeg() -> bytes:
    """Return a JPEG that says it has 65 500 pixels on each edge."""
    whole = bytearray(made.plain("JPEG"))
    at = whole.index(b"\xff\xc0") + 5
    whole[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    return bytes(whole)


def bomb_tiff(*, strips: int = 0) -> bytes:
    """Return a TIFF that says it is huge; or one whose thousands of strips all lie in the same bytes."""
    whole = made.plain("TIFF", made.scene(512, 512).convert("L"))
    with Image.open(io.BytesIO(whole)) as picture:
        assert picture.tag_v2[256] == 512
    at = struct.unpack("<I", whole[4:8])[0]
    count = struct.unpack("<H", whole[at : at + 2])[0]
    listed = [list(struct.unpack("<HHII", whole[at + 2 + 12 * n : at + 14 + 12 * n])) for n in range(count)]
    tail = b""
    for entry in listed:
        if entry[0] in (256, 257) and not strips:
            entry[1:] = [4, 1, 200_000]
        if strips and entry[0] in (273, 279):
            entry[1:] = [4, strips, len(whole) + len(tail)]
            tail += struct.pack("<I", 8 if entry[0] == 273 else 200_000) * strips
        if strips and entry[0] == 278:
            entry[1:] = [4, 1, 1]
    body = b"".join(struct.pack("<HHII", *entry) for entry in listed)
    return whole[: at + 2] + body + whole[at + 2 + 12 * count :] + tail


def bomb_webp() -> bytes:
    """Return a WebP whose header says 16 383 pixels on each edge."""
    whole = bytearray(made.plain("WEBP", lossless=True))
    at = whole.index(b"VP8L") + 9
    whole[at : at + 4] = struct.pack("<I", 16_382 | 16_382 << 14)
    return bytes(whole)


def test_bombs_are_refused_by_their_headers(tmp_path: Path) -> None:
    for content, size in (
        (bomb_png(60_000, 60_000), "60,000 x 60,000"),
        (bomb_png(70_000, 10), "70,000 x 10"),
        (bomb_jpeg(), "65,500 x 65,500"),
        (bomb_tiff(), "200,000 x 200,000"),
        (bomb_webp(), "16,383 x 16,383"),
    ):
        assert f"has {size} pixels" in refused(content, tmp_path)
        assert len(content) < 300_000


def test_a_small_file_with_very_many_pixels_stays_within_its_memory(tmp_path: Path) -> None:
    """Thirty million pixels that were packed into a hundred kilobytes: allowed, and not paid by the worker."""
    content = bomb_png(6_000, 5_000, real=True)
    assert len(content) < 100_000
    (tmp_path / "original").write_bytes(content)

    assert photos.inspect(tmp_path, sniffing.PNG, beat=lambda: None).width == 6_000
    limits = sandbox.Limits(seconds=60, memory_bytes=180_000_000)
    program = sandbox.python("catalog.photography.pictures", "render", "PNG", "", "a", "b")
    answer = sandbox.output(program, folder=tmp_path, limits=limits)
    # With too little memory it ends in words, not in a dead worker.
    assert b"far more memory" in answer


def test_strips_that_all_lie_in_one_place_are_refused(tmp_path: Path) -> None:
    content = bomb_tiff(strips=4_000)
    assert refused(content, tmp_path)
    # 800 MB would have been written.
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2 * len(content)


def test_packed_words_and_profiles_do_not_unfold(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(60_000_000), 6)
    whole = made.plain("PNG")
    for name, before in ((b"zTXt", b"Comment\0\0"), (b"iTXt", b"Comment\0\1\0\0\0"), (b"iCCP", b"profile\0\0")):
        (tmp_path / "original").write_bytes(whole[:33] + made.chunk(name, before + packed) + whole[33:])
        photo = photos.inspect(tmp_path, sniffing.PNG, beat=lambda: None)
        assert (photo.width, photo.height) == (320, 200)
        metadata.cleaned(tmp_path / "original", tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == whole


def test_pixels_behind_the_last_pixel_are_refused(tmp_path: Path) -> None:
    """A picture of one pixel whose packed part unfolds to more than any photo has."""
    one = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(2_000_000), 1)
    content = made.PNG_BEGIN + made.chunk(b"IHDR", one) + made.chunk(b"IDAT", packed) + made.chunk(b"IEND", b"")
    assert "no picture" in refused(content, tmp_path)


# --- not whole, and not one ---


@pytest.mark.parametrize("form", made.FORMS)
def test_a_photo_that_was_cut_short_is_refused(form: str, tmp_path: Path) -> None:
    whole = made.plain(form, made.noise())
    for part in (0.3, 0.9):
        words = refused(whole[: int(len(whole) * part)], tmp_path)
        assert "not complete" in words or "damaged" in words


def animated(form: str) -> bytes:
    content = io.BytesIO()
    made.scene().save(content, form, save_all=True, append_images=[made.scene().rotate(90)], duration=100)
    return content.getvalue()


def test_what_moves_is_refused(tmp_path: Path) -> None:
    for form in ("PNG", "WEBP"):
        assert "it is an animation" in refused(animated(form), tmp_path)


def one_frame() -> bytes:
    """Return a PNG that calls itself an animation, of one picture."""
    still = made.plain("PNG", made.scene())
    says = made.chunk(b"acTL", struct.pack(">II", 1, 0))
    shows = made.chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, *made.scene().size, 0, 0, 1, 1, 0, 0))
    at = still.index(b"IDAT") - 4
    return still[:at] + says + shows + still[at:]


def test_an_animation_of_one_picture_is_a_picture(take_in: Send, store: Path, tmp_path: Path) -> None:
    upload, _ = served(take_in, store, one_frame(), "still.png")
    with Image.open(store / "download") as copy:
        assert (getattr(copy, "n_frames", 1), copy.tobytes()) == (1, made.scene().tobytes())
    assert upload.work is not None
    # Another picture behind it, which the count does not tell of.
    hidden = made.chunk(b"fdAT", b"\0\0\0\1" + zlib.compress(b"no pixels"))
    content = one_frame()
    at = content.rindex(b"IEND") - 4
    assert "it is an animation" in refused(content[:at] + hidden + content[at:], tmp_path)


def test_of_several_pages_the_first_is_taken(take_in: Send, store: Path) -> None:
    upload, files = served(take_in, store, animated("TIFF"), "pages.tiff")

    assert upload.found["notes"] == [pictures.LEFT_OUT]
    with Image.open(store / "download") as copy:
        assert (copy.n_frames, copy.tobytes()) == (1, made.scene().tobytes())
    assert len(files) == 4


def test_raw_files_that_call_themselves_tiff_are_refused(tmp_path: Path) -> None:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[50706], tags.tagtype[50706] = b"\1\4\0\0", 1
    assert "raw file" in refused(made.plain("TIFF", tiffinfo=tags), tmp_path)
    assert "32 bits" in refused(made.plain("TIFF", made.scene().convert("F")), tmp_path)


# --- two things at once ---

BEHIND = {"zip": zipped(), "page": SCRIPT, "drawing": SVG, "paper": b"%PDF-1.4\n1 0 obj", "photo": made.plain("JPEG")}


@pytest.mark.parametrize("form", made.FORMS)
def test_nothing_that_lies_behind_a_picture_is_served(form: str, take_in: Send, store: Path) -> None:
    behind = b"".join(BEHIND.values())

    upload, files = served(take_in, store, made.plain(form) + behind, f"both.{made.ENDINGS[form]}")

    if form != "TIFF":  # which says of no byte that it is the last
        assert upload.found["notes"] == [pictures.LEFT_OUT]
    for content in files:
        assert [word for word in (b"PK\x03\x04", b"<script", b"<svg", b"%PDF") if word in content] == []
    assert (store / "download").read_bytes() == clean_of(made.plain(form), store)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(store / "download")


def clean_of(content: bytes, store: Path) -> bytes:
    (store / "plain").write_bytes(content)
    metadata.cleaned(store / "plain", store / "plain-clean")
    return (store / "plain-clean").read_bytes()


def test_nothing_may_hide_inside_a_picture(tmp_path: Path) -> None:
    jpeg, png, webp = made.plain("JPEG"), made.plain("PNG"), made.plain("WEBP")
    for hidden in (SCRIPT, zipped(), b"<svg onload=alert(1)>", b"%PDF-1.4\n", b"<?php system(1); ?>", b"<SCRIPT>"):
        # Behind the last pixel, before the end: every decoder passes it over.
        assert "no picture" in refused(jpeg[:-2] + hidden + b"\xff\xd9", tmp_path)
    at = png.index(b"IDAT")
    packed = png[at + 4 : at + 4 + struct.unpack(">I", png[at - 4 : at])[0]]
    hiding = png[: at - 4] + made.chunk(b"IDAT", packed + SCRIPT) + made.chunk(b"IEND", b"")
    assert "no picture" in refused(hiding, tmp_path)
    second = png[: at - 4] + made.chunk(b"IDAT", packed) + made.chunk(b"IDAT", zipped()) + made.chunk(b"IEND", b"")
    assert "no picture" in refused(second, tmp_path)
    assert webp[12:16] == b"VP8 "
    longer = webp[20:] + SCRIPT
    longer = b"VP8 " + struct.pack("<I", len(longer)) + longer
    assert "no picture" in refused(b"RIFF" + struct.pack("<I", 4 + len(longer)) + b"WEBP" + longer, tmp_path)


def test_what_a_profile_hides_goes_with_it(tmp_path: Path) -> None:
    for form in ("JPEG", "PNG", "WEBP", "TIFF"):
        (tmp_path / "original").write_bytes(made.plain(form, icc_profile=SCRIPT * 40))
        metadata.cleaned(tmp_path / "original", tmp_path / "copy")
        assert b"script" not in (tmp_path / "copy").read_bytes()


def test_unknown_parts_are_not_copied(tmp_path: Path) -> None:
    png, jpeg = made.plain("PNG"), made.plain("JPEG")
    (tmp_path / "original").write_bytes(png[:33] + made.chunk(b"evIl", SCRIPT) + png[33:])
    metadata.cleaned(tmp_path / "original", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == png
    hidden = b"".join(made.segment(marker, SCRIPT) for marker in (0xE0, 0xE3, 0xEB, 0xEE, 0xEF, 0xF0, 0xFD, 0xFE))
    (tmp_path / "original").write_bytes(jpeg[:2] + hidden + jpeg[2:])
    metadata.cleaned(tmp_path / "original", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == jpeg


# --- what is said of a photo ---


def test_nonsense_in_exif_costs_nothing(tmp_path: Path) -> None:
    good = made.exif_bytes()
    loop = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    counts = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + struct.pack("<HHII", 0x010F, 2, 0xFFFF_FFFF, 8) * 9
    for block in (b"Exif\0\0", b"Exif\0\0MM", loop, counts, good[:40], good[:120], b"Exif\0\0" + b"\xff" * 900):
        content = made.plain("JPEG")
        (tmp_path / "original").write_bytes(content[:2] + made.segment(0xE1, block) + content[2:])
        photo = photos.inspect(tmp_path, sniffing.JPEG, beat=lambda: None)
        assert (photo.width, photo.height) == (320, 200)


def test_words_of_exif_are_cleaned_and_short(tmp_path: Path) -> None:
    block = made.exif()
    block[0x0110] = "Cam\x1b[31m\u202eera <script>".encode()
    block[0x8298] = b"x" * 5_000
    (tmp_path / "original").write_bytes(made.plain("JPEG", exif=block.tobytes()))

    shown = photos.inspect(tmp_path, sniffing.JPEG, beat=lambda: None).shown

    # Pages escape what they show; what is left here is harmless ink of a bounded length.
    assert shown["camera"] == "Refrain Cam[31mera <script>"
    assert shown["copyright"] == "x" * 200


def test_names_that_the_fonts_cannot_write_are_left_out_of_the_mark(tmp_path: Path) -> None:
    assert pictures.nameable("Łukasz Ærø “Freespace” O’Neil")
    for name in ("песня", "歌曲", "👩‍🎤", "a\u202eb"):
        assert not pictures.nameable(name)
        (tmp_path / "original").write_bytes(made.plain("JPEG"))
        assert photos.render(tmp_path, sniffing.JPEG, creator_name=name, beat=lambda: None).view == (320, 200)


def test_a_photo_larger_than_photos_may_be_is_refused(tmp_path: Path, settings) -> None:
    settings.PHOTO_BYTES_MAX = 3_000
    assert "larger than 3,000 bytes" in refused(made.plain("TIFF"), tmp_path)
