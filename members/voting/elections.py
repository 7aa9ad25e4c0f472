"""Elections: a question put to a roll, from its announcement until it is counted (urns.py).

Who calls them is the governance's matter. The roll is fixed when a vote is announced and corrected, in a log, until a
day before it opens. While it is open only the turnout can be known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Max

from members import keys, patience, seals
from members.models import Person
from members.problems import NotFound, Problem
from members.voting import ballot_bundles, election_documents, roll_trees
from members.voting.election_documents import HEADS_ONLY
from members.voting.election_models import Checkpoint, Election, RollCorrection, RollLine
from members.voting.roll_trees import RollProof
from members.voting.tally import Kind, Rules

CORRECTED_UNTIL = timedelta(hours=24)
MINUTES_MOST = 10


class CannotAnnounce(Problem):
    """The roll or the times of a vote cannot be; the detail says why."""

    slug, status, title = "cannot-announce", 422, "This vote cannot be announced"


class RollFixed(Problem):
    """From a day before a vote opens, nothing moves its roll."""

    slug, status, title = "roll-fixed", 409, "The roll stands"


@dataclass(frozen=True, kw_only=True)
class Turnout:
    """How many are on a roll and how many of them voted, together and by class."""

    members: int
    voted: int
    classes: dict[str, tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A person on a roll: the class they vote in, what they are called on it, and whether they voted."""

    class_name: str
    name: str
    voted: bool


def announce(
    *,
    question_sha256: str,
    kind: Kind,
    rules: Rules,
    opens_at: datetime,
    closes_at: datetime,
    roll: Iterable[tuple[UUID, str]],
    is_second_call: bool,
    now: datetime,
) -> Election:
    """Announce a vote to those on `roll`, pairs of a person and the class they vote in, and return it with its notice.

    A class has a weight in `rules`, or is `supporter`, who vote by heads alone. Some ten queries, whoever is on the
    roll. Raises CannotAnnounce and NoSealingKey.
    """
    people = list(roll)
    _check(people, rules, opens_at=opens_at, closes_at=closes_at, now=now)
    key, election_id = keys.present_key(), uuid4()
    own = keys.of_election(election_id, key=key)
    lines = [(own.name(person), class_name) for person, class_name in people]
    members = _members(class_name for _, class_name in people)
    tree = roll_trees.grow(election_id, lines)
    public_key = seals.public_bytes(own.signing).hex()
    said = election_documents.notice_said(
        election_id=election_id,
        question_sha256=question_sha256,
        kind=kind,
        rules=rules,
        opens_at=opens_at,
        closes_at=closes_at,
        is_second_call=is_second_call,
        public_key=public_key,
        roll_root=tree.root,
        roll_members=members,
    )
    with transaction.atomic():
        patience.take_time(minutes=MINUTES_MOST)
        election = Election.objects.create(
            id=election_id,
            question_sha256=question_sha256,
            kind=kind.value,
            rules=said["rules"],
            is_second_call=is_second_call,
            announced_at=now,
            opens_at=opens_at,
            closes_at=closes_at,
            signing_key=seals.key_id(seals.public_bytes(key)),
            public_key=public_key,
            notice={"notice": said, "sha256": seals.sha256_of(said), **seals.sign(said, key=key)},
            roll_root=tree.root,
            roll_members=members,
        )
        roll_trees.keep(election_id, tree)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT members_open_roll(%s, %s::uuid[], %s::text[], %s::text[])",
                [election_id, [person for person, _ in people], [word for _, word in people], [n for n, _ in lines]],
            )
    return election


