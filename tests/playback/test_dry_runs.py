"""The dry run of the opening, against sittings whose ends are known to the second."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.core.cache import cache

from members import clock, policies
from members.models import Person
from members.voting import dry_runs
from members.voting.dry_runs import Preview
from playback.models import Charge, Session
from tests import cast

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
AT = datetime(2026, 10, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    cache.clear()
    policies.forget()
    cast.set_clock(AT)
    yield
    cache.clear()


def tried(seconds: int, person: Person | None = None) -> Preview:
    cache.clear()
    return dry_runs.preview(
        "opening", {"seconds": seconds}, now=clock.now(), person_id=person.id if person else None, month=OCTOBER
    )


def sit(person: Person, work, *, until: int, paid: bool = True) -> None:
    """Let somebody hear a work to a second, with an opening of 45 seconds."""
    charge_id = uuid4() if paid else None
    session = Session.objects.create(
        listener=person,
        work=work,
        basis=Session.Basis.PAID,
        began_at=AT,
        quoted_at=AT,
        expires_at=AT,
        pricing_version=1,
        opening_version=1,
        free_ms=45_000,
        open_ms=50_000,
        charge_id=charge_id,
        playlist_until=AT,
        position_ms=until * 1_000 + 500,
    )
    if paid:
        Charge.objects.create(
            listener=person,
            id=charge_id,
            work=work,
            session_id=session.id,
            kind="play",
            play_number=Charge.objects.filter(listener=person).count() + 1,
            amount_micros=2_000,
            promo_micros=0,
            charged_at=AT,
            pricing_version=1,
            paid_after_micros=2_000,
            cap_after_micros=1_022_000,
            balance_after_micros=0,
            promo_after_micros=0,
        )


def test_who_left_before_a_longer_opening_ends_would_have_paid_nothing() -> None:
    work = cast.track(cast.creator(cast.person("ana")), seconds=180)
    people = [cast.person(f"listener {number}") for number in range(7)]
    # The last two went on beyond a minute; of an eighth play no place was kept.
    for person, second in zip(people, (46, 49, 50, 54, 59, 60, 170), strict=True):
        sit(person, work, until=second)
    sit(people[6], cast.track(cast.creator(cast.person("ben")), seconds=180), until=3)
    (row,) = tried(60).rows
    assert (row.before, row.after) == ("none", "60 to 65 %")  # five of eight
    # Under 55 seconds four of them would have paid nothing: too few to be told of.
    (row,) = tried(55).rows
    assert row.after == "none, or of fewer than 5 listeners"
    (mine,) = tried(55, people[3]).own
    assert (mine.label, mine.before, mine.after) == ("Your one paid play, free", 0, 1)
    (mine,) = tried(50, people[3]).own
    assert mine.after == 0
    assert tried(60, cast.person("nobody")).own == ()


def test_an_opening_is_at_most_half_of_a_track() -> None:
    work = cast.track(cast.creator(cast.person("ana")), seconds=92)
    for number in range(5):
        sit(cast.person(f"listener {number}"), work, until=45)
    # Half of the track are 46 seconds: whoever left at 45.5 would not have paid under any opening from 46 on.
    assert [row.after for row in tried(60).rows] == ["all of them"]
    other = cast.track(cast.creator(cast.person("ben")), seconds=91)
    mine = cast.person("late")
    sit(mine, other, until=45)
    assert [row.after for row in tried(60, mine).own] == [0]


def test_an_opening_that_was_left_after_a_shorter_ones_end_would_have_been_paid() -> None:
    work = cast.track(cast.creator(cast.person("ana")), seconds=180)
    people = [cast.person(f"listener {number}") for number in range(6)]
    for person, second in zip(people, (10, 30, 31, 35, 40, 44), strict=True):
        sit(person, work, until=second, paid=False)
    paid, left = tried(30).rows
    assert (paid.after, left.after) == (None, "80 to 85 %")  # five of six; nobody paid for a play
    assert tried(35).rows[1].after == "none, or of fewer than 5 listeners"
    assert [(row.label, row.after) for row in tried(40, people[4]).own] == [("Openings you left, paid", 1)]
    assert len(tried(46).rows) == 1


def test_of_fewer_than_five_listeners_nothing_is_told() -> None:
    work = cast.track(cast.creator(cast.person("ana")), seconds=180)
    for number in range(4):
        sit(cast.person(f"listener {number}"), work, until=50)
    assert [(row.before, row.after) for row in tried(60).rows] == [(None, None)]
