"""A folder's cover: it stands for the recordings that bring no picture, whichever is ready first, and is no photo."""

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client
from mutagen.flac import FLAC, Picture
from PIL import Image

from catalog import ingest, naming, versions
from catalog.intake import leases, receiving
from catalog.models import Creator, Leftover, Rendition, Upload, Work
from members import clock
from members.models import Person
from tests import media
from tests.catalog.conftest import finish

Drop = Callable[..., Upload]
TEAL, RED = (0, 128, 128), (200, 30, 30)


def picture(colour: tuple[int, int, int], kind: str = "JPEG") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (900, 900), colour).save(content, kind)
    return content.getvalue()


def song(title: str, *, front: bytes = b"") -> bytes:
    """Return a recording with a title, and a picture if one is given."""
    path = media.make("flac", seconds=1.2, tags=(("title", title), ("album", "Stairwell")))
    if front:
        file, said = FLAC(path), Picture()
        said.type, said.mime, said.data = 3, "image/jpeg", front
        file.add_picture(said)
        file.save()
    return path.read_bytes()


@pytest.fixture
def drop(ana: Person, band: Creator, store: Path) -> Drop:
    """Give a function that sends a file as it lay in a folder."""

    def dropped(content: bytes, name: str, folder: str = "Stairwell") -> Upload:
        chunks = media.chunks(content)
        return receiving.receive(
            person_id=ana.id, creator_id=band.id, filename=name, folder=folder, chunks=chunks, now=clock.now()
        )

    return dropped


def cover_of(upload: Upload) -> Rendition:
    upload.refresh_from_db()
    assert upload.work is not None
    return upload.work.renditions.get(kind=Rendition.Kind.COVER)


