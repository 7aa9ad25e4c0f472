"""Files to keep: each format decodes, says what it is and who made it, and is what its row says."""

import base64
import hashlib
import io
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import mutagen
import pytest
import requests
from django.test import Client
from mutagen.flac import Picture
from PIL import Image

from catalog import delivery, files, sandbox, tasks, versions
from catalog.copies import downloads
from catalog.intake import leases, receiving
from catalog.models import Creator, Download, Leftover, Release, Upload, Work
from infra.parts.seaweedfs import SeaweedFS
from members import clock
from members.models import Person
from members.problems import Invalid, NotFound
from tests import callers, cast, media
from tests.callers import Caller
from tests.catalog.conftest import finish

pytestmark = pytest.mark.django_db
RECORDING = UUID("11111111-2222-4333-8444-555555555555")
ALBUM = UUID("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")


def art() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (600, 600), (10, 80, 160)).save(content, "JPEG")
    return content.getvalue()


def with_art(path: Path, target: Path) -> Path:
    """Return a copy of a FLAC with a front cover in it, and a tag that nobody else should read."""
    target.write_bytes(path.read_bytes())
    file = mutagen.File(target)
    picture = Picture()
    picture.type, picture.mime, picture.data = 3, "image/jpeg", art()
    file.add_picture(picture)
    file["comment"] = "my telephone number is 555"
    file.save()
    return target


def described(upload: Upload, band: Creator) -> Work:
    """Give a work all that a file can say of it."""
    album = Release.objects.create(
        creator=band, title="Rooms: one", released_on="2026-03-04", musicbrainz_release=ALBUM
    )
    Work.objects.filter(id=upload.work_id).update(
        title="AC/DC? no",
        release=album,
        position=7,
        licence="cc-by-4.0",
        isrc="QZES71234567",
        musicbrainz_recording=RECORDING,
        credits=[{"role": "bass", "name": "Ben"}, {"role": "", "name": "Cleo"}],
    )
    return Work.objects.get(id=upload.work_id)


def make(work: Work, format: str, **options: Any) -> Download:  # noqa: A002
    asked = downloads.ask(work_id=work.id, format=format, now=clock.now(), **options)
    if asked.state == "waiting":
        downloads.make(download_id=asked.id, now=clock.now())
        asked.refresh_from_db()
    return asked


SAYS = {
    "flac": ("title", "artist", "album", "tracknumber", "date", "license", "isrc", "musicbrainz_trackid", "comment"),
    "opus": ("title", "artist", "album", "tracknumber", "date", "license", "isrc", "musicbrainz_trackid", "comment"),
    "ogg": ("title", "artist", "album", "tracknumber", "date", "license", "isrc", "musicbrainz_trackid", "comment"),
    "id3": ("TIT2", "TPE1", "TALB", "TRCK", "TDRC", "WCOP", "TSRC", "UFID:http://musicbrainz.org", "COMM::eng"),
    "m4a": (
        "\xa9nam",
        "\xa9ART",
        "\xa9alb",
        "trkn",
        "\xa9day",
        "----:com.apple.iTunes:LICENSE",
        "----:com.apple.iTunes:ISRC",
        "----:com.apple.iTunes:MusicBrainz Track Id",
        "\xa9cmt",
    ),
}


def read(file: Any, key: str) -> str:
    value = file.tags[key]
    if key.startswith("UFID"):
        return str(value.data.decode())
    value = value[0] if isinstance(value, list) else value
    if isinstance(value, tuple):
        value = value[0]
    return value.decode() if isinstance(value, bytes) else str(value)


def pictures(file: Any) -> list[bytes]:
    if getattr(file, "pictures", None):
        return [picture.data for picture in file.pictures]
    if "covr" in file.tags:
        return [bytes(cover) for cover in file.tags["covr"]]
    if hasattr(file.tags, "getall"):
        return [frame.data for frame in file.tags.getall("APIC")]
    return [Picture(base64.b64decode(text)).data for text in file.tags.get("metadata_block_picture", [])]


