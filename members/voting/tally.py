"""The tally: whether a proposal passed, from how many of each class said yes, no, or abstained. Exact; no Django.

Each class speaks with its weight, however many belong to it, and within a class one member is one vote. A class of
which few vote speaks more softly: as many empty chairs as are missing to its quorum count as half a yes each, so
silence pulls towards nothing changes. Heads are counted too, over all who vote, so that a few of one class cannot
outvote all the others. Everything is a fraction of whole numbers, and a tie changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

HALF = Fraction(1, 2)


class Kind(StrEnum):
    """How much has to agree. `statutory` is what the law leaves to one person, one vote: heads alone."""

    ORDINARY = "ordinary"
    SPECIAL = "special"
    CONSTITUTIONAL = "constitutional"
    ADVISORY = "advisory"
    STATUTORY = "statutory"


class Verdict(StrEnum):
    """What became of a vote. Inquorate: too few came for anything to be decided."""

    PASSED = "passed"
    DEFEATED = "defeated"
    INQUORATE = "inquorate"


class CannotCount(ValueError):
    """The numbers cannot be a vote: more votes than members, or fewer than none. The message says where."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What a kind of vote has to reach, or exceed: a part of the classes' weight, and a part of heads."""

    support: Fraction
    support_exceeded: bool
    heads: Fraction
    heads_exceeded: bool


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a vote is counted by, as it stood when the vote was called. Weights in ppm by class, summing to a million.

    The head quorum is the share of all who may vote, at least `heads_least` and at most `heads_most`; a class's the
    share of its members, at least `class_least` and at most `class_most`; neither is ever more than there are.
    """

    weights_ppm: Mapping[str, int]
    bars: Mapping[Kind, Bar]
    heads_share: Fraction = Fraction(1, 10)
    heads_least: int = 5
    heads_most: int = 300
    class_share: Fraction = Fraction(1, 10)
    class_least: int = 3
    class_most: int = 100


FOUNDING_BARS = {
    Kind.ORDINARY: Bar(support=HALF, support_exceeded=True, heads=Fraction(1, 3), heads_exceeded=False),
    Kind.SPECIAL: Bar(support=Fraction(2, 3), support_exceeded=False, heads=HALF, heads_exceeded=True),
    Kind.CONSTITUTIONAL: Bar(
        support=Fraction(3, 4), support_exceeded=False, heads=Fraction(2, 3), heads_exceeded=False
    ),
}


@dataclass(frozen=True, kw_only=True)
class Votes:
    """How many members a class has on the roll, and how many of them said what. Raises CannotCount."""

    members: int
    yes: int = 0
    no: int = 0
    abstained: int = 0

    def __post_init__(self) -> None:
        if min(self.members, self.yes, self.no, self.abstained) < 0:
            raise CannotCount("a number of votes is below zero")
        if self.cast > self.members:
            raise CannotCount(f"{self.cast} votes were cast and {self.members} members are on the roll")

    @property
    def cast(self) -> int:
        """Return how many voted."""
        return self.yes + self.no + self.abstained


@dataclass(frozen=True, kw_only=True)
class ClassTally:
    """What a class said: its weight in this vote, its quorum, the chairs left empty, and its support from 0 to 1."""

    name: str
    votes: Votes
    weight_ppm: Fraction
    quorum: int
    empty_chairs: int
    support: Fraction

    @property
    def objects(self) -> bool:
        """Return whether more said no than yes and empty chairs together."""
        return self.votes.no > self.votes.yes + self.empty_chairs

    @property
    def consents(self) -> bool:
        """Return whether more said yes than no and empty chairs together."""
        return self.votes.yes > self.votes.no + self.empty_chairs


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One thing a vote had to reach, and whether it did. `reached` is None for what is not a number."""

    name: str
    needed: Fraction | int | None
    exceeded: bool
    reached: Fraction | int | None
    holds: bool
    # The classes that stood in the way.
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tally:
    """A vote counted: the classes, their weighted support, the part of heads that said yes, and every condition."""

    kind: Kind
    verdict: Verdict
    classes: tuple[ClassTally, ...]
    support: Fraction
    heads: Fraction | None
    turnout: int
    head_quorum: int
    conditions: tuple[Condition, ...]


