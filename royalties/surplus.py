"""The surplus: what is left of a year, and whose it is, as a pure function of the year's figures and the policy.

A part stays in the reserve, which nobody can ever be paid from, a part goes to the common good, and the rest is divided
among creators, listeners and workers, and within each class by patronage: what one brought to the co-op or took from it
that year. What members' patronage does not reach stays in the reserve. Amounts are whole cents; there is one division,
`money.allocate`, so the parts are always the whole.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from members import money

CLASSES = ("creators", "listeners", "workers")
# What a member is paid at once is worth a transfer, or it waits in their capital account with the rest.
CASH_LEAST_CENTS = 100
Who = TypeVar("Who")


class NoSurplus(ValueError):
    """There is nothing to divide: the year made a loss, or nothing."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """The policy `surplus`, in ppm: of the result the reserve and the common good; of the rest each class; the cash."""

    reserve: int
    common_good: int
    classes: Mapping[str, int]
    cash: int


@dataclass(frozen=True, kw_only=True)
class Guard:
    """Whether buying one's own record would earn money, with the revenue version of which the co-op keeps least.

    Of a euro spent on one's own work `creators_ppm` come back as royalties, and from the pools something for these and
    for the listening. That has to be less than what the co-op kept. The pools were multiplied by `scale_ppm`.
    """

    creators_ppm: int
    coop_ppm: int
    comes_back: Fraction
    scale_ppm: int

    @property
    def kept(self) -> Fraction:
        """Return the part of a euro that the co-op kept."""
        return Fraction(self.coop_ppm, money.PPM)


@dataclass(frozen=True, kw_only=True)
class Pools:
    """A year's result in whole cents: what stays, what is given away, and each class's pool."""

    result_cents: int
    reserve_cents: int
    common_good_cents: int
    classes: Mapping[str, int]
    guard: Guard


@dataclass(frozen=True, kw_only=True)
class Part(Generic[Who]):
    """What a member gets of a pool: cents at once, and cents in their capital account."""

    who: Who
    patronage: int
    cents: int
    cash_cents: int

    @property
    def retained_cents(self) -> int:
        """Return what goes to the capital account."""
        return self.cents - self.cash_cents


@dataclass(frozen=True, kw_only=True)
class Share(Generic[Who]):
    """A pool divided: each member's part, and what patronage of non-members leaves to the reserve."""

    parts: Sequence[Part[Who]]
    to_reserve_cents: int


def pools(*, result_micros: int, rates: Rates, bases: Mapping[str, int], revenue: Sequence[tuple[int, int]]) -> Pools:
    """Divide a year's result, in micros, into reserve, common good and pools of whole cents.

    `bases` are the eligible sums of `creators` and `listeners`, members' or not, in micros: what the guard compares the
    pools with. `revenue` are the (creators, co-op) rates of every version of that year. Raises NoSurplus.
    """
    result = result_micros // money.MICROS_PER_CENT
    if result <= 0:
        raise NoSurplus("the year left nothing to divide")
    rest = money.PPM - rates.reserve - rates.common_good
    reserve, common_good, pool = money.allocate(result, [rates.reserve, rates.common_good, rest])
    found = dict(zip(CLASSES, money.allocate(pool, [rates.classes[name] for name in CLASSES]), strict=True))
    guard = _guard(found, bases, revenue)
    for name in ("creators", "listeners"):
        scaled = found[name] * guard.scale_ppm // money.PPM
        reserve += found[name] - scaled
        found[name] = scaled
    return Pools(result_cents=result, reserve_cents=reserve, common_good_cents=common_good, classes=found, guard=guard)


def share(pool_cents: int, *, patronage: Mapping[Who, int], others: int, cash_ppm: int) -> Share[Who]:
    """Divide a pool among members by their patronage; `others` is that of non-members, whose part stays in the reserve.

    Members come in the order given, which ties go by: give them by a stored number. A class nobody brought anything to
    leaves its pool to the reserve.
    """
    weights = [*patronage.values(), others]
    if not sum(weights):
        return Share(parts=[], to_reserve_cents=pool_cents)
    *parts, left = money.allocate(pool_cents, weights)
    return Share(
        parts=[
            Part(who=who, patronage=weight, cents=cents, cash_cents=_cash(cents, cash_ppm))
            for (who, weight), cents in zip(patronage.items(), parts, strict=True)
        ],
        to_reserve_cents=left,
    )


def _cash(cents: int, cash_ppm: int) -> int:
    """Return what is paid at once: rounded up to a cent, or nothing where it would be too little to send."""
    cash = -(-cents * cash_ppm // money.PPM)
    return cash if cash >= CASH_LEAST_CENTS else 0


def _guard(pool: Mapping[str, int], bases: Mapping[str, int], revenue: Sequence[tuple[int, int]]) -> Guard:
    """Return how far the pools have to be scaled, for buying one's own record never to earn money."""
    creators_ppm, coop_ppm = min(revenue, key=lambda rates: rates[1])
    comes_back = Fraction(creators_ppm, money.PPM) * _rate(pool, bases, "creators") + _rate(pool, bases, "listeners")
    kept = Fraction(coop_ppm, money.PPM)
    # The largest whole ppm at which less comes back than was kept.
    scale = money.PPM if comes_back < kept else math.ceil(kept / comes_back * money.PPM) - 1
    return Guard(creators_ppm=creators_ppm, coop_ppm=coop_ppm, comes_back=comes_back, scale_ppm=scale)


def _rate(pool: Mapping[str, int], bases: Mapping[str, int], name: str) -> Fraction:
    """Return how much of a pool a euro of patronage brings; nothing where there is no patronage."""
    return Fraction(money.from_cents(pool[name]), bases[name]) if bases[name] else Fraction(0)
