"""The life of a proposal, moved by beat alone: from a draft to the figures that the software obeys, and every end."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from members import clock, policies
from members.belonging import shares
from members.models import Notice
from members.policies import PolicyRefused, StaleBase
from members.problems import Invalid, NotAllowed, NotFound
from members.voting import ballots, contests, discussion, elections, proposal_life, proposals, urns
from members.voting.proposal_models import Contest, Part, Proposal
from members.voting.proposals import NotNow, OneAtATime
from members.voting.tally import Kind, Verdict
from tests import cast
from tests.members import assembly, belonging

pytestmark = pytest.mark.django_db
State, Ruling = Proposal.State, Contest.Ruling


@pytest.fixture
def people():
    """Give six members who may vote."""
    return assembly.members("ada", "bo", "cem", "dora", "emil", "fay")


def seconds_at(moment):
    return policies.policy_at("opening", moment).params["seconds"]


def test_a_vote_changes_what_the_software_obeys_by_itself(people):
    proposal = assembly.submitted(people[0])
    assert (proposal.number, proposal.kind, proposal.state) == (1, Kind.ORDINARY, State.SPONSORING)
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    assert assembly.seen(proposal).state == State.DELIBERATION
    assert assembly.go_on(proposal).state == State.NOTICE
    assert assembly.go_on(proposal).state == State.VOTING
    assembly.vote(proposal, "yyyyn.", people)
    found = assembly.go_on(proposal)
    assert (found.state, urns.result(found.election_id).verdict) == (State.CONTEST, Verdict.PASSED)
    found = assembly.go_on(proposal)
    # Counted on 31 August, contested until 7 September: the first month that is two weeks away is October.
    begins = found.effective_from
    assert (found.state, begins.isoformat()) == (State.QUEUED, "2026-09-30T22:00:00+00:00")
    assert found.made_seq is None
    assert seconds_at(clock.now()) == 45
    cast.set_clock(begins - timedelta(hours=23))
    assembly.beat()
    assert assembly.seen(proposal).made_seq == 2
    assert (seconds_at(begins - timedelta(seconds=1)), seconds_at(begins + timedelta(seconds=1))) == (45, 30)
    cast.set_clock(begins)
    assembly.beat()
    found = assembly.seen(proposal)
    assert (found.state, found.ended_at, found.why) == (State.ENACTED, found.ended_at, "It holds as version 2.")
    assert policies.policy_at("opening", clock.now()).proposal_id == proposal.id
    assert list(Part.objects.filter(proposal=proposal).order_by("id").values_list("state", flat=True)) == [
        "sponsoring", "deliberation", "notice", "voting", "counting", "contest", "queued", "enacted",
    ]  # fmt: skip


def test_its_parts_end_in_the_evening(people):
    proposal = assembly.submitted(people[0])
    assert assembly.seen(proposal).ends_at.isoformat() == "2026-08-17T18:00:00+00:00"
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    assembly.go_on(proposal)
    election = assembly.seen(proposal).election
    # Begun at noon on 3 August: 14 days of deliberation, 7 of notice, 7 of voting, each from an evening to an evening.
    opens, closes = "2026-08-25T18:00:00+00:00", "2026-09-01T18:00:00+00:00"
    assert (election.opens_at.isoformat(), election.closes_at.isoformat()) == (opens, closes)


def test_everybody_on_the_roll_is_told_once_of_the_vote_and_of_its_end(people):
    proposal = assembly.called(people)
    assert Notice.objects.filter(subject__startswith="A vote begins on 25 August").count() == 6
    assembly.vote(proposal, "yyyyn.", people)
    assembly.go_on(proposal)
    assembly.beat()
    told = {
        one.person_id: "You voted." in one.body for one in Notice.objects.filter(subject="A shorter opening: it passed")
    }
    assert told == {person.id: person is not people[5] for person in people}


def test_urns_of_open_votes_are_signed(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyy.", people)
    assert proposal_life.seal_urns(now=clock.now()) == 1
    assert proposal_life.seal_urns(now=clock.now()) == 0
    assert assembly.seen(proposal).election.checkpoints.count() == 1


# Sponsors.


def test_it_lapses_when_too_few_stand_behind_it(people):
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:2])
    found = assembly.go_on(proposal)
    assert (found.state, found.why) == (State.LAPSED, "Too few members stood behind it in time.")


def test_sponsors_come_from_two_classes_where_there_are_two(people):
    cast.set_clock(assembly.JOINED)
    now = clock.now()
    gus = cast.person("gus")
    joining = belonging.approved(gus, classes=("supporter",), now=now)
    asked = shares.ask(person_id=gus.id, count=1, now=now)
    shares.confirm(holding_id=asked.id, staff_id=cast.treasurer().id, iban=belonging.iban(), now=now)
    belonging.pay(joining, now=now)
    cast.set_clock(assembly.BEGINS)
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:4])
    assembly.beat()
    assert assembly.seen(proposal).state == State.SPONSORING
    assembly.sponsor(proposal, gus)
    assembly.beat()
    assert assembly.seen(proposal).state == State.DELIBERATION


def test_the_board_alone_is_enough(people):
    for person in people[:3]:
        person.staff_roles.create(role="director")
    proposal = assembly.submitted(people[4])
    assembly.sponsor(proposal, people[0])
    assembly.beat()
    assert assembly.seen(proposal).state == State.SPONSORING
    assembly.sponsor(proposal, people[1])
    assembly.beat()
    assert assembly.seen(proposal).state == State.DELIBERATION


def test_who_joined_late_neither_sponsors_nor_votes(people):
    proposal = assembly.submitted(people[0])
    late = belonging.member("late", now=clock.now())
    with pytest.raises(NotAllowed, match="30 days"):
        proposals.sponsor(proposal_id=proposal.id, person_id=late.id, now=clock.now())
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    assembly.go_on(proposal)
    found = assembly.go_on(proposal)
    # On 18 August, when the roll was written, they had been in for 15 days.
    with pytest.raises(ballots.NotOnTheRoll):
        assembly.cast_ballot(found.election_id, late, "yes")
    assert elections.turnout(found.election_id).members == 6


# Amendments.


def test_other_figures_ask_the_sponsors_again(people):
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    suggested = discussion.amend(
        proposal_id=proposal.id, person_id=people[3].id, title="A shorter opening", reasons="Not that short.",
        params={"seconds": 35}, now=clock.now(),
    )  # fmt: skip
    assert assembly.seen(proposal).params == {"seconds": 30}
    discussion.accept(proposal_id=proposal.id, number=suggested.number, author_id=people[0].id, now=clock.now())
    found = assembly.seen(proposal)
    assert (found.version, found.params, proposals.sponsors(found).count()) == (2, {"seconds": 35}, 0)
    assembly.sponsor(proposal, *people[:2])
    found = assembly.go_on(proposal)
    assert (found.state, found.why) == (State.LAPSED, "Too few members stand behind what it came to.")


def test_other_words_keep_the_sponsors(people):
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    discussion.amend(
        proposal_id=proposal.id, person_id=people[0].id, title="Half a minute", reasons="Shorter.",
        params={"seconds": 30}, now=clock.now(),
    )  # fmt: skip
    found = assembly.go_on(proposal)
    assert (found.state, found.title, found.version) == (State.NOTICE, "Half a minute", 2)


def test_nobody_but_the_author_accepts(people):
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    discussion.amend(
        proposal_id=proposal.id, person_id=people[3].id, title="Mine", reasons="Better.", params={"seconds": 35},
        now=clock.now(),
    )  # fmt: skip
    with pytest.raises(NotFound):
        discussion.accept(proposal_id=proposal.id, number=2, author_id=people[3].id, now=clock.now())
    assembly.go_on(proposal)
    with pytest.raises(NotNow):
        discussion.accept(proposal_id=proposal.id, number=2, author_id=people[0].id, now=clock.now())
    assert proposal.versions.get(number=2).declined_at is not None


def test_what_is_frozen_stands_whoever_asks_the_database(people):
    proposal = assembly.called(people)
    for change in ("title = 'Another'", "params = '{\"seconds\": 20}'", "governance_seq = 2", "kind = 'special'"):
        with (
            pytest.raises(DatabaseError, match="what members vote on"),
            transaction.atomic(),
            connection.cursor() as by,
        ):
            by.execute(f"UPDATE members_proposal SET {change} WHERE id = %s", [proposal.id])  # noqa: S608  (above)


# One at a time, and on what holds.


def test_two_proposals_about_one_policy_do_not_live_at_once(people):
    assembly.submitted(people[0])
    second = assembly.drafted(people[1], seconds=20)
    with pytest.raises(OneAtATime):
        proposals.submit(proposal_id=second.id, author_id=people[1].id, now=clock.now())
    assert assembly.seen(second).state == State.DRAFT
    assert assembly.submitted(people[1], key="payouts", least_cents=500, yearly_least_cents=200).number == 2


def test_a_draft_that_compared_with_what_holds_no_more_is_written_anew(people):
    draft = assembly.drafted(people[0])
    cast.vote("opening", seconds=50)
    with pytest.raises(StaleBase):
        proposals.submit(proposal_id=draft.id, author_id=people[0].id, now=clock.now())
    proposals.rewrite(
        proposal_id=draft.id, author_id=people[0].id, title="Shorter", reasons="Still.", params={"seconds": 30},
        now=clock.now(),
    )  # fmt: skip
    assert proposals.submit(proposal_id=draft.id, author_id=people[0].id, now=clock.now()).base_seq == 2


def test_another_version_in_between_makes_it_fail_and_never_merges(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyy", people)
    assembly.go_on(proposal)
    found = assembly.go_on(proposal)
    cast.vote("opening", seconds=50)
    cast.set_clock(found.effective_from - timedelta(hours=20))
    assembly.beat()
    found = assembly.seen(proposal)
    assert (found.state, found.made_seq) == (State.FAILED, None)
    assert found.why == "opening: it was to follow version 1, and version 2 came between"
    assert seconds_at(clock.now() + timedelta(days=60)) == 50


def test_figures_that_became_impossible_while_it_was_queued_make_it_fail(people, monkeypatch):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyy", people)
    assembly.go_on(proposal)
    found = assembly.go_on(proposal)
    tighter = policies.registered("opening")
    monkeypatch.setitem(
        policies._registry,
        "opening",
        type(tighter)(**{**vars(tighter), "schema": {"seconds": policies.Whole(least=40, most=60)}}),
    )
    cast.set_clock(found.effective_from - timedelta(hours=20))
    assembly.beat()
    assert (assembly.seen(proposal).state, seconds_at(found.effective_from)) == (State.FAILED, 45)


def test_a_beat_that_comes_too_late_postpones_and_never_backdates(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyy", people)
    assembly.go_on(proposal)
    begins = assembly.go_on(proposal).effective_from
    cast.set_clock(begins - timedelta(minutes=30))
    assembly.beat()
    found = assembly.seen(proposal)
    assert (found.state, found.effective_from) == (State.QUEUED, clock.start_of(clock.day(begins).replace(month=11)))
    assert seconds_at(begins + timedelta(seconds=1)) == 45


def test_governance_that_changes_during_a_vote_never_reaches_it(people):
    proposal = assembly.called(people)
    cast.vote("governance", support_ordinary_num=3, support_ordinary_den=5, head_quorum_least=10)
    cast.set_clock(clock.now() + timedelta(hours=2))
    assembly.vote(proposal, "yyyyn.", people)
    found = assembly.go_on(proposal)
    assert (found.governance_seq, urns.result(found.election_id).head_quorum) == (1, 5)


# How much has to agree.


def test_a_large_step_of_revenue_is_special_and_two_small_ones_are_a_large_one(people):
    now = clock.now()
    small, large = ({"creators_ppm": 700_000 + step, "coop_ppm": 300_000 - step} for step in (50_000, 50_001))
    assert [proposals.kind_of("revenue", figures, now=now) for figures in (small, large)] == [
        Kind.ORDINARY,
        Kind.SPECIAL,
    ]
    cast.vote("revenue", **small)
    later = now + timedelta(days=200)
    again = {"creators_ppm": 760_000, "coop_ppm": 240_000}
    assert proposals.kind_of("revenue", again, now=later) == Kind.SPECIAL
    assert proposals.kind_of("revenue", again, now=later + timedelta(days=200)) == Kind.ORDINARY
    assert proposals.kind_of("governance", policies.registered("governance").founding, now=now) == Kind.CONSTITUTIONAL
    assert proposals.kind_of("", None, now=now) == Kind.ADVISORY


@pytest.mark.parametrize(
    "figures",
    [{}, {"seconds": 30.0}, {"seconds": True}, {"seconds": "30"}, {"seconds": float("nan")}, {"seconds": 19},
     {"seconds": 30, "more": 1}, {"seconds": 45}],
)  # fmt: skip
def test_figures_that_cannot_be_are_refused_when_they_are_written(people, figures):
    with pytest.raises(PolicyRefused):
        proposals.draft(author_id=people[0].id, key="opening", title="A", reasons="B", params=figures, now=clock.now())
    assert not Proposal.objects.exists()


def test_words_alone_are_advice(people):
    proposal = assembly.called(people, key="", title="Let us meet in spring")
    assembly.vote(proposal, "yyyyyy", people)
    assembly.go_on(proposal)
    found = assembly.go_on(proposal)
    assert (found.state, found.why) == (State.ENACTED, "Members said so; the board answers.")


# What a vote can come to.


def test_what_is_voted_down_stays_down(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "nnnny.", people)
    assert assembly.go_on(proposal).state == State.CONTEST
    found = assembly.go_on(proposal)
    assert (found.state, found.why) == (State.DEFEATED, "It was voted down.")
    assert assembly.submitted(people[1], seconds=25).number == 2


def test_a_vote_to_which_too_few_came_is_called_once_more_for_half_the_heads(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyy..", people)
    first = assembly.seen(proposal).election_id
    found = assembly.go_on(proposal)
    assert (found.state, found.is_second_call, found.election_id == first) == (State.NOTICE, True, False)
    assert found.election.opens_at - found.election.announced_at >= timedelta(days=14)
    assembly.go_on(proposal)
    assembly.vote(proposal, "yyy...", people)
    found = assembly.go_on(proposal)
    assert urns.result(found.election_id).head_quorum == 3
    assert (found.state, urns.result(found.election_id).verdict) == (State.CONTEST, Verdict.PASSED)


def test_the_second_time_it_ends(people):
    proposal = assembly.called(people)
    assembly.go_on(proposal)
    assembly.go_on(proposal)
    assembly.vote(proposal, "yy....", people)
    found = assembly.go_on(proposal)
    assert (found.state, found.why) == (State.INQUORATE, "Too few members voted, the second time too.")


# Contesting it.


@pytest.fixture
def more_people():
    """Give ten members, of whom six are parties to the proposal or are asked."""
    return assembly.members("ada", "bo", "cem", "dora", "emil", "fay", "gus", "hana", "ivo", "june")


def contest_of_ten(people, ruling):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyyyyyy", people)
    assembly.go_on(proposal)
    filed = contests.file(proposal_id=proposal.id, person_id=people[9].id, grounds="I was not told.", now=clock.now())
    panel = list(filed.panel.values_list("person_id", flat=True))
    for person_id in panel[:2] if ruling else ():
        contests.rule(appeal_id=filed.id, person_id=person_id, ruling=ruling, reasons="We looked.", now=clock.now())
    return proposal, filed, panel


def test_the_panel_is_three_members_who_are_no_party_and_no_directors(more_people):
    more_people[4].staff_roles.create(role="director")
    _, filed, panel = contest_of_ten(more_people, "")
    parties = {person.id for person in (*more_people[:3], more_people[4], more_people[9])}
    assert len(set(panel)) == 3
    assert not parties & set(panel)
    with pytest.raises(NotFound):
        contests.rule(
            appeal_id=filed.id, person_id=more_people[0].id, ruling=Ruling.VOIDED, reasons="Mine.", now=clock.now()
        )


@pytest.mark.parametrize("ruling", ["", Ruling.UPHELD, Ruling.RECOUNTED])
def test_silence_and_a_recount_that_agrees_uphold_the_vote(more_people, ruling):
    proposal, filed, _ = contest_of_ten(more_people, ruling)
    found = assembly.go_on(proposal)
    if not ruling:
        assert found.state == State.CONTEST
        cast.set_clock(filed.decide_until + assembly.MINUTE)
        assembly.beat()
    assert assembly.seen(proposal).state == State.QUEUED


def test_a_vote_that_is_voided_is_held_again_once(more_people):
    proposal, _, _ = contest_of_ten(more_people, Ruling.VOIDED)
    first = assembly.seen(proposal).election_id
    found = assembly.go_on(proposal)
    assert (found.state, found.reruns, found.election_id == first) == (State.NOTICE, 1, False)
    assembly.go_on(proposal)
    assembly.vote(proposal, "yyyyyyyyyy", more_people)
    assembly.go_on(proposal)
    filed = contests.file(proposal_id=proposal.id, person_id=more_people[9].id, grounds="Again.", now=clock.now())
    for person_id in filed.panel.values_list("person_id", flat=True)[:2]:
        contests.rule(appeal_id=filed.id, person_id=person_id, ruling=Ruling.VOIDED, reasons="Again.", now=clock.now())
    told = Notice.objects.filter(subject="The panel has decided: A shorter opening")
    again = {notice.body.split("void. ")[1].split("\n")[0] for notice in told}
    assert again == {"It is held again, with a new roll.", "It was held again once already."}
    assert assembly.go_on(proposal).state == State.VOIDED


# Who may do what.


def test_a_stranger_does_nothing_of_it(people):
    stranger = cast.person("lars")
    proposal = assembly.submitted(people[0])
    with pytest.raises(NotAllowed):
        assembly.drafted(stranger)
    with pytest.raises(NotAllowed):
        assembly.sponsor(proposal, stranger)
    with pytest.raises(NotAllowed):
        discussion.remark(proposal_id=proposal.id, person_id=stranger.id, text="Hm.", now=clock.now())
    with pytest.raises(NotFound):
        proposals.retract(proposal_id=proposal.id, author_id=people[1].id, now=clock.now())
    draft = assembly.drafted(people[1], key="", title="Not yet")
    with pytest.raises(NotFound):
        proposals.get(draft.id, person_id=people[0].id)


@pytest.mark.parametrize(("title", "reasons"), [("", "B"), ("A" * 121, "B"), ("A", " "), ("A", "B" * 20_001)])
def test_a_proposal_has_a_title_and_reasons(people, title, reasons):
    with pytest.raises(Invalid):
        proposals.draft(author_id=people[0].id, key="", title=title, reasons=reasons, params=None, now=clock.now())


def test_its_author_takes_it_back_until_it_is_frozen(people):
    proposal = assembly.submitted(people[0])
    assert proposals.retract(proposal_id=proposal.id, author_id=people[0].id, now=clock.now()).state == State.RETRACTED
    second = assembly.called(people, seconds=25)
    with pytest.raises(NotNow):
        proposals.retract(proposal_id=second.id, author_id=people[0].id, now=clock.now())


def test_one_that_cannot_go_on_does_not_hold_up_the_others(people, monkeypatch, caplog):
    stuck = assembly.submitted(people[0])
    other = assembly.submitted(people[1], key="", title="Other")
    assembly.sponsor(stuck, *people[:3])
    assembly.sponsor(other, *people[:3])
    real = proposal_life.step

    def step(*, proposal_id, now):
        assert proposal_id != stuck.id
        return real(proposal_id=proposal_id, now=now)

    monkeypatch.setattr(proposal_life, "step", step)
    assembly.beat()
    assert [assembly.seen(one).state for one in (stuck, other)] == [State.SPONSORING, State.DELIBERATION]
    assert "could not go on" in caplog.text
