"""The demo's members at their proposals: they write, stand behind, talk, amend, vote and contest, evening by evening.

Parts of a proposal's life begin and end by beat's own act alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from infra.demonstration.founding import Coop
from infra.demonstration.people import EVERYBODY
from infra.demonstration.proposals import Asked, all_asked
from members import clock, policies
from members.voting import ballots, contests, discussion, elections, proposal_life, proposals
from members.voting.proposal_models import Contest, Proposal

State = Proposal.State
CHOICES = {"y": "yes", "n": "no", "a": "abstain"}
# Members come to vote on so many evenings, and a panel decides after as many.
EVENINGS = 3


@dataclass(kw_only=True)
class Assembly:
    """The proposals by their places in the list, and the contests that were filed."""

    coop: Coop
    listed: list[Asked]
    made: dict[int, UUID] = field(default_factory=dict)
    talked: set[int] = field(default_factory=set)


def assemble(coop: Coop, *, until: datetime) -> Assembly:
    """Return the assembly of a demo that begins at a moment."""
    return Assembly(coop=coop, listed=all_asked(until=clock.day(until)))


def look_after(assembly: Assembly, *, left: int, now: datetime) -> None:
    """Let members do what they do on the evening that is so many days before the end."""
    for place, one in enumerate(assembly.listed):
        if one.day == left:
            assembly.made[place] = _ask(assembly.coop, one, now)
        elif place in assembly.made:
            _go_on(assembly, place, one, left=left, now=now)


def beat(*, now: datetime) -> None:
    """Let beat come by, once in the evening after parts have ended."""
    proposal_life.advance(now=now)
    proposal_life.seal_urns(now=now)


def _ask(coop: Coop, one: Asked, now: datetime) -> UUID:
    made = proposals.draft(
        author_id=coop.id(one.author),
        key=one.key,
        title=one.title,
        reasons=one.reasons,
        params=_figures(policies.versions(one.key, now)[-1].params, one.changes) if one.key else None,
        now=now,
    )
    if not one.is_draft:
        proposals.submit(proposal_id=made.id, author_id=coop.id(one.author), now=now)
        for name in one.sponsors:
            proposals.sponsor(proposal_id=made.id, person_id=coop.id(name), now=now)
    return made.id


def _go_on(assembly: Assembly, place: int, one: Asked, *, left: int, now: datetime) -> None:
    """Do what comes next on a proposal."""
    coop, proposal = assembly.coop, Proposal.objects.select_related("election").get(id=assembly.made[place])
    if one.retracted == left:
        proposals.retract(proposal_id=proposal.id, author_id=coop.id(one.author), now=now)
    elif proposal.state == State.DELIBERATION and place not in assembly.talked:
        assembly.talked.add(place)
        _talk(coop, proposal, one, now)
    elif proposal.state == State.VOTING:
        _vote(coop, proposal, one, now)
    elif proposal.state == State.CONTEST and one.contest is not None:
        _contest(coop, proposal, one.contest, now)


def _talk(coop: Coop, proposal: Proposal, one: Asked, now: datetime) -> None:
    for minutes, (name, words) in enumerate(one.remarks):
        said_at = now + timedelta(minutes=minutes)
        discussion.remark(proposal_id=proposal.id, person_id=coop.id(name), text=words, now=said_at)
    if one.amendment is not None:
        name, changes, why = one.amendment
        discussion.amend(
            proposal_id=proposal.id,
            person_id=coop.id(name),
            title=proposal.title,
            reasons=why,
            params=_figures(proposal.params or {}, changes),
            now=now,
        )


def _vote(coop: Coop, proposal: Proposal, one: Asked, now: datetime) -> None:
    """Let a third of the roll vote on each of three evenings, as the list says."""
    election = proposal.election
    assert election is not None
    evening = (clock.day(now) - clock.day(election.opens_at)).days - 1
    said = one.again if proposal.is_second_call and one.again is not None else one.ballots
    seen: dict[str, int] = {}
    for who in EVERYBODY.values():
        person_id = coop.id(who.name)
        standing = elections.standing(election_id=election.id, person_id=person_id)
        if standing is None or (one.is_left and who.part):
            continue
        number = seen[standing.class_name] = seen.get(standing.class_name, -1) + 1
        letters = said.get(standing.class_name, ".")
        choice = CHOICES.get(letters[number % len(letters)])
        if choice and number % EVENINGS == evening:
            nonce = hashlib.sha256(f"{election.id} {who.name}".encode()).digest()[: ballots.NONCE_BYTES]
            ballots.cast(election_id=election.id, person_id=person_id, choice=choice, nonce=nonce)


def _contest(coop: Coop, proposal: Proposal, wanted: tuple[str, str, str], now: datetime) -> None:
    """File a contest of a vote, or let its panel rule once it has heard of it for some days."""
    name, grounds, ruling = wanted
    filed = contests.file(proposal_id=proposal.id, person_id=coop.id(name), grounds=grounds, now=now)
    if not ruling or filed.ruling or clock.day(now) < clock.day(filed.filed_at) + timedelta(days=EVENINGS):
        return
    for panelist in filed.panel.order_by("id")[:2]:
        contests.rule(
            appeal_id=filed.id,
            person_id=panelist.person_id,
            ruling=Contest.Ruling(ruling),
            reasons="We asked around. It was so, and it may have changed what came out.",
            now=now,
        )


def _figures(base: Mapping[str, Any], changes: Mapping[str, int | str]) -> dict[str, Any]:
    return {**base, **changes}
