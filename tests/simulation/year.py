"""A year: a life whose months end. Money is posted, divided, paid out, sent back, taken back and written down."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

from members.models import Person
from tests.royalties.treasury import IBANS
from tests.simulation.acts_of_months import ActsOfMonths
from tests.simulation.audit_of_the_books import verify_bundles
from tests.simulation.life import ACTS, DAY, HOUR, MINUTE, Life
from tests.simulation.rulings_of_credit import CENT
from tests.simulation.rulings_of_months import Closed, after
from tests.simulation.rulings_of_the_treasury import JOURNAL, Batch, Entry

WHOLE = 1_000_000


class Year(Life):
    """One seed's year."""

    staging = ActsOfMonths
    stage: ActsOfMonths

    def move_in(self) -> None:
        """Let the first people come, and payees say where royalties go."""
        super().move_in()
        self.sheets = []
        for person in self.creators[: self.dice.choice((2, 3))]:
            self.stage.enter_account(person, iban=self.dice.choice(IBANS))
        for price in (4_999_999, 20_000_000):
            self.works.append(self.stage.track(self.dice.choice(self.creators[:2]), price_micros=price))
            self.share()
            self.accept()
        self.top_up(self.listeners[1], cents=50_000, at_once=True)
        if self.dice.random() < 0.5:
            self.stage.vote("payouts", HOUR, least_cents=100, yearly_least_cents=1)

    def treasurer(self) -> Person:
        """Pick a treasurer, rarely somebody else."""
        return self.staff[3] if self.dice.random() < 0.03 else self.dice.choice(self.staff[:2])

    def other(self, person: Person) -> Person:
        """Pick a treasurer who is not that one, rarely the same."""
        others = [one for one in self.staff[:2] if one.id != person.id]
        return person if self.dice.random() < 0.05 else others[0]

    def day(self) -> date:
        """Return today, or a day of the last weeks."""
        return self.stage.auditor.day(self.stage.now) - timedelta(days=self.dice.choice((0, 0, 1, 2, 5, 9, 31)))

    # Credit that goes back.

    def cash_out(self) -> None:
        """Take credit out: some of it, all of it, too much, under an old key."""
        person = self.listener()
        most = self.stage.auditor.wallet(person.id).balance // CENT
        cents = self.dice.choice((1, most, most // 2, most // 3, most + 1, 100))
        self.stage.cash_out(person, cents * CENT + (self.dice.random() < 0.05), self.key())

    def refund(self) -> None:
        """Let the gateway say what became of a refund: that it was made, failed, is too old; in any order, again."""
        refunds = self.stage.auditor.refunds()
        if refunds:
            refund = self.dice.choice(refunds[-6:])
            kinds = ("refund.paid", "refund.paid", "refund.paid", "refund.failed", "refund.too_old")
            self.stage.deliver(self.stage.tell_of_refund(refund, self.dice.choice(kinds)))

    def transfer(self) -> None:
        """Let treasurers pay refunds that are too old for the gateway."""
        for refund in self.stage.auditor.refunds():
            if refund.state == "transfer":
                first = self.treasurer()
                self.stage.transfer(refund, first, self.other(first))

    def chargeback(self) -> None:
        """Let a bank take a payment back: all of it or a part, told twice, won before it was opened, lost and won."""
        paid = [one for one in self.stage.auditor.top_ups if one.state == "settled"]
        top_up = self.dice.choice(paid[-12:])
        name = self.dice.choice((f"dispute-{len(self.stage.auditor.chargebacks)}", f"dispute-{top_up.id}"))
        cents = self.dice.choice((top_up.gross, top_up.gross, top_up.gross // 2 + 1))
        kind = self.dice.choice(("opened", "opened", "opened", "won", "lost"))
        self.stage.deliver(self.stage.tell_of_chargeback(top_up, kind, name, cents))

    def dispute(self) -> None:
        """Let a bank say how a dispute ended."""
        known = self.stage.auditor.chargebacks
        if known:
            one = self.dice.choice(known[-5:])
            kind = self.dice.choice(("won", "lost"))
            self.stage.deliver(self.stage.tell_of_chargeback(one.top_up, kind, one.name, 100))

    def decide(self) -> None:
        """Let treasurers decide about frozen wallets."""
        for one in self.stage.auditor.chargebacks:
            if not one.decided and self.dice.random() < 0.7:
                self.stage.decide(one, self.treasurer(), self.dice.choice(("All is well.",) * 9 + (" ",)))

    def lower_budget(self) -> None:
        """Let the board take out of the promo budget."""
        if self.stage.auditor.budget > 1:
            self.stage.fund(-self.dice.randrange(1, self.stage.auditor.budget))

    # Who is paid.

    def publish_unshared(self) -> None:
        """Publish a work on whose shares nobody agreed yet."""
        self.works.append(
            self.stage.unshared_track(
                self.dice.choice(self.creators[:2]), price_micros=self.dice.choice((None, 7_777_777))
            )
        )

    def share(self) -> None:
        """Propose who is paid for a work: its owner alone, or several, in shares that leave something over."""
        work = self.work()
        owner = self.stage.of(work.creator.roles.get(role="owner").person_id)
        people = [owner, *self.dice.sample([one for one in (*self.creators, *self.listeners[:2]) if one != owner], 2)]
        shares = self.dice.choice(((WHOLE,), (600_000, 400_000), (333_334, 333_333, 333_333), (1, 999_998, 1)))
        made = self.stage.propose(work, dict(zip(people, shares, strict=False)))
        if made is not None and len(shares) > 1:
            self.sheets.append((work, made, people[1 : len(shares)]))

    def accept(self) -> None:
        """Let payees accept what they were asked."""
        if self.sheets:
            self.stage.accept(*self.sheets.pop(self.dice.randrange(len(self.sheets))))

    def vote_on_shares(self) -> None:
        """Vote on how each euro is divided, or from how much on it is paid out."""
        after_ = self.dice.choice((1, 2, 48)) * 60 * MINUTE
        if self.dice.random() < 0.5:
            creators = self.dice.choice((600_000, 700_000, 666_667, 900_000))
            self.stage.vote("revenue", after_, creators_ppm=creators, coop_ppm=WHOLE - creators)
        else:
            self.stage.vote("payouts", after_, least_cents=self.dice.choice((100, 1_000)), yearly_least_cents=1)

    # The month's end.

    def post(self) -> None:
        """Post, as every day."""
        self.stage.post()

    def close_month(self) -> None:
        """Close the next month, or ask for one whose time has not come."""
        month = self.stage.auditor.next_month()
        if month is None:
            return
        if self.dice.random() < 0.9:
            self.stage.close(month)
        else:
            self.stage.close(self.dice.choice((after(month), (month - DAY).replace(day=1), month + DAY)))

    def run_on(self) -> None:
        """Take some turns at the run that goes on."""
        going_on = self._going_on()
        for _ in range(self.dice.choice((1, 3, 8, 40)) if going_on else 0):
            self.stage.turn(going_on)
            if going_on.sealed:
                break

    def _going_on(self) -> Closed | None:
        return next((one for one in self.stage.auditor.closed.values() if not one.sealed), None)

    def end_of_month(self) -> None:
        """Let a month end as most do: closed, run, locked, paid, and booked by the bank some days later."""
        here = self.stage.auditor.day(self.stage.now)
        if self._going_on() is None:
            following = self.stage.auditor.begins(after(here.replace(day=1)))
            self.stage.go_to(following + timedelta(days=self.dice.choice((0, 2, 3)), minutes=self.dice.randrange(600)))
            self.close_month()
        while (going_on := self._going_on()) is not None:
            self.stage.turn(going_on)
        if self.dice.random() < 0.7:
            self.lock()
        self.prepare()
        self.release()

    def enter_account(self) -> None:
        """Let somebody who may be paid say where to, or that they are not paid for now."""
        person = self.dice.choice((*self.creators, *self.listeners[:2]))
        self.stage.enter_account(person, iban=self.dice.choice((*IBANS, None)))

    def prepare(self) -> None:
        """Prepare payouts of a month that is sealed, or of one that is not."""
        months = sorted(self.stage.auditor.closed)
        if months:
            self.stage.prepare(self.dice.choice((months[-1], months[-1], months[-1], months[0])), self.treasurer())

    def release(self) -> None:
        """Release what is prepared, by another treasurer or in vain; rarely drop it."""
        for batch in self.stage.auditor.batches[-2:]:
            staff = self.stage.of(batch.by)
            if self.dice.random() < 0.1:
                self.stage.drop(batch, staff)
            else:
                self.stage.release_payouts(batch, self.other(staff))

    def _released(self) -> Batch | None:
        released = [one for one in self.stage.auditor.batches if one.state == "released"]
        return self.dice.choice(released[-2:]) if released else None

    def bank_pays(self) -> None:
        """Let the bank book some payouts or all; the same file may be taken in again."""
        batch = self._released()
        if batch:
            some = self.dice.sample(batch.payouts, self.dice.randrange(1, len(batch.payouts) + 1))
            day = self.day()
            content = self.stage.bank_pays(some, day, self.treasurer())
            if self.dice.random() < 0.3:
                # The first time it may have been brought by somebody who is no treasurer.
                self.stage.take_bank_file(
                    content,
                    self.treasurer(),
                    lambda: (self.stage.auditor.hear_that_it_paid(some, day, self.stage.now), 0),
                )

    def bank_sends_back(self) -> None:
        """Let the bank send a payout back."""
        batch = self._released()
        if batch:
            self.stage.bank_sends_back(self.dice.choice(batch.payouts), self.day(), self.treasurer())

    def bank_refuses(self) -> None:
        """Let the bank refuse a payout, or the whole file."""
        batch = self._released()
        if batch:
            some = self.dice.choice(([], [self.dice.choice(batch.payouts)]))
            self.stage.bank_refuses(batch, some, self.treasurer())

    def write_down(self) -> None:
        """Enter a cost, a settlement, a grant; some with a line of the bank. Another treasurer confirms, or not yet."""
        staff = self.treasurer()
        entry = Entry(self.dice.choice(tuple(JOURNAL)), self.dice.randrange(1, 90_000) * CENT, self.day(), staff.id)
        line = None
        if self.dice.random() < 0.4:
            self.stage.bank_line(self.dice.choice((-1, 1)) * self.dice.randrange(1, 90_000), self.day(), self.staff[0])
            line = self.dice.choice(self.stage.auditor.bank_lines[-3:])
        self.stage.enter(entry, staff, line)
        if self.dice.random() < 0.7:
            self.confirm()

    def confirm(self) -> None:
        """Confirm what waits in the journal."""
        for entry in [one for one in self.stage.auditor.journal if one.state == "waiting"]:
            self.stage.confirm(entry, self.other(self.stage.of(entry.by)))

    def lock(self) -> None:
        """Lock the books of the months that are sealed, in their order; rarely with another balance than the bank's."""
        self.confirm()
        auditor = self.stage.auditor
        month = after(max(auditor.locked)) if auditor.locked else auditor.first_month()
        while auditor.closed and month <= max(auditor.closed):
            staff = self.treasurer()
            wrong_by = self.dice.choice((0,) * 9 + (1,))
            self.stage.agree(month, staff, self.other(staff), wrong_by=wrong_by)
            month = after(month)

    def check_publications(self, folder: Path) -> None:
        """Let a visitor verify every month that was published, and a listener that theirs was counted."""
        sealed = [one for one in self.stage.auditor.closed.values() if one.sealed]
        if sealed:
            counted = {who for group in sealed[-1].groups.values() for who in group.listeners}
            verify_bundles([one.month for one in sealed], sorted(counted), folder)

    acts: ClassVar[dict[Callable[["Year"], None], float]]


# What says nothing of months, or is done otherwise here.
LEFT_TO_LIVES = {
    *(Life.share, Life.close_month, Life.look, Life.begin, Life.requote, Life.progress, Life.set_limits),
    *(Life.lift_limits, Life.freeze, Life.sweep, Life.take_off, Life.restore),
}

# What a year does more often than a life, less often, and besides.
Year.acts = {
    **{act: weight for act, weight in ACTS.items() if act not in LEFT_TO_LIVES},
    Life.play: 45,
    Life.purchase: 16,
    Life.charge: 3,
    Year.cash_out: 3,
    Year.refund: 4,
    Year.transfer: 0.5,
    Year.chargeback: 1,
    Year.dispute: 1,
    Year.decide: 1.5,
    Year.lower_budget: 0.5,
    Year.publish_unshared: 0.5,
    Year.share: 2.5,
    Year.accept: 2.5,
    Year.vote_on_shares: 0.7,
    Year.post: 2,
    Year.close_month: 1,
    Year.run_on: 2,
    Year.end_of_month: 3,
    Year.enter_account: 0.7,
    Year.prepare: 0.7,
    Year.release: 1,
    Year.bank_pays: 3,
    Year.bank_sends_back: 1,
    Year.bank_refuses: 0.4,
    Year.write_down: 2,
    Year.confirm: 0.7,
    Year.lock: 0.7,
}
