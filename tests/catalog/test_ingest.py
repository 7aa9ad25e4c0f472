"""A recording is sent, and becomes a work: every kind, step by step, once."""

import base64
import hashlib
import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TCOP
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus
from PIL import Image

from catalog import ingest
from catalog.intake import leases, receiving
from catalog.models import Creator, Release, Rendition, Upload, Work
from members import clock
from members.models import Person
from members.problems import NotFound
from tests import cast, media

Send = Callable[..., Upload]
TAGS = (
    ("title", "Nebula"),
    ("artist", "Maxstack"),
    ("album", "Advanced Research"),
    ("track", "3/9"),
    ("date", "2012-12-15"),
    ("license", "http://creativecommons.org/licenses/by-sa/3.0/"),
)
KINDS = {
    "flac": ("flac", True),
    "wav": ("wav", True),
    "aiff": ("aiff", True),
    "alac.m4a": ("alac", True),
    "m4a": ("aac", False),
    "aac": ("aac", False),
    "mp3": ("mp3", False),
    "vbr.mp3": ("mp3", False),
    "ogg": ("vorbis", False),
    "opus": ("opus", False),
}


def picture(width: int = 1600, height: int = 1200, form: str = "JPEG", **options: Any) -> bytes:
    """Return a picture of two colours."""
    made = Image.new("RGB", (width, height), (31, 42, 68))
    made.paste((232, 200, 115), (0, 0, width // 2, height))
    content = BytesIO()
    made.save(content, form, **options)
    return content.getvalue()


def with_artwork(kind: str, image: bytes, tmp_path: Path) -> Path:
    """Return a recording of `kind` with `image` as its front cover."""
    path = tmp_path / f"with-artwork.{kind}"
    path.write_bytes(media.make(kind, seconds=3).read_bytes())
    front = Picture()
    front.type, front.mime, front.data = 3, "image/jpeg", image
    if kind == "flac":
        flac = FLAC(path)
        flac.add_picture(front)
        flac.save()
    elif kind == "mp3":
        tags = ID3(path)
        tags.add(APIC(encoding=3, mime="image/jpeg", type=3, desc="front", data=image))
        tags.save()
    elif kind == "m4a":
        mp4 = MP4(path)
        mp4["covr"] = [MP4Cover(image)]
        mp4.save()
    else:
        ogg = OggOpus(path)
        ogg["metadata_block_picture"] = [base64.b64encode(front.write()).decode()]
        ogg.save()
    return path


@pytest.mark.parametrize("kind", media.CODECS)
def test_every_kind_becomes_a_work(kind: str, take_in: Send, store: Path) -> None:
    original = media.make(kind, seconds=6)

    upload = take_in(original, "whatever.bin")

    assert (upload.state, upload.percent, upload.reason) == ("ready", 100, "")
    assert (upload.kind, upload.work.lossless) == KINDS[kind]
    assert abs(upload.work.duration_ms - 6_000) <= 60
    assert (upload.work.kind, upload.work.state, upload.work.price_micros) == ("track", "draft", None)
    assert (store / upload.original_key).read_bytes() == original.read_bytes()
    assert sorted(upload.work.renditions.values_list("kind", flat=True)) == ["cover", "hls-128", "hls-256", "waveform"]
    assert upload.leased_until is None
    assert upload.attempts == 0


@pytest.mark.parametrize("kind", ["flac", "mp3", "m4a", "ogg", "opus"])
def test_tags_name_the_work_and_its_release(kind: str, take_in: Send) -> None:
    upload = take_in(media.make(kind, seconds=3, tags=TAGS))

    work = upload.work
    assert (work.title, work.release.title, work.release.kind, work.position) == (
        "Nebula",
        "Advanced Research",
        "album",
        3,
    )
    assert str(work.release.released_on) == "2012-12-15"
    assert upload.found["artist"] == "Maxstack"
    if kind != "m4a":  # ffmpeg writes no licence into MP4
        assert work.licence == "cc-by-sa-3.0"


def test_a_copyright_line_names_the_licence(take_in: Send, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(media.make("mp3", seconds=3).read_bytes())
    tags = ID3(path)
    tags.add(TCOP(encoding=3, text="2012 Maxstack, https://creativecommons.org/licenses/by/4.0/"))
    tags.save()

    assert take_in(path).work.licence == "cc-by-4.0"


def test_works_of_one_album_share_one_release(take_in: Send, band: Creator) -> None:
    first = take_in(media.make("flac", seconds=3, tags=(("album", "Ghosts"), ("track", "1"))))
    second = take_in(media.make("mp3", seconds=3, tags=(("album", "Ghosts"), ("track", "2"))))

    assert Release.objects.get(creator=band) == first.work.release == second.work.release
    assert (first.work.position, second.work.position) == (1, 2)


def test_without_tags_the_file_names_the_work(take_in: Send) -> None:
    upload = take_in(media.make("flac", seconds=3), "C:\\Music\\01_night_train.final.flac")

    assert upload.filename == "01_night_train.final.flac"
    assert upload.work.title == "01 night train.final"
    assert (upload.work.release, upload.work.position, upload.work.licence) == (None, None, "all-rights-reserved")


def test_a_year_is_no_day(take_in: Send) -> None:
    upload = take_in(media.make("flac", seconds=3, tags=(("album", "Ghosts"), ("date", "2018"))))

    assert upload.work.release.released_on is None
    assert upload.found["date"] == "2018"


def test_low_sample_rates_are_recorded_for_publishing_to_judge(take_in: Send) -> None:
    upload = take_in(media.make("wav", seconds=3, rate=8_000))

    assert (upload.state, upload.found["sample_rate"], upload.found["channels"]) == ("ready", 8_000, 2)


@pytest.mark.parametrize("kind", ["flac", "mp3", "m4a", "opus"])
def test_artwork_becomes_a_small_jpeg_that_tells_nothing(kind: str, take_in: Send, store: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera with a serial number"
    path = with_artwork(kind, picture(exif=exif.tobytes(), comment=b"my address"), tmp_path)

    cover = take_in(path).work.renditions.get(kind="cover")

    stored = (store / cover.prefix / "cover.jpg").read_bytes()
    small = (store / cover.prefix / "cover-small.jpg").read_bytes()
    as_jpeg = {"content_type": "image/jpeg"}
    assert cover.layout == {
        "file": "cover.jpg",
        "width": 1200,
        "height": 900,
        **as_jpeg,
        "small": {"file": "cover-small.jpg", "width": 480, "height": 360, **as_jpeg},
    }
    assert cover.size_bytes == len(stored) + len(small)
    with Image.open(BytesIO(small)) as shown:
        assert (shown.size, dict(shown.getexif()), shown.info.get("comment")) == ((480, 360), {}, None)
    with Image.open(BytesIO(stored)) as shown:
        assert (shown.format, shown.size) == ("JPEG", (1200, 900))
        assert (dict(shown.getexif()), shown.info.get("comment")) == ({}, None)
        left, right = shown.convert("RGB").getpixel((240, 360)), shown.convert("RGB").getpixel((960, 360))
    assert (left[0] > 200, right[0] < 60) == (True, True)
    assert b"serial number" not in stored


def test_artwork_is_turned_upright(take_in: Send, store: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held sideways

    upload = take_in(with_artwork("flac", picture(900, 600, exif=exif.tobytes()), tmp_path))

    layout = upload.work.renditions.get(kind="cover").layout
    assert (layout["width"], layout["height"]) == (600, 900)


def test_without_artwork_a_sleeve_is_drawn(take_in: Send, store: Path) -> None:
    cover = take_in(media.make("flac", seconds=3)).work.renditions.get(kind="cover")

    assert cover.layout == {"file": "cover.svg", "width": 300, "height": 300, "content_type": "image/svg+xml"}
    assert (store / cover.prefix / "cover.svg").read_text().startswith("<svg xmlns=")


def test_it_goes_step_by_step(send: Send) -> None:
    upload = send(media.make("flac", seconds=3))
    seen = []
    more = True
    while more:
        upload.refresh_from_db()
        seen.append((upload.state, upload.percent, upload.work is not None))
        more = ingest.advance(upload_id=upload.id, now=clock.now())
    upload.refresh_from_db()
    seen.append((upload.state, upload.percent, upload.work is not None))

    assert seen == [
        ("received", 0, False),
        ("inspected", 5, False),
        ("rendered", 95, False),
        ("ready", 100, True),
    ]
    assert ingest.advance(upload_id=upload.id, now=clock.now()) is False
    assert ingest.advance(upload_id=uuid.uuid4(), now=clock.now()) is False
    assert Work.objects.count() == 1


@pytest.mark.parametrize("state", ["received", "inspected"])
def test_each_step_can_run_again(state: str, send: Send, store: Path) -> None:
    upload = send(media.make("flac", seconds=3))
    while upload.state != state:
        ingest.advance(upload_id=upload.id, now=clock.now())
        upload.refresh_from_db()
    before = Upload.objects.filter(id=upload.id).values("state", "found", "percent").get()

    # The step is done, and then the row is as it was: as if the worker had died before it could say so.
    ingest.advance(upload_id=upload.id, now=clock.now())
    staged = Upload.objects.get(id=upload.id).found.get("made")
    Upload.objects.filter(id=upload.id).update(
        **{**before, "found": {**before["found"], **({"made": staged} if staged else {})}}
    )
    while ingest.advance(upload_id=upload.id, now=clock.now()):
        pass

    upload.refresh_from_db()
    kept = {key for rendition in upload.work.renditions.all() for key in keys(rendition)} | {upload.original_key}
    assert upload.state == "ready"
    assert set(media.files_under(store)) == kept
    assert Work.objects.count() == 1


def keys(rendition: Rendition) -> list[str]:
    """Return the keys of all files of a rendition."""
    layout = rendition.layout
    names = [layout["file"]] if "file" in layout else []
    if "init" in layout:
        names = [layout["init"]["file"], *(segment["file"] for segment in layout["segments"])]
    return [rendition.prefix + name for name in names]


def test_only_one_worker_holds_an_upload(send: Send) -> None:
    upload = send(media.make("flac", seconds=3))
    now = clock.now()
    hold = leases.claim(upload_id=upload.id, now=now)

    assert hold is not None
    assert ingest.unfinished(now=now, limit=9) == []
    assert ingest.advance(upload_id=upload.id, now=now + timedelta(seconds=119)) is False
    upload.refresh_from_db()
    assert upload.state == "received"

    # Its worker has died: the lease runs out, another takes over, and the dead one's words count no more.
    later = now + timedelta(seconds=121)
    assert ingest.unfinished(now=later, limit=9) == [upload.id]
    assert ingest.advance(upload_id=upload.id, now=later) is True
    with pytest.raises(leases.LeaseLost):
        hold.write(state="rejected", reason="never")
    upload.refresh_from_db()
    assert (upload.state, upload.reason) == ("inspected", "")


def test_a_lease_is_renewed_while_its_worker_works(send: Send) -> None:
    upload = send(media.make("flac", seconds=3))
    hold = leases.claim(upload_id=upload.id, now=clock.now())
    assert hold is not None
    first = hold.until

    hold.beat(40)
    assert Upload.objects.get(id=upload.id).percent == 0  # a moment ago is recent enough

    hold.beaten -= leases.BEAT_SECONDS
    hold.beat(40)
    row = Upload.objects.get(id=upload.id)
    assert (row.percent, row.leased_until) == (40, hold.until)
    assert hold.until > first


def test_a_file_that_kills_three_workers_is_refused(send: Send, store: Path) -> None:
    upload = send(media.make("flac", seconds=3))
    now = clock.now()
    for attempt in range(3):
        assert leases.claim(upload_id=upload.id, now=now + timedelta(minutes=3 * attempt)) is not None

    assert ingest.advance(upload_id=upload.id, now=now + timedelta(minutes=9)) is False

    upload.refresh_from_db()
    assert upload.state == "rejected"
    assert upload.reason.startswith("The file could not be read on three attempts.")
    assert media.files_under(store) == []


def test_a_store_that_is_away_costs_no_attempt(send: Send, store: Path, caplog: pytest.LogCaptureFixture) -> None:
    upload = send(media.make("flac", seconds=3))
    assert ingest.advance(upload_id=upload.id, now=clock.now())
    blocked = store / "renditions"
    blocked.write_text("no folder can be made here")

    with caplog.at_level(logging.CRITICAL):
        for minutes in range(5):
            assert ingest.advance(upload_id=upload.id, now=clock.now() + timedelta(minutes=minutes)) is False
    upload.refresh_from_db()
    assert (upload.state, upload.attempts) == ("inspected", 0)

    blocked.unlink()
    now = clock.now() + timedelta(minutes=6)
    while ingest.advance(upload_id=upload.id, now=now):
        pass
    upload.refresh_from_db()
    assert upload.state == "ready"


def test_the_same_file_twice_is_found(take_in: Send, send: Send, store: Path) -> None:
    original = media.make("flac", seconds=3)
    work = take_in(original).work
    before = media.files_under(store)

    with pytest.raises(receiving.AlreadyUploaded) as refusal:
        send(original, "another-name.wav")

    assert refusal.value.extra == {"work": str(work.id)}
    assert work.title in refusal.value.detail
    assert (Upload.objects.count(), media.files_under(store)) == (1, before)


def test_the_same_file_on_its_way_is_that_upload(send: Send) -> None:
    first = send(media.make("flac", seconds=3))
    again = send(media.make("flac", seconds=3))

    assert (again.id, Upload.objects.count()) == (first.id, 1)


def test_another_creator_may_send_the_same_file(take_in: Send, store: Path) -> None:
    take_in(media.make("flac", seconds=3))
    ben = cast.person("ben")
    profile = cast.creator(ben)

    upload = receiving.receive(
        person_id=ben.id,
        creator_id=profile.id,
        filename="a.flac",
        chunks=media.chunks(media.make("flac", seconds=3)),
        now=clock.now(),
    )

    assert (upload.state, Upload.objects.count()) == ("received", 2)


def test_a_rejected_file_may_be_sent_again(take_in: Send, send: Send) -> None:
    first = take_in(b"a letter" * 100)
    second = send(b"a letter" * 100)

    assert first.state == "rejected"
    assert (second.state, second.id != first.id) == ("received", True)


def test_strangers_and_viewers_send_nothing(band: Creator, store: Path) -> None:
    viewer = cast.person("vic")
    band.roles.create(person=viewer, role="viewer")
    for who in (viewer, cast.person("stranger")):
        with pytest.raises(NotFound):
            receiving.receive(
                person_id=who.id,
                creator_id=band.id,
                filename="a.flac",
                chunks=media.chunks(media.make("flac", seconds=3)),
                now=clock.now(),
            )

    assert (Upload.objects.count(), media.files_under(store)) == (0, [])


def test_a_person_or_profile_that_does_not_exist_sends_nothing(ana: Person, store: Path) -> None:
    with pytest.raises(NotFound):
        receiving.receive(person_id=ana.id, creator_id=uuid.uuid4(), filename="a", chunks=[b"x"], now=clock.now())


def test_the_row_knows_the_file(send: Send, store: Path) -> None:
    original = media.make("flac", seconds=3)

    upload = send(original)

    assert upload.size_bytes == original.stat().st_size
    assert upload.sha256 == hashlib.sha256(original.read_bytes()).hexdigest()
    assert upload.original_key == f"originals/{upload.id}"
    assert media.files_under(store) == [upload.original_key]
