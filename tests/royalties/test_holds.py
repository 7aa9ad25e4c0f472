"""Holds: what was paid with fresh credit waits a month, what a newcomer's first days earned waits until day 45."""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import reports
from members import clock
from members.models import StaffRole
from royalties import bank, holds, ledger, payout_accounts, payouts
from royalties.holds import Held
from royalties.run_models import Statement
from tests import cast
from tests.playback.till import take
from tests.royalties import counting, running, treasury
from tests.royalties.treasury import OCTOBER, at

pytestmark = pytest.mark.django_db
NOVEMBER = date(2026, 11, 1)
EURO = 1_000_000


@pytest.fixture
def ana():
    """Give a payee with an account, before October."""
    cast.set_clock(at("2026-09-20 12:00"))
    made = cast.person("ana")
    payout_accounts.enter(person_id=made.id, holder="Ana", iban=treasury.IBANS[0], now=clock.now())
    return made


@pytest.fixture
def lena(ana):
    """Give a listener."""
    return cast.person("lena")


def works(by, *prices):
    """Make works at some prices, in September."""
    profile = cast.creator(by)
    return [cast.track(profile, price_micros=price) for price in prices]


def held(person, *, month=OCTOBER, on="2026-12-20 09:00"):
    """Return what of a person's royalties is held when a month is paid on a day."""
    return holds.of(month=month, now=at(on)).get(person.id, Held())


def close(month):
    running.start_of_next(month)
    running.close(month)


def test_royalties_of_fresh_credit_are_paid_a_month_later(ana, lena):
    (work,) = works(ana, 3 * EURO)
    cast.set_clock(at("2026-10-05 12:00"))
    cast.top_up(lena, 200)
    cast.set_clock(at("2026-10-25 12:00"))
    cast.top_up(lena, 500)
    cast.buy(lena, work, price_micros=3 * EURO)
    close(OCTOBER)
    assert ledger.payable([ana.id])[ana.id] == 2_100_000
    # Two euros of three were bought three weeks before the month's end, one was bought a week before it.
    assert held(ana) == Held(fresh_micros=700_000)
    close(NOVEMBER)
    assert held(ana, month=NOVEMBER) == Held()


@pytest.mark.parametrize(
    ("bought_at", "fresh"),
    [("2026-10-17 23:59", 0), ("2026-10-18 00:01", 2_100_000), ("2026-10-31 20:00", 2_100_000)],
)
def test_fresh_is_less_than_fourteen_days_at_the_month_s_end(ana, lena, bought_at, fresh):
    (work,) = works(ana, 3 * EURO)
    # Clocks went back in October's last night but six: two weeks are fourteen days of 24 hours.
    cast.set_clock(at(bought_at) + timedelta(hours=1))
    cast.top_up(lena, 300)
    cast.buy(lena, work, price_micros=3 * EURO)
    close(OCTOBER)
    assert held(ana).fresh_micros == fresh


def test_the_first_thirty_days_wait_until_day_45(ana, lena):
    first, second = works(ana, 10 * EURO, 20 * EURO)
    cast.set_clock(at("2026-10-02 12:00"))
    cast.top_up(lena, 4_000)
    cast.buy(lena, first, price_micros=10 * EURO)
    close(OCTOBER)
    assert held(ana, on="2026-11-03 09:00") == Held(first_days_micros=7 * EURO)
    assert held(ana, on="2026-11-15 23:59") == Held(first_days_micros=7 * EURO)
    assert held(ana, on="2026-11-16 00:00") == Held()
    cast.set_clock(at("2026-11-05 12:00"))
    cast.buy(lena, second, price_micros=20 * EURO)
    close(NOVEMBER)
    # The day is the 35th: nothing of it waits.
    assert held(ana, month=NOVEMBER, on="2026-12-03 09:00") == Held()
    assert payouts.due(month=NOVEMBER, now=at("2026-12-03 09:00"))[ana.id].cents == 2_100


