"""Every format that is promised, of recordings and photos: in with tags and artwork, and out as a file to keep."""

import base64
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE
from PIL import Image

from catalog.copies import downloads
from catalog.models import Upload
from members import clock
from tests import media
from tests import photos as made
from tests.catalog.test_downloads import art, make, pictures

Send = Callable[..., Upload]
TITLED = (("title", "Nebula"),)
# Kind of original -> what it is kept as. The first of each is its own format.
KEPT_AS = {
    "flac": ("flac", "flac", "mp3", "opus"),
    "wav": ("wav", "flac", "mp3", "opus"),
    "aiff": ("aiff", "flac", "mp3", "opus"),
    "alac.m4a": ("m4a", "flac", "mp3", "opus"),
    "m4a": ("m4a", "mp3", "opus"),
    "aac": ("m4a", "mp3", "opus"),
    "mp3": ("mp3", "mp3", "opus"),
    "ogg": ("ogg", "mp3", "opus"),
    "opus": ("opus", "mp3", "opus"),
}


def _chunk(open_file: Callable[[Path], Any]) -> Callable[[Path, bytes], None]:
    def add(path: Path, image: bytes) -> None:
        file = open_file(path)
        if file.tags is None:
            file.add_tags()
        file.tags.add(APIC(encoding=3, mime="image/jpeg", type=3, desc="front", data=image))
        file.save()

    return add


def _id3(path: Path, image: bytes) -> None:
    tags = ID3()
    tags.add(APIC(encoding=3, mime="image/jpeg", type=3, desc="front", data=image))
    tags.save(path)


def _mp4(path: Path, image: bytes) -> None:
    file = MP4(path)
    file["covr"] = [MP4Cover(image)]
    file.save()


def _front(image: bytes) -> Picture:
    front = Picture()
    front.type, front.mime, front.data = 3, "image/jpeg", image
    return front


def _flac(path: Path, image: bytes) -> None:
    file = FLAC(path)
    file.add_picture(_front(image))
    file.save()


def _ogg(open_file: Callable[[Path], Any]) -> Callable[[Path, bytes], None]:
    def add(path: Path, image: bytes) -> None:
        file = open_file(path)
        file["metadata_block_picture"] = [base64.b64encode(_front(image).write()).decode()]
        file.save()

    return add


ADD_ARTWORK = {
    "flac": _flac,
    "wav": _chunk(WAVE),
    "aiff": _chunk(AIFF),
    "alac.m4a": _mp4,
    "m4a": _mp4,
    # Bare frames have no place for tags but in front of them.
    "aac": _id3,
    "mp3": _id3,
    "ogg": _ogg(OggVorbis),
    "opus": _ogg(OggOpus),
}


@pytest.mark.parametrize("kind", KEPT_AS)
def test_a_recording_comes_in_with_its_artwork_and_goes_out_with_it(
    kind: str, take_in: Send, store: Path, tmp_path: Path
) -> None:
    original = tmp_path / f"song.{kind}"
    original.write_bytes(media.make(kind, seconds=1.2, tags=TITLED).read_bytes())
    ADD_ARTWORK[kind](original, art())

    upload = take_in(original)

    assert (upload.state, upload.found["notes"]) == ("ready", [])
    cover = upload.work.renditions.get(kind="cover")
    assert cover.layout["content_type"] == "image/jpeg"
    assert (store / upload.original_key).read_bytes() == original.read_bytes()
    wanted = dict(zip(downloads.formats_of(upload.work_id), KEPT_AS[kind], strict=True))
    # What FLAC, MP3 and Opus are made as does not depend on the original.
    for name, ending in wanted.items() if kind in ("flac", "ogg") else [("original", wanted["original"])]:
        kept = make(upload.work, name)
        file = mutagen.File(store / kept.key)
        assert (kept.state, kept.reason, kept.key.rpartition(".")[2]) == ("ready", "", ending)
        assert pictures(file) == [(store / cover.prefix / "cover.jpg").read_bytes()]
        title = file.tags[{"wav": "TIT2", "aiff": "TIT2", "mp3": "TIT2", "m4a": "\xa9nam"}.get(ending, "title")]
        assert str(title[0]) == upload.work.title


