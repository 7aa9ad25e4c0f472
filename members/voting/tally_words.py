"""A tally explained line by line, so that a member who lost understands why: each question, and its sum."""

from dataclasses import dataclass
from fractions import Fraction

from members.voting.tally import ClassTally, Condition, Kind, Tally, Verdict

NAMES = {"creator": "Creators", "listener": "Listeners", "worker": "Workers", "supporter": "Supporters"}
KINDS = {
    Kind.ORDINARY: "An ordinary proposal",
    Kind.SPECIAL: "A special proposal",
    Kind.CONSTITUTIONAL: "A constitutional proposal",
    Kind.ADVISORY: "Advice",
    Kind.STATUTORY: "What the law leaves to one person, one vote,",
}
PARTS = {
    Fraction(1, 3): "a third",
    Fraction(1, 2): "half",
    Fraction(3, 5): "three fifths",
    Fraction(2, 3): "two thirds",
    Fraction(3, 4): "three quarters",
    Fraction(4, 5): "four fifths",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """A question of the count, and the sum that answers it."""

    words: str
    sum: str
    holds: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A class as the table of figures has it."""

    name: str
    tally: ClassTally
    share: str
    weight: str
    adds: str
    # How long yes and no stand in the class's bar: per cent with two decimals, 100.00 together.
    yes: str
    no: str


def percent(part: Fraction) -> str:
    """Return a part in per cent with two decimals, rounded to the even one: `68.70 %`."""
    return f"{_hundredths(part)}\N{NO-BREAK SPACE}%"


def _hundredths(part: Fraction) -> str:
    whole, rest = divmod(round(part * 10_000), 100)
    return f"{whole}.{rest:02d}"


def rows(tally: Tally) -> list[Row]:
    """Return the classes that somebody could vote in, with what each added."""
    return [
        Row(
            name=NAMES.get(one.name, one.name),
            tally=one,
            share=str(one.support),
            weight=_weight(one),
            adds=percent(one.weight_ppm * one.support / 1_000_000),
            yes=_hundredths(one.support),
            no=_hundredths(1 - one.support),
        )
        for one in tally.classes
    ]


def steps(tally: Tally) -> list[Step]:
    """Return how a vote was counted, from who came to what it needed."""
    found = {one.name: one for one in tally.conditions}
    told = [_quorum(tally, found["quorum"])]
    if "support" in found:
        told += [_chairs(tally), _classes(tally), _support(tally, found["support"])]
    told.append(_heads(tally, found["heads"]))
    told += [_by_class(found[name]) for name in ("no-class-objects", "every-class-consents") if name in found]
    return [*told, _verdict(tally)]


def needed(tally: Tally) -> str:
    """Return how much weighted yes a vote needed: `more than half`. Nothing where heads alone are counted."""
    return next((_told(one) for one in tally.conditions if one.name == "support"), "")


def lacked(tally: Tally) -> list[str]:
    """Return what a vote that did not pass fell short of, a sentence each. Where too few came, nothing else counts."""
    if tally.verdict == Verdict.INQUORATE:
        return [f"{tally.turnout:,} voted; {tally.head_quorum:,} were needed for anything to be decided."]
    return [_short_of(tally, one) for one in tally.conditions if not one.holds]


def _short_of(tally: Tally, one: Condition) -> str:
    if one.name == "support":
        return f"The classes by their weight said yes with {percent(tally.support)}; {_told(one)} was needed."
    if one.name == "heads":
        said = f"{percent(tally.heads)} of them" if tally.heads is not None else "nobody"
        return f"Of all who said yes or no, each counted once, {said} said yes; {_told(one)} was needed."
    if one.name == "no-class-objects":
        return f"The {_together(one)} objected: more of them said no than yes, and no class may object."
    return f"The {_together(one)} did not consent, and every class has to."


def _quorum(tally: Tally, one: Condition) -> Step:
    return Step(
        words=f"Did enough members vote? {tally.turnout:,} cast a ballot; {tally.head_quorum:,} were needed.",
        sum=f"{tally.turnout:,} {'≥' if one.holds else '<'} {tally.head_quorum:,}: {_yes(holds=one.holds)}.",
        holds=one.holds,
    )


def _chairs(tally: Tally) -> Step:
    came = "; ".join(
        f"{_low(one)} {one.votes.yes + one.votes.no:,}, {one.quorum:,} wanted"
        + (f", so {one.empty_chairs:,} empty chair{'s' * (one.empty_chairs > 1)}" if one.empty_chairs else "")
        for one in tally.classes
    )
    return Step(
        words="Did enough say yes or no in each class? A chair that stayed empty counts half yes, half no.",
        sum=f"{came}.",
    )


def _classes(tally: Tally) -> Step:
    said = ", ".join(f"{_low(one)} {one.support}" for one in tally.classes)
    return Step(words="What did each class say? Yes, and half the empty chairs, of all its chairs.", sum=f"{said}.")


def _support(tally: Tally, one: Condition) -> Step:
    weights = " + ".join(f"{_weight(each)} \N{MULTIPLICATION SIGN} {each.support}" for each in tally.classes)
    return Step(
        words=f"Each class by its weight, added up. {KINDS[tally.kind]} needs {_told(one)}.",
        sum=f"{weights} = {percent(tally.support)}: {_yes(holds=one.holds)}.",
        holds=one.holds,
    )


def _heads(tally: Tally, one: Condition) -> Step:
    part = f"{tally.heads} = {percent(tally.heads)}" if tally.heads is not None else "nobody said either"
    return Step(
        words=f"Of all who said yes or no, whatever their class, how many said yes? It needs {_told(one)}.",
        sum=f"{part}: {_yes(holds=one.holds)}.",
        holds=one.holds,
    )


def _by_class(one: Condition) -> Step:
    asked = {
        "no-class-objects": "Did a class object, with more noes than yeses and empty chairs?",
        "every-class-consents": "Did every class consent, with more yeses than noes and empty chairs?",
    }[one.name]
    names = f"the {_together(one)}"
    answer = {"no-class-objects": ("none did", f"{names} did"), "every-class-consents": ("all did", f"not {names}")}
    return Step(words=asked, sum=f"{answer[one.name][not one.holds]}.", holds=one.holds)


def _verdict(tally: Tally) -> Step:
    words = {
        Verdict.PASSED: "Every condition holds: it passed.",
        Verdict.DEFEATED: "A condition does not hold: it did not pass. A tie changes nothing.",
        Verdict.INQUORATE: "Too few came for anything to be decided.",
    }[tally.verdict]
    return Step(words=words, sum=str(tally.verdict), holds=tally.verdict == Verdict.PASSED)


def _told(one: Condition) -> str:
    """Return what a condition asks for, the usual parts as words: `more than half`."""
    usual = PARTS.get(one.needed) if isinstance(one.needed, Fraction) else None
    return f"{'more than' if one.exceeded else 'at least'} {usual or one.needed}"


def _together(one: Condition) -> str:
    return " and ".join(NAMES.get(name, name).lower() for name in one.classes)


def _weight(one: ClassTally) -> str:
    return percent(one.weight_ppm / 1_000_000).replace(".00", "")


def _low(one: ClassTally) -> str:
    return NAMES.get(one.name, one.name).lower()


def _yes(*, holds: bool) -> str:
    return "yes" if holds else "no"
