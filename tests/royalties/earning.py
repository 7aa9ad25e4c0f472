"""What tests of earnings share: a summer of Ana's works, paid out once, and an October that runs."""

from datetime import date, timedelta

from catalog.models import Work
from members import clock
from members.models import Person
from playback import audience_counting
from royalties import bank, payout_accounts, so_far
from royalties.payout_models import Payout
from tests import cast
from tests.royalties import counting, running, treasury
from tests.royalties.counting import noon

JULY, AUGUST, SEPTEMBER, OCTOBER = (date(2026, month, 1) for month in (7, 8, 9, 10))


class Summer:
    """Six people buy Ana's and Ben's works in July; in September one plays another of hers, and a held one.

    July's royalties are paid out on 4 September. In October ten people play, and the sixth is counted last.
    """

    def __init__(self, *, works: int = 4) -> None:
        cast.set_clock(noon(1, 6))
        self.ana, self.ben = cast.person("ana"), cast.person("ben")
        self.profile = cast.creator(self.ana)
        self.works = [
            self._work(f"Shared {number}", [(self.ana, 600_000), (self.ben, 400_000)]) for number in range(works)
        ]
        self.alone = self._work("Ñandú & Größe", [(self.ana, 1_000_000)])
        self.held = self._work("Nobody’s yet", [])
        payout_accounts.enter(person_id=self.ana.id, holder="Ana", iban=treasury.IBANS[0], now=clock.now())
        self.listeners = [cast.person() for _ in range(10)]
        cast.set_clock(noon(1, 7))
        for listener in self.listeners:
            cast.top_up(listener, 2_000)
        for work in self.works:
            for listener in self.listeners[:6]:
                counting.charge(listener, work, 1_022_000, at=noon(2, 7))
        for month in (JULY, AUGUST):
            running.start_of_next(month)
            running.close(month)
        self._pay_out()
        for number in range(1, 10):
            counting.charge(self.listeners[0], self.alone, 1_000 << number, at=noon(10, 9), number=number)
        counting.charge(self.listeners[1], self.held, 10_000, at=noon(10, 9), number=1)
        running.start_of_next(SEPTEMBER)
        running.close(SEPTEMBER)
        for day in (5, 6):
            for listener in self.listeners[5 * (day - 5) : 5 * (day - 4)]:
                counting.charge(listener, self.alone, 20_000, at=noon(day), number=10 + day)
                counting.charge(listener, self.held, 3, at=noon(day), number=10 + day)
        counting.charge(self.listeners[0], self.works[0], 64_000, at=noon(6), number=20)
        self.now = noon(6) + timedelta(hours=20)
        cast.set_clock(self.now)
        audience_counting.count_all(now=clock.now())
        so_far.count(now=clock.now())

    def _work(self, title: str, payees: list[tuple[Person, int]]) -> Work:
        made = cast.track(self.profile, state=Work.State.DRAFT, now=noon(1, 6))
        Work.objects.filter(id=made.id).update(title=title)
        if payees:
            counting.put_in_force(made, payees, since=noon(2, 6))
        return made

    def _pay_out(self) -> None:
        cast.set_clock(noon(4, 9))
        tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
        for month in (JULY, AUGUST):
            treasury.agree(month, tess, tom)
        treasury.pay(AUGUST, tess, tom)
        content = treasury.booked(*Payout.objects.all(), day="2026-09-07")
        cast.set_clock(noon(7, 9))
        bank.take_in(content=content, staff_id=tess.id, now=clock.now())
