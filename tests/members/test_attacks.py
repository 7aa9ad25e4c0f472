"""What somebody would try against a vote, through a proposal's whole life: it is refused, or seen, or in vain."""

import re
from datetime import timedelta

import pytest
from django.db import Error, transaction

from members import clock, lineage, throttles
from members.belonging import expulsions, memberships, places, shares
from members.belonging.models import Membership
from members.models import Notice
from members.voting import ballots, elections, electorate, proposal_life, urns
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
    with pytest.raises(urns.NotClosed, match="never counted"):
        urns.close(election_id=first, now=clock.now())
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
    with pytest.raises(Error, match="voided when it has closed, and not before"):
        urns.void(assembly.seen(proposal).election_id)


def test_a_counted_vote_is_not_voided_any_more(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyy.", people)
    election_id = assembly.seen(proposal).election_id
    assembly.go_on(proposal)
    before = callers.digest()
    urns.void(election_id)
    assert callers.digest() == before
    assert urns.result(election_id).verdict == Verdict.PASSED


# Who is on the roll, and stays on it.


def expelled(person, board, *, asked_at):
    """Let a board expel somebody now whom it asked about fourteen days ago."""
    found = Membership.objects.get(person=person)
    asked = expulsions.open_question(membership_id=found.id, staff_id=board[0].id, reasons="Sold it.", now=asked_at)
    for director in board:
        expulsions.say(expulsion_id=asked.id, staff_id=director.id, yes=True, now=clock.now())


def test_an_expulsion_before_the_roll_takes_the_vote_and_one_after_it_does_not(people):
    board = [cast.person(name, staff=("director",)) for name in ("dirk", "dina")]
    asked_at = assembly.BEGINS
    proposal = assembly.submitted(people[0])
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    cast.set_clock(assembly.BEGINS + 14 * DAY)
    expelled(people[3], board, asked_at=asked_at)
    assembly.go_on(proposal)
    cast.set_clock(clock.now() + DAY)
    expelled(people[4], board, asked_at=asked_at)
    assembly.go_on(proposal)
    assert elections.turnout(assembly.seen(proposal).election_id).members == 5
    assembly.vote(proposal, "yyy.yy", people)
    with pytest.raises(ballots.NotOnTheRoll):
        assembly.cast_ballot(assembly.seen(proposal).election_id, people[3], "yes")
    expelled(people[5], board, asked_at=asked_at)
    found = assembly.go_on(proposal)
    # Who was on it stays on it: both voices that were cast are counted, and nobody can say whose they were.
    assert urns.result(found.election_id).turnout == 5
    assert found.election.votes["listener"] == {"members": 5, "marks": 5, "yes": 5, "no": 0, "abstained": 0}


def test_a_change_of_class_counts_if_it_was_made_thirty_days_before_the_roll(people):
    ada, bo, cem = people[:3]
    for person in (ada, bo, cem):
        belonging.place(person, "creator", now=assembly.JOINED + DAY)
        asked = shares.ask(person_id=person.id, count=1, now=assembly.JOINED + DAY)
        treasurer, iban = cast.treasurer(), belonging.iban()
        shares.confirm(holding_id=asked.id, staff_id=treasurer.id, iban=iban, now=assembly.JOINED + DAY)
    places.choose(person_id=ada.id, member_class="creator", now=assembly.BEGINS - 20 * DAY)
    places.choose(person_id=bo.id, member_class="creator", now=assembly.BEGINS - DAY)
    proposal = assembly.submitted(people[3])
    assembly.sponsor(proposal, *people[3:])
    assembly.beat()
    cast.set_clock(assembly.BEGINS + 11 * DAY)
    assembly.sponsor(proposal, ada)
    assembly.go_on(proposal)
    places.choose(person_id=cem.id, member_class="creator", now=clock.now())
    found = assembly.go_on(proposal)
    election_id = found.election_id
    expected = {ada.id: "creator", bo.id: "listener", cem.id: "listener"}
    for person in (ada, bo, cem):
        receipt = assembly.cast_ballot(election_id, person, "yes")
        said = {"election_id": election_id, "choice": "yes", "nonce": person.id.bytes}
        assert ballots.tracker(class_name=expected[person.id], **said).hex() == receipt.tracker
    assert found.election.roll_members == {"creator": 1, "listener": 5}


def test_whoever_takes_themselves_off_the_register_keeps_the_vote_they_were_called_to(people):
    proposal = assembly.called(people)
    memberships.leave(person_id=people[5].id, now=clock.now())
    assembly.vote(proposal, "yyyyyy", people)
    assert assembly.go_on(proposal).state == State.CONTEST
    assert electorate.class_of(people[5].id, moment=clock.now()) is None


# How it stands, before it is counted; and who said what, after it.


def test_casting_writes_into_the_roll_and_the_urn_and_nowhere_else(people):
    proposal = assembly.called(people)
    ada = Caller(people[0], "vote")
    before = callers.digest()
    body = {"choice": "no", "nonce": "c0ffee" + "0" * 26}
    assert ada.post(f"proposals/{proposal.id}/ballot", body).status_code == 200
    after = callers.digest()
    # Nothing with a moment or a number of its own: neither the token nor a notice tells when somebody voted.
    assert {table for table in after if after[table] != before[table]} == {"members_roll", "members_urn"}


def test_early_results_are_in_no_page_no_export_no_answer_and_no_cache(people, client):
    callers.forget_counts()
    proposal = assembly.called(people)
    sam = belonging.secretary()
    paths = [
        "/coop", "/proposals", f"/proposals/{proposal.id}", f"/proposals/{proposal.id}/roll",
        f"/proposals/{proposal.id}/roll/my-proof.json", "/membership", "/policies/opening",
        f"/api/v1/proposals/{proposal.id}", f"/api/v1/proposals/{proposal.id}/roll", "/api/v1/proposals",
        f"/api/v1/proposals/{proposal.id}/roll/mine", "/secretary", "/secretary/register.csv",
    ]  # fmt: skip

    def told():
        """Return what the last of all members, who does not vote, and the secretary read, all of it."""
        pages = []
        for person in (people[5], sam):
            client.force_login(person)
            for path in paths:
                answer = client.get(path)
                content = b"".join(answer.streaming_content) if answer.streaming else answer.content
                pages.append(re.sub(rb'(csrfmiddlewaretoken" value=|nonce=)"[^"]*"', b"", content))
        return pages

    # Two votes with one turnout and contrary results tell the same.
    def with_votes(choices):
        with transaction.atomic():
            assembly.vote(proposal, choices, people)
            pages, kept = told(), throttles._valkey.keys("*")
            transaction.set_rollback(True)
        return pages, kept

    (yes, kept), (no, _) = with_votes("yyyyy."), with_votes("nnnnn.")
    assert yes == no
    assert any(b"5 of 6 on the roll have voted." in page for page in yes)
    # And nothing of this vote lies in the cache, by which its results could be counted.
    election_id = str(assembly.seen(proposal).election_id).encode()
    assert kept
    assert not any(election_id in key or election_id.replace(b"-", b"") in key for key in kept)
    assert client.get(f"/api/v1/proposals/{proposal.id}/bundle.zip").status_code == 404
    assert client.post(f"/proposals/{proposal.id}/urn", {"tracker": "0" * 64}).status_code == 409


def test_the_notice_of_having_voted_tells_neither_when_nor_what(people):
    proposal = assembly.called(people)
    order = (4, 1, 3, 0, 2)
    for number in order:
        assembly.cast_ballot(assembly.seen(proposal).election_id, people[number], ("yes", "no")[number % 2])
    assert not Notice.objects.filter(subject__startswith="A shorter opening:").exists()
    assembly.go_on(proposal)
    told = list(Notice.objects.filter(subject__startswith="A shorter opening: it").order_by("created_at", "id"))
    assert len({one.created_at for one in told}) == 1
    assert {one.person_id: "You voted." in one.body for one in told} == {one.id: one is not people[5] for one in people}
    bodies = {one.body for one in told if "You voted." in one.body}
    assert len(bodies) == 1, "all who voted are told the same"
    written = [row[0] for row in ask("SELECT person_id FROM members_notice WHERE subject ~ '^A shorter' ORDER BY ctid")]
    names = dict(RollLine.objects.values_list("person_id", "name"))
    voters = [names[person_id] for person_id in written if names.get(person_id) and person_id != people[5].id]
    assert voters[-5:] == sorted(voters[-5:]), "written in the order of the roll's names, and not of their casting"


@pytest.mark.parametrize(
    ("choices", "state"),
    [("aaaaaa", State.DEFEATED), ("yyynnn", State.DEFEATED), ("......", State.NOTICE), ("yaaaaa", State.QUEUED)],
)
def test_votes_in_which_hardly_anybody_says_anything(people, choices, state):
    proposal = assembly.called(people)
    assembly.vote(proposal, choices, people)
    found = assembly.go_on(proposal)
    if state != State.NOTICE:
        assert found.state == State.CONTEST
        found = assembly.go_on(proposal)
    assert found.state == state
    assert found.is_second_call == (state == State.NOTICE)


# While a restored backup has not recovered.


def test_while_the_co_op_is_closed_nobody_votes_and_nothing_is_counted(people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyy.", people)
    fay, body = Caller(people[5], "vote"), {"choice": "no", "nonce": "5e" * 16}
    lineage.close(why="A backup was restored.")
    refused = fay.post(f"proposals/{proposal.id}/ballot", body)
    assert (refused.status_code, callers.slug(refused)) == (503, "recovering")
    assert refused.json()["detail"] == "The records are being restored. Your ballot was not cast."
    assert elections.turnout(assembly.seen(proposal).election_id).voted == 5
    found = assembly.go_on(proposal)
    assert (found.state, proposal_life.advance(now=clock.now())) == (State.VOTING, 0)
    lineage.reopen(words="Nothing was lost.")
    assembly.beat()
    assert assembly.seen(proposal).state == State.CONTEST