@pytest.mark.parametrize(
    ("kind", "files_of"),
    [
        ("flac", {"original": (".flac", "flac"), "mp3": (".mp3", "id3"), "opus": (".opus", "opus")}),
        ("wav", {"original": (".wav", "id3")}),
        ("aiff", {"original": (".aiff", "id3"), "flac": (".flac", "flac")}),
        ("alac.m4a", {"original": (".m4a", "m4a")}),
        ("aac", {"original": (".m4a", "m4a")}),
        ("mp3", {"original": (".mp3", "id3")}),
        ("ogg", {"original": (".ogg", "ogg")}),
        ("opus", {"original": (".opus", "opus")}),
    ],
)
def test_each_format_plays_and_says_what_it_is(
    kind: str, files_of: dict[str, tuple[str, str]], take_in, band: Creator, store: Path
) -> None:
    work = described(take_in(media.make(kind, seconds=1.5)), band)
    expected = [
        "AC/DC? no",
        "Ana",
        "Rooms: one",
        "7",
        "2026-03-04",
        "https://creativecommons.org/licenses/by/4.0/",
        "QZES71234567",
        str(RECORDING),
        f"{downloads.settings.BASE_URL}/works/{work.id}",
    ]
    for wanted, (ending, says) in files_of.items():
        made = make(work, wanted)
        assert (made.state, made.percent, made.reason) == ("ready", 100, "")
        path = store / made.key
        assert (path.suffix, made.filename) == (ending, f"Ana - AC-DC- no{ending}")
        assert files.CONTENT_TYPES[ending] == made.content_type
        content = path.read_bytes()
        assert (made.size_bytes, made.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert media.seconds_of(path) == pytest.approx(1.5, abs=0.1)
        file = mutagen.File(path)
        assert [read(file, key) for key in SAYS[says]] == expected


def decoded(path: Path) -> bytes:
    command = [sandbox.program("ffmpeg"), "-nostdin", "-v", "error", "-i", str(path), "-f", "s16le", "-"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def test_lossless_is_bit_for_bit_and_carries_the_artwork_and_nothing_else_of_the_original(
    take_in, band: Creator, store: Path, tmp_path: Path
) -> None:
    source = with_art(media.make("flac", seconds=3), tmp_path / "art.flac")
    upload = take_in(source)
    work = described(upload, band)
    for wanted in ("original", "flac", "mp3", "opus"):
        made = make(work, wanted)
        file = mutagen.File(store / made.key)
        (picture,) = pictures(file)
        with Image.open(io.BytesIO(picture)) as image:
            assert (image.format, image.size) == ("JPEG", (600, 600))
        assert b"telephone" not in (store / made.key).read_bytes()
        if wanted in ("original", "flac"):
            assert decoded(store / made.key) == decoded(source)
    assert mutagen.File(store / make(work, "flac").key)["credits"] == ["bass: Ben", "Cleo"]
    assert (store / upload.original_key).read_bytes() == source.read_bytes()


def test_formats_follow_the_original(take_in, band: Creator) -> None:
    lossy, lossless = take_in(media.make("mp3", seconds=2)), take_in(media.make("wav", seconds=2))
    assert downloads.formats_of(lossy.work_id) == ["original", "mp3", "opus"]
    assert downloads.formats_of(lossless.work_id) == ["original", "flac", "mp3", "opus"]
    with pytest.raises(Invalid, match="can be kept as original, mp3, opus"):
        downloads.ask(work_id=lossy.work_id, format="flac", now=clock.now())
    with pytest.raises(NotFound):
        downloads.ask(work_id=UUID(int=1), format="mp3", now=clock.now())
    assert not Download.objects.exists()


def test_it_is_made_once_and_again_when_the_catalogue_says_something_else(take_in, store: Path) -> None:
    work = take_in(media.make("flac", seconds=2)).work
    first = make(work, "mp3")
    assert downloads.make(download_id=first.id, now=clock.now()) is False
    assert make(work, "mp3").key == first.key

    Work.objects.filter(id=work.id).update(title="A better name")
    asked = downloads.ask(work_id=work.id, format="mp3", now=clock.now())
    assert (asked.id, asked.state) == (first.id, "waiting")
    second = make(work, "mp3")
    assert second.key != first.key
    assert str(mutagen.File(store / second.key)["TIT2"]) == "A better name"
    assert second.filename == "Ana - A better name.mp3"
    # The one before stays for as long as its addresses live.
    assert (store / first.key).exists()
    late = clock.now() + versions.LEFTOVERS_STAY + timedelta(minutes=1)
    assert versions.sweep_leftovers(now=late, limit=9) == 1
    assert not (store / first.key).exists()
    assert (store / second.key).exists()
    assert not Leftover.objects.exists()


def test_a_photo_is_kept_without_its_place(take_in, store: Path) -> None:
    content = io.BytesIO()
    picture = Image.effect_noise((1800, 1200), 60).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 7.0)
    exif.get_ifd(0x8769)[0xA431] = "SERIAL-777"
    picture.save(content, "JPEG", exif=exif)
    upload = take_in(content.getvalue(), "harbour.jpg")
    assert upload.state == "ready", upload.reason
    assert downloads.formats_of(upload.work_id) == ["original"]
    made = make(upload.work, "original")
    assert (made.state, made.filename, made.content_type) == ("ready", "Ana - harbour.jpg", "image/jpeg")
    kept = (store / made.key).read_bytes()
    assert b"SERIAL-777" not in kept
    with Image.open(io.BytesIO(kept)) as image:
        assert dict(image.getexif().get_ifd(0x8825)) == {}
        assert image.getexif()[0x010F] == "Canon"
        with Image.open(io.BytesIO(content.getvalue())) as before:
            assert image.tobytes() == before.tobytes()


def test_a_missing_original_fails_in_words_and_can_be_asked_for_again(take_in, store: Path) -> None:
    upload = take_in(media.make("flac", seconds=2))
    content = (store / upload.original_key).read_bytes()
    (store / upload.original_key).unlink()
    failed = make(upload.work, "opus")
    assert (failed.state, failed.reason) == ("failed", "The original of this work is missing.")
    (store / upload.original_key).write_bytes(content)
    assert make(upload.work, "opus").state == "ready"


def test_two_workers_never_make_the_same_file(take_in) -> None:
    work = take_in(media.make("flac", seconds=2)).work
    now = clock.now()
    asked = downloads.ask(work_id=work.id, format="mp3", now=now)
    assert downloads.waiting(now=now, limit=9) == [asked.id]
    assert leases.claim_row(Download.objects.filter(state="waiting"), row_id=asked.id, now=now) is not None
    assert downloads.make(download_id=asked.id, now=now) is False
    assert downloads.waiting(now=now, limit=9) == []
    late = now + timedelta(minutes=3)
    assert downloads.waiting(now=late, limit=9) == [asked.id]
    assert downloads.make(download_id=asked.id, now=late) is True
    assert tasks.sweep_downloads() == 0


def test_it_is_saved_under_its_name(take_in, band: Creator, store: Path, settings) -> None:
    callers.forget_counts()
    Work.objects.filter(id=take_in(media.make("flac", seconds=2)).work_id).update(title="Über/Mut")
    made = make(Work.objects.get(), "mp3")
    address = downloads.url(made, now=clock.now())
    answer = Client().get(address.removeprefix(settings.BASE_URL))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/mpeg")
    said = answer.headers["Content-Disposition"]
    assert said.startswith("attachment; filename*=")
    assert unquote(said).endswith("Ana - Über-Mut.mp3")
    assert hashlib.sha256(b"".join(answer)).hexdigest() == made.sha256  # type: ignore[call-overload]
    # The name is signed too.
    changed = re.sub(r"name=[^&]*", "name=virus.exe", address.removeprefix(settings.BASE_URL))
    assert Client().get(changed).status_code == 404


def test_the_original_is_for_its_people_alone(take_in, ana: Person, band: Creator, settings) -> None:
    callers.forget_counts()
    source = media.make("flac", seconds=2)
    upload = take_in(source, "Take 7 (final).flac")
    path = f"works/{upload.work_id}/original"
    assert Caller(cast.person("mallory"), "publish").get(path).status_code == 404
    assert Caller(None).get(path).status_code == 401
    assert Caller(ana, "listen").get(path).status_code == 403
    assert Caller(ana, "publish").get(f"works/{UUID(int=1)}/original").status_code == 404
    said = Caller(ana, "publish").get(path).json()
    assert (said["filename"], said["size_bytes"]) == ("Take 7 (final).flac", source.stat().st_size)
    answer = Client().get(said["url"].removeprefix(settings.BASE_URL))
    assert b"".join(answer) == source.read_bytes()  # type: ignore[call-overload]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Take 7 (final).flac"'
    assert said["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()


def test_s3_carries_the_name_too(ana: Person, band: Creator, bucket: SeaweedFS, settings) -> None:
    settings.S3_ENDPOINT, settings.S3_BUCKET = bucket.endpoint, bucket.bucket
    settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = bucket.access_key, bucket.secret_key
    delivery._day_key.cache_clear()
    source = media.make("flac", seconds=2)
    upload = finish(
        receiving.receive(
            person_id=ana.id, creator_id=band.id, filename="ä.flac", chunks=media.chunks(source), now=clock.now()
        )
    )
    made = make(upload.work, "opus")
    answer = requests.get(downloads.url(made, now=clock.now()), timeout=10)
    assert (answer.status_code, hashlib.sha256(answer.content).hexdigest()) == (200, made.sha256)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename")
    delivery._day_key.cache_clear()
