"""Roll trees: a proof made from 256 lines is that of the whole roll, at every size, after corrections and the vote."""

from uuid import UUID

import pytest
from django.db import connection

from members import clock, seals
from members.voting import election_documents, elections
from members.voting.election_models import RollTree
from tests import cast
from tests.members.polls import Poll

pytestmark = pytest.mark.django_db
SIZES = (1, 2, 3, 255, 256, 257, 513, 1000)


def whole(election_id: UUID) -> list[tuple[UUID, bytes]]:
    """Return everybody on a roll with their leaf, in the order of the roll, read whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person_id, name, class FROM members_roll WHERE election_id = %(of)s UNION ALL"
            " SELECT person_id, name, class FROM members_rollline WHERE election_id = %(of)s",
            {"of": election_id},
        )
        rows = sorted(cursor.fetchall(), key=lambda row: row[1])
    return [(person_id, election_documents.roll_leaf(election_id, name, word)) for person_id, name, word in rows]


def check(poll: Poll, count: int) -> None:
    """Hold proofs from everywhere on a roll against those of the tree over all its leaves."""
    rows = whole(poll.id)
    leaves, root = [leaf for _, leaf in rows], poll.row().roll_root
    assert (len(rows), seals.root(leaves).hex()) == (count, root)
    edges = {0, 1, 2, 127, 128, 254, 255, 256, 257, 511, 512, 767, 768, count - 2, count - 1}
    for index in sorted(edges & set(range(count))):
        found = elections.roll_proof(election_id=poll.id, person_id=rows[index][0])
        assert (found.index, found.count, found.root, found.leaf.encode()) == (index, count, root, leaves[index])
        assert found.path == [step.hex() for step in seals.proof(leaves, index)]


@pytest.mark.parametrize("count", SIZES)
def test_a_proof_from_256_lines_is_the_one_from_all(count: int) -> None:
    check(Poll({"listener": count}), count)


def test_corrections_move_everybody_s_place_and_each_proof_still_leads_to_the_root() -> None:
    poll, sue = Poll({"listener": 256, "creator": 256}), cast.person("sue")

    def correct(person_id: UUID, to: str) -> None:
        elections.correct(
            election_id=poll.id, person_id=person_id, class_name=to, reason="?", by_id=sue.id, now=clock.now()
        )

    correct(cast.person("late").id, "worker")
    check(poll, 513)
    first = whole(poll.id)[0][0]
    correct(first, "")
    check(poll, 512)
    correct(first, "worker")
    correct(whole(poll.id)[300][0], "worker")
    check(poll, 513)
    poll.open()
    poll.vote("listener", "yn")
    poll.close()
    check(poll, 513)


def test_it_costs_the_same_on_a_large_roll_and_a_roll_without_its_tree_is_read_whole(django_assert_num_queries) -> None:
    for count in (3, 600):
        poll = Poll({"listener": count})
        person = poll.people["listener"][1]
        with django_assert_num_queries(4):
            kept = elections.roll_proof(election_id=poll.id, person_id=person.id)
    # As rolls were before their trees were kept.
    RollTree.objects.all().delete()
    assert elections.roll_proof(election_id=poll.id, person_id=person.id) == kept
