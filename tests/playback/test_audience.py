"""Audiences: counted once, by day and month, shown to a work's people only, and never about one to four listeners."""

import csv
import io
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from catalog.models import CreatorRole, Work
from members import clock
from members.models import Person
from members.problems import NotFound
from playback import audience, audience_counting, charging, sessions, tasks
from playback import audience_drawing as drawing
from playback.audience_models import AudienceCounted, AudienceDay
from playback.models import Session
from tests import cast
from tests.callers import Caller

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2026, 10, 1, 12, tzinfo=clock.zone())


def sit(listener: Person, work: Work, at: datetime, *, paid: bool, source: str = "work", heard: bool = True) -> None:
    """Let somebody sit with a work at a moment: to the end of the opening, or of the whole if they pay."""
    cast.set_clock(at)
    sitting, _ = sessions.begin(person_id=listener.id, work_id=work.id, source=source, now=clock.now())
    if paid:
        charging.charge_session(person_id=listener.id, session_id=sitting.id, price_micros=sitting.price_micros)
    sessions.report_progress(
        person_id=listener.id,
        session_id=sitting.id,
        position_ms=(work.duration_ms or 0) if heard else 1_000,
        completed=paid and heard,
        now=clock.now(),
    )
    Session.objects.filter(listener=listener, id=sitting.id).update(ended_at=clock.now())


def crowd(number: int, *, country: str = "DE") -> list[Person]:
    """Return listeners with credit."""
    found = []
    for _ in range(number):
        listener = cast.person()
        Person.objects.filter(id=listener.id).update(country=country)
        cast.top_up(listener, 1_000)
        found.append(listener)
    return found


@pytest.fixture
def october() -> tuple[Work, Person]:
    """Give a work with an October: seven pay from Germany, two from Spain; six more only listen, one of them twice."""
    cast.set_clock(OCTOBER)
    ana = cast.person()
    work = cast.track(cast.creator(ana))
    germans, spaniards, others = crowd(7), crowd(2, country="ES"), crowd(6, country="PL")
    for n, listener in enumerate(germans):
        sit(listener, work, OCTOBER + timedelta(days=n), paid=True)
        sit(listener, work, OCTOBER + timedelta(days=n, hours=5), paid=True, source="library")
    for n, listener in enumerate(spaniards):
        sit(listener, work, OCTOBER + timedelta(days=20 + n), paid=True, source="search")
    for n, listener in enumerate(others):
        sit(listener, work, OCTOBER + timedelta(days=10 + n), paid=False, source="search", heard=n > 0)
    sit(others[0], work, OCTOBER + timedelta(days=17), paid=False)
    sit(ana, work, OCTOBER + timedelta(days=2), paid=False)
    return work, ana


def count_at(moment: datetime) -> None:
    """Let the worker count at a moment, as often as it takes."""
    cast.set_clock(moment)
    while tasks.count_audiences():
        pass


def test_a_month_is_counted_once_and_told_in_tables(october: tuple[Work, Person]) -> None:
    work, ana = october
    count_at(OCTOBER + timedelta(days=32))
    seen = audience.of(work_id=work.id, person_id=ana.id, now=clock.now())
    assert seen.counted_until is not None
    assert seen.counted_until.isoformat() == "2026-11-01"
    (month,) = seen.months
    told = month.content
    assert told is not None
    assert (told["plays"], told["unpaid_sessions"], told["sessions"], told["purchases"]) == (16, 7, 23, 0)
    assert told["listeners"] == 15
    assert told["new_owners"] == 0
    assert told["charged_micros"] == 9 * 2_000 + 7 * 4_000
    assert told["numbers"] == [{"key": "1", "count": 9}, {"key": "2", "count": 7}]
    assert told["paid"] == [{"key": "completed", "count": 16}]
    # One left within the opening, which takes the five who heard it with it.
    assert told["unpaid"] == [{"key": "other", "count": 7}]
    # Two Spaniards take the six Poles with them: never exactly one cell is missing.
    assert told["countries"] == [{"key": "DE", "count": 7}, {"key": "other", "count": 8}]
    assert sum(cell["count"] for cell in told["sources"]) == 23
    assert {cell["key"] for cell in told["sources"]} == {"work", "library", "search"}
    assert sum(span["sessions"] for span in month.days) == 23
    assert sum(span["charged_micros"] for span in month.days) == told["charged_micros"]


