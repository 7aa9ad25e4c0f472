"""The picture of the books: for each month a bar of what came in, and beside it what went out, creators' part below.

Floats are allowed here: a drawing is looked at, never paid. Every figure in it stands in the table beneath.
"""

from dataclasses import dataclass

from members import money
from royalties.open_books import Month

WIDTH, HEIGHT, TOP, LEFT = 620, 150, 22, 70
# Few months are not drawn as broad as a page.
SLOTS_LEAST, BAR, GAP = 4, 0.34, 0.04
TICKS_MOST = 4
STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A month: where its two bars stand, and how high their parts are."""

    month: Month
    x: float
    width: float
    came_in: float
    creators: float
    coop: float

    @property
    def out_x(self) -> float:
        """Where the second bar begins."""
        return self.x + self.width * (1 + GAP / BAR)

    @property
    def middle(self) -> float:
        """Where the month's name stands."""
        return self.out_x - self.width * GAP / BAR / 2

    @property
    def came_in_y(self) -> float:
        """Where the first bar's top is."""
        return TOP + HEIGHT - self.came_in

    @property
    def creators_y(self) -> float:
        """Where the top of the creators' part is."""
        return TOP + HEIGHT - self.creators

    @property
    def coop_y(self) -> float:
        """Where the second bar's top is."""
        return self.creators_y - self.coop


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A line to read heights by."""

    y: float
    words: str


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The bars, and the lines to read them by; `base` is the line they stand on."""

    pairs: list[Pair]
    ticks: list[Tick]
    base: int = TOP + HEIGHT
    left: int = LEFT
    right: int = WIDTH


def picture(months: list[Month]) -> Picture | None:
    """Return the picture of months whose books are locked; None without any, or where a sum is below nothing."""
    told = [
        (month, month.came_in_micros or 0, month.micros["royalties"] or 0, month.went_out_micros or 0)
        for month in months
        if month.result_micros is not None
    ]
    most = max((max(came_in, went_out) for _, came_in, _, went_out in told), default=0)
    if most <= 0 or any(min(came_in, creators, went_out - creators) < 0 for _, came_in, creators, went_out in told):
        return None
    step = _step(most)
    top = -(-most // step) * step
    slot = (WIDTH - LEFT) / max(SLOTS_LEAST, len(told))
    scale = HEIGHT / top
    return Picture(
        pairs=[
            Pair(
                month=month,
                x=LEFT + slot * (number + (1 - 2 * BAR - GAP) / 2),
                width=slot * BAR,
                came_in=came_in * scale,
                creators=creators * scale,
                coop=(went_out - creators) * scale,
            )
            for number, (month, came_in, creators, went_out) in enumerate(told)
        ],
        ticks=[
            Tick(y=TOP + HEIGHT - micros * scale, words=money.show(micros).removesuffix(".00"))
            for micros in range(step, top + 1, step)
        ],
    )


def _step(most: int) -> int:
    """Return a round sum of which at most four make `most` and no more than is needed."""
    size = 10 ** (len(str(most)) - 1) // 10 or 1
    while True:
        for step in STEPS:
            if -(-most // (step * size)) <= TICKS_MOST:
                return step * size
        size *= 10
