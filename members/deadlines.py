"""Deadlines of votes: parts of a proposal's life end in the evening, by the co-op's own clock on the wall.

Days are the calendar's: a vote of seven days that begins at eight in the evening ends at eight in the evening, also
when clocks change in between. An evening that the wall clock skips or shows twice is no deadline; the next one is.
"""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from members import clock, months
from members.problems import Problem

EVENING = time(20, 0)
ONE_DAY = timedelta(days=1)
JANUARY = 1


class NoSuchMoment(Problem):
    """The wall clock skips that time on that day, or shows it twice."""

    slug, status, title = "no-such-local-time", 422, "There is no such time on that day"


class Starts(StrEnum):
    """With what a changed policy begins: as soon as it can, or with a day, a month or a financial year."""

    AT_ONCE = "at-once"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


def local(day: date, at: time, *, zone: ZoneInfo | None = None) -> datetime:
    """Return the moment at which the co-op's wall clock shows `at` on `day`. Raises NoSuchMoment."""
    zone = zone or clock.zone()
    first, second = (datetime.combine(day, at, zone).replace(fold=fold) for fold in (0, 1))
    if first.utcoffset() != second.utcoffset():
        # Skipped times have their two readings the other way round.
        skipped = first.utcoffset() < second.utcoffset()  # type: ignore[operator]  # a zone has an offset
        why = "is skipped" if skipped else "comes twice"
        raise NoSuchMoment(f"{at:%H:%M} {why} on {day.isoformat()} in {zone.key}")
    return first


def on_the_wall(moment: datetime) -> datetime:
    """Return a moment as the co-op's wall clock shows it."""
    return moment.astimezone(clock.zone())


def after(moment: datetime, days: int) -> datetime:
    """Return the first evening that is at least so many days of the calendar after a moment."""
    began = on_the_wall(moment)
    day = began.date() + timedelta(days=days) + (ONE_DAY if began.time() > EVENING else timedelta(0))
    while True:
        try:
            return local(day, EVENING)
        except NoSuchMoment:
            day += ONE_DAY


def effect(*, starts: Starts, days: int, moment: datetime) -> datetime:
    """Return the first moment of that sort, at least so many days after a moment, at which a policy may begin."""
    earliest = on_the_wall(moment) + timedelta(days=days)
    if starts == Starts.AT_ONCE:
        return earliest
    if starts == Starts.YEAR:
        return clock.start_of(date(earliest.year + 1, JANUARY, 1))
    first = clock.day(earliest) if starts == Starts.DAY else clock.month(earliest)
    if clock.start_of(first) >= earliest:
        return clock.start_of(first)
    return clock.start_of(first + ONE_DAY if starts == Starts.DAY else months.after(first))
