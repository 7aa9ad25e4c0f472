"""Elections from notice to count: who is on the roll, what is hidden until when, and what a closing leaves behind."""

import threading
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings as house
from django.db import Error, close_old_connections, connection, transaction

from infra import grants
from members import clock, keys, seals
from members.models import Person
from members.problems import NotFound
from members.voting import ballots, election_documents, elections, urns
from members.voting.election_models import Ballot, Checkpoint, Election, RollLine
from members.voting.elections import CannotAnnounce, RollFixed
from members.voting.tally import Kind, Verdict
from members.voting.urns import NotClosed, UrnDiffers
from tests import callers, cast
from tests.members.polls import CLOSES_AT, NOTICE_AT, OPENS_AT, QUESTION, RULES, Poll, nonce_of

DAY, HALF_A_MINUTE = timedelta(days=1), timedelta(seconds=30)
SIZES = {"creator": 12, "listener": 30, "worker": 6, "supporter": 5}
LIVE = ["members_roll", "members_urn"]


@pytest.fixture
def poll(db: None) -> Poll:
    """Give a vote that is announced and not open yet."""
    return Poll(SIZES)


def ask(question: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchall()


def live_tables() -> dict[str, str]:
    """Return the tables in which the roll and the urn of an open vote lie."""
    found = ask("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = ANY(%s::regclass[])", LIVE)
    return {name.split("_")[1]: name for (name,) in found}


def by_hand(statement: str, *values: Any) -> None:
    """Do as a superuser does whom no trigger stops."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET session_replication_role = origin")


def announced(poll: Poll, **changed: Any) -> Election:
    """Announce another vote like a poll's."""
    whole: dict[str, Any] = {
        "question_sha256": QUESTION,
        "kind": Kind.ORDINARY,
        "rules": RULES,
        "opens_at": OPENS_AT,
        "closes_at": CLOSES_AT,
        "roll": [(person.id, name) for name, people in poll.people.items() for person in people],
        "is_second_call": False,
        "now": clock.now(),
    }
    return elections.announce(**{**whole, **changed})


# The roll.


def test_a_notice_is_signed_and_has_the_root_of_the_roll(poll: Poll) -> None:
    document, said = poll.election.notice, poll.election.notice["notice"]
    public = seals.public_bytes(keys.present_key())
    Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(document["signature"]), seals.canonical(said))
    assert said["roll"]["members"] == SIZES
    # The tree made the slow way, from what the roll says.
    lines = ask("SELECT name, class FROM members_roll WHERE election_id = %s ORDER BY name", poll.id)
    leaves = [seals.canonical({"class": word, "election": str(poll.id), "name": name}) for name, word in lines]
    assert seals.root(leaves).hex() == said["roll"]["root"] == poll.election.roll_root
    assert election_documents.rules_read(said["rules"]) == RULES
    assert len({said["public_key"], announced(poll).public_key, public.hex()}) == 3, "each election has its own key"


def test_everybody_on_the_roll_can_prove_it(poll: Poll) -> None:
    for person in (poll.people["creator"][3], poll.people["supporter"][0]):
        found = elections.roll_proof(election_id=poll.id, person_id=person.id)
        path = [bytes.fromhex(step) for step in found.path]
        assert found.count == sum(SIZES.values())
        assert (
            seals.root_from_proof(content=found.leaf.encode(), index=found.index, count=found.count, path=path).hex()
            == poll.election.notice["notice"]["roll"]["root"]
        )
    assert elections.standing(election_id=poll.id, person_id=uuid4()) is None
    with pytest.raises(NotFound):
        elections.roll_proof(election_id=poll.id, person_id=uuid4())


def test_what_cannot_be_announced(poll: Poll) -> None:
    before = callers.digest()
    for changed in (
        {"roll": [(uuid4(), "director")]},
        {"roll": [(poll.people["worker"][0].id, "worker"), (poll.people["worker"][0].id, "creator")]},
        {"closes_at": OPENS_AT},
        {"opens_at": NOTICE_AT - DAY},
    ):
        with pytest.raises(CannotAnnounce):
            announced(poll, **changed)
    assert callers.digest() == before


