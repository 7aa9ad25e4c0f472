"""Drawing a year: what counts of each group, what each member brought, and each one's part. One pass over the charges.

Eligible is the bought part of charges that stand when the year's last month closed and whose listener was at no time
in the year among those who run the work or are paid for it. Who is a member of which class is what the register says
at the year's end. Set-based; it divides by the rule of `members.money.allocate`, to which tests hold it equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from members import money, months, policies
from members.policies import Version
from royalties import surplus
from royalties.surplus import CLASSES, Pools, Rates
from royalties.year import closing
from royalties.year.models import FinancialYear

BIGINT_MOST = 2**63 - 1
# Who ran a work or was paid for it, at any time in the year.
OWN = """
CREATE TEMP TABLE own ON COMMIT DROP AS
SELECT work_id, person_id FROM catalog_manager_facts
 WHERE since < %(ends)s AND (until IS NULL OR until >= %(begins)s)
 UNION
SELECT s.work_id, p.payee_id
  FROM (SELECT work_id, sheet_id, in_force_from,
               lead(in_force_from, 1, 'infinity') OVER (PARTITION BY work_id ORDER BY in_force_from, version) AS until
          FROM catalog_sheet_facts) AS s
  JOIN catalog_payee_facts p USING (sheet_id)
 WHERE s.in_force_from < %(ends)s AND s.until >= %(begins)s
"""
# A charge is of the group of its work that began last: nothing of a group without a row is left.
SPANS = """
CREATE TEMP TABLE spans ON COMMIT DROP AS
SELECT id AS group_id, work_id, since, lead(since, 1, %(ends)s) OVER (PARTITION BY work_id ORDER BY since) AS until
  FROM royalties_group WHERE month BETWEEN %(first)s AND %(last)s
"""
DRAWN = """
CREATE TEMP TABLE drawn ON COMMIT DROP AS
SELECT g.group_id, f.listener_id AS person_id, royalties_sum(f.amount_micros - f.promo_micros) AS brought
  FROM playback_charge_facts f
  JOIN spans g ON g.work_id = f.work_id AND f.charged_at >= g.since AND f.charged_at < g.until
 WHERE f.charged_at >= %(begins)s AND f.charged_at < %(ends)s AND (reversed_at IS NULL OR reversed_at < %(closed)s)
   AND NOT EXISTS (SELECT FROM own o WHERE o.work_id = f.work_id AND o.person_id = f.listener_id)
 GROUP BY GROUPING SETS ((g.group_id), (f.listener_id))
HAVING royalties_sum(f.amount_micros - f.promo_micros) > 0
"""
ELIGIBLE = """
INSERT INTO royalties_eligible (year, month, work_id, sheet_id, sheet_version, revenue_seq, eligible_micros,
                                creators_micros)
SELECT %(year)s, g.month, g.work_id, g.sheet_id, g.sheet_version, g.revenue_seq, d.brought, creators
  FROM drawn d
  JOIN royalties_group g ON g.id = d.group_id
  JOIN unnest(%(seqs)s::int[], %(creators)s::bigint[], %(coops)s::bigint[]) AS r (seq, to_creators, to_coop)
       ON r.seq = g.revenue_seq
  CROSS JOIN LATERAL (SELECT brought %% 1000000 * to_creators AS for_creators,
                             brought %% 1000000 * to_coop AS for_coop) AS product
  CROSS JOIN LATERAL (SELECT brought / 1000000 * to_creators + for_creators / 1000000 + CASE
                                 WHEN for_creators %% 1000000 = 0 THEN 0
                                 WHEN for_creators %% 1000000 > for_coop %% 1000000 THEN 1
                                 WHEN for_creators %% 1000000 < for_coop %% 1000000 THEN 0
                                 ELSE (to_creators >= to_coop)::int
                             END AS creators) AS divided
 ORDER BY g.month, g.work_id, g.sheet_version NULLS FIRST, g.revenue_seq
"""
# Whose the creators' part of a group is says the run that paid it, within the year; what nobody was paid is nobody's.
EARNED = """
CREATE TEMP TABLE earned ON COMMIT DROP AS
SELECT person_id, royalties_sum(part + (place <= remainders / 1000000)::int) AS brought
  FROM (SELECT person_id, part, royalties_sum(remainder) OVER one_group AS remainders,
               row_number() OVER (one_group ORDER BY remainder DESC, share_ppm DESC, line_number) AS place
          FROM (SELECT e.id, l.payee_id AS person_id, l.share_ppm, l.line_number,
                       creators_micros / 1000000 * share_ppm + creators_micros %% 1000000 * share_ppm / 1000000 AS part,
                       creators_micros %% 1000000 * share_ppm %% 1000000 AS remainder
                  FROM royalties_eligible e
                  JOIN royalties_line l
                       ON l.work_id = e.work_id AND l.of_month = e.month AND l.revenue_seq = e.revenue_seq
                      AND (l.sheet_id = e.sheet_id AND l.month = l.of_month
                           OR e.sheet_id IS NULL AND l.month > l.of_month)
                 WHERE e.year = %(year)s AND l.month BETWEEN %(first)s AND %(last)s) AS parts
        WINDOW one_group AS (PARTITION BY id)) AS placed
 GROUP BY person_id
