"""A year of a co-op that decides: people join, pay dues, work, leave; they propose and vote, and what passed binds."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from members.models import Person
from tests.members.belonging import iban
from tests.simulation.acts_of_years import ActsOfYears
from tests.simulation.auditor import Refused
from tests.simulation.life import DAY, HOUR, MINUTE, SHAPES, Life
from tests.simulation.rulings_of_membership import Membership
from tests.simulation.rulings_of_months import DECEMBER, after
from tests.simulation.rulings_of_votes import Params, Proposal
from tests.simulation.urns_by_hand import SPOILED
from tests.simulation.year import WHOLE, Year

CLASSES = ("creator", "listener", "worker", "supporter")
AROUND = (-MINUTE, 0 * MINUTE, 0 * MINUTE, MINUTE, HOUR)
# How likely each who votes says yes, no, abstains; and how likely one votes at all.
MOODS = ((95, 3, 2), (90, 8, 2), (90, 5, 5), (55, 40, 5), (15, 80, 5))
TURNOUTS = (1, 0.95, 0.95, 0.8, 0.5, 0.2)


class Commons(Year):
    """One seed's co-op."""

    staging = ActsOfYears
    stage: ActsOfYears

    def move_in(self) -> None:
        """Let the first people come, and belong for a month."""
        super().move_in()
        before = len(self.stage.journal)
        self.accounts: dict[Any, str] = {}
        lena, lars, ana, tess = self.listeners
        self.citizens = [lena, lars, ana, tess, self.creators[1], *self.staff[1:3]]
        self.citizens += [self.stage.person(name) for name in ("mia", "noa", "wen", "wim")]
        creators = {ana.id, self.creators[1].id}
        for person in self.citizens:
            name = "creator" if person.id in creators else "worker" if person in self.citizens[-2:] else "listener"
            self.found(person, name)
        self.stage.go_to(self.stage.now + 31 * DAY)
        self.stage.not_counted += len(self.stage.journal) - before

    def found(self, person: Person, name: str) -> None:
        """Let somebody belong from the first day: with shares, and workers with a week's work."""
        stage = self.stage
        one = stage.apply(person, {name}, name)
        stage.approve(one, self.staff[1] if person != self.staff[1] else self.staff[3])
        stage.confirm_dues(one, stage.auditor.due_from(one, stage.now), self.cashier(one), self.account(person))
        if name == "creator":
            stage.ask_shares(person, 1)
            stage.confirm_shares(one, one.shares[-1], self.cashier(one), self.account(person))
        if name == "worker":
            stage.give_voice(one, one.places[0], self.speaker(person))
            for days in range(3):
                stage.record_hours(person, stage.auditor.day(stage.now) - timedelta(days=days), 16 * 60)
                stage.decide_hours(stage.auditor.worked[-1], self.speaker(person), approves=True)

    # Whom an act is about.

    def cashier(self, one: Membership) -> Person:
        """Return a treasurer about whom it is not."""
        return next(staff for staff in self.staff[:2] if staff.id != one.person)

    def speaker(self, about: Person) -> Person:
        """Return who speaks for the workers about somebody: another worker, else the director."""
        workers = self.stage.auditor.workers(but=about.id)
        return self.stage.of(self.dice.choice(workers).person) if workers else self.staff[2]

    def account(self, person: Person) -> str:
        """Return somebody's own account."""
        return self.accounts.setdefault(person.id, iban())

    def citizen(self) -> Person:
        """Pick somebody who belongs or might."""
        return self.dice.choice(self.citizens)

    def member(self) -> Membership:
        """Pick a membership, most often one that goes on."""
        members = self.stage.auditor.members()
        register = self.stage.auditor.register
        return self.dice.choice(members if members and self.dice.random() < 0.9 else register)

    def secretary(self) -> Person:
        """Pick a secretary, rarely somebody else."""
        return self.staff[2] if self.dice.random() < 0.05 else self.dice.choice((self.staff[1], self.staff[3]))

    # Membership.

    def join(self) -> None:
        """Let somebody apply: a newcomer, somebody who left, somebody who belongs already."""
        if self.dice.random() < 0.5:
            self.citizens.append(self.stage.person("pia"))
            person = self.citizens[-1]
        else:
            person = self.citizen()
        names = set(self.dice.sample(CLASSES, self.dice.choice((1, 1, 2))))
        self.stage.apply(person, names, self.dice.choice((*sorted(names), *sorted(names), "listener")))

    def decide_about_applicants(self) -> None:
        """Let the secretary look at who applied, and at who wants a place."""
        for one in [one for one in self.stage.auditor.register if one.state == "applied"]:
            self.stage.approve(one, self.secretary())
        for one in self.stage.auditor.members():
            for place in one.places:
                if not place.approved and place.ended is None:
                    self.stage.approve_place(one, place, self.secretary())

    def pay_dues(self) -> None:
        """Let everybody pay whose year ends: with credit or by bank, some for a wrong year, some not at all."""
        auditor, now = self.stage.auditor, self.stage.now
        for one in [one for one in auditor.register if one.state in {"approved", "joined"}]:
            first = auditor.due_from(one, now)
            if first > auditor.day(now) + 60 * DAY and self.dice.random() < 0.95:
                continue
            first += self.dice.choice((0,) * 19 + (1,)) * DAY
            person, way = self.stage.of(one.person), self.dice.random()
            if way < 0.4:
                self.stage.pay_dues(person, first)
            elif way < 0.9:
                paid_from = self.account(person if self.dice.random() < 0.95 else self.citizen())
                self.stage.confirm_dues(one, first, self.dice.choice(self.staff[:2]), paid_from)

    def buy_shares(self) -> None:
        """Ask for shares, pay them, get them back after leaving."""
        one = self.member()
        if self.dice.random() < 0.5:
            self.stage.ask_shares(self.stage.of(one.person), self.dice.choice((1, 2, 10)))
        for member in self.stage.auditor.register:
            for held in member.shares:
                if not held.paid and self.dice.random() < 0.7:
                    account = self.account(self.stage.of(member.person))
                    self.stage.confirm_shares(member, held, self.dice.choice(self.staff[:2]), account)
                elif member.ended and not held.repaid:
                    self.stage.repay_shares(member, held, self.dice.choice(self.staff[:3]))

    def change_class(self) -> None:
        """Ask for a further class, vote in another one, give one up."""
        person, name = self.stage.of(self.member().person), self.dice.choice(CLASSES)
        self.dice.choice((self.stage.ask_place, self.stage.choose, self.stage.choose, self.stage.give_up))(person, name)

    def work_for_it(self) -> None:
        """Work, say so, and let another worker approve it; say yes to a newcomer."""
        auditor = self.stage.auditor
        person = self.stage.of(self.member().person)
        self.stage.record_hours(person, self.day(), self.dice.choice((30, 480, 960)))
        for worked in [one for one in auditor.worked if one.approved is None]:
            self.stage.decide_hours(worked, self.some_speaker(worked.person), approves=self.dice.random() < 0.9)
        for one in auditor.members():
            place = one.place("worker")
            if place and place.since is None:
                self.stage.give_voice(one, place, self.some_speaker(one.person))

    def some_speaker(self, about: Any) -> Person:
        """Return who may speak about somebody, rarely who may not."""
        return self.citizen() if self.dice.random() < 0.1 else self.speaker(self.stage.of(about))

    def leave(self) -> None:
        """Let somebody leave, while there are some."""
        if len(self.stage.auditor.members()) > 7:
            self.stage.leave(self.citizen())

    def look_at_members(self) -> None:
        """Let the daily beat look."""
        self.stage.look_at_members()

    # Works that are suspended.

    def suspend(self) -> None:
        """Suspend a work, or bring every one back."""
        if self.dice.random() < 0.6:
            self.stage.set_state(self.work(), "suspended")
        else:
            self.restore()

    # Proposals.

    def figures(self) -> tuple[str, Params | None]:
        """Return a policy and other figures for it; some that cannot be, and some that hold already."""
        key = self.dice.choice(("pricing", "pricing", "opening", "revenue", "revenue", "payouts", "governance", ""))
        if not key:
            return key, None
        last = self.stage.auditor.policies[key][-1][1]
        creators = self.dice.choice((610_000, 650_000, 690_000, 720_000, 750_000, 900_000, 910_000))
        weights = self.dice.choice(((400_000, 400_000, 200_000), (450_000, 350_000, 200_000)))
        plays, num, den = self.dice.choice(SHAPES)
        changed: Params = {
            "opening": {"seconds": self.dice.choice((19, 20, 30, 45, 60))},
            "revenue": {"creators_ppm": creators, "coop_ppm": WHOLE - creators},
            "payouts": {"least_cents": self.dice.choice((100, 500, 1_000)), "yearly_least_cents": 1},
            "governance": {
                "voting_days": self.dice.choice((4, 5, 6, 9)),
                "contest_days": self.dice.choice((5, 7)),
                "head_quorum_least": self.dice.choice((3, 5)),
                **dict(zip(("weight_creator_ppm", "weight_listener_ppm", "weight_worker_ppm"), weights, strict=True)),
            },
            "pricing": {
                "plays": plays,
                "growth_num": num,
                "growth_den": den,
                "price_default_micros": self.dice.choice((300_000, 400_000, 1_022_000)),
                "price_min_micros": 300_000,
            },
        }[key]
        return key, {**last, **changed}

    def propose(self) -> None:
        """Write a proposal and put it before the members, or take one back."""
        person = self.citizen()
        key, params = self.figures()
        made = self.stage.draft(person, key, params)
        if not isinstance(made, Refused):
            author = self.citizen() if self.dice.random() < 0.05 else person
            if not isinstance(self.stage.submit(made, author), Refused):
                self.back(made)

    def back(self, one: Proposal) -> None:
        """Let some stand behind a proposal, most often enough."""
        for person in self.dice.sample(self.citizens, min(len(self.citizens), self.dice.choice((2, 5, 8, 9)))):
            self.stage.sponsor(one, person)
        self.stage.beat()

    def talk(self, one: Proposal) -> None:
        """Let people amend a proposal while they talk about it, or change their mind."""
        act = self.dice.random()
        if act < 0.3:
            _, params = self.figures()
            same = one.params and params and one.params.keys() == params.keys()
            by = self.dice.choice((self.stage.of(one.author), self.citizen()))
            self.stage.amend(one, by, params if same else one.params)
            waiting = [made.number for made in one.versions if made.state == "suggested"]
            if waiting and self.dice.random() < 0.7:
                self.stage.accept_amendment(one, self.dice.choice(waiting), self.stage.of(one.author))
            if self.dice.random() < 0.8:
                self.back(one)
        elif act < 0.4:
            self.stage.withdraw(one, self.citizen())
        elif act < 0.45:
            self.stage.retract(one, self.dice.choice((self.stage.of(one.author), self.citizen())))

    def vote_on(self, one: Proposal, turnout: float | None = None, mood: tuple[int, int, int] | None = None) -> None:
        """Let people vote, each as they like; some twice, some otherwise, some who may not."""
        turnout, mood = turnout or self.dice.choice(TURNOUTS), mood or self.dice.choice(MOODS)
        for person in self.citizens:
            if self.dice.random() < turnout:
                choice = self.dice.choices(("yes", "no", "abstain"), mood)[0]
                nonce = hashlib.sha256(f"{person.email} {one.number} {one.reruns} {one.second}".encode()).digest()[:16]
                self.stage.cast(one, person, choice, nonce)
                if self.dice.random() < 0.05:
                    self.stage.cast(one, person, self.dice.choice((choice, "no")), nonce)

    def object(self, one: Proposal) -> None:
        """Let somebody object to how a vote was held, and a panel look at it."""
        self.stage.contest(one, self.citizen())
        if one.contests:
            filed, ruling = one.contests[-1], self.dice.choice(("upheld", "voided", "recounted", "recounted"))
            if self.dice.random() < 0.4:
                self.stage.change_counted(one)
            for panelist in filed.panel[: self.dice.choice((1, 2, 2, 3))]:
                self.stage.rule(filed, self.stage.of(panelist), ruling)

    def correct_roll(self, one: Proposal) -> None:
        """Let a secretary correct a roll: somebody's class, somebody's being on it; some as it is, some who may not."""
        member = self.dice.choice(self.stage.auditor.register)
        name = self.dice.choice((*CLASSES, *(place.name for place in member.places), "", ""))
        self.stage.correct_roll(one, member.number or 999_999, name, self.secretary())

    def spoil(self, one: Proposal) -> None:
        """Let a vote close, and somebody change by hand what lies in its urn."""
        assert one.ballots is not None
        self.stage.go_to(one.ballots.closes)
        self.stage.spoil(one, self.dice.choice(tuple(SPOILED)))
        self.stage.beat()

    def campaign(self) -> None:
        """Bring a proposal that is under way to where it goes on, and a little past or short of it."""
        live = self.stage.auditor.under_way()
        if not live or (len(live) < 3 and self.dice.random() < 0.1):
            self.propose()
            return
        one = min(live, key=lambda one: one.ends) if self.dice.random() < 0.8 else self.dice.choice(live)
        act = {"sponsoring": self.back, "deliberation": self.talk, "voting": self.vote_on}.get(one.state)
        if act is not None:
            act(one)
        elif one.state == "contest" and self.dice.random() < 0.6:
            self.object(one)
        elif one.state == "notice" and self.dice.random() < 0.4:
            self.correct_roll(one)
        if one.state == "voting" and self.dice.random() < 0.15:
            self.spoil(one)
        until = one.ends
        if one.state == "queued" and one.made is None and one.effect is not None:
            until = one.effect - self.dice.choice((DAY, DAY, DAY, HOUR))
        if until is not None:
            self.go_on_to(until + self.dice.choice(AROUND))

    def go_on_to(self, moment: datetime) -> None:
        """Let time go by until then, and months end meanwhile as they do; then beat comes by."""
        month = self.stage.auditor.next_month()
        if month and self.stage.auditor.begins(after(month)) < moment and self.dice.random() < 0.8:
            self.catch_up(month)
        self.stage.go_to(max(self.stage.now, moment))
        self.stage.beat()

    def catch_up(self, month: Any) -> None:
        """Let the oldest month that is open be closed and run."""
        self.stage.go_to(max(self.stage.now, self.stage.auditor.begins(after(month)) + 2 * DAY))
        if self._going_on() is None:
            self.stage.close(month)
        while (going_on := self._going_on()) is not None:
            self.stage.turn(going_on)

    def beat(self) -> None:
        """Let beat come by."""
        self.stage.beat()

    # The year's end.

    def end_year(self) -> None:
        """Close a year that is over, or ask for one that is not; put its figures to the vote; pay old capital."""
        auditor, months = self.stage.auditor, self.stage.auditor.closed
        self.stage.work_on_years()
        if not months:
            return
        year = max(auditor.years, default=min(months).year - 1) + 1
        if max(months).year >= year and (max(months).year > year or max(months).month == DECEMBER):
            self.lock()
            self.stage.close_year(year, self.treasurer())
            self.stage.work_on_years()
        elif self.dice.random() < 0.1:
            self.stage.close_year(year, self.treasurer())
        for one in list(auditor.years):
            act = self.dice.random()
            if act < 0.6:
                self.stage.put_motion(one, self.treasurer())
            elif act < 0.8:
                self.stage.redeem(one, self.treasurer(), confirms=self.dice.random() < 0.6)
        self.stage.work_on_years()

    acts: ClassVar[dict[Callable[["Commons"], None], float]]


# A clock that steps back is the lives' matter; here the register's own order of moments would be the only thing tried.
Commons.acts = {
    **{act: weight for act, weight in Year.acts.items() if act not in {Life.step_back, Year.vote_on_shares, Life.vote}},
    Life.play: 40,
    Life.vote: 0.2,
    Year.vote_on_shares: 0.2,
    Commons.join: 2,
    Commons.decide_about_applicants: 2,
    Commons.pay_dues: 3,
    Commons.buy_shares: 1,
    Commons.change_class: 3,
    Commons.work_for_it: 1.5,
    Commons.leave: 0.7,
    Commons.look_at_members: 1,
    Commons.suspend: 1.5,
    Commons.propose: 1.5,
    Commons.campaign: 24,
    Commons.end_year: 1.5,
    Commons.beat: 1,
}