def test_classes_with_fewer_than_five_on_the_roll_are_told(poll: Poll) -> None:
    assert poll.election.small_classes == []
    few = Poll({"creator": 5, "listener": 4, "worker": 1})
    assert few.election.small_classes == ["listener", "worker"]


def test_corrections_are_logged_with_the_roots_before_and_after(poll: Poll) -> None:
    secretary, late, gone = cast.person("sue"), cast.person("late"), poll.people["worker"][0]
    moved = poll.people["listener"][0]
    roots = [poll.election.roll_root]
    for person, word in ((late, "listener"), (gone, ""), (moved, "creator")):
        elections.correct(
            election_id=poll.id,
            person_id=person.id,
            class_name=word,
            reason="An error.",
            by_id=secretary.id,
            now=clock.now(),
        )
        roots.append(poll.row().roll_root)
    logged = list(poll.election.corrections.order_by("number"))
    assert [(one.class_before, one.class_after) for one in logged] == [
        ("", "listener"),
        ("worker", ""),
        ("listener", "creator"),
    ]
    assert [(one.root_before, one.root_after) for one in logged] == list(pairwise(roots))
    assert len(set(roots)) == 4
    assert poll.row().roll_members == {"creator": 13, "listener": 30, "worker": 5, "supporter": 5}
    poll.open()
    poll.cast(late, "yes")
    with pytest.raises(ballots.NotOnTheRoll):
        poll.cast(gone, "yes")
    assert poll.close().turnout == 1


def test_a_day_before_the_opening_nothing_moves_the_roll(poll: Poll) -> None:
    sue, ana = cast.person("sue"), poll.people["creator"][0]
    correcting: dict[str, Any] = {"election_id": poll.id, "person_id": ana.id, "reason": "An error.", "by_id": sue.id}
    cast.set_clock(OPENS_AT - DAY - HALF_A_MINUTE)
    elections.correct(**correcting, class_name="listener", now=clock.now())
    with pytest.raises(CannotAnnounce):
        elections.correct(**correcting, class_name="director", now=clock.now())
    cast.set_clock(OPENS_AT - DAY)
    before = callers.digest()
    with pytest.raises(RollFixed):
        elections.correct(**correcting, class_name="creator", now=clock.now())
    for statement in (
        "DELETE FROM members_roll WHERE person_id = %s",
        "UPDATE members_roll SET class = 'worker' WHERE person_id = %s",
        "INSERT INTO members_roll SELECT election_id, md5(%s::text)::uuid, class, name FROM members_roll",
        "UPDATE members_election SET roll_root = md5('x') WHERE EXISTS (SELECT FROM members_roll WHERE person_id = %s)",
        "UPDATE members_election SET closes_at = closes_at + interval '1 s' WHERE %s IS NOT NULL",
        "SELECT members_correct_roll(election_id, person_id, 'worker', name) FROM members_roll WHERE person_id = %s",
    ):
        with pytest.raises(Error, match=r"nothing moves a roll|never changed"), transaction.atomic():
            ask(statement + ("" if "SELECT m" in statement else " RETURNING 1"), ana.id)
    assert callers.digest() == before


# While it is open.


