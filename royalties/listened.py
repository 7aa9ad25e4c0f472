"""Who is a creator for the co-op: somebody with a published work that at least five listeners paid for within a year.

Members asks for it when a place among the creators is to be held (`members.belonging.classes`). Counted are listeners
whose bought credit paid for plays or purchases of works on whose split sheet in force the person stands, and which were
not given back. Nobody pays for their own work, so nobody is counted for it.
"""

from datetime import datetime
from uuid import UUID

from django.db import connection

from members.belonging.classes import LOOKED_BACK, Evidence

LISTENERS_LEAST = 5
HEARD = """
WITH mine AS MATERIALIZED (
    SELECT s.work_id
      FROM catalog_payee_facts p
      JOIN catalog_sheet_facts s ON s.sheet_id = p.sheet_id
      JOIN catalog_work_standing w ON w.work_id = s.work_id AND w.state = 'published'
     WHERE p.payee_id = %(person)s AND p.share_ppm > 0 AND s.in_force_from <= %(now)s
       AND NOT EXISTS (SELECT FROM catalog_sheet_facts newer
                        WHERE newer.work_id = s.work_id AND newer.in_force_from <= %(now)s
                          AND (newer.in_force_from, newer.version) > (s.in_force_from, s.version))
     GROUP BY s.work_id)
SELECT count(DISTINCT c.work_id), count(DISTINCT c.listener_id)
  FROM (SELECT f.work_id, f.listener_id
          FROM mine JOIN playback_charge_facts f USING (work_id)
         WHERE f.charged_at > %(since)s AND f.charged_at <= %(now)s AND f.listener_id <> %(person)s
         GROUP BY f.work_id, f.listener_id HAVING sum(f.amount_micros - f.promo_micros) > 0) c
"""


def by_enough(person_id: UUID, now: datetime) -> Evidence | None:
    """Return what shows that somebody is a creator, or None. One query, over a year of their works' charges."""
    with connection.cursor() as cursor:
        cursor.execute(HEARD, {"person": person_id, "now": now, "since": now - LOOKED_BACK})
        works, listeners = cursor.fetchone()
    if listeners < LISTENERS_LEAST:
        return None
    return Evidence(
        words=f"{listeners} listeners paid for {works} work{'' if works == 1 else 's'} within twelve months",
        facts={"works": works, "listeners": listeners},
    )
