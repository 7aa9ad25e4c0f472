"""The dry run of `surplus`: the last year whose books are locked, or what this one came to so far, divided again.

The division is `royalties.surplus` itself. What comes back to whoever buys their own record is guarded with everybody's
bought plays, for who bought whose is looked up only when a year is closed.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection

from members import clock, money, months, policies
from members.policies import Params
from members.voting.dry_runs import Preview, Replay, Row
from royalties import open_books, surplus
from royalties.open_books import Month

MONTHS = 12
CAVEAT = (
    "What a member gets of it depends on the year’s listening, which is drawn when the year is closed; so nobody’s own"
    " part is told here. The guard is asked with all bought plays."
)
NAMES = {"creators": "To creators", "listeners": "To listeners", "workers": "To workers"}
BASES = """
SELECT coalesce(sum(creators_micros * (gross_micros - promo_micros)::numeric / gross_micros), 0)::bigint,
       coalesce(sum(gross_micros - promo_micros), 0)::bigint
  FROM royalties_group WHERE month = ANY(%s)
"""


def replay(params: Params, _month: date | None, now: datetime) -> Preview:
    """Divide a year's result by the held and by the asked rates. Four queries."""
    found = _year(open_books.all_months(now=now))
    if not found:
        return Preview(words="No month’s books are locked yet, so there is no result to divide.", caveat=CAVEAT)
    year, whole = found[0].first.year, len(found) == MONTHS
    result = sum(month.result_micros or 0 for month in found)
    which = f"The result of {year}" if whole else f"The result of {year} so far, {len(found)} of its months"
    try:
        before, after = (_divide(result, found, figures, now) for figures in (_held(now), params))
    except surplus.NoSurplus:
        return Preview(words=f"{which}, leaves nothing to divide.", caveat=CAVEAT)
    rows = [
        Row(label=label, before=was, after=would_be, unit="cents")
        for label, was, would_be in (
            ("To the reserve, for good", before.reserve_cents, after.reserve_cents),
            ("To the common good", before.common_good_cents, after.common_good_cents),
            *((label, before.classes[name], after.classes[name]) for name, label in NAMES.items()),
        )
    ]
    at_once = [
        sum(pools.classes.values()) * int(figures["cash_ppm"]) // money.PPM
        for pools, figures in ((before, _held(now)), (after, params))
    ]
    rows.append(Row(label="Of these parts, at once at most", before=at_once[0], after=at_once[1], unit="cents"))
    return Preview(words=f"{which}: {money.show(result)}.", caveat=CAVEAT, rows=tuple(rows))


def _year(known: Sequence[Month]) -> list[Month]:
    """Return the locked months of the newest year of which all are, else of the newest of which any are."""
    by_year: dict[int, list[Month]] = {}
    for month in known:
        if month.state == open_books.LOCKED:
            by_year.setdefault(month.first.year, []).append(month)
    whole = [year for year, found in by_year.items() if len(found) == MONTHS]
    return by_year[max(whole or by_year)] if by_year else []


def _divide(result_micros: int, found: Sequence[Month], params: Params, now: datetime) -> surplus.Pools:
    with connection.cursor() as cursor:
        cursor.execute(BASES, [[month.first for month in found]])
        creators, listeners = cursor.fetchone()
    return surplus.pools(
        result_micros=result_micros,
        rates=surplus.Rates(
            reserve=int(params["reserve_ppm"]),
            common_good=int(params["common_good_ppm"]),
            classes={name: int(params[f"{name}_ppm"]) for name in surplus.CLASSES},
            cash=int(params["cash_ppm"]),
        ),
        bases={"creators": creators, "listeners": listeners},
        revenue=_revenue(found, now),
    )


def _revenue(found: Sequence[Month], now: datetime) -> list[tuple[int, int]]:
    """Return the rates that held at any time in these months."""
    begins, ends = clock.start_of(found[0].first), clock.start_of(months.after(found[-1].first))
    known = policies.versions("revenue", now)
    first = max(one.seq for one in known if one.effective_from <= begins)
    return [
        (int(one.params["creators_ppm"]), int(one.params["coop_ppm"]))
        for one in known
        if one.seq >= first and one.effective_from < ends
    ]


def _held(now: datetime) -> Params:
    return policies.policy_at("surplus", now).params


REPLAY = Replay(together=replay)