def test_the_turnout_is_shown_and_nothing_else(poll: Poll, django_assert_num_queries: Any) -> None:
    poll.open()
    poll.vote("creator", "yyn")
    poll.vote("supporter", "a")
    with django_assert_num_queries(2):
        shown = elections.turnout(poll.id)
    assert (shown.members, shown.voted) == (53, 4)
    assert shown.classes == {"creator": (12, 3), "listener": (30, 0), "supporter": (5, 1), "worker": (6, 0)}
    for early in (
        lambda: urns.result(poll.id),
        lambda: urns.find_ballot(election_id=poll.id, tracker="00" * 32),
        lambda: urns.close(election_id=poll.id, now=clock.now()),
    ):
        with pytest.raises(NotClosed):
            early()
    row = poll.row()
    assert (row.votes, row.result, row.closed_at, row.manifest) == (None, None, None, None)
    assert elections.people(election_id=poll.id, voted=True) == []
    # Whoever says that it is later than it is does not count either: the database reads its own clock.
    with pytest.raises(Error, match="when it has closed, and not before"), transaction.atomic():
        urns.close(election_id=poll.id, now=CLOSES_AT)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM members_urn",
        "SELECT count(*) FROM {urn}",
        "SELECT * FROM {roll}",
        "INSERT INTO members_urn SELECT * FROM members_urn",
        "UPDATE members_roll SET voted = true",
        "UPDATE members_roll SET class = 'worker'",
        "DELETE FROM members_roll",
        "TRUNCATE members_roll",
        "DROP TABLE {urn}",
        "INSERT INTO members_ballot SELECT * FROM members_ballot",
        "INSERT INTO members_rollline SELECT * FROM members_rollline",
        "UPDATE members_election SET votes = '{{}}', state = 'closed', closed_at = closes_at",
        "UPDATE members_checkpoint SET made_at = made_at",
    ],
)
def test_the_web_role_cannot_look_into_the_urn_or_write_past_the_functions(poll: Poll, statement: str) -> None:
    parts = live_tables()
    grants.grant(house.DB_WEB_ROLE)
    poll.open()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {house.DB_WEB_ROLE}")
        with pytest.raises(Error, match=r"permission denied|must be owner"), transaction.atomic():
            cursor.execute(statement.format(**parts))
        cursor.execute("RESET ROLE")


def test_the_web_role_can_do_all_that_a_vote_needs(db: None) -> None:
    grants.grant(house.DB_WEB_ROLE)
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {house.DB_WEB_ROLE}")
        try:
            people = [(UUID(int=n), "worker") for n in range(1, 13)]
            with connection.cursor() as own:
                own.execute("RESET ROLE")
                cast.set_clock(NOTICE_AT)
                sue = cast.person("sue")
                own.execute(f"SET ROLE {house.DB_WEB_ROLE}")
            election = elections.announce(
                question_sha256=QUESTION, kind=Kind.ORDINARY, rules=RULES, opens_at=OPENS_AT, closes_at=CLOSES_AT,
                roll=people, is_second_call=False, now=clock.now(),
            )  # fmt: skip
            elections.correct(
                election_id=election.id, person_id=UUID(int=99), class_name="worker", reason="Forgotten.", by_id=sue.id,
                now=clock.now(),
            )  # fmt: skip
            _move(cursor, OPENS_AT)
            for person, _ in people[:6]:
                ballots.cast(election_id=election.id, person_id=person, choice="yes", nonce=person.bytes)
            assert elections.turnout(election.id).voted == 6
            assert elections.checkpoint(election_id=election.id, now=clock.now()) is not None
            _move(cursor, CLOSES_AT)
            assert urns.close(election_id=election.id, now=clock.now()).turnout == 6
            assert urns.result(election.id).turnout == 6
            elections.forget(person_id=people[0][0])
        finally:
            cursor.execute("RESET ROLE")


def _move(cursor: Any, moment: Any) -> None:
    """Move the clock, which the web role may not, and go on as the web role."""
    cursor.execute("RESET ROLE")
    cast.set_clock(moment)
    cursor.execute(f"SET ROLE {house.DB_WEB_ROLE}")


# Checkpoints.


