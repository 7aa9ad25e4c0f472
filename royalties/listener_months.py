"""Listeners' months: what each paid in a month, and the tree that lets them see that it was counted.

A leaf is the listener's figures with a salt that only the co-op and they can know; published are the leaves' hashes, in
the order of their values, which tells nothing, and the root over them. A proof is the listener's leaf and the way from
it to the root. Beside the bundle lies a file of the same tree in pieces, so that a proof reads two of them, however
many listeners there are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from catalog import store
from catalog.copies import parcels
from members import seals
from royalties import periods

HASH_BYTES = 32
# Leaves of a piece: a power of two, so that each piece is a subtree.
PIECE = 1024
ROWS_AT_ONCE = 5_000
# What is summed over all listeners.
FIGURES = (
    *("plays", "plays_micros", "purchases", "purchases_micros", "promo_micros"),
    *("given_back", "given_back_micros", "late", "late_micros"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListenerMonth:
    """One listener's month, amounts in micros. `late` is what came back of charges whose month was closed already."""

    listener_id: UUID
    plays: int
    plays_micros: int
    purchases: int
    purchases_micros: int
    promo_micros: int
    given_back: int
    given_back_micros: int
    late: int
    late_micros: int

    def leaf(self, month: date, salt: str) -> dict[str, Any]:
        """Return what is counted in the tree, as the listener gets it."""
        return {
            "month": f"{month:%Y-%m}",
            "listener": str(self.listener_id),
            "salt": salt,
            "plays": self.plays,
            "plays_micros": self.plays_micros,
            "purchases": self.purchases,
            "purchases_micros": self.purchases_micros,
            "promo_micros": self.promo_micros,
            "given_back": self.given_back,
            "given_back_micros": self.given_back_micros,
            "late": self.late,
            "late_micros": self.late_micros,
        }

    def hash(self, month: date, salt: str) -> bytes:
        """Return the hash of the leaf. Its canonical JSON is written here by hand, as there may be millions of them."""
        return seals.leaf_hash(
            f'{{"given_back":{self.given_back},"given_back_micros":{self.given_back_micros},"late":{self.late},'
            f'"late_micros":{self.late_micros},"listener":"{self.listener_id}","month":"{month:%Y-%m}",'
            f'"plays":{self.plays},"plays_micros":{self.plays_micros},"promo_micros":{self.promo_micros},'
            f'"purchases":{self.purchases},"purchases_micros":{self.purchases_micros},"salt":"{salt}"}}'.encode()
        )


# Every listener's. PostgreSQL reads the charges with several processes where they go into a table, not for a cursor.
_KEEP = f"CREATE TEMP TABLE listener_months (listener_id, {', '.join(FIGURES)}) ON COMMIT DROP AS {{sums}}"
# Charges of the month and what came back of them before it closed; and what came back in it of months that had closed.
_SUMS = """
SELECT listener_id,
       count(*) FILTER (WHERE is_charge AND is_play),
       royalties_sum(amount_micros) FILTER (WHERE is_charge AND is_play),
       count(*) FILTER (WHERE is_charge AND NOT is_play),
       royalties_sum(amount_micros) FILTER (WHERE is_charge AND NOT is_play),
       royalties_sum(promo_micros) FILTER (WHERE NOT is_late),
       count(*) FILTER (WHERE NOT is_charge AND NOT is_late),
       -royalties_sum(amount_micros) FILTER (WHERE NOT is_charge AND NOT is_late),
       count(*) FILTER (WHERE is_late),
       -royalties_sum(amount_micros) FILTER (WHERE is_late)
  FROM (SELECT listener_id, amount_micros, promo_micros, kind = 'play' AS is_play, reversed_at IS NULL AS is_charge,
               false AS is_late
          FROM playback_charge_facts
         WHERE charged_at >= %(starts)s AND charged_at < %(ends)s
           AND (reversed_at IS NULL OR reversed_at < %(closed)s) {whose}
         UNION ALL
        SELECT listener_id, amount_micros, promo_micros, kind = 'play', false, true
          FROM playback_charge_facts f
          JOIN members_month_facts m ON m.starts_on = date_trunc(
                'month', charged_at AT TIME ZONE (SELECT time_zone FROM members_zone_facts))
         WHERE reversed_at >= %(starts)s AND reversed_at < %(ends)s AND reversed_at >= m.closed_at {whose}) rows
 GROUP BY listener_id
"""


def of_all(month: date, *, closed_at: datetime) -> Iterator[ListenerMonth]:
    """Yield the month of each listener who has one, in no order, holding few of them at a time. Three queries."""
    starts, ends = periods.bounds(month)
    with transaction.atomic():
        with connection.cursor() as cursor:
            sums = _SUMS.format(whose="")
            cursor.execute(_KEEP.format(sums=sums), {"starts": starts, "ends": ends, "closed": closed_at})
        with connection.chunked_cursor() as cursor:
            cursor.execute("SELECT * FROM listener_months")
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield from map(_listener_month, rows)
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE listener_months")


def of_one(listener_id: UUID, month: date, *, closed_at: datetime) -> ListenerMonth | None:
    """Return one listener's month, or None if nothing of theirs was counted in it. One query."""
    starts, ends = periods.bounds(month)
    with connection.cursor() as cursor:
        cursor.execute(
            _SUMS.format(whose="AND listener_id = %(whose)s"),
            {"starts": starts, "ends": ends, "closed": closed_at, "whose": listener_id},
        )
        row = cursor.fetchone()
    return _listener_month(row) if row else None


def _listener_month(row: tuple[Any, ...]) -> ListenerMonth:
    return ListenerMonth(
        listener_id=row[0],
        plays=row[1],
        plays_micros=row[2],
        purchases=row[3],
        purchases_micros=row[4],
        promo_micros=row[5],
        given_back=row[6],
        given_back_micros=row[7],
        late=row[8],
        late_micros=row[9],
    )


def keep_tree(key: str, leaves: list[bytes]) -> bytes:
    """Write the tree over the hashes `leaves`, which are sorted, under `key`, and return its root.

    First stand the first leaf and the root of each piece, then all leaves.
    """
    tree = seals.Tree()
    with parcels.sending(key=key, content_type="application/octet-stream") as parcel:
        remaining = iter(leaves)
        while piece := list(islice(remaining, PIECE)):
            root = seals.hashes_root(piece)
            tree.add(root)
            parcel.write(piece[0] + root)
        for start in range(0, len(leaves), PIECE):
            parcel.write(b"".join(leaves[start : start + PIECE]))
    return tree.root()


def proof(key: str, *, count: int, leaf: bytes) -> tuple[int, list[bytes]] | None:
    """Return where a leaf's hash stands in the tree kept under `key`, and its path to the root; None if it does not.

    Reads two pieces of the file. Raises FileNotFoundError.
    """
    pieces = -(-count // PIECE)
    if not pieces:
        return None
    index = _hashes(store.read(key, offset=0, length=2 * HASH_BYTES * pieces))
    firsts, roots = index[::2], index[1::2]
    piece = max(0, bisect_right(firsts, leaf) - 1)
    start = piece * PIECE
    length = min(PIECE, count - start)
    leaves = _hashes(store.read(key, offset=(2 * pieces + start) * HASH_BYTES, length=length * HASH_BYTES))
    place = bisect_left(leaves, leaf)
    if place == len(leaves) or leaves[place] != leaf:
        return None
    return start + place, seals.hashes_proof(leaves, place) + seals.hashes_proof(roots, piece)


def _hashes(content: bytes) -> list[bytes]:
    return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]
