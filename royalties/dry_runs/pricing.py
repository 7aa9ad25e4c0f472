"""The dry run of `pricing`: a month's charges, priced again as if every ladder had been the asked one from its start.

A play is priced by its number at what its work asks now, brought within the asked bounds; a play beyond the asked
ladder's end is of an owned work and costs nothing. A purchase stays the same part of the price. What a creator gets
follows each work's money. SQL counts the month once; the ladder is plain Python on what was counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from catalog import drawing, ladder
from members import clock, months, policies
from members.policies import Params
from members.voting import dry_runs
from members.voting.dry_runs import CAVEAT, Preview, Replay, Row, Stairs
from royalties.dry_runs import middle

LIVE = """
SELECT f.work_id, f.listener_id, f.play_number, CASE WHEN f.reversed_at IS NULL THEN 1 ELSE -1 END AS many,
       f.amount_micros AS micros
  FROM playback_charge_facts f
 WHERE f.charged_at >= %(begins)s AND f.charged_at < %(ends)s
   AND (f.reversed_at IS NULL OR f.reversed_at < %(closed_at)s)
"""
# By what works ask and by play number (null: purchases): of all listeners, and of those in the middle.
BY_LISTENERS = f"""
WITH live AS MATERIALIZED ({LIVE}), spent AS MATERIALIZED (
    SELECT listener_id, sum(micros)::bigint AS micros FROM live GROUP BY 1 HAVING sum(micros) > 0
), bounds AS MATERIALIZED ({middle.bounds_of("spent")}), chosen AS MATERIALIZED (
    SELECT listener_id FROM spent, bounds WHERE spent.micros BETWEEN least AND most
)
SELECT p.figure, l.play_number, sum(l.many)::bigint, sum(l.micros)::bigint,
       coalesce(sum(l.many) FILTER (WHERE c.listener_id IS NOT NULL), 0)::bigint,
       coalesce(sum(l.micros) FILTER (WHERE c.listener_id IS NOT NULL), 0)::bigint, (SELECT count(*) FROM chosen)
  FROM live l JOIN catalog_price_facts p USING (work_id) LEFT JOIN chosen c USING (listener_id)
 GROUP BY 1, 2
"""  # noqa: S608  (constants, joined)
# The same of one listener.
BY_ME = f"""
SELECT p.figure, l.play_number, sum(l.many)::bigint, sum(l.micros)::bigint
  FROM ({LIVE} AND f.listener_id = %(person)s) AS l JOIN catalog_price_facts p USING (work_id) GROUP BY 1, 2
"""  # noqa: S608  (constants, joined)
# What payees got of each euro that a work was paid: of the middle of all, or of one.
TO_CREATORS = """
WITH earned AS MATERIALIZED (
    SELECT payee_id, sum(net_micros)::bigint AS micros
      FROM royalties_line WHERE month = %(month)s AND of_month = %(month)s {of_whom}
     GROUP BY 1 HAVING sum(net_micros) > 0
), bounds AS MATERIALIZED ({bounds}), chosen AS MATERIALIZED (
    SELECT payee_id, micros FROM earned, bounds WHERE micros BETWEEN least AND most
), parts AS MATERIALIZED (
    SELECT l.work_id, sum(l.net_micros) AS net
      FROM royalties_line l JOIN chosen USING (payee_id)
     WHERE l.month = %(month)s AND l.of_month = %(month)s GROUP BY 1
), works AS MATERIALIZED (
    SELECT g.work_id, p.net / sum(g.gross_micros) AS part
      FROM royalties_group g JOIN parts p USING (work_id) WHERE g.month = %(month)s GROUP BY g.work_id, p.net
)
SELECT p.figure, l.play_number, sum(l.many * w.part), sum(l.micros * w.part),
       (SELECT count(*) FROM chosen), (SELECT sum(micros)::bigint FROM chosen)
  FROM works w JOIN ({live}) AS l USING (work_id) JOIN catalog_price_facts p USING (work_id)
 GROUP BY 1, 2
"""
BY_CREATORS = TO_CREATORS.format(of_whom="", bounds=middle.bounds_of("earned"), live=LIVE)
BY_MY_WORKS = TO_CREATORS.format(
    of_whom="AND payee_id = %(person)s", bounds="SELECT micros AS least, micros AS most FROM earned", live=LIVE
)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What some people paid or got in a month, in micros, and of how many plays and purchases it was made.

    `rows` are (figure of the work, play number or None for purchases, plays, micros); of creators only their part.
    """

    people: int
    micros: int
    rows: Sequence[tuple[int | None, int | None, Fraction, Fraction]]


@dataclass(frozen=True, kw_only=True)
class Month:
    """A month counted: everybody, the listeners in the middle, the creators in the middle."""

    together: Counted
    listeners: Counted
    creators: Counted