def test_checkpoints_come_daily_and_only_with_five_ballots_of_each_class(poll: Poll) -> None:
    poll.open()

    def made() -> Checkpoint | None:
        return elections.checkpoint(election_id=poll.id, now=clock.now())

    assert made() is None
    poll.vote("creator", "yyny")
    assert made() is None, "four of a class"
    poll.vote("creator", "a", first=4)
    poll.vote("worker", "y")
    assert made() is None, "five of one and one of another"
    poll.vote("worker", "nnnn", first=1)
    first = made()
    assert first is not None
    poll.vote("listener", "y" * 6)
    poll.open(after=DAY - HALF_A_MINUTE)
    assert made() is None, "the same day"
    poll.open(after=DAY + HALF_A_MINUTE)
    second = made()
    assert second is not None
    poll.open(after=3 * DAY)
    assert made() is None, "nothing new"
    poll.vote("listener", "n" * 5, first=6)
    poll.vote("creator", "n", first=5)
    assert made() is None, "one of a class since the last"
    urn = sorted(receipt.tracker for receipt in poll.receipts.values())
    of_first = elections.checkpoint_trackers(election_id=poll.id, number=1)
    of_second = elections.checkpoint_trackers(election_id=poll.id, number=2)
    assert (len(of_first), len(of_second), len(urn)) == (10, 16, 22)
    assert set(of_first) < set(of_second) < set(urn)
    assert of_second == sorted(of_second)
    for number, (one, trackers) in enumerate(((first, of_first), (second, of_second)), start=1):
        said = one.document["checkpoint"]
        assert (said["number"], said["count"], said["election"]) == (number, len(trackers), str(poll.id))
        assert said["root"] == seals.root([bytes.fromhex(tracker) for tracker in trackers]).hex()
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(poll.election.public_key))
        key.verify(bytes.fromhex(one.document["signature"]), seals.canonical(said))
    assert first.document["checkpoint"]["previous"] is None
    assert second.document["checkpoint"]["previous"] == first.document["sha256"]
    with pytest.raises(NotFound):
        elections.checkpoint_trackers(election_id=poll.id, number=3)
    poll.close()
    assert made() is None


# Closing.


def test_closing_counts_what_was_said(poll: Poll) -> None:
    poll.open()
    poll.vote("creator", "yyyyynna")
    poll.vote("listener", "nnnnnnyya")
    poll.vote("supporter", "yn")
    found = poll.close()
    expected = {
        "creator": {"members": 12, "marks": 8, "yes": 5, "no": 2, "abstained": 1},
        "listener": {"members": 30, "marks": 9, "yes": 2, "no": 6, "abstained": 1},
        "worker": {"members": 6, "marks": 0, "yes": 0, "no": 0, "abstained": 0},
        "supporter": {"members": 5, "marks": 2, "yes": 1, "no": 1, "abstained": 0},
    }
    row = poll.row()
    assert row.votes == expected
    assert (found.verdict, found.turnout, found.heads) == (Verdict.PASSED, 19, Fraction(8, 17))
    assert found.support == Fraction(45, 100) * Fraction(5, 7) + Fraction(35, 100) * Fraction(1, 4) + Fraction(1, 10)
    assert urns.result(poll.id) == found
    assert (row.result["verdict"], row.result["support"]) == (
        "passed",
        [found.support.numerator, found.support.denominator],
    )
    assert elections.turnout(poll.id).classes["creator"] == (12, 8)
    # Safe to run again, and the bundle's bytes follow from what is kept.
    assert urns.close(election_id=poll.id, now=clock.now()) == found
    assert poll.row().bundle_sha256 == row.bundle_sha256
    by_hand("UPDATE members_election SET result = NULL, manifest = NULL, bundle_key = '', bundle_bytes = NULL")
    # Counted and not published yet, it is told to nobody.
    with pytest.raises(NotClosed):
        urns.result(poll.id)
    assert urns.close(election_id=poll.id, now=clock.now()) == found
    assert poll.row().bundle_sha256 == row.bundle_sha256
    with pytest.raises(Error, match="counted once"), transaction.atomic():
        Election.objects.filter(id=poll.id).update(votes={})


