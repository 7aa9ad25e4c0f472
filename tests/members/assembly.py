"""A co-op that can decide: members long enough in it, a proposal on its way, and the evenings at which it goes on."""

from datetime import datetime, timedelta
from uuid import UUID

from members import clock, policies
from members.voting import ballots, proposal_life, proposals
from members.voting.proposal_models import Proposal
from tests import cast
from tests.members import belonging

JOINED = datetime.fromisoformat("2026-06-01T12:00+02:00")
BEGINS = datetime.fromisoformat("2026-08-03T12:00+02:00")
MINUTE = timedelta(minutes=1)
State = Proposal.State


def members(*names: str):
    """Make listeners who joined in June, and stand in August."""
    # What an earlier test recorded at this very moment is gone with it.
    policies.forget()
    cast.set_clock(JOINED)
    made = [belonging.member(name, now=clock.now()) for name in names]
    cast.set_clock(BEGINS)
    return made


def drafted(author, *, key: str = "opening", title: str = "A shorter opening", **params: int) -> Proposal:
    """Let somebody write a draft: half a minute of opening, unless other figures are given."""
    return proposals.draft(
        author_id=author.id,
        key=key,
        title=title,
        reasons="Because we said so at the table.",
        params=(params or {"seconds": 30}) if key else None,
        now=clock.now(),
    )


def submitted(author, **said) -> Proposal:
    """Let somebody put a proposal before the members."""
    made = drafted(author, **said)
    return proposals.submit(proposal_id=made.id, author_id=author.id, now=clock.now())


def sponsor(proposal: Proposal, *people) -> None:
    """Let people stand behind a proposal."""
    for person in people:
        proposals.sponsor(proposal_id=proposal.id, person_id=person.id, now=clock.now())


def beat() -> None:
    """Let beat come by."""
    proposal_life.advance(now=clock.now())


def seen(proposal: Proposal) -> Proposal:
    """Return a proposal as it is now."""
    return Proposal.objects.select_related("election").get(id=proposal.id)


def go_on(proposal: Proposal) -> Proposal:
    """Wait until the present part of a proposal's life ends, and let beat come by a minute later."""
    ends_at = seen(proposal).ends_at
    assert ends_at is not None
    cast.set_clock(ends_at + MINUTE)
    beat()
    return seen(proposal)


def called(people, **said) -> Proposal:
    """Bring a proposal of the first of some people to its vote."""
    made = submitted(people[0], **said)
    sponsor(made, *people[:3])
    beat()
    go_on(made)
    return go_on(made)


def vote(proposal: Proposal, choices: str, people) -> None:
    """Let people vote, one for each letter: y, n, a; a dot stays away."""
    election_id = seen(proposal).election_id
    assert election_id is not None
    for person, letter in zip(people, choices, strict=True):
        if letter != ".":
            cast_ballot(election_id, person, {"y": "yes", "n": "no", "a": "abstain"}[letter])


def cast_ballot(election_id: UUID, person, choice: str) -> ballots.Receipt:
    """Let somebody cast a ballot."""
    return ballots.cast(election_id=election_id, person_id=person.id, choice=choice, nonce=person.id.bytes)