def count(
    kind: Kind,
    votes: Mapping[str, Votes],
    *,
    rules: Rules,
    heads_only: Votes | None = None,
    is_second_call: bool = False,
) -> Tally:
    """Count a vote. `votes` is by class; `heads_only` are those who vote by head and in no class (supporters).

    A second call needs half the head quorum, rounded up. Raises CannotCount for classes without a weight.
    """
    if unknown := votes.keys() - rules.weights_ppm.keys():
        raise CannotCount(f"the classes {', '.join(sorted(unknown))} have no weight")
    everybody = [*votes.values(), heads_only or Votes(members=0)]
    members = sum(one.members for one in everybody)
    yes, no = sum(one.yes for one in everybody), sum(one.no for one in everybody)
    turnout = sum(one.cast for one in everybody)
    quorum = head_quorum(members, rules=rules, is_second_call=is_second_call)
    classes = tuple(
        _class(name, votes.get(name, Votes(members=0)), weight, rules)
        for name, weight in _weights(kind, votes, rules).items()
    )
    support = sum((one.weight_ppm * one.support for one in classes), Fraction(0)) / 1_000_000
    heads = Fraction(yes, yes + no) if yes + no else None
    conditions = (
        Condition(name="quorum", needed=quorum, exceeded=False, reached=turnout, holds=turnout >= quorum),
        *_conditions(kind, classes, support=support, heads=heads, rules=rules),
    )
    if not conditions[0].holds:
        verdict = Verdict.INQUORATE
    else:
        verdict = Verdict.PASSED if all(one.holds for one in conditions) else Verdict.DEFEATED
    return Tally(
        kind=kind,
        verdict=verdict,
        classes=classes,
        support=support,
        heads=heads,
        turnout=turnout,
        head_quorum=quorum,
        conditions=conditions,
    )


def head_quorum(members: int, *, rules: Rules, is_second_call: bool = False) -> int:
    """Return how many of all who may vote have to come."""
    quorum = min(members, max(rules.heads_least, min(_up(members * rules.heads_share), rules.heads_most)))
    return _up(quorum * HALF) if is_second_call else quorum


def class_quorum(members: int, *, rules: Rules) -> int:
    """Return how many of a class have to say yes or no for it to speak with its full voice."""
    return min(members, max(rules.class_least, _up(members * rules.class_share)), rules.class_most)


def _class(name: str, votes: Votes, weight: Fraction, rules: Rules) -> ClassTally:
    quorum = class_quorum(votes.members, rules=rules)
    empty = max(0, quorum - votes.yes - votes.no)
    chairs = votes.yes + votes.no + empty
    return ClassTally(
        name=name,
        votes=votes,
        weight_ppm=weight,
        quorum=quorum,
        empty_chairs=empty,
        support=(votes.yes + empty * HALF) / chairs if chairs else HALF,
    )


def _weights(kind: Kind, votes: Mapping[str, Votes], rules: Rules) -> dict[str, Fraction]:
    """Return each class's weight. What a constitution says must not hang on a class that nobody is in."""
    weights = {name: Fraction(weight) for name, weight in rules.weights_ppm.items()}
    peopled = {name for name, one in votes.items() if one.members}
    whole = sum(weights[name] for name in peopled)
    if kind != Kind.CONSTITUTIONAL or not whole:
        return weights
    return {
        name: weight * sum(weights.values()) / whole if name in peopled else Fraction(0)
        for name, weight in weights.items()
    }


def _conditions(
    kind: Kind, classes: Sequence[ClassTally], *, support: Fraction, heads: Fraction | None, rules: Rules
) -> list[Condition]:
    if kind == Kind.STATUTORY:
        return [_reached("heads", HALF, heads, exceeded=True)]
    bar = rules.bars[Kind.ORDINARY if kind == Kind.ADVISORY else kind]
    found = [
        _reached("support", bar.support, support, exceeded=bar.support_exceeded),
        _reached("heads", bar.heads, heads, exceeded=bar.heads_exceeded),
    ]
    if kind == Kind.SPECIAL:
        found.append(_by_class("no-class-objects", [one.name for one in classes if one.objects]))
    if kind == Kind.CONSTITUTIONAL:
        silent = [one.name for one in classes if one.votes.members and not one.consents]
        found.append(_by_class("every-class-consents", silent))
    return found


def _reached(name: str, needed: Fraction, reached: Fraction | None, *, exceeded: bool) -> Condition:
    holds = reached is not None and (reached > needed if exceeded else reached >= needed)
    return Condition(name=name, needed=needed, exceeded=exceeded, reached=reached, holds=holds)


def _by_class(name: str, against: list[str]) -> Condition:
    return Condition(name=name, needed=None, exceeded=False, reached=None, holds=not against, classes=tuple(against))


def _up(number: Fraction) -> int:
    return -(-number.numerator // number.denominator)
