"""Proposals as somebody would send them who wants more than a vote gives: figures that are none, and steps in a row."""

import json
from datetime import timedelta

import pytest

from members import clock, policies
from members.policies import PolicyRefused
from members.voting import discussion
from members.voting.proposal_models import Proposal
from members.voting.tally import Kind
from tests import cast
from tests.callers import Caller
from tests.members import assembly

pytestmark = pytest.mark.django_db
HOSTILE = [
    '999999', '1000000', '0', '-700000', '700000.0', '7e5', '7.5e5', 'NaN', 'Infinity', '-Infinity', 'true', 'null',
    '"750000"', '""', '[750000]', '{"ppm": 750000}', '1' + '0' * 400, '750000.000000000001',
]  # fmt: skip


@pytest.fixture
def people():
    """Give six members who may vote."""
    return assembly.members("ada", "bo", "cem", "dora", "emil", "fay")


@pytest.mark.parametrize("figure", HOSTILE)
def test_what_is_no_share_is_never_kept_over_http(people, figure):
    said = {"key": "revenue", "title": "More", "reasons": "For us.", "params": {"creators_ppm": 0, "coop_ppm": 250_000}}
    body = json.dumps(said).replace('"creators_ppm": 0', f'"creators_ppm": {figure}')
    answer = Caller(people[0])("POST", "proposals", body.encode())
    assert answer.status_code in (400, 422), answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not Proposal.objects.exists()
    assert policies.versions("revenue", clock.now())[-1].seq == 1


@pytest.mark.parametrize("params", ["[]", '"x"', "3", "true", "{}", "null", '{"creators_ppm": 750000}'])
def test_what_are_no_figures_is_never_kept_over_http(people, params):
    body = f'{{"key": "revenue", "title": "More", "reasons": "For us.", "params": {params}}}'
    answer = Caller(people[0])("POST", "proposals", body.encode())
    assert answer.status_code in (400, 422), answer.content
    assert not Proposal.objects.exists()


def shares(creators):
    return {"creators_ppm": creators, "coop_ppm": 1_000_000 - creators}


@pytest.mark.parametrize("creators", [599_999, 900_001, 999_999])
def test_a_share_beyond_the_bounds_is_refused_as_draft_and_as_amendment(people, creators):
    with pytest.raises(PolicyRefused):
        assembly.drafted(people[0], key="revenue", **shares(creators))
    proposal = assembly.submitted(people[0], key="revenue", **shares(750_000))
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    with pytest.raises(PolicyRefused):
        discussion.amend(
            proposal_id=proposal.id, person_id=people[1].id, title="More", reasons="More.",
            params=shares(creators), now=clock.now(),
        )  # fmt: skip
    assert assembly.seen(proposal).params == shares(750_000)


def test_the_second_of_two_small_steps_in_a_row_needs_what_a_large_one_needs(people):
    first = assembly.called(people, key="revenue", **shares(750_000))
    assert first.kind == Kind.ORDINARY
    assembly.vote(first, "yyyyyy", people)
    assembly.go_on(first)
    begins = assembly.go_on(first).effective_from
    cast.set_clock(begins + assembly.MINUTE - timedelta(hours=23))
    assembly.beat()
    cast.set_clock(begins + assembly.MINUTE)
    assembly.beat()
    assert assembly.seen(first).state == Proposal.State.ENACTED
    second = assembly.submitted(people[1], key="revenue", **shares(800_000))
    assert second.kind == Kind.SPECIAL
    assembly.sponsor(second, *people[:3])
    assembly.beat()
    # The longer days of a special vote, and its bar: four of six are more than half and less than two thirds and a bit.
    deliberation = assembly.seen(second)
    assert deliberation.ends_at - clock.now() > timedelta(days=20)
    assembly.go_on(second)
    found = assembly.go_on(second)
    assert (found.kind, found.election.closes_at - found.election.opens_at) == (Kind.SPECIAL, timedelta(days=14))
    assembly.vote(second, "yyynnn", people)
    assembly.go_on(second)
    assert assembly.go_on(second).state == Proposal.State.DEFEATED
    assert policies.policy_at("revenue", clock.now()).params == shares(750_000)


def test_an_amendment_that_makes_the_step_large_makes_the_vote_special(people):
    proposal = assembly.submitted(people[0], key="revenue", **shares(740_000))
    assert proposal.kind == Kind.ORDINARY
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    discussion.amend(
        proposal_id=proposal.id, person_id=people[0].id, title="More", reasons="More.", params=shares(760_000),
        now=clock.now(),
    )  # fmt: skip
    assert assembly.seen(proposal).kind == Kind.SPECIAL
    assembly.sponsor(proposal, *people[:3])
    assert assembly.go_on(proposal).kind == Kind.SPECIAL
