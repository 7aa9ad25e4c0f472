"""Exact money: the only place that splits, rounds or prints an amount.

An amount is a whole number of micros, millionths of the currency. There is one division, `allocate`, and its parts
always sum to what was divided; so no cent is ever made or lost, whoever computes it. Plain Python, no Django.
"""

from collections.abc import Sequence

MICROS = 1_000_000
MICROS_PER_CENT = 10_000
PPM = 1_000_000
_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}


class CannotAllocate(ValueError):
    """There is nobody to give it to: no weights, a negative weight, or all of them zero."""


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` in proportion to `weights` by the method of the largest remainder.

    Ties go to the larger weight, then to the earlier position. The parts sum to `total`; a zero weight gets zero;
    `allocate(-t, w)` is the negative of `allocate(t, w)`. Raises CannotAllocate.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise CannotAllocate(f"{total} cannot be divided by the weights {list(weights)}")
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    parts = [total * weight // whole for weight in weights]
    left = total - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), -weights[i], i))
    for i in by_remainder[:left]:
        parts[i] += 1
    return parts


def from_cents(cents: int) -> int:
    """Return whole cents as micros."""
    return cents * MICROS_PER_CENT


def show(micros: int, *, currency: str = "EUR", places: int | None = None, sign: bool = False) -> str:
    """Return the amount as people read it: `€0.70`, `€0.032`, `−€1.4308`, with `sign` also `+€5.00`.

    At least two decimals, at most six, zeros dropped after the second; never rounded. `places` asks for more decimals
    (a column has the same number in every row) and is ignored where the amount needs more.
    """
    whole, part = divmod(abs(micros), MICROS)
    digits = f"{part:06d}".rstrip("0")
    digits = digits.ljust(max(2, places or 0), "0")
    mark = "\N{MINUS SIGN}" if micros < 0 else "+" if sign and micros > 0 else ""
    return f"{mark}{_SIGNS.get(currency, currency + ' ')}{whole:,}.{digits}"


def percent(ppm: int) -> str:
    """Return a rate in per cent, without the zeros that say nothing: `19`, `8.1`, `33.3334`."""
    whole, part = divmod(ppm, PPM // 100)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".")


def show_digits(micros: int) -> str:
    """Return the amount without the currency's sign, for the steps of a ladder."""
    return show(micros, currency="EUR").replace("€", "")


def exact(micros: int) -> str:
    """Return the amount for machines: `-0.032000`, always six decimals, an ASCII minus, no sign of a currency."""
    whole, part = divmod(abs(micros), MICROS)
    return f"{'-' if micros < 0 else ''}{whole}.{part:06d}"


def places_needed(amounts: Sequence[int]) -> int:
    """Return how many decimals a column of `amounts` needs so that none is rounded: 2 to 6."""
    return max([2, *(len(f"{abs(micros) % MICROS:06d}".rstrip("0")) for micros in amounts)])


def show_cents(cents: int, *, currency: str = "EUR") -> str:
    """Return whole cents with exactly two decimals, for top-ups, VAT and payouts."""
    return show(from_cents(cents), currency=currency)
