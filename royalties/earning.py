"""What was earned: charges become groups, groups become payees' lines. Set-based, exact, the same again each time.

A group is a work under one split sheet and one version of `revenue`. Its gross is divided once, into the creators' and
the co-op's part, and the creators' part once more by the sheet: dividing each play would drift, always towards the same
person. SQL divides by the rule of `members.money.allocate`, and tests hold the two equal. Weights sum to a million
here, so `x * w / 1000000` is `x / 1000000 * w + x % 1000000 * w / 1000000`: exact, and never beyond a bigint.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from members import clock, months, policies
from royalties import periods
from royalties.id_shares import EVERYTHING, IdShare

ONE_DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)

# When a work's sheet changed within a stretch of time, and until when the sheet then held. Few works do that.
CHANGES = """
SELECT coalesce(array_agg(work_id), '{}'), coalesce(array_agg(since), '{}'), coalesce(array_agg(until), '{}')
  FROM (SELECT work_id, since, lead(since, 1, %(ends)s) OVER (PARTITION BY work_id ORDER BY since) AS until
          FROM (SELECT DISTINCT work_id, in_force_from AS since FROM catalog_sheet_facts
                 WHERE in_force_from > %(begins)s AND in_force_from < %(ends)s) AS begun) AS changes
"""
# The moment since when the sheet of a charge `f` is the one in force: the change before it, or else the stretch's
# beginning. The changes come as values, for PostgreSQL then reads with several processes.
CHANGED = """
  LEFT JOIN unnest(%(works)s::uuid[], %(sinces)s::timestamptz[], %(untils)s::timestamptz[])
            AS changed (work_id, since, until)
         ON changed.work_id = f.work_id AND f.charged_at >= changed.since AND f.charged_at < changed.until
"""
SINCE = "coalesce(changed.since, %(begins)s)"
# Live charges of a stretch of time, what came back of them taken off.
LIVE = "charged_at >= %(begins)s AND charged_at < %(ends)s AND (reversed_at IS NULL OR reversed_at < %(closed)s)"

CHARGED = f"SELECT work_id, charged_at, amount_micros, promo_micros FROM playback_charge_facts WHERE {LIVE}"  # noqa: S608  (constants, joined)
# The same from what postings summed by work and day, each sum standing at its day's beginning; only of works whose
# sheet changed within a day that day's charges are read themselves. `count` holds every group against its charges.
POSTED = f"""
SELECT work_id, day::timestamp AT TIME ZONE (SELECT time_zone FROM members_zone_facts) AS charged_at, amount_micros,
       promo_micros
  FROM royalties_postedwork p
 WHERE day >= %(first_day)s AND day <= %(last_day)s
   AND NOT EXISTS (SELECT FROM unnest(%(split_works)s::uuid[], %(split_days)s::date[]) AS split (work_id, day)
                    WHERE split.work_id = p.work_id AND split.day = p.day)
 UNION ALL
SELECT work_id, charged_at, amount_micros, promo_micros
  FROM playback_charge_facts
  JOIN unnest(%(split_works)s::uuid[], %(split_begin)s::timestamptz[], %(split_end)s::timestamptz[])
       AS split (work_id, day_begins, day_ends) USING (work_id)
 WHERE {LIVE} AND charged_at >= day_begins AND charged_at < day_ends
   AND charged_at >= %(splits_from)s AND charged_at < %(splits_until)s
"""  # noqa: S608  (as above)
# A table for one transaction: PostgreSQL reads with several processes into a new table, and not into one that is there.
GATHER = f"""
CREATE TEMP TABLE gathered ON COMMIT DROP AS
SELECT f.work_id, {SINCE} AS since, royalties_sum(amount_micros) AS gross_micros,
       royalties_sum(promo_micros) AS promo_micros
  FROM ({{rows}}) AS f {CHANGED}
 GROUP BY f.work_id, changed.since HAVING royalties_sum(amount_micros) > 0
