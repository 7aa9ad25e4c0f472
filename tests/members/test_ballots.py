"""Casting: one person, one ballot, within the times, and nothing that was said is written where it could be read."""

import hashlib
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import OperationalError, close_old_connections, connection, transaction

from members import clock, seals
from members.keys import NoSealingKey
from members.problems import Invalid, NotFound, Problem
from members.voting import ballots, elections, urns
from members.voting.ballots import AlreadyVoted, NonceTaken, NotOnTheRoll, Receipt, VotingNotOpen
from members.voting.tally import Kind
from tests import callers, cast
from tests.callers import Caller
from tests.members.polls import CLOSES_AT, OPENS_AT, QUESTION, RULES, Poll, nonce_of

HALF_A_MINUTE = timedelta(seconds=30)
SIZES = {"creator": 6, "listener": 8, "worker": 5, "supporter": 2}
NONCE = bytes(range(16))
# A ballot's canonical JSON written out, and what sha256sum says of it.
VECTORS = (
    ("creator", "yes", "87803814cd2ba9d1e4a07ce87533ded9fbaf7eafaa5db9bd85e74661a7cb7af6"),
    ("listener", "no", "066801364f279dded8d78113b2bdbe4eeff4ed1091a42a198ada052b3bcedcc9"),
    ("worker", "abstain", "f90846747bd019bc8c01ed27e4463a2b30e49e47f09046b561efe5c5d2e12dbe"),
)


@pytest.fixture
def poll(db: None) -> Poll:
    """Give a vote that has just opened."""
    made = Poll(SIZES)
    made.open()
    return made


@pytest.fixture
def committed_poll(committed: None) -> Poll:
    """Give a vote that has just opened, which other connections see."""
    made = Poll({**SIZES, "listener": 60})
    made.open()
    return made


def urn() -> list[tuple[Any, ...]]:
    """Return what lies in the urns, as only the owner of the database can."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT encode(tracker, 'hex'), class, choice, encode(nonce, 'hex') FROM members_urn ORDER BY 1")
        return cursor.fetchall()


def voted() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM members_roll WHERE voted")
        return int(cursor.fetchone()[0])


def refused(poll: Poll, why: type[Problem], person_id: UUID, choice: str = "no", nonce: bytes = NONCE) -> None:
    """Check that a ballot is refused, and that nothing changed by it."""
    before = callers.digest()
    with pytest.raises(why):
        ballots.cast(election_id=poll.id, person_id=person_id, choice=choice, nonce=nonce)
    assert callers.digest() == before


def is_genuine(receipt: Receipt, poll: Poll) -> bool:
    """Return whether a receipt is signed with the key that was announced; raises InvalidSignature if it is not."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(poll.election.notice["notice"]["public_key"]))
    key.verify(bytes.fromhex(receipt.signature), seals.canonical(receipt.document()["receipt"]))
    return receipt.public_key == poll.election.public_key


# A ballot.


@pytest.mark.parametrize(("class_name", "choice", "expected"), VECTORS)
def test_a_tracker_is_the_sha256_of_the_ballots_canonical_json(db: None, class_name, choice, expected) -> None:
    election = UUID("7d0c5f3e-0f6a-4c8e-9b1d-2a3b4c5d6e7f")
    text = (
        f'{{"choice":"{choice}","class":"{class_name}","domain":"refrain-ballot/1",'
        f'"election":"{election}","nonce":"000102030405060708090a0b0c0d0e0f"}}'
    )
    assert hashlib.sha256(text.encode()).hexdigest() == expected
    found = ballots.tracker(election_id=election, class_name=class_name, choice=choice, nonce=NONCE)
    assert found.hex() == expected
    with connection.cursor() as cursor:
        cursor.execute("SELECT members_tracker(%s, %s, %s, %s)", [election, class_name, choice, NONCE])
        assert bytes(cursor.fetchone()[0]) == found


def test_a_ballot_lies_in_the_urn_under_its_tracker_and_its_voter_is_marked(poll: Poll) -> None:
    ana = poll.people["creator"][0]
    receipt = poll.cast(ana, "yes", NONCE)
    tracker = ballots.tracker(election_id=poll.id, class_name="creator", choice="yes", nonce=NONCE).hex()
    assert urn() == [(tracker, "creator", "yes", NONCE.hex())]
    assert receipt.tracker == tracker
    assert is_genuine(receipt, poll)
    assert elections.turnout(poll.id).classes["creator"] == (6, 1)
    mine = elections.standing(election_id=poll.id, person_id=ana.id)
    assert mine is not None
    assert (mine.class_name, mine.voted) == ("creator", True)


