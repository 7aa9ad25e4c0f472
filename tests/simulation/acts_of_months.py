"""The acts of a month's end: posting, the run turn by turn, payouts, the bank's answers, the journal and the lock."""

from datetime import date, timedelta
from typing import Any

from members.models import Month, Person
from members.money import MICROS_PER_CENT
from royalties import bank, journal, payout_accounts, payouts, posting, runs
from royalties.journal_models import JournalEntry
from royalties.payout_models import BankLine as BankLineRow
from royalties.payout_models import Payout as PayoutRow
from royalties.payout_models import PayoutBatch
from royalties.run_models import Run
from tests.royalties import treasury
from tests.simulation.acts_of_credit import ActsOfCredit
from tests.simulation.audit import Objection
from tests.simulation.audit_of_the_books import compare_books, compare_month, compare_statements
from tests.simulation.rulings import Refused
from tests.simulation.rulings_of_months import Closed
from tests.simulation.rulings_of_the_treasury import BankLine, Batch, Entry, Payout

STEPS = list(Run.Step)
MINUTE = timedelta(minutes=1)


class ActsOfMonths(ActsOfCredit):
    """A stage with treasurers, a bank and an end to every month."""

    def post(self) -> None:
        """Post what happened since the last posting."""
        self._act("post", lambda: posting.post(now=self.now), self.auditor.post)

    def audit(self) -> None:
        """Compare everything, the books too."""
        super().audit()
        self.post()
        compare_books(self.auditor, self.now)

    # The run.

    def close(self, month: date) -> Any:
        """Close a month, or ask for one whose time has not come."""
        expected = self._act(
            f"close {month:%Y-%m}",
            lambda: {"month": runs.begin(month=month, now=self.now).month},
            lambda: self.auditor.close(month, self.now) or {"month": month},
        )
        known = self.auditor.closed.get(month)
        if known is not None and not known.closed_at.microsecond:
            closed_at = Month.objects.get(starts_on=month).closed_at
            if not timedelta(0) <= closed_at - known.closed_at < MINUTE:
                raise Objection(f"{month} was closed at {closed_at}, not {known.closed_at}")
            self.auditor.learn_close(month, closed_at)
            self.auditor.divide(month)
        return expected

    def turn(self, closed: Closed) -> None:
        """Take a turn at a run, and look at what it did."""
        before = Run.objects.get(month=closed.month)
        self.not_counted += 1
        self._act(
            f"turn {closed.month:%Y-%m} {before.step}",
            lambda: {"took": runs.advance(month=closed.month, now=self.now).took},
            lambda: {"took": not Run.objects.filter(month=closed.month, state=Run.State.SEALED).exists()},
        )
        run = Run.objects.get(month=closed.month)
        if run.state == Run.State.STUCK:
            raise Objection(f"the run of {closed.month} is stuck: {run.words}")
        is_sealed = run.state == Run.State.SEALED
        for step in STEPS[
            STEPS.index(Run.Step(before.step)) : len(STEPS) if is_sealed else STEPS.index(Run.Step(run.step))
        ]:
            self._follow(closed, step)

    def _follow(self, closed: Closed, step: Run.Step) -> None:
        if step == Run.Step.POSTING:
            self.auditor.post()
        elif step == Run.Step.BOOKING:
            closed.booked = True
        elif step == Run.Step.STATING:
            told = self.auditor.state(closed.month)
            compare_statements(closed.month, told, self.auditor.dues(closed.month, closed.closed_at))
        elif step == Run.Step.SEALING and not closed.sealed:
            closed.sealed = True
            compare_month(closed)

    # Payouts.

    def enter_account(self, person: Person, *, iban: str | None) -> None:
        """Let a payee say where royalties go, or that they go nowhere."""
        self.journal.append(f"{self.now:%Y-%m-%d %H:%M} {person} {'has' if iban else 'has no'} account")
        if iban:
            payout_accounts.enter(person_id=person.id, holder=person.name, iban=iban, now=self.now)
            self.auditor.bank_accounts.add(person.id)
        else:
            payout_accounts.remove(person_id=person.id, now=self.now)
            self.auditor.bank_accounts.discard(person.id)

    def prepare(self, month: date, staff: Person) -> None:
        """Prepare a month's payouts."""

        def call() -> dict[str, Any]:
            made = payouts.prepare(month=month, staff_id=staff.id, now=self.now)
            return {"payouts": dict(made.payouts.values_list("person_id", "cents"))}

        self._act(f"prepare {month:%Y-%m} by {staff}", call, lambda: self.auditor.prepare(month, staff.id, self.now))
        for batch in self.auditor.batches:
            if batch.id is None:
                row = PayoutBatch.objects.get(state="prepared")
                batch.id = row.id
                for one in batch.payouts:
                    one.id = row.payouts.get(person=one.payee).id

    def release_payouts(self, batch: Batch, staff: Person) -> None:
        """Release payouts."""
        plan = PayoutBatch.objects.get(id=batch.id).plan_sha256

        def call() -> None:
            payouts.release(batch_id=batch.id, plan_sha256=plan, staff_id=staff.id, now=self.now)

        self._act(f"release by {staff}", call, lambda: self.auditor.release(batch, staff.id, self.now))

    def drop(self, batch: Batch, staff: Person) -> None:
        """Drop payouts."""

        def call() -> None:
            payouts.drop(batch_id=batch.id, staff_id=staff.id)

        self._act(f"drop by {staff}", call, lambda: self.auditor.drop(batch, staff.id))

    # The bank.

    def bank_pays(self, found: list[Payout], day: date, staff: Person) -> bytes:
        """Let the bank book payouts in one sum; return its file."""
        content = treasury.booked(*self._rows(found), day=day.isoformat())
        self.take_bank_file(content, staff, lambda: (self.auditor.hear_that_it_paid(found, day, self.now), 0))
        return content

    def bank_sends_back(self, one: Payout, day: date, staff: Person) -> bytes:
        """Let the bank send a payout back; return its file."""
        content = treasury.returned(*self._rows([one]), day=day.isoformat())

        def ruling() -> tuple[int, int]:
            return 0, self.auditor.hear_that_it_came_back(one, day, self.now)

        self.take_bank_file(content, staff, ruling)
        return content

    def bank_refuses(self, batch: Batch, found: list[Payout], staff: Person) -> bytes:
        """Let the bank refuse some payouts of a file, or all; return its report."""
        row = PayoutBatch.objects.get(id=batch.id)
        content = (
            treasury.status(row, refused=tuple(self._rows(found))) if found else treasury.status(row, group="RJCT")
        )
        refused = found or batch.payouts
        self.take_bank_file(content, staff, lambda: (0, self.auditor.hear_that_it_refused(refused, self.now)))
        return content

    def take_bank_file(self, content: bytes, staff: Person, ruling: Any) -> None:
        """Take a file of the bank in; `ruling` says how many payouts it books and gives back, unless it came before."""

        def call() -> dict[str, int]:
            done = bank.take_in(content=content, staff_id=staff.id, now=self.now)
            return {"booked": done.booked, "came_back": done.came_back}

        def answer() -> dict[str, int] | Refused:
            if staff.id not in self.auditor.treasurers:
                return Refused("not-allowed")
            if content in self.files:
                return {"booked": 0, "came_back": 0}
            self.files.append(content)
            booked, came_back = ruling()
            return {"booked": booked, "came_back": came_back}

        self._act(f"file of the bank by {staff}", call, answer)

    @property
    def files(self) -> list[bytes]:
        """Return the files of the bank that were taken in."""
        return self.__dict__.setdefault("_files", [])

    def bank_line(self, cents: int, day: date, staff: Person) -> None:
        """Let the bank tell of a line that is no payout's."""
        self.take_bank_file(
            treasury.statement(treasury.entry(cents, day=day.isoformat(), words="A line")), staff, lambda: (0, 0)
        )
        if staff.id in self.auditor.treasurers:
            known = [line.id for line in self.auditor.bank_lines]
            row = BankLineRow.objects.filter(payouts=0).exclude(id__in=known).get(cents=cents, words="A line")
            self.auditor.bank_lines.append(BankLine(cents, day, id=row.id))

    def _rows(self, found: list[Payout]) -> list[PayoutRow]:
        rows = PayoutRow.objects.in_bulk([one.id for one in found])
        return [rows[one.id] for one in found]

    # The journal and the lock.

    def enter(self, entry: Entry, staff: Person, line: BankLine | None = None) -> None:
        """Enter something in the journal."""

        def call() -> None:
            journal.enter(
                staff_id=staff.id,
                kind=entry.kind,
                amount_micros=entry.micros,
                happened_on=entry.day,
                words="A life's entry",
                now=self.now,
                bank_line_id=line and line.id,
            )

        entered = len(self.auditor.journal)
        # Entered again it would be another entry.
        self.crash = None
        self._act(
            f"enter {entry.kind} {entry.micros} of {entry.day} by {staff}",
            call,
            lambda: self.auditor.enter_in_journal(entry, line, self.now),
        )
        if len(self.auditor.journal) > entered:
            known = [one.id for one in self.auditor.journal if one.id]
            entry.id = JournalEntry.objects.exclude(id__in=known).get().id

    def confirm(self, entry: Entry, staff: Person) -> None:
        """Confirm an entry."""

        def call() -> None:
            journal.confirm(entry_id=entry.id, staff_id=staff.id, now=self.now)

        self._act(f"confirm {entry.kind} by {staff}", call, lambda: self.auditor.confirm(entry, staff.id))

    def agree(self, month: date, enters: Person, locks: Person, *, wrong_by: int = 0) -> None:
        """Enter what the bank has at a month's end, and let another treasurer lock the books; the newest one counts."""
        self.go_to(self.now + MINUTE)
        cents = self.auditor.bank_at_the_end_of(month) // MICROS_PER_CENT + wrong_by

        def call() -> None:
            said = journal.enter_balance(staff_id=enters.id, month=month, cents=cents, now=self.now)
            journal.lock(balance_id=said.id, staff_id=locks.id, now=self.now)

        def ruling() -> Refused | None:
            if not {enters.id, locks.id} <= self.auditor.treasurers:
                return Refused("not-allowed")
            if self.now < self.auditor.begins((month + timedelta(days=32)).replace(day=1)):
                return Refused("invalid")
            if self.auditor.is_locked(month):
                return Refused("entry-stands")
            return Refused("not-allowed") if enters == locks else self.auditor.lock(month, cents)

        self._act(f"lock {month:%Y-%m} at {cents} by {enters} and {locks}", call, ruling)
