"""The electorate of a moment: late joiners, changes of class, dues, leaving, expulsion and its lifting; one query."""

from datetime import UTC, datetime, timedelta

import pytest

from members.belonging import expulsions, memberships, places, shares
from members.belonging.models import Membership
from members.erasing import erasures
from members.problems import NotAllowed
from members.voting import electorate
from tests import cast
from tests.members import belonging

pytestmark = pytest.mark.django_db

BEGIN = datetime(2026, 1, 5, 11, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def after(days):
    return BEGIN + days * DAY


def paid_share(who, *, now):
    asked = shares.ask(person_id=who.id, count=1, now=now)
    shares.confirm(holding_id=asked.id, staff_id=cast.treasurer().id, iban=belonging.iban(), now=now)


def test_who_joins_late_is_not_on_the_roll():
    lena, lars = belonging.member("lena", now=BEGIN), belonging.member("lars", now=BEGIN + SECOND)
    assert electorate.of(moment=after(30) - SECOND) == []
    assert electorate.of(moment=after(30)) == [(lena.id, "listener")]
    both = electorate.of(moment=after(30) + SECOND)
    assert both == sorted([(lena.id, "listener"), (lars.id, "listener")])
    assert electorate.class_of(lars.id, moment=after(30)) is None
    assert electorate.class_of(lars.id, moment=after(30) + SECOND) == "listener"


def test_who_only_applied_or_was_only_approved_is_not_on_it():
    belonging.applicant(cast.person("nora"), now=BEGIN)
    belonging.approved(cast.person("olaf"), now=BEGIN)
    assert electorate.of(moment=after(60)) == []


def test_a_change_of_class_counts_thirty_days_later():
    ana = belonging.member("ana", now=BEGIN)
    belonging.place(ana, "creator", now=after(10))
    paid_share(ana, now=after(20))
    places.choose(person_id=ana.id, member_class="creator", now=after(100))
    assert electorate.of(moment=after(99)) == [(ana.id, "listener")]
    assert electorate.of(moment=after(130) - SECOND) == [(ana.id, "listener")]
    assert electorate.of(moment=after(130)) == [(ana.id, "creator")]
    # What was asked about the past is answered as before.
    assert electorate.of(moment=after(99)) == [(ana.id, "listener")]


def test_a_place_counts_thirty_days_after_it_is_held_and_not_after_it_was_asked_for():
    ana = cast.person("ana")
    asked = belonging.approved(ana, classes=("creator",), now=BEGIN)
    belonging.pay(asked, now=BEGIN)
    assert electorate.of(moment=after(40)) == []
    paid_share(ana, now=after(40))
    assert electorate.of(moment=after(70) - SECOND) == []
    assert electorate.of(moment=after(70)) == [(ana.id, "creator")]


def test_dues_that_are_overdue_take_one_off_the_roll_and_paid_ones_put_one_back():
    lena = belonging.member("lena", now=BEGIN)
    found = Membership.objects.get(person=lena)
    end = datetime(2027, 1, 5, 11, 0, tzinfo=UTC)
    assert electorate.of(moment=end + 29 * DAY) == [(lena.id, "listener")]
    assert electorate.of(moment=end + 30 * DAY) == []
    belonging.pay(found, now=end + 40 * DAY)
    assert electorate.of(moment=end + 40 * DAY - SECOND) == []
    assert electorate.of(moment=end + 40 * DAY) == [(lena.id, "listener")]


def test_who_left_is_on_the_rolls_of_before_and_of_none_after():
    lena = belonging.member("lena", now=BEGIN)
    memberships.leave(person_id=lena.id, now=after(50))
    assert electorate.of(moment=after(50) - SECOND) == [(lena.id, "listener")]
    assert electorate.of(moment=after(50)) == []
    # Who comes back begins again: another membership, another thirty days.
    belonging.pay(belonging.approved(lena, now=after(60)), now=after(60))
    assert electorate.of(moment=after(89)) == []
    assert electorate.of(moment=after(90)) == [(lena.id, "listener")]
    assert electorate.of(moment=after(49)) == [(lena.id, "listener")]


def test_an_expulsion_holds_from_its_moment_and_lifted_it_never_was():
    mona, dora, dirk = belonging.member("mona", now=BEGIN), *directors(2)
    panel = [belonging.member(name, now=BEGIN) for name in ("pia", "paul", "petra")]
    everybody = sorted((one.id, "listener") for one in (mona, *panel))
    found = Membership.objects.get(person=mona)
    asked = expulsions.open_question(
        membership_id=found.id, staff_id=dora.id, reasons="Sold the register.", now=after(40)
    )
    for who in (dora, dirk):
        expulsions.say(expulsion_id=asked.id, staff_id=who.id, yes=True, now=after(60))
    assert electorate.of(moment=after(60) - SECOND) == everybody
    assert electorate.of(moment=after(60)) == sorted((one.id, "listener") for one in panel)
    filed = expulsions.appeal(person_id=mona.id, words="I did not.", now=after(61))
    for who in panel[:2]:
        expulsions.rule(appeal_id=filed.id, person_id=who.id, ruling="lifted", reasons="It was not so.", now=after(65))
    assert electorate.of(moment=after(66)) == electorate.of(moment=after(60)) == everybody


def test_an_expulsion_that_is_lifted_brings_nobody_back_who_was_erased_meanwhile():
    mona, dora = belonging.member("mona", now=BEGIN), *directors(1)
    panel = [belonging.member(name, now=BEGIN) for name in ("pia", "paul", "petra")]
    found = Membership.objects.get(person=mona)
    asked = expulsions.open_question(membership_id=found.id, staff_id=dora.id, reasons="Noise.", now=after(40))
    expulsions.say(expulsion_id=asked.id, staff_id=dora.id, yes=True, now=after(54))
    filed = expulsions.appeal(person_id=mona.id, words="I did not.", now=after(55))
    erasures.ask(person_id=mona.id, now=after(48))
    erasures.advance(now=after(55))
    for who in panel[:2]:
        expulsions.rule(appeal_id=filed.id, person_id=who.id, ruling="lifted", reasons="It was not so.", now=after(56))
    found.refresh_from_db()
    assert (found.state, found.ended_at) == (Membership.State.LEFT, after(56))
    assert electorate.of(moment=after(57)) == sorted((one.id, "listener") for one in panel)


def test_a_name_taken_out_of_the_account_takes_nobody_off_a_roll_of_before():
    lena = belonging.member("lena", now=BEGIN)
    memberships.leave(person_id=lena.id, now=after(50))
    type(lena).objects.filter(id=lena.id).update(name="", email=f"{lena.id}@erased.invalid", is_active=False)
    assert electorate.of(moment=after(45)) == [(lena.id, "listener")]
    assert electorate.of(moment=after(55)) == []


def test_it_is_one_query_whoever_is_on_it(django_assert_num_queries):
    for name in ("lena", "lars", "lilo"):
        belonging.member(name, now=BEGIN)
    with django_assert_num_queries(1):
        roll = electorate.of(moment=after(31))
    assert len(roll) == 3
    assert [person_id for person_id, _ in roll] == sorted(person_id for person_id, _ in roll)


def directors(many):
    return [cast.person(f"dora{number}", staff=("director",)) for number in range(many)]


def test_most_of_the_others_on_the_board_expel_one_of_their_own():
    dora, dirk, dina = (belonging.member(name, now=BEGIN) for name in ("dora", "dirk", "dina"))
    for who in (dora, dirk, dina):
        who.staff_roles.create(role="director")
    found = Membership.objects.get(person=dora)
    with pytest.raises(NotAllowed):
        expulsions.open_question(membership_id=found.id, staff_id=dora.id, reasons="Me.", now=after(1))
    asked = expulsions.open_question(membership_id=found.id, staff_id=dirk.id, reasons="Took it.", now=after(1))
    with pytest.raises(NotAllowed):
        expulsions.say(expulsion_id=asked.id, staff_id=dora.id, yes=False, now=after(20))
    expulsions.say(expulsion_id=asked.id, staff_id=dirk.id, yes=True, now=after(20))
    assert memberships.is_member(dora.id)
    with pytest.raises(memberships.MembershipStands):
        expulsions.say(expulsion_id=asked.id, staff_id=dirk.id, yes=True, now=after(20))
    expulsions.say(expulsion_id=asked.id, staff_id=dina.id, yes=False, now=after(20))
    # One of two is not most of them, and now cannot be any more.
    assert memberships.is_member(dora.id)
    asked.refresh_from_db()
    assert asked.dropped_at == after(20)
