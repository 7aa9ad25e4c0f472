"""How a co-op goes on: its year is seen out, and what it left is voted down first, then accepted and booked."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from tests.simulation.audit_of_the_books import verify_year
from tests.simulation.departures import Departures
from tests.simulation.life import DAY, MINUTE
from tests.simulation.rulings_of_credit import CENT
from tests.simulation.rulings_of_months import DECEMBER
from tests.simulation.rulings_of_the_treasury import Entry
from tests.simulation.rulings_of_votes import LIVE
from tests.simulation.rulings_of_years import YearEnd

# Of each hundred who vote, so many say yes, no, abstain.
AGAINST, IN_FAVOUR = (4, 94, 2), (94, 4, 2)
# What the people of a life may do in vain, being who may not: so often at most, and it is done.
TRIES = 60


class Generations(Departures):
    """One seed's co-op, to the end of a year and beyond."""

    def begins(self) -> datetime:
        """Return when it begins: late in some year, so that its end is not far."""
        return datetime(2026 + self.dice.randrange(3), 8, 1, tzinfo=UTC) + self.dice.randrange(90 * 24 * 60) * MINUTE

    def live(self, steps: int) -> None:
        """Live until so many acts are played, and see the year out."""
        super().live(steps)
        self.see_a_year_out()
        self.stage.audit()

    # A year that left something.

    def see_a_year_out(self) -> None:
        """Bring a year to where its surplus is divided: voted down, put again, accepted, booked, and often paid."""
        year = self.a_year_that_left_something()
        for mood in (AGAINST, IN_FAVOUR):
            self.all_pay()
            self.stage.go_to(self.stage.now + 31 * DAY)
            self.move_about(year)
            self.let_it_be_decided(year, mood, somebody_goes=mood is IN_FAVOUR)
        self.claim()
        self.pay_who_left()
        if self.dice.random() < 0.5:
            self.stage.redeem(year.year, self.staff[0], confirms=False)
            self.stage.redeem(year.year, self.staff[1], confirms=True)
            self.stage.work_on_years()

    def a_year_that_left_something(self) -> YearEnd:
        """Return a year that waits for its motion: one that is closed already, or else the next one."""
        auditor = self.stage.auditor
        for one in list(auditor.years.values()):
            self.let_it_be_decided(one, IN_FAVOUR)
        while not (ready := [one for one in auditor.years.values() if one.state == "ready" and one.parts]):
            month = min(auditor.closed, default=None) or auditor.next_month()
            self.end(max(auditor.years, default=month.year - 1) + 1)
        return ready[0]

    def let_it_be_decided(self, year: YearEnd, mood: tuple[int, int, int], *, somebody_goes: bool = False) -> None:
        """Let what is under way about a year come to its end; when all have voted somebody with a part may go."""
        made = self.stage.auditor.motion(year.year)
        while made is not None and made.state in LIVE:
            if made.state == "voting":
                self.vote_on(made, turnout=1, mood=mood)
                if somebody_goes:
                    self.part_with_somebody(year)
            self.stage.go_to(max(self.stage.now, made.ends or self.stage.now))
            self.stage.beat()
        if somebody_goes:
            self.see_all_off()
        self.stage.work_on_years()

    def part_with_somebody(self, year: YearEnd) -> None:
        """Let somebody ask to be forgotten who has a part of a year, or anybody."""
        free = [person for person in self.citizens if person.id not in self.stage.auditor.on_duty]
        parted = {part.person for part in year.parts}
        self.stage.ask_to_be_erased(self.dice.choice([one for one in free if one.id in parted] or free))

    def see_all_off(self) -> None:
        """Let everybody go whose week is over, as far as they get."""
        self.stage.let_go()
        for one in self.stage.auditor.erasures:
            if one.state == "settling":
                self.help_out(one)
        self.stage.let_go()
        for gone in self.stage.auditor.gone():
            self.replace(self.stage.of(gone))

    def end(self, year: int) -> None:
        """Let a year's months end and be locked, with a gift that makes good what is lacking, and close it."""
        auditor, last = self.stage.auditor, date(year, DECEMBER, 1)
        if auditor.day(self.stage.now).year == year:
            self.bring_something()
        while last not in auditor.closed or not auditor.closed[last].sealed:
            self.catch_up(auditor.next_month())
        result, shortfall = auditor.left_by(year)
        gift = max(0, shortfall - result) // CENT + self.dice.randrange(1, 9_000_000)
        entry = Entry("grant", gift * CENT, last, self.staff[0].id)
        self.stage.enter(entry, self.staff[0])
        self.insist(lambda: auditor.is_locked(last), self.lock)
        self.insist(lambda: year in auditor.years, lambda: self.stage.close_year(year, self.treasurer()))
        self.stage.work_on_years()

    def bring_something(self) -> None:
        """Let some members buy something in the year, so that there is patronage."""
        self.all_pay()
        for person in self.citizens[:4]:
            self.top_up(person, cents=3_000, at_once=True)
            for work in self.works[-2:]:
                left = self.stage.auditor.asks(person.id, work.id, self.stage.now).left
                self.stage.purchase(person, work, left, self.key())

    def all_pay(self) -> None:
        """Let everybody who left join again, and pay; the treasurers among them."""
        auditor = self.stage.auditor
        for person in self.citizens:
            one = auditor.of(person.id) or self.stage.apply(person, {"listener"}, "listener")
            if one.state == "applied":
                self.stage.approve(one, self.staff[1] if person != self.staff[1] else self.staff[3])
            first = auditor.due_from(one, self.stage.now)
            if first <= auditor.day(self.stage.now) + 45 * DAY:
                self.stage.confirm_dues(one, first, self.cashier(one), self.account(person))

    def move_about(self, year: YearEnd) -> None:
        """Put a year's motion before the members, and let all stand behind it who may."""
        auditor, before = self.stage.auditor, self.stage.auditor.motion(year.year)
        self.insist(
            lambda: auditor.motion(year.year) is not before, lambda: self.stage.put_motion(year.year, self.treasurer())
        )
        made = auditor.motion(year.year)
        for person in self.citizens:
            if made.state == "sponsoring":
                self.stage.sponsor(made, person)
        self.stage.beat()

    def insist(self, is_done: Callable[[], bool], act: Callable[[], Any]) -> None:
        """Act until it is done: now and then somebody tries who may not."""
        for _ in range(TRIES):
            if is_done():
                return
            act()
        raise AssertionError(f"it was never done: {self.stage.seen}")

    def check_that_a_year_was_divided(self, folder: Path) -> None:
        """Look that members voted a year's motion down and accepted it later, and let a visitor verify that year."""
        years = self.stage.auditor.years.values()
        divided = [one for one in years if one.parts and one.state in {"done", "redeemed"}]
        assert divided, [(one.year, one.state, len(one.parts)) for one in years]
        states = [one.state for one in self.stage.auditor.proposals if one.year == divided[-1].year]
        assert states[-2:] == ["defeated", "enacted"]
        verify_year(divided[-1].year, folder)

    acts = Departures.acts
