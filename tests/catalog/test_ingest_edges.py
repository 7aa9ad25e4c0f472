"""The way in when parts are away or people are many: two at once, no broker, no store, S3, a folder of files."""

import json
import logging
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path
from threading import Barrier

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from PIL import ExifTags, Image

from catalog import ingest, rules, tasks
from catalog.intake import leases, receiving
from catalog.models import Creator, Upload, Work
from infra.celery import celery_app
from infra.parts.child import free_port
from infra.parts.seaweedfs import SeaweedFS
from members import clock
from members.models import Person
from tests import cast, media
from tests.catalog.conftest import finish

Send = Callable[..., Upload]
DEMO = Path(__file__).parents[2] / "infra" / "demonstration" / "works"


@pytest.mark.usefixtures("committed")
def test_the_same_file_sent_eight_times_at_once_is_one_upload(store: Path) -> None:
    ana = cast.person("ana")
    band = cast.creator(ana)
    content = media.make("flac", seconds=3).read_bytes()
    together = Barrier(8)

    def send() -> Upload:
        together.wait()
        try:
            return receiving.receive(
                person_id=ana.id, creator_id=band.id, filename="a.flac", chunks=media.chunks(content), now=clock.now()
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        uploads = [future.result() for future in [pool.submit(send) for _ in range(8)]]

    assert len({upload.id for upload in uploads}) == 1
    assert media.files_under(store) == [f"originals/{uploads[0].id}"]


@pytest.mark.usefixtures("committed")
def test_eight_workers_at_once_make_one_work(store: Path) -> None:
    ana = cast.person("ana")
    band = cast.creator(ana)
    upload = receiving.receive(
        person_id=ana.id,
        creator_id=band.id,
        filename="a.flac",
        chunks=media.chunks(media.make("flac", seconds=3)),
        now=clock.now(),
    )
    together = Barrier(8)

    def work() -> int:
        together.wait()
        steps = 0
        try:
            while ingest.advance(upload_id=upload.id, now=clock.now()):
                steps += 1
        finally:
            connection.close()
        return steps

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work) for _ in range(8)]:
            future.result()
    # Whoever came while another held the lease went away again; nothing may be left for the last.
    finish(upload)

    assert (upload.state, Work.objects.count()) == ("ready", 1)
    assert len(media.files_under(store)) == 1 + 2 * 3 + 1


def test_a_broker_that_is_away_does_not_fail_the_upload(
    send: Send, django_capture_on_commit_callbacks: Callable[..., Iterator[None]], caplog: pytest.LogCaptureFixture
) -> None:
    upload = send(media.make("flac", seconds=3))
    before = celery_app.conf.broker_url
    celery_app.conf.broker_url = f"redis://127.0.0.1:{free_port()}/1"
    celery_app._after_fork()  # forgets its connections
    try:
        with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
            tasks.wake(upload.id)
    finally:
        celery_app.conf.broker_url = before
        celery_app._after_fork()

    assert f"upload {upload.id} waits for the sweep" in caplog.text
    assert ingest.unfinished(now=clock.now(), limit=10) == [upload.id]


def test_a_store_that_is_away_is_said_at_once(send: Send, store: Path, caplog: pytest.LogCaptureFixture) -> None:
    (store / "originals").write_text("no folder can be made here")

    with caplog.at_level(logging.CRITICAL), pytest.raises(receiving.StoreUnavailable, match="could not be stored"):
        send(media.make("flac", seconds=3))

    upload = Upload.objects.get()
    assert (upload.state, upload.leased_until) == ("rejected", None)
    assert upload.reason.startswith("The file could not be stored")


def test_the_sweep_finds_the_oldest_that_nobody_holds(send: Send, store: Path) -> None:
    first, second, third = (send(media.make("flac", seconds=3 + n)) for n in range(3))
    now = clock.now()
    leases.claim(upload_id=second.id, now=now)
    finish(third)

    assert ingest.unfinished(now=now, limit=10) == [first.id]
    assert ingest.unfinished(now=now + timedelta(minutes=3), limit=10) == [first.id, second.id]
    assert ingest.unfinished(now=now + timedelta(minutes=3), limit=1) == [first.id]


def test_a_file_that_never_arrived_does_not_hold_up_who_sends_it_again(send: Send, store: Path) -> None:
    """The web server died while it stored the file; a minute later its sender tries once more."""
    first = send(media.make("flac", seconds=3))
    (store / first.original_key).unlink()
    Upload.objects.filter(id=first.id).update(
        leased_until=clock.now() + receiving.STORING, created_at=clock.now() - timedelta(seconds=61)
    )

    second = finish(send(media.make("flac", seconds=3)))

    first.refresh_from_db()
    assert (first.state, second.state) == ("rejected", "ready")
    assert "sent again" in first.reason


