"""What the auditor expects of the treasurers: payouts by two people, the bank's answers, the journal, the month's lock.

Part of the auditor: plain Python, the rules alone.
"""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import date, datetime

from tests.simulation.auditor import DAY, Answer, Id, Refused
from tests.simulation.rulings_of_credit import CENT
from tests.simulation.rulings_of_months import Months, Moved

# Kinds of the journal: who receives, who gives.
JOURNAL = {
    "cost": ("expenses.costs", "assets.bank"),
    "bank-fee": ("expenses.costs", "assets.bank"),
    "provider-fee": ("expenses.provider-fees", "assets.provider"),
    "settlement": ("assets.bank", "assets.provider"),
    "settlement-back": ("assets.provider", "assets.bank"),
    "grant": ("assets.bank", "income.other"),
    "dues": ("assets.bank", "income.dues"),
    "shares": ("assets.bank", "liabilities.member-shares"),
    "vat": ("liabilities.vat", "assets.bank"),
    "unclear-in": ("assets.bank", "assets.suspense"),
    "unclear-out": ("assets.suspense", "assets.bank"),
}


@dataclass
class Payout:
    """Cents that go to a payee."""

    payee: Id
    cents: int
    state: str = "prepared"
    # In which month it left, and in which the bank's booking and its coming back count.
    month: date | None = None
    booked_in: date | None = None
    back_in: date | None = None
    id: Id = None


@dataclass
class Batch:
    """Payouts that were prepared together for a month."""

    month: date
    by: Id
    payouts: list[Payout]
    state: str = "prepared"
    released_by: Id = None
    released_at: datetime | None = None
    id: Id = None

    def with_state(self, *states: str) -> list[Payout]:
        """Return its payouts that stand so."""
        return [one for one in self.payouts if one.state in states]


@dataclass
class Entry:
    """Something in the journal."""

    kind: str
    micros: int
    day: date
    by: Id
    line: Id = None
    state: str = "waiting"
    confirmed_by: Id = None
    id: Id = None


@dataclass
class BankLine:
    """A line of the bank that is no payout's."""

    cents: int
    day: date
    explained: Entry | None = None
    id: Id = None


