"""The dry run of `revenue`: a sealed month divided again, group by group, as the run divides it."""

from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db import connection

from members import money, policies
from members.policies import Params
from members.voting.dry_runs import Preview, Replay, Row
from royalties.dry_runs import middle

CAVEAT = (
    "Prices and plays stay as they were; this cannot show whether people act differently."
    " The middle is the mean of the five or more in the middle of the class."
)
# `money.allocate` of two rates that sum to a million, of which the first is the larger one: the nearest whole micro.
DIVIDED = """
SELECT coalesce(sum(gross_micros), 0)::bigint, coalesce(sum(creators_micros), 0)::bigint,
       coalesce(sum((gross_micros * %(ppm)s + 500000) / 1000000), 0)::bigint
  FROM royalties_group WHERE month = %(month)s
"""
EARNED = """
WITH earned AS MATERIALIZED (
    SELECT payee_id, sum(net_micros)::bigint AS micros
      FROM royalties_line WHERE month = %(month)s AND of_month = %(month)s {of_whom}
     GROUP BY 1 HAVING sum(net_micros) > 0
), bounds AS MATERIALIZED ({bounds}), chosen AS MATERIALIZED (
    SELECT payee_id FROM earned, bounds WHERE micros BETWEEN least AND most
)
SELECT l.revenue_seq, sum(l.net_micros)::bigint, (SELECT count(*) FROM chosen)
  FROM royalties_line l JOIN chosen USING (payee_id)
 WHERE l.month = %(month)s AND l.of_month = %(month)s GROUP BY 1
"""
BY_CREATORS = EARNED.format(of_whom="", bounds=middle.bounds_of("earned"))
BY_ME = EARNED.format(of_whom="AND payee_id = %(person)s", bounds="SELECT micros AS least, micros AS most FROM earned")


def replay(params: Params, month: date | None, now: datetime) -> Preview:
    """Divide a sealed month again. Two queries, or none."""
    if month is None:
        return Preview(words="No month is sealed yet, so there is none to divide again.", caveat=CAVEAT)
    ((gross, creators, would_be),) = _ask(DIVIDED, month, ppm=params["creators_ppm"])
    label = "A creator in the middle got"
    return Preview(
        words=f"What was paid in {month:%B %Y}, {money.show(gross)}, divided again.",
        caveat=CAVEAT,
        month=month,
        rows=(
            Row(label="To the creators", before=creators, after=would_be, unit="micros"),
            Row(label="To the co-op", before=gross - creators, after=gross - would_be, unit="micros"),
            *(
                _each(label, _ask(BY_CREATORS, month), params, now)
                or (Row(label=label, before=None, after=None, unit="micros"),)
            ),
        ),
    )


def own(params: Params, month: date | None, now: datetime, person_id: UUID) -> tuple[Row, ...]:
    """Divide again what one person got; nothing for who got nothing. One query."""
    return _each("You got", _ask(BY_ME, month, person=person_id), params, now) if month else ()


def _each(label: str, found: list[tuple[Any, ...]], params: Params, now: datetime) -> tuple[Row, ...]:
    """Return what each of the chosen got and would have got: their parts, at the asked rate for that of their time."""
    if not found:
        return ()
    people = found[0][2]
    rates = {one.seq: int(one.params["creators_ppm"]) for one in policies.versions("revenue", now)}
    after = sum((Fraction(micros * int(params["creators_ppm"]), rates[seq]) for seq, micros, _ in found), Fraction(0))
    before = sum(micros for _, micros, _ in found)
    return (Row(label=label, before=before // people, after=round(after / people), unit="micros"),)


def _ask(question: str, month: date, **said: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, {"month": month, **said})
        return cursor.fetchall()


REPLAY = Replay(together=replay, own=own)
