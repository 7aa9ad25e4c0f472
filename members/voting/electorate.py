"""The electorate: who is on the roll of a vote that is called at a moment, and in which class.

On it is who had belonged, held a place in a class and chosen to vote in it for thirty days by then, owed no dues, and
had neither left nor been expelled. So nobody joins, and nobody changes class, for one vote. Asked again for the same
moment, it is the same roll, whatever happened since; only an expulsion that was lifted never was.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from members import clock
from members.belonging.memberships import COUNTS_AFTER, GRACE

ROLL = """
SELECT m.person_id, chosen.member_class
  FROM members_membership m
  JOIN LATERAL (
       SELECT c.member_class FROM members_votingchoice c
        WHERE c.membership_id = m.id AND c.chosen_at <= %(before)s ORDER BY c.seq DESC LIMIT 1) chosen ON true
 WHERE m.joined_at <= %(before)s
   AND (m.ended_at IS NULL OR m.ended_at > %(moment)s)
   AND EXISTS (SELECT FROM members_classplace p
                WHERE p.membership_id = m.id AND p.member_class = chosen.member_class AND p.since <= %(before)s
                  AND (p.ended_at IS NULL OR p.ended_at > %(moment)s))
   AND EXISTS (SELECT FROM members_duespayment d
                WHERE d.membership_id = m.id AND d.paid_at <= %(moment)s AND d.covers_from <= %(day)s
                  AND d.covers_until > %(day)s - %(grace)s)
   {further}
 ORDER BY m.person_id
"""


SIZES = f"SELECT member_class, count(*) FROM ({ROLL.format(further='')}) roll GROUP BY 1"  # noqa: S608  (our own words)
DRAWN = f"""
SELECT person_id FROM ({ROLL.format(further="AND m.person_id <> ALL(%(but)s::uuid[])")}) roll
 ORDER BY sha256(convert_to(%(seed)s || ' ' || person_id, 'UTF8')) LIMIT %(many)s
"""  # noqa: S608  (as above)


def of(*, moment: datetime) -> list[tuple[UUID, str]]:
    """Return who votes if the roll is drawn up at `moment`, with the class they vote in, by id. One query."""
    with connection.cursor() as cursor:
        cursor.execute(ROLL.format(further=""), _asked(moment))
        return [(person_id, member_class) for person_id, member_class in cursor.fetchall()]


def class_of(person_id: UUID, *, moment: datetime) -> str | None:
    """Return the class in which a person would be on the roll of a moment; None if they would not. One query."""
    with connection.cursor() as cursor:
        cursor.execute(ROLL.format(further="AND m.person_id = %(person)s"), {**_asked(moment), "person": person_id})
        found = cursor.fetchone()
    return found[1] if found else None


def sizes(*, moment: datetime) -> dict[str, int]:
    """Return how many would be on the roll of a moment, by the class they vote in. One query."""
    with connection.cursor() as cursor:
        cursor.execute(SIZES, _asked(moment))
        return dict(cursor.fetchall())


def draw(seed: str, *, many: int, but: Collection[UUID], moment: datetime) -> list[UUID]:
    """Return so many of whom would be on the roll of a moment, by lot: the same ones for the same seed. One query.

    Everybody's lot is a hash of the seed and their id, so anybody who knows both can draw again.
    """
    with connection.cursor() as cursor:
        cursor.execute(DRAWN, {**_asked(moment), "but": list(but), "seed": seed, "many": many})
        return [person_id for (person_id,) in cursor.fetchall()]


def _asked(moment: datetime) -> dict[str, Any]:
    return {
        "moment": moment,
        "before": moment - COUNTS_AFTER,
        "day": clock.day(moment),
        "grace": GRACE.days,
    }
