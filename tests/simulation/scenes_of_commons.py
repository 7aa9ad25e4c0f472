"""Directed scenes of a co-op that decides: each for something that who keeps the register and the count notices."""

from datetime import date, timedelta

from members.models import Person
from tests.members.belonging import iban
from tests.royalties.treasury import IBANS
from tests.simulation.acts_of_years import ActsOfYears
from tests.simulation.rulings_of_credit import CENT
from tests.simulation.rulings_of_membership import Membership
from tests.simulation.rulings_of_months import after
from tests.simulation.rulings_of_the_treasury import Entry
from tests.simulation.rulings_of_votes import Params, Proposal
from tests.simulation.scenes import DAY, HOUR, MINUTE
from tests.simulation.scenes_of_months import DEAR, MonthScene

YES, NO, AWAY = "yes", "no", "abstain"


class CommonsScene(MonthScene):
    """The same people; Lena, Lars and Mia belong as listeners, Ana and Ben as creators, since a month ago."""

    stage: ActsOfYears

    def __init__(self, stage: ActsOfYears) -> None:
        super().__init__(stage)
        self.sam = stage.person("sam", staff=("secretary",))
        self.ben, self.mia = (stage.person(name) for name in ("ben", "mia"))
        self.accounts = {one.id: iban() for one in stage.people}
        for person in (self.lena, self.lars, self.mia):
            self.joins(person, "listener")
        for person in (self.ana, self.ben):
            self.holds_shares(self.joins(person, "creator"))
        self.others_join()
        self.wait(31 * DAY)

    def others_join(self) -> None:
        """Let more people belong from the beginning: here nobody."""

    def joins(self, person: Person, name: str) -> Membership:
        """Let somebody belong."""
        one = self.stage.apply(person, {name}, name)
        self.stage.approve(one, self.sam)
        account = self.accounts.setdefault(person.id, iban())
        self.stage.confirm_dues(one, self.stage.auditor.day(self.stage.now), self.other(person), account)
        return one

    def other(self, person: Person) -> Person:
        """Return a treasurer about whom it is not."""
        return self.tom if person == self.tess else self.tess

    def holds_shares(self, one: Membership) -> None:
        """Let a member pay a share."""
        self.stage.ask_shares(self.stage.of(one.person), 1)
        self.stage.confirm_shares(one, one.shares[-1], self.tess, self.accounts[one.person])

    def proposed(self, key: str, params: Params | None) -> Proposal:
        """Let Lena propose something, and three stand behind it."""
        made = self.stage.draft(self.lena, key, params)
        self.stage.submit(made, self.lena)
        self.back(made)
        return made

    def back(self, one: Proposal) -> None:
        """Let Lena, Ana and Ben stand behind a proposal."""
        for person in (self.lena, self.ana, self.ben):
            self.stage.sponsor(one, person)
        self.stage.beat()

    def go_on(self, one: Proposal, *, times: int = 1) -> None:
        """Let the present part of a proposal's life end, to the minute, and beat come by."""
        for _ in range(times):
            assert one.ends is not None
            self.stage.go_to(one.ends)
            self.stage.beat()

    def vote(self, one: Proposal, **choices: str) -> None:
        """Let people vote."""
        for name, choice in choices.items():
            person: Person = getattr(self, name)
            self.stage.cast(one, person, choice, person.id.bytes)

    def lock_until(self, last: date) -> None:
        """Lock the books of every month until that one."""
        month = self.stage.auditor.first_month()
        while month <= last:
            self.stage.agree(month, self.tess, self.tom)
            month = after(month)

    def passed(self, key: str, **changed: int) -> Proposal:
        """Bring a change to where nobody can contest it any more; Ana, Ben and Lena want it, the others do not mind."""
        made = self.proposed(key, {**self.stage.auditor.policies[key][-1][1], **changed})
        self.go_on(made, times=2)
        self.vote(made, ana=YES, ben=YES, lena=YES, mia=AWAY, lars=AWAY)
        self.go_on(made, times=2)
        return made


def who_may_vote(scene: CommonsScene) -> None:
    made = scene.proposed("opening", {"seconds": 30})
    scene.joins(scene.stage.person("noa"), "listener")
    mia = scene.stage.auditor.of(scene.mia.id)
    assert mia is not None
    scene.holds_shares(mia)
    scene.stage.ask_place(scene.mia, "creator")
    scene.stage.approve_place(mia, mia.places[-1], scene.sam)
    scene.stage.choose(scene.mia, "creator")
    scene.stage.leave(scene.lars)
    scene.go_on(made)


def two_paid_no_more(scene: CommonsScene) -> None:
    scene.wait(330 * DAY)
    for person in (scene.lena, scene.ana, scene.ben):
        one = scene.stage.auditor.of(person.id)
        assert one is not None
        first = scene.stage.auditor.due_from(one, scene.stage.now)
        scene.stage.confirm_dues(one, first, scene.tess, scene.accounts[person.id])
    scene.wait(40 * DAY)
    scene.go_on(scene.proposed("opening", {"seconds": 30}))


def as_many_for_as_against(scene: CommonsScene) -> None:
    made = scene.proposed("opening", {"seconds": 30})
    scene.go_on(made, times=2)
    scene.vote(made, ana=YES, ben=NO, lena=YES, mia=NO, lars=AWAY)
    scene.go_on(made, times=2)


