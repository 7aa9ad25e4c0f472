"""Edges of a proposal's life: bounds that tighten, a roll that is drawn anew, a board too small, days that are over."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from members import clock, policies
from members.belonging import memberships
from members.problems import NotAllowed
from members.voting import contests, discussion, elections, proposal_life, proposals, urns
from members.voting.panels import PanelOver
from members.voting.proposal_models import Contest, Proposal
from members.voting.proposals import NotNow
from tests import cast
from tests.members import assembly, belonging

pytestmark = pytest.mark.django_db
State, Ruling = Proposal.State, Contest.Ruling
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


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
    assert urns.result(found.election_id).verdict == "passed"


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


# By which rules it is asked: those of the moment at which it is frozen, and no later ones.


def test_how_much_has_to_agree_is_found_again_when_it_is_frozen(people):
    # A year before, on 10 August, creators got 745 000 ppm, and 700 000 the day before.
    cast.set_clock(assembly.BEGINS.replace(year=2025, day=10))
    cast.vote("revenue", creators_ppm=745_000, coop_ppm=255_000)
    cast.set_clock(assembly.BEGINS)
    proposal = assembly.submitted(people[0], key="revenue", creators_ppm=690_000, coop_ppm=310_000)
    # From 700 000 twelve months ago, that is a step of 10 000.
    assert proposal.kind == "ordinary"
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    # A fortnight later twelve months ago is 745 000.
    found = assembly.go_on(proposal)
    assert (found.state, found.kind, found.election.kind) == (State.NOTICE, "special", "special")


def test_how_much_has_to_agree_is_found_again_when_it_is_submitted(people):
    # As above, but it is the draft that is a fortnight old.
    cast.set_clock(assembly.BEGINS.replace(year=2025, day=10))
    cast.vote("revenue", creators_ppm=745_000, coop_ppm=255_000)
    cast.set_clock(assembly.BEGINS)
    draft = assembly.drafted(people[0], key="revenue", creators_ppm=690_000, coop_ppm=310_000)
    assert draft.kind == "ordinary"
    cast.set_clock(assembly.BEGINS + 14 * DAY)
    assert proposals.submit(proposal_id=draft.id, author_id=people[0].id, now=clock.now()).kind == "special"


def test_it_is_voted_on_by_the_rules_that_hold_when_it_is_frozen(people):
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    cast.vote("governance", head_quorum_least=4, voting_days=10)
    found = assembly.go_on(proposal)
    assert (found.governance_seq, found.election.rules["heads_least"]) == (2, 4)
    assert found.election.closes_at - found.election.opens_at == 10 * DAY


def test_a_second_call_and_the_days_to_contest_follow_the_frozen_rules(people):
    proposal = assembly.called(people)
    cast.vote("governance", head_quorum_least=10, contest_days=14, voting_days=10)
    assembly.vote(proposal, "yyyy..", people)
    found = assembly.go_on(proposal)
    assert (found.state, found.is_second_call, found.governance_seq) == (State.NOTICE, True, 1)
    assert found.election.rules["heads_least"] == 5
    assert found.election.closes_at - found.election.opens_at == 7 * DAY
    assembly.go_on(proposal)
    assembly.vote(proposal, "yyyy..", people)
    counted = assembly.go_on(proposal)
    assert counted.state == State.CONTEST
    assert counted.ends_at - found.election.closes_at == 8 * DAY


def test_a_second_call_draws_its_roll_anew(people):
    proposal = assembly.called(people)
    # Too late for the first roll, on 17 August; thirty days before the second one.
    cast.set_clock(assembly.BEGINS + 2 * DAY)
    gus = belonging.member("gus", now=clock.now())
    memberships.leave(person_id=people[5].id, now=clock.now() + 20 * DAY)
    found = assembly.seen(proposal)
    assert elections.turnout(found.election_id).members == 6
    cast.set_clock(found.ends_at + 5 * DAY)
    assembly.beat()
    found = assembly.seen(proposal)
    assert (found.state, found.is_second_call) == (State.NOTICE, True)
    assert elections.standing(election_id=found.election_id, person_id=gus.id) is not None
    assert elections.standing(election_id=found.election_id, person_id=people[5].id) is None


# Who stands behind it.


def test_who_left_puts_nothing_before_the_members(people):
    draft = assembly.drafted(people[0])
    memberships.leave(person_id=people[0].id, now=clock.now())
    with pytest.raises(NotAllowed):
        proposals.submit(proposal_id=draft.id, author_id=people[0].id, now=clock.now())


def test_who_withdrew_stands_behind_it_no_more(people):
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    proposals.withdraw_sponsorship(proposal_id=proposal.id, person_id=people[1].id, now=clock.now())
    assembly.beat()
    assert assembly.seen(proposal).state == State.SPONSORING
    # Who comes back is counted once.
    assembly.sponsor(proposal, people[1], people[1])
    assert proposals.sponsors(proposal).count() == 3
    assembly.beat()
    assert assembly.seen(proposal).state == State.DELIBERATION


def test_half_of_the_board_is_not_most_of_it(people):
    for person in people[:4]:
        person.staff_roles.create(role="director")
    proposal = assembly.submitted(people[4])
    assembly.sponsor(proposal, *people[:2])
    assert not proposals.is_sponsored(proposal, now=clock.now())
    assembly.sponsor(proposal, people[2])
    proposals.withdraw_sponsorship(proposal_id=proposal.id, person_id=people[0].id, now=clock.now())
    assert not proposals.is_sponsored(proposal, now=clock.now())


def test_two_directors_are_no_board(people):
    for person in people[:2]:
        person.staff_roles.create(role="director")
    proposal = assembly.submitted(people[4])
    assembly.sponsor(proposal, *people[:2])
    assert not proposals.is_sponsored(proposal, now=clock.now())


# The moments themselves.


def test_a_part_ends_at_its_moment_and_not_before_it(people):
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    for state in (State.NOTICE, State.VOTING):
        ends_at = assembly.seen(proposal).ends_at
        assert proposal_life.advance(now=ends_at - SECOND) == 0
        cast.set_clock(ends_at)
        assert proposal_life.advance(now=ends_at) == 1
        assert assembly.seen(proposal).state == state


def test_it_is_written_down_a_day_before_and_enacted_when_it_holds(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyy", people)
    assembly.go_on(proposal)
    begins = assembly.go_on(proposal).effective_from
    seen = []
    for moment in (begins - DAY - SECOND, begins - DAY, begins - SECOND, begins):
        cast.set_clock(moment)
        proposal_life.advance(now=moment)
        found = assembly.seen(proposal)
        seen.append((found.state, found.made_seq))
    assert seen == [(State.QUEUED, None), (State.QUEUED, 2), (State.QUEUED, 2), (State.ENACTED, 2)]


def test_governance_begins_a_day_after_the_days_to_contest(people):
    asked = {**policies.registered("governance").founding, "contest_days": 8}
    proposal = assembly.called(people, key="governance", **asked)
    assembly.vote(proposal, "yyyyyy", people)
    assembly.go_on(proposal)
    found = assembly.go_on(proposal)
    assert found.state == State.QUEUED
    assert timedelta(hours=23) < found.effective_from - clock.now() <= DAY
    assembly.beat()
    assert assembly.seen(proposal).made_seq == 2
    cast.set_clock(found.effective_from)
    assembly.beat()
    assert assembly.seen(proposal).state == State.ENACTED
    assert policies.policy_at("governance", clock.now()).params["contest_days"] == 8


# What a panel says is done.


@pytest.fixture
def ten():
    """Give ten members who may vote: enough for a panel without the parties."""
    return assembly.members("ada", "bo", "cem", "dora", "emil", "fay", "gus", "hana", "ivo", "june")


def ruled(proposal, person, ruling, *, voices=2):
    """Let somebody contest a vote, and some of the panel rule."""
    filed = contests.file(proposal_id=proposal.id, person_id=person.id, grounds="Look again.", now=clock.now())
    for person_id in filed.panel.values_list("person_id", flat=True)[:voices]:
        contests.rule(appeal_id=filed.id, person_id=person_id, ruling=ruling, reasons="We looked.", now=clock.now())
    return filed


def test_a_recount_that_does_not_come_to_the_same_voids_the_vote(ten):
    proposal = assembly.called(ten)
    assembly.vote(proposal, "yyyyyynnnn", ten)
    found = assembly.go_on(proposal)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE members_ballot SET choice = 'yes' WHERE choice = 'no'")
        cursor.execute("SET session_replication_role = origin")
    ruled(proposal, ten[9], Ruling.RECOUNTED)
    again = assembly.go_on(proposal)
    assert (again.state, again.reruns, again.election_id == found.election_id) == (State.NOTICE, 1, False)
    assert "Counted again, the vote did not come to the same" in again.parts.latest("id").words


def test_one_of_three_decides_nothing(ten):
    proposal = assembly.called(ten)
    assembly.vote(proposal, "yyyyyyyyyy", ten)
    assembly.go_on(proposal)
    filed = ruled(proposal, ten[9], Ruling.VOIDED, voices=1)
    cast.set_clock(filed.decide_until + SECOND)
    assembly.beat()
    assert assembly.seen(proposal).state == State.QUEUED


def test_a_voided_second_call_is_held_again_as_a_first_one(ten):
    proposal = assembly.called(ten)
    assembly.vote(proposal, "yyyy......", ten)
    assert assembly.go_on(proposal).is_second_call
    assembly.go_on(proposal)
    assembly.vote(proposal, "yyyy......", ten)
    assert assembly.go_on(proposal).state == State.CONTEST
    ruled(proposal, ten[9], Ruling.VOIDED)
    again = assembly.go_on(proposal)
    assert (again.state, again.is_second_call, again.election.is_second_call) == (State.NOTICE, False, False)


def test_of_eight_the_two_who_had_no_part_in_it_are_the_panel(ten):
    author, *behind, director, contester, ida, ivo = ten[:8]
    for person in ten[8:]:
        memberships.leave(person_id=person.id, now=clock.now())
    director.staff_roles.create(role="director")
    proposal = assembly.submitted(author)
    assembly.sponsor(proposal, *behind)
    assembly.beat()
    for _ in range(2):
        assembly.go_on(proposal)
    assembly.vote(proposal, "yyyyyyyy", ten[:8])
    assembly.go_on(proposal)
    said = {"proposal_id": proposal.id, "grounds": "Look again.", "now": clock.now()}
    with pytest.raises(NotAllowed):
        contests.file(**said, person_id=cast.person("lars").id)
    filed = contests.file(**said, person_id=contester.id)
    assert set(filed.panel.values_list("person_id", flat=True)) == {ida.id, ivo.id}


def test_the_days_to_contest_and_to_rule_are_over_at_their_moment(ten):
    proposal = assembly.called(ten)
    assembly.vote(proposal, "yyyyyyyyyy", ten)
    ends_at = assembly.go_on(proposal).ends_at
    said = {"proposal_id": proposal.id, "person_id": ten[9].id, "grounds": "Late."}
    with pytest.raises(NotNow):
        contests.file(**said, now=ends_at)
    filed = contests.file(**said, now=ends_at - SECOND)
    judge = filed.panel.values_list("person_id", flat=True)[0]
    ruling = {"appeal_id": filed.id, "person_id": judge, "ruling": Ruling.VOIDED, "reasons": "Late."}
    with pytest.raises(PanelOver):
        contests.rule(**ruling, now=filed.decide_until)
    assert not contests.rule(**ruling, now=filed.decide_until - SECOND).ruling
    with pytest.raises(NotAllowed):
        contests.file(**{**said, "person_id": cast.person("lars").id}, now=ends_at - SECOND)


# What is voted on, and when it may begin.


def test_the_hash_that_is_voted_on_is_that_of_the_text_and_the_figures(people):
    found = assembly.called(people)
    said = {
        "domain": "refrain-question/1",
        "proposal": str(found.id),
        "number": 1,
        "version": 1,
        "kind": "ordinary",
        "policy": "opening",
        "base": 1,
        "params": {"seconds": 30},
        "title": "A shorter opening",
        "reasons": "Because we said so at the table.",
    }
    expected = hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    notice = found.election.notice["notice"]
    assert [found.frozen_sha256, found.election.question_sha256, notice["question_sha256"]] == [expected] * 3


@pytest.mark.parametrize(
    ("key", "kind", "starts", "days", "step"),
    [
        ("pricing", "ordinary", "month", 14, None),
        ("opening", "ordinary", "month", 14, None),
        ("content", "ordinary", "day", 60, None),
        ("payouts", "ordinary", "month", 30, None),
        ("revenue", "ordinary", "month", 30, 50_000),
        ("surplus", "special", "year", 0, None),
        ("governance", "constitutional", "at-once", 0, None),
    ],
)
def test_how_much_has_to_agree_to_a_policy_and_with_what_it_begins(key, kind, starts, days, step):
    found = policies.registered(key)
    assert (found.kind, found.starts, found.starts_after_days) == (kind, starts, days)
    assert (found.step.most if found.step else None) == step


def test_there_are_no_other_policies():
    assert policies.names() == ["content", "governance", "opening", "payouts", "pricing", "revenue", "surplus"]


@pytest.mark.parametrize(
    ("key", "name", "least", "most"),
    [
        ("opening", "seconds", 20, 60),
        ("payouts", "least_cents", 1_00, 25_00),
        ("payouts", "yearly_least_cents", 1, 5_00),
        ("governance", "sponsoring_days", 5, 30),
        ("governance", "deliberation_long_days", 5, 30),
        ("governance", "contest_days", 5, 14),
        ("governance", "head_quorum_least", 3, 10),
        ("governance", "weight_creator_ppm", 50_000, 500_000),
        ("surplus", "reserve_ppm", 150_000, None),
        ("surplus", "cash_ppm", 200_000, None),
    ],
)
def test_a_figure_ends_where_the_rules_say(key, name, least, most):
    field = policies.registered(key).schema[name]
    assert (field.least, field.most if most else None) == (least, most)


def test_other_figures_are_suggested_in_deliberation_and_at_no_other_time(people):
    proposal = assembly.submitted(people[0])
    said = {"proposal_id": proposal.id, "person_id": people[1].id, "title": "Other", "reasons": "Better."}

    def too_early_or_late():
        with pytest.raises(NotNow):
            discussion.amend(**said, params={"seconds": 35}, now=clock.now())

    too_early_or_late()
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    assert discussion.amend(**said, params={"seconds": 35}, now=clock.now()).number == 2
    assembly.go_on(proposal)
    too_early_or_late()


def test_nothing_is_said_about_a_proposal_once_it_is_frozen(people):
    proposal = assembly.called(people)
    with pytest.raises(NotNow):
        discussion.remark(proposal_id=proposal.id, person_id=people[1].id, text="Late.", now=clock.now())
    with pytest.raises(NotNow):
        proposals.withdraw_sponsorship(proposal_id=proposal.id, person_id=people[1].id, now=clock.now())


# Whoever asks the database.


def test_what_was_put_before_the_members_stays_as_it_was_put(people):
    proposal = assembly.submitted(people[0])
    discussion.remark(proposal_id=proposal.id, person_id=people[1].id, text="Good.", now=clock.now())

    def refused(change, why):
        with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)

    for change, why in (
        ("UPDATE members_part SET words = 'Another.'", "members_part is append-only"),
        ("DELETE FROM members_part", "members_part is append-only"),
        ("DELETE FROM members_proposal", "members_proposal is append-only"),
        ("DELETE FROM members_proposalversion", "members_proposalversion is append-only"),
        ("UPDATE members_proposalversion SET title = 'Another'", "written once"),
        ("UPDATE members_proposalversion SET declined_at = written_at", "written once"),
        ("UPDATE members_remark SET text = 'Bad.'", "members_remark is append-only"),
        ("DELETE FROM members_remark", "members_remark is append-only"),
    ):
        refused(change, why)
    proposals.retract(proposal_id=proposal.id, author_id=people[0].id, now=clock.now())
    refused("UPDATE members_proposal SET state = 'sponsoring', ended_at = NULL", "has ended")
