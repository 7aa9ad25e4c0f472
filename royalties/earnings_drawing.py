"""What the charts of earnings say and look like. Floats are allowed here: a drawing is looked at, never paid.

Every figure in a chart stands exactly in the table beneath it and in a file for a spreadsheet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from members import months
from royalties.earned import Partner, WorkEarned

MONTHS_WIDTH, MONTHS_HEIGHT = 610, 160
NUMBERS_WIDTH, NUMBERS_HEIGHT = 610, 150
WORKS_SHOWN = 10
EARLY, ALL_EARLY = 3, "All plays are a first, second or third"
# Whole tenths, rounded down, in words.
TENTHS = ("none", "a tenth", "a fifth", "three tenths", "four tenths", "half", "six tenths", "seven tenths",
          "four fifths", "nine tenths", "all")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar: its place in the drawing, its name beneath, and the exact figure it stands for."""

    x: float
    y: float
    width: float
    height: float
    name: str
    figure: int
    month: date | None = None
    is_light: bool = False

    @property
    def middle(self) -> float:
        """Where a word above or below it stands."""
        return self.x + self.width / 2


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a chart of lines: `share` is 0 to 1 of the longest. A light one is what is not named."""

    name: str
    micros: int
    share: float
    is_light: bool = False


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A work that is shared: one's own part of the creators' part, and who has the rest."""

    work: WorkEarned
    mine: float
    others: list[Partner]


def earned_by_month(added: dict[date, int], *, last: date, number: int) -> list[Bar]:
    """Return a bar for each of so many months up to the last; of a month that added nothing, one without height."""
    shown = [last]
    while len(shown) < number:
        shown.append(months.before(shown[-1]))
    shown.reverse()
    most = max((added.get(month, 0) for month in shown), default=0) or 1
    pitch = MONTHS_WIDTH / number
    return [
        Bar(
            x=round(10 + place * pitch, 1),
            y=round(30 + MONTHS_HEIGHT * (1 - added.get(month, 0) / most), 1),
            width=round(pitch * 0.72, 1),
            height=round(MONTHS_HEIGHT * added.get(month, 0) / most, 1),
            name=f"{month:%b}",
            figure=added.get(month, 0),
            month=month,
        )
        for place, month in enumerate(shown)
    ]


def finding_of_months(bars: Sequence[Bar]) -> str:
    """Return what the months say: which was the best, if more than one had anything."""
    earning = [bar for bar in bars if bar.figure]
    if not earning:
        return "No month earned anything yet"
    if len(earning) == 1:
        return f"{_name(earning[0])} is the first month that earned"
    best = max(earning, key=lambda bar: (bar.figure, bar.month or date.min))
    if best is bars[-1]:
        return f"{_name(best)} earned more than any month before it here"
    return f"The best month was {_name(best)}"


def _name(bar: Bar) -> str:
    return f"{bar.month:%B %Y}" if bar.month else bar.name


def lines_of_works(works: Sequence[WorkEarned]) -> list[Line]:
    """Return the works that earned most, then all others as one light line."""
    named, rest = works[:WORKS_SHOWN], works[WORKS_SHOWN:]
    figures = [(work.title, work.net_micros, False) for work in named]
    if rest:
        figures.append((f"{len(rest):,} more", sum(work.net_micros for work in rest), True))
    most = max((micros for _, micros, _ in figures), default=0) or 1
    return [
        Line(name=name, micros=micros, share=micros / most, is_light=is_light) for name, micros, is_light in figures
    ]


def finding_of_works(works: Sequence[WorkEarned]) -> str:
    """Return what the works say: how much of it the first one brought."""
    together = sum(work.net_micros for work in works)
    if not together:
        return "No work earned anything"
    if len(works) == 1:
        return "One work brought all of it"
    part = 10 * works[0].net_micros // together
    if part < 1:
        return "No single work brought a tenth of it"
    return f"{works[0].title} brought {TENTHS[part]} of it{'' if part == 10 else ', or more'}"


def bars_of_numbers(counts: Sequence[int]) -> list[Bar]:
    """Return plays by their number on the ladder, then the purchases, light."""
    *plays, purchases = counts
    names = [str(number) for number in range(1, len(plays) + 1)]
    most = max([*plays, purchases, 1])
    pitch = min(66.0, NUMBERS_WIDTH / (len(plays) + 1))
    return [
        Bar(
            x=round(10 + place * pitch, 1),
            y=round(30 + NUMBERS_HEIGHT * (1 - count / most), 1),
            width=round(pitch * 0.7, 1),
            height=round(NUMBERS_HEIGHT * count / most, 1),
            name=name,
            figure=count,
            is_light=place == len(plays),
        )
        for place, (name, count) in enumerate(zip([*names, "bought"], counts, strict=True))
    ]


def finding_of_numbers(counts: Sequence[int]) -> str:
    """Return how many of the plays were among the first three of a listener."""
    *plays, purchases = counts
    if not any(plays):
        return "Nobody paid for a single play; all of it was bought" if purchases else "Nobody paid for a play"
    part = 10 * sum(plays[:EARLY]) // sum(plays)
    if part == 0:
        return "Hardly a play is a first, second or third"
    return (
        f"{TENTHS[part].capitalize()} of the plays, or more, are a first, second or third" if part < 10 else ALL_EARLY
    )


def shared_works(works: Sequence[WorkEarned], partners: dict[UUID, list[Partner]]) -> list[Shared]:
    """Return the works that are shared with others, the largest first."""
    found = []
    for work in works:
        others = [one for one in partners.get(work.sheet_id, []) if not one.is_me]
        if others:
            found.append(Shared(work=work, mine=work.share_ppm / 1_000_000, others=others))
    return found