def test_days_after_the_thirtieth_are_free_while_the_first_ones_wait(ana, lena):
    first, second = works(ana, 10 * EURO, 30 * EURO)
    cast.set_clock(at("2026-09-21 12:00"))
    cast.top_up(lena, 4_000)
    cast.buy(lena, first, price_micros=10 * EURO)
    close(date(2026, 9, 1))
    cast.set_clock(at("2026-10-22 12:00"))
    cast.buy(lena, second, price_micros=30 * EURO)
    running.start_of_next(OCTOBER, day=1)
    running.close(OCTOBER)
    found = payouts.due(month=OCTOBER, now=at("2026-11-04 09:00"))[ana.id]
    assert (found.held, found.cents, found.carried_micros) == (Held(first_days_micros=7 * EURO), 2_100, 7 * EURO)
    assert payouts.due(month=OCTOBER, now=at("2026-11-05 09:00"))[ana.id].cents == 2_800


def test_who_joins_a_work_in_mid_month_begins_with_the_first_charge_on_their_own_sheet(ana, lena):
    """The work was heard for weeks before; counted from then, a stolen card's money would leave three weeks early."""
    (work,) = works(ana, 10 * EURO)
    ben, lars = cast.person("ben"), cast.person("lars")
    cast.set_clock(at("2026-10-02 12:00"))
    cast.top_up(lena, 1_000)
    cast.top_up(lars, 1_000)
    cast.buy(lena, work, price_micros=10 * EURO)
    counting.put_in_force(work, [(ana, 400_000), (ben, 600_000)], since=at("2026-10-21 00:00"))
    cast.set_clock(at("2026-10-22 12:00"))
    cast.buy(lars, work, price_micros=10 * EURO)
    close(OCTOBER)
    assert ledger.payable([ana.id, ben.id]) == {ana.id: 9_800_000, ben.id: 4_200_000}
    assert held(ana, on="2026-11-15 23:59") == Held(first_days_micros=9_800_000)
    assert held(ana, on="2026-11-16 00:00") == Held()
    assert held(ben, on="2026-12-05 23:59") == Held(first_days_micros=4_200_000)
    assert held(ben, on="2026-12-06 00:00") == Held()


def test_nothing_is_paid_of_what_is_held_alone(ana, lena):
    (work,) = works(ana, 20 * EURO)
    cast.set_clock(at("2026-10-28 12:00"))
    cast.top_up(lena, 2_000)
    cast.buy(lena, work, price_micros=20 * EURO)
    close(OCTOBER)
    found = payouts.due(month=OCTOBER, now=at("2026-11-03 09:00"))[ana.id]
    assert (found.cents, found.why_not, found.held.micros) == (0, "held", 14 * EURO)


def test_what_was_cashed_out_or_promised_as_a_gift_holds_nobody_up(ana, lena):
    (work,) = works(ana, 3 * EURO)
    cast.set_clock(at("2026-10-05 12:00"))
    cast.top_up(lena, 300)
    cast.set_clock(at("2026-10-25 12:00"))
    cast.top_up(lena, 500)
    take(lena, 500)
    cast.promo(lena, 3 * EURO)
    cast.buy(lena, work, price_micros=3 * EURO)
    close(OCTOBER)
    assert held(ana) == Held()


def suspend(work):
    """Report a work and suspend it, at once."""
    wen = cast.person("wen", staff=(StaffRole.Role.CATALOGUE,))
    told = {"category": "rights", "text": "Mine, not theirs."}
    reports.file(work_id=work.id, person_id=cast.person("june").id, now=clock.now(), **told)
    said = {"facts": "A recording of somebody else.", "rule": "Works are one's own.", "scope": "The whole work."}
    reports.suspend(work_id=work.id, staff_id=wen.id, now=clock.now(), **said)
    return wen


def test_what_a_suspended_work_earned_waits_until_the_suspension_ends(ana, lena):
    first, second = works(ana, 10 * EURO, 20 * EURO)
    cast.set_clock(at("2026-10-02 12:00"))
    cast.top_up(lena, 4_000)
    cast.buy(lena, first, price_micros=10 * EURO)
    cast.buy(lena, second, price_micros=20 * EURO)
    close(OCTOBER)
    wen = suspend(first)
    assert held(ana) == Held(suspended_micros=7 * EURO)
    found = payouts.due(month=OCTOBER, now=at("2026-12-20 09:00"))[ana.id]
    assert (found.cents, found.carried_micros) == (1_400, 7 * EURO)
    # A line that is held for its work is not held once more for being young.
    young = Held(first_days_micros=14 * EURO, suspended_micros=7 * EURO)
    assert held(ana, on="2026-11-04 09:00") == young
    reports.lift(work_id=first.id, staff_id=wen.id, reasons="It was a mistake.", now=clock.now())
    assert held(ana) == Held()