def voted_late_and_twice(scene: CommonsScene) -> None:
    made = scene.proposed("opening", {"seconds": 30})
    scene.go_on(made)
    scene.stage.go_to(scene.stage.now + timedelta(days=6))
    scene.vote(made, lena=YES)
    scene.go_on(made)
    scene.vote(made, lena=YES, ana=YES)
    scene.vote(made, lena=NO)
    assert made.ends is not None
    scene.stage.go_to(made.ends)
    scene.vote(made, ben=NO)
    scene.stage.beat()


def called_once_more(scene: CommonsScene) -> None:
    made = scene.proposed("opening", {"seconds": 30})
    scene.go_on(made, times=2)
    scene.vote(made, lena=YES)
    scene.go_on(made, times=2)
    scene.vote(made, lena=YES, ana=YES, ben=YES)
    scene.go_on(made)


def a_price_that_binds(scene: CommonsScene) -> None:
    scene.play()
    made = scene.passed("pricing", price_default_micros=400_000)
    scene.stage.beat()
    assert made.effect is not None
    scene.stage.go_to(made.effect - DAY)
    scene.stage.beat()
    scene.play(scene.stage.track(scene.ana))
    scene.stage.go_to(made.effect)
    scene.stage.beat()
    scene.play(scene.stage.track(scene.ana))
    scene.play()


def another_came_between(scene: CommonsScene) -> None:
    made = scene.passed("opening", seconds=30)
    scene.stage.vote("opening", HOUR, seconds=20)
    assert made.effect is not None
    scene.stage.go_to(made.effect - DAY)
    scene.stage.beat()


def a_split_that_binds(scene: CommonsScene) -> None:
    made = scene.passed("revenue", creators_ppm=720_000, coop_ppm=280_000)
    assert made.effect is not None
    scene.stage.go_to(made.effect - DAY)
    scene.stage.beat()
    scene.play(scene.stage.track(scene.ana))
    scene.stage.go_to(made.effect + MINUTE)
    scene.play(scene.stage.track(scene.ana))
    scene.seal()
    scene.end_month()


def dues_from_the_wallet(scene: CommonsScene) -> None:
    noa = scene.stage.person("noa")
    one = scene.stage.apply(noa, {"listener"}, "listener")
    scene.stage.approve(one, scene.sam)
    today = scene.stage.auditor.day(scene.stage.now)
    scene.stage.confirm_dues(one, today, scene.tess, scene.accounts[scene.lena.id])
    scene.top_up(noa, 1_500)
    scene.stage.grant(noa, scene.tess, 9_000_000, scene.key())
    for _ in range(2):
        scene.stage.pay_dues(noa, today)
    scene.stage.pay_dues(noa, scene.stage.auditor.due_from(one, scene.stage.now))
    scene.wait(320 * DAY)
    scene.stage.pay_dues(noa, scene.stage.auditor.due_from(one, scene.stage.now))


def suspended(scene: CommonsScene) -> None:
    scene.top_up(scene.lena, 20_000)
    scene.stage.enter_account(scene.ana, iban=IBANS[0])
    paid = scene.stage.track(scene.ana, price_micros=DEAR)
    scene.buy(paid)
    scene.end_month()
    month = scene.end_month()
    scene.lock_until(month)
    scene.stage.prepare(month, scene.tess)
    scene.stage.release_payouts(scene.stage.auditor.batches[-1], scene.tom)
    unpaid = scene.stage.track(scene.ana, price_micros=DEAR)
    scene.buy(unpaid)
    scene.wait(MINUTE)
    for work in (paid, unpaid):
        scene.stage.set_state(work, "suspended")
    month = scene.end_month()
    scene.stage.prepare(month, scene.tess)
    scene.stage.set_state(unpaid, "published")
    scene.stage.prepare(month, scene.tess)


def a_year_divided(scene: CommonsScene) -> None:
    year = divided(scene)
    for staff, confirms in ((scene.tess, False), (scene.tess, True)):
        scene.stage.work_on_years()
        scene.stage.redeem(year, staff, confirms=confirms)
    scene.stage.redeem(year, scene.tom, confirms=True)
    scene.stage.work_on_years()


def divided(scene: CommonsScene) -> int:
    """Bring a year to where members have accepted its motion; return it."""
    scene.joins(scene.tess, "listener")
    scene.stage.enter_account(scene.ana, iban=IBANS[0])
    scene.stage.grant(scene.lena, scene.tess, 3_500, scene.key())
    for _ in range(3):
        scene.play()
    his = scene.stage.track(scene.ben, price_micros=DEAR)
    scene.top_up(scene.ana, 5_000)
    scene.stage.purchase(scene.ana, his, DEAR, scene.key())
    sheet = scene.stage.propose(his, {scene.ben: 600_000, scene.ana: 400_000})
    assert sheet is not None
    scene.stage.accept(his, sheet, [scene.ana])
    scene.wait(2 * DAY)
    scene.top_up(scene.lars, 5_000)
    scene.stage.purchase(scene.lars, his, DEAR, scene.key())
    entry = Entry("grant", 123_456 * CENT, scene.stage.auditor.day(scene.stage.now), scene.tess.id)
    scene.stage.enter(entry, scene.tess)
    scene.stage.confirm(entry, scene.tom)
    year = scene.month().year
    scene.stage.close_year(year, scene.tess)
    scene.end_month()
    scene.lock_until(max(scene.stage.auditor.closed))
    scene.stage.close_year(year, scene.tess)
    scene.stage.work_on_years()
    scene.stage.put_motion(year, scene.tess)
    made = scene.stage.auditor.motion(year)
    assert made is not None
    scene.back(made)
    scene.go_on(made, times=2)
    scene.vote(made, ana=YES, ben=YES, lena=YES, mia=AWAY, lars=AWAY)
    scene.go_on(made, times=2)
    return year
