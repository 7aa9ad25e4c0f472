"""Classes and places in them: what each asks, who agrees, hours and voices of workers, shares, and what is refused."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from members import clock
from members.belonging import classes, hours, memberships, places, shares
from members.belonging.classes import Evidence
from members.belonging.memberships import AlreadyMember, MembershipStands, NotAMember
from members.belonging.models import ClassPlace, Membership, Qualification, VotingChoice, WorkedTime
from members.problems import Invalid, NotAllowed, NotFound
from royalties import listened
from tests import cast
from tests.members import belonging

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def held(who):
    """Return the classes in which somebody holds a place."""
    return {one.member_class for one in memberships.standing(who.id, now=clock.now()).places if one.since}


def worked(who, by, *, minutes=40 * 60):
    """Let somebody work so many minutes, approved by another."""
    today = clock.day(clock.now())
    for back in range(-(-minutes // 480)):
        made = hours.record(
            person_id=who.id, worked_on=today - back * DAY, minutes=480, words="Worked", now=clock.now()
        )
        hours.approve(worked_id=made.id, person_id=by.id, now=clock.now())


def wish(who):
    return ClassPlace.objects.get(membership__person=who, member_class="worker", ended_at=None)


def test_an_application_says_who_and_where_and_votes_in_a_class_it_asks_for():
    lena = cast.person("lena")
    good = {
        "legal_name": "Lena",
        "postal_address": "Ring 1",
        "member_classes": ["listener"],
        "voting_class": "listener",
    }
    for wrong in (
        {"legal_name": "  "},
        {"postal_address": ""},
        {"member_classes": ["king"], "voting_class": "king"},
        {"voting_class": "creator"},
        {"member_classes": []},
    ):
        with pytest.raises(Invalid):
            memberships.apply_for(person_id=lena.id, now=clock.now(), **{**good, **wrong})
    assert not Membership.objects.exists()
    memberships.apply_for(person_id=lena.id, now=clock.now(), **good)
    with pytest.raises(AlreadyMember):
        memberships.apply_for(person_id=lena.id, now=clock.now(), **good)


def test_only_another_secretary_decides_and_once():
    sam, sue = belonging.secretary("sam"), belonging.secretary("sue")
    mine = belonging.applicant(sam, now=clock.now())
    for who in (sam, cast.treasurer(), cast.person("nora")):
        with pytest.raises(NotAllowed):
            memberships.approve(membership_id=mine.id, staff_id=who.id, now=clock.now())
    with pytest.raises(Invalid):
        memberships.refuse(membership_id=mine.id, staff_id=sue.id, words=" ", now=clock.now())
    mine.refresh_from_db()
    assert mine.state == "applied"
    memberships.refuse(membership_id=mine.id, staff_id=sue.id, words="Not now.", now=clock.now())
    with pytest.raises(MembershipStands):
        memberships.approve(membership_id=mine.id, staff_id=sue.id, now=clock.now())
    # Who was refused may apply anew.
    assert belonging.approved(sam, now=clock.now()).state == "approved"


def test_a_creator_is_heard_by_five_who_paid_with_bought_credit():
    ana = cast.person("ana")
    work = cast.track(cast.creator(ana))
    belonging.pay(belonging.approved(ana, classes=("creator",), now=clock.now()), now=clock.now())
    listeners = [cast.person(f"lena{number}") for number in range(5)]
    charges = []
    for one in listeners[:4]:
        cast.top_up(one, 500)
        cast.play(one, work)
        charges.append(cast.last_charge(one))
    cast.promo(listeners[4], 5_000_000)
    cast.play(listeners[4], work)
    assert listened.by_enough(ana.id, clock.now()) is None
    memberships.settle_waiting(now=clock.now())
    assert held(ana) == set()
    fifth = cast.person("lars")
    cast.top_up(fifth, 500)
    cast.play(fifth, work)
    found = listened.by_enough(ana.id, clock.now())
    assert (found.words, found.facts) == (
        "5 listeners paid for 1 work within twelve months",
        {"works": 1, "listeners": 5},
    )
    assert listened.by_enough(ana.id, clock.now() + timedelta(days=366)) is None
    cast.give_back(charges[0])
    assert listened.by_enough(ana.id, clock.now()) is None
    cast.play(listeners[0], work)
    assert memberships.settle_waiting(now=clock.now()) == 1
    assert held(ana) == {"creator"}
    assert Qualification.objects.get().facts == {"works": 1, "listeners": 5}
    assert memberships.settle_waiting(now=clock.now()) == 0


def test_what_an_app_said_holds_for_twelve_months():
    ana = cast.person("ana")
    now = clock.now()
    classes.qualify(person_id=ana.id, member_class="creator", evidence=Evidence(words="Seen."), now=now - 366 * DAY)
    belonging.pay(belonging.approved(ana, classes=("creator",), now=now), now=now)
    assert held(ana) == set()
    classes.qualify(person_id=ana.id, member_class="creator", evidence=Evidence(words="Seen."), now=now)
    memberships.settle_waiting(now=now)
    assert held(ana) == {"creator"}
    with pytest.raises(Invalid):
        classes.qualify(person_id=ana.id, member_class="king", evidence=Evidence(words="Seen."), now=now)


def test_a_paid_share_opens_every_class_but_the_workers():
    lena = cast.person("lena")
    made = belonging.approved(lena, classes=("creator", "listener", "supporter", "worker"), now=clock.now())
    belonging.pay(made, now=clock.now())
    assert held(lena) == {"listener"}
    asked = shares.ask(person_id=lena.id, count=2, now=clock.now())
    assert held(lena) == {"listener"}
    shares.confirm(holding_id=asked.id, staff_id=cast.treasurer().id, iban=belonging.iban(), now=clock.now())
    assert held(lena) == {"creator", "listener", "supporter"}
    assert classes.paid_shares(made.id) == 2


def test_the_first_worker_is_let_in_by_a_director_and_the_next_by_workers():
    dora = cast.person("dora", staff=("director",))
    wen = belonging.member("wen", classes=("worker",), now=clock.now())
    worked(wen, dora, minutes=39 * 60 // 480 * 480)
    places.give_voice(place_id=wish(wen).id, person_id=dora.id, now=clock.now())
    assert held(wen) == set()
    made = hours.record(
        person_id=wen.id,
        worked_on=clock.day(clock.now()) - 20 * DAY,
        minutes=480,
        words="Worked",
        now=clock.now(),
    )
    hours.approve(worked_id=made.id, person_id=dora.id, now=clock.now())
    assert held(wen) == {"worker"}
    # With a worker there, a director speaks for nobody any more.
    wim = belonging.member("wim", classes=("worker",), now=clock.now())
    made = hours.record(
        person_id=wim.id, worked_on=clock.day(clock.now()), minutes=480, words="Worked", now=clock.now()
    )
    for who in (dora, wim, cast.person("nora")):
        with pytest.raises(NotAllowed):
            hours.approve(worked_id=made.id, person_id=who.id, now=clock.now())
        with pytest.raises(NotAllowed):
            places.give_voice(place_id=wish(wim).id, person_id=who.id, now=clock.now())
    hours.approve(worked_id=made.id, person_id=wen.id, now=clock.now())
    worked_more = 40 * 60 - 480
    for back in range(1, 1 + worked_more // 480):
        made = hours.record(
            person_id=wim.id,
            worked_on=clock.day(clock.now()) - back * DAY,
            minutes=480,
            words="Worked",
            now=clock.now(),
        )
        hours.approve(worked_id=made.id, person_id=wen.id, now=clock.now())
    assert held(wim) == set()
    places.give_voice(place_id=wish(wim).id, person_id=wen.id, now=clock.now())
    assert held(wim) == {"worker"}


def test_hours_are_of_days_gone_by_whole_and_of_workers():
    dora = cast.person("dora", staff=("director",))
    lena = belonging.member("lena", now=clock.now())
    wen = belonging.member("wen", classes=("worker",), now=clock.now())
    now = clock.now()
    today = clock.day(now)
    good = {"person_id": wen.id, "worked_on": today, "minutes": 60, "words": "Worked", "now": now}
    for wrong, problem in (
        ({"person_id": lena.id}, NotAllowed),
        ({"person_id": cast.person("nora").id}, NotAMember),
        ({"worked_on": today + DAY}, Invalid),
        ({"worked_on": today - 63 * DAY}, Invalid),
        ({"minutes": 0}, Invalid),
        ({"minutes": 961}, Invalid),
        ({"minutes": 1.5}, Invalid),
        ({"minutes": True}, Invalid),
        ({"words": "  "}, Invalid),
    ):
        with pytest.raises(problem):
            hours.record(**{**good, **wrong})
    assert not WorkedTime.objects.exists()
    made = hours.record(**{**good, "minutes": 900})
    with pytest.raises(Invalid):
        hours.record(**{**good, "minutes": 61})
    hours.refuse(worked_id=made.id, person_id=dora.id, because="Not agreed.", now=now)
    with pytest.raises(MembershipStands):
        hours.approve(worked_id=made.id, person_id=dora.id, now=now)
    # What was refused does not count for the day, nor for anything.
    hours.record(**{**good, "minutes": 960})
    assert hours.approved_minutes(since=today, before=today + DAY) == {}
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkedTime.objects.filter(id=made.id).update(minutes=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkedTime.objects.filter(approved=None).update(decided_by=wen, decided_at=now, approved=True)


def test_one_votes_in_a_class_one_holds_and_gives_up_only_others():
    lena = belonging.member("lena", now=clock.now())
    belonging.place(lena, "creator", now=clock.now())
    for wrong in ("listener", "creator", "king"):
        with pytest.raises(Invalid):
            places.choose(person_id=lena.id, member_class=wrong, now=clock.now())
    assert VotingChoice.objects.count() == 1
    with pytest.raises(MembershipStands):
        places.give_up(person_id=lena.id, member_class="listener", now=clock.now())
    with pytest.raises(NotFound):
        places.give_up(person_id=lena.id, member_class="worker", now=clock.now())
    with pytest.raises(MembershipStands):
        places.ask(person_id=lena.id, member_class="creator", now=clock.now())
    places.give_up(person_id=lena.id, member_class="creator", now=clock.now())
    assert {one.member_class for one in memberships.standing(lena.id, now=clock.now()).places} == {"listener"}


def test_the_past_is_not_changed_by_anybody():
    lena = belonging.member("lena", now=clock.now())
    mine = Membership.objects.filter(person=lena)
    for change in (
        lambda: mine.update(joined_at=clock.now() - 90 * DAY),
        lambda: mine.update(number=77),
        lambda: mine.update(state="applied", joined_at=None, number=None),
        lambda: VotingChoice.objects.update(member_class="creator"),
        lambda: VotingChoice.objects.all()._raw_delete("default"),
        lambda: ClassPlace.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_how_one_stands_costs_few_queries(django_assert_num_queries):
    lena = belonging.member("lena", now=clock.now())
    now = clock.now()
    with django_assert_num_queries(4):
        standing = memberships.standing(lena.id, now=now)
    assert (standing.voting_class, standing.votes_until_then) == ("listener", "")
    assert standing.counts_from == VotingChoice.objects.get().chosen_at + 30 * DAY
    nora = cast.person("nora")
    with django_assert_num_queries(1):
        assert memberships.standing(nora.id, now=now) is None
