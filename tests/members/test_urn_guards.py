"""What the database itself refuses whoever owns its tables, from a vote's announcement to long after its count."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from members import clock
from members.voting import elections, urns
from members.voting.ballots import VotingNotOpen
from members.voting.election_models import Ballot, Election, RollLine
from tests import callers, cast
from tests.members.polls import CLOSES_AT, NOTICE_AT, OPENS_AT, Poll

pytestmark = pytest.mark.django_db
MICROSECOND = timedelta(microseconds=1)
SIZES = {"creator": 6, "listener": 8, "worker": 5}


@pytest.fixture
def poll() -> Poll:
    """Give a vote that was just announced."""
    return Poll(SIZES)


def does(statement: str, **given: Any) -> None:
    """Let the owner of the database do something, with every trigger in place."""
    with transaction.atomic(), connection.cursor() as cursor:
        # What is written before it is looked at now, or emptying a table would be refused for that.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement, given)


def by_force(statement: str, **given: Any) -> None:
    """Let the owner of the database do something past every trigger."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, given)
        cursor.execute("SET session_replication_role = origin")


def refused(statement: str, why: str, **given: Any) -> None:
    """Check that something is refused, and that nothing changed by it."""
    before = callers.digest()
    with pytest.raises(DatabaseError, match=why):
        does(statement, **given)
    assert callers.digest() == before


def as_they_lie(table: str, column: str) -> list[Any]:
    """Return a column in the order in which its rows lie, and are dumped."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY ctid")  # noqa: S608  (our own names)
        return [bytes(one) if isinstance(one, memoryview) else one for (one,) in cursor.fetchall()]


# Before it opens.


def test_a_roll_is_made_before_its_vote_opens(poll):
    cast.set_clock(OPENS_AT)
    refused("SELECT members_open_roll(%(id)s, '{}', '{}', '{}')", "made before its election opens", id=poll.id)


def test_nobody_is_written_down_as_having_voted(poll):
    cast.set_clock(NOTICE_AT)
    marked = "INSERT INTO members_roll SELECT election_id, gen_random_uuid(), class, md5(name), true FROM members_roll"
    refused(marked, "nobody voted before the election opened")
    refused("UPDATE members_roll SET voted = true, class = 'worker'", "nobody voted before the election opened")


def test_a_roll_lies_in_the_order_of_its_names(poll):
    names = as_they_lie("members_roll", "name")
    assert names == sorted(names)


def test_a_roll_is_corrected_before_the_moment_a_day_ahead_and_not_at_it(poll):
    cast.set_clock(OPENS_AT - timedelta(days=2))
    said = {
        "election_id": poll.id, "person_id": poll.people["worker"][0].id, "class_name": "listener",
        "reason": "An error.", "by_id": cast.person("sue").id,
    }  # fmt: skip
    with pytest.raises(elections.RollFixed):
        elections.correct(**said, now=OPENS_AT - timedelta(days=1))
    assert elections.correct(**said, now=OPENS_AT - timedelta(days=1) - MICROSECOND).number == 1


# While it is open.


def test_what_lies_in_an_urn_and_who_voted_is_not_changed(poll):
    poll.open()
    poll.vote("worker", "yyn")
    for statement, why in (
        ("UPDATE members_urn SET choice = 'no'", "append-only"),
        ("DELETE FROM members_urn", "append-only"),
        ("UPDATE members_roll SET voted = false WHERE voted", "nothing moves a roll"),
        ("UPDATE members_roll SET class = 'creator' WHERE voted", "nothing moves a roll"),
        ("DELETE FROM members_roll WHERE voted", "nothing moves a roll"),
        ("UPDATE members_election SET state = 'closed', closed_at = closes_at, votes = '{}'", "after it has closed"),
        ("UPDATE members_election SET state = 'voided', closed_at = closes_at", "after it has closed"),
        ("SELECT members_void_election(%(id)s)", "when it has closed, and not before"),
        ("SELECT members_close_election(%(id)s)", "when it has closed, and not before"),
        ("DELETE FROM members_election", "never changed"),
        ("TRUNCATE members_election CASCADE", "members_election is append-only"),
    ):
        refused(statement, why, id=poll.id)


def test_the_database_counts_no_roll_of_another_size_than_was_announced(poll):
    poll.open()
    poll.vote("worker", "yyn")
    by_force("DELETE FROM members_roll WHERE NOT voted AND class = 'worker'")
    poll.end()
    refused("SELECT members_close_election(%(id)s)", "other members in its classes than were announced", id=poll.id)


def stand_still(moment: datetime) -> None:
    """Stop the co-op's clock at a moment, to the microsecond, until the test is over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION coop_now() RETURNS timestamptz LANGUAGE sql AS"
            f" $$ SELECT '{moment.isoformat()}'::timestamptz $$"
        )