def test_files_of_a_rejected_upload_go_once_the_store_is_back(send: Send, store: Path) -> None:
    upload = send(media.make("flac", seconds=3))
    Upload.objects.filter(id=upload.id).update(state="rejected", reason="The store was away.")

    assert ingest.tidy(limit=10) == 1
    assert ingest.tidy(limit=10) == 0
    upload.refresh_from_db()
    assert (upload.original_key, media.files_under(store)) == ("", [])


# --- S3 ---


def stored() -> dict[str, str]:
    """Return every key in the bucket with its content type."""
    objects = default_storage.bucket.objects.all()  # type: ignore[attr-defined]
    return {entry.key: entry.Object().content_type for entry in objects}


def test_everything_goes_to_s3_and_comes_from_there(ana: Person, band: Creator, bucket: SeaweedFS) -> None:
    original = media.make("flac", seconds=12)
    refused = finish(receive(ana, band, b"a letter" * 1000))
    assert (refused.state, stored()) == ("rejected", {})

    upload = finish(receive(ana, band, original.read_bytes()))

    kept = stored()
    assert upload.state == "ready"
    assert kept[upload.original_key] == "application/octet-stream"
    with default_storage.open(upload.original_key) as content:
        assert content.read() == original.read_bytes()
    for rendition in upload.work.renditions.filter(kind__startswith="hls"):
        names = {segment["file"] for segment in rendition.layout["segments"]} | {rendition.layout["init"]["file"]}
        assert {kept[rendition.prefix + name] for name in names} == {"audio/mp4"}
        sizes = sum(default_storage.size(rendition.prefix + name) for name in names)
        assert sizes == rendition.size_bytes
    cover = upload.work.renditions.get(kind="cover")
    assert kept[cover.prefix + "cover.svg"] == "image/svg+xml"
    assert len(kept) == 1 + 2 * 7 + 1

    again = receive(ana, band, media.make("flac", seconds=3).read_bytes())
    default_storage.delete(again.original_key)
    assert "stopped half way" in finish(again).reason


