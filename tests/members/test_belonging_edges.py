"""Edges of belonging: the day, the hour and the person at which a rule begins or ends."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from members import clock
from members.belonging import classes, expulsions, hours, memberships, places, shares
from members.belonging.classes import Evidence
from members.belonging.memberships import MembershipStands
from members.belonging.models import ClassPlace, Instrument, Membership, ShareHolding, WorkedTime
from members.erasing import erasures
from members.erasing.erasures import NoErasure
from members.problems import Invalid, NotAllowed, NotFound
from members.voting import rolls
from tests import cast
from tests.members import assembly, belonging

pytestmark = pytest.mark.django_db
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
BEGIN = datetime.fromisoformat("2026-03-02T11:00+01:00")


def holds(who, member_class):
    return memberships.standing(who.id, now=clock.now()).holds(member_class)


def worked(who, by, *, minutes):
    """Let somebody work so many minutes today and before, eight hours a day at most, approved by another."""
    for back in range(-(-minutes // 480)):
        made = hours.record(
            person_id=who.id, worked_on=clock.day(clock.now()) - back * DAY, minutes=min(480, minutes - back * 480),
            words="Worked", now=clock.now(),
        )  # fmt: skip
        hours.approve(worked_id=made.id, person_id=by.id, now=clock.now())


# Workers.


def test_a_worker_has_worked_forty_whole_hours():
    dora = cast.person("dora", staff=("director",))
    wen = belonging.member("wen", classes=("worker",), now=clock.now())
    wish = ClassPlace.objects.get(membership__person=wen)
    for _ in range(2):
        places.give_voice(place_id=wish.id, person_id=dora.id, now=clock.now())
    other = ClassPlace.objects.create(membership=wish.membership, member_class="creator", asked_at=clock.now())
    with pytest.raises(NotFound):
        places.give_voice(place_id=other.id, person_id=dora.id, now=clock.now())
    worked(wen, dora, minutes=40 * 60 - 1)
    assert not holds(wen, "worker")
    made = hours.record(
        person_id=wen.id, worked_on=clock.day(clock.now()) - 10 * DAY, minutes=1, words="Worked", now=clock.now()
    )
    hours.approve(worked_id=made.id, person_id=dora.id, now=clock.now())
    assert holds(wen, "worker")


def test_where_there_are_workers_two_of_them_say_yes():
    dora = cast.person("dora", staff=("director",))
    there = []
    for name in ("wen", "wim", "wu"):
        who = belonging.member(name, classes=("worker",), now=clock.now())
        worked(who, there[0] if there else dora, minutes=40 * 60)
        wish = ClassPlace.objects.get(membership__person=who)
        for voice in there or [dora]:
            assert not holds(who, "worker")
            places.give_voice(place_id=wish.id, person_id=voice.id, now=clock.now())
        assert holds(who, "worker")
        there.append(who)


def test_no_worker_speaks_for_their_own_hours():
    dora = cast.person("dora", staff=("director",))
    wen = belonging.member("wen", classes=("worker",), now=clock.now())
    worked(wen, dora, minutes=40 * 60)
    places.give_voice(place_id=ClassPlace.objects.get(membership__person=wen).id, person_id=dora.id, now=clock.now())
    assert holds(wen, "worker")
    made = hours.record(
        person_id=wen.id, worked_on=clock.day(clock.now()) - 10 * DAY, minutes=60, words="Worked", now=clock.now()
    )
    with pytest.raises(NotAllowed, match="nobody speaks for themselves"):
        hours.approve(worked_id=made.id, person_id=wen.id, now=clock.now())


def test_minutes_count_for_twelve_months():
    wen, now = cast.person("wen"), clock.now()
    first = clock.day(now - classes.LOOKED_BACK)
    for day, minutes in ((first, 1), (first - DAY, 10)):
        WorkedTime.objects.create(
            person=wen, worked_on=day, minutes=minutes, words="Worked", recorded_at=now, decided_at=now,
            decided_by=cast.person("dora"), approved=True,
        )  # fmt: skip
    assert classes.minutes_worked(wen.id, now=now) == 1


def test_who_left_is_no_worker_any_more():
    dora = cast.person("dora", staff=("director",))
    wen = belonging.member("wen", classes=("worker",), now=clock.now())
    worked(wen, dora, minutes=40 * 60)
    places.give_voice(place_id=ClassPlace.objects.get(membership__person=wen).id, person_id=dora.id, now=clock.now())
    assert classes.is_worker(wen.id)
    memberships.leave(person_id=wen.id, now=clock.now())
    assert not classes.is_worker(wen.id)
    # So there is nobody again, and a director speaks for them.
    wim = belonging.member("wim", classes=("worker",), now=clock.now())
    worked(wim, dora, minutes=60)


# Who decides about whom.


def test_nobody_decides_about_a_place_or_shares_of_their_own():
    sam = belonging.secretary("sam")
    made = belonging.applicant(sam, now=clock.now())
    memberships.approve(membership_id=made.id, staff_id=belonging.secretary("sue").id, now=clock.now())
    belonging.pay(made, now=clock.now())
    wish = places.ask(person_id=sam.id, member_class="creator", now=clock.now())
    with pytest.raises(NotAllowed, match="own place"):
        places.approve(place_id=wish.id, staff_id=sam.id, now=clock.now())
    sam.staff_roles.create(role="treasurer")
    asked = shares.ask(person_id=sam.id, count=1, now=clock.now())
    with pytest.raises(NotAllowed, match="own shares"):
        shares.confirm(holding_id=asked.id, staff_id=sam.id, iban=belonging.iban(), now=clock.now())
    assert classes.paid_shares(made.id) == 0


def test_shares_stay_as_they_were_paid_and_what_qualified_somebody_as_it_was_seen():
    lena = belonging.member("lena", now=clock.now())
    asked = shares.ask(person_id=lena.id, count=2, now=clock.now())
    shares.confirm(holding_id=asked.id, staff_id=cast.treasurer().id, iban=belonging.iban(), now=clock.now())
    classes.qualify(person_id=lena.id, member_class="creator", evidence=Evidence(words="Seen."), now=clock.now())
    for change in (
        "UPDATE members_shareholding SET count = 3",
        "UPDATE members_shareholding SET paid_at = paid_at - interval '1 day'",
        "DELETE FROM members_shareholding",
        "UPDATE members_qualification SET words = 'Not seen.'",
        "DELETE FROM members_qualification",
        "UPDATE members_duespayment SET covers_until = covers_until + 400",
        "DELETE FROM members_membership",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert ShareHolding.objects.get().count == 2


def test_the_register_stays_whoever_asks_the_database():
    lena = belonging.member("lena", now=clock.now())
    asked = shares.ask(person_id=lena.id, count=2, now=clock.now())
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    shares.confirm(holding_id=asked.id, staff_id=tess.id, iban=belonging.iban(), now=clock.now())

    def refused(change, why):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            with pytest.raises(DatabaseError, match=why), transaction.atomic():
                cursor.execute(change, {"tom": tom.id})

    for table in ("members_membership", "members_votingchoice", "members_duespayment"):
        refused(f"TRUNCATE {table} CASCADE", f"{table} is append-only")
    refused("UPDATE members_membership SET state = 'withdrawn', ended_at = joined_at", "from joined to withdrawn")
    paid_stays = "what was paid for shares is never changed"
    refused("UPDATE members_shareholding SET confirmed_by_id = %(tom)s", paid_stays)
    memberships.leave(person_id=lena.id, now=clock.now())
    for treasurer in (tess, tom):
        shares.repay(holding_id=asked.id, staff_id=treasurer.id, now=clock.now())
    refused("UPDATE members_shareholding SET repaid_at = repaid_at - interval '1 day'", paid_stays)


# Expulsion.


def test_a_member_is_heard_for_fourteen_days_and_more_than_half_of_the_board_decide():
    mona = belonging.member("mona", now=BEGIN)
    board = [cast.person(f"dora{number}", staff=("director",)) for number in range(4)]
    found = Membership.objects.get(person=mona)
    asked = expulsions.open_question(
        membership_id=found.id, staff_id=board[0].id, reasons="Sold the register.", now=BEGIN
    )
    until = BEGIN + 14 * DAY
    with pytest.raises(MembershipStands, match="is heard until"):
        expulsions.say(expulsion_id=asked.id, staff_id=board[0].id, yes=True, now=until - SECOND)
    for director in board[:2]:
        expulsions.say(expulsion_id=asked.id, staff_id=director.id, yes=True, now=until)
    assert memberships.is_member(mona.id)
    expulsions.say(expulsion_id=asked.id, staff_id=board[2].id, yes=True, now=until)
    assert not memberships.is_member(mona.id)


def appealed():
    """Let a board of one expel Mona, who appeals; return her, her membership, the appeal and its panel of three."""
    panel = [belonging.member(name, now=BEGIN) for name in ("pia", "paul", "petra")]
    mona, dora = belonging.member("mona", now=BEGIN), cast.person("dora", staff=("director",))
    membership = Membership.objects.get(person=mona)
    asked = expulsions.open_question(
        membership_id=membership.id, staff_id=dora.id, reasons="Sold the register.", now=BEGIN + 40 * DAY
    )
    expulsions.say(expulsion_id=asked.id, staff_id=dora.id, yes=True, now=BEGIN + 54 * DAY)
    filed = expulsions.appeal(person_id=mona.id, words="I did not.", now=BEGIN + 55 * DAY)
    return mona, membership, filed, panel


def lift(filed, people):
    for one in people:
        expulsions.rule(
            appeal_id=filed.id, person_id=one.id, ruling="lifted", reasons="It was not so.", now=BEGIN + 56 * DAY
        )


def test_who_is_restored_is_carried_by_their_account_again_unless_it_carries_another_by_now():
    mona, membership, filed, panel = appealed()
    (mine,) = Instrument.objects.filter(membership=membership)
    Instrument.objects.create(membership=membership, digest="5e" * 32, noted_at=BEGIN, freed_at=mine.freed_at)
    lars = Membership.objects.get(person=panel[0])
    Instrument.objects.create(membership=lars, digest="5e" * 32, noted_at=BEGIN)
    lift(filed, panel[:2])
    assert memberships.is_member(mona.id)
    assert list(Instrument.objects.filter(membership=membership, freed_at=None)) == [mine]


def test_who_applied_anew_is_not_restored_meanwhile():
    mona, _, filed, panel = appealed()
    belonging.applicant(mona, now=BEGIN + 55 * DAY)
    lift(filed, panel[:1])
    with pytest.raises(MembershipStands, match="applied anew"):
        lift(filed, panel[1:2])


def test_the_board_asks_nothing_about_who_has_left():
    mona, dora = belonging.member("mona", now=BEGIN), cast.person("dora", staff=("director",))
    memberships.leave(person_id=mona.id, now=clock.now())
    found = Membership.objects.get(person=mona)
    with pytest.raises(MembershipStands, match="Only who belongs"):
        expulsions.open_question(membership_id=found.id, staff_id=dora.id, reasons="Left.", now=clock.now())


def test_a_voice_counts_while_its_director_is_one():
    mona = belonging.member("mona", now=BEGIN)
    board = [cast.person(f"dora{number}", staff=("director",)) for number in range(3)]
    asked = expulsions.open_question(
        membership_id=Membership.objects.get(person=mona).id, staff_id=board[0].id, reasons="Hm.", now=BEGIN
    )
    expulsions.say(expulsion_id=asked.id, staff_id=board[0].id, yes=True, now=BEGIN + 14 * DAY)
    board[0].staff_roles.all().delete()
    board.append(cast.person("dirk", staff=("director",)))
    expulsions.say(expulsion_id=asked.id, staff_id=board[1].id, yes=True, now=BEGIN + 14 * DAY)
    assert memberships.is_member(mona.id)
    expulsions.say(expulsion_id=asked.id, staff_id=board[2].id, yes=True, now=BEGIN + 14 * DAY)
    assert not memberships.is_member(mona.id)


# Rolls.


def test_the_secretary_puts_nobody_into_a_class_they_do_not_hold_now():
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    sam = belonging.secretary()
    # Asked for and not met; held once; of somebody who has left.
    belonging.place(people[3], "creator", now=clock.now())
    for person in people[4:]:
        belonging.place(person, "creator", now=clock.now())
        asked = shares.ask(person_id=person.id, count=1, now=clock.now())
        shares.confirm(holding_id=asked.id, staff_id=cast.treasurer().id, iban=belonging.iban(), now=clock.now())
        assert holds(person, "creator")
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    assembly.go_on(proposal)
    places.give_up(person_id=people[4].id, member_class="creator", now=clock.now())
    numbers = [str(Membership.objects.get(person=person).number) for person in people]
    memberships.leave(person_id=people[5].id, now=clock.now())
    for number in numbers[3:]:
        with pytest.raises((Invalid, NotFound)):
            rolls.correct(
                proposal_id=proposal.id, number=number, class_name="creator", reason="An error.", staff_id=sam.id,
                now=clock.now(),
            )  # fmt: skip


# Erasure.


def test_an_erasure_is_taken_back_for_seven_days_and_not_later():
    lena = cast.person("lena")
    asked_at = clock.now()
    asked, _ = erasures.ask(person_id=lena.id, now=asked_at)
    assert asked.ends_at == asked_at + 7 * DAY
    assert erasures.advance(now=asked.ends_at - SECOND) == 0
    lena.refresh_from_db()
    assert lena.is_active
    erasures.advance(now=asked.ends_at)
    lena.refresh_from_db()
    assert not lena.is_active
    for late in (
        lambda: erasures.draw_code(person_id=lena.id),
        lambda: erasures.take_back(person_id=lena.id, now=asked.ends_at),
    ):
        with pytest.raises(NoErasure):
            late()
