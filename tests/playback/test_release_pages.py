"""The pages of releases and photos as plain HTTP: what they say to whom, and what they ask the database."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import publishing
from catalog.models import Work
from members import clock
from members.models import Person
from playback import charging, sessions
from tests import cast
from tests.playback.test_queue import BACKEND

pytestmark = pytest.mark.django_db


@pytest.fixture
def lena() -> Person:
    person = cast.person("lena")
    cast.promo(person, 50_000_000)
    return person


@pytest.fixture
def ana() -> Person:
    return cast.person("ana")


@pytest.fixture
def hers(lena: Person) -> Client:
    client = Client()
    client.force_login(lena, backend=BACKEND)
    return client


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_a_release_says_what_playing_and_owning_all_of_it_costs(
    client: Client, hers: Client, lena: Person, ana: Person
) -> None:
    maker = cast.creator(ana)
    album = cast.release(maker, title="Twelve Rooms")
    first, second, third = (cast.track(maker, release=album, position=n) for n in (1, 2, 3))
    cast.track(maker, release=album, position=4, state="draft")
    cast.play(lena, second)
    cast.buy(lena, third, price_micros=1_022_000)
    told = words(client.get(f"/releases/{album.id}"))
    assert "this album next: €0.006" in told
    assert "All of it costs €3.066 ." in told
    told = words(hers.get(f"/releases/{album.id}"))
    assert "this album next: €0.006" in told
    assert "Own the two left €2.042" in told
    assert "Yours already" in told
    assert "3 tracks, 9:00" in told
    assert [told.index(work.title) for work in (first, second, third)] == sorted(
        told.index(work.title) for work in (first, second, third)
    )
    publishing.take_off(work_id=first.id, person_id=ana.id, now=clock.now())
    told = words(hers.get(f"/releases/{album.id}/listening"))
    assert "this album next: €0.004" in told
    assert "cannot be played now" in told
    assert "Left out: taken off or suspended" in told


def test_a_release_of_drafts_is_not_there_for_others(client: Client, hers: Client, ana: Person) -> None:
    maker = cast.creator(ana)
    album = cast.release(maker)
    cast.track(maker, release=album, state="draft")
    for visitor in (client, hers):
        assert visitor.get(f"/releases/{album.id}").status_code == 404
        assert visitor.get(f"/releases/{album.id}/listening").status_code == 404


def test_a_long_release_asks_no_more_than_a_short_one(hers: Client, ana: Person) -> None:
    maker = cast.creator(ana)
    cast.track(maker)
    counts = []
    for length in (2, 20):
        album = cast.release(maker)
        works = [cast.track(maker, release=album, position=n + 1) for n in range(length)]
        for photo in range(length // 2):
            cast.photo(maker, release=album, position=length + photo + 1)
        hers.get(f"/releases/{album.id}")  # what is remembered of layouts is
        for path in (f"/releases/{album.id}", f"/works/{works[0].id}"):
            with CaptureQueriesContext(connection) as asked:
                assert hers.get(path).status_code == 200
            counts.append(len(asked))
    assert counts[:2] == counts[2:]


def test_a_works_page_shows_its_release_tags_and_more_by_its_creator(client: Client, ana: Person) -> None:
    maker = cast.creator(ana)
    album = cast.release(maker, title="Twelve Rooms")
    here, beside = cast.track(maker, release=album, position=1), cast.track(maker, release=album, position=2)
    elsewhere = cast.track(maker)
    Work.objects.filter(id=here.id).update(tags=["slow tape"])
    page = client.get(f"/works/{here.id}").content.decode()
    assert f'href="/releases/{album.id}"' in page
    assert f'href="/works/{beside.id}"' in page
    assert f'href="/works/{elsewhere.id}"' in page
    assert 'href="/browse?tag=slow%20tape"' in page


def test_a_photo_is_shown_as_its_preview_until_it_is_paid_and_for_ten_minutes_after(
    client: Client, hers: Client, lena: Person, ana: Person
) -> None:
    photo = cast.photo(cast.creator(ana))
    view = photo.renditions.get(kind="view")
    full = view.prefix + view.layout["file"]
    told = client.get(f"/works/{photo.id}").content.decode()
    assert full not in told
    assert "Preview with a watermark. Looking costs nothing." in told
    assert "1600 \N{MULTIPLICATION SIGN} 1200" in told
    told = hers.get(f"/works/{photo.id}").content.decode()
    assert full not in told
    assert "Open full size" in told
    sitting, _ = sessions.begin(person_id=lena.id, work_id=photo.id, now=clock.now())
    charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=2_000)
    page = hers.get(f"/works/{photo.id}").content.decode()
    assert full in page
    assert "Open in full until" in page
    assert "1 of 9" in page
    assert "views paid" in page
    assert "Open full size" not in page
    assert full not in client.get(f"/works/{photo.id}").content.decode()
    cast.set_clock(clock.now() + sessions.VIEW_LIVES)
    page = hers.get(f"/works/{photo.id}").content.decode()
    assert full not in page
    assert "Open full size" in page
    cast.buy(lena, photo, price_micros=1_020_000)
    page = hers.get(f"/works/{photo.id}").content.decode()
    assert full in page
    assert "Yours" in page


def test_a_photos_words_say_what_is_in_it(client: Client, ana: Person) -> None:
    photo = cast.photo(cast.creator(ana))
    Work.objects.filter(id=photo.id).update(alternative_text="Half a fig in a red bowl")
    page = client.get(f"/works/{photo.id}").content.decode()
    assert 'alt="Half a fig in a red bowl"' in page