def test_everybody_finds_their_ballot_and_whether_they_voted(poll: Poll) -> None:
    poll.open()
    poll.vote("worker", "yyyyn")
    named = elections.checkpoint(election_id=poll.id, now=clock.now())
    poll.vote("listener", "n")
    poll.close()
    trackers = sorted(receipt.tracker for receipt in poll.receipts.values())
    last = poll.people["worker"][4]
    found = urns.find_ballot(election_id=poll.id, tracker=f" {poll.receipts[last.id].tracker.upper()}\n")
    assert found == urns.Found(
        place=trackers.index(poll.receipts[last.id].tracker) + 1,
        count=6,
        class_name="worker",
        choice="no",
        checkpoint=1,
        checkpoint_at=named.made_at if named else None,
    )
    late = urns.find_ballot(election_id=poll.id, tracker=poll.receipts[poll.people["listener"][0].id].tracker)
    assert late is not None
    assert late.checkpoint is None
    for unknown in ("00" * 32, "", "zz", "0" * 63, "é" * 64):
        assert urns.find_ballot(election_id=poll.id, tracker=unknown) is None
    named_so = dict(RollLine.objects.filter(election=poll.election).values_list("person_id", "name"))
    assert elections.people(election_id=poll.id, voted=True) == sorted(poll.receipts, key=lambda one: named_so[one])
    assert len(elections.people(election_id=poll.id, voted=False)) == 53 - 6
    elections.forget(person_id=last.id)
    # Whoever is on their way out is written to no more, and neither is who was forgotten.
    leaving = poll.people["worker"][3]
    Person.objects.filter(id=leaving.id).update(is_active=False)
    assert not {last.id, leaving.id} & set(elections.people(election_id=poll.id, voted=True))
    assert RollLine.objects.filter(election=poll.election, class_name="worker", voted=True).count() == 5


def test_of_somebody_erased_while_it_was_open_the_mark_stays(poll: Poll) -> None:
    ana = cast.person("ana")
    elections.correct(
        election_id=poll.id,
        person_id=ana.id,
        class_name="worker",
        reason="Late.",
        by_id=cast.person().id,
        now=clock.now(),
    )
    poll.open()
    poll.cast(ana, "yes")
    ana.delete()
    assert poll.close().turnout == 1
    assert RollLine.objects.get(election=poll.election, voted=True).person_id is None


def test_nobody_came_and_nobody_could(db: None) -> None:
    empty, silent = Poll({"creator": 20, "listener": 0}), Poll({})
    silent.end()
    assert urns.close(election_id=empty.id, now=clock.now()).verdict == Verdict.INQUORATE
    assert urns.close(election_id=silent.id, now=clock.now()).verdict == Verdict.DEFEATED


TAMPERED = {
    "UPDATE members_roll SET class = 'creator' WHERE person_id = %(listener)s": "roll is not the one",
    "DELETE FROM members_roll WHERE person_id = %(idle)s": "roll is not the one",
    "UPDATE members_roll SET voted = true WHERE person_id = %(idle)s": "class worker has 3 marks and 2 ballots",
    "UPDATE members_roll SET voted = false WHERE person_id = %(listener)s": "class listener has 5 marks and 6 ballots",
    "DELETE FROM members_urn WHERE tracker = %(tracker)s": "class listener has 6 marks and 5 ballots",
    "UPDATE members_urn SET choice = 'no' WHERE tracker = %(tracker)s": "1 ballots of the class listener are not",
    "UPDATE members_urn SET class = 'worker' WHERE tracker = %(tracker)s": "1 ballots of the class worker are not",
    "INSERT INTO members_urn SELECT election_id, sha256('x'), class, choice, nonce FROM members_urn"
    " WHERE tracker = %(tracker)s": "1 ballots of the class listener are not those",
    # Two at once that even each other out: another ballot for one that a checkpoint named.
    "WITH gone AS (DELETE FROM members_urn WHERE tracker = %(tracker)s RETURNING *) INSERT INTO members_urn"
    " SELECT election_id, members_tracker(election_id, class, 'no', substr(tracker, 1, 16)), class, 'no',"
    " substr(tracker, 1, 16) FROM gone": "a ballot that a checkpoint named is not in the urn",
}


@pytest.mark.parametrize(("statement", "fault"), TAMPERED.items())
def test_an_urn_that_was_tampered_with_is_not_counted_and_kept_as_it_is(poll: Poll, statement: str, fault: str) -> None:
    poll.open()
    poll.vote("listener", "yyyyyn")
    assert elections.checkpoint(election_id=poll.id, now=clock.now()) is not None
    poll.vote("worker", "yn")
    listener = poll.people["listener"][0]
    names = {
        "listener": listener.id,
        "idle": poll.people["worker"][5].id,
        "tracker": bytes.fromhex(poll.receipts[listener.id].tracker),
    }
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement, names)
        cursor.execute("SET session_replication_role = origin")
    moved = frozenset({"members_coop"})  # the clock
    before = callers.digest(but=moved)
    with pytest.raises(UrnDiffers, match=fault):
        poll.close()
    assert callers.digest(but=moved) == before
    assert Ballot.objects.count() == 0


