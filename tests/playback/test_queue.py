"""What a queue costs, line by line, and what was stopped in the middle."""

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import publishing
from members import clock
from members.models import Person
from playback import charging, queue, sessions
from tests import cast

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def lena() -> Person:
    person = cast.person("lena")
    cast.promo(person, 50_000_000)
    return person


@pytest.fixture
def ana() -> Person:
    return cast.person("ana")


def prices(lines: list[queue.Line]) -> list[tuple[str | None, int, int]]:
    return [(line.basis, line.price_micros, line.rest_micros) for line in lines]


def test_each_line_says_what_its_next_play_costs_and_what_is_left_to_the_end(lena: Person, ana: Person) -> None:
    maker = cast.creator(ana)
    fresh, begun, owned = cast.track(maker), cast.track(maker), cast.track(maker)
    free, mine = cast.track(maker, price_micros=0), cast.track(cast.creator(lena))
    for _ in range(3):
        cast.play(lena, begun)
    cast.buy(lena, owned, price_micros=1_022_000)
    order = [begun.id, owned.id, fresh.id, free.id, mine.id]
    lines = queue.lines(person_id=lena.id, work_ids=order, now=clock.now())
    assert [line.facts.work_id for line in lines] == order
    assert prices(lines) == [
        ("paid", 16_000, 18_000),
        ("owned", 0, 2_000),
        ("paid", 2_000, 2_000),
        ("free", 0, 0),
        ("own", 0, 0),
    ]
    assert lines[0].paid_plays == {1, 2, 3}
    assert lines[0].remaining_micros == 1_022_000 - 14_000


def test_a_stranger_sees_first_plays(ana: Person) -> None:
    maker = cast.creator(ana)
    works = [cast.track(maker).id, cast.track(maker, price_micros=0).id, cast.track(maker, price_micros=10_220_000).id]
    lines = queue.lines(person_id=None, work_ids=works, now=clock.now())
    assert prices(lines) == [("paid", 2_000, 22_000), ("free", 0, 20_000), ("paid", 20_000, 20_000)]


def test_a_play_that_is_paid_and_not_heard_out_costs_nothing_until_it_was(lena: Person, ana: Person) -> None:
    work = cast.track(cast.creator(ana))
    now = clock.now()
    sitting, _ = sessions.begin(person_id=lena.id, work_id=work.id, now=now)
    charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=2_000)
    sessions.report_progress(
        person_id=lena.id, session_id=sitting.id, position_ms=70_500, completed=False, now=clock.now()
    )
    (line,) = queue.lines(person_id=lena.id, work_ids=[work.id], now=clock.now())
    assert (line.paid_already, line.price_micros, line.next_micros, line.position_ms) == (True, 0, 4_000, 70_500)
    later = clock.now() + timedelta(hours=13)  # its address lives no longer
    (line,) = queue.lines(person_id=lena.id, work_ids=[work.id], now=later)
    assert (line.paid_already, line.price_micros) == (False, 4_000)
    sessions.report_progress(
        person_id=lena.id, session_id=sitting.id, position_ms=180_000, completed=True, now=clock.now()
    )
    (line,) = queue.lines(person_id=lena.id, work_ids=[work.id], now=clock.now())
    assert (line.paid_already, line.price_micros) == (False, 4_000)


def test_what_one_may_not_know_of_is_left_out_and_what_was_taken_off_cannot_be_played(
    lena: Person, ana: Person
) -> None:
    maker = cast.creator(ana)
    draft, off, begun_and_off = cast.track(maker, state="draft"), cast.track(maker), cast.track(maker)
    kept, photo = cast.track(maker), cast.photo(maker)
    cast.play(lena, begun_and_off)
    cast.buy(lena, kept, price_micros=1_022_000)
    for work in (off, begun_and_off, kept):
        publishing.take_off(work_id=work.id, person_id=ana.id, now=clock.now())
    asked = [draft.id, uuid4(), photo.id, off.id, begun_and_off.id, kept.id, off.id]
    lines = queue.lines(person_id=lena.id, work_ids=asked, now=clock.now())
    assert [line.facts.work_id for line in lines] == [off.id, begun_and_off.id, kept.id]
    assert prices(lines) == [(None, 0, 4_000), ("paid", 4_000, 4_000), ("owned", 0, 0)]


