"""The ring and the ladder of a holding as a page draws them. Floats are allowed here: a drawing moves no money."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from catalog import drawing
from members import money

RADIUS = 52
AROUND = 2 * math.pi * RADIUS
MANY_PLAYS = 16
DECIMALS_ON_A_STEP = 3
PLAYS_ON_A_STEP = 9


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One play on the ring: `kind` is paid, next or left; the rest are the numbers of its stroke."""

    number: int
    kind: str
    dash: str
    offset: str
    turns_from: str
    inner_dash: str
    inner_offset: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the ladder: `state` is paid, next or left."""

    number: int
    price_micros: int
    height: int
    state: str
    is_last: bool


def ring(*, plays: int, paid: Collection[int], next_number: int | None) -> list[Segment]:
    """Return the segments of a ring of `plays`, clockwise from the top."""
    gap = 1.6 if plays > MANY_PLAYS else 3.2
    share = AROUND / plays
    arc, inner = share - gap, share - gap - 1.4
    segments = []
    for i in range(plays):
        start = i * share + gap / 2
        segments.append(
            Segment(
                number=i + 1,
                kind="paid" if i + 1 in paid else "next" if i + 1 == next_number else "left",
                dash=f"{arc:.2f} {AROUND - arc:.2f}",
                offset=f"{-start:.2f}",
                turns_from=f"{arc - start:.2f}",
                inner_dash=f"{inner:.2f} {AROUND - inner:.2f}",
                inner_offset=f"{-(start + 0.7):.2f}",
            )
        )
    return segments


def steps(prices: Sequence[int], *, paid: Collection[int], next_number: int | None) -> list[Step]:
    """Return the steps of the ladder with their heights and states."""
    return [
        Step(
            number=i,
            price_micros=price,
            height=height,
            state="paid" if i in paid else "next" if i == next_number else "left",
            is_last=i == len(prices),
        )
        for i, (price, height) in enumerate(zip(prices, drawing.heights(prices), strict=True), start=1)
    ]


def has_figures_on_steps(prices: Sequence[int]) -> bool:
    """Tell whether the prices fit on the steps; else only the first and the last are written underneath."""
    return len(prices) <= PLAYS_ON_A_STEP and money.places_needed(prices) <= DECIMALS_ON_A_STEP
