"""Directed scenes of who goes, and of what is put right: each for something that the auditor notices."""

from datetime import date

from members.models import Person
from tests.royalties.treasury import IBANS
from tests.simulation.acts_of_objections import ActsOfObjections
from tests.simulation.rulings_of_leaving import Erasure
from tests.simulation.rulings_of_membership import Membership
from tests.simulation.rulings_of_votes import Proposal
from tests.simulation.scenes import DAY, HOUR, MINUTE
from tests.simulation.scenes_of_commons import NO, YES, CommonsScene, divided
from tests.simulation.scenes_of_months import DEAR

NOBODY = "AAAAA-BBBBB-CCCCC-DDDDD"


class LeavingScene(CommonsScene):
    """The same people, with Noa, Pia and Rosa among the listeners, and Dora and Dan on the board."""

    stage: ActsOfObjections

    def others_join(self) -> None:
        """Let more people belong, so that a panel can be drawn."""
        self.dora, self.dan = (self.stage.person(name, staff=("director",)) for name in ("dora", "dan"))
        self.noa, self.pia, self.rosa = (self.stage.person(name) for name in ("noa", "pia", "rosa"))
        for person in (self.noa, self.pia, self.rosa):
            self.joins(person, "listener")

    def of(self, person: Person) -> Membership:
        """Return somebody's membership."""
        return next(one for one in self.stage.auditor.register if one.person == person.id)

    def voted(self, one: Proposal) -> None:
        """Let everybody vote on a proposal that was called, and the vote close."""
        assert one.ballots is not None
        self.stage.go_to(one.ballots.opens)
        self.stage.beat()
        self.vote(one, ana=YES, ben=YES, lena=YES, lars=NO, mia=YES, noa=NO, pia=YES, rosa=YES)
        self.stage.go_to(one.ballots.closes)

    def called(self) -> Proposal:
        """Let a vote be called."""
        made = self.proposed("opening", {"seconds": 30})
        self.go_on(made)
        return made


# What is put right.


def put_right(scene: LeavingScene) -> None:
    """Let a roll be corrected, an urn be spoiled, the vote held again, contested, counted again, and void for good."""
    made = scene.called()
    lars, mia = (scene.of(person).number or 0 for person in (scene.lars, scene.mia))
    for number, name, staff in (
        *((lars, "", scene.sam), (lars, "", scene.sam), (mia, "creator", scene.sam), (mia, "", scene.tess)),
        *((lars, "listener", scene.sam), (mia, "", scene.sam), (999, "", scene.sam)),
    ):
        scene.stage.correct_roll(made, number, name, staff)
    assert made.ballots is not None
    scene.stage.go_to(made.ballots.opens - DAY)
    scene.stage.correct_roll(made, lars, "", scene.sam)
    scene.voted(made)
    scene.stage.spoil(made, "dropped")
    scene.stage.beat()
    scene.voted(made)
    scene.stage.beat()
    scene.stage.contest(made, scene.noa)
    scene.stage.change_counted(made)
    for panelist in made.contests[-1].panel[:2]:
        scene.stage.rule(made.contests[-1], scene.stage.of(panelist), "recounted")
    scene.go_on(made)


def one_to_draw(scene: LeavingScene) -> None:
    """Let nearly everybody have a part in what is contested: one alone decides nothing, and the vote stands."""
    made = scene.proposed("opening", {"seconds": 30})
    for person in (scene.lars, scene.mia, scene.noa):
        scene.stage.sponsor(made, person)
    scene.go_on(made)
    scene.voted(made)
    scene.stage.beat()
    scene.stage.contest(made, scene.pia)
    (filed,) = made.contests
    for panelist in filed.panel:
        scene.stage.rule(filed, scene.stage.of(panelist), "voided")
    scene.go_on(made)
    scene.stage.go_to(filed.until)
    scene.stage.beat()


def spoiled_again(scene: LeavingScene) -> None:
    made = scene.called()
    for how in ("altered", "moved"):
        scene.voted(made)
        scene.stage.spoil(made, how)
        scene.stage.beat()


# Who must go.


def expelled(scene: LeavingScene) -> None:
    made, lars = scene.called(), scene.of(scene.lars)
    scene.stage.ask_to_expel(lars, scene.dora)
    (asked,) = scene.stage.auditor.questions
    scene.wait(13 * DAY)
    scene.stage.say_about(asked, scene.dan, yes=True)
    scene.voted(made)
    for director in (scene.dora, scene.dan):
        scene.stage.say_about(asked, director, yes=True)
    scene.stage.beat()
    scene.stage.appeal(scene.lars)
    scene.stage.appeal(scene.lars)
    assert asked.appeal is not None
    for panelist in asked.appeal.panel:
        scene.stage.rule_on_expulsion(asked, scene.stage.of(panelist), "lifted")
    other = scene.proposed("payouts", {"least_cents": 500, "yearly_least_cents": 1})
    scene.go_on(other)


# Who wants to be forgotten.


