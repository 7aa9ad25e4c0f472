"""The ladder: what each play of a work costs, so that all of them together cost exactly its price.

A first play costs almost nothing, every return a little more; the last one owns. Plain Python integers only: SQL never
computes a price, it moves the one that a quote wrote down.
"""

from dataclasses import dataclass

from members import money

PLAYS_MIN, PLAYS_MAX = 3, 30
GROWTH_MAX = 3
DENOMINATOR_MAX = 100
FIRST_STEP_MIN_MICROS = 100


class LadderRefused(ValueError):
    """The figures make no ladder; the message says which bound they break."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a holding keeps from its first charge on: price in micros, number of plays, growth as a fraction."""

    price_micros: int
    plays: int
    growth_num: int
    growth_den: int
    pricing_version: int


def ladder(price: int, plays: int, num: int, den: int) -> list[int]:
    """Return the prices of plays 1..`plays` in micros: non-decreasing, their sum is `price`.

    Each costs about `num / den` of the one before. Costs no query.
    """
    return sorted(money.allocate(price, [num**k * den ** (plays - 1 - k) for k in range(plays)]))


def check_shape(*, plays: int, num: int, den: int, price_min: int) -> None:
    """Raise LadderRefused unless the shape keeps the joint bounds, down to the cheapest work it may hold for."""
    if not PLAYS_MIN <= plays <= PLAYS_MAX:
        raise LadderRefused(f"{plays} plays: a work is owned after {PLAYS_MIN} to {PLAYS_MAX} plays")
    if not 1 <= den <= DENOMINATOR_MAX:
        raise LadderRefused(f"growth {num}/{den}: the denominator is 1 to {DENOMINATOR_MAX}")
    if not den <= num <= GROWTH_MAX * den:
        raise LadderRefused(f"growth {num}/{den}: each play costs 1 to {GROWTH_MAX} times the one before")
    first = ladder(price_min, plays, num, den)[0]
    if first < FIRST_STEP_MIN_MICROS:
        raise LadderRefused(
            f"the first play of the cheapest work, at {money.show(price_min)}, would cost {money.show(first)};"
            f" the least is {money.show(FIRST_STEP_MIN_MICROS)}"
        )


def price_now(figure: int | None, *, default: int, price_min: int, price_max: int) -> int:
    """Return what a work costs under the pricing version in force, in micros.

    That is 0 if it is free, else its figure or the default, brought within the bounds.
    """
    if figure == 0:
        return 0
    return min(max(default if figure is None else figure, price_min), price_max)


def next_play(
    *, cap: int, paid: int, paid_plays: set[int] | frozenset[int], plays: int, num: int, den: int
) -> tuple[int, int]:
    """Return the number and the price of the next play of a holding that is not owned.

    The number is the lowest without a live charge. It costs its step of the ladder of the cap, at least one micro and
    never more than what is left; the only number left costs all that is left, so it owns.
    """
    free = [n for n in range(1, plays + 1) if n not in paid_plays]
    left = cap - paid
    if not free or left <= 0:
        raise LadderRefused(f"nothing is left to pay: {paid} of {cap} paid in {len(paid_plays)} of {plays} plays")
    number = free[0]
    if len(free) == 1:
        return number, left
    return number, min(max(1, ladder(cap, plays, num, den)[number - 1]), left)
