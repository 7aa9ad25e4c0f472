"""People go and others come: expulsion and appeals, erasure, claims; and works go, by rules that members voted."""

from collections.abc import Callable
from typing import ClassVar

from catalog.models import Work
from members.models import Person
from tests.royalties.treasury import IBANS
from tests.simulation.acts_of_objections import ActsOfObjections
from tests.simulation.auditor import Session
from tests.simulation.commons import AROUND, Commons
from tests.simulation.life import DAY, HOUR
from tests.simulation.rulings_of_leaving import HEARD, Erasure, Question

# So many go at a time.
GOING_MOST = 3
NOBODY = "AAAAA-BBBBB-CCCCC-DDDDD"


class Departures(Commons):
    """One seed's co-op, whose people go."""

    staging = ActsOfObjections
    stage: ActsOfObjections

    def move_in(self) -> None:
        """Let a board of three sit, too, and let some works be made by machines."""
        super().move_in()
        # Works whose profile was closed.
        self.left: list[Work] = []
        self.board = [self.staff[2], *(self.stage.person(name, staff=("director",)) for name in ("dan", "dina"))]
        for work in self.works:
            self.describe(work)

    def describe(self, work: Work) -> None:
        """Say how a work was made."""
        origin, lossless = self.dice.choice(("human", "human", "ai-generated")), self.dice.random() < 0.7
        self.stage.describe(work, origin=origin, lossless=lossless)

    def publish(self) -> None:
        """Publish a new work, made somehow."""
        super().publish()
        self.describe(self.works[-1])

    # Who must go.

    def expel(self) -> None:
        """Ask whether a member must go, hear them, and let the board decide."""
        auditor = self.stage.auditor
        asked = [one for one in auditor.questions if not one.expelled and not one.dropped]
        if not asked or self.dice.random() < 0.2:
            if len(auditor.members()) > 7:
                staff = self.dice.choice((*self.board, *self.board, self.citizen()))
                self.stage.ask_to_expel(self.member(), staff)
            return
        one = self.dice.choice(asked)
        if self.stage.now < one.asked + HEARD:
            self.go_on_to(one.asked + HEARD + self.dice.choice(AROUND))
        mind = self.dice.random() < 0.7
        for staff in self.dice.sample(self.board, 3):
            if self.dice.random() < 0.95:
                self.stage.say_about(one, staff, yes=mind ^ (self.dice.random() < 0.15))

    def appeal(self) -> None:
        """Let who was expelled appeal, and a panel hear it."""
        expelled = [one for one in self.stage.auditor.questions if one.expelled]
        if expelled:
            one = self.dice.choice(expelled[-3:])
            if one.appeal is None or self.dice.random() < 0.1:
                self.stage.appeal(self.stage.of(one.about.person))
            self.hear(one)

    def hear(self, one: Question) -> None:
        """Let some of a panel speak."""
        ruling = self.dice.choice(("upheld", "lifted"))
        for panelist in one.appeal.panel[: self.dice.choice((1, 2, 3))] if one.appeal else ():
            self.stage.rule_on_expulsion(one, self.stage.of(panelist), ruling)

    # Who wants to be forgotten.

    def ask_to_go(self) -> None:
        """Let somebody ask to be forgotten, or the secretary begin it; now and then who may not."""
        going = [one for one in self.stage.auditor.erasures if one.state in {"asked", "settling"}]
        if len(going) < GOING_MOST:
            person = self.dice.choice((*self.listeners[-6:], *self.creators, *self.citizens))
            begun_by = self.secretary() if self.dice.random() < 0.3 else None
            self.stage.ask_to_be_erased(person, begun_by=begun_by)

    def see_off(self) -> None:
        """Go on with who goes: let the week pass, their money leave, and beat come by."""
        going = [one for one in self.stage.auditor.erasures if one.state in {"asked", "settling"}]
        if not going:
            self.ask_to_go()
            return
        one = self.dice.choice(going)
        if one.state == "settling":
            self.help_out(one)
        elif self.dice.random() < 0.1:
            self.stage.take_back(self.stage.of(one.person))
        else:
            self.go_on_to(max(self.stage.now, one.ends) + self.dice.choice(AROUND))
        self.stage.let_go()
        for gone in self.stage.auditor.gone():
            self.replace(self.stage.of(gone))

    def help_out(self, one: Erasure) -> None:
        """Do what somebody waits for: thaw, refund, pay back; or let a day or a month pass."""
        person, auditor = self.stage.of(one.person), self.stage.auditor
        for taken in auditor.chargebacks:
            if taken.top_up.listener == person.id and not taken.decided:
                self.stage.decide(taken, self.treasurer(), "All is well.")
        if auditor.wallet(person.id).frozen:
            self.stage.freeze(person, frozen=False)
        for refund in auditor.refunds():
            if refund.listener == person.id and refund.state == "waiting":
                kinds = ("refund.paid",) * 8 + ("refund.failed", "refund.too_old")
                self.stage.deliver(self.stage.tell_of_refund(refund, self.dice.choice(kinds)))
        self.transfer()
        if "shares" in one.waits:
            self.repay(person)
        if {"checkout", "bounced"} & set(one.waits):
            self.stage.go_to(self.stage.now + DAY)
        if {"royalties", "payouts"} & set(one.waits):
            self.end_of_month()
            self.bank_pays()

    def repay(self, person: Person) -> None:
        """Let two treasurers pay somebody's shares back."""
        for member in [member for member in self.stage.auditor.register if member.person == person.id]:
            for held in member.shares:
                for staff in self.staff[:2]:
                    if held.paid and not held.repaid:
                        self.stage.repay_shares(member, held, staff)

    def replace(self, person: Person) -> None:
        """Let somebody new come in the place of who went, and nobody play or look at what they left behind."""
        lists = [people for people in (self.listeners, self.creators, self.citizens) if person in people]
        if not lists:
            return
        newcomer = self.stage.person("nell")
        for people in lists:
            people[:] = [newcomer if one == person else one for one in people]
        self.top_up(newcomer, cents=self.dice.choice((300, 2_000, 20_000)), at_once=True)
        known = self.stage.auditor.works
        self.left += [work for work in self.works if known[work.id].closed]
        self.works = [work for work in self.works if not known[work.id].closed]
        self.releases = [one for one in self.releases if not any(known[work.id].closed for work in one[1])]
        self.sheets = [one for one in self.sheets if not known[one[0].id].closed and person not in one[2]]
        if not self.releases:
            self.publish_release()
        while len(self.works) < 3:
            self.publish()

    def person_of(self, session: Session) -> Person:
        """Return whose session it is; of who is gone nobody listens any more."""
        person = super().person_of(session)
        return self.listener() if person.id in self.stage.auditor.gone() else person

    def claim(self) -> None:
        """Claim what is owed to somebody who was erased, with their code or another; let the daily beat tidy up."""
        for one in self.stage.auditor.erasures[-4:]:
            if one.state == "erased":
                code = one.code if self.dice.random() < 0.9 else NOBODY
                self.stage.claim(one, code, self.dice.choice(IBANS))
        self.stage.tidy_claims()

    def end_year(self) -> None:
        """Close a year, and pay the capital of who left, before its turn."""
        super().end_year()
        self.pay_who_left()

    def pay_who_left(self) -> None:
        """Begin to pay the capital of who left, and confirm it: by another treasurer, or not."""
        if self.dice.random() < 0.7:
            self.stage.begin_release(self.treasurer())
        for one in self.stage.auditor.releases_of_capital[-1:]:
            if self.dice.random() < 0.7:
                self.stage.confirm_release(one, self.other(self.stage.of(one.by)))

    # Works that a voted rule does not admit.

    def vote_on_content(self) -> None:
        """Vote on what the catalogue admits."""
        self.stage.vote(
            "content",
            self.dice.choice((HOUR, 2 * DAY, 90 * DAY)),
            ai_generated=self.dice.choice(("forbidden", "forbidden", "allowed")),
            lossless=self.dice.choice(("required", "encouraged")),
            photo_edge_min=self.dice.choice((1_600, 2_000)),
        )
        self.stage.look_at_catalogue()

    def object_to_works(self) -> None:
        """Let people appeal for their works, panels hear them, time pass, and works go off."""
        objections = [one for one in self.stage.auditor.objections if not one.outcome]
        if not objections:
            self.stage.look_at_catalogue()
            return
        one = self.dice.choice(objections[:5])
        known = self.stage.auditor.works[one.work]
        if one.appeal is None and self.dice.random() < 0.5:
            mine = known.owner if known.owner and self.dice.random() < 0.95 else self.listener().id
            self.stage.appeal_for(one, self.stage.of(mine))
        ruling = self.dice.choice(("stays", "goes"))
        for panelist in one.appeal.panel[: self.dice.choice((1, 2, 3))] if one.appeal else ():
            self.stage.rule_on_work(one, self.stage.of(panelist), ruling)
        if self.dice.random() < 0.7:
            self.go_on_to(max(self.stage.now, one.leaves) + self.dice.choice(AROUND))
        self.stage.look_at_catalogue()

    def restore(self) -> None:
        """Bring every work back; also those that nobody runs any more are suspended no longer."""
        super().restore()
        for work in self.left:
            if self.stage.auditor.works[work.id].state == "suspended":
                self.stage.set_state(work, "published")

    acts: ClassVar[dict[Callable[["Departures"], None], float]]


Departures.acts = {
    **{act: weight for act, weight in Commons.acts.items() if act is not Commons.end_year},
    Departures.end_year: 1.5,
    Departures.expel: 4,
    Departures.appeal: 3,
    Departures.ask_to_go: 1,
    Departures.see_off: 6,
    Departures.claim: 1.5,
    Departures.vote_on_content: 1.5,
    Departures.object_to_works: 4,
}