def test_what_was_paid_out_before_the_suspension_is_not_held_of_later_royalties(ana, lena):
    first, second = works(ana, 20 * EURO, 10 * EURO)
    cast.set_clock(at("2026-10-02 12:00"))
    cast.top_up(lena, 4_000)
    cast.buy(lena, first, price_micros=20 * EURO)
    close(OCTOBER)
    cast.set_clock(at("2026-11-20 12:00"))
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    treasury.agree(OCTOBER, tess, tom)
    treasury.pay(OCTOBER, tess, tom)
    cast.buy(lena, second, price_micros=10 * EURO)
    close(NOVEMBER)
    suspend(first)
    assert held(ana, month=NOVEMBER) == Held()
    suspend(second)
    assert held(ana, month=NOVEMBER) == Held(suspended_micros=7 * EURO)


def fresh_of(person):
    """Return how much of each work's charges was paid with fresh credit, as the database says."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT work_id, sum(micros)::bigint FROM playback_fresh_charges(%s, %s, %s) GROUP BY 1",
            [clock.start_of(OCTOBER), clock.start_of(NOVEMBER), holds.FRESH],
        )
        return dict(cursor.fetchall())


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), st.integers(20, 900)), min_size=2, max_size=10), st.integers(0, 10))
def test_it_is_what_oldest_first_comes_to(ana, lena, steps, turn):
    """Follow every micro from its top-up to the charge that spent it, and compare."""
    with transaction.atomic():
        listener, expected, purse = cast.person("lena"), {}, []
        for number, (pays, cents) in enumerate(steps):
            is_fresh = number >= turn
            cast.set_clock(at("2026-10-25 12:00" if is_fresh else "2026-10-05 12:00") + timedelta(minutes=number))
            micros = cents * 10_000
            if pays:
                cast.top_up(listener, cents)
                purse.append([is_fresh, micros])
            elif sum(left for _, left in purse) >= micros:
                (work,) = works(ana, micros)
                cast.buy(listener, work, price_micros=micros)
                fresh, need = 0, micros
                while need:
                    used = min(need, purse[0][1])
                    purse[0][1] -= used
                    need -= used
                    fresh += used if purse[0][0] else 0
                    if not purse[0][1]:
                        purse.pop(0)
                if fresh:
                    expected[work.id] = fresh
        assert fresh_of(listener) == expected
        transaction.set_rollback(True)


def test_what_a_bank_sends_back_too_late_for_its_month_s_statement_stands_on_the_next(ana, lena):
    (work,) = works(ana, 20 * EURO)
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    cast.set_clock(at("2026-10-05 12:00"))
    cast.top_up(lena, 2_000)
    cast.buy(lena, work, price_micros=20 * EURO)
    september, december = date(2026, 9, 1), date(2026, 12, 1)
    for month in (OCTOBER, NOVEMBER):
        close(month)
    for month in (september, OCTOBER, NOVEMBER):
        treasury.agree(month, tess, tom)
    paid = treasury.pay(NOVEMBER, tess, tom).payouts.get()
    bank.take_in(content=treasury.booked(paid, day="2026-12-05"), staff_id=tess.id, now=clock.now())
    close(december)
    # December is sealed and its books are still open, for the bank's lines of its last days come in January.
    bank.take_in(content=treasury.returned(paid, day="2026-12-31"), staff_id=tess.id, now=clock.now())
    close(date(2027, 1, 1))
    told = Statement.objects.filter(person=ana).order_by("month")
    assert [(one.opening_micros, one.paid_out_micros, one.returned_micros, one.closing_micros) for one in told] == [
        (0, 0, 0, 14 * EURO),
        (14 * EURO, 0, 0, 14 * EURO),
        (14 * EURO, 14 * EURO, 0, 0),
        (0, 0, 14 * EURO, 14 * EURO),
    ]
    assert ledger.payable([ana.id])[ana.id] == told.last().closing_micros