RARER: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "24 bits": ("wav", "wav", ("-c:a", "pcm_s24le")),
    "32 bits": ("wav", "wav", ("-c:a", "pcm_s32le")),
    "floating point": ("wav", "wav", ("-c:a", "pcm_f32le")),
    "8 bits": ("wav", "wav", ("-c:a", "pcm_u8")),
    "large wav": ("wav", "wav", ("-c:a", "pcm_s16le", "-rf64", "always")),
    "compressed aiff": ("aiff", "aiff", ("-c:a", "pcm_s16le", "-f", "aiff")),
    "flac of 24 bits at 96 kHz": ("flac", "flac", ("-c:a", "flac", "-sample_fmt", "s32", "-ar", "96000")),
    "flac in ogg": ("oga", "flac", ("-c:a", "flac", "-f", "ogg")),
    "mono mp3 of 22 kHz": ("mp3", "mp3", ("-c:a", "libmp3lame", "-ac", "1", "-ar", "22050")),
    "surround aac": ("m4a", "aac", ("-c:a", "aac", "-ac", "6")),
}


@pytest.mark.parametrize("name", RARER)
def test_rarer_ways_of_writing_a_format_are_taken_and_kept(
    name: str, take_in: Send, store: Path, tmp_path: Path
) -> None:
    ending, kind, options = RARER[name]
    original = tmp_path / f"song.{ending}"
    media.ffmpeg("-i", str(media.make("flac", seconds=1.2)), *options, str(original))

    upload = take_in(original)

    assert (upload.state, upload.reason, upload.kind) == ("ready", "", kind)
    kept = make(upload.work, "original")
    assert (kept.state, kept.reason) == ("ready", "")
    assert media.seconds_of(store / kept.key) == pytest.approx(1.2, abs=0.1)
    assert mutagen.File(store / kept.key).tags is not None


def photo_of(name: str) -> bytes:
    """Return a photo of 320 x 200 written in one of the ways its form allows."""
    picture = made.scene(320, 200)
    ways: dict[str, Callable[[], bytes]] = {
        "progressive JPEG": lambda: made.plain("JPEG", picture, progressive=True),
        "grey JPEG": lambda: made.plain("JPEG", picture.convert("L")),
        "JPEG for print": lambda: made.plain("JPEG", picture.convert("CMYK")),
        "PNG with a palette": lambda: made.plain("PNG", picture.quantize(64)),
        "transparent PNG": lambda: made.plain("PNG", picture.convert("RGBA")),
        "PNG of 16 bits": lambda: made.plain("PNG", picture.convert("L").convert("I;16")),
        "TIFF in LZW": lambda: made.plain("TIFF", picture, compression="tiff_lzw"),
        "TIFF in JPEG": lambda: made.plain("TIFF", picture, compression="jpeg"),
        "large TIFF": lambda: made.plain("TIFF", picture, big_tiff=True),
        "WebP without loss": lambda: made.plain("WEBP", picture, lossless=True),
        "transparent WebP": lambda: made.plain("WEBP", picture.convert("RGBA")),
    }
    return ways[name]()


PHOTOS = (
    *("progressive JPEG", "grey JPEG", "JPEG for print", "PNG with a palette", "transparent PNG", "PNG of 16 bits"),
    *("TIFF in LZW", "TIFF in JPEG", "large TIFF", "WebP without loss", "transparent WebP"),
)


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_comes_in_and_goes_out_with_the_same_pixels(name: str, take_in: Send, store: Path) -> None:
    content = photo_of(name)

    upload = take_in(content)

    assert (upload.state, upload.reason) == ("ready", "")
    kept = downloads.ask(work_id=upload.work_id, format="original", now=clock.now())
    assert downloads.make(download_id=kept.id, now=clock.now()) is True
    kept.refresh_from_db()
    with Image.open(BytesIO(content)) as sent, Image.open(store / kept.key) as taken:
        assert (taken.format, taken.mode, taken.size) == (sent.format, sent.mode, sent.size)
        assert taken.tobytes() == sent.tobytes()