"""  # noqa: S608  (as above)

# The larger remainder gets the micro that is left; of two equal ones the larger weight, then the creators.
DIVIDE = """
INSERT INTO royalties_group (month, work_id, sheet_id, sheet_version, revenue_seq, since, gross_micros, promo_micros,
                             creators_micros, coop_micros)
SELECT %(month)s, g.work_id, s.sheet_id, s.version, %(seq)s, g.since, gross_micros, promo_micros, creators,
       gross_micros - creators
  FROM gathered g
  CROSS JOIN LATERAL (SELECT gross_micros %% 1000000 * %(creators)s AS for_creators,
                             gross_micros %% 1000000 * %(coop)s AS for_coop) AS product
  CROSS JOIN LATERAL (SELECT gross_micros / 1000000 * %(creators)s + for_creators / 1000000 + CASE
                                 WHEN for_creators %% 1000000 = 0 THEN 0
                                 WHEN for_creators %% 1000000 > for_coop %% 1000000 THEN 1
                                 WHEN for_creators %% 1000000 < for_coop %% 1000000 THEN 0
                                 ELSE (%(creators)s >= %(coop)s)::int
                             END AS creators) AS divided
  LEFT JOIN (SELECT work_id, sheet_id, version, in_force_from,
                    lead(in_force_from, 1, 'infinity') OVER (PARTITION BY work_id ORDER BY in_force_from, version)
                        AS in_force_until
               FROM catalog_sheet_facts) AS s
         ON s.work_id = g.work_id AND s.in_force_from <= g.since AND g.since < s.in_force_until
 ORDER BY g.work_id
"""

# The first sheet of a work that was in force before the month ended releases what had none.
RELEASE = """
UPDATE royalties_group g SET released_in = %(month)s
 WHERE g.month < %(month)s AND g.sheet_id IS NULL AND g.released_in IS NULL
   AND g.work_id BETWEEN %(first)s AND %(last)s
   AND EXISTS (SELECT FROM catalog_sheet_facts s WHERE s.work_id = g.work_id AND s.in_force_from < %(ends)s)
"""

LINES = """
INSERT INTO royalties_line (month, work_id, of_month, sheet_id, revenue_seq, line_number, payee_id, share_ppm,
                            net_micros)
SELECT %(month)s, work_id, of_month, sheet_id, revenue_seq, line_number, payee_id, share_ppm,
       part + (row_number() OVER (one_group ORDER BY remainder DESC, share_ppm DESC, line_number)
               <= royalties_sum(remainder) OVER one_group / 1000000)::int
  FROM (SELECT payable.*, line_number, payee_id, share_ppm,
               creators_micros / 1000000 * share_ppm + creators_micros %% 1000000 * share_ppm / 1000000 AS part,
               creators_micros %% 1000000 * share_ppm %% 1000000 AS remainder
          FROM (SELECT work_id, month AS of_month, sheet_id, revenue_seq, creators_micros
                  FROM royalties_group
                 WHERE month = %(month)s AND sheet_id IS NOT NULL
                   AND work_id BETWEEN %(first)s AND %(last)s
                 UNION ALL
                SELECT g.work_id, g.month, s.sheet_id, g.revenue_seq, g.creators_micros
                  FROM royalties_group g
                  CROSS JOIN LATERAL (SELECT sheet_id FROM catalog_sheet_facts s
                                       WHERE s.work_id = g.work_id AND s.in_force_from < %(ends)s
                                       ORDER BY in_force_from, version DESC LIMIT 1) AS s
                 WHERE g.month < %(month)s AND g.sheet_id IS NULL AND g.released_in = %(month)s
                   AND g.work_id BETWEEN %(first)s AND %(last)s) AS payable
          JOIN catalog_payee_facts USING (sheet_id)) AS parts
