"""The dry run of `opening`: which plays of a month would have been free, or paid, had the opening been another.

A listening session keeps how far somebody heard. Who paid for a play and left before the asked opening ends would not
have paid; who left an opening after the asked end of it would have. Sessions without a charge are kept for thirty days,
so of the second only a rest can be told. Shares are told in bands of five per cent, of five listeners or more.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from members import clock, months
from members.policies import Params
from members.voting import dry_runs
from members.voting.dry_runs import GROUP_LEAST, Preview, Replay, Row
from playback.models import Session
from playback.openings import SHORTEST_MS

BAND = 5
CAVEAT = (
    "People may act differently when rules differ; this cannot show that. Plays of which no place was kept count as"
    " paid. Openings that nobody paid to go on from are kept for 30 days, so only a rest of them is counted."
)
# Each play that was paid, with the first second of an opening under which it would have been free, if there is one.
# An opening is never more than half of the work. Then each opening that was left, with the second it was left at.
HEARD = """
SELECT 'paid' AS sort, c.listener_id,
       CASE WHEN s.position_ms >= s.free_ms AND s.position_ms * 2 < w.duration_ms AND w.duration_ms >= %(shortest)s
            THEN s.position_ms / 1000 + 1 END AS second
  FROM playback_charge c
  JOIN playback_session s ON s.listener_id = c.listener_id AND s.id = c.session_id
  JOIN catalog_price_facts w ON w.work_id = c.work_id
 WHERE c.charged_at >= %(begins)s AND c.charged_at < %(ends)s AND c.kind = 'play' AND c.reversal_id IS NULL
   AND s.view_seconds IS NULL AND (%(person)s::uuid IS NULL OR c.listener_id = %(person)s)
UNION ALL
SELECT 'left', s.listener_id, s.position_ms / 1000
  FROM playback_session s
 WHERE s.began_at >= %(begins)s AND s.began_at < %(ends)s AND s.basis = %(basis)s AND s.charge_id IS NULL
   AND s.view_seconds IS NULL AND s.position_ms < s.free_ms AND (%(person)s::uuid IS NULL OR s.listener_id = %(person)s)
"""
# Of each listener the play that would have been free first, and the opening that would have been paid last.
COUNTED = f"""
WITH heard AS MATERIALIZED ({HEARD})
SELECT sort, false, second, count(*) FROM heard GROUP BY 1, 3
UNION ALL
SELECT sort, true, CASE sort WHEN 'paid' THEN least ELSE most END, count(*)
  FROM (SELECT sort, listener_id, min(second) AS least, max(second) AS most FROM heard GROUP BY 1, 2) AS each
 GROUP BY 1, 3
"""  # noqa: S608  (constants, joined)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """How many paid plays turn free from which second of an opening on (None: never), or openings were left at which.

    `people` counts each listener once: at their first such play, or their last such opening.
    """

    plays: Mapping[str, Mapping[int | None, int]]
    people: Mapping[str, Mapping[int | None, int]]

    def moved(self, sort: str, held: int, asked: int, *, people: bool = False) -> int:
        """Return how many would have changed sides."""
        counts = (self.people if people else self.plays)[sort]
        if sort == "paid":
            return sum(many for second, many in counts.items() if second is not None and held < second <= asked)
        return sum(many for second, many in counts.items() if second is not None and asked <= second)


def replay(params: Params, month: date | None, now: datetime) -> Preview:
    """Tell which share of a month's paid plays would have been free, or of its openings paid. One query, or none."""
    if month is None:
        return Preview(words="No month is sealed yet, so there is none to replay.", caveat=CAVEAT)
    held, asked = _seconds(month, now), int(params["seconds"])
    heard = dry_runs.kept("opening", month, lambda: _heard(month))
    rows = [_shared("Paid plays that would have been free", "paid", heard, held, asked)]
    if asked < held:
        rows.append(
            _shared("Openings left, as far as they are kept, that would have been plays", "left", heard, held, asked)
        )
    return Preview(
        words=f"The plays of tracks in {month:%B %Y}, with an opening of {asked} seconds instead of {held}.",
        caveat=CAVEAT,
        month=month,
        rows=tuple(rows),
    )


def own(params: Params, month: date | None, now: datetime, person_id: UUID) -> tuple[Row, ...]:
    """Tell the same of one's own plays, as numbers; nothing for who played nothing. One query."""
    if month is None:
        return ()
    held, asked = _seconds(month, now), int(params["seconds"])
    heard = _heard(month, person_id=person_id)
    plays, left = (sum(heard.plays[sort].values()) for sort in ("paid", "left"))
    rows = []
    if plays:
        label = f"Of your {plays} paid plays, free" if plays > 1 else "Your one paid play, free"
        rows.append(Row(label=label, before=0, after=heard.moved("paid", held, asked), unit="count"))
    if left and asked < held:
        rows.append(
            Row(label="Openings you left, paid", before=0, after=heard.moved("left", held, asked), unit="count")
        )
    return tuple(rows)


def _shared(label: str, sort: str, heard: Heard, held: int, asked: int) -> Row:
    people, plays = sum(heard.people[sort].values()), sum(heard.plays[sort].values())
    if people < GROUP_LEAST:
        return Row(label=label, before=None, after=None, unit="words")
    if heard.moved(sort, held, asked, people=True) < GROUP_LEAST:
        return Row(label=label, before="none", after=f"none, or of fewer than {GROUP_LEAST} listeners", unit="words")
    bands = heard.moved(sort, held, asked) * 100 // plays // BAND
    after = f"{bands * BAND} to {(bands + 1) * BAND} %" if bands * BAND < 100 else "all of them"
    return Row(label=label, before="none", after=after, unit="words")


def _seconds(month: date, now: datetime) -> int:
    """Return the opening that held in a month: it changes with the months."""
    return int(dry_runs.held_at("opening", clock.start_of(month), now=now)["seconds"])


def _heard(month: date, *, person_id: UUID | None = None) -> Heard:
    found: dict[bool, dict[str, Counter[int | None]]] = {
        people: {"paid": Counter(), "left": Counter()} for people in (False, True)
    }
    with connection.cursor() as cursor:
        cursor.execute(
            COUNTED,
            {
                "begins": clock.start_of(month),
                "ends": clock.start_of(months.after(month)),
                "shortest": SHORTEST_MS,
                "basis": Session.Basis.PAID,
                "person": person_id,
            },
        )
        for sort, people, second, many in cursor.fetchall():
            found[people][sort][second] += many
    return Heard(plays=found[False], people=found[True])


REPLAY = Replay(
    together=replay,
    own=own,
    gather=lambda month: dry_runs.kept("opening", month, lambda: _heard(month)),
)
