"""The audience of a work as its own people see it: what was counted, and what the privacy floor lets be seen."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from catalog import people, publishing
from members import clock
from members.problems import NotFound
from playback import audience_counting as counting
from playback import privacy, sessions
from playback.audience_models import AudienceDay, AudienceMonth, OpeningCount
from playback.privacy import Day, is_shown

MONTHS_SHOWN = 36


@dataclass(frozen=True, kw_only=True)
class Month:
    """A month of a work's audience as its people may see it. `content` is null while the month is not settled.

    `days` are spans of days: `first`, `last`, `sessions`, `charged_micros`. What strangers heard is told once the month
    is over, for from day to day it would be told of one.
    """

    month: date
    content: dict[str, Any] | None
    days: list[dict[str, Any]]
    openings_by_strangers: int | None


@dataclass(frozen=True, kw_only=True)
class Audience:
    """The months of a work's audience, the newest first, and up to which day they were counted."""

    work_id: UUID
    title: str
    is_photo: bool
    counted_until: date | None
    months: list[Month]


def of(*, work_id: UUID, person_id: UUID, now: datetime) -> Audience:
    """Return the audience of a work to somebody whose work it is. Six queries. Raises NotFound to anyone else."""
    standing = publishing.standing(work_id=work_id, person_id=person_id, now=now)
    if not (standing.own or people.looks_on(work_id=work_id, person_id=person_id)):
        raise NotFound("there is no such work of yours")
    settled = {
        row.month: row.content
        for row in AudienceMonth.objects.filter(work_id=work_id).order_by("-month")[:MONTHS_SHOWN]
    }
    ended = counting.settled_until()
    running: dict[date, list[Day]] = defaultdict(list)
    days = AudienceDay.objects.filter(work_id=work_id)
    for row in days.filter(day__gt=ended) if ended else days:
        running[row.day.replace(day=1)].append(counting.from_row(row))
    strangers = _openings_by_strangers(work_id, clock.day(now))
    months = [
        Month(
            month=month,
            content=settled.get(month),
            days=settled[month]["days"]
            if month in settled
            else counting.days_of_spans(privacy.spans(running[month], over=False)),
            openings_by_strangers=strangers[month] if is_shown(strangers.get(month, 1)) else None,
        )
        for month in sorted({*settled, *running, *strangers}, reverse=True)[:MONTHS_SHOWN]
    ]
    return Audience(
        work_id=work_id,
        title=standing.title,
        is_photo=standing.kind == sessions.PHOTO,
        counted_until=counting.counted_until(now=now),
        months=months,
    )


def _openings_by_strangers(work_id: UUID, today: date) -> dict[date, int]:
    """Return how often the opening was heard without signing in, by month, for months that are over."""
    counts: dict[date, int] = defaultdict(int)
    rows = OpeningCount.objects.filter(work_id=work_id, day__lt=today.replace(day=1)).values_list("day", "count")
    for day, number in rows:
        counts[day.replace(day=1)] += number
    return counts
