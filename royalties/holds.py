"""Holds: royalties that are a payee's already and are not paid out yet, because what paid for them may still be undone.

A stolen card pays for one's own works in a night, and its owner notices within weeks. So royalties that were paid with
credit bought less than two weeks before the month's end wait a month, and those of a payee's first 30 days wait until
the 45th. What no payout had reached of a work's royalties when the work was suspended waits until the suspension ends.
Nothing of it is lost: it is carried forward, line by line, to the micro.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection

from members import clock, months
from royalties.id_shares import EVERYTHING, IdShare

FIRST_DAYS, FIRST_DAYS_UNTIL = 30, 45
FRESH = timedelta(days=14)

# A line of a suspended work is held whole. Any other is held in proportion to what of its work's charges is young,
# rounded up to the micro: never too little. A payee begins with the first charge under a sheet on which they stand
# (`since` is the moment of its group), for a work may have been heard long before somebody joins it.
HELD = """
WITH paid AS (
    SELECT p.person_id AS payee_id, b.month, b.released_at
      FROM royalties_payout p JOIN royalties_payoutbatch b ON b.id = p.batch_id
     WHERE p.state IN ('in-transit', 'booked')
), suspended AS (
    SELECT l.payee_id, sum(l.net_micros) AS net
      FROM catalog_suspension_facts s JOIN royalties_line l USING (work_id)
     WHERE l.month <= %(month)s AND l.payee_id BETWEEN %(first)s AND %(last)s
       AND NOT EXISTS (SELECT FROM paid p WHERE p.payee_id = l.payee_id AND p.month >= l.month
                          AND p.released_at < s.suspended_at)
     GROUP BY 1
), lines AS (
    SELECT l.payee_id, l.work_id, l.of_month, sum(l.net_micros) AS net, coalesce(min(g.since), '-infinity') AS since
      FROM royalties_line l
      LEFT JOIN royalties_group g ON g.month = l.of_month AND g.work_id = l.work_id AND g.revenue_seq = l.revenue_seq
                                 AND (g.sheet_id = l.sheet_id AND l.of_month = l.month
                                      OR g.sheet_id IS NULL AND g.released_in = l.month)
     WHERE l.month <= %(month)s AND l.of_month >= %(earliest)s AND l.payee_id BETWEEN %(first)s AND %(last)s
       AND l.work_id NOT IN (SELECT work_id FROM catalog_suspension_facts)
     GROUP BY 1, 2, 3
), gross AS (
    SELECT work_id, month AS of_month, sum(gross_micros) AS gross
      FROM royalties_group WHERE month BETWEEN %(earliest)s AND %(month)s GROUP BY 1, 2
), newcomers AS (
    SELECT payee_id FROM royalties_line WHERE payee_id IN (SELECT payee_id FROM lines)
     GROUP BY payee_id HAVING min(of_month) >= %(earliest)s
), days AS (
    SELECT work_id, day, date_trunc('month', day)::date AS of_month, sum(amount_micros) AS micros,
           max(charged_at) AS last_at
      FROM (SELECT work_id, charged_at, amount_micros,
                   (charged_at AT TIME ZONE (SELECT time_zone FROM members_zone_facts))::date AS day
              FROM playback_charge_facts
             WHERE charged_at >= %(from)s AND charged_at < %(until)s
               AND work_id IN (SELECT work_id FROM lines JOIN newcomers USING (payee_id))) AS theirs
     GROUP BY work_id, day
), began AS (
    SELECT payee_id, min(day) AS day
      FROM newcomers JOIN lines USING (payee_id) JOIN days USING (work_id, of_month)
     WHERE days.micros > 0 AND days.last_at >= lines.since GROUP BY 1 HAVING min(day) + %(first_days_until)s > %(today)s
), first_days AS (
    SELECT l.payee_id, l.work_id, l.of_month, sum(d.micros) AS micros
      FROM began b JOIN lines l USING (payee_id) JOIN days d USING (work_id, of_month)
     WHERE d.day < b.day + %(first_days)s GROUP BY 1, 2, 3
), fresh AS (
    SELECT work_id, coop_day(charged_at) AS day, sum(micros) AS micros
      FROM playback_fresh_charges(%(month_from)s, %(until)s, %(fresh)s) GROUP BY 1, 2
), young AS (
    SELECT l.payee_id, l.work_id, l.of_month, sum(f.micros) AS micros
      FROM fresh f JOIN lines l USING (work_id) LEFT JOIN began b USING (payee_id)
     WHERE l.of_month = %(month)s AND (b.day IS NULL OR f.day >= b.day + %(first_days)s) GROUP BY 1, 2, 3
)
SELECT payee_id, coalesce(first_days, 0), coalesce(fresh, 0), coalesce(s.net, 0)::bigint
  FROM (SELECT payee_id,
               sum(ceil(l.net * least(g.gross, greatest(0, coalesce(d.micros, 0))) / g.gross))::bigint AS first_days,
               sum(ceil(l.net * least(g.gross - least(g.gross, greatest(0, coalesce(d.micros, 0))),
                                      coalesce(y.micros, 0)) / g.gross))::bigint AS fresh
          FROM lines l JOIN gross g USING (work_id, of_month)
          LEFT JOIN first_days d USING (payee_id, work_id, of_month)
          LEFT JOIN young y USING (payee_id, work_id, of_month)
         WHERE d.micros > 0 OR y.micros > 0
         GROUP BY payee_id) AS young_ones
  FULL JOIN suspended s USING (payee_id)
"""


@dataclass(frozen=True, kw_only=True)
class Held:
    """What of a payee's royalties is not paid out yet, in micros.

    Of their first days, paid with fresh credit, and of works that are suspended.
    """

    first_days_micros: int = 0
    fresh_micros: int = 0
    suspended_micros: int = 0

    @property
    def micros(self) -> int:
        """Return all of it together."""
        return self.first_days_micros + self.fresh_micros + self.suspended_micros


def of(*, month: date, now: datetime, whose: IdShare = EVERYTHING) -> Mapping[UUID, Held]:
    """Return what is held when a month (its first day) is paid at `now`, for each payee of whom anything is.

    `whose` asks for payees of these ids alone.

    One query; it reads the charges of the newcomers' works and of listeners who bought credit late in the month.
    """
    today = clock.day(now)
    earliest = min(month, (today - timedelta(days=FIRST_DAYS_UNTIL)).replace(day=1))
    with connection.cursor() as cursor:
        cursor.execute(
            HELD,
            {
                **vars(whose),
                "month": month,
                "earliest": earliest,
                "from": clock.start_of(earliest),
                "month_from": clock.start_of(month),
                "until": clock.start_of(months.after(month)),
                "today": today,
                "first_days": FIRST_DAYS,
                "first_days_until": FIRST_DAYS_UNTIL,
                "fresh": FRESH,  # type: ignore[dict-item]  # psycopg takes intervals
            },
        )
        return {
            payee_id: Held(first_days_micros=first_days, fresh_micros=fresh, suspended_micros=suspended)
            for payee_id, first_days, fresh, suspended in cursor.fetchall()
        }
