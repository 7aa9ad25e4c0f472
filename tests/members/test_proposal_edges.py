"""Edges of a proposal's life: bounds that tighten, a roll that is drawn anew, a board too small, days that are over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from members import policies
from members.voting import elections
from members.voting.proposal_models import Proposal
from tests import cast
from tests.members import assembly

pytestmark = pytest.mark.django_db
State = Proposal.State
DAY = timedelta(days=1)


@pytest.fixture
def people():
    """Give six members who may vote."""
    return assembly.members("ada", "bo", "cem", "dora", "emil", "fay")


@pytest.fixture
def tighten(monkeypatch):
    """Give what a newer release does: an opening lasts forty seconds or more."""

    def tightened() -> None:
        tighter = replace(policies.registered("opening"), schema={"seconds": policies.Whole(least=40, most=60)})
        monkeypatch.setitem(policies._registry, "opening", tighter)

    return tightened


# Bounds are looked at when it is frozen, and when it is counted, and not only in between.


def test_figures_that_became_impossible_are_not_put_to_the_vote(people, tighten):
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    tighten()
    found = assembly.go_on(proposal)
    assert (found.state, found.election_id) == (State.FAILED, None)
    assert found.why == "opening.seconds is 30; it is a whole number from 40 to 60"


def test_figures_that_became_impossible_during_the_vote_fail_when_it_is_counted(people, tighten):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyn.", people)
    tighten()
    found = assembly.go_on(proposal)
    assert (found.state, found.why) == (State.FAILED, "opening.seconds is 30; it is a whole number from 40 to 60")
    assert elections.result(found.election_id).verdict == "passed"


def test_another_version_that_came_during_the_vote_makes_it_fail_when_it_is_counted(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyn.", people)
    cast.vote("opening", seconds=50)
    found = assembly.go_on(proposal)
    assert (found.state, found.why) == (
        State.FAILED,
        "opening: it was to follow version 1, and version 2 came between",
    )


def test_what_was_voted_down_was_voted_down_whatever_its_figures_are_by_now(people, tighten):
    proposal = assembly.called(people)
    assembly.vote(proposal, "nnnny.", people)
    tighten()
    assert assembly.go_on(proposal).state == State.CONTEST
    assert assembly.go_on(proposal).state == State.DEFEATED