def test_the_same_again_gives_the_same_receipt_and_anything_else_is_refused(poll: Poll) -> None:
    ana = poll.people["creator"][0]
    receipt = poll.cast(ana, "yes", NONCE)
    before = callers.digest()
    assert poll.cast(ana, "yes", NONCE) == receipt
    assert callers.digest() == before
    refused(poll, AlreadyVoted, ana.id, "no")
    refused(poll, AlreadyVoted, ana.id, "yes", bytes(16))


def test_a_number_that_somebody_of_the_class_used_is_refused_and_does_not_cost_the_vote(poll: Poll) -> None:
    ana, ben = poll.people["creator"][:2]
    poll.cast(ana, "yes", NONCE)
    refused(poll, NonceTaken, ben.id, "yes")
    poll.cast(ben, "no", NONCE)
    poll.cast(poll.people["worker"][0], "yes", NONCE)
    assert (len(urn()), voted()) == (3, 3)


def test_who_is_not_on_the_roll_and_what_is_no_vote_are_refused(poll: Poll) -> None:
    stranger = cast.person("sam")
    refused(poll, NotOnTheRoll, stranger.id)
    with pytest.raises(NotFound):
        ballots.cast(election_id=uuid4(), person_id=poll.people["worker"][0].id, choice="yes", nonce=NONCE)
    refused(poll, Invalid, poll.people["worker"][0].id, "maybe")
    refused(poll, Invalid, poll.people["worker"][0].id, "yes", b"short")


def test_without_the_key_nothing_is_cast(poll: Poll, settings: Any) -> None:
    settings.SIGNING_KEY_FILE = ""
    refused(poll, NoSealingKey, poll.people["worker"][0].id)


def test_a_vote_goes_on_under_the_key_it_was_announced_with(poll: Poll, settings: Any, tmp_path: Path) -> None:
    kept = Path(settings.SIGNING_KEY_FILE).read_text()
    for name, seed in (("signing_key", "11" * 32), ("first.seed", kept)):
        (tmp_path / name).write_text(seed)
        (tmp_path / name).chmod(0o600)
    settings.SIGNING_KEY_FILE = str(tmp_path / "signing_key")
    assert is_genuine(poll.cast(poll.people["creator"][0], "yes"), poll)


# Its times.


def test_a_vote_is_open_from_its_opening_to_before_its_closing(db: None) -> None:
    poll = Poll(SIZES)
    first, second, third = poll.people["creator"][:3]
    cast.set_clock(OPENS_AT - HALF_A_MINUTE)
    refused(poll, VotingNotOpen, first.id)
    cast.set_clock(OPENS_AT)
    poll.cast(first, "yes")
    cast.set_clock(CLOSES_AT - HALF_A_MINUTE)
    poll.cast(second, "yes")
    cast.set_clock(CLOSES_AT)
    refused(poll, VotingNotOpen, third.id)
    # Not even the answer to what was cast comes again.
    refused(poll, VotingNotOpen, first.id, "yes", nonce_of(first))


def test_a_week_in_which_the_clocks_are_set_back_has_an_hour_more(db: None) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    opens, closes = datetime(2026, 10, 21, 20, tzinfo=berlin), datetime(2026, 10, 28, 20, tzinfo=berlin)
    cast.set_clock(datetime(2026, 10, 14, 12, tzinfo=UTC))
    ana, ben = cast.person("ana"), cast.person("ben")
    election = elections.announce(
        question_sha256=QUESTION,
        kind=Kind.ORDINARY,
        rules=RULES,
        opens_at=opens,
        closes_at=closes,
        roll=[(ana.id, "creator"), (ben.id, "creator")],
        is_second_call=False,
        now=clock.now(),
    )
    said = election.notice["notice"]
    assert (said["opens_at"], said["closes_at"]) == ("2026-10-21T18:00:00+00:00", "2026-10-28T19:00:00+00:00")
    cast.set_clock(datetime(2026, 10, 28, 18, 59, 30, tzinfo=UTC))
    ballots.cast(election_id=election.id, person_id=ana.id, choice="yes", nonce=NONCE)
    cast.set_clock(datetime(2026, 10, 28, 19, tzinfo=UTC))
    with pytest.raises(VotingNotOpen):
        ballots.cast(election_id=election.id, person_id=ben.id, choice="yes", nonce=NONCE)


# Many at once.


def all_at_once(*acts: Callable[[], object]) -> list[object]:
    """Do everything at the same moment, each on a connection of its own; a refusal is told by its slug."""
    told: list[object] = ["nothing"] * len(acts)
    start = threading.Barrier(len(acts))

    def one(number: int) -> None:
        close_old_connections()
        try:
            connection.ensure_connection()
            start.wait(timeout=60)
            told[number] = acts[number]()
        except Problem as problem:
            told[number] = problem.slug
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert "nothing" not in told
    return told


