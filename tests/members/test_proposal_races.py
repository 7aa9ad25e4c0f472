"""Many beats at once: each step of a proposal is taken once, whoever takes it."""

import pytest

from members.models import Notice
from members.voting import proposal_life
from members.voting.election_models import Election
from members.voting.proposal_models import Part, Proposal
from tests import cast
from tests.members import assembly
from tests.playback.test_races import all_at_once

pytestmark = pytest.mark.usefixtures("committed")
State = Proposal.State


def beats(proposal: Proposal) -> int:
    """Let five beats come by at once when a part has ended; return how many steps they took together."""
    moment = assembly.seen(proposal).ends_at + assembly.MINUTE
    cast.set_clock(moment)
    return sum(all_at_once(lambda _: proposal_life.advance(now=moment), clients=5))


def test_beats_that_come_at_once_call_one_vote_and_count_it_once():
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    assert beats(proposal) == 1
    assert Election.objects.count() == 1
    assert beats(proposal) == 1
    assembly.vote(proposal, "yyyyn.", people)
    assert beats(proposal) == 2
    found = assembly.seen(proposal)
    assert (found.state, found.election.votes["listener"]["marks"]) == (State.CONTEST, 5)
    assert Notice.objects.filter(subject="A shorter opening: it passed").count() == 6
    said = list(Part.objects.order_by("id").values_list("state", flat=True))
    assert said == ["sponsoring", "deliberation", "notice", "voting", "counting", "contest"]