def colour_of(upload: Upload, store: Path) -> tuple[int, ...] | str:
    """Return the colour of a work's cover in the store, or that it is drawn; the smaller one shows the same."""
    cover = cover_of(upload)
    if cover.layout["file"] == "cover.svg":
        assert (store / cover.prefix / "cover.svg").is_file()
        return "drawn"
    found = []
    for size, layout in ((900, cover.layout), (480, cover.layout["small"])):
        with Image.open(store / cover.prefix / layout["file"]) as shown:
            assert shown.size == (size, size) == (layout["width"], layout["height"])
            found.append(tuple(round(part / 10) for part in shown.getpixel((size // 2, size // 2))))
    assert found[0] == found[1]
    return found[0]


def tens(colour: tuple[int, int, int]) -> tuple[int, ...]:
    return tuple(round(part / 10) for part in colour)


def test_a_cover_that_comes_last_takes_the_place_of_drawn_sleeves_and_of_nothing_else(
    drop: Drop, store: Path, ana: Person
) -> None:
    plain, other = finish(drop(song("Up"), "1.flac")), finish(drop(song("Down"), "2.flac"))
    own = finish(drop(song("Landing", front=picture(RED)), "3.flac"))
    elsewhere = finish(drop(song("Cellar"), "4.flac", folder="Elsewhere"))
    drawn = cover_of(plain).prefix

    cover = finish(drop(picture(TEAL), "Cover Stairwell.jpg"))

    assert (cover.state, cover.work, cover.percent) == ("ready", None, 100)
    assert cover.reason == "The artwork of its folder. 2 works have it; what brings a picture of its own keeps that."
    assert [colour_of(one, store) for one in (plain, other)] == [tens(TEAL)] * 2
    assert (colour_of(own, store), colour_of(elsewhere, store)) == (tens(RED), "drawn")
    assert cover_of(plain).prefix != cover_of(other).prefix  # each work's files are its own
    assert Work.objects.filter(kind="photo").count() == 0
    # Who hears the work just now is shown the sleeve until their addresses have lapsed.
    assert (store / drawn / "cover.svg").is_file()
    versions.sweep_leftovers(now=clock.now() + versions.LEFTOVERS_STAY * 2, limit=9)
    assert not (store / drawn).exists()
    assert Leftover.objects.count() == 0
    client = Client()
    client.force_login(ana)
    assert "Cover Stairwell.jpg" not in client.get("/studio").content.decode()  # nothing is left to be done about it


def test_a_cover_that_is_ready_first_waits_for_the_recordings(drop: Drop, store: Path) -> None:
    waiting = [drop(song("Up"), "1.flac"), drop(song("Down", front=picture(RED)), "2.flac"), drop(song("X"), "3.flac")]
    while waiting[2].state != Upload.State.RENDERED:  # this one has had its sleeve drawn already
        ingest.advance(upload_id=waiting[2].id, now=clock.now())
        waiting[2].refresh_from_db()

    cover = finish(drop(picture(TEAL, "PNG"), "Folder.png"))

    assert cover.reason == "The artwork of its folder. Every work there has a picture already, and keeps it."
    for upload in waiting:
        assert finish(upload).state == "ready"
    assert [colour_of(upload, store) for upload in waiting] == [tens(TEAL), tens(RED), tens(TEAL)]
    assert list(store.rglob("*.svg")) == []


@pytest.mark.parametrize(
    ("name", "folder", "with_sound"),
    [
        ("cover.jpg", "Stairwell", False),
        ("cover.jpg", "", True),
        ("back.jpg", "Stairwell", True),
        ("IMG_1.jpg", "Stairwell", True),
    ],
)
def test_any_other_picture_is_a_photo(drop: Drop, store: Path, name: str, folder: str, with_sound: bool) -> None:  # noqa: FBT001
    sound = finish(drop(song("Up"), "1.flac", folder=folder)) if with_sound else None
    photo = finish(drop(picture(TEAL), name, folder=folder))
    assert photo.work is not None
    assert (photo.work.kind, photo.work.title) == ("photo", naming.title_of_file(name))
    if sound is not None:
        assert colour_of(sound, store) == "drawn"


def test_a_broken_picture_is_refused_and_changes_nothing(drop: Drop, store: Path) -> None:
    sound = finish(drop(song("Up"), "1.flac"))
    cover = finish(drop(picture(TEAL)[:700], "cover.jpg"))
    assert (cover.state, cover.original_key) == ("rejected", "")
    assert cover.reason.endswith(".")
    assert colour_of(sound, store) == "drawn"
    assert list(store.rglob("cover*.jpg")) == []


def test_the_same_picture_is_the_artwork_of_a_folder_once_and_of_others_too(drop: Drop, store: Path) -> None:
    first, second = finish(drop(song("A"), "a.flac", "Disc 1")), finish(drop(song("B"), "b.flac", "Disc 2"))
    finish(drop(picture(TEAL), "cover.jpg", "Disc 1"))
    with pytest.raises(receiving.AlreadyUploaded, match="artwork of its folder already"):
        drop(picture(TEAL), "cover.jpg", "Disc 1")
    assert colour_of(second, store) == "drawn"
    finish(drop(picture(TEAL), "cover.jpg", "Disc 2"))
    assert colour_of(first, store) == colour_of(second, store) == tens(TEAL)


def test_of_two_fronts_the_one_that_was_there_first_stays(drop: Drop, store: Path) -> None:
    sound = finish(drop(song("Up"), "1.flac"))
    finish(drop(picture(TEAL), "cover.jpg"))
    finish(drop(picture(RED), "front.jpg"))
    assert colour_of(sound, store) == tens(TEAL)  # the first one stays


@pytest.mark.usefixtures("committed")
class TestAtOnce:
    def test_a_cover_that_comes_while_a_work_is_made_is_not_missed(
        self, drop: Drop, band: Creator, store: Path
    ) -> None:
        """The recording has looked and found none, and waits for its turn; then the cover comes."""
        sound = drop(song("Up"), "1.flac")
        while sound.state != Upload.State.RENDERED:
            ingest.advance(upload_id=sound.id, now=clock.now())
            sound.refresh_from_db()
        cover = drop(picture(TEAL), "cover.jpg")
        ingest.advance(upload_id=cover.id, now=clock.now())
        other = threading.Thread(target=_finish_elsewhere, args=(sound,))
        with transaction.atomic():
            leases.lock(f"releases of {band.id}")
            other.start()
            _wait_for_somebody_at_a_lock()
            # Another transaction than ours, as of another worker.
            rendering = threading.Thread(target=_advance_elsewhere, args=(cover,))
            rendering.start()
            rendering.join(timeout=60)
        other.join(timeout=60)
        assert colour_of(sound, store) == tens(TEAL)
        assert finish(cover).reason.startswith("The artwork of its folder. 1 work has it;")


def _finish_elsewhere(upload: Upload) -> None:
    try:
        finish(upload)
    finally:
        connection.close()


def _advance_elsewhere(upload: Upload) -> None:
    try:
        ingest.advance(upload_id=upload.id, now=clock.now())
    finally:
        connection.close()


def _wait_for_somebody_at_a_lock() -> None:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    pytest.fail("nobody came")
