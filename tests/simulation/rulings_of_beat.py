"""How the auditor lets proposals go on by themselves: each part ends at its evening, and what passed binds.

Part of the auditor: plain Python, the rules alone.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import ceil

from tests.simulation.auditor import DAY, HOUR, Answer, Id, Refused
from tests.simulation.rulings_of_membership import INVALID, NOT_ALLOWED, NOT_FOUND
from tests.simulation.rulings_of_months import after
from tests.simulation.rulings_of_votes import NOT_NOW, WHOLE, Appeal, Ballots, Proposal, Voting
from tests.simulation.tally_by_hand import verdict

SECOND_CALL_DAYS, PANEL, BOARD_LEAST = 14, 3, 3
# With what a changed policy begins, and how many days away at least.
BEGINS = {
    "pricing": ("month", 14),
    "opening": ("month", 14),
    "revenue": ("month", 30),
    "payouts": ("month", 30),
    "content": ("day", 60),
    "surplus": ("year", 0),
    "governance": ("at once", 0),
}


class Beat(Voting):
    """The whole auditor of a co-op that decides."""

    def advance(self, now: datetime) -> int:
        """Move every proposal on as far as its time has come; return how many steps that were."""
        steps = 0
        for one in self.under_way():
            while one.state in STEPS:
                before = one.state, one.ballots
                STEPS[one.state](self, one, now)
                if (one.state, one.ballots) == before:
                    break
                steps += 1
        return steps

    def is_sponsored(self, one: Proposal, now: datetime) -> bool:
        """Whether enough stand behind it, of two classes if there are two; or most of the board."""
        behind = one.sponsors()
        board = self.directors if len(self.directors) >= BOARD_LEAST else set()
        if len(board & {person for person, _ in behind}) * 2 > len(board):
            return True
        roll, rules = self.roll(now), self.in_force("governance", now)[1]
        share = ceil(Fraction(len(roll) * rules["sponsors_ppm"], WHOLE))
        needed = min(len(roll), rules["sponsors_most"], max(rules["sponsors_least"], share))
        classes = min(2, len(set(roll.values())))
        return len(behind) >= needed and len({name for _, name in behind}) >= classes

    def _sponsoring(self, one: Proposal, now: datetime) -> None:
        if self.is_sponsored(one, now):
            one.state, one.ends = "deliberation", self.evening(now, self.days(one, "deliberation", now))
        elif now >= one.ends:
            self._end(one, "lapsed")

    def _deliberation(self, one: Proposal, now: datetime) -> None:
        if now < one.ends:
            return
        if not self.is_sponsored(one, now):
            self._end(one, "lapsed")
        elif self.refused(one.key, one.params, one.base):
            self._end(one, "failed")
        else:
            one.kind = self.kind_now(one, now)
            one.governance, one.rules = self.in_force("governance", now)
            self._call(one, now, self.days(one, "notice", now))

    def _call(self, one: Proposal, now: datetime, days: int) -> None:
        """Draw the roll, and say when the vote is."""
        opens = self.evening(now, days)
        one.earlier += [one.ballots] if one.ballots else []
        one.ballots = Ballots(self.roll(now), opens, self.evening(opens, self.days(one, "voting", now)))
        one.contests = []
        one.state, one.ends = "notice", opens

    def _notice(self, one: Proposal, now: datetime) -> None:
        if now >= one.ends:
            one.state, one.ends = "voting", one.ballots.closes

    def _voting(self, one: Proposal, now: datetime) -> None:
        if now >= one.ends:
            one.state, one.ends = "counting", None

    def _counting(self, one: Proposal, now: datetime) -> None:
        ballots = one.ballots
        if ballots.spoiled:
            ballots.verdict = "voided"
            self._void(one, now)
            return
        ballots.verdict = verdict(one.kind, ballots.counted(), one.rules, second=one.second)
        if ballots.verdict == "passed" and self.refused(one.key, one.params, one.base):
            self._end(one, "failed")
        elif ballots.verdict != "inquorate":
            one.state, one.ends = "contest", self.evening(now, self.days(one, "contest", now))
        elif one.second:
            self._end(one, "inquorate")
        else:
            one.second = True
            self._call(one, now, SECOND_CALL_DAYS)

    def _contest(self, one: Proposal, now: datetime) -> None:
        if now < one.ends or any(not filed.ruling and now < filed.until for filed in one.contests):
            return
        rulings = {filed.ruling for filed in one.contests}
        if "voided" in rulings or ("recounted" in rulings and one.ballots.changed):
            self._void(one, now)
        elif one.ballots.verdict == "defeated":
            self._end(one, "defeated")
        elif not one.key:
            self._end(one, "enacted")
        else:
            self._queue(one, now)

    def _void(self, one: Proposal, now: datetime) -> None:
        """Hold a vote again, from its notice on; once."""
        if one.reruns:
            self._end(one, "voided")
            return
        one.reruns, one.second = 1, False
        self._call(one, now, self.days(one, "notice", now))

    def _queue(self, one: Proposal, now: datetime) -> None:
        one.effect = self.effect(one.key, now)
        one.state, one.ends = "queued", one.effect

    def effect(self, key: str, now: datetime) -> datetime:
        """Return when a policy that nobody can contest any more begins."""
        begins, days = BEGINS[key]
        earliest = now.astimezone(self.zone) + timedelta(days=days + (begins == "at once"))
        if begins == "at once":
            # A day of hours, not of the calendar.
            return now + DAY
        day = date(earliest.year + 1, 1, 1) if begins == "year" else earliest.date()
        day = day.replace(day=1) if begins == "month" else day
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        if start >= earliest:
            return start
        day = after(day) if begins == "month" else day + DAY
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def _queued(self, one: Proposal, now: datetime) -> None:
        if one.made is None:
            if now < one.effect - DAY:
                return
            if now > one.effect - HOUR:
                self._queue(one, now)
                return
            versions = self.policies[one.key]
            if self.refused_when_recorded(one):
                self._end(one, "failed")
                return
            versions.append((one.effect, dict(one.params)))
            one.made = len(versions)
        if now >= one.effect:
            self._end(one, "enacted")

    def refused_when_recorded(self, one: Proposal) -> bool:
        """Whether another version came between, or one already begins then or later."""
        versions = self.policies[one.key]
        return len(versions) != one.base or one.effect <= versions[-1][0]

    def _end(self, one: Proposal, state: str) -> None:
        one.state, one.ends = state, None

    # The roll.

    def correct_roll(  # noqa: PLR0911  (one for each line of the rule)
        self, one: Proposal, number: int, name: str, staff: Id, now: datetime
    ) -> Answer | Refused:
        """Put a member into a class in which they hold a place, or off a roll, until a day before its vote opens."""
        if staff not in self.secretaries:
            return NOT_ALLOWED
        member = next((member for member in self.register if member.number == number), None)
        if member is None:
            return NOT_FOUND
        if member.person == staff:
            return NOT_ALLOWED
        if one.ballots is None:
            return NOT_FOUND
        here = self.of(member.person, "joined")
        place = here and here.place(name)
        if name and not (place and place.since):
            return INVALID
        if one.ballots.verdict or now >= one.ballots.opens - DAY:
            return Refused("roll-fixed")
        before = one.ballots.roll.get(member.person, "")
        if before == name:
            return Refused("cannot-announce")
        one.ballots.roll[member.person] = name
        if not name:
            del one.ballots.roll[member.person]
        return {"before": before, "after": name}

    # Contests.

    def contest(self, one: Proposal, person: Id, now: datetime) -> Refused | None:
        """Object to how a vote was held, while that can be done; once each."""
        if not self.of(person, "joined"):
            return NOT_ALLOWED
        if one.state == "draft":
            return NOT_FOUND
        if one.state != "contest":
            return NOT_NOW
        if now >= one.ends:
            return Refused("proposal-not-now", (("policy", ("governance", one.governance)),))
        if not any(filed.by == person for filed in one.contests):
            until = self.evening(one.ends, self.days(one, "contest", now))
            one.contests.append(Appeal(person, until, []))
        return None

    def may_sit(self, one: Proposal, filed: Appeal, now: datetime) -> set[Id]:
        """Return out of whom a panel is drawn: who could vote now, without directors, author, sponsors, who objects."""
        parties = {one.author, filed.by} | {person for person, _ in one.sponsors()}
        return set(self.roll(now)) - self.directors - parties

    def rule(self, filed: Appeal, person: Id, ruling: str, now: datetime) -> Refused | None:
        """Say as one of a panel what is to become of a vote; two of three decide."""
        if person not in filed.panel:
            return NOT_FOUND
        if not self.of(person, "joined") or person in self.directors:
            return NOT_ALLOWED
        if filed.ruling or now >= filed.until:
            return Refused("panel-over")
        filed.rulings[person] = ruling
        if list(filed.rulings.values()).count(ruling) * 2 > PANEL:
            filed.ruling = ruling
        return None


STEPS: dict[str, Callable[[Beat, Proposal, datetime], None]] = {
    "sponsoring": Beat._sponsoring,
    "deliberation": Beat._deliberation,
    "notice": Beat._notice,
    "voting": Beat._voting,
    "counting": Beat._counting,
    "contest": Beat._contest,
    "queued": Beat._queued,
}
