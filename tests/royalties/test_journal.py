"""The treasurer's journal: entered by one, confirmed by another, explained by the bank, locked at the month's end."""

from datetime import date

import pytest
from django.db import transaction
from django.db.utils import DatabaseError, IntegrityError

from members import clock, months
from members.problems import Invalid, NotAllowed, NotFound
from royalties import accounts, bank, journal, ledger
from royalties.accounts import LedgerRefused
from royalties.journal import BalanceDiffers, EntryStands
from royalties.journal_models import BankBalance, JournalEntry
from royalties.ledger_models import Transfer
from royalties.payout_models import BankLine
from tests import cast
from tests.royalties import treasury
from tests.royalties.treasury import OCTOBER, SEPTEMBER, seal

DAY = date(2026, 9, 20)


@pytest.fixture
def treasurers(db):
    """Give two treasurers on the fourth of October, when September is sealed."""
    seal(SEPTEMBER)
    return cast.treasurer("tess"), cast.treasurer("tom")


def enter(by, kind="cost", micros=12_340_000, **changed):
    said = {"happened_on": DAY, "words": "Hall rent", "now": clock.now(), **changed}
    return journal.enter(staff_id=by.id, kind=kind, amount_micros=micros, **said)


def confirm(entry, by):
    return journal.confirm(entry_id=entry.id, staff_id=by.id, now=clock.now())


@pytest.mark.parametrize(
    ("kind", "debit", "credit"),
    [
        ("cost", "expenses.costs", "assets.bank"),
        ("rent", "expenses.costs", "assets.bank"),
        ("hosting", "expenses.costs", "assets.bank"),
        ("bank-fee", "expenses.costs", "assets.bank"),
        ("provider-fee", "expenses.provider-fees", "assets.provider"),
        ("settlement", "assets.bank", "assets.provider"),
        ("settlement-back", "assets.provider", "assets.bank"),
        ("grant", "assets.bank", "income.other"),
        ("dues", "assets.bank", "income.dues"),
        ("shares", "assets.bank", "liabilities.member-shares"),
        ("vat", "liabilities.vat", "assets.bank"),
        ("unclear-in", "assets.bank", "assets.suspense"),
        ("unclear-out", "assets.suspense", "assets.bank"),
    ],
)
def test_each_kind_has_its_pair_of_accounts(treasurers, kind, debit, credit):
    tess, tom = treasurers
    entry = enter(tess, kind)
    assert not Transfer.objects.exists()
    confirm(entry, tom)
    booked = Transfer.objects.get()
    assert (booked.debit_id, booked.credit_id, booked.amount_micros, booked.month) == (
        debit,
        credit,
        12_340_000,
        SEPTEMBER,
    )
    assert booked.reason == "Hall rent"
    assert set(journal.KINDS) == {
        *(
            "cost",
            "rent",
            "hosting",
            "bank-fee",
            "provider-fee",
            "settlement",
            "settlement-back",
            "grant",
            "dues",
            "shares",
            "shares-back",
            "vat",
            "unclear-in",
            "unclear-out",
        )
    }


def test_nobody_confirms_what_they_entered(treasurers):
    tess, tom = treasurers
    entry = enter(tess)
    with pytest.raises(NotAllowed):
        confirm(entry, tess)
    with pytest.raises(IntegrityError), transaction.atomic():
        JournalEntry.objects.update(state="confirmed", confirmed_by=tess, confirmed_at=clock.now())
    for staff in ((), ("director",), ("secretary",)):
        with pytest.raises(NotAllowed):
            confirm(entry, cast.person("who", staff=staff))
        with pytest.raises(NotAllowed):
            enter(cast.person("who", staff=staff))
    assert not Transfer.objects.exists()
    for _ in range(2):
        assert confirm(entry, tom).state == "confirmed"
    assert Transfer.objects.count() == 1
    with pytest.raises(EntryStands):
        confirm(entry, cast.treasurer("tim"))
    with pytest.raises(EntryStands):
        journal.drop(entry_id=entry.id, staff_id=tess.id)


def test_what_was_dropped_is_never_booked(treasurers):
    tess, tom = treasurers
    entry = enter(tess)
    journal.drop(entry_id=entry.id, staff_id=tom.id)
    journal.drop(entry_id=entry.id, staff_id=tom.id)
    with pytest.raises(EntryStands):
        confirm(entry, tom)
    assert not Transfer.objects.exists()
    with pytest.raises(DatabaseError), transaction.atomic():
        JournalEntry.objects.update(state="waiting")


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "loan"},
        {"micros": 0},
        {"micros": -1},
        {"micros": 10**15},
        {"words": "  "},
        {"words": "x" * 201},
        {"happened_on": date(2026, 10, 5)},
    ],
)
def test_what_is_no_entry_is_refused(treasurers, changed):
    with pytest.raises(Invalid):
        enter(treasurers[0], **changed)
    assert not JournalEntry.objects.exists()


def test_an_account_in_its_words_is_blotted_out(treasurers):
    assert enter(treasurers[0], words="Rent to DE89370400440532013000").words == "Rent to DE •••• 3000"


# Lines of the bank.


@pytest.fixture
def lines(treasurers):
    """Give a line of 50.00 out and one of 70.00 in, which nobody explained."""
    content = b"date,amount,words\n2026-09-20,-50.00,Rent\n2026-09-21,70.00,Provider\n"
    assert bank.take_in(content=content, staff_id=treasurers[0].id, now=clock.now()).unexplained == 2
    return tuple(BankLine.objects.order_by("cents"))


