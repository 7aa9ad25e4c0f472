"""Releases from tags: files of one album find each other, in any order and at any time; photos by their folder."""

import io
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image

from catalog import releases
from catalog.intake import receiving
from catalog.models import Creator, Release, Upload, Work
from members import clock
from members.models import Person
from tests import cast, media
from tests.catalog.conftest import finish

pytestmark = pytest.mark.django_db
ALBUM_ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


@pytest.fixture
def track(take_in: Callable[..., Upload]) -> Callable[..., Work]:
    """Give a function that takes in a recording with these tags; the rate makes each file another."""
    rates = iter(range(44_100, 48_000, 7))

    def make(kind: str = "flac", **tags: str) -> Work:
        rate = next(rates) if kind == "flac" else 44_100
        upload = take_in(media.make(kind, seconds=1.2, rate=rate, tags=tuple(tags.items())))
        assert upload.work is not None, upload.reason
        return upload.work

    return make


@pytest.fixture
def found(ana: Person, band: Creator) -> Callable[..., Work]:
    """Give a function that makes the work of a recording in which these tags were found: the ingest's last step."""

    def make(by: Creator = band, **tags: str) -> Work:
        said = {"title": "", "album": "", "track": "", "date": "", "licence": "", "duration_ms": 1_200, **tags}
        upload = Upload.objects.create(
            person=ana,
            creator=by,
            state="rendered",
            kind="flac",
            filename="x.flac",
            size_bytes=1,
            sha256=uuid4().hex * 2,
            created_at=clock.now(),
            found={**said, "made": {"work": str(uuid4()), "renditions": {}}},
        )
        work = finish(upload).work
        assert work is not None
        return work

    return make


def order(release: Release) -> list[tuple[int | None, str]]:
    return list(release.works.order_by("position", "title").values_list("position", "title"))


def test_an_album_in_any_order(track: Callable[..., Work], band: Creator) -> None:
    said = {"album": "Rooms", "date": "2024-05-06", "MUSICBRAINZ_ALBUMID": ALBUM_ID}
    third = track(title="Three", track="3/8", **said)
    first = track(title="One", track="1/8", ISRC="qz-es7-12-00074", MUSICBRAINZ_TRACKID=ALBUM_ID, **said)
    second = track(title="Two", track="2/8", **{**said, "album": "rooms"})
    (release,) = Release.objects.all()
    assert {third.release_id, first.release_id, second.release_id} == {release.id}
    assert (release.title, release.kind, str(release.released_on)) == ("Rooms", "album", "2024-05-06")
    assert release.musicbrainz_release == UUID(ALBUM_ID)
    assert order(release) == [(1, "One"), (2, "Two"), (3, "Three")]
    first.refresh_from_db()
    assert (first.isrc, first.musicbrainz_recording) == ("QZES71200074", UUID(ALBUM_ID))
    assert (second.isrc, second.musicbrainz_recording) == ("", None)


def test_two_discs_are_counted_through(found: Callable[..., Work]) -> None:
    for title, number, disc in (("B1", "1", "2/2"), ("A2", "2", "1/2"), ("A1", "1", "1/2"), ("B2", "2", "2/2")):
        found(title=title, track=number, disc=disc, album="Double")
    assert order(Release.objects.get()) == [(1, "A1"), (2, "A2"), (3, "B1"), (4, "B2")]


def test_an_order_made_by_hand_stays(found: Callable[..., Work]) -> None:
    one, two = (found(title=f"T{number}", track=str(number), album="Mine") for number in (1, 2))
    Work.objects.filter(id=one.id).update(position=2)
    Work.objects.filter(id=two.id).update(position=1)
    found(title="T0", track="1", album="Mine")
    assert order(Release.objects.get()) == [(1, "T2"), (2, "T1"), (3, "T0")]


def test_albums_of_one_name_are_told_apart_by_their_ids(found: Callable[..., Work]) -> None:
    live = found(title="a", album="Live", musicbrainz_release=ALBUM_ID)
    other = found(title="b", album="Live", musicbrainz_release=ALBUM_ID.replace("a", "f"))
    again = found(title="c", album="Live (deluxe)", musicbrainz_release=ALBUM_ID)
    unnamed = found(title="d", album="Live")
    assert live.release_id == again.release_id == unnamed.release_id != other.release_id
    assert Release.objects.count() == 2


@pytest.mark.parametrize("kind", ["mp3", "m4a", "ogg", "opus"])
def test_tags_of_every_kind_say_it(kind: str, track: Callable[..., Work]) -> None:
    work = track(kind, title="Said", album=f"Album {kind}", track="4", date="2020-01-02")
    assert work.release is not None
    assert (work.release.title, str(work.release.released_on), work.position) == (f"Album {kind}", "2020-01-02", 4)


def test_an_ep_and_a_single_say_how_many_they_are(found: Callable[..., Work]) -> None:
    assert found(title="x", album="Short", track="1/4").release.kind == "ep"
    assert found(title="y", album="Only", track="1/1").release.kind == "single"
    assert found(title="z", track="5").release is None


def test_albums_of_others_are_left_alone(found: Callable[..., Work]) -> None:
    mine, theirs = found(album="Shared name"), found(cast.creator(cast.person("ben")), album="Shared name")
    assert mine.release_id is not None
    assert theirs.release_id not in (None, mine.release_id)


def photo(number: int) -> bytes:
    content = io.BytesIO()
    Image.effect_noise((640, 480), 40 + number).convert("RGB").save(content, "JPEG")
    return content.getvalue()


def test_photos_of_a_folder_become_a_series(ana: Person, band: Creator, store: Path) -> None:
    def send(name: str, folder: str, number: int) -> Work:
        upload = finish(
            receiving.receive(
                person_id=ana.id,
                creator_id=band.id,
                filename=name,
                folder=folder,
                chunks=[photo(number)],
                now=clock.now(),
            )
        )
        assert upload.work is not None, upload.reason
        return upload.work

    works = [send(name, "2026/Harbour", number) for number, name in enumerate(["IMG_10.jpg", "IMG_2.jpg", "img_1.jpg"])]
    alone = send("alone.jpg", "", 7)
    (series,) = Release.objects.all()
    assert (series.title, series.kind) == ("Harbour", "series")
    assert order(series) == [(1, "img 1"), (2, "IMG 2"), (3, "IMG 10")]
    assert {work.release_id for work in works} == {series.id}
    assert alone.release is None


@pytest.mark.parametrize(
    ("name", "is_artwork"),
    [("cover.jpg", True), ("Folder.JPG", True), ("front cover.png", True), ("AlbumArt.jpg", True), ("IMG_1.jpg", False),
     ("discovery.jpg", False), ("backyard.jpg", False), ("cover.flac", False)],
)  # fmt: skip
def test_artwork_is_known_by_its_name(name: str, is_artwork: bool) -> None:  # noqa: FBT001
    assert releases.is_artwork(name) is is_artwork
