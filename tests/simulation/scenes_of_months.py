"""Directed scenes about months and their money: each for something that who keeps other books notices."""

from datetime import date, timedelta

from catalog.models import Work
from tests.royalties.treasury import IBANS
from tests.simulation.acts_of_months import ActsOfMonths
from tests.simulation.rulings_of_credit import CENT
from tests.simulation.rulings_of_months import after
from tests.simulation.rulings_of_the_treasury import Entry
from tests.simulation.scenes import DAY, PRICE, Scene

DEAR = 40_000_000


class MonthScene(Scene):
    """The same people, and a month that ends."""

    stage: ActsOfMonths

    def shared(self, *, price_micros: int = PRICE) -> Work:
        """Publish a work that pays Ana, Ben and Cleo a third each; one of them a millionth more."""
        ben, cleo = (self.stage.person(name) for name in ("ben", "cleo"))
        made = self.stage.track(self.ana, price_micros=price_micros)
        sheet = self.stage.propose(made, {self.ana: 333_333, ben: 333_333, cleo: 333_334})
        assert sheet is not None
        self.stage.accept(made, sheet, [ben, cleo])
        self.wait(2 * DAY)
        return made

    def month(self) -> date:
        """Return the first day of this month."""
        return self.stage.auditor.day(self.stage.now).replace(day=1)

    def go_to_next_month(self) -> None:
        """Go to nine in the morning of the next month's second day."""
        self.stage.go_to(self.stage.auditor.begins(after(self.month())) + timedelta(days=1, hours=9))

    def seal(self) -> date:
        """Close and run the month that is next; return it."""
        month = self.stage.auditor.next_month()
        assert month is not None
        self.stage.close(month)
        while not self.stage.auditor.closed[month].sealed:
            self.stage.turn(self.stage.auditor.closed[month])
        return month

    def end_month(self) -> date:
        """Let this month end and be sealed; return it."""
        self.go_to_next_month()
        return self.seal()

    def pay(self) -> None:
        """Let Ana be paid for last month's dear work: everything but what the bank says."""
        self.stage.enter_account(self.ana, iban=IBANS[0])
        self.buy(self.stage.track(self.ana, price_micros=DEAR))
        first = self.end_month()
        second = self.end_month()
        for month in (first, second):
            self.stage.agree(month, self.tess, self.tom)
        self.stage.prepare(second, self.tess)
        self.stage.release_payouts(self.stage.auditor.batches[-1], self.tom)


def divided(scene: MonthScene) -> None:
    work = scene.shared()
    for _ in range(3):
        scene.play(work)
    scene.end_month()


def given_back_before_the_close(scene: MonthScene) -> None:
    scene.play()
    charge = scene.last()
    scene.play()
    scene.go_to_next_month()
    scene.stage.reverse(charge, scene.lena, scene.tess)
    scene.seal()
    scene.end_month()


def given_back_after_the_close(scene: MonthScene) -> None:
    scene.stage.grant(scene.lena, scene.tess, 1_500, scene.key())
    scene.play()
    charge = scene.last()
    scene.end_month()
    scene.stage.reverse(charge, scene.lena, scene.tess)
    scene.stage.audit()
    scene.end_month()


def held_and_released(scene: MonthScene) -> None:
    work = scene.stage.unshared_track(scene.ana)
    scene.play(work)
    scene.end_month()
    scene.stage.propose(work, {scene.ana: 1_000_000})
    scene.end_month()


def charged_back_and_won(scene: MonthScene) -> None:
    scene.play()
    top_up = scene.stage.auditor.top_ups[0]
    for kind in ("opened", "opened", "won", "won"):
        scene.stage.deliver(scene.stage.tell_of_chargeback(top_up, kind, "the-dispute", top_up.gross))
        scene.stage.audit()


def cashed_out_then_charged_back(scene: MonthScene) -> None:
    top_up = scene.stage.auditor.top_ups[0]
    scene.buy()
    scene.stage.cash_out(scene.lena, 2_000 * CENT, scene.key())
    scene.stage.deliver(scene.stage.tell_of_refund(scene.stage.auditor.refunds()[0], "refund.paid"))
    scene.top_up(scene.lena, 5_000)
    scene.stage.deliver(scene.stage.tell_of_chargeback(top_up, "opened", "the-dispute", top_up.gross))


def spent_promo(scene: MonthScene) -> None:
    scene.stage.grant(scene.lena, scene.tess, 1_500, scene.key())
    scene.play()


def paid_and_sent_back(scene: MonthScene) -> None:
    scene.pay()
    paid = scene.stage.auditor.batches[-1].payouts[0]
    today = scene.stage.auditor.day(scene.stage.now)
    scene.stage.bank_pays([paid], today, scene.tess)
    scene.stage.bank_sends_back(paid, today, scene.tess)


def paid_and_refused(scene: MonthScene) -> None:
    scene.pay()
    scene.stage.bank_refuses(scene.stage.auditor.batches[-1], [], scene.tess)


def released_alone(scene: MonthScene) -> None:
    scene.pay()
    scene.stage.bank_refuses(scene.stage.auditor.batches[-1], [], scene.tess)
    scene.stage.prepare(max(scene.stage.auditor.closed), scene.tess)
    scene.stage.release_payouts(scene.stage.auditor.batches[-1], scene.tess)


def paid_too_early(scene: MonthScene) -> None:
    scene.stage.enter_account(scene.ana, iban=IBANS[0])
    scene.wait(10 * DAY)
    scene.buy(scene.stage.track(scene.ana, price_micros=DEAR))
    month = scene.end_month()
    scene.stage.prepare(month, scene.tess)


def sent_back_late(scene: MonthScene) -> None:
    scene.pay()
    paid = scene.stage.auditor.batches[-1].payouts[0]
    scene.stage.bank_pays([paid], scene.stage.auditor.day(scene.stage.now), scene.tess)
    month = scene.end_month()
    scene.stage.bank_sends_back(paid, after(month) - DAY, scene.tess)
    scene.end_month()


def written_down(scene: MonthScene) -> None:
    scene.play()
    month = scene.end_month()
    scene.stage.bank_line(-12_345, after(month) - DAY, scene.tess)
    (line,) = scene.stage.auditor.bank_lines
    entry = Entry("cost", CENT, after(month), scene.tess.id)
    scene.stage.enter(entry, scene.tess, line)
    scene.stage.agree(month, scene.tess, scene.tom)
    scene.stage.confirm(entry, scene.tess)
    scene.stage.confirm(entry, scene.tom)
    for wrong_by in (1, 0):
        scene.stage.agree(month, scene.tess, scene.tom, wrong_by=wrong_by)