WINDOW one_group AS (PARTITION BY work_id, of_month, sheet_id, revenue_seq)
"""

# Every charge is looked at once, for three questions: which play it was (0 for a purchase), whose, and whether its
# group is the sum of its charges. The answer is a work of which that is not so.
COUNT = f"""
WITH counted AS (
    SELECT work_id, since, number, listener_id, GROUPING(listener_id) = 1 AS by_number, sum(sign) AS live,
           royalties_sum(amount_micros) AS gross_micros, royalties_sum(refunded) AS refunded_micros
      FROM (SELECT f.work_id, {SINCE} AS since, coalesce(play_number, 0) AS number, listener_id, amount_micros,
                   CASE WHEN reversed_at IS NULL THEN 1 ELSE -1 END AS sign,
                   CASE WHEN reversed_at IS NULL THEN 0 ELSE -amount_micros END AS refunded
              FROM playback_charge_facts f {CHANGED}
             WHERE {LIVE} AND f.work_id BETWEEN %(first)s AND %(last)s) AS live
     GROUP BY GROUPING SETS ((work_id, since, number), (work_id, since, listener_id))
), told AS (
    UPDATE royalties_group g
       SET plays_by_number = ARRAY(SELECT coalesce(found.lives[array_position(found.numbers, n)], 0)
                                     FROM generate_series(1, coalesce(found.numbers[cardinality(found.numbers)], 0)) n
                                    ORDER BY n),
           purchases = found.purchases, listeners = found.listeners, refunded_micros = found.refunded_micros
      FROM (SELECT work_id, since,
                   array_agg(number ORDER BY number) FILTER (WHERE by_number AND number > 0 AND live > 0) AS numbers,
                   array_agg(live::bigint ORDER BY number) FILTER (WHERE by_number AND number > 0 AND live > 0)
                       AS lives,
                   royalties_sum(live) FILTER (WHERE by_number AND number = 0) AS purchases,
                   count(*) FILTER (WHERE NOT by_number AND live > 0) AS listeners,
                   royalties_sum(gross_micros) FILTER (WHERE by_number) AS gross_micros,
                   royalties_sum(refunded_micros) FILTER (WHERE by_number) AS refunded_micros
              FROM counted GROUP BY 1, 2) AS found
     WHERE g.month = %(month)s AND g.work_id = found.work_id AND g.since = found.since
    RETURNING g.work_id, g.gross_micros <> found.gross_micros AS differs
)
SELECT work_id FROM told WHERE differs LIMIT 1
"""  # noqa: S608  (as above)
UNCOUNTED = "SELECT work_id FROM royalties_group WHERE month = %(month)s AND listeners IS NULL LIMIT 1"

# Of works with lines that are not their group's creators' part: there are none, or the month is not sealed.
UNEQUAL = """
SELECT work_id, of_month FROM (
    SELECT work_id, of_month, sheet_id, revenue_seq, sum(net_micros) AS lines, 0 AS creators
      FROM royalties_line WHERE month = %(month)s GROUP BY 1, 2, 3, 4
     UNION ALL
    SELECT work_id, month, sheet_id, revenue_seq, 0, creators_micros
      FROM royalties_group WHERE month = %(month)s AND sheet_id IS NOT NULL
     UNION ALL
    SELECT g.work_id, g.month, s.sheet_id, g.revenue_seq, 0, g.creators_micros
      FROM royalties_group g
      CROSS JOIN LATERAL (SELECT sheet_id FROM catalog_sheet_facts s WHERE s.work_id = g.work_id
                           ORDER BY in_force_from, version DESC LIMIT 1) AS s
     WHERE g.released_in = %(month)s) AS both_sides
 GROUP BY work_id, of_month, sheet_id, revenue_seq HAVING sum(lines) <> sum(creators) LIMIT 1
"""
GROUPED = """
SELECT coalesce(sum(gross_micros), 0)::bigint, coalesce(sum(creators_micros), 0)::bigint,
       coalesce(sum(creators_micros) FILTER (WHERE sheet_id IS NULL), 0)::bigint
  FROM royalties_group WHERE month = %(month)s
