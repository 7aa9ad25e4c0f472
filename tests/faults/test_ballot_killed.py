"""Whoever casts or counts is killed in the middle: what was not committed is not done, and done again it is done once.

Each time the process stands where it is killed, because a table that it needs next is held.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from infra.parts.child import Child
from members import clock
from members.voting import elections, urns
from members.voting.election_models import Ballot, Election
from tests import callers
from tests.members.polls import Poll, nonce_of
from tests.site import Site

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.usefixtures("committed")]
WAIT_SECONDS = 60
BEGIN = (
    "import django; django.setup(); from uuid import UUID; from members import clock;"
    " from members.voting import ballots, urns; "
)
CLOSE = BEGIN + "urns.close(election_id=UUID({election!r}), now=clock.now())"
CAST = BEGIN + "ballots.cast(election_id=UUID({election!r}), person_id=UUID({person!r}), choice='yes', nonce={nonce!r})"


@pytest.fixture
def site(committed: None, tmp_path: Path, settings: Any) -> Iterator[Site]:
    """Give processes that share this test's database and store."""
    site = Site(tmp_path)
    settings.BASE_URL = site.base_url
    site.env["REFRAIN_STORE_DIR"] = str(settings.STORE_DIR)
    yield site
    site.stop()


@contextmanager
def held(table: str) -> Iterator[psycopg.Connection[Any]]:
    """Keep everybody from a table."""
    with psycopg.connect(**connection.get_connection_params()) as ours:
        ours.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")  # type: ignore[arg-type]
        yield ours
        ours.rollback()


def kill_at(table: str, child: Child) -> None:
    """Kill a process once it waits for a table, and wait until the database let go of what it had."""
    asking = "SELECT pid FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
    give_up_at = time.monotonic() + WAIT_SECONDS
    with connection.cursor() as cursor:
        cursor.execute(asking, [table])
        while not (waiting := cursor.fetchall()):
            assert child.is_running(), child.last_words()
            assert time.monotonic() < give_up_at, f"nobody came to {table}"
            time.sleep(0.02)
            cursor.execute(asking, [table])
        child.kill()
        # What waits for a lock does not look whether anybody still listens.
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", waiting[0])


def test_a_count_that_is_killed_is_done_whole_by_the_next(site: Site) -> None:
    poll = Poll({"creator": 6, "listener": 9, "worker": 5})
    poll.open()
    poll.vote("creator", "yyyyn")
    poll.vote("listener", "ynnya")
    before = callers.digest()
    poll.end()
    words = [sys.executable, "-c", CLOSE.format(election=str(poll.id))]
    moved = frozenset({"members_coop"})

    # In the middle of the counting: roll and urn are as they were.
    with held("members_ballot"):
        kill_at("members_ballot", site.run("Counting", words))
    assert callers.digest(but=moved) == {name: value for name, value in before.items() if name not in moved}

    # Between the counting and the publishing: it is counted, and shown to nobody.
    with held("members_rollcorrection"):
        kill_at("members_rollcorrection", site.run("Publishing", words))
    row = Election.objects.get(id=poll.id)
    assert (row.state, row.result, Ballot.objects.count()) == (Election.State.CLOSED, None, 10)
    with pytest.raises(urns.NotClosed):
        urns.result(poll.id)

    found = urns.close(election_id=poll.id, now=clock.now())
    assert (found.turnout, Ballot.objects.count()) == (10, 10)
    assert poll.row().votes["creator"] == {"members": 6, "marks": 5, "yes": 4, "no": 1, "abstained": 0}
    assert urns.result(poll.id) == found


def test_a_ballot_whose_sender_is_killed_is_cast_once(site: Site) -> None:
    poll = Poll({"worker": 5})
    poll.open()
    ana = poll.people["worker"][0]
    words = CAST.format(election=str(poll.id), person=str(ana.id), nonce=nonce_of(ana))
    with held("members_urn"):
        kill_at("members_urn", site.run("Voter", [sys.executable, "-c", words]))
    assert elections.turnout(poll.id).voted == 0
    poll.cast(ana, "yes")
    # The answer got lost with the process: the same words again, from another.
    again = site.run("Voter again", [sys.executable, "-c", words])
    give_up_at = time.monotonic() + WAIT_SECONDS
    while again.is_running() and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert "Traceback" not in site.log_of(again)
    assert elections.turnout(poll.id).voted == 1
    assert poll.close().turnout == 1