class Treasurers(Months):
    """An auditor who also looks over the treasurers' shoulders."""

    def __init__(self, **known: object) -> None:
        super().__init__(**known)
        self.batches: list[Batch] = []
        self.journal: list[Entry] = []
        self.bank_lines: list[BankLine] = []
        self.locked: set[date] = set()

    def is_locked(self, month: date) -> bool:
        """Return whether the books of a month stand for ever: it was locked, or a later one."""
        return any(month <= locked for locked in self.locked)

    def counts_in(self, day: date, now: datetime) -> date:
        """Return the month in which a line of the bank counts: its own, or the present one when that is locked."""
        month = day.replace(day=1)
        return self.month(now) if self.is_locked(month) else month

    # Payouts.

    def prepare(self, month: date, staff: Id, now: datetime) -> Answer | Refused:
        """Prepare what is due for the last month that is sealed; nothing moves yet."""
        if staff not in self.treasurers:
            return Refused("not-allowed")
        sealed = [one.month for one in self.closed.values() if one.sealed]
        if month not in sealed or month != max(sealed):
            return Refused("books-open")
        found = {payee: due.cents for payee, due in self.dues(month, now).items() if due.cents}
        if not found:
            return Refused("nothing-due")
        if any(batch.state == "prepared" for batch in self.batches):
            return Refused("batch-stands")
        # In an order that is the same whenever a seed is lived again.
        made = [Payout(payee, cents) for payee, cents in sorted(found.items(), key=lambda due: due[1])]
        self.batches.append(Batch(month, staff, made))
        return {"payouts": found}

    def release(self, batch: Batch, staff: Id, now: datetime) -> Refused | None:
        """Release what another treasurer prepared, once the month's books are locked."""
        if staff not in self.treasurers:
            return Refused("not-allowed")
        if batch.state == "released" and batch.released_by == staff:
            return None
        if batch.state != "prepared":
            return Refused("batch-stands")
        if batch.by == staff:
            return Refused("not-allowed")
        if not self.is_locked(batch.month):
            return Refused("books-open")
        batch.state, batch.released_by, batch.released_at = "released", staff, now
        for one in batch.payouts:
            one.state, one.month = "in-transit", self.month(now)
            self.moved.append(Moved(one.payee, one.month, -one.cents * CENT))
        return None

    def was_paid(self, payee: Id, month: date, *, before: datetime) -> bool:
        """Whether a payout that is on its way or booked was released for that month or a later one, before a moment."""
        return any(
            one.payee == payee
            for batch in self.batches
            if batch.month >= month and batch.released_at and batch.released_at < before
            for one in batch.with_state("in-transit", "booked")
        )

    def drop(self, batch: Batch, staff: Id) -> Refused | None:
        """Drop what was not released."""
        if staff not in self.treasurers:
            return Refused("not-allowed")
        if batch.state == "released":
            return Refused("batch-stands")
        batch.state = "dropped"
        for one in batch.payouts:
            one.state = "dropped"
        return None

    # The bank.

    def hear_that_it_paid(self, payouts: list[Payout], day: date, now: datetime) -> int:
        """Book payouts that the bank paid in one sum, each once."""
        on_the_way = [one for one in payouts if one.state == "in-transit"]
        for one in on_the_way:
            one.state, one.booked_in = "booked", self.counts_in(day, now)
        return len(on_the_way)

    def hear_that_it_came_back(self, one: Payout, day: date, now: datetime) -> int:
        """Owe a payout again that the bank sent back, to the micro and once."""
        self.hear_that_it_paid([one], day, now)
        if one.state != "booked":
            return 0
        one.state, one.back_in = "returned", self.counts_in(day, now)
        self.moved.append(Moved(one.payee, one.back_in, one.cents * CENT))
        return 1

    def hear_that_it_refused(self, payouts: list[Payout], now: datetime) -> int:
        """Owe payouts again that the bank never made."""
        refused = [one for one in payouts if one.state == "in-transit"]
        for one in refused:
            one.state, one.back_in = "rejected", self.counts_in(self.day(now), now)
            self.moved.append(Moved(one.payee, one.back_in, one.cents * CENT))
        return len(refused)

    # The journal and the month's end.

    def enter_in_journal(self, entry: Entry, line: BankLine | None, now: datetime) -> Refused | None:
        """Enter something; a line of the bank gives it its day and its sum, and is explained once."""
        debit, _ = JOURNAL[entry.kind]
        if entry.by not in self.treasurers:
            return Refused("not-allowed")
        if line is not None:
            if "assets.bank" not in JOURNAL[entry.kind] or (debit == "assets.bank") != (line.cents > 0):
                return Refused("invalid")
            entry.micros, entry.day = abs(line.cents) * CENT, line.day
        if entry.micros <= 0 or entry.day > self.day(now):
            return Refused("invalid")
        if self.is_locked(entry.day.replace(day=1)):
            return Refused("ledger-refused")
        if line is not None:
            if line.explained is not None and line.explained.state != "dropped":
                return Refused("entry-stands")
            line.explained = entry
        self.journal.append(entry)
        return None

    def confirm(self, entry: Entry, staff: Id) -> Refused | None:
        """Confirm what another treasurer entered."""
        if staff not in self.treasurers:
            return Refused("not-allowed")
        if entry.state == "confirmed" and entry.confirmed_by == staff:
            return None
        if entry.state != "waiting":
            return Refused("entry-stands")
        if entry.by == staff:
            return Refused("not-allowed")
        if self.is_locked(entry.day.replace(day=1)):
            return Refused("ledger-refused")
        entry.state, entry.confirmed_by = "confirmed", staff
        return None

    def lock(self, month: date, cents: int) -> Refused | None:
        """Lock a month when the bank says what the books say, in order, once it is sealed and nothing of it waits."""
        first = min(self.closed, default=None)
        # Before the first month that closed nothing was charged: there is nothing to seal.
        before_the_first = first is not None and month < first and self.closed[first].sealed
        if not (before_the_first or (month in self.closed and self.closed[month].sealed)):
            return Refused("entry-stands")
        if any(one.state == "waiting" and one.day.replace(day=1) == month for one in self.journal):
            return Refused("entry-stands")
        if self.first_month() < month and not self.is_locked((month - DAY).replace(day=1)):
            return Refused("entry-stands")
        ours = self.bank_at_the_end_of(month)
        if ours != cents * CENT:
            return Refused("balance-differs", (("difference_micros", cents * CENT - ours),))
        self.locked.add(month)
        return None

    def first_month(self) -> date:
        """Return the month in which the books begin."""
        moments = [one.moment for one in self.charges] + [at for at, _ in (*self.fundings, *self.grants)]
        moments += [one.settled_at for one in self.top_ups if one.settled_at]
        entries = [one.day.replace(day=1) for one in self.journal if one.state == "confirmed"]
        return min([*(self.month(moment) for moment in moments), *entries])

    @abstractmethod
    def bank_at_the_end_of(self, month: date) -> int:
        """Return what the bank has at a month's end."""