def test_closing_at_once_from_everywhere_counts_once(committed: None) -> None:
    poll, other = Poll(SIZES), Poll({"creator": 8})
    poll.open()
    poll.vote("creator", "yyyyyn")
    other.vote("creator", "nnnnnn")
    poll.end()
    told: list[object] = []

    def count(of: Poll) -> Callable[[], None]:
        def counting() -> None:
            close_old_connections()
            try:
                told.append((of.id, urns.close(election_id=of.id, now=clock.now())))
            finally:
                connection.close()

        return counting

    threads = [threading.Thread(target=count(of)) for of in (poll, other) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(told) == 8
    assert {(of, found.verdict, found.turnout) for of, found in told} == {  # type: ignore[attr-defined, misc]
        (poll.id, Verdict.PASSED, 6),
        (other.id, Verdict.DEFEATED, 6),
    }
    assert Ballot.objects.count() == 12


# What is left.


def test_after_the_closing_nothing_in_the_database_leads_from_the_urn_to_the_roll(committed: None) -> None:
    poll = Poll(SIZES)
    poll.open()
    order = [person for name in ("worker", "listener", "creator", "supporter") for person in poll.people[name]]
    for number, person in enumerate(order):
        poll.cast(person, ("yes", "no", "abstain")[number % 3])
    # Before it whoever owns the database can: each voter's mark and ballot were written by one transaction.
    alike = "SELECT count(*) FROM members_roll r JOIN members_urn u ON u.xmin::text = r.xmin::text"
    assert ask(alike) == [(len(order),)]
    live = list(live_tables().values())
    assert len(live) == 2
    poll.close()

    # The tables in which they lay are gone, and so are their files.
    assert ask("SELECT relname FROM pg_class WHERE relname = ANY(%s)", live) == []
    assert ask(alike) == [(0,)]
    # One transaction wrote every ballot and every line, so neither its number nor its moment tells any apart.
    wrote = "SELECT {0}::text FROM members_ballot UNION SELECT {0}::text FROM members_rollline"
    assert len(ask(wrote.format("xmin"))) == 1
    assert ask(wrote.format("xmax")) == [("0",)]
    # They lie, and are dumped, in orders that follow from the trackers and from the names alone.
    trackers = [bytes(row[0]) for row in ask("SELECT tracker FROM members_ballot ORDER BY ctid")]
    names = [row[0] for row in ask("SELECT name FROM members_rollline ORDER BY ctid")]
    assert (trackers, names) == (sorted(trackers), sorted(names))
    assert len(trackers) == len(names) == len(order)
    copied = {}
    for table in ("members_ballot", "members_rollline"):
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT") as copy:
            copied[table] = b"".join(bytes(part) for part in copy).decode().splitlines()
    assert copied["members_ballot"] == sorted(copied["members_ballot"])
    assert copied["members_rollline"] == sorted(copied["members_rollline"])
    # No number was drawn for either, and no column of one is in the other but the election and the class.
    said = ask("SELECT table_name, column_name, column_default FROM information_schema.columns")
    columns = {table: {column for of, column, _ in said if of == table} for table in copied}
    assert columns["members_ballot"] & columns["members_rollline"] == {"election_id", "class"}
    assert [default for of, _, default in said if of in copied if default] == []
    # Nowhere else in the database does a tracker or a nonce stand.
    secrets = {receipt.tracker for receipt in poll.receipts.values()} | {nonce_of(person).hex() for person in order}
    for table in connection.introspection.table_names():
        if table != "members_ballot":
            rows = ask(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")  # noqa: S608  (our own tables)
            text = "\n".join(row[0] for row in rows)
            assert not any(secret in text for secret in secrets), table
