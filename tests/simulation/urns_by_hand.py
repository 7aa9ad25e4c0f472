"""Urns and rolls: changed by hand, past every trigger, and held against what the auditor saw everybody say."""

from collections import Counter
from typing import Any

from django.db import connection

from tests.simulation.audit import _agree, _rows
from tests.simulation.rulings_of_beat import Beat
from tests.simulation.rulings_of_votes import tracker

BALLOTS = "SELECT election_id, class, choice, nonce, tracker FROM members_ballot"
LINES = "SELECT election_id, class, voted, person_id FROM members_rollline"
# What somebody may do who owns the database: to the urn or the roll of a vote that is not counted yet,
SPOILED = {
    "altered": """
UPDATE members_urn SET choice = CASE choice WHEN 'no' THEN 'yes' ELSE 'no' END
 WHERE tracker = (SELECT tracker FROM members_urn WHERE election_id = %s ORDER BY tracker LIMIT 1)
""",
    "moved": """
UPDATE members_urn SET class = CASE class WHEN 'listener' THEN 'creator' ELSE 'listener' END
 WHERE tracker = (SELECT tracker FROM members_urn WHERE election_id = %s ORDER BY tracker LIMIT 1)
""",
    "dropped": """
DELETE FROM members_urn
 WHERE tracker = (SELECT tracker FROM members_urn WHERE election_id = %s ORDER BY tracker LIMIT 1)
""",
    "unmarked": """
UPDATE members_roll SET voted = false
 WHERE name = (SELECT name FROM members_roll WHERE election_id = %s AND voted ORDER BY name LIMIT 1)
""",
    "added": """
INSERT INTO members_urn (election_id, tracker, class, choice, nonce)
SELECT election_id, members_tracker(election_id, class, 'yes', decode(repeat('ab', 16), 'hex')), class, 'yes',
       decode(repeat('ab', 16), 'hex')
  FROM members_roll WHERE election_id = %s LIMIT 1
""",
}
# and to a ballot that was counted and published.
CHANGED = """
UPDATE members_ballot SET choice = CASE choice WHEN 'no' THEN 'yes' ELSE 'no' END
 WHERE tracker = (SELECT tracker FROM members_ballot WHERE election_id = %s ORDER BY tracker LIMIT 1)
"""


def change(statement: str, *values: Any) -> int:
    """Do as a superuser does whom no trigger stops; return how many rows that changed."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            cursor.execute(statement, values)
            return cursor.rowcount
        finally:
            cursor.execute("SET session_replication_role = origin")


def compare_urns(auditor: Beat) -> None:
    """Compare what is kept of every vote that has closed: each ballot that nobody changed, each line of its roll.

    A vote that was voided is kept as it was found.
    """
    closed = {box.id: box for box in auditor.boxes() if box.verdict and not box.spoiled}
    said = {
        (box.id, box.roll[person], choice, nonce, tracker(box, box.roll[person], choice, nonce))
        for box in closed.values()
        if not box.changed
        for person, (choice, nonce) in box.said.items()
    }
    rows = [(*row[:3], bytes(row[3]), bytes(row[4]).hex()) for row in _rows(BALLOTS) if row[0] in closed]
    _agree("ballots", said, {row for row in rows if not closed[row[0]].changed})
    lines = Counter(
        (box.id, name, person in box.said, None if person in box.forgotten else person)
        for box in closed.values()
        for person, name in box.roll.items()
    )
    _agree("lines of rolls", lines, Counter(row for row in _rows(LINES) if row[0] in closed))