def correct(
    *, election_id: UUID, person_id: UUID, class_name: str, reason: str, by_id: UUID, now: datetime
) -> RollCorrection:
    """Put a person into a class of a roll, or off it with an empty `class_name`, and log it with the new root.

    Until 24 hours before the vote opens. Raises NotFound, RollFixed, CannotAnnounce.
    """
    with transaction.atomic():
        patience.take_time(minutes=MINUTES_MOST)
        election = locked(election_id)
        if election.state != Election.State.ANNOUNCED or now >= election.opens_at - CORRECTED_UNTIL:
            raise RollFixed("A roll is corrected until 24 hours before its vote opens.")
        if class_name not in ("", HEADS_ONLY, *election.rules["weights_ppm"]):
            raise CannotAnnounce(f"nobody votes in a class {class_name!r} here")
        name = _own_key(election).name(person_id)
        with connection.cursor() as cursor:
            cursor.execute("SELECT members_correct_roll(%s, %s, %s, %s)", [election_id, person_id, class_name, name])
            before = cursor.fetchone()[0]
        if before == class_name:
            raise CannotAnnounce("the roll says so already")
        root_before = election.roll_root
        lines = roll_trees.lines(election_id)
        tree = roll_trees.grow(election_id, lines)
        roll_trees.keep(election_id, tree)
        election.roll_root = tree.root
        election.roll_members = _members(word for _, word in lines)
        election.save(update_fields=["roll_root", "roll_members"])
        last = election.corrections.aggregate(last=Max("number"))["last"] or 0
        return RollCorrection.objects.create(
            election=election,
            number=last + 1,
            name=name,
            class_before=before,
            class_after=class_name,
            reason=reason,
            corrected_by_id=by_id,
            corrected_at=now,
            root_before=root_before,
            root_after=election.roll_root,
        )


def turnout(election_id: UUID) -> Turnout:
    """Return how many voted; it says nothing of what they said. At most two queries. Raises NotFound."""
    election = get(election_id)
    if election.votes is not None:
        classes = {name: (one["members"], one["marks"]) for name, one in sorted(election.votes.items())}
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT class, count(*), count(*) FILTER (WHERE voted) FROM ("
                " SELECT class, voted FROM members_roll WHERE election_id = %(election)s UNION ALL"
                " SELECT class, voted FROM members_rollline WHERE election_id = %(election)s) lines"
                " GROUP BY class ORDER BY class",
                {"election": election_id},
            )
            classes = {name: (members, voted) for name, members, voted in cursor.fetchall()}
    return Turnout(
        members=sum(members for members, _ in classes.values()),
        voted=sum(voted for _, voted in classes.values()),
        classes=classes,
    )


