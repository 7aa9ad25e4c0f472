"""The demo's treasurers: Tess enters, Tom confirms. Each month meets the bank, is locked and paid; the newest is left.

What is left is for whoever looks at the demo: the last days of the newest month, and all that came after.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from infra import play_bank
from members import clock, money, months
from members.models import Person
from royalties import bank, journal, ledger, payout_accounts, payouts, periods, runs
from royalties.payout_models import BankLine
from royalties.payouts import NothingDue

# The first account of Ben's is closed, so that a payout comes back; Cleo's was never one. Then there are others.
ACCOUNTS = {"Ana": "FR1420041010050500013M02606", "Ben": "DE89370400440532013000", "Cleo": "NL91ABNA0417164300"}
BENS_NEXT, CLEOS_NEXT = "AT611904300234573201", "BE68539007547034"
# On this day of the week they look at what the bank told: the provider settles the day before.
THURSDAY = 3
LEFT_FROM_DAY = 25


@dataclass(frozen=True, kw_only=True)
class Office:
    """The two treasurers, payees whose accounts are wrong at first, and from which day the bank's lines are left."""

    tess: UUID
    tom: UUID
    ben: Person
    cleo: Person
    left_from: date


def open_office(people: dict[str, Person], *, until: datetime, now: datetime) -> Office:
    """Let the payees say where to pay, and return the treasurers, who work on evenings `until` a moment."""
    for name, iban in ACCOUNTS.items():
        payout_accounts.enter(person_id=people[name].id, holder=people[name].name, iban=iban, now=now)
    newest = months.before(clock.month(until))
    if periods.closes_at(newest) > until:
        newest = months.before(newest)
    left_from = newest.replace(day=LEFT_FROM_DAY)
    return Office(
        tess=people["Tess"].id, tom=people["Tom"].id, ben=people["Ben"], cleo=people["Cleo"], left_from=left_from
    )


def look_after(office: Office, *, now: datetime) -> None:
    """Do what there is to do on an evening: each Thursday the bank's notices, and months whose day has come."""
    month, today = periods.due(now), clock.day(now)
    if month is not None:
        runs.begin(month=month, now=now)
        while runs.advance(month=month, now=now).took:
            pass
        if months.after(month) <= office.left_from:
            _meet_the_bank(office, month, now)
    if today.weekday() == THURSDAY or month is not None:
        told = play_bank.notice(since=months.before(today.replace(day=1)), today=today)
        if _take_in(office, told, now).came_back:
            payout_accounts.enter(person_id=office.ben.id, holder=office.ben.name, iban=BENS_NEXT, now=now)
        if today.replace(day=1) <= office.left_from:
            until = min(today, office.left_from - timedelta(days=1))
            _take_in(office, play_bank.statement(month=today.replace(day=1), today=until), now)


def _meet_the_bank(office: Office, month: date, now: datetime) -> None:
    """Take in a month's statement, lock its books, and pay who is owed enough."""
    _take_in(office, play_bank.statement(month=month, today=clock.day(now)), now)
    cents = play_bank.balance_cents(on=months.after(month) - timedelta(days=1))
    said = journal.enter_balance(staff_id=office.tess, month=month, cents=cents, now=now)
    journal.lock(balance_id=said.id, staff_id=office.tom, now=now)
    try:
        batch = payouts.prepare(month=month, staff_id=office.tess, now=now)
    except NothingDue:
        return
    released = payouts.release(batch_id=batch.id, plan_sha256=batch.plan_sha256, staff_id=office.tom, now=now)
    # The bank reads the file at once, and says which orders it takes.
    if bank.take_in(content=play_bank.status(released), staff_id=office.tess, now=now).came_back:
        payout_accounts.enter(person_id=office.cleo.id, holder=office.cleo.name, iban=CLEOS_NEXT, now=now)


def _take_in(office: Office, file: bytes, now: datetime) -> bank.TakenIn:
    """Take in a file of the bank, and say what each of its lines is, with what the provider kept of a settlement."""
    done = bank.take_in(content=file, staff_id=office.tess, now=now)
    known = {line.reference: line for line in play_bank.lines(until=clock.day(now))}
    for row in list(bank.unexplained()):
        line = known[row.reference.split(":")[2]]
        _enter(office, line, row, now)
        if line.fee_cents:
            assert line.fee_on is not None
            fee = journal.enter(
                staff_id=office.tess,
                kind="provider-fee",
                amount_micros=money.from_cents(line.fee_cents),
                happened_on=_open_day(line.fee_on),
                words=f"Fees of payments to {line.fee_on:%-d %B}",
                now=now,
            )
            journal.confirm(entry_id=fee.id, staff_id=office.tom, now=now)
    return done


def _enter(office: Office, line: play_bank.Line, row: BankLine, now: datetime) -> None:
    entry = journal.enter(
        staff_id=office.tess,
        kind=line.kind,
        amount_micros=0,
        happened_on=row.booked_on,
        words=line.words,
        bank_line_id=row.id,
        now=now,
    )
    journal.confirm(entry_id=entry.id, staff_id=office.tom, now=now)


def _open_day(day: date) -> date:
    """Return the day, or the first of the next month if the books of its month are locked."""
    return months.after(day.replace(day=1)) if ledger.is_locked(day.replace(day=1)) else day
