"""The dry run of `payouts`: how many payees would be paid, and how many would wait, of what was owed at a month's end.

Payees are counted in groups of five or more who are owed alike, each by its mean. So a threshold that is asked step by
step finds where a group stands, and nobody in it.
"""

from datetime import date, datetime
from uuid import UUID

from django.db import connection

from members import money, policies
from members.policies import Params
from members.voting.dry_runs import GROUP_LEAST, Preview, Replay, Row
from royalties.run_models import Statement

CAVEAT = (
    "Payees are counted in groups of five or more who are owed alike, each by its mean."
    " Who has no account yet, and royalties that are held back, are counted as if they could be paid."
)
OWED = f"""
WITH owed AS (
    SELECT closing_micros / {money.MICROS_PER_CENT} AS cents,
           row_number() OVER (ORDER BY closing_micros) - 1 AS place, count(*) OVER () AS people
      FROM royalties_statement WHERE month = %(month)s AND closing_micros >= {money.MICROS_PER_CENT}
), alike AS (
    SELECT sum(cents) / count(*) AS cents, count(*) AS people
      FROM owed WHERE people >= {GROUP_LEAST}
     GROUP BY least(place / {GROUP_LEAST}, people / {GROUP_LEAST} - 1)
)
SELECT coalesce(sum(people), 0)::bigint, coalesce(sum(people) FILTER (WHERE cents >= %(held)s), 0)::bigint,
       coalesce(sum(people) FILTER (WHERE cents >= %(asked)s), 0)::bigint,
       coalesce(sum(people) FILTER (WHERE cents >= %(held_yearly)s), 0)::bigint,
       coalesce(sum(people) FILTER (WHERE cents >= %(asked_yearly)s), 0)::bigint
  FROM alike
"""  # noqa: S608  (constants, joined)


def replay(params: Params, month: date | None, now: datetime) -> Preview:
    """Count who would be paid of what was owed at a month's end. One query, or none."""
    if month is None:
        return Preview(words="No month is sealed yet, so nobody’s royalties can be counted.", caveat=CAVEAT)
    held = policies.policy_at("payouts", now).params
    with connection.cursor() as cursor:
        cursor.execute(
            OWED,
            {
                "month": month,
                "held": held["least_cents"],
                "asked": params["least_cents"],
                "held_yearly": held["yearly_least_cents"],
                "asked_yearly": params["yearly_least_cents"],
            },
        )
        people, paid, would_be, yearly, would_be_yearly = cursor.fetchone()
    counts = (
        ("Payees paid in an ordinary month", paid, would_be),
        ("Payees who wait in an ordinary month", people - paid, people - would_be),
        ("Payees paid with December’s", yearly, would_be_yearly),
    )
    return Preview(
        words=f"What payees were owed at the end of {month:%B %Y}, held against the asked thresholds.",
        caveat=CAVEAT,
        month=month,
        rows=tuple(
            Row(label=label, before=was if people else None, after=would if people else None, unit="count")
            for label, was, would in counts
        ),
    )


def own(params: Params, month: date | None, now: datetime, person_id: UUID) -> tuple[Row, ...]:
    """Tell whether one's own royalties would be paid or wait; nothing for who was owed none. One query."""
    found = Statement.objects.filter(month=month, person_id=person_id).first() if month else None
    if found is None or found.closing_micros < money.MICROS_PER_CENT:
        return ()
    cents = found.closing_micros // money.MICROS_PER_CENT
    held = policies.policy_at("payouts", now).params
    return tuple(
        Row(
            label=f"Your {money.show_cents(cents)}, {when}",
            before="paid" if cents >= int(held[name]) else "waits",
            after="paid" if cents >= int(params[name]) else "waits",
            unit="words",
        )
        for name, when in (("least_cents", "in an ordinary month"), ("yearly_least_cents", "with December’s"))
    )


REPLAY = Replay(together=replay, own=own)
