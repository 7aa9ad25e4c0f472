"""What the auditor expects of proposals and ballots: written, sponsored, amended, voted on, counted.

Part of the auditor: plain Python, the rules alone. How proposals go on by themselves stands in `rulings_of_beat`.
"""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.auditor import Answer, Id, Refused, ladder
from tests.simulation.rulings_of_membership import NOT_ALLOWED, NOT_FOUND
from tests.simulation.rulings_of_places import Places
from tests.simulation.tally_by_hand import Said

WHOLE = 1_000_000
LIVE = ("sponsoring", "deliberation", "notice", "voting", "counting", "contest", "queued")
NOT_NOW, POLICY = Refused("proposal-not-now"), Refused("policy-refused")
EVENING = 20
# A step of the creators' part above this within twelve months is a large one.
LARGE_STEP = 50_000
Params = dict[str, Any]


@dataclass
class Ballots:
    """A vote: who is on its roll, when it is open, what everybody said, and what came of it."""

    roll: dict[Id, str]
    opens: datetime
    closes: datetime
    said: dict[Id, tuple[str, bytes]] = field(default_factory=dict)
    sealed_at: datetime | None = None
    sealed: set[Id] = field(default_factory=set)
    verdict: str = ""
    # Whether somebody changed by hand what lies in it: before it was counted, or what was published of it.
    spoiled: bool = False
    changed: bool = False
    # Whose line of the roll leads to nobody any more.
    forgotten: set[Id] = field(default_factory=set)
    id: Id = None

    def counted(self) -> dict[str, Said]:
        """Return what each class said."""
        found: dict[str, Said] = {}
        for person, name in self.roll.items():
            one = found.setdefault(name, Said())
            one.members += 1
            choice = self.said.get(person, ("", b""))[0]
            one.yes, one.no = one.yes + (choice == "yes"), one.no + (choice == "no")
            one.abstained += choice == "abstain"
        return found


@dataclass
class Version:
    """A numbered wording."""

    number: int
    by: Id
    params: Params | None
    state: str = "suggested"


@dataclass
class Appeal:
    """What somebody says against a decision, and what the three who were drawn by lot said of it."""

    by: Id
    until: datetime
    panel: list[Id]
    rulings: dict[Id, str] = field(default_factory=dict)
    ruling: str = ""
    id: Id = None


@dataclass
class Proposal:
    """Something members are asked to decide."""

    author: Id
    key: str
    params: Params | None
    base: int | None
    kind: str
    state: str = "draft"
    number: int | None = None
    version: int = 1
    # The version since which the figures are these.
    figures: int = 1
    versions: list[Version] = field(default_factory=list)
    # Who stands behind it: person, version, class, and whether they still do.
    behind: list[tuple[Id, int, str]] = field(default_factory=list)
    ends: datetime | None = None
    rules: Params | None = None
    governance: int = 0
    ballots: Ballots | None = None
    # The votes on it that came to nothing.
    earlier: list[Ballots] = field(default_factory=list)
    contests: list[Appeal] = field(default_factory=list)
    second: bool = False
    reruns: int = 0
    effect: datetime | None = None
    made: int | None = None
    # The year whose surplus it would divide.
    year: int | None = None
    id: Id = None

    def sponsors(self) -> list[tuple[Id, str]]:
        """Return who stands behind its present figures, in their classes."""
        return [(person, name) for person, version, name in self.behind if version >= self.figures]