def test_a_line_is_explained_once_with_its_own_day_and_sum(treasurers, lines):
    tess, tom = treasurers
    entry = enter(tess, "cost", 1, bank_line_id=lines[0].id)
    assert (entry.amount_micros, entry.happened_on) == (50_000_000, DAY)
    with pytest.raises(EntryStands):
        enter(tom, "bank-fee", 1, bank_line_id=lines[0].id)
    assert list(bank.unexplained()) == [lines[1]]
    journal.drop(entry_id=entry.id, staff_id=tom.id)
    assert list(bank.unexplained()) == list(lines)
    confirm(enter(tess, "bank-fee", 1, bank_line_id=lines[0].id), tom)
    assert ledger.balance(accounts.BANK) == -50_000_000


@pytest.mark.parametrize(("number", "kind"), [(0, "grant"), (0, "provider-fee"), (1, "cost"), (1, "vat")])
def test_a_line_goes_the_way_of_its_kind(treasurers, lines, number, kind):
    with pytest.raises(Invalid):
        enter(treasurers[0], kind, 1, bank_line_id=lines[number].id)
    with pytest.raises(NotFound):
        enter(treasurers[0], "cost", 1, bank_line_id=treasurers[0].id)


# The month's end.


def balance(by, cents, month=SEPTEMBER):
    return journal.enter_balance(staff_id=by.id, month=month, cents=cents, now=clock.now())


def lock(said, by):
    return journal.lock(balance_id=said.id, staff_id=by.id, now=clock.now())


def test_the_books_are_locked_when_the_bank_says_the_same(treasurers, lines):
    tess, tom = treasurers
    said = balance(tess, 2_000)
    with pytest.raises(BalanceDiffers) as differs:
        lock(said, tom)
    assert differs.value.extra == {"difference_micros": 20_000_000}
    confirm(enter(tess, "cost", 1, bank_line_id=lines[0].id), tom)
    confirm(enter(tess, "settlement", 1, bank_line_id=lines[1].id), tom)
    with pytest.raises(NotAllowed):
        lock(said, tess)
    assert not ledger.is_locked(SEPTEMBER)
    for _ in range(2):
        lock(said, tom)
    assert ledger.is_locked(SEPTEMBER)
    with pytest.raises(LedgerRefused):
        enter(tess)
    with pytest.raises(EntryStands):
        balance(tess, 2_000)
    with pytest.raises(DatabaseError), transaction.atomic():
        BankBalance.objects.update(cents=1)


def test_a_cent_is_enough_to_differ(treasurers):
    tess, tom = treasurers
    for cents in (1, -1):
        with pytest.raises(BalanceDiffers):
            lock(balance(tess, cents), tom)
    lock(balance(tess, 0), tom)


def test_a_month_before_the_first_charge_is_locked_too(treasurers):
    tess, tom = treasurers
    confirm(enter(tess, "grant", 5_000_000, happened_on=date(2026, 7, 31)), tom)
    with pytest.raises(EntryStands, match="The month before"):
        lock(balance(tess, 500), tom)
    for month in (date(2026, 7, 1), date(2026, 8, 1), SEPTEMBER):
        lock(balance(tess, 500, month), tom)
    assert ledger.is_locked(SEPTEMBER)


def test_a_month_before_the_first_charge_waits_for_the_first_seal(db):
    cast.set_clock(treasury.at("2026-10-04 09:00"))
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    months.close(month=SEPTEMBER)
    with pytest.raises(EntryStands, match="not sealed"):
        lock(balance(tess, 0, date(2026, 8, 1)), tom)


def test_nothing_is_booked_before_a_locked_month_either(treasurers):
    tess, tom = treasurers
    waiting = enter(tess, happened_on=date(2026, 8, 31))
    lock(balance(tess, 0), tom)
    with pytest.raises(LedgerRefused):
        confirm(waiting, tom)
    with pytest.raises(LedgerRefused):
        enter(tess, happened_on=date(2026, 8, 31))
    with pytest.raises(EntryStands):
        balance(tess, 0, date(2026, 8, 1))


def test_an_entry_that_waits_keeps_the_month_open(treasurers):
    tess, tom = treasurers
    entry = enter(tess)
    said = balance(tess, 0)
    with pytest.raises(EntryStands):
        lock(said, tom)
    journal.drop(entry_id=entry.id, staff_id=tess.id)
    lock(said, tom)


def test_the_newest_balance_counts(treasurers):
    tess, tom = treasurers
    first, second = balance(tess, 0), balance(tom, 0)
    with pytest.raises(EntryStands):
        lock(first, tom)
    lock(second, tess)


def test_a_month_that_is_not_sealed_or_not_over_is_not_locked(treasurers):
    tess, tom = treasurers
    with pytest.raises(Invalid):
        balance(tess, 0, OCTOBER)
    cast.set_clock(treasury.at("2026-11-02 09:00"))
    with pytest.raises(EntryStands):
        lock(balance(tess, 0, OCTOBER), tom)


def test_months_are_locked_in_their_order(treasurers):
    tess, tom = treasurers
    confirm(enter(tess, "grant", 5_000_000), tom)
    seal(OCTOBER)
    later = balance(tess, 500, OCTOBER)
    with pytest.raises(EntryStands):
        lock(later, tom)
    lock(balance(tess, 500), tom)
    lock(later, tom)


def test_what_waited_for_a_locked_month_is_not_booked_in_it(treasurers):
    tess, tom = treasurers
    late = enter(tess, happened_on=date(2026, 10, 2))
    lock(balance(tess, 0), tom)
    confirm(late, tom)
    assert Transfer.objects.get().month == OCTOBER
