"""Roll trees: the way from a line of a roll to the root that was announced, without reading the whole roll.

The lines lie in the order of their names, and their tree is that of RFC 6962: subtrees of 256 lines are perfect but for
the last, so the roots of those make the root of all. These are kept, each with the name it begins with. Who asks for a
proof reads them and the 256 lines of their own. Kept wrong they would lead nowhere, which whoever checks a proof sees.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from members import seals
from members.voting.election_documents import roll_leaf
from members.voting.election_models import Election, RollTree

# A power of two: other subtrees would not be those of the tree over all lines.
LINES = 256
NAME_BYTES, ROOT_BYTES = 16, 32
# After every name of 32 hexadecimal digits.
BEYOND = "g"
LINES_BETWEEN = """
SELECT name, class FROM members_roll
 WHERE election_id = %(election)s AND name >= %(first)s AND name < %(before)s
 UNION ALL
SELECT name, class FROM members_rollline
 WHERE election_id = %(election)s AND name >= %(first)s AND name < %(before)s
"""


@dataclass(frozen=True, kw_only=True)
class Grown:
    """A roll's tree: the first name and the root of each 256 lines, the root of all, and how many lines there are."""

    names: tuple[str, ...]
    roots: tuple[bytes, ...]
    count: int

    @property
    def root(self) -> str:
        """Return the root of the roll, in hexadecimal."""
        return seals.hashes_root(self.roots).hex()


@dataclass(frozen=True, kw_only=True)
class RollProof:
    """The way from a person's leaf to the roll's root (RFC 6962), lowest first, in hexadecimal."""

    leaf: str
    index: int
    count: int
    path: list[str]
    root: str


def grow(election_id: UUID, lines: Iterable[tuple[str, str]]) -> Grown:
    """Return the tree over a roll's (name, class), in whatever order they come."""
    ordered = sorted(lines)
    blocks = [ordered[first : first + LINES] for first in range(0, len(ordered), LINES)]
    return Grown(
        names=tuple(block[0][0] for block in blocks),
        roots=tuple(seals.hashes_root(_hashes(election_id, block)) for block in blocks),
        count=len(ordered),
    )


def keep(election_id: UUID, tree: Grown) -> None:
    """Keep the tree of a roll in place of the one before. One query or two."""
    said = {"names": bytes.fromhex("".join(tree.names)), "roots": b"".join(tree.roots)}
    RollTree.objects.update_or_create(election_id=election_id, defaults=said)


def proof(election: Election, *, name: str, class_name: str) -> RollProof:
    """Return the proof of a line of an election's roll. Two queries; three that read the roll where no tree is kept."""
    tree = _kept(election) or grow(election.id, lines(election.id))
    block = bisect_right(tree.names, name) - 1
    after = tree.names[block + 1] if block + 1 < len(tree.names) else BEYOND
    mine = sorted(lines(election.id, first=tree.names[block], before=after))
    place = mine.index((name, class_name))
    path = seals.hashes_proof(_hashes(election.id, mine), place) + seals.hashes_proof(tree.roots, block)
    return RollProof(
        leaf=roll_leaf(election.id, name, class_name).decode(),
        index=block * LINES + place,
        count=tree.count,
        path=[step.hex() for step in path],
        root=election.roll_root,
    )


def lines(election_id: UUID, *, first: str = "", before: str = BEYOND) -> list[tuple[str, str]]:
    """Return the (name, class) of a roll, open or past, whose names are `first` or later and before `before`."""
    with connection.cursor() as cursor:
        cursor.execute(LINES_BETWEEN, {"election": election_id, "first": first, "before": before})
        return [(name, word) for name, word in cursor.fetchall()]


def _kept(election: Election) -> Grown | None:
    found = RollTree.objects.filter(election_id=election.id).first()
    if found is None or not found.names:
        return None
    names, roots = bytes(found.names), bytes(found.roots)
    return Grown(
        names=tuple(names[at : at + NAME_BYTES].hex() for at in range(0, len(names), NAME_BYTES)),
        roots=tuple(roots[at : at + ROOT_BYTES] for at in range(0, len(roots), ROOT_BYTES)),
        count=sum(election.roll_members.values()),
    )


def _hashes(election_id: UUID, ordered: list[tuple[str, str]]) -> list[bytes]:
    return [seals.leaf_hash(roll_leaf(election_id, *line)) for line in ordered]
