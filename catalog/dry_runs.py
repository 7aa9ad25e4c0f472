"""The dry run of `content`: which published works asked figures would refuse as they stand now, and by which rule.

What is counted of a work is what its page says of it, so nothing here is anybody's secret. The rules are those of
`catalog.content`, as one set-based question over all works.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from catalog.models import CreatorRole, Upload, Work
from members import policies
from members.policies import Params
from members.voting.dry_runs import Preview, Replay, Row

RULES = ("ai_generated", "photo_edge_min", "lossless", "sample_rate_min")
CAVEAT = "Works that are off, suspended or drafts are not counted. Creators may bring better files until it begins."
REFUSED = """
WITH works AS (
    SELECT w.kind, w.origin, w.lossless, w.historic, greatest(w.width, w.height, 0) AS edge,
           coalesce((u.found ->> 'sample_rate')::numeric, 0) AS rate
      FROM catalog_work w
      JOIN LATERAL (SELECT found FROM catalog_upload
                     WHERE work_id = w.id AND state = %(ready)s ORDER BY created_at DESC LIMIT 1) u ON true
     WHERE w.state = %(published)s
       AND (%(person)s::uuid IS NULL OR EXISTS (
            SELECT FROM catalog_creatorrole r
             WHERE r.creator_id = w.creator_id AND r.person_id = %(person)s AND r.role = ANY(%(managing)s)))
), asked (place, machines, edge, lossless, rate) AS (
    VALUES (0, %(machines_0)s::text, %(edge_0)s::int, %(lossless_0)s::text, %(rate_0)s::int),
           (1, %(machines_1)s, %(edge_1)s, %(lossless_1)s, %(rate_1)s)
), found AS (
    SELECT a.place,
           a.machines = 'forbidden' AND w.origin = %(machine_made)s AS ai_generated,
           w.kind = %(photo)s AND w.edge < a.edge AS photo_edge_min,
           w.kind <> %(photo)s AND a.lossless = 'required' AND w.lossless IS NOT TRUE AS lossless,
           w.kind <> %(photo)s AND NOT w.historic AND w.rate < a.rate AS sample_rate_min
      FROM works w CROSS JOIN asked a
)
SELECT count(*) FILTER (WHERE ai_generated), count(*) FILTER (WHERE photo_edge_min), count(*) FILTER (WHERE lossless),
       count(*) FILTER (WHERE sample_rate_min),
       count(*) FILTER (WHERE ai_generated OR photo_edge_min OR lossless OR sample_rate_min), count(*)
  FROM found GROUP BY place ORDER BY place
"""


def replay(params: Params, _month: date | None, now: datetime) -> Preview:
    """Hold every published work against these figures and those in force. One query."""
    before, after = _refused(params, now)
    names = (
        f"Made by machines alone, where that is {params['ai_generated']}",
        f"Photos with fewer than {int(params['photo_edge_min']):,} pixels along the longer edge",
        f"Tracks without a lossless original, where that is {params['lossless']}",
        f"Tracks with fewer than {int(params['sample_rate_min']):,} samples a second",
        "Published works refused by one rule or more",
    )
    return Preview(
        words=f"All {after[-1]:,} published works, held against these figures as they stand now.",
        caveat=CAVEAT,
        rows=tuple(
            Row(label=name, before=was, after=would_be, unit="count")
            for name, was, would_be in zip(names, before[:-1], after[:-1], strict=True)
        ),
    )


def own(params: Params, _month: date | None, now: datetime, person_id: UUID) -> tuple[Row, ...]:
    """Return how many of the works somebody manages would be refused; nothing for who manages none. One query."""
    before, after = _refused(params, now, person_id=person_id)
    if not after[-1]:
        return ()
    label = f"Of your {after[-1]:,} published works" if after[-1] > 1 else "Your published work"
    return (Row(label=label, before=before[-2], after=after[-2], unit="count"),)


def _refused(params: Params, now: datetime, *, person_id: UUID | None = None) -> tuple[list[int], list[int]]:
    """Return counts by rule, of all that are refused, and of all works: under the figures in force, and these."""
    said: dict[str, Any] = {
        "person": person_id,
        "ready": Upload.State.READY,
        "published": Work.State.PUBLISHED,
        "managing": [CreatorRole.Role.OWNER.value, CreatorRole.Role.EDITOR.value],
        "machine_made": Work.Origin.AI_GENERATED,
        "photo": Work.Kind.PHOTO,
    }
    for place, figures in enumerate((policies.policy_at("content", now).params, params)):
        said |= {
            f"machines_{place}": figures["ai_generated"],
            f"edge_{place}": figures["photo_edge_min"],
            f"lossless_{place}": figures["lossless"],
            f"rate_{place}": figures["sample_rate_min"],
        }
    with connection.cursor() as cursor:
        cursor.execute(REFUSED, said)
        rows = [list(row) for row in cursor.fetchall()]
    before, after = rows or ([0] * (len(RULES) + 2), [0] * (len(RULES) + 2))
    return before, after


REPLAY = Replay(together=replay, own=own)