def tracker(ballots: Ballots, name: str, choice: str, nonce: bytes) -> str:
    """Return what a ballot is called in the urn: the SHA-256 of what it says."""
    said = {
        "choice": choice,
        "class": name,
        "domain": "refrain-ballot/1",
        "election": str(ballots.id),
        "nonce": nonce.hex(),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def may_be(key: str, params: Params) -> bool:
    """Whether figures keep the bounds that the rules name."""
    if key == "opening":
        return 20 <= params["seconds"] <= 60
    if key == "revenue":
        return 600_000 <= params["creators_ppm"] <= 900_000 and sum(params.values()) == WHOLE
    if key == "payouts":
        return params["least_cents"] >= 100 and 1 <= params["yearly_least_cents"] <= params["least_cents"]
    if key == "pricing":
        least, most = params["price_min_micros"], params["price_max_micros"]
        plays, num, den = params["plays"], params["growth_num"], params["growth_den"]
        shaped = 3 <= plays <= 30 and den <= num <= 3 * den and den <= 100
        return shaped and least <= params["price_default_micros"] <= most and ladder(least, plays, num, den)[0] >= 100
    if key == "governance":
        weights = [figure for name, figure in params.items() if name.startswith("weight_")]
        return 5 <= params["voting_days"] <= 30 and sum(weights) == WHOLE
    return True


class Voting(Places):
    """An auditor who stands beside the urn, too."""

    def __init__(self, **known: object) -> None:
        super().__init__(**known)
        self.proposals: list[Proposal] = []

    def under_way(self) -> list[Proposal]:
        """Return the proposals that are under way, by their numbers."""
        return sorted((one for one in self.proposals if one.state in LIVE), key=lambda one: one.number or 0)

    def boxes(self) -> list[Ballots]:
        """Return every vote that was called."""
        return [box for one in self.proposals for box in (*one.earlier, one.ballots) if box is not None]

    def evening(self, now: datetime, days: int) -> datetime:
        """Return the first eight o'clock in the evening so many days of the calendar away."""
        here = now.astimezone(self.zone)
        late = (here.hour, here.minute, here.second, here.microsecond) > (EVENING, 0, 0, 0)
        day = here.date() + timedelta(days=days + late)
        return datetime(day.year, day.month, day.day, EVENING, tzinfo=self.zone)

    def kind_of(self, key: str, params: Params | None, now: datetime) -> str:
        """Return how much has to agree."""
        if key == "revenue" and params:
            then = self.in_force(key, now.replace(year=now.year - 1, day=min(now.day, 28)))[1]
            return "special" if abs(params["creators_ppm"] - then["creators_ppm"]) > LARGE_STEP else "ordinary"
        return {"": "advisory", "surplus": "special", "governance": "constitutional"}.get(key, "ordinary")

    def kind_now(self, one: Proposal, now: datetime) -> str:
        """Return how much has to agree to a proposal as it stands; a motion about a year is an ordinary one."""
        return self.kind_of(one.key, one.params, now) if one.year is None else "ordinary"

    def days(self, one: Proposal, name: str, now: datetime) -> int:
        """Return how many days a part of its life takes: by the rules it is voted on, till then by those of now."""
        rules = one.rules or self.in_force("governance", now)[1]
        long = one.kind in {"special", "constitutional"} and name in {"deliberation", "notice", "voting"}
        return rules[f"{name}_long_days" if long else f"{name}_days"]

    def refused(self, key: str, params: Params | None, base: int | None = None) -> Refused | None:
        """Return the refusal of figures that break a bound, hold already, or were compared with an older version."""
        if not key:
            return None
        versions = self.policies[key]
        if params is None or not may_be(key, params) or params == versions[-1][1]:
            return POLICY
        if base is not None and base != len(versions):
            return Refused("policy-refused", (("policy", (key, len(versions))),))
        return None

    # Writing.

    def draft(self, author: Id, key: str, params: Params | None, now: datetime) -> Answer | Refused:
        """Write a draft."""
        if not self.of(author, "joined"):
            return NOT_ALLOWED
        if refused := self.refused(key, params):
            return refused
        base = len(self.policies[key]) if key else None
        one = Proposal(author, key, params, base, self.kind_of(key, params, now))
        self.proposals.append(one)
        return {"kind": one.kind, "base": one.base}

    def submit(self, one: Proposal, author: Id, now: datetime) -> Answer | Refused:
        """Put one's draft before the members; two of one policy are never under way."""
        if not self.of(author, "joined"):
            return NOT_ALLOWED
        if one.author != author:
            return NOT_FOUND
        if one.state != "draft":
            return NOT_NOW
        if refused := self.refused(one.key, one.params, one.base):
            return refused
        if one.key and any(other.key == one.key for other in self.under_way()):
            return Refused("one-proposal-per-policy")
        one.kind = self.kind_now(one, now)
        one.number = 1 + max((other.number or 0 for other in self.proposals), default=0)
        one.versions.append(Version(1, author, one.params, "accepted"))
        one.state, one.ends = "sponsoring", self.evening(now, self.days(one, "sponsoring", now))
        return {"number": one.number, "ends": one.ends}

    def retract(self, one: Proposal, author: Id) -> Refused | None:
        """Take one's proposal back, until it is frozen."""
        if one.author != author:
            return NOT_FOUND
        if one.state not in {"draft", "sponsoring", "deliberation"}:
            return NOT_NOW
        one.state, one.ends = "retracted", None
        return None

    def sponsor(self, one: Proposal, person: Id, now: datetime) -> Refused | None:
        """Stand behind a proposal, as who could vote on it now."""
        name = self.roll(now).get(person)
        if name is None:
            return NOT_ALLOWED
        if refused := self._not_now(one, "sponsoring", "deliberation"):
            return refused
        if (person, one.figures) not in {(who, version) for who, version, _ in one.behind}:
            one.behind.append((person, one.figures, name))
        return None

    def withdraw(self, one: Proposal, person: Id) -> Refused | None:
        """Stand behind it no more."""
        if refused := self._not_now(one, "sponsoring", "deliberation"):
            return refused
        one.behind = [line for line in one.behind if line[0] != person]
        return None

    def amend(self, one: Proposal, person: Id, params: Params | None, now: datetime) -> Answer | Refused:
        """Suggest other figures; the author's own are accepted at once."""
        if not self.of(person, "joined"):
            return NOT_ALLOWED
        if refused := self._not_now(one, "deliberation"):
            return refused
        if refused := self.refused(one.key, params):
            return refused
        made = Version(len(one.versions) + 1, person, params if one.key else None)
        one.versions.append(made)
        if person == one.author:
            self._accept(one, made, now)
        return {"number": made.number}

    def accept(self, one: Proposal, number: int, author: Id, now: datetime) -> Refused | None:
        """Accept an amendment; who sponsored other figures is asked again."""
        if one.author != author:
            return NOT_FOUND
        if one.state != "deliberation":
            return NOT_NOW
        found = next((made for made in one.versions if made.number == number and made.state == "suggested"), None)
        if found is None:
            return NOT_FOUND
        self._accept(one, found, now)
        return None

    def _accept(self, one: Proposal, made: Version, now: datetime) -> None:
        made.state = "accepted"
        if made.params != one.params:
            one.figures, one.kind = made.number, self.kind_of(one.key, made.params, now)
        one.version, one.params = made.number, made.params

    def _not_now(self, one: Proposal, *states: str) -> Refused | None:
        if one.state == "draft":
            return NOT_FOUND
        return None if one.state in states else NOT_NOW

    # Ballots.

    def cast(self, ballots: Ballots, person: Id, choice: str, nonce: bytes, now: datetime) -> Answer | Refused:
        """Cast a ballot from the opening on and before the closing; once, and again it is the same."""
        if not ballots.opens <= now < ballots.closes:
            return Refused("voting-not-open")
        if person not in ballots.roll:
            return Refused("not-on-the-roll")
        if ballots.said.setdefault(person, (choice, nonce)) != (choice, nonce):
            return Refused("already-voted")
        return {"tracker": tracker(ballots, ballots.roll[person], choice, nonce)}

    def seal_urns(self, now: datetime) -> int:
        """Sign what lies in open urns: once a day, and with five new ballots of each class that has any."""
        signed = 0
        for one in self.under_way():
            ballots = one.ballots
            if one.state != "voting" or ballots is None or now >= ballots.closes:
                continue
            new = [person for person in ballots.said if person not in ballots.sealed]
            classes = [ballots.roll[person] for person in new]
            rested = ballots.sealed_at is None or now - ballots.sealed_at >= timedelta(days=1)
            if new and rested and min(classes.count(name) for name in classes) >= 5:
                ballots.sealed, ballots.sealed_at = set(ballots.said), now
                signed += 1
        return signed