"""
WORKED = """
CREATE TEMP TABLE worked ON COMMIT DROP AS
SELECT person_id, sum(minutes)::bigint AS brought FROM members_worked_facts
 WHERE worked_on >= %(first)s AND worked_on < %(following)s AND approved_at <= %(closed_year)s GROUP BY person_id
"""
WEIGHED = """
CREATE TEMP TABLE weighed ON COMMIT DROP AS
SELECT p.number, p.person_id, s.brought
  FROM members_place_facts p JOIN {source} s USING (person_id)
 WHERE p.member_class = %(place)s AND p.since < %(ends)s AND (p.until IS NULL OR p.until >= %(ends)s) AND s.brought > 0
"""
# The last place is that of all who are no members of the class, together; its part is not written.
SHARED = """
INSERT INTO royalties_patronage (year, line, member_class, number, person_id, patronage, cents, cash_cents)
SELECT %(year)s, %(lines)s + row_number() OVER (ORDER BY number), %(name)s, number, person_id, brought, cents,
       CASE WHEN cash >= %(least)s THEN cash ELSE 0 END
  FROM (SELECT number, person_id, brought, part + (place <= %(pool)s - parts)::int AS cents
          FROM (SELECT number, person_id, brought, part, royalties_sum(part) OVER () AS parts,
                       row_number() OVER (ORDER BY remainder DESC, brought DESC, number NULLS LAST) AS place
                  FROM (SELECT number, person_id, brought, ({divided})::bigint AS part,
                               product %% %(whole)s::bigint AS remainder
                          FROM (SELECT number, person_id, brought, %(pool)s::{exact} * brought AS product FROM weighed
                                 UNION ALL
                                SELECT NULL, NULL, %(others)s::bigint, %(pool)s::{exact} * %(others)s::bigint
                               ) AS weights) AS divided) AS placed) AS shared
  CROSS JOIN LATERAL (SELECT (cents * %(cash_ppm)s + 999999) / 1000000 AS cash) AS at_once
 WHERE person_id IS NOT NULL
"""
# Where every product fits a bigint, that is several times as quick.
DIVIDED = {"bigint": "product / %(whole)s::bigint", "numeric": "div(product, %(whole)s::numeric)"}
SUMS = """
SELECT count(*), coalesce(sum(cents), 0)::bigint, coalesce(sum(cash_cents), 0)::bigint
  FROM royalties_patronage WHERE year = %(year)s AND member_class = %(name)s
"""
# Each class's table of what was brought, and the place in the register that makes a member of it.
SOURCES = {"creators": ("earned", "creator"), "listeners": ("drawn", "listener"), "workers": ("worked", "worker")}


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """How a year's result is divided: the figures, all whole numbers and words, and how many lines members have."""

    figures: dict[str, Any]
    lines: int


def draw(year: FinancialYear) -> Drawn | None:
    """Draw what counts in a year and share it out, or return None where there is nothing to share.

    Inside a transaction. Reads each charge of the year once.
    """
    if year.result_micros - year.shortfall_micros < money.MICROS_PER_CENT:
        return None
    first, last = closing.months_of(year.year)
    begins, ends = closing.bounds(year.year)
    closed = months.period(last)
    assert closed is not None
    assert closed.closed_at is not None
    given: dict[str, Any] = {
        "year": year.year,
        "first": first,
        "last": last,
        "following": months.after(last),
        "begins": begins,
        "ends": ends,
        "closed": closed.closed_at,
        "closed_year": year.closed_at,
    }
    revenue = list(revenue_of(begins, ends, now=year.closed_at))
    policy = policies.policy_at("surplus", begins)
    with connection.cursor() as cursor:
        _gather(cursor, given, revenue)
        bases = _bases(cursor, given)
        pools = surplus.pools(
            result_micros=year.result_micros - year.shortfall_micros,
            rates=rates_of(policy),
            bases=bases,
            revenue=[_rates(version) for version in revenue],
        )
        lines, classes = 0, {}
        for name in CLASSES:
            source, place = SOURCES[name]
            cursor.execute(WEIGHED.format(source=source), given | {"place": place})
            shared = share_out(
                cursor,
                year=year.year,
                name=name,
                pool_cents=pools.classes[name],
                whole=bases[name],
                cash_ppm=int(policy.params["cash_ppm"]),
                lines=lines,
            )
            lines += shared["members"]
            classes[name] = shared
    return Drawn(figures=_figures(year, policy, revenue, pools, classes), lines=lines)


def rates_of(policy: Version) -> Rates:
    """Return a version of `surplus` as the division takes it."""
    said = policy.params
    return Rates(
        reserve=int(said["reserve_ppm"]),
        common_good=int(said["common_good_ppm"]),
        classes={name: int(said[f"{name}_ppm"]) for name in CLASSES},
        cash=int(said["cash_ppm"]),
    )