def test_counting_again_or_giving_back_later_changes_nothing(october: tuple[Work, Person]) -> None:
    work, ana = october
    count_at(OCTOBER + timedelta(days=32))
    before = audience.of(work_id=work.id, person_id=ana.id, now=clock.now())
    charge = cast.last_charge(Person.objects.filter(charges__work=work).order_by("id")[0])
    cast.give_back(charge)
    AudienceCounted.objects.get(day="2026-10-05")
    assert audience_counting.count(now=clock.now()) == 0
    assert audience.of(work_id=work.id, person_id=ana.id, now=clock.now()) == before
    assert not AudienceDay.objects.exclude(payer_ids=[]).exists()
    assert not AudienceDay.objects.exclude(unpaid_ids=[]).exists()


def test_a_day_is_counted_when_its_night_is_over_and_a_month_when_it_is_heard_out(october: tuple[Work, Person]) -> None:
    work, ana = october
    midnight = clock.start_of(datetime(2026, 11, 1, tzinfo=clock.zone()).date())
    count_at(midnight + timedelta(hours=4, minutes=14))
    assert audience_counting.counted_until(now=clock.now()) == datetime(2026, 10, 30).date()  # noqa: DTZ001
    count_at(midnight + timedelta(hours=4, minutes=16))
    assert audience_counting.counted_until(now=clock.now()) == datetime(2026, 10, 31).date()  # noqa: DTZ001
    assert audience.of(work_id=work.id, person_id=ana.id, now=clock.now()).months[0].content is None
    count_at(midnight + timedelta(hours=16, minutes=16))
    assert audience.of(work_id=work.id, person_id=ana.id, now=clock.now()).months[0].content is not None


def test_reading_every_day_tells_nobody_apart(october: tuple[Work, Person]) -> None:
    """The attacker: reads the page each morning, keeps everything, and subtracts."""
    work, ana = october
    truth: dict[str, tuple[set[object], set[object]]] = defaultdict(lambda: (set(), set()))
    for session in Session.objects.filter(work=work).exclude(basis="own"):
        day = clock.day(session.began_at).isoformat()
        truth[day][session.charge_id is None].add(session.listener_id)
    seen: list[list[tuple[str, str]]] = []
    for morning in range(1, 34):
        count_at(OCTOBER + timedelta(days=morning))
        months = audience.of(work_id=work.id, person_id=ana.id, now=clock.now()).months
        seen.append([(span["first"], span["last"]) for span in months[0].days] if months else [])
    assert seen[-1]
    for earlier, later in pairwise(seen):
        assert later[: len(earlier)] == earlier
    for spans in seen:
        rest = seen[-1][len(spans) :]
        for first, last in [*spans, *([(rest[0][0], rest[-1][1])] if rest else [])]:
            days = [sides for day, sides in truth.items() if first <= day <= last]
            for side in (0, 1):
                people = set().union(*(sides[side] for sides in days))
                assert len(people) == 0 or len(people) >= 5, (first, last, side)


def test_few_listeners_are_not_shown_but_what_they_paid_is() -> None:
    cast.set_clock(OCTOBER)
    ana = cast.person()
    work = cast.track(cast.creator(ana))
    for listener in crowd(4):
        sit(listener, work, OCTOBER + timedelta(days=1), paid=True)
    count_at(OCTOBER + timedelta(days=32))
    (month,) = audience.of(work_id=work.id, person_id=ana.id, now=clock.now()).months
    assert month.content is not None
    assert month.content["charged_micros"] == 8_000
    hidden = ("plays", "sessions", "listeners", "numbers", "paid", "countries", "sources")
    assert [month.content[name] for name in hidden] == [None] * len(hidden)
    assert month.days == []


