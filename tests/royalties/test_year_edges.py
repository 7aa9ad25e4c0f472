"""Edges of a financial year: which hours are of it, and who is a member of a class when it ends."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from members import clock, money, policies
from members.belonging import memberships
from members.belonging.models import WorkedTime
from members.models import Month
from members.problems import NotAllowed
from royalties import runs
from royalties.ledger_models import LockedMonth
from royalties.year import booking, closing, motion, publication
from royalties.year.closing import YearOpen
from royalties.year.models import Patronage
from tests import cast
from tests.royalties import counting, running, treasury, years
from tests.royalties.years import DECEMBER, EURO, YEAR

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def hours(who, worked_on, *, minutes, decided_at, approved=True):
    """Let somebody have worked on a day, and another have decided at a moment."""
    WorkedTime.objects.create(
        person=who, worked_on=worked_on, minutes=minutes, words="Work", recorded_at=decided_at, decided_at=decided_at,
        decided_by=cast.person("boss"), approved=approved, refused_because="" if approved else "No.",
    )  # fmt: skip


def test_hours_count_in_the_year_they_were_worked_if_they_were_approved_when_it_was_closed():
    def extra(people, _work):
        people["wen"] = years.joined(cast.person("wen"), "worker")

    made = years.small_year(extra=extra)
    wen, now = made.people["wen"], clock.now()
    hours(wen, date(YEAR, 1, 1), minutes=1, decided_at=now)
    hours(wen, date(YEAR, 12, 31), minutes=10, decided_at=now)
    hours(wen, date(YEAR - 1, 12, 31), minutes=100, decided_at=now)
    hours(wen, date(YEAR + 1, 1, 1), minutes=200, decided_at=now)
    hours(wen, date(YEAR, 12, 30), minutes=300, decided_at=now, approved=False)
    # The workers may draw it a day after it was closed; what is approved in between is too late.
    hours(wen, date(YEAR, 12, 29), minutes=400, decided_at=now + DAY)
    years.close(made.tess)
    assert [row.patronage for row in Patronage.objects.filter(member_class="workers", person=wen)] == [11]


def test_a_part_has_who_is_a_member_when_the_year_ends():
    def extra(people, work):
        people["nils"] = cast.person("nils")
        counting.charge(people["nils"], work, 7 * EURO, at=years.at(11, 12), promo=0)
        memberships.leave(person_id=people["lars"].id, now=years.at(12, 31))

    made = years.small_year(extra=extra)
    memberships.leave(person_id=made.people["lena"].id, now=clock.now())
    # To the last moment of the year is to its end.
    memberships.leave(person_id=made.people["lou"].id, now=closing.bounds(YEAR)[1])
    years.joined(made.people["nils"])
    year = years.close(made.tess)
    shared = set(Patronage.objects.filter(member_class="listeners").values_list("person__name", flat=True))
    assert shared == {"Lena", "Liv", "Lou", "Leo", "Lin"}
    # What those who are none brought counts, and their part stays in the reserve.
    listeners = year.figures["classes"]["listeners"]
    assert listeners["others_patronage"] == 7 * EURO + EURO + 1 - 10_000
    assert listeners["reserve_cents"] > 0


def test_what_a_later_year_s_run_pays_is_nobody_s_of_this_one():
    made_of = {}

    def extra(people, _work):
        # Nobody has said yet who is paid for it.
        made_of["held"] = counting.work([], since=years.at(6, 1))
        counting.charge(people["lars"], made_of["held"], 10 * EURO, at=years.at(11, 12), number=1)

    made = years.small_year(extra=extra)
    january = date(YEAR + 1, 1, 1)
    counting.put_in_force(made_of["held"], [(made.people["ana"], 1_000_000)], since=clock.now())
    years.seal_months(january, january, made.tess, made.tom)
    figures = years.close(made.tess).figures["classes"]["creators"]
    ana = Patronage.objects.get(member_class="creators")
    # Of what was divided in the year two thirds are hers; the held seven euros are of it, and nobody's.
    paid = figures["patronage"] - 7 * EURO
    assert (ana.person_id, ana.patronage) == (made.people["ana"].id, money.allocate(paid, [666_667, 333_333])[0])


def test_a_year_is_divided_by_the_rules_it_began_with_and_guarded_by_the_shares_it_had():
    def extra(_people, _work):
        cast.set_clock(years.at(11, 3))
        cast.vote("surplus", reserve_ppm=400_000)

    made = years.small_year(extra=extra)
    # What holds from January on is nothing to the year before.
    cast.vote("revenue", creators_ppm=750_000, coop_ppm=250_000)
    cast.set_clock(clock.now() + DAY)
    figures = years.close(made.tess).figures
    assert figures["guard"]["coop_ppm"] == 300_000
    assert figures["reserve_cents"] == money.allocate(figures["result_cents"], [300_000, 50_000, 650_000])[0]


def test_a_year_is_closed_when_its_last_month_is_sealed_and_its_books_are_locked():
    policies.forget()
    cast.set_clock(years.at(6, 1))
    tess, tom = (years.joined(cast.treasurer(name)) for name in ("tess", "tom"))
    november = date(YEAR, 11, 1)
    years.earn(november, 100 * EURO)
    years.seal_months(november, november, tess, tom)
    running.start_of_next(DECEMBER)
    with pytest.raises(YearOpen, match="not all sealed"):
        closing.close(year=YEAR, staff_id=tess.id, now=clock.now())
    runs.begin(month=DECEMBER, now=clock.now())
    with pytest.raises(YearOpen, match="not all sealed"):
        closing.close(year=YEAR, staff_id=tess.id, now=clock.now())
    running.finish(DECEMBER)
    with pytest.raises(YearOpen, match="not locked"):
        closing.close(year=YEAR, staff_id=tess.id, now=clock.now())
    treasury.agree(DECEMBER, tess, tom)
    with transaction.atomic():
        later, now = date(YEAR + 1, 12, 1), clock.now()
        Month.objects.create(starts_on=later, state=Month.State.SEALED, closed_at=now, sealed_at=now)
        LockedMonth.objects.create(month=later, locked_at=now)
        with pytest.raises(YearOpen, match="closed in their order"):
            closing.close(year=YEAR + 1, staff_id=tess.id, now=now)
        transaction.set_rollback(True)
    cast.set_clock(years.at(12, 31) + 5 * DAY)
    # What comes in from January on is the next year's.
    years.earn(date(YEAR + 1, 1, 1), 7 * EURO)
    assert closing.close(year=YEAR, staff_id=tess.id, now=clock.now()).result_micros == 100 * EURO


def test_of_a_class_with_fewer_than_five_parts_no_line_is_public():
    members = {"creators": 5, "listeners": 4, "workers": 0}
    assert publication.told({"classes": {name: {"members": many} for name, many in members.items()}}) == ["creators"]


@pytest.mark.parametrize("act", [closing.close, motion.put, booking.begin_redeeming, booking.confirm_redeeming])
def test_nobody_but_a_treasurer_moves_a_year(act):
    with pytest.raises(NotAllowed, match="treasurer"):
        act(year=YEAR, staff_id=cast.person("lars", staff=("director", "secretary")).id, now=clock.now())