def revenue_of(begins: datetime, ends: datetime, *, now: datetime) -> Iterator[Version]:
    """Yield the versions of `revenue` that held at some moment of a stretch of time."""
    found = policies.versions("revenue", now)
    for version, until in zip(found, [*(later.effective_from for later in found[1:]), None], strict=True):
        if version.effective_from < ends and (until is None or until > begins):
            yield version


def share_out(
    cursor: CursorWrapper, *, year: int, name: str, pool_cents: int, whole: int, cash_ppm: int, lines: int
) -> dict[str, int]:
    """Write the lines of one class's members in the table `weighed`, after `lines` others; return the class's sums.

    `whole` is the class's patronage, members' or not. The table is gone then.
    """
    cursor.execute("SELECT coalesce(sum(brought), 0)::bigint FROM weighed")
    members = int(cursor.fetchone()[0])
    if whole:
        exact = "bigint" if pool_cents * whole <= BIGINT_MOST else "numeric"
        pot: dict[str, Any] = {
            "year": year,
            "name": name,
            "pool": pool_cents,
            "whole": whole,
            "others": whole - members,
        }
        given = pot | {"lines": lines, "cash_ppm": cash_ppm, "least": surplus.CASH_LEAST_CENTS}
        cursor.execute(SHARED.format(exact=exact, divided=DIVIDED[exact]), given)
    cursor.execute("DROP TABLE weighed")
    cursor.execute(SUMS, {"year": year, "name": name})
    many, cents, cash = cursor.fetchone()
    return {
        "pool_cents": pool_cents,
        "patronage": whole,
        "others_patronage": whole - members,
        "members": many,
        "members_cents": cents,
        "reserve_cents": pool_cents - cents,
        "cash_cents": cash,
        "retained_cents": cents - cash,
    }


def _gather(cursor: CursorWrapper, given: dict[str, Any], revenue: list[Version]) -> None:
    for table, sql in (("own", OWN), ("spans", SPANS), ("drawn", DRAWN)):
        cursor.execute(sql, given)
        cursor.execute(f"ANALYZE {table}")
    rates = [_rates(version) for version in revenue]
    by_seq = {
        "seqs": [version.seq for version in revenue],
        "creators": [creators for creators, _ in rates],
        "coops": [coop for _, coop in rates],
    }
    cursor.execute(ELIGIBLE, given | by_seq)
    cursor.execute(EARNED, given)
    cursor.execute(WORKED, given)


def _bases(cursor: CursorWrapper, given: dict[str, Any]) -> dict[str, int]:
    """Return the patronage of each class, members' or not."""
    cursor.execute(
        "SELECT coalesce(sum(creators_micros), 0)::bigint, coalesce(sum(eligible_micros), 0)::bigint,"
        " (SELECT coalesce(sum(brought), 0)::bigint FROM worked) FROM royalties_eligible WHERE year = %(year)s",
        given,
    )
    return dict(zip(CLASSES, map(int, cursor.fetchone()), strict=True))


def _rates(version: Version) -> tuple[int, int]:
    return int(version.params["creators_ppm"]), int(version.params["coop_ppm"])


def _figures(
    year: FinancialYear, policy: Version, revenue: list[Version], pools: Pools, classes: dict[str, dict[str, int]]
) -> dict[str, Any]:
    """Return what members are asked to decide, in the one form that is signed: whole numbers and words."""
    guard, said = pools.guard, policy.params
    by_rate, *_ = money.allocate(
        pools.result_cents,
        [
            int(said["reserve_ppm"]),
            int(said["common_good_ppm"]),
            money.PPM - int(said["reserve_ppm"]) - int(said["common_good_ppm"]),
        ],
    )
    lowest = min(revenue, key=lambda version: _rates(version)[1])
    return {
        "year": year.year,
        "result_micros": year.result_micros,
        "shortfall_micros": year.shortfall_micros,
        "result_cents": pools.result_cents,
        "surplus_version": policy.seq,
        "params": dict(said),
        "reserve_cents": by_rate,
        "guard_reserve_cents": pools.reserve_cents - by_rate,
        "common_good_cents": pools.common_good_cents,
        "classes": classes,
        "guard": {
            "revenue_version": lowest.seq,
            "creators_ppm": guard.creators_ppm,
            "coop_ppm": guard.coop_ppm,
            "comes_back": _fraction(guard.comes_back),
            "scale_ppm": guard.scale_ppm,
        },
        "stays_cents": pools.result_cents - pools.common_good_cents - _sum(classes, "members_cents"),
        "cash_cents": _sum(classes, "cash_cents"),
    }


def _sum(classes: dict[str, dict[str, int]], name: str) -> int:
    return sum(one[name] for one in classes.values())


def _fraction(number: Fraction) -> str:
    return f"{number.numerator}/{number.denominator}"
