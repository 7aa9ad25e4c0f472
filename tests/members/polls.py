"""Votes for tests: a roll of some classes, announced, opened and closed by the co-op's clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from members import clock
from members.models import Person
from members.voting import ballots, elections, tally, urns
from members.voting.election_models import Election
from members.voting.tally import Kind, Rules
from tests import cast

RULES = Rules(weights_ppm={"creator": 450_000, "listener": 350_000, "worker": 200_000}, bars=tally.FOUNDING_BARS)
QUESTION = "5e" * 32
NOTICE_AT = datetime(2026, 10, 1, 12, tzinfo=UTC)
OPENS_AT, CLOSES_AT = datetime(2026, 10, 8, 12, tzinfo=UTC), datetime(2026, 10, 15, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Poll:
    """An election and the people of its roll by class: each class has so many, who are named `creator 0` and so on."""

    def __init__(self, sizes: Mapping[str, int], *, kind: Kind = Kind.ORDINARY, rules: Rules = RULES) -> None:
        cast.set_clock(NOTICE_AT)
        self.people = {
            name: Person.objects.bulk_create(
                Person(email=f"{name}-{number}-{uuid4().hex}@poll.example", name=f"{name} {number}", password="!")
                for number in range(size)
            )
            for name, size in sizes.items()
        }
        self.election = elections.announce(
            question_sha256=QUESTION,
            kind=kind,
            rules=rules,
            opens_at=OPENS_AT,
            closes_at=CLOSES_AT,
            roll=[(person.id, name) for name, people in self.people.items() for person in people],
            is_second_call=False,
            now=clock.now(),
        )
        self.receipts: dict[UUID, ballots.Receipt] = {}

    @property
    def id(self) -> UUID:
        return self.election.id

    def open(self, *, after: timedelta = SECOND) -> None:
        cast.set_clock(OPENS_AT + after)

    def vote(self, name: str, choices: str, *, first: int = 0) -> None:
        """Let people of a class vote, one for each letter: y, n, a."""
        for number, letter in enumerate(choices, start=first):
            said = {"y": "yes", "n": "no", "a": "abstain"}[letter]
            self.cast(self.people[name][number], said)

    def cast(self, person: Person, choice: str, nonce: bytes | None = None) -> ballots.Receipt:
        receipt = ballots.cast(election_id=self.id, person_id=person.id, choice=choice, nonce=nonce or nonce_of(person))
        self.receipts[person.id] = receipt
        return receipt

    def end(self) -> None:
        cast.set_clock(CLOSES_AT + SECOND)

    def close(self) -> tally.Tally:
        """Let the vote end, and count it."""
        self.end()
        return urns.close(election_id=self.id, now=clock.now())

    def row(self) -> Election:
        return Election.objects.get(id=self.id)


def nonce_of(person: Person) -> bytes:
    """Return a number that a person would have drawn: another for each of them, and the same each time."""
    return person.id.bytes[::-1]
