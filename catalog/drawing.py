"""Drawings of a work on its page: the heights of its ladder and the bars of its loudness.

Floats are allowed here and only here: a drawing is looked at, never paid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WAVE_HEIGHT = 72
WAVE_PITCH = 4
BAR_WIDTH = 2.6
BAR_MIN = 3


def heights(prices: Sequence[int], *, first: int | None = None, last: int | None = None) -> list[int]:
    """Return the height, 0 to 100, of each step: equal factors are equal rises. A flat ladder stands at 100.

    Two ladders drawn side by side share one scale: the `first` and `last` price of the one in force.
    """
    low, high = first or prices[0], last or prices[-1]
    if low <= 0 or high <= low:
        return [100] * len(prices)
    span = math.log(high) - math.log(low)
    return [min(100, max(0, round(100 * (math.log(max(price, 1)) - math.log(low)) / span))) for price in prices]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of the loudness, in the drawing's own units."""

    x: int
    y: float
    height: float
    is_free: bool


@dataclass(frozen=True, kw_only=True)
class Wave:
    """The loudness of a track with the place of its gate."""

    width: int
    bars: tuple[Bar, ...]
    gate_x: float


def wave(peaks: Sequence[int], *, gate_at: float) -> Wave:
    """Return the bars for `peaks` (0 to 100 each); `gate_at`, 0 to 1, is where the free part ends.

    The loudest bar fills the drawing, so that a quiet recording has a shape too.
    """
    width = WAVE_PITCH * len(peaks)
    loudest = max([1, *peaks])
    bars = []
    for i, peak in enumerate(peaks):
        height = max(BAR_MIN, round(peak * (WAVE_HEIGHT - 6) / loudest, 1))
        x = WAVE_PITCH * i
        bars.append(Bar(x=x, y=round((WAVE_HEIGHT - height) / 2, 1), height=height, is_free=x < gate_at * width))
    return Wave(width=width, bars=tuple(bars), gate_x=round(gate_at * width, 1))
