"""Edges of a roll: a class that is chosen and not held, one that was given up, a year that was paid for ahead."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from members.belonging import places, shares
from members.belonging.models import DuesPayment, Membership
from members.voting import electorate
from tests import cast
from tests.members import belonging

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 1, 5, 11, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def paid_share(who, *, now):
    asked = shares.ask(person_id=who.id, count=1, now=now)
    shares.confirm(holding_id=asked.id, staff_id=cast.treasurer().id, iban=belonging.iban(), now=now)


def test_a_place_in_another_class_gives_no_voice_in_the_one_that_was_chosen():
    ana = cast.person("ana")
    asked = belonging.approved(ana, classes=("creator", "listener"), votes="creator", now=BEGIN)
    belonging.pay(asked, now=BEGIN)
    # A listener since that day, who chose to vote as a creator and is none.
    assert electorate.of(moment=BEGIN + 60 * DAY) == []
    assert electorate.sizes(moment=BEGIN + 60 * DAY) == {}


def test_who_gave_up_the_class_in_which_they_would_still_count_is_on_no_roll_until_the_other_counts():
    ana = belonging.member("ana", now=BEGIN)
    belonging.place(ana, "creator", now=BEGIN)
    paid_share(ana, now=BEGIN)
    places.choose(person_id=ana.id, member_class="creator", now=BEGIN + 50 * DAY)
    places.give_up(person_id=ana.id, member_class="listener", now=BEGIN + 60 * DAY)
    assert electorate.of(moment=BEGIN + 59 * DAY) == [(ana.id, "listener")]
    assert electorate.of(moment=BEGIN + 60 * DAY) == []
    assert electorate.of(moment=BEGIN + 80 * DAY) == [(ana.id, "creator")]


def test_a_year_that_begins_later_pays_for_no_day_before_it():
    ana = belonging.member("ana", now=BEGIN)
    # Two years ahead, with none between: written by hand, for nobody can pay so.
    DuesPayment.objects.create(
        id=uuid4(), membership=Membership.objects.get(person=ana), covers_from=date(2028, 1, 5),
        covers_until=date(2029, 1, 5), amount_micros=10_000_000, way="bank", paid_at=BEGIN,
        confirmed_by=cast.treasurer(),
    )  # fmt: skip
    assert electorate.of(moment=datetime(2027, 1, 20, tzinfo=UTC)) == [(ana.id, "listener")]
    assert electorate.of(moment=datetime(2027, 6, 1, tzinfo=UTC)) == []
    assert electorate.of(moment=datetime(2028, 1, 6, tzinfo=UTC)) == [(ana.id, "listener")]


def test_a_lot_is_another_one_for_another_seed_and_the_same_for_the_same():
    people = {belonging.member(f"ana{number}", now=BEGIN).id for number in range(12)}
    said = {"many": 3, "but": (), "moment": BEGIN + 31 * DAY}
    drawn = {tuple(electorate.draw(f"seed {number}", **said)) for number in range(12)}
    assert len(drawn) > 1
    assert all(len(set(three)) == 3 and set(three) <= people for three in drawn)
    assert electorate.draw("seed 1", **said) == electorate.draw("seed 1", **said)