def test_a_long_queue_asks_no_more_than_a_short_one(lena: Person, ana: Person) -> None:
    maker = cast.creator(ana)
    works = [cast.track(maker).id for _ in range(25)]
    counts = []
    queue.lines(person_id=None, work_ids=works[:1], now=clock.now())  # policies are remembered
    for some in (works[:1], works):
        with CaptureQueriesContext(connection) as asked:
            queue.lines(person_id=lena.id, work_ids=some, now=clock.now())
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 7  # with one for the clock


def test_a_queue_ends_somewhere(ana: Person) -> None:
    maker = cast.creator(ana)
    works = [cast.track(maker, seconds=30).id for _ in range(3)]
    many = [uuid4() for _ in range(queue.WORKS_MOST - 2)]
    lines = queue.lines(person_id=None, work_ids=[*many, *works], now=clock.now())
    assert [line.facts.work_id for line in lines] == works[:2]


def test_the_page_prints_the_servers_figures(lena: Person, ana: Person) -> None:
    maker = cast.creator(ana)
    begun, fresh = cast.track(maker), cast.track(maker, seconds=30)
    cast.play(lena, begun)
    client = Client()
    client.force_login(lena, backend=BACKEND)
    page = client.get(f"/queue?works={begun.id.hex},nonsense,{fresh.id},{uuid4()}").content.decode()
    facts = [json.loads(text.replace("&quot;", '"')) for text in re.findall(r'data-facts="([^"]+)"', page)]
    assert [(one["work"], one["price_micros"], one["rest_micros"]) for one in facts] == [
        (str(begun.id), 4_000, 6_000),
        (str(fresh.id), 2_000, 2_000),
    ]
    assert [one["free_seconds"] for one in facts] == [45, 15]
    assert re.findall(r'<span class="price">([^<]+)</span>', page) == ["€0.004", "€0.002"]
    assert client.get("/queue").status_code == 200
    assert "data-facts" not in client.get("/queue?works=,,x").content.decode()


def test_what_was_stopped_in_the_middle_is_found_where_it_stands(lena: Person, ana: Person) -> None:
    maker = cast.creator(ana)
    paid, owned, heard_out, only_opened, barely = (cast.track(maker) for _ in range(5))
    cast.buy(lena, owned, price_micros=1_022_000)
    for work, ms, done in ((paid, 60_000, False), (heard_out, 180_000, True), (barely, 4_000, False)):
        sitting, _ = sessions.begin(person_id=lena.id, work_id=work.id, now=clock.now())
        charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=2_000)
        sessions.report_progress(
            person_id=lena.id, session_id=sitting.id, position_ms=ms, completed=done, now=clock.now()
        )
    for work in (owned, only_opened):
        sitting, _ = sessions.begin(person_id=lena.id, work_id=work.id, now=clock.now())
        sessions.report_progress(
            person_id=lena.id, session_id=sitting.id, position_ms=30_000, completed=False, now=clock.now()
        )
    found = queue.unfinished(person_id=lena.id, now=clock.now())
    assert [(one.facts.work_id, one.position_ms, one.owned) for one in found] == [
        (owned.id, 30_000, True),
        (paid.id, 60_000, False),
    ]
    assert queue.unfinished(person_id=ana.id, now=clock.now()) == []
    assert queue.unfinished(person_id=lena.id, now=clock.now() + timedelta(hours=13)) == []
    sitting, new = sessions.begin(person_id=lena.id, work_id=paid.id, now=clock.now())
    assert (new, sitting.position_seconds) == (False, 60.0)  # on any device
