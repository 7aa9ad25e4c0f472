"""What the auditor expects of works that are public already when members vote new rules for the catalogue.

Part of the auditor: plain Python, the rules alone.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from tests.simulation.auditor import DAY, HOUR, Id, Refused, Work
from tests.simulation.rulings_of_leaving import Leaving
from tests.simulation.rulings_of_membership import NOT_FOUND
from tests.simulation.rulings_of_votes import Appeal, Params

NOTICE, PUBLIC = 60 * DAY, ("published", "suspended")
OVER = Refused("objection-over")


@dataclass
class Objection:
    """A voted rule that a public work does not fit: it leaves at a moment, unless it fits by then or is let stay."""

    work: Id
    version: int
    rule: str
    leaves: datetime
    outcome: str = ""
    appeal: Appeal | None = None
    id: Id = None


def refuses(content: Params, known: Work) -> list[str]:
    """Return the rules of a version that a work does not fit, in the order in which they are told."""
    found = ["ai_generated"] if content["ai_generated"] == "forbidden" and known.origin == "ai-generated" else []
    if known.kind == "photo":
        return found + (["photo_edge_min"] if known.edge < content["photo_edge_min"] else [])
    return found + (["lossless"] if content["lossless"] == "required" and not known.lossless else [])


class Catalogue(Leaving):
    """The whole auditor."""

    def __init__(self, **known: object) -> None:
        super().__init__(**known)
        self.objections: list[Objection] = []
        self.looked: set[int] = set()

    def look_at_catalogue(self, now: datetime) -> int:
        """Hold each new version of `content` against every public work, by the rules that it made stricter alone."""
        before = len(self.objections)
        for seq, ((_, old), (since, new)) in enumerate(pairwise(self.policies["content"]), 2):
            if seq in self.looked:
                continue
            known = {one.work for one in self.objections if one.version == seq}
            for work, of in self.works.items():
                refused = [rule for rule in refuses(new, of) if self._is_stricter(rule, old, new)]
                if of.state in PUBLIC and refused and work not in known:
                    self.objections.append(Objection(work, seq, refused[0], max(since, now + NOTICE)))
            if now >= since + HOUR:
                self.looked.add(seq)
        return len(self.objections) - before

    def _is_stricter(self, rule: str, old: Params, new: Params) -> bool:
        if rule == "photo_edge_min":
            return bool(new[rule] > old[rule])
        return old[rule] != new[rule]

    def settle_objections(self, now: datetime) -> int:
        """Take works off whose time has come, unless they fit by now; what is suspended or looked at waits."""
        ended = 0
        for one in sorted(self.objections, key=lambda one: (one.leaves, str(one.id))):
            known = self.works[one.work]
            looked_at = one.appeal and not one.appeal.ruling and now < one.appeal.until
            if one.outcome or one.leaves > now or known.state == "suspended" or looked_at:
                continue
            fits = one.rule not in refuses(self.in_force("content", now)[1], known)
            ended += 1
            if fits or known.state != "published":
                one.outcome = "mended"
                continue
            one.outcome, known.state, known.off_at, known.voted_off = "off", "off", now, one.version
        return ended

    def appeal_for(self, one: Objection, person: Id, now: datetime) -> Refused | None:
        """Say as who runs a work why it should stay, once."""
        known = self.works[one.work]
        if person not in {known.owner, *known.editors}:
            return NOT_FOUND
        if one.outcome or one.appeal:
            return OVER
        days = self.in_force("governance", now)[1]["contest_days"]
        one.appeal = Appeal(person, self.evening(now, days), [])
        return None

    def may_judge(self, one: Objection, now: datetime) -> set[Id]:
        """Return out of whom a panel is drawn: who could vote now, no directors, nobody of the work."""
        known = self.works[one.work]
        return set(self.roll(now)) - self.directors - {known.owner, *known.editors} - known.payees

    def rule_on_work(self, one: Objection, person: Id, ruling: str, now: datetime) -> Refused | None:
        """Say as one of the panel whether a work stays."""
        filed = one.appeal
        if refused := self.rule(filed, person, ruling, now):
            return refused
        if filed.ruling == "stays":
            one.outcome = "kept"
        return None
