"""Counting audiences: each day once its night is over, each month once it has ended. In a worker, safe to repeat."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from members import clock, locks, patience
from playback import privacy, sessions
from playback.audience_models import AudienceCounted, AudienceDay, AudienceMonth
from playback.privacy import Cell, Day, Span, is_shown

# A sitting that began before midnight may still be charged so long after it; a track heard out, somewhat longer.
NIGHT = sessions.RESUMED_WITHIN + sessions.QUOTE_LIVES
HEARD_OUT = sessions.PLAYLIST_MOST + NIGHT
ONE_DAY = timedelta(days=1)
DAYS_AT_ONCE = 40
# The constant that names the lock of the count: one count at a time.
COUNT_LOCK = 1_919_247_971
BLOCK = 500
BEFORE_ALL = date(1970, 1, 1)

COUNT_DAY = """
INSERT INTO playback_audienceday (work_id, day, sessions, paid_micros, payer_ids, unpaid_ids)
SELECT work_id, %(day)s, sum(sessions), sum(micros),
       coalesce((array_agg(DISTINCT listener_id) FILTER (WHERE micros > 0))[1:%(floor)s], '{}'),
       coalesce((array_agg(DISTINCT listener_id) FILTER (WHERE unpaid > 0))[1:%(floor)s], '{}')
  FROM (
    SELECT work_id, listener_id, count(*) AS sessions, 0 AS micros, count(*) FILTER (WHERE NOT paid) AS unpaid
      FROM playback_audience_sitting WHERE at >= %(from)s AND at < %(until)s GROUP BY 1, 2
    UNION ALL
    SELECT work_id, listener_id, 0, sum(amount_micros), 0
      FROM playback_charge WHERE charged_at >= %(from)s AND charged_at < %(until)s GROUP BY 1, 2
  ) facts GROUP BY work_id
"""

# One row for each cell of each table: what is counted, and by how many listeners. `all` holds the sums.
CELLS = """
WITH sitting AS MATERIALIZED (
    SELECT * FROM playback_audience_sitting WHERE at >= %(from)s AND at < %(until)s
), charge AS MATERIALIZED (
    SELECT work_id, listener_id, amount_micros, kind,
           CASE WHEN paid_after_micros = cap_after_micros THEN 'owning' ELSE play_number::text END AS number
      FROM playback_charge WHERE charged_at >= %(from)s AND charged_at < %(until)s
)
SELECT work_id, 'all' AS of, 'micros' AS key, sum(amount_micros)::bigint AS count,
       count(DISTINCT listener_id) AS listeners
  FROM charge GROUP BY work_id
UNION ALL
SELECT work_id, 'all', kind, count(*), count(DISTINCT listener_id) FROM charge GROUP BY 1, 3
UNION ALL
SELECT work_id, 'all', 'unpaid', count(*), count(DISTINCT listener_id) FROM sitting WHERE NOT paid GROUP BY 1
UNION ALL
SELECT work_id, CASE WHEN paid THEN 'paid' ELSE 'unpaid' END, outcome, count(*), count(DISTINCT listener_id)
  FROM sitting GROUP BY 1, 2, 3
UNION ALL
SELECT work_id, 'numbers', number, count(*), count(DISTINCT listener_id) FROM charge WHERE kind = 'play' GROUP BY 1, 3
UNION ALL
SELECT work_id, 'sources', source, count(*), count(DISTINCT listener_id) FROM sitting GROUP BY 1, 3
UNION ALL
SELECT s.work_id, 'countries', p.country, count(DISTINCT s.listener_id), count(DISTINCT s.listener_id)
  FROM sitting s JOIN members_person p ON p.id = s.listener_id GROUP BY 1, 3