def test_fifty_double_votes_at_once_are_one_vote(committed_poll: Poll) -> None:
    ana, ben = committed_poll.people["creator"][:2]
    other = [partial(committed_poll.cast, ana, ("yes", "no")[n % 2], n.to_bytes(16, "big")) for n in range(25)]
    same = [partial(committed_poll.cast, ben, "yes", NONCE) for _ in range(25)]
    told = all_at_once(*other, *same)
    receipts = [one for one in told[:25] if isinstance(one, Receipt)]
    assert len(receipts) == 1
    assert Counter(one for one in told[:25] if isinstance(one, str)) == {"already-voted": 24}
    assert set(told[25:]) == {committed_poll.cast(ben, "yes", NONCE)}
    assert [row[0] for row in urn()] == sorted([receipts[0].tracker, str(committed_poll.receipts[ben.id].tracker)])
    assert voted() == 2


def test_on_two_devices_one_of_two_choices_is_cast_each_time(committed_poll: Poll) -> None:
    people = committed_poll.people["listener"]
    told = all_at_once(
        *(
            partial(committed_poll.cast, who, said, said.encode().ljust(4) + who.id.bytes[:12])
            for who in people[:12]
            for said in ("yes", "no")
        )
    )
    for first, second in zip(told[::2], told[1::2], strict=True):
        assert {type(first), type(second)} == {Receipt, str}
        assert "already-voted" in (first, second)
    assert [len(urn()), voted()] == [12, 12]


@contextmanager
def locked(poll: Poll, *, shared: bool = False) -> Iterator[psycopg.Connection[Any]]:
    """Hold an election's lock on another connection."""
    with psycopg.connect(**connection.get_connection_params()) as ours:
        kind = "_shared" if shared else ""
        ours.execute(f"SELECT pg_advisory_xact_lock{kind}(members_election_lock(%s))", [poll.id])
        yield ours
        ours.rollback()


def wait_for_waiters(ours: psycopg.Connection[Any], count: int = 1) -> None:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        row = ours.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'").fetchone()
        if row and row[0] >= count:
            return
        time.sleep(0.01)
    raise AssertionError("nobody waits for the lock")


