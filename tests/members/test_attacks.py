"""What somebody would try against a vote, through a proposal's whole life: each attempt is refused, seen, or in vain."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection

from members import clock, lineage
from members.belonging import expulsions, memberships, places
from members.belonging.models import Membership
from members.models import Notice
from members.voting import ballots, elections, electorate, proposal_life, proposals
from members.voting.election_models import Ballot, Election, RollLine
from members.voting.proposal_models import Proposal
from members.voting.tally import Verdict
from tests import callers, cast
from tests.callers import Caller
from tests.members import assembly, belonging
from tests.members.test_elections import ask, by_hand

pytestmark = pytest.mark.django_db
State = Proposal.State
DAY = timedelta(days=1)


@pytest.fixture
def people():
    """Give six members who may vote."""
    return assembly.members("ada", "bo", "cem", "dora", "emil", "fay")


# An urn or a roll that somebody changed.


FOUND = {
    "UPDATE members_urn SET choice = 'no' WHERE choice = 'yes'": "ballots of the class listener are not those",
    "DELETE FROM members_urn WHERE choice = 'no'": "the class listener has 5 marks and 4 ballots",
    "UPDATE members_roll SET class = 'creator' WHERE voted": "the roll is not the one that was announced",
    "UPDATE members_roll SET voted = true": "the class listener has 6 marks and 5 ballots",
}


@pytest.mark.parametrize(("statement", "fault"), FOUND.items())
def test_a_vote_whose_urn_was_changed_is_voided_by_itself_and_held_again(people, statement, fault):
    sam, dora = belonging.secretary(), cast.person("dirk", staff=("director",))
    proposal = assembly.called(people)
    first = assembly.seen(proposal).election_id
    assembly.vote(proposal, "yyyyn.", people)
    by_hand(statement)
    found = assembly.go_on(proposal)
    assert (found.state, found.reruns, found.election_id == first) == (State.NOTICE, 1, False)
    last = found.parts.order_by("id").last()
    assert fault in last.words
    assert last.words.endswith("It is held again.")
    voided = Election.objects.get(id=first)
    assert (voided.state, voided.votes, voided.result, voided.bundle_key) == ("voided", None, None, "")
    with pytest.raises(elections.NotClosed, match="never counted"):
        elections.close(election_id=first, now=clock.now())
    told = Notice.objects.filter(subject="A shorter opening: the vote is void")
    assert {one.person_id for one in told} == {one.id for one in people}
    assert all(fault in one.body and "It is held again" in one.body for one in told)
    looks = Notice.objects.filter(subject="Look at it: A shorter opening: the vote is void")
    asked = {one.person_id for one in looks}
    assert {sam.id, dora.id} <= asked
    assert not asked & {one.id for one in people}
    # It is as secret as a vote that was counted: what was found stays, and nothing leads from one to the other.
    assert (Ballot.objects.filter(election=first).count(), RollLine.objects.filter(election=first).count()) in (
        (5, 6),
        (4, 6),
    )
    own = first.hex
    assert ask("SELECT relname FROM pg_class WHERE relname ~ %s AND relkind = 'r'", own) == []
    assert [row[0] for row in ask("SELECT name FROM members_rollline ORDER BY ctid")] == sorted(
        RollLine.objects.values_list("name", flat=True)
    )
    # The second time it ends for good.
    assembly.go_on(proposal)
    assembly.vote(proposal, "yyyyyy", people)
    by_hand("UPDATE members_urn SET choice = 'no' WHERE choice = 'yes'")
    found = assembly.go_on(proposal)
    assert (found.state, "nothing was counted" in found.why) == (State.VOIDED, True)


def test_nobody_voids_a_vote_before_it_has_closed(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyy...", people)
    with pytest.raises(Exception, match="voided when it has closed, and not before"):
        elections.void(assembly.seen(proposal).election_id)


def test_a_counted_vote_is_not_voided_any_more(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyy.", people)
    election_id = assembly.seen(proposal).election_id
    assembly.go_on(proposal)
    before = callers.digest()
    elections.void(election_id)
    assert callers.digest() == before
    assert elections.result(election_id).verdict == Verdict.PASSED