def test_a_vote_opens_at_its_moment_and_is_closed_at_the_other(poll):
    ana, ben, cleo = poll.people["worker"][:3]
    for moment, person in ((OPENS_AT - MICROSECOND, ana), (CLOSES_AT, cleo)):
        stand_still(moment)
        with pytest.raises(VotingNotOpen):
            poll.cast(person, "yes")
    for moment, person in ((OPENS_AT, ana), (CLOSES_AT - MICROSECOND, ben)):
        stand_still(moment)
        poll.cast(person, "yes")
    refused("SELECT members_close_election(%(id)s)", "when it has closed, and not before", id=poll.id)
    refused("SELECT members_void_election(%(id)s)", "when it has closed, and not before", id=poll.id)
    with pytest.raises(urns.NotClosed):
        urns.close(election_id=poll.id, now=CLOSES_AT - MICROSECOND)
    stand_still(CLOSES_AT)
    assert urns.close(election_id=poll.id, now=CLOSES_AT).turnout == 2


def test_a_checkpoint_keeps_trackers_in_their_own_order_and_not_in_that_of_casting(poll):
    poll.open()
    for name in ("worker", "creator", "listener"):
        poll.vote(name, "ynyny")
    made = elections.checkpoint(election_id=poll.id, now=clock.now())
    assert made is not None
    assert elections.trackers_of(made) == sorted(bytes.fromhex(one.tracker) for one in poll.receipts.values())


# After it.


def test_what_was_counted_stands(poll):
    poll.open()
    poll.vote("worker", "yynyn")
    assert elections.checkpoint(election_id=poll.id, now=clock.now()) is not None
    poll.close()
    for statement, why in (
        ("UPDATE members_election SET votes = '{}'", "counted once"),
        ("UPDATE members_election SET state = 'voided', votes = NULL, result = NULL, bundle_key = ''", "counted once"),
        ("UPDATE members_election SET result = '{}'", "counted once"),
        ("UPDATE members_election SET manifest = '{}'", "counted once"),
        ("UPDATE members_election SET bundle_sha256 = 'x'", "counted once"),
        ("UPDATE members_election SET roll_root = 'x'", "nothing moves a roll"),
        ("UPDATE members_election SET rules = '{}'", "never changed"),
        ("UPDATE members_ballot SET choice = 'yes'", "append-only"),
        ("DELETE FROM members_ballot", "append-only"),
        ("TRUNCATE members_ballot", "append-only"),
        ("UPDATE members_rollline SET voted = NOT voted, person_id = NULL", "append-only"),
        ("UPDATE members_rollline SET class = 'creator', person_id = NULL", "append-only"),
        ("UPDATE members_rollline SET person_id = gen_random_uuid()", "append-only"),
        ("DELETE FROM members_rollline", "append-only"),
        ("UPDATE members_checkpoint SET made_at = made_at - interval '1 day'", "append-only"),
        ("DELETE FROM members_checkpoint", "append-only"),
    ):
        refused(statement, why)
    assert urns.recount(poll.id).turnout == 5
    does("SELECT members_void_election(%(id)s)", id=poll.id)
    assert (poll.row().state, Ballot.objects.count()) == (Election.State.CLOSED, 5)


def test_a_correction_stays_as_it_was_logged(poll):
    elections.correct(
        election_id=poll.id, person_id=poll.people["worker"][0].id, class_name="listener", reason="An error.",
        by_id=cast.person("sue").id, now=clock.now(),
    )  # fmt: skip
    refused("UPDATE members_rollcorrection SET reason = 'Another.'", "append-only")
    refused("DELETE FROM members_rollcorrection", "append-only")


def test_a_void_vote_is_kept_in_orders_that_lead_nowhere(poll):
    poll.open()
    for name in ("worker", "creator", "listener"):
        poll.vote(name, "ynyny")
    by_force("UPDATE members_urn SET choice = 'abstain' WHERE choice = 'no'")
    poll.end()
    urns.void(poll.id)
    trackers, names = as_they_lie("members_ballot", "tracker"), as_they_lie("members_rollline", "name")
    assert (len(trackers), len(names)) == (15, 19)
    assert (trackers, names) == (sorted(trackers), sorted(names))
    assert as_they_lie("members_urn", "tracker") == as_they_lie("members_roll", "name") == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_class WHERE relname ~ %s", [poll.id.hex])
        assert cursor.fetchone() == (0,)
    assert RollLine.objects.filter(voted=True).count() == 15
