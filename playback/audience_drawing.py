"""What the charts of an audience say and look like. Floats are allowed here: a drawing is looked at, never paid."""

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Any

from playback.privacy import OTHER

TENTHS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "all")
SOURCES = {
    "work": "The work’s own page",
    "release": "A release",
    "creator": "Your page",
    "search": "Search",
    "front": "The front page",
    "feed": "The feed of who follows you",
    "library": "Their library",
    "queue": "A queue",
    "embed": "A page elsewhere",
    "api": "A program",
}
OUTCOMES = {
    "skipped": "Left within the opening",
    "opening": "Heard the opening, and no more",
    "free": "Theirs or free already",
    "partial": "Paid, and stopped on the way",
    "completed": "Paid, and heard to the end",
}
EARLY_PLAYS = ("1", "2", "3")
DAYS_WIDTH, DAYS_HEIGHT, BAR_GAP = 610, 160, 2
NUMBERS_WIDTH, NUMBERS_HEIGHT = 610, 150


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of a chart of lines, and of its table: `share` is 0 to 1 of the longest; light ones are folded or rest."""

    name: str
    count: int
    share: float
    is_light: bool = False


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar: its place in the drawing, and what it stands for. `is_hidden` is a gap about too few."""

    x: float
    y: float
    width: float
    height: float
    name: str
    count: int
    is_hidden: bool = False

    @property
    def middle(self) -> float:
        """Where a word above it stands."""
        return self.x + self.width / 2


def tenths(part: int, whole: int) -> str:
    """Return a share in words, to the nearest tenth: `six in ten`."""
    number = round(10 * part / whole)
    if number == 0:
        return "none" if part == 0 else "few"
    if number == len(TENTHS) - 1:
        return "all" if part == whole else "nearly all"
    return f"{TENTHS[number]} in ten"


def funnel(content: dict[str, Any]) -> list[Line]:
    """Return the way from beginning to owning, as far as its sums may be shown."""
    sessions, plays = content["sessions"], content["plays"]
    if not sessions or plays is None:
        return []
    paid = {cell["key"]: cell["count"] for cell in content["paid"]}
    ways = [("Began a session", sessions, False), ("Not charged", content["unpaid_sessions"], True)]
    ways.append(("Went on and paid", plays, False))
    if "completed" in paid:
        ways.append(("Heard to the end", paid["completed"], False))
    if content["new_owners"] is not None:
        ways.append(("Made it theirs", content["new_owners"], False))
    return [
        Line(name=name, count=count, share=count / sessions if count <= sessions else 1, is_light=is_light)
        for name, count, is_light in ways
    ]


def lines(cells: list[dict[str, Any]], names: dict[str, str]) -> list[Line]:
    """Return a table as lines, the folded one last and light."""
    most = max((cell["count"] for cell in cells), default=1)
    return [
        Line(
            name="Other, folded" if cell["key"] == OTHER else names.get(cell["key"], cell["key"] or "Not stated"),
            count=cell["count"],
            share=cell["count"] / most,
            is_light=cell["key"] == OTHER,
        )
        for cell in cells
    ]


def numbers(cells: list[dict[str, Any]]) -> list[Bar]:
    """Return the plays by their number on the ladder, in its order, then those that made it theirs, then the folded."""
    order = {"owning": (1, 0), OTHER: (2, 0)}
    sorted_cells = sorted(cells, key=lambda cell: order.get(cell["key"]) or (0, int(cell["key"])))
    if not sorted_cells:
        return []
    most = max(cell["count"] for cell in sorted_cells)
    pitch = min(66.0, NUMBERS_WIDTH / len(sorted_cells))
    names = {"owning": "to own", OTHER: "other"}
    return [
        Bar(
            x=round(10 + i * pitch, 1),
            y=round(30 + NUMBERS_HEIGHT * (1 - cell["count"] / most), 1),
            width=round(pitch * 0.7, 1),
            height=round(NUMBERS_HEIGHT * cell["count"] / most, 1),
            name=names.get(cell["key"], cell["key"]),
            count=cell["count"],
            is_hidden=cell["key"] == OTHER,
        )
        for i, cell in enumerate(sorted_cells)
    ]


def days(month: date, spans: list[dict[str, Any]]) -> list[Bar]:
    """Return a month's days as bars: a span is as wide as its days and as high as its sessions a day."""
    number = calendar.monthrange(month.year, month.month)[1]
    pitch = DAYS_WIDTH / number
    heights = {span["first"]: span["sessions"] / _days_in(span) for span in spans}
    most = max(heights.values(), default=1)
    bars, next_day = [], 1
    for span in spans:
        first, last = date.fromisoformat(span["first"]).day, date.fromisoformat(span["last"]).day
        if first > next_day:
            bars.append(_gap(next_day, first - 1, pitch))
        height = DAYS_HEIGHT * heights[span["first"]] / most
        bars.append(
            Bar(
                x=round(10 + (first - 1) * pitch, 1),
                y=round(20 + DAYS_HEIGHT - height, 1),
                width=round((last - first + 1) * pitch - BAR_GAP, 1),
                height=round(height, 1),
                name=span_name(span),
                count=span["sessions"],
            )
        )
        next_day = last + 1
    if next_day <= number:
        bars.append(_gap(next_day, number, pitch))
    return bars


def _gap(first: int, last: int, pitch: float) -> Bar:
    return Bar(
        x=round(10 + (first - 1) * pitch, 1),
        y=20,
        width=round((last - first + 1) * pitch - BAR_GAP, 1),
        height=DAYS_HEIGHT,
        name="not shown",
        count=0,
        is_hidden=True,
    )


def _days_in(span: dict[str, Any]) -> int:
    return (date.fromisoformat(span["last"]) - date.fromisoformat(span["first"])).days + 1


def span_name(span: dict[str, Any]) -> str:
    """Return the days of a span in words: `7 October`, `3 to 9 October`."""
    first, last = date.fromisoformat(span["first"]), date.fromisoformat(span["last"])
    return f"{last:%-d %B}" if first == last else f"{first.day} to {last:%-d %B}"


def finding_of_days(spans: list[dict[str, Any]]) -> str:
    """Return what the days say, as a sentence."""
    if len(spans) < 2:
        return "No day stands out" if spans else "No day stands out yet"
    best = max(spans, key=lambda span: (span["sessions"] / _days_in(span), span["first"]))
    return f"Most was heard {'on' if best['first'] == best['last'] else 'from'} {span_name(best)}"


def finding_of_numbers(content: dict[str, Any]) -> str:
    """Return what the plays by number say, as a sentence; where some were folded, nothing is said of the early ones."""
    if any(cell["key"] == OTHER for cell in content["numbers"]):
        return "How often they came back"
    early = sum(cell["count"] for cell in content["numbers"] if cell["key"] in EARLY_PLAYS)
    share = tenths(early, content["plays"]) if content["plays"] else "none"
    return f"{share.capitalize()} of the plays {'is' if share == 'none' else 'are'} a first, second or third"


def finding_of(table: list[Line], *, many: str, none: str) -> str:
    """Return which line is the largest, as a sentence."""
    named = [line for line in table if not line.is_light]
    return many.format(named[0].name) if named else none