def in_a_thread(act: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    told: list[object] = []

    def run() -> None:
        try:
            told.append(act())
        except Problem as problem:
            told.append(problem.slug)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, told


def test_who_waited_for_the_lock_over_the_closing_came_too_late(committed_poll: Poll) -> None:
    cast.set_clock(CLOSES_AT - HALF_A_MINUTE)
    with locked(committed_poll) as ours:
        thread, told = in_a_thread(partial(committed_poll.cast, committed_poll.people["worker"][0], "yes"))
        wait_for_waiters(ours)
        cast.set_clock(CLOSES_AT)
    thread.join(timeout=60)
    assert told == ["voting-not-open"]
    assert (urn(), voted()) == ([], 0)


def test_a_ballot_that_has_the_lock_at_the_closing_is_counted(committed_poll: Poll) -> None:
    ana = committed_poll.people["worker"][0]
    cast.set_clock(CLOSES_AT - HALF_A_MINUTE)
    with psycopg.connect(**connection.get_connection_params()) as ours:
        outcome = ours.execute(
            "SELECT outcome FROM members_cast(%s, %s, 'yes', %s)", [committed_poll.id, ana.id, NONCE]
        )
        assert outcome.fetchone() == ("cast",)
        cast.set_clock(CLOSES_AT)
        closing = partial(urns.close, election_id=committed_poll.id, now=clock.now())
        thread, told = in_a_thread(closing)
        wait_for_waiters(ours)
        ours.commit()
    thread.join(timeout=60)
    assert [one.turnout for one in told] == [1]  # type: ignore[attr-defined]
    assert committed_poll.row().votes["worker"] == {"members": 5, "marks": 1, "yes": 1, "no": 0, "abstained": 0}


def test_the_database_itself_waits_for_who_is_casting(committed_poll: Poll) -> None:
    cast.set_clock(CLOSES_AT)
    with locked(committed_poll, shared=True):
        for asked in ("members_close_election", "members_void_election", "members_new_trackers"):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
                with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
                    cursor.execute(f"SELECT {asked}(%s)", [committed_poll.id])


# Over HTTP.


@pytest.fixture
def address(poll: Poll, settings: Any) -> str:
    settings.ROOT_URLCONF = "infra.bench.ballot_urls"
    callers.forget_counts()
    return f"elections/{poll.id}/ballot"


def test_a_ballot_over_http_and_again_after_a_lost_answer(poll: Poll, address: str) -> None:
    ana = Caller(poll.people["creator"][0], "vote")
    body = {"choice": "yes", "nonce": NONCE.hex()}
    first, again = ana.post(address, body), ana.post(address, body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert first.headers["Cache-Control"] == "no-store"
    assert sorted(first.json()) == ["public_key", "receipt", "signature"]
    assert first.json()["receipt"] == {
        "format": "refrain-receipt/1",
        "election": str(poll.id),
        "tracker": ballots.tracker(election_id=poll.id, class_name="creator", choice="yes", nonce=NONCE).hex(),
    }
    other = ana.post(address, {**body, "choice": "no"})
    assert (other.status_code, callers.slug(other)) == (409, "already-voted")
    by_cookie = Caller(poll.people["creator"][1], by_cookie=True)
    assert by_cookie.post(address, body).status_code == 403, "without our page's token"
    assert voted() == 1


def test_strangers_and_tokens_for_other_things_cast_nothing(poll: Poll, address: str) -> None:
    body = {"choice": "yes", "nonce": NONCE.hex()}
    expected = {
        (Caller(None), address): (401, "not-signed-in"),
        (Caller(poll.people["creator"][0], "listen", "spend"), address): (403, "scope-missing"),
        (Caller(cast.person("sam"), "vote"), address): (403, "not-on-the-roll"),
        (Caller(poll.people["creator"][0], "vote"), f"elections/{uuid4()}/ballot"): (404, "not-found"),
    }
    for (caller, where), said in expected.items():
        answer = caller.post(where, body)
        assert (answer.status_code, callers.slug(answer)) == said
    assert (urn(), voted()) == ([], 0)


GOOD = NONCE.hex()


@pytest.mark.parametrize(
    "body",
    [
        b'{"choice": NaN, "nonce": "%s"}' % GOOD.encode(),
        b'{"choice": "yes", "nonce": NaN}',
        b'{"choice": "yes"',
        b"",
        [],
        None,
        {},
        {"choice": "yes"},
        {"nonce": GOOD},
        {"choice": "maybe", "nonce": GOOD},
        {"choice": "YES", "nonce": GOOD},
        {"choice": "yes ", "nonce": GOOD},
        {"choice": True, "nonce": GOOD},
        {"choice": 1, "nonce": GOOD},
        {"choice": 1.5, "nonce": GOOD},
        {"choice": None, "nonce": GOOD},
        {"choice": ["yes"], "nonce": GOOD},
        {"choice": {"yes": 1}, "nonce": GOOD},
        {"choice": "yes", "nonce": GOOD.upper()},
        {"choice": "yes", "nonce": GOOD[:-2]},
        {"choice": "yes", "nonce": GOOD + "00"},
        {"choice": "yes", "nonce": GOOD + "\n"},
        {"choice": "yes", "nonce": " " + GOOD[1:]},
        {"choice": "yes", "nonce": "\u0660" * 32},
        {"choice": "yes", "nonce": True},
        {"choice": "yes", "nonce": 0},
        {"choice": "yes", "nonce": 1e308},
        {"choice": "yes", "nonce": None},
        {"choice": "yes", "nonce": [GOOD]},
        {"choice": "yes", "nonce": GOOD, "class": "worker"},
        {"choice": "yes", "nonce": GOOD, "person": str(uuid4())},
    ],
)
def test_a_body_that_is_no_ballot_is_refused(poll: Poll, address: str, body: Any) -> None:
    answer = Caller(poll.people["creator"][0], "vote").post(address, body)
    assert (answer.status_code, callers.slug(answer)) == (400, "invalid")
    assert (urn(), voted()) == ([], 0)


def test_nothing_that_was_said_is_logged_or_stands_in_a_statement(
    poll: Poll, address: str, caplog: pytest.LogCaptureFixture, django_assert_num_queries: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    ana = Caller(poll.people["creator"][0], "vote")
    secret = bytes.fromhex("c0ffee00c0ffee00c0ffee00c0ffee00")
    for said in ("abstain", "no", "yes"):
        ana.post(address, {"choice": said, "nonce": secret.hex()})
    with connection.cursor() as cursor:
        ballots.cast(election_id=poll.id, person_id=poll.people["creator"][0].id, choice="abstain", nonce=secret)
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%%members_cast%%'")
        statements = [row[0] for row in cursor.fetchall()]
    assert all(
        re.fullmatch(r"SELECT .* FROM members_cast\(\$1::uuid, \$2::uuid, \$3::text, \$4::bytea\)", one)
        for one in statements
    )
    assert statements
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "c0ffee00" not in logged
    assert "abstain" not in logged


def test_a_ballot_is_one_question_to_the_database(poll: Poll, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        poll.cast(poll.people["worker"][0], "yes")
