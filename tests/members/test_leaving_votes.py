"""Leaving around a vote: one leaves, one is expelled, one is erased; before the roll, after it, and after voting."""

from datetime import timedelta

import pytest

from members import clock
from members.belonging import memberships
from members.belonging.models import Membership
from members.erasing import erasures, lists
from members.erasing.lists import Listed
from members.voting import elections, urns
from members.voting.election_models import Ballot, RollLine
from tests.members import assembly
from tests.members.test_erasures import post

pytestmark = pytest.mark.django_db
WEEK, MINUTE = timedelta(days=7), timedelta(minutes=1)
STAY = ("ada", "bo", "cem", "dora", "emil")


def part(left, expelled, erased):
    """Let three people go at this moment, each in another way."""
    now = clock.now()
    memberships.leave(person_id=left.id, now=now)
    Membership.objects.filter(person=expelled).update(state=Membership.State.EXPELLED, ended_at=now)
    asked = Listed(person_id=erased.id, asked_at=now - WEEK, ends_at=now - MINUTE, code_sha256="")
    lists.run_again(listed=[asked], now=now)
    for _ in range(3):
        erasures.advance(now=now)
        post()
    assert erased.id in erasures.erased()


@pytest.mark.parametrize(
    ("moment", "members", "marks", "no"),
    [("before the roll", 5, 5, 1), ("after the roll", 8, 5, 1), ("after voting", 8, 8, 4)],
)
def test_who_goes_before_the_roll_is_not_on_it_and_what_was_said_after_stays_counted(moment, members, marks, no):
    people = assembly.members(*STAY, "lea", "exi", "era")
    stay, go = people[:5], people[5:]
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *stay[:3])
    assembly.beat()
    if moment == "before the roll":
        part(*go)
    election = assembly.go_on(proposal).election
    if moment == "after the roll":
        part(*go)
    assembly.go_on(proposal)
    assembly.vote(proposal, "yyyyn", stay)
    if moment == "after voting":
        assembly.vote(proposal, "nnn", go)
        part(*go)
    on_it = [elections.standing(election_id=election.id, person_id=one.id) for one in go]
    assert [one is not None for one in on_it] == [members == 8] * 3
    assert elections.turnout(election.id).voted == marks
    root = elections.get(election.id).roll_root
    assembly.go_on(proposal)
    counted = elections.get(election.id)
    said = {"members": members, "marks": marks, "yes": 4, "no": no, "abstained": 0}
    assert (counted.votes, counted.roll_root, Ballot.objects.count()) == ({"listener": said}, root, marks)
    assert urns.recount(election.id) == urns.result(election.id)
    erasures.advance(now=clock.now())
    # Whose line it was is forgotten of who was erased, and of nobody else.
    kept = set(RollLine.objects.values_list("person_id", flat=True))
    assert (None in kept, go[2].id in kept, go[0].id in kept) == (members == 8, False, members == 8)
