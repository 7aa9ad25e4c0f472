"""A work gets a new file: who listens hears their sitting out, who owns keeps what they bought, nothing is lost."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from catalog import delivery, publishing, versions
from catalog.copies import downloads
from catalog.intake import receiving
from catalog.models import Creator, Leftover, Rendition, Upload, Work
from members import clock
from members.models import Person
from playback import charging, sessions
from tests import callers, cast, media
from tests.catalog.conftest import finish

pytestmark = pytest.mark.django_db
OLD = {"seconds": 6, "tags": (("title", "As it was"),)}
NEW = {"seconds": 9, "tags": (("title", "Another title"),)}


@pytest.fixture
def work(take_in: Callable[..., Upload]) -> Work:
    upload = take_in(media.make("flac", **OLD))
    assert upload.work is not None
    return upload.work


@pytest.fixture
def replace(ana: Person, band: Creator, store: Path) -> Callable[..., Upload]:
    def send(work: Work, content: Path | bytes) -> Upload:
        return finish(
            receiving.receive(
                person_id=ana.id,
                creator_id=band.id,
                filename="new.flac",
                chunks=media.chunks(content),
                now=clock.now(),
                replaces=work.id,
            )
        )

    return send


def layout(work: Work) -> delivery.Layout:
    return delivery.layout(work_id=work.id, kind=delivery.SOUND)


def test_the_work_stays_itself_and_sounds_new(work: Work, replace: Callable[..., Upload], store: Path) -> None:
    Work.objects.filter(id=work.id).update(title="Its own name", price_micros=500_000)
    before = {row.kind: row.prefix for row in work.renditions.all()}
    upload = replace(work, media.make("flac", **NEW))
    assert (upload.state, upload.work_id, Work.objects.count()) == ("ready", work.id, 1)
    work.refresh_from_db()
    assert (work.title, work.price_micros, round((work.duration_ms or 0) / 1000)) == ("Its own name", 500_000, 9)
    rendition = work.renditions.get(kind="hls-128")
    sound = store / "heard.mp4"
    sound.write_bytes(media.joined(store, rendition))
    assert media.seconds_of(sound) == pytest.approx(9, abs=0.2)
    assert work.renditions.count() == len(before)
    # What was made of the first file lies where it lay, until nobody can have an address of it any more.
    prefixes = {prefix for prefix in before.values() if prefix}
    assert set(Leftover.objects.values_list("prefix", flat=True)) == prefixes
    assert all(media.files_under(store / prefix) for prefix in prefixes)
    assert versions.sweep_leftovers(now=clock.now() + timedelta(hours=13), limit=9) == 0
    assert versions.sweep_leftovers(now=clock.now() + timedelta(hours=15), limit=9) == len(prefixes)
    assert not any((store / prefix).exists() for prefix in prefixes)
    assert media.joined(store, rendition) == sound.read_bytes()


def test_who_is_listening_hears_their_sitting_out(
    work: Work, ana: Person, replace: Callable[..., Upload], settings
) -> None:
    callers.forget_counts()
    publishing.publish(work_id=work.id, person_id=ana.id, now=clock.now())
    lena = cast.person("lena")
    cast.top_up(lena, 500)
    session, _ = sessions.begin(person_id=lena.id, work_id=work.id, now=clock.now())
    addresses = [delivery.sign(segment.key, now=clock.now()) for segment in layout(work).segments]
    replace(work, media.make("flac", **NEW))
    for address in addresses:
        assert Client().get(address.removeprefix(settings.BASE_URL)).status_code == 200
    charged, _ = charging.charge_session(person_id=lena.id, session_id=session.id, price_micros=session.price_micros)
    assert charged.charged_micros == session.price_micros
    assert sum(segment.micros for segment in layout(work).segments) == pytest.approx(9_000_000, abs=200_000)


def test_every_version_can_be_kept(work: Work, replace: Callable[..., Upload], store: Path) -> None:
    bought_at = clock.now()
    replace(work, media.make("flac", **NEW))

    def seconds(as_of: Any) -> float:
        asked = downloads.ask(work_id=work.id, format="original", now=clock.now(), as_of=as_of)
        downloads.make(download_id=asked.id, now=clock.now())
        asked.refresh_from_db()
        return media.seconds_of(store / asked.key)

    assert seconds(None) == pytest.approx(9, abs=0.1)
    assert seconds(bought_at) == pytest.approx(6, abs=0.1)
    assert [upload.filename for upload in versions.of(work.id)] == [media.make("flac", **OLD).name, "new.flac"]


def test_going_back_to_the_first_file(work: Work, replace: Callable[..., Upload]) -> None:
    first, second = media.make("flac", **OLD), media.make("flac", **NEW)
    replace(work, second)
    with pytest.raises(receiving.AlreadyUploaded):
        replace(work, second)
    assert replace(work, first).state == "ready"
    work.refresh_from_db()
    assert round((work.duration_ms or 0) / 1000) == 6
    assert len(versions.of(work.id)) == 3


def test_a_file_that_is_no_recording_changes_nothing(work: Work, replace: Callable[..., Upload]) -> None:
    prefixes = set(Rendition.objects.values_list("prefix", flat=True))
    picture = io.BytesIO()
    Image.effect_noise((640, 480), 40).save(picture, "JPEG")
    refused = replace(work, picture.getvalue())
    assert (refused.state, refused.work_id) == ("rejected", None)
    assert "This work is a recording, and the file is a photo." in refused.reason
    assert replace(work, b"a letter" * 1000).state == "rejected"
    assert set(Rendition.objects.values_list("prefix", flat=True)) == prefixes
    assert not Leftover.objects.exists()
    assert len(versions.of(work.id)) == 1


def test_over_http_by_its_people_alone(work: Work, ana: Person, store: Path) -> None:
    callers.forget_counts()

    def send(who: Person, replaces: UUID) -> Any:
        file = SimpleUploadedFile("new.flac", media.make("flac", **NEW).read_bytes())
        headers = {"Authorization": f"Bearer {callers.token(who, 'publish')}"}
        return Client().post("/api/v1/uploads", {"file": file, "replaces": str(replaces)}, headers=headers)

    ben = cast.person("ben")
    cast.creator(ben)
    assert send(ben, work.id).status_code == 404
    assert send(ana, UUID(int=5)).status_code == 404
    answer = send(ana, work.id)
    assert answer.status_code == 202, answer.content
    upload = finish(Upload.objects.get(id=json.loads(answer.content)["id"]))
    assert (upload.state, upload.work_id) == ("ready", work.id)