def forgotten(scene: LeavingScene) -> None:
    stage, rosa, hers = scene.stage, scene.rosa, scene.stage.track(scene.rosa, price_micros=DEAR // 4)
    scene.top_up(rosa, 3_000)
    scene.holds_shares(scene.of(rosa))
    scene.buy(hers)
    scene.voted(scene.called())
    stage.beat()
    stage.take_back(rosa)
    for person in (scene.tess, rosa, rosa):
        stage.ask_to_be_erased(person)
    scene.wait(7 * DAY - MINUTE)
    stage.let_go()
    scene.wait(MINUTE)
    stage.let_go()
    for refund in stage.auditor.refunds():
        stage.deliver(stage.tell_of_refund(refund, "refund.paid"))
    stage.let_go()
    for staff in (scene.tess, scene.tom):
        stage.repay_shares(scene.of(rosa), scene.of(rosa).shares[0], staff)
    stage.let_go()


def gone(scene: LeavingScene) -> Erasure:
    """Let Rosa earn something and be erased before her month ends; return her erasure."""
    scene.buy(scene.stage.track(scene.rosa, price_micros=2_000_000))
    scene.stage.ask_to_be_erased(scene.rosa)
    scene.wait(7 * DAY)
    for _ in range(2):
        scene.stage.let_go()
    return scene.stage.auditor.erasures[0]


def claimed(scene: LeavingScene) -> None:
    stage, one = scene.stage, gone(scene)
    stage.claim(one, one.code, IBANS[0])
    # Royalties of their first days wait for the 45th.
    for _ in range(2):
        scene.end_month()
    for code in (NOBODY, one.code):
        stage.claim(one, code, IBANS[0])
    month = max(stage.auditor.closed)
    scene.lock_until(month)
    stage.prepare(month, scene.tess)
    stage.release_payouts(stage.auditor.batches[-1], scene.tom)
    stage.tidy_claims()
    stage.bank_pays(stage.auditor.batches[-1].payouts, stage.auditor.day(stage.now), scene.tess)
    stage.tidy_claims()


def paid_before_forgotten(scene: LeavingScene) -> None:
    stage, rosa = scene.stage, scene.rosa
    stage.enter_account(rosa, iban=IBANS[0])
    scene.buy(stage.track(rosa, price_micros=2_000_000))
    scene.end_month()
    scene.end_month()
    stage.ask_to_be_erased(rosa)
    scene.wait(7 * DAY)
    stage.let_go()
    month = max(stage.auditor.closed)
    scene.lock_until(month)
    stage.prepare(month, scene.tess)
    stage.let_go()
    stage.release_payouts(stage.auditor.batches[-1], scene.tom)
    stage.let_go()
    stage.bank_pays(stage.auditor.batches[-1].payouts, stage.auditor.day(stage.now), scene.tess)
    stage.let_go()


def unclaimed(scene: LeavingScene) -> None:
    stage, _ = scene.stage, gone(scene)
    year = scene.end_month().year
    for begins in (year + 3, year + 4):
        stage.go_to(stage.auditor.begins(scene.month().replace(year=begins, month=1, day=1)))
        stage.tidy_claims()
        stage.tidy_claims()


def left_with_capital(scene: LeavingScene) -> None:
    """Let Lars leave after a year was divided: half a year after the year he left in, at the latest, he is paid."""
    stage, year = scene.stage, divided(scene)
    stage.work_on_years()
    stage.leave(scene.lars)
    for month, day in ((6, 30), (7, 1)):
        stage.go_to(stage.auditor.begins(date(year + 2, month, 1)) + (day - 1) * DAY + 9 * HOUR)
        stage.begin_release(scene.tess)
    stage.begin_release(scene.tom)
    for staff in (scene.tess, scene.lena, scene.tom, scene.tom):
        stage.confirm_release(stage.auditor.releases_of_capital[-1], staff)
    stage.begin_release(scene.tess)
    for staff, confirms in ((scene.tess, False), (scene.tom, True)):
        stage.redeem(year, staff, confirms=confirms)
    stage.work_on_years()


# What no rule admits any more.


def objected(scene: LeavingScene) -> None:
    stage = scene.stage
    stage.vote("content", HOUR, lossless="required")
    scene.wait(2 * HOUR)
    stage.look_at_catalogue()
    stays, goes, made_by_hand = (stage.track(scene.ana, price_micros=DEAR // 4) for _ in range(3))
    for work in (stays, goes):
        stage.describe(work, origin="ai-generated")
    stage.describe(made_by_hand, lossless=False)
    stage.enter_account(scene.ana, iban=IBANS[0])
    scene.buy(goes)
    scene.play(stays)
    stage.vote("content", 2 * DAY, ai_generated="forbidden")
    stage.look_at_catalogue()
    found = {one.work: one for one in stage.auditor.objections}
    scene.wait(58 * DAY)
    stage.look_at_catalogue()
    for person in (scene.lars, scene.ana, scene.ana):
        stage.appeal_for(found[stays.id], person)
    scene.wait(2 * DAY)
    stage.look_at_catalogue()
    for work, person in ((goes, scene.lena), (goes, scene.mia), (stays, scene.lena)):
        session = stage.begin(person, work)
        if person == scene.lena:
            stage.charge(person, session)
    filed = found[stays.id].appeal
    assert filed is not None
    for panelist in filed.panel[:2]:
        stage.rule_on_work(found[stays.id], stage.of(panelist), "stays")
    stage.look_at_catalogue()
    while scene.stage.auditor.begins(scene.seal()) + 60 * DAY < stage.now:
        pass
    scene.lock_until(max(stage.auditor.closed))
    stage.prepare(max(stage.auditor.closed), scene.tess)