"""
LINED = """
SELECT coalesce(sum(net_micros) FILTER (WHERE of_month = month), 0)::bigint,
       coalesce(sum(net_micros) FILTER (WHERE of_month < month), 0)::bigint
  FROM royalties_line WHERE month = %(month)s
"""
# Read from the charges themselves, without groups: what the month moved, and what came back too late to be its own.
MOVED = """
SELECT coalesce(sum(amount_micros) FILTER (WHERE reversed_at IS NULL OR reversed_at < %(closed)s), 0)::bigint
  FROM playback_charge_facts WHERE charged_at >= %(begins)s AND charged_at < %(ends)s
"""
BORNE = """
SELECT coalesce(-sum(f.amount_micros), 0)::bigint FROM playback_charge_facts f
  JOIN unnest(%(all_begin)s::timestamptz[], %(all_end)s::timestamptz[], %(all_closed)s::timestamptz[])
       AS m (begins, ends, closed) ON f.charged_at >= m.begins AND f.charged_at < m.ends AND f.reversed_at >= m.closed
 WHERE f.reversed_at >= %(begins)s AND f.reversed_at < %(ends)s
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which charges are read and which tables written: a run's, unless the same division is asked for elsewhere.

    `closed_at` is the moment until which what is given back counts; None asks the month.
    """

    charges: str = "playback_charge_facts"
    groups: str = "royalties_group"
    lines: str = "royalties_line"
    closed_at: datetime | None = None

    def of(self, sql: str) -> str:
        """Return a statement of this module for this place."""
        names = {"playback_charge_facts": self.charges, "royalties_group": self.groups, "royalties_line": self.lines}
        for usual, here in names.items():
            sql = sql.replace(usual, here)
        return sql


THE_RUN = Place()


class NotEqual(Exception):
    """An equation of the seal does not hold; the message says which. The month stays unsealed."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A month's sums in micros, as `Run` keeps them."""

    gross_micros: int
    creators_micros: int
    coop_micros: int
    held_micros: int
    released_micros: int
    refunds_borne_micros: int


def start_over(month: date) -> None:
    """Take away what an earlier, unsealed try wrote. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT royalties_start_over(%s)", [month])


def gather(month: date, *, place: Place = THE_RUN) -> None:
    """Write the month's groups, each divided between creators and co-op.

    Reads what postings summed, which is all of the month once its run has posted the rest; elsewhere than in a run,
    and where `revenue` changed within a day, each charge once.
    """
    with connection.cursor() as cursor:
        for stretch in _stretches(month, place.closed_at):
            changes = _changes(stretch)
            is_posted = place is THE_RUN and all(_is_midnight(stretch[end]) for end in ("begins", "ends"))
            rows, given = (POSTED, _splits(changes, stretch)) if is_posted else (CHARGED, {})
            cursor.execute(place.of(GATHER.format(rows=rows)), stretch | changes | given)
            cursor.execute("ANALYZE gathered")
            cursor.execute(place.of(DIVIDE), stretch)
            cursor.execute("DROP TABLE gathered")
        cursor.execute(place.of("ANALYZE royalties_group"))


def line(month: date, works: IdShare = EVERYTHING, *, place: Place = THE_RUN) -> None:
    """Write the lines of a share of the works: of the month's groups, and of held ones that have a sheet now."""
    given = {"month": month, "ends": periods.bounds(month)[1], **vars(works)}
    with connection.cursor() as cursor:
        cursor.execute(place.of(RELEASE), given)
        cursor.execute(place.of(LINES), given)


def count(month: date, works: IdShare = EVERYTHING) -> None:
    """Count plays by number, purchases and listeners of a share of the works, and hold each group against its charges.

    Raises NotEqual.
    """
    with connection.cursor() as cursor:
        for stretch in _stretches(month):
            cursor.execute(COUNT, stretch | _changes(stretch) | vars(works))
            if unequal := cursor.fetchone():
                raise NotEqual(f"what work {unequal[0]} earned is not the sum of its charges")


