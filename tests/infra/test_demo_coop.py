"""The demo's co-op: members in every class, proposals in each part of their life, and a vote for who signs in."""

import os
from datetime import datetime, timedelta

import pytest

from infra.demonstration import builder, founding, votes
from infra.demonstration.people import EVERYBODY, PEOPLE
from members import clock, policies
from members.belonging import expulsions, hours, shares
from members.belonging.models import Membership
from members.voting import ballots, elections, electorate, panels, urns
from members.voting.proposal_models import Proposal
from members.voting.tally import Verdict
from tests import cast

pytestmark = pytest.mark.django_db
State = Proposal.State
# A usual day, and one in a month of which there is nothing to see yet, with a change of the clocks before.
DAYS = (
    "2026-11-22T12:00+01:00",
    pytest.param(
        "2027-04-02T09:00+02:00",
        marks=pytest.mark.skipif(not os.environ.get("REFRAIN_LONG"), reason="some 15 s, the same once more"),
    ),
)


@pytest.fixture(params=DAYS)
def coop(request):
    """Let the demo's people found their co-op and live in it for four months."""
    until = datetime.fromisoformat(request.param)
    cast.set_clock(until)
    policies.forget()
    made = founding.Coop({who.name: builder._person(who) for who in EVERYBODY.values()})
    assembly = votes.assemble(made, until=until)
    founded = clock.day(until) - timedelta(days=founding.FOUNDED_BEFORE)
    builder._set_clock(founded, builder.MEET_AT)
    founding.found(made, now=clock.now())
    for left in range(founding.FOUNDED_BEFORE - 1, 0, -1):
        day = clock.day(until) - timedelta(days=left)
        builder._gather(assembly, day, left=left)
        builder._end(day)
    cast.set_clock(until)
    votes.beat(now=clock.now())
    return made


def test_there_is_all_of_a_coop_to_look_at(coop):
    now = clock.now()
    sizes = electorate.sizes(moment=now)
    assert (sizes["creator"], sizes["worker"], sizes["supporter"]) == (3, 2, 1)
    assert sizes["listener"] >= 8
    (appeal,) = expulsions.appeals(now=now)
    assert appeal.panel.count() == panels.SIZE
    assert Membership.objects.filter(state=Membership.State.APPLIED).count() == 1
    assert Membership.objects.filter(state=Membership.State.APPROVED).count() == 1
    assert [one.person.name for one in hours.waiting()]
    assert [one.membership.person.name for one in shares.unpaid()] == ["Lars"]
    assert [one.membership.person.name for one in shares.to_repay()] == ["Fay"]
    # Everybody who signs in belongs, and may vote.
    assert all(electorate.class_of(coop.id(who.name), moment=now) == who.votes_as for who in PEOPLE)

    found = {one.title: one for one in Proposal.objects.all()}
    assert {one.state for one in found.values()} == set(State) - {State.COUNTING, State.FAILED}
    enacted = next(one for one in found.values() if one.key == "pricing" and one.state == State.ENACTED)
    price = policies.policy_at("pricing", now)
    assert (price.proposal_id, price.params["price_default_micros"]) == (enacted.id, 766_500)
    # It began with a month of which there is something to see, and in which people still listened.
    assert price.effective_from == clock.start_of(clock.month(price.effective_from))
    assert timedelta(days=builder.BEGINS_BEFORE - 30) > now - price.effective_from > timedelta(days=4)

    revenue = next(one for one in found.values() if one.key == "revenue")
    assert (revenue.state, urns.result(revenue.election_id).verdict) == (State.CONTEST, Verdict.DEFEATED)
    assert revenue.contests.get().panel.count() == panels.SIZE

    # Everybody who signs in casts a ballot, and the last of them finds theirs.
    voting = Proposal.objects.get(state=State.VOTING)
    turnout = elections.turnout(voting.election_id)
    assert (turnout.voted, turnout.classes["creator"]) == (5, (3, 0))
    assert voting.election.checkpoints.count() == 1
    for who in PEOPLE:
        nonce = coop.id(who.name).bytes
        receipt = ballots.cast(election_id=voting.election_id, person_id=coop.id(who.name), choice="yes", nonce=nonce)
        assert len(receipt.tracker) == 64
    cast.set_clock(voting.ends_at + timedelta(minutes=1))
    votes.beat(now=clock.now())
    assert urns.find_ballot(election_id=voting.election_id, tracker=receipt.tracker).choice == "yes"
    assert Proposal.objects.get(id=voting.id).state == State.CONTEST
