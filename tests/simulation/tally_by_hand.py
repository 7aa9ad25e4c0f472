"""How the auditor counts a vote: the rules' own sentences, in fractions. Part of the auditor: plain Python."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

HALF = Fraction(1, 2)
CLASSES = ("creator", "listener", "worker")


@dataclass
class Said:
    """How many of a class are on the roll, and how many said what."""

    members: int = 0
    yes: int = 0
    no: int = 0
    abstained: int = 0

    @property
    def voted(self) -> int:
        """Return how many voted."""
        return self.yes + self.no + self.abstained


def part(rules: dict[str, Any], name: str) -> Fraction:
    """Return a part that the rules write as two whole numbers."""
    return Fraction(rules[f"{name}_num"], rules[f"{name}_den"])


def quorum_of_heads(everybody: int, rules: dict[str, Any], *, second: bool) -> int:
    """Return how many have to vote: a tenth, at least five and at most 300; on a second call half of that."""
    share = ceil(everybody * part(rules, "head_quorum"))
    heads = min(everybody, max(rules["head_quorum_least"], min(share, rules["head_quorum_most"])))
    return ceil(heads * HALF) if second else heads


def empty_chairs(one: Said) -> int:
    """Return how many are missing to a class's quorum: a tenth of it, at least three, at most a hundred or all."""
    quorum = min(one.members, max(3, ceil(Fraction(one.members, 10))), 100)
    return max(0, quorum - one.yes - one.no)


def support(said: dict[str, Said], rules: dict[str, Any], *, constitutional: bool) -> Fraction:
    """Return what the classes say together, each with its weight: an empty chair is half a yes, nobody at all a half.

    Of a constitution an empty class says nothing, and the others share its weight.
    """
    weights = {name: Fraction(rules[f"weight_{name}_ppm"], 1_000_000) for name in CLASSES}
    peopled = [name for name in CLASSES if name in said and said[name].members]
    if constitutional and peopled:
        whole = sum(weights[name] for name in peopled)
        weights = {name: weights[name] / whole for name in peopled}
    found = Fraction(0)
    for name, weight in weights.items():
        one = said.get(name, Said())
        chairs = one.yes + one.no + empty_chairs(one)
        found += weight * (Fraction(one.yes + empty_chairs(one) * HALF, chairs) if chairs else HALF)
    return found


def verdict(kind: str, said: dict[str, Said], rules: dict[str, Any], *, second: bool) -> str:
    """Return what became of a vote: passed, defeated, or too few came."""
    everybody = list(said.values())
    if sum(one.voted for one in everybody) < quorum_of_heads(
        sum(one.members for one in everybody), rules, second=second
    ):
        return "inquorate"
    yes, no = sum(one.yes for one in everybody), sum(one.no for one in everybody)
    if yes + no == 0:
        return "defeated"
    heads, whole = Fraction(yes, yes + no), support(said, rules, constitutional=kind == "constitutional")
    classes = [one for name, one in said.items() if name in CLASSES and one.members]
    if kind == "special":
        objects = any(one.no > one.yes + empty_chairs(one) for one in classes)
        passed = whole >= part(rules, "support_special") and heads > part(rules, "heads_special") and not objects
    elif kind == "constitutional":
        consents = all(one.yes > one.no + empty_chairs(one) for one in classes)
        passed = (
            whole >= part(rules, "support_constitutional") and heads >= part(rules, "heads_constitutional") and consents
        )
    else:
        passed = whole > part(rules, "support_ordinary") and heads >= part(rules, "heads_ordinary")
    return "passed" if passed else "defeated"
