"""Many at once: each step of a proposal is taken once, whoever takes it, and two who rule at once decide."""

import threading
import time

import pytest
from django.db import connection, transaction

from members import clock
from members.models import Notice
from members.voting import contests, proposal_life
from members.voting.election_models import Election
from members.voting.proposal_models import Contest, Part, Proposal
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


def wait_for_a_waiter(thread: threading.Thread) -> None:
    """Wait until somebody waits for a lock, or the thread has ended without."""
    give_up_at = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < give_up_at:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)


def test_two_of_a_panel_who_rule_at_once_decide_it():
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay", "gus")
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyyy", people)
    assembly.go_on(proposal)
    filed = contests.file(proposal_id=proposal.id, person_id=people[6].id, grounds="Look.", now=clock.now())
    first, second = filed.panel.values_list("person_id", flat=True)[:2]
    said = {"appeal_id": filed.id, "ruling": Contest.Ruling.VOIDED, "reasons": "We looked.", "now": clock.now()}

    def rule() -> None:
        try:
            contests.rule(person_id=second, **said)
        finally:
            connection.close()

    thread = threading.Thread(target=rule)
    with transaction.atomic():
        contests.rule(person_id=first, **said)
        thread.start()
        wait_for_a_waiter(thread)
    thread.join(timeout=60)
    assert contests.get(filed.id).ruling == Contest.Ruling.VOIDED