def test_uncharged_sessions_stay_until_their_month_is_settled(october: tuple[Work, Person]) -> None:
    work, _ = october
    cast.set_clock(OCTOBER + timedelta(days=60))
    assert tasks.sweep_sessions() == 0
    count_at(OCTOBER + timedelta(days=60))
    assert tasks.sweep_sessions() == 8
    assert not Session.objects.filter(work=work, charge_id=None).exists()


def test_only_its_own_people_see_it(october: tuple[Work, Person]) -> None:
    work, ana = october
    count_at(OCTOBER + timedelta(days=32))
    stranger, looker = cast.person(), cast.person()
    CreatorRole.objects.create(creator=work.creator, person=looker, role=CreatorRole.Role.VIEWER)
    with pytest.raises(NotFound):
        audience.of(work_id=work.id, person_id=stranger.id, now=clock.now())
    path = f"works/{work.id}/audience"
    assert Caller(stranger).get(path).status_code == 404
    assert Caller(None).get(path).status_code == 401
    assert Caller(ana, "listen").get(path).status_code == 403
    told = Caller(looker).get(path).json()
    assert told == Caller(ana).get(path).json()
    assert told["months"][0]["month"] == "2026-10"
    assert told["months"][0]["tables"]["plays"] == 16
    ids = {str(person_id) for person_id in Session.objects.values_list("listener_id", flat=True)}
    assert not any(person_id in str(told) for person_id in ids)
    for name in ("audience", "audience.csv"):
        page = f"/studio/works/{work.id}/{name}"
        assert Caller(stranger, by_cookie=True).get(page).status_code == 404
        assert Caller(None).get(page).status_code == 302


def test_the_page_and_its_table_say_the_same(october: tuple[Work, Person]) -> None:
    work, ana = october
    count_at(OCTOBER + timedelta(days=32))
    caller = Caller(ana, by_cookie=True)
    page = caller.get(f"/studio/works/{work.id}/audience").content.decode()
    assert "Seven in ten who began went on" in page
    assert "Most live in Germany" in page
    assert "All of the plays are a first, second or third" in page
    assert "€0.046" in page
    assert caller.get(f"/studio/works/{work.id}/audience?month=2026-09").status_code == 404
    rows = list(csv.DictReader(io.StringIO(caller.get(f"/studio/works/{work.id}/audience.csv").content.decode())))
    assert {
        "month": "2026-10",
        "table": "numbers",
        "key": "1",
        "last_day": "",
        "count": "9",
        "charged_micros": "",
    } in rows
    assert [row["charged_micros"] for row in rows if row["key"] == "charged"] == ["46000"]


def test_a_chart_claims_nothing_of_what_was_folded() -> None:
    folded = [{"key": "4", "count": 7}, {"key": "other", "count": 12}]
    assert drawing.finding_of_numbers({"numbers": folded, "plays": 19}) == "How often they came back"
    one = [{"first": "2026-10-01", "last": "2026-10-30", "sessions": 32}]
    assert drawing.finding_of_days(one) == "No day stands out"


def test_an_audience_that_is_not_there_yet_says_when_it_will_be(october: tuple[Work, Person]) -> None:
    _, ana = october
    other = cast.track(cast.creator(ana))
    page = Caller(ana, by_cookie=True).get(f"/studio/works/{other.id}/audience").content.decode()
    assert "No figures yet." in page


def test_the_source_is_kept_and_an_unknown_one_is_refused() -> None:
    work, lena = cast.track(cast.creator(cast.person())), cast.person()
    caller = Caller(lena)
    assert caller.post("sessions", {"work": str(work.id), "source": "search"}).status_code == 201
    assert Session.objects.get(listener=lena).source == "search"
    assert caller.post("sessions", {"work": str(work.id), "source": "a friend"}).status_code == 400