def standing(*, election_id: UUID, person_id: UUID) -> Standing | None:
    """Return a person's line of a roll, while the vote is open and after it; None for who is not on it. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT class, name, voted FROM members_roll WHERE (election_id, person_id) = (%(election)s, %(person)s)"
            " UNION ALL"
            " SELECT class, name, voted FROM members_rollline"
            " WHERE (election_id, person_id) = (%(election)s, %(person)s)",
            {"election": election_id, "person": person_id},
        )
        row = cursor.fetchone()
    return Standing(class_name=row[0], name=row[1], voted=row[2]) if row else None


def name_on(election: Election, *, person_id: UUID) -> str:
    """Return what a person is called on a roll, or would be. Raises NoSealingKey."""
    return _own_key(election).name(person_id)


def roll_proof(*, election_id: UUID, person_id: UUID) -> RollProof:
    """Return the proof that a person is on the roll whose root was announced. Four queries. Raises NotFound."""
    election, found = get(election_id), standing(election_id=election_id, person_id=person_id)
    if found is None:
        raise NotFound("you are not on this vote's roll")
    return roll_trees.proof(election, name=found.name, class_name=found.class_name)


def checkpoint(*, election_id: UUID, now: datetime) -> Checkpoint | None:
    """Sign what lies in the urn of an open vote and return it, or None where no checkpoint is due.

    At most one a day, and only with five new ballots or more in every class that has any, so that nobody's day shows.
    """
    with transaction.atomic():
        patience.take_time(minutes=MINUTES_MOST)
        election = locked(election_id)
        with connection.cursor() as cursor:
            cursor.execute("SELECT members_new_trackers(%s)", [election_id])
            fresh = [bytes(one) for one in cursor.fetchone()[0] or ()]
        if not fresh:
            return None
        earlier = list(election.checkpoints.order_by("number"))
        said = election_documents.checkpoint_said(
            election_id=election_id,
            number=len(earlier) + 1,
            made_at=now,
            trackers=sorted([*fresh, *(one for past in earlier for one in trackers_of(past))]),
            previous=earlier[-1].document["sha256"] if earlier else None,
        )
        sealed = {"sha256": seals.sha256_of(said), **seals.sign(said, key=_own_key(election).signing)}
        return Checkpoint.objects.create(
            election=election,
            number=len(earlier) + 1,
            made_at=now,
            new_trackers=b"".join(fresh),
            document={"checkpoint": said, **sealed},
        )


def trackers_of(one: Checkpoint) -> list[bytes]:
    """Return the trackers that a checkpoint was the first to name, sorted."""
    return ballot_bundles.split(bytes(one.new_trackers))


def checkpoint_trackers(*, election_id: UUID, number: int) -> Sequence[str]:
    """Return every tracker that a checkpoint contains, sorted, in hexadecimal. One query. Raises NotFound."""
    upto = list(Checkpoint.objects.filter(election_id=election_id, number__lte=number))
    if not any(one.number == number for one in upto):
        raise NotFound("there is no such checkpoint")
    return sorted(tracker.hex() for one in upto for tracker in trackers_of(one))


def people(*, election_id: UUID, voted: bool) -> list[UUID]:
    """Return who of a closed vote's roll voted, or who did not, in the order of its names; without the erased."""
    # Who is erased while a vote is open stands on its roll until it closes; nobody reads their letters any more.
    here = Person.objects.filter(is_active=True).values("id")
    lines = RollLine.objects.filter(election_id=election_id, voted=voted, person_id__in=here).order_by("name")
    return [person for person in lines.values_list("person_id", flat=True) if person]


def on_the_roll(election_id: UUID) -> list[UUID]:
    """Return everybody on a vote's roll, open or closed, in the order of its names; without the erased. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT person_id FROM (SELECT person_id, name FROM members_roll WHERE election_id = %(election)s UNION ALL"
            " SELECT person_id, name FROM members_rollline WHERE election_id = %(election)s) lines"
            ' JOIN members_person p ON p.id = person_id AND p.is_active ORDER BY lines.name COLLATE "C"',
            {"election": election_id},
        )
        return [person_id for (person_id,) in cursor.fetchall()]


def forget(*, person_id: UUID) -> None:
    """Take an erased person off the past rolls; their name there, their class and their mark stay."""
    RollLine.objects.filter(person_id=person_id).update(person_id=None)


def get(election_id: UUID) -> Election:
    """Return an election. One query. Raises NotFound."""
    found = Election.objects.filter(id=election_id).first()
    if found is None:
        raise NotFound("there is no such vote")
    return found


def _check(
    people_on: list[tuple[UUID, str]], rules: Rules, *, opens_at: datetime, closes_at: datetime, now: datetime
) -> None:
    if not now < opens_at < closes_at:
        raise CannotAnnounce("a vote is announced before it opens, and opens before it closes")
    if unknown := {word for _, word in people_on} - {HEADS_ONLY, *rules.weights_ppm}:
        raise CannotAnnounce(f"the classes {', '.join(sorted(unknown))} have no weight")
    if len({person for person, _ in people_on}) != len(people_on):
        raise CannotAnnounce("a person stands on the roll twice")


def locked(election_id: UUID) -> Election:
    """Return an election with its lock, alone, until the transaction ends. Raises NotFound."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(members_election_lock(%s))", [election_id])
    return get(election_id)


def _members(classes: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in classes:
        counts[word] = counts.get(word, 0) + 1
    return counts


def _own_key(election: Election) -> keys.ElectionKey:
    return keys.of_election(election.id, key=keys.key_named(election.signing_key))
