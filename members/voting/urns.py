"""Urns: what closing a vote does, once, and what can be read and counted again when it is over.

Closing writes urn and roll anew, each in an order of its own, and drops the tables they lay in (sql/ballots.sql). What
does not agree is not counted.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.db.models import Count

from members import locks, patience
from members.problems import Problem
from members.voting import ballot_bundles, election_documents, roll_trees
from members.voting.election_models import Ballot, Checkpoint, Election, RollLine
from members.voting.elections import MINUTES_MOST, get, locked, trackers_of
from members.voting.tally import Tally

# One closing at a time drops tables; the database's own functions know it by the same number.
CLOSING_LOCK = 1_919_247_986
# The SQLSTATE with which the database refuses to count what does not agree.
DISAGREE = "RF409"


class NotClosed(Problem):
    """What was said is hidden until the vote has closed; only the turnout is shown."""

    slug, status, title = "vote-not-closed", 409, "This vote has not been counted"


class UrnDiffers(Exception):
    """An urn, its roll and its checkpoints do not agree: nothing was counted or dropped, and somebody has to look."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A ballot in the published urn: which of how many, what it says, and the first checkpoint that named it."""

    place: int
    count: int
    class_name: str
    choice: str
    checkpoint: int | None
    checkpoint_at: datetime | None


def close(*, election_id: UUID, now: datetime) -> Tally:
    """Count a vote that has closed, publish its bundle, and return the tally. Safe to run again, also after a crash.

    In one transaction urn and roll are written anew and what they lay in is dropped; the bundle follows. Raises
    NotFound, NotClosed before the moment of closing and once it is voided, UrnDiffers, and NoSealingKey.
    """
    with transaction.atomic():
        patience.take_time(minutes=MINUTES_MOST)
        election = locked(election_id)
        if election.state == Election.State.VOIDED:
            raise NotClosed("This vote was voided. It is never counted.")
        if election.state == Election.State.ANNOUNCED:
            if now < election.closes_at:
                raise NotClosed("A vote is counted when it has closed.")
            _count(election)
    with transaction.atomic():
        patience.take_time(minutes=MINUTES_MOST)
        election = locked(election_id)
        if election.result is None:
            ballot_bundles.publish(election)
    return _tally(election)


def void(election_id: UUID) -> None:
    """Void a vote that closed and cannot be counted. Safe to run again. Raises NotFound.

    Its urn and its roll are kept as they were found, to be looked at, and as secret as after a closing.
    """
    with transaction.atomic():
        patience.take_time(minutes=MINUTES_MOST)
        locked(election_id)
        locks.wait_for(CLOSING_LOCK)
        with connection.cursor() as cursor:
            cursor.execute("SELECT members_void_election(%s)", [election_id])


def result(election_id: UUID) -> Tally:
    """Return the tally of a vote that was counted and published. One query. Raises NotFound and NotClosed."""
    election = get(election_id)
    if election.result is None:
        raise NotClosed("What was said is hidden until the vote is counted.")
    return _tally(election)


def recount(election_id: UUID) -> Tally:
    """Count a closed vote's published ballots and marks once more. Raises NotFound, NotClosed, and UrnDiffers."""
    counted = result(election_id)
    election = get(election_id)
    words = {"yes": "yes", "no": "no", "abstain": "abstained"}
    found = {name: {"members": 0, "marks": 0, "yes": 0, "no": 0, "abstained": 0} for name in election.votes or {}}
    lines = (
        RollLine.objects.filter(election_id=election_id).values_list("class_name", "voted").annotate(many=Count("*"))
    )
    for name, voted, many in lines:
        found[name]["members"] += many
        found[name]["marks"] += many if voted else 0
    said = Ballot.objects.filter(election_id=election_id).values_list("class_name", "choice").annotate(many=Count("*"))
    for name, choice, many in said:
        found[name][words[choice]] += many
    if found != election.votes:
        raise UrnDiffers("the published ballots are not those that were counted")
    return counted


def find_ballot(*, election_id: UUID, tracker: str) -> Found | None:
    """Return the ballot of a tracker (64 hexadecimal digits) in the published urn; None where there is none.

    Five queries at most. Raises NotFound and NotClosed.
    """
    if get(election_id).result is None:
        raise NotClosed("The urn is published when the vote is counted.")
    wanted = b""
    with suppress(ValueError):
        wanted = bytes.fromhex(tracker.strip())
    mine = Ballot.objects.filter(election_id=election_id, tracker=wanted).first()
    if mine is None:
        return None
    named = next(
        (one for one in Checkpoint.objects.filter(election_id=election_id) if wanted in trackers_of(one)), None
    )
    urn = Ballot.objects.filter(election_id=election_id)
    return Found(
        place=urn.filter(tracker__lte=wanted).count(),
        count=urn.count(),
        class_name=mine.class_name,
        choice=mine.choice,
        checkpoint=named.number if named else None,
        checkpoint_at=named.made_at if named else None,
    )


def _count(election: Election) -> None:
    """Let the database count an urn, once the roll was found to be the announced one. Raises UrnDiffers."""
    # Before any table is read: who waited for it with one would stop the closing that has it.
    locks.wait_for(CLOSING_LOCK)
    if election_documents.roll_root(election.id, roll_trees.lines(election.id)) != election.roll_root:
        raise UrnDiffers("the roll is not the one that was announced and corrected")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT members_close_election(%s)", [election.id])
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) != DISAGREE:
            raise
        raise UrnDiffers(str(error).splitlines()[0]) from error


def _tally(election: Election) -> Tally:
    assert election.votes is not None
    return election_documents.counted(
        kind=election.kind, is_second_call=election.is_second_call, rules=election.rules, votes=election.votes
    )