def check(month: date) -> Figures:
    """Return the month's figures once the seal's equations were found to hold. Raises NotEqual."""
    begins, ends = periods.bounds(month)
    closed = months.closed_until(month)
    bounds = [periods.bounds(one.starts_on) for one in closed]
    given: dict[str, Any] = {
        "month": month,
        "begins": begins,
        "ends": ends,
        "closed": closed[-1].closed_at,
        "all_begin": [first for first, _ in bounds],
        "all_end": [last for _, last in bounds],
        "all_closed": [one.closed_at for one in closed],
    }
    with connection.cursor() as cursor:
        # What follows joins the month's lines, and a planner that knows none of them takes them one by one.
        cursor.execute("ANALYZE royalties_line, royalties_group")

        def ask(sql: str) -> tuple[Any, ...]:
            cursor.execute(sql, given)
            return cursor.fetchone() or ()

        if uncounted := ask(UNCOUNTED):
            raise NotEqual(f"of work {uncounted[0]} no charge was found")
        if unequal := ask(UNEQUAL):
            raise NotEqual(f"the lines of work {unequal[0]} are not the creators' part of {unequal[1]:%Y-%m}")
        gross, creators, held = ask(GROUPED)
        own, released = ask(LINED)
        (moved,), (borne,) = ask(MOVED), ask(BORNE)
    if creators != own + held:
        raise NotEqual(f"the creators' part is {creators}, its lines {own} and what is held {held}")
    if gross != moved:
        raise NotEqual(f"the groups sum to {gross}, the month's charges and reversals to {moved}")
    return Figures(
        gross_micros=gross,
        creators_micros=creators,
        coop_micros=gross - creators,
        held_micros=held,
        released_micros=released,
        refunds_borne_micros=borne,
    )


def _changes(stretch: dict[str, Any]) -> dict[str, Any]:
    """Return the changes of sheets within a stretch of time."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGES, stretch)
        return dict(zip(("works", "sinces", "untils"), cursor.fetchone(), strict=True))


def _splits(changes: dict[str, Any], stretch: dict[str, Any]) -> dict[str, Any]:
    """Return the works whose sheet changed within a day, each with that day, and the days of a stretch of time."""
    found = [
        (work, clock.day(since))
        for work, since in zip(changes["works"], changes["sinces"], strict=True)
        if not _is_midnight(since)
    ]
    found = sorted(set(found))
    days = [day for _, day in found]
    begins, ends = ([clock.start_of(day + later) for day in days] for later in (timedelta(0), ONE_DAY))
    return {
        "first_day": clock.day(stretch["begins"]),
        "last_day": clock.day(stretch["ends"] - MICROSECOND),
        "split_works": [work for work, _ in found],
        "split_days": days,
        "split_begin": begins,
        "split_end": ends,
        # Nothing is read where nothing is split.
        "splits_from": min(begins, default=stretch["ends"]),
        "splits_until": max(ends, default=stretch["ends"]),
    }


def _is_midnight(moment: datetime) -> bool:
    return clock.start_of(clock.day(moment)) == moment


def _closed(month: date) -> months.Period:
    known = months.period(month)
    assert known is not None, f"{month} is open: what it earned is not known yet"
    return known


def _stretches(month: date, closed_at: datetime | None = None) -> Iterator[dict[str, Any]]:
    """Yield the parts of the month in which one version of `revenue` held: nearly always one."""
    begins, ends = periods.bounds(month)
    closed_at = closed_at or _closed(month).closed_at
    version = policies.policy_at("revenue", begins)
    later = [one for one in policies.versions("revenue", begins) if begins < one.effective_from < ends]
    for now, following in zip([version, *later], [*later, None], strict=True):
        yield {
            "month": month,
            "closed": closed_at,
            "begins": max(begins, now.effective_from),
            "ends": following.effective_from if following else ends,
            "seq": now.seq,
            "creators": now.params["creators_ppm"],
            "coop": now.params["coop_ppm"],
        }
