"""The middle of a class: five people or more whose figures are told together.

Who is in it follows from what was recorded, never from what is asked. So every dry run of a month tells of the same
people, and however many are compared, nothing finer comes out than what these five had together.
"""

from members.voting.dry_runs import GROUP_LEAST

# Of rows (micros): the least and the most that somebody in the middle has; nulls where there are too few. Whoever has
# as much as one of the five is of the middle too, so that no order of equals decides.
BOUNDS = f"""
SELECT min(micros) AS least, max(micros) AS most
  FROM (SELECT micros, row_number() OVER (ORDER BY micros) AS place, count(*) OVER () AS people FROM {{rows}}) AS ranked
 WHERE people >= {GROUP_LEAST} AND place BETWEEN (people + 1) / 2 - 2 AND people / 2 + 3
"""  # noqa: S608  (constants, joined)


def bounds_of(rows: str) -> str:
    """Return the question for the bounds of the middle of `rows`, a table with a column `micros`."""
    return BOUNDS.format(rows=rows)