ORDER BY 1
"""


def count(*, now: datetime) -> int:
    """Count the days whose night is over, oldest first, and settle the months that have ended; return how many days."""
    counted = 0
    for day in _days_to_count(now):
        counted += _count_day(day)
    for month in _months_to_settle(now):
        _settle(month)
    return counted


def count_all(*, now: datetime) -> None:
    """Count until nothing is left to count, as the hourly task does in the end."""
    while count(now=now):
        pass


def counted_until(*, now: datetime) -> date | None:
    """Return the last day that was counted, or None. One query."""
    last = AudienceCounted.objects.order_by("-day").first()
    return last.day if last is not None and last.day <= clock.day(now) else None


def settled_until() -> date | None:
    """Return the last day of the last month that was settled, or None. One query."""
    last = AudienceCounted.objects.filter(settled=True).order_by("-day").first()
    return last.day if last is not None else None


def paid_until(month: date) -> Iterator[tuple[UUID, date]]:
    """Yield each work's last day to whose end it may be told what was paid, of a month that runs.

    Works of which nothing may be told are left out. One query, read as it is needed.
    """
    after = (month + timedelta(days=32)).replace(day=1)
    rows = AudienceDay.objects.filter(day__gte=month, day__lt=after).order_by("work_id", "day")
    for work_id, days in groupby(rows.iterator(chunk_size=BLOCK), key=lambda row: row.work_id):
        last = privacy.paid_until(map(from_row, days))
        if last is not None:
            yield work_id, last


def settled_moment() -> datetime:
    """Return the moment up to which audiences are settled; sessions that began before it were counted for ever."""
    last = settled_until()
    return clock.start_of(last + ONE_DAY) if last is not None else clock.start_of(BEFORE_ALL)


def _days_to_count(now: datetime) -> list[date]:
    newest = clock.day(now - NIGHT) - ONE_DAY
    last = AudienceCounted.objects.order_by("-day").first()
    first = last.day + ONE_DAY if last is not None else _first_day()
    if first is None:
        return []
    return [first + timedelta(days=n) for n in range(min(DAYS_AT_ONCE, (newest - first).days + 1))]


def _first_day() -> date | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coop_day(least((SELECT min(began_at) FROM playback_session),"
            " (SELECT min(charged_at) FROM playback_charge)))"
        )
        first: date | None = cursor.fetchone()[0]
    return first


def _count_day(day: date) -> bool:
    with transaction.atomic():
        if not locks.is_ours(COUNT_LOCK) or AudienceCounted.objects.filter(day=day).exists():
            return False
        patience.take_time(minutes=20)
        bounds = {"from": clock.start_of(day), "until": clock.start_of(day + ONE_DAY)}
        with connection.cursor() as cursor:
            cursor.execute(COUNT_DAY, {"day": day, "floor": privacy.FLOOR, **bounds})
        AudienceCounted.objects.create(day=day)
    return True


def _months_to_settle(now: datetime) -> list[date]:
    """Return the first days of months that were counted to their end, are not settled, and are heard out."""
    open_days = AudienceCounted.objects.filter(settled=False).order_by("day").values_list("day", flat=True)
    lasts = [day for day in open_days if (day + ONE_DAY).day == 1]
    return [day.replace(day=1) for day in lasts if clock.start_of(day + ONE_DAY) + HEARD_OUT <= now]


def _settle(month: date) -> None:
    """Make the tables of a month, for every work that had an audience in it, and forget who it was."""
    after = (month + timedelta(days=32)).replace(day=1)
    with transaction.atomic():
        last = AudienceCounted.objects.filter(day=after - ONE_DAY, settled=False)
        if not locks.is_ours(COUNT_LOCK) or not last.exists():
            return
        patience.take_time(minutes=20)
        # The database keeps the rows: those of a month of a large catalogue would fill a worker's memory.
        with connection.chunked_cursor() as cursor:
            cursor.execute(CELLS, {"from": clock.start_of(month), "until": clock.start_of(after)})
            tables = _by_work(_rows(cursor))
            for block in _blocks(tables):
                days = _days_of([work_id for work_id, _ in block], month, after)
                AudienceMonth.objects.bulk_create(
                    AudienceMonth(work_id=work_id, month=month, content=_content(cells, days[work_id]))
                    for work_id, cells in block
                )
        AudienceDay.objects.filter(day__gte=month, day__lt=after).update(payer_ids=[], unpaid_ids=[])
        last.update(settled=True)


def _rows(cursor: Any) -> Iterator[tuple[UUID, str, Cell]]:
    while rows := cursor.fetchmany(BLOCK):
        for work_id, table, key, number, listeners in rows:
            yield work_id, table, Cell(key=key, count=int(number), listeners=listeners)


def _by_work(rows: Iterable[tuple[UUID, str, Cell]]) -> Iterator[tuple[UUID, dict[str, list[Cell]]]]:
    for work_id, group in groupby(rows, key=lambda row: row[0]):
        cells: dict[str, list[Cell]] = defaultdict(list)
        for _, table, cell in group:
            cells[table].append(cell)
        yield work_id, cells


def _blocks(tables: Iterator[Any]) -> Iterator[list[Any]]:
    while block := [table for _, table in zip(range(BLOCK), tables, strict=False)]:
        yield block


def _days_of(works: list[UUID], month: date, after: date) -> dict[UUID, list[Day]]:
    found: dict[UUID, list[Day]] = defaultdict(list)
    for row in AudienceDay.objects.filter(work_id__in=works, day__gte=month, day__lt=after):
        found[row.work_id].append(from_row(row))
    return found


def from_row(row: AudienceDay) -> Day:
    """Return a counted day as the rules of the floor see it."""
    return Day(
        day=row.day,
        sessions=row.sessions,
        paid_micros=row.paid_micros,
        payers=frozenset(row.payer_ids),
        unpaid=frozenset(row.unpaid_ids),
    )


def _content(cells: dict[str, list[Cell]], days: list[Day]) -> dict[str, Any]:
    """Return the month as it will be shown for ever: only what may be. Null stands for what is about too few.

    Plays, purchases and unpaid sessions are told apart in sums, never a purchase within a table: whoever knows two of
    three sums knows the third. Who is new among the owners is told where both ways to own may be.
    """
    sums = {cell.key: cell for cell in cells["all"]}
    plays, purchases, unpaid = (_sum(sums.get(key)) for key in ("play", "purchase", "unpaid"))
    both = plays is not None and unpaid is not None
    numbers = _table(cells["numbers"], shown=plays is not None)
    owning = (
        None
        if numbers is None or any(cell["key"] == privacy.OTHER for cell in numbers)
        else sum(cell["count"] for cell in numbers if cell["key"] == "owning")
    )
    return {
        # What was paid stands in the month's statement too, however few paid it.
        "charged_micros": sums["micros"].count if "micros" in sums else 0,
        "plays": plays,
        "purchases": purchases,
        "unpaid_sessions": unpaid,
        "sessions": plays + unpaid if plays is not None and unpaid is not None else None,
        "listeners": sum(cell.listeners for cell in cells["countries"]) if both else None,
        "new_owners": owning + purchases if owning is not None and purchases is not None else None,
        "paid": _table(cells["paid"], shown=plays is not None),
        "unpaid": _table(cells["unpaid"], shown=unpaid is not None),
        "numbers": numbers,
        "sources": _table(cells["sources"], shown=both),
        "countries": _table(cells["countries"], shown=both, apart=True),
        "days": days_of_spans(privacy.spans(days, over=True)),
    }


def days_of_spans(spans: list[Span]) -> list[dict[str, Any]]:
    """Return spans as they are kept and shown."""
    return [
        {
            "first": span.first.isoformat(),
            "last": span.last.isoformat(),
            "sessions": span.sessions,
            "charged_micros": span.paid_micros,
        }
        for span in spans
    ]


def _sum(cell: Cell | None) -> int | None:
    """Return a sum if it may be shown."""
    if cell is None:
        return 0
    return cell.count if is_shown(cell.listeners) else None


def _table(cells: list[Cell], *, shown: bool, apart: bool = False) -> list[dict[str, Any]] | None:
    """Return a folded table for keeping; of how many listeners a cell is stays here."""
    if not shown:
        return None
    return [{"key": cell.key, "count": cell.count} for cell in privacy.fold(cells, apart=apart)]