def test_s3_that_is_away_costs_the_file_nothing(
    ana: Person,
    band: Creator,
    bucket: SeaweedFS,
    settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    upload = receive(ana, band, media.make("flac", seconds=3).read_bytes())
    here = settings.STORAGES
    options = {**here["default"]["OPTIONS"], "endpoint_url": f"http://127.0.0.1:{free_port()}"}
    settings.STORAGES = {**here, "default": {**here["default"], "OPTIONS": options}}

    with caplog.at_level(logging.CRITICAL):
        assert ingest.advance(upload_id=upload.id, now=clock.now()) is False
    upload.refresh_from_db()
    assert (upload.state, upload.attempts) == ("received", 0)

    settings.STORAGES = here
    while ingest.advance(upload_id=upload.id, now=clock.now() + timedelta(minutes=1)):
        pass
    upload.refresh_from_db()
    assert upload.state == "ready"


def receive(who: Person, profile: Creator, content: bytes) -> Upload:
    """Send content to a profile."""
    return receiving.receive(
        person_id=who.id, creator_id=profile.id, filename="song", chunks=media.chunks(content), now=clock.now()
    )


# --- a folder ---


def run_import(folder: Path, *arguments: str) -> list[str]:
    """Run the command and return its lines."""
    out = StringIO()
    call_command("import_works", str(folder), *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_a_folder_comes_in_by_one_command(ana: Person, band: Creator, store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    (folder / "disc 1").mkdir(parents=True)
    shutil.copy(media.make("flac", seconds=3, tags=(("title", "One"),)), folder / "disc 1" / "one.flac")
    shutil.copy(media.make("mp3", seconds=3, tags=(("title", "Two"),)), folder / "two.mp3")
    (folder / "notes.txt").write_text("Recorded in the kitchen.")
    (folder / ".hidden").write_text("not looked at")

    lines = run_import(folder, "--creator", band.slug, "--publish")

    works = {work.title: work for work in Work.objects.all()}
    assert {title: work.state for title, work in works.items()} == {"One": "published", "Two": "published"}
    assert lines == [
        f"disc 1/one.flac: published {works['One'].id}",
        "notes.txt: left out. This is text, not a recording or a photo, whatever its name says.",
        f"two.mp3: published {works['Two'].id}",
        "2 taken in, 1 left out.",
    ]
    assert Upload.objects.filter(person=ana, creator=band).count() == 2

    again = run_import(folder, "--creator", band.slug, "--person", ana.email.upper())
    assert again[-1] == "0 taken in, 3 left out."
    assert Work.objects.count() == 2


def test_what_a_photo_shows_is_taken_from_its_folder_s_list_or_its_own_description(
    band: Creator, store: Path, tmp_path: Path
) -> None:
    described = {"said": "A heron stands in the reeds", "listed": "A heron at noon", "camera": "OLYMPUS DIGITAL CAMERA"}
    for number, (name, words) in enumerate(described.items()):
        exif = Image.Exif()
        exif[ExifTags.Base.ImageDescription] = words
        scene = Image.linear_gradient("L").resize((320, 200 + number)).convert("RGB")
        scene.save(tmp_path / f"{name}.jpg", exif=exif)
    works = [{"file": "listed.jpg", "alternative_text": "Two herons"}]
    (tmp_path / "works.json").write_text(json.dumps({"works": works}))

    run_import(tmp_path, "--creator", band.slug)

    said = {work.title.lower(): work.alternative_text for work in Work.objects.all()}
    assert said == {"said": "A heron stands in the reeds", "listed": "Two herons", "camera": ""}


def test_a_folder_needs_a_profile_and_somebody_who_runs_it(band: Creator, tmp_path: Path) -> None:
    stranger = cast.person("stranger")
    for arguments in (
        (str(tmp_path / "nowhere"), "--creator", band.slug),
        (str(tmp_path), "--creator", "no-such-profile"),
        (str(tmp_path), "--creator", band.slug, "--person", stranger.email),
    ):
        with pytest.raises(CommandError):
            call_command("import_works", *arguments)


def test_the_demo_s_works_say_what_they_are() -> None:
    works = json.loads((DEMO / "works.json").read_text())["works"]
    files = {path.name for path in DEMO.iterdir()}
    credits_of_all = (DEMO / "CREDITS.txt").read_text()

    assert files == {work["file"] for work in works} | {"works.json", "CREDITS.txt"}
    assert len(works) >= 6
    assert len({work["artist"] for work in works}) >= 3
    assert sum(path.stat().st_size for path in DEMO.iterdir()) <= 12_000_000
    for work in works:
        assert work["licence"] in rules.LICENCES
        assert work["artist"].split()[0] in work["attribution"]
        assert re.search(r"https?://creativecommons\.org/(licenses|publicdomain)/", work["attribution"])
        assert work["source"]["package"]
        assert work["file"] in credits_of_all
    assert "http://creativecommons.org/licenses/by-sa/3.0/legalcode" in credits_of_all


def test_the_demo_s_works_come_in_and_are_published(band: Creator, store: Path, tmp_path: Path) -> None:
    """The first seconds of three of them: one is at 8 kHz, and only its being marked historic lets it through."""
    shutil.copy(DEMO / "works.json", tmp_path)
    for name in ("shawn-parrotte-living-caves.mp3", "will-savino-palace.m4a", "macroform-the-simplicity.flac"):
        # Copied packets of FLAC would keep a header that says the old length.
        codec = "flac" if name.endswith("flac") else "copy"
        media.ffmpeg("-i", str(DEMO / name), "-t", "4", "-c", codec, str(tmp_path / name))

    run_import(tmp_path, "--creator", band.slug, "--publish")

    works = {work.title: work for work in Work.objects.select_related("release")}
    assert {title: (work.state, work.historic, work.lossless, work.licence) for title, work in works.items()} == {
        "Living Caves": ("published", False, False, "cc-by-sa-3.0"),
        "Palace": ("published", False, False, "cc-by-sa-3.0"),
        "The Simplicity": ("published", True, True, "cc-by-sa-3.0"),
    }
    assert (works["Living Caves"].release.title, works["Living Caves"].position) == ("HyperRogue", 1)
    assert works["Palace"].release == works["Living Caves"].release
    assert works["The Simplicity"].release is None


def test_a_folder_by_artist_founds_their_profiles_and_its_cover_is_their_artwork(
    ana: Person, band: Creator, store: Path, tmp_path: Path
) -> None:
    """One's own collection: a profile for each artist that tags name, a release of each album."""
    folder = tmp_path / "collection"
    (folder / "first").mkdir(parents=True)
    for number in (1, 2):
        tags = (("title", f"Song {number}"), ("artist", "The Kitchen"), ("album", "Sink"), ("track", f"{number}/2"))
        shutil.copy(media.make("flac", seconds=1.2, tags=tags), folder / "first" / f"{number}.flac")
    Image.effect_noise((300, 300), 50).convert("RGB").save(folder / "first" / "cover.jpg")
    Image.effect_noise((300, 300), 50).convert("RGB").save(folder / "first" / "back.jpg")

    lines = run_import(folder, "--by-artist", "--person", ana.email)

    works = list(Work.objects.order_by("position").select_related("creator", "release"))
    assert [(work.creator.name, work.release.title, work.position) for work in works if work.release] == [
        ("The Kitchen", "Sink", 1),
        ("The Kitchen", "Sink", 2),
    ]
    assert lines == [
        f"first/1.flac: a draft {works[0].id}",
        f"first/2.flac: a draft {works[1].id}",
        "first/back.jpg: left out. It looks like artwork of the recordings beside it, and is not its front.",
        "first/cover.jpg: The artwork of its folder. 2 works have it; what brings a picture of its own keeps that.",
        "3 taken in, 1 left out.",
    ]
    again = run_import(folder, "--by-artist", "--person", ana.email)
    assert again[-1] == "0 taken in, 4 left out."
    assert "This very file is already the work “Song 1”." in again[0]