def replay(params: Params, month: date | None, now: datetime) -> Preview:
    """Price a month again: all of it, and the middle of each class. Three queries, or none."""
    if month is None:
        held = policies.policy_at("pricing", now).params
        return Preview(words="No month is sealed yet, so there is none to replay.", stairs=_stairs(held, params))
    counted: Month = dry_runs.kept("pricing", month, lambda: _count(month))
    held = dry_runs.held_at("pricing", clock.start_of(month), now=now)
    return Preview(
        words=(
            f"The charges of {month:%B %Y}, priced again as if the asked figures had held when every ladder began."
            " Works ask what they ask now; whoever is on a ladder keeps it in truth."
        ),
        caveat=f"{CAVEAT} The middle is the mean of the five or more in the middle of a class.",
        month=month,
        rows=(
            _row("Charged in all", counted.together, held, params, each=False),
            _row("A listener in the middle paid", counted.listeners, held, params),
            _row("A creator in the middle got", counted.creators, held, params),
        ),
        # The month is priced by what held in it; the stairs compare with what holds now.
        stairs=_stairs(policies.policy_at("pricing", now).params, params),
    )


def own(params: Params, month: date | None, now: datetime, person_id: UUID) -> tuple[Row, ...]:
    """Price again what one person paid and got. Three queries."""
    if month is None:
        return ()
    held, said = dry_runs.held_at("pricing", clock.start_of(month), now=now), {**_of(month), "person": person_id}
    spent = _ask(BY_ME, said)
    found = [Counted(people=1, micros=sum(row[3] for row in spent), rows=_rows(spent)), _creators(BY_MY_WORKS, said)]
    return tuple(
        _row(label, one, held, params)
        for label, one in zip(("You paid", "You got"), found, strict=True)
        if one.people and one.micros
    )


def _row(label: str, counted: Counted, held: Params, asked: Params, *, each: bool = True) -> Row:
    if not counted.people:
        return Row(label=label, before=None, after=None, unit="micros")
    people = counted.people if each else 1
    after = Fraction(0)
    for figure, number, plays, micros in counted.rows:
        price = _price(figure, asked)
        if number is None:
            before = _price(figure, held)
            after += micros * price / before if before else 0
        elif price and number <= int(asked["plays"]):
            after += plays * _steps(price, asked)[number - 1]
    return Row(label=label, before=counted.micros // people, after=round(after / people), unit="micros")


def _stairs(held: Params, asked: Params) -> Stairs:
    """Return both ladders of a work whose creator names no price, drawn on one scale."""
    before, after = (_steps(_price(None, figures), figures) for figures in (held, asked))
    first, last = min(before[0], after[0]), max(before[-1], after[-1])
    return Stairs(
        words="A work whose creator names no price",
        before=tuple(zip(before, drawing.heights(before, first=first, last=last), strict=True)),
        after=tuple(zip(after, drawing.heights(after, first=first, last=last), strict=True)),
    )


def _price(figure: int | None, params: Params) -> int:
    return ladder.price_now(
        figure,
        default=int(params["price_default_micros"]),
        price_min=int(params["price_min_micros"]),
        price_max=int(params["price_max_micros"]),
    )


def _steps(price: int, params: Params) -> list[int]:
    return _ladder(price, int(params["plays"]), int(params["growth_num"]), int(params["growth_den"]))


@lru_cache(maxsize=4_096)
def _ladder(price: int, plays: int, num: int, den: int) -> list[int]:
    return ladder.ladder(price, plays, num, den)


def _count(month: date) -> Month:
    found = _ask(BY_LISTENERS, _of(month))
    people = found[0][6] if found else 0
    return Month(
        together=Counted(people=len(found), micros=sum(row[3] for row in found), rows=_rows(found)),
        listeners=Counted(
            people=people,
            micros=sum(row[5] for row in found),
            rows=_rows((row[0], row[1], row[4], row[5]) for row in found if row[4] or row[5]),
        ),
        creators=_creators(BY_CREATORS, _of(month)),
    )


def _creators(question: str, said: dict[str, Any]) -> Counted:
    found = _ask(question, said)
    people, micros = found[0][4:6] if found else (0, 0)
    return Counted(people=people, micros=micros or 0, rows=_rows(found))


def _rows(found: Any) -> list[tuple[int | None, int | None, Fraction, Fraction]]:
    return [(row[0], row[1], Fraction(row[2]), Fraction(row[3])) for row in found]


def _of(month: date) -> dict[str, Any]:
    period = months.period(month)
    assert period is not None
    return {
        "month": month,
        "begins": clock.start_of(month),
        "ends": clock.start_of(months.after(month)),
        "closed_at": period.closed_at,
    }


def _ask(question: str, said: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, said)
        return cursor.fetchall()


REPLAY = Replay(together=replay, own=own, gather=lambda month: dry_runs.kept("pricing", month, lambda: _count(month)))
