"""The demo's bank and its treasurers: months that meet the bank, one payout back, and what is left to do."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from infra import play_bank
from infra.demonstration import treasurers
from members import clock, money, months
from members.belonging import dues, memberships, shares
from royalties import bank, bankfiles, journal, ledger, payouts, posting, reconciliation
from royalties.payout_models import Payout
from tests import cast
from tests.members import belonging
from tests.royalties import treasury
from tests.royalties.treasury import OCTOBER, SEPTEMBER

AUGUST = date(2026, 8, 1)
BEGINS, NOW = "2026-08-19 18:00", "2026-11-22 12:00"
WORKS = 16


@pytest.fixture
def office(db):
    """Let Lena buy works of Ben's, Ana's and Cleo's in August, and the treasurers work until late November."""
    cast.set_clock(treasury.at(BEGINS))
    people = {name: cast.person(name.lower()) for name in ("Ana", "Ben", "Cleo")}
    people |= {name: cast.treasurer(name.lower()) for name in ("Tess", "Tom")}
    made = treasurers.open_office(people, until=treasury.at(NOW), now=clock.now())
    lena = cast.person("lena")
    cast.top_up(lena, 6_000, vat_ppm=190_000)
    for name in ("Ben", "Ana", "Cleo"):
        creator = cast.creator(people[name])
        for _ in range(WORKS):
            cast.buy(lena, cast.track(creator, now=clock.now()), price_micros=1_022_000)
    evening = treasury.at(BEGINS)
    while evening < treasury.at(NOW):
        cast.set_clock(evening)
        treasurers.look_after(made, now=clock.now())
        if clock.day(evening) == date(2026, 11, 9):
            cast.top_up(lena, 1_000, vat_ppm=190_000)
        evening += timedelta(days=1)
    cast.set_clock(treasury.at(NOW))
    posting.post(now=clock.now())
    return made


def test_the_months_are_locked_and_paid_and_nothing_is_late(office):
    now = clock.now()
    assert ledger.locked_months() == {AUGUST, SEPTEMBER}
    assert months.period(OCTOBER).state == months.SEALED
    for month in (AUGUST, SEPTEMBER):
        end = months.after(month) - timedelta(days=1)
        assert journal.balance_in_the_books(month) == money.from_cents(play_bank.balance_cents(on=end))
    assert reconciliation.check(now=now) == []
    assert not [one for one in reconciliation.waiting(now=now) if one.late]
    # 16 x 1.022 x 0.7 = 11.4464 each; Ben's account is closed, Cleo's is none, and they have others now.
    assert sorted(Payout.objects.values_list("person__name", "cents", "state")) == [
        ("Ana", 1_144, "booked"),
        ("Ben", 1_144, "returned"),
        ("Cleo", 1_144, "rejected"),
    ]
    for payee in (office.ben, office.cleo):
        assert treasury.owed(payee) == 11_446_400
        due = payouts.due(month=OCTOBER, now=now)[payee.id]
        assert (due.cents, due.why_not) == (1_144, "")
    # The same month says the same for ever, each line under a name of its own.
    today = clock.day(now)
    before = play_bank.statement(month=SEPTEMBER, today=today)
    cast.top_up(cast.person("lars"), 1_000, vat_ppm=190_000)
    assert play_bank.statement(month=SEPTEMBER, today=today + timedelta(days=40)) == before
    names = [line.reference for line in play_bank.lines(until=today)]
    assert len(names) == len(set(names))


def test_what_is_left_is_taken_in_by_whoever_looks_at_the_demo(office):
    now, today = clock.now(), clock.day(clock.now())
    file = play_bank.statement(month=OCTOBER, today=today)
    done = bank.take_in(content=file, staff_id=office.tess, now=now)
    # The last days of October: stickers, and the bank's fee.
    assert (done.new_lines, done.unexplained) == (2, 2)
    assert done.balance_on == date(2026, 10, 31)
    for row in list(bank.unexplained()):
        kind = row.reference.split(":")[2].partition(".")[0]
        entry = journal.enter(
            staff_id=office.tess,
            kind=kind,
            amount_micros=0,
            happened_on=today,
            words=row.words,
            bank_line_id=row.id,
            now=now,
        )
        journal.confirm(entry_id=entry.id, staff_id=office.tom, now=now)
    said = journal.enter_balance(staff_id=office.tess, month=OCTOBER, cents=done.balance_cents, now=now)
    journal.lock(balance_id=said.id, staff_id=office.tom, now=now)
    batch = treasury.pay(OCTOBER, cast.treasurer("tess"), cast.treasurer("tom"))
    assert batch.total_cents == 2 * 1_144
    # The bank books it on the next bank day, a Monday, in November's statement.
    november = play_bank.statement(month=date(2026, 11, 1), today=date(2026, 11, 23))
    lines = [line for line in bankfiles.read(november).lines if line.parts]
    assert [(line.booked_on, line.cents) for line in lines] == [(date(2026, 11, 23), -2 * 1_144)]
    assert bank.take_in(content=november, staff_id=office.tess, now=now).booked == 2


def test_what_members_pay_in_is_on_the_account(office):
    now, today = clock.now(), clock.day(clock.now())
    before = play_bank.balance_cents(on=today)
    ada = belonging.approved(cast.person("ada"), now=now)
    held = shares.ask(person_id=ada.person_id, count=3, now=now)
    shares.confirm(holding_id=held.id, staff_id=office.tess, iban=belonging.iban(), now=now)
    belonging.pay(ada, now=now)
    kinds = [(line.kind, line.cents) for line in play_bank.lines(until=today) if line.kind in {"dues", "shares"}]
    assert sorted(kinds) == [("dues", 1_000), ("shares", 6_000)]
    memberships.leave(person_id=ada.person_id, now=now)
    for treasurer in (office.tess, office.tom):
        shares.repay(holding_id=held.id, staff_id=treasurer, now=now)
    # Dues stay, and are booked as what they are.
    assert play_bank.balance_cents(on=today) == before + 1_000
    bank.take_in(content=play_bank.statement(month=today.replace(day=1), today=today), staff_id=office.tess, now=now)
    words = {row.words for row in bank.unexplained()}
    assert f"{dues.reference(ada)}, dues" in words


def test_before_anybody_paid_there_is_an_empty_account(db):
    file = play_bank.statement(month=OCTOBER, today=date(2026, 10, 9))
    said = bankfiles.read(file)
    assert (said.kind, said.lines, said.balance_cents) == ("camt.053", [], 0)


def test_a_month_of_the_demo_is_turned_and_one_of_production_is_not(db, capsys):
    cast.set_clock(treasury.at("2026-11-22 12:00"))
    call_command("turn_month")
    assert clock.now() >= treasury.at("2026-12-01 09:00")
    assert clock.month(clock.now()) == date(2026, 12, 1)
    with override_settings(CLOCK_MAY_MOVE=False), pytest.raises(CommandError, match="cannot be moved"):
        call_command("turn_month")
    assert clock.month(clock.now()) == date(2026, 12, 1)
