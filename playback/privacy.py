"""The audience of a work, shown to its own people: what may be shown of whom, and when. Plain Python, no database.

The privacy floor: no figure is about one to four listeners, and no two figures differ by that few, whatever else its
readers know: yesterday's page, the month's statement, the other tables. Two rules keep it.

*Days* are joined into spans. A span ends with the day on which those who paid in it are none or at least five, and
those who only listened are none or at least five. While the month runs, the last spans are kept back, as many as have
five on both sides: what the month still brings joins them, so that the rest of a month is never a few people either,
and nothing once shown is taken back (`spans`).

*What was paid* is also told by itself, to payees, in the month so far. Those sums end with days on which those who paid
since the end before are none or at least five (`paid_until`). Spans end with such days only, so that what both pages
say, subtracted from each other, is never about a few either.

*Tables* are made once, when the month is over. A cell of fewer than five is folded into "other" together with the next
smallest, so that never exactly one cell is missing from a sum (`fold`). Those who paid and those who did not are
folded apart, because the statement says how often was paid.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

FLOOR = 5
OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of one work. `payers` and `unpaid` hold at most FLOOR ids each; money in micros, before any split."""

    day: date
    sessions: int
    paid_micros: int
    payers: frozenset[UUID]
    unpaid: frozenset[UUID]


@dataclass(frozen=True, kw_only=True)
class Span:
    """Days that are shown as one: how many sessions, and what was paid for plays and purchases, in micros."""

    first: date
    last: date
    sessions: int
    paid_micros: int
    payers: frozenset[UUID] = frozenset()
    unpaid: frozenset[UUID] = frozenset()

    def and_then(self, later: "Span") -> "Span":
        """Return both as one."""
        return Span(
            first=self.first,
            last=later.last,
            sessions=self.sessions + later.sessions,
            paid_micros=self.paid_micros + later.paid_micros,
            payers=self.payers | later.payers,
            unpaid=self.unpaid | later.unpaid,
        )

    def is_enough(self) -> bool:
        """Return whether it may be shown: nobody or at least five on each side, and somebody."""
        return is_shown(len(self.payers)) and is_shown(len(self.unpaid)) and bool(self.payers or self.unpaid)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One line of a table: how often, by how many listeners."""

    key: str
    count: int
    listeners: int


def is_shown(listeners: int) -> bool:
    """Return whether a figure about so many listeners is shown: about none, or about at least five."""
    return listeners == 0 or listeners >= FLOOR


def spans(days: Iterable[Day], *, over: bool) -> list[Span]:
    """Return what is shown of a month's days, in order. `over` says that the month has ended and every day is there."""
    ended: list[Span] = []
    open_span: Span | None = None
    for one, paid_may_end in _with_ends(days):
        open_span = one if open_span is None else open_span.and_then(one)
        if paid_may_end and open_span.is_enough():
            ended.append(open_span)
            open_span = None
    if not over:
        return ended[: -_kept_back(ended)]
    rest = open_span
    while rest is not None and not rest.is_enough():
        if not ended:
            return []
        rest = ended.pop().and_then(rest)
    return [*ended, rest] if rest is not None else ended


def paid_until(days: Iterable[Day]) -> date | None:
    """Return the day to whose end it may be told what was paid while the month runs; None where it may not be told yet.

    At least five have paid after it: what the month still brings joins them.
    """
    ends: list[tuple[date, bool]] = []
    has_paid = False
    for one, may_end in _with_ends(days):
        has_paid = has_paid or bool(one.payers)
        if may_end:
            ends.append((one.last, has_paid))
            has_paid = False
    while ends and not ends[-1][1]:
        ends.pop()
    return ends[-2][0] if len(ends) > 1 and any(paid for _, paid in ends[:-1]) else None


def _with_ends(days: Iterable[Day]) -> Iterator[tuple[Span, bool]]:
    """Yield the days in order, each with whether sums of what was paid may end with it."""
    paying: frozenset[UUID] = frozenset()
    for one in map(_span, sorted(days, key=lambda day: day.day)):
        paying |= one.payers
        may_end = is_shown(len(paying))
        if may_end:
            paying = frozenset()
        yield one, may_end


def _span(day: Day) -> Span:
    return Span(
        first=day.day,
        last=day.day,
        sessions=day.sessions,
        paid_micros=day.paid_micros,
        payers=day.payers,
        unpaid=day.unpaid,
    )


def _kept_back(ended: Sequence[Span]) -> int:
    """Return how many of the last spans wait for the month's end: with at least five on both sides among them.

    Whoever comes after them, few as they may be, joins these, and what was shown before stays as it was.
    """
    payers: frozenset[UUID] = frozenset()
    unpaid: frozenset[UUID] = frozenset()
    for kept, span in enumerate(reversed(ended), start=1):
        payers, unpaid = payers | span.payers, unpaid | span.unpaid
        if len(payers) >= FLOOR and len(unpaid) >= FLOOR:
            return kept
    return max(1, len(ended))


def fold(cells: Sequence[Cell], *, apart: bool = False) -> list[Cell]:
    """Return the cells that may be shown, largest first, and what had to be folded as `other`, last.

    `apart` says that nobody is in two cells, so that listeners of folded cells may be added up; elsewhere only the
    largest of them is certain. The counts sum to what was given, whatever is folded.
    """
    left = sorted((cell for cell in cells if cell.count), key=lambda cell: (-cell.listeners, -cell.count, cell.key))
    folded: list[Cell] = []
    while left and left[-1].listeners < FLOOR:
        folded.append(left.pop())
    while folded and left and (len(folded) == 1 or _known(folded, apart=apart) < FLOOR):
        folded.append(left.pop())
    shown = sorted(left, key=lambda cell: (-cell.count, cell.key))
    if folded:
        shown.append(Cell(key=OTHER, count=sum(cell.count for cell in folded), listeners=_known(folded, apart=apart)))
    return shown


def _known(cells: Sequence[Cell], *, apart: bool) -> int:
    """Return of how many listeners it is certain that they are in the cells."""
    listeners = [cell.listeners for cell in cells]
    return sum(listeners) if apart else max(listeners)
