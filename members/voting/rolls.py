"""Rolls as people meet them: whether one is on it and why not, the proof of it, and the secretary's corrections.

What everybody may read of a roll names nobody: lines and corrections are told under the names that only the co-op's
key leads back to people (`members/keys.py`). Oneself one is told everything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from members import clock, letters
from members.belonging import memberships, register
from members.belonging.memberships import COUNTS_AFTER, GRACE
from members.belonging.models import ClassPlace, DuesPayment, Membership, VotingChoice
from members.letters import Letter
from members.problems import Invalid, NotAllowed, NotFound
from members.voting import election_documents, elections, proposals
from members.voting.election_models import Election, RollCorrection
from members.voting.proposal_models import Proposal

FORMAT = "refrain-roll-proof/1"
# In words: so many days a member has belonged, and held and chosen a class, before a roll counts them in it.
DAYS = COUNTS_AFTER.days


@dataclass(frozen=True, kw_only=True)
class Place:
    """How a person stands with the roll of a vote, and what it follows from: as it was when the roll was written.

    `class_name`, `name` and `voted` are those of the roll, empty for who is not on it; `why_not` says why, in
    sentences. `paid_until` is the first day that no dues covered then.
    """

    class_name: str
    name: str
    voted: bool
    joined_at: datetime | None
    in_class_since: datetime | None
    paid_until: date | None
    why_not: tuple[str, ...]
    corrections: tuple[RollCorrection, ...]

    @property
    def is_on_it(self) -> bool:
        """Return whether the person is on the roll."""
        return bool(self.class_name)


def election_of(proposal: Proposal) -> Election:
    """Return the vote that was called on a proposal. Raises NotFound."""
    if proposal.election is None:
        raise NotFound("no vote was called on this proposal yet")
    return proposal.election


def corrected_until(election: Election) -> datetime:
    """Return the moment from which nothing moves a roll."""
    return election.opens_at - elections.CORRECTED_UNTIL


def place(election: Election, *, person_id: UUID) -> Place:
    """Return how somebody stands with a roll. Six queries at most."""
    found = elections.standing(election_id=election.id, person_id=person_id)
    name = found.name if found else elections.name_on(election, person_id=person_id)
    corrections = tuple(election.corrections.filter(name=name).order_by("number"))
    moment = election.announced_at
    membership = (
        Membership.objects.filter(person_id=person_id, applied_at__lte=moment).order_by("-applied_at", "id").first()
    )
    standing = _Register(membership, moment=moment)
    return Place(
        class_name=found.class_name if found else "",
        name=name if found else "",
        voted=bool(found and found.voted),
        joined_at=standing.joined_at,
        in_class_since=standing.since(found.class_name) if found else None,
        paid_until=standing.paid_until,
        why_not=() if found else tuple(_why_not(standing, corrections)),
        corrections=corrections,
    )


def said(election: Election) -> dict[str, Any]:
    """Return what everybody may know of a roll: its signed notice, its corrections, its present root. One query."""
    return {
        "election": str(election.id),
        "announced_at": election.announced_at,
        "opens_at": election.opens_at,
        "corrected_until": corrected_until(election),
        "notice": election.notice,
        "root": election.roll_root,
        "members": dict(sorted(election.roll_members.items())),
        "corrections": [_correction_said(one) for one in election.corrections.order_by("number")],
    }


def proof(election: Election, *, person_id: UUID) -> dict[str, Any]:
    """Return the proof that somebody is on a roll, with all that it is checked against. Six queries.

    Raises NotFound for who is not on it.
    """
    found = elections.roll_proof(election_id=election.id, person_id=person_id)
    return {
        "format": FORMAT,
        "leaf": found.leaf,
        "index": found.index,
        "count": found.count,
        "path": found.path,
        "root": found.root,
        "notice": election.notice,
        "corrections": [_correction_said(one) for one in election.corrections.order_by("number")],
    }


def correct(
    *, proposal_id: UUID, number: str, class_name: str, reason: str, staff_id: UUID, now: datetime
) -> RollCorrection:
    """Put the member of a number into a class of a vote's roll, or off it with an empty `class_name`, and tell them.

    Until 24 hours before the vote opens. Raises NotAllowed for all but a secretary and about oneself, NotFound,
    Invalid for a class of which the member holds no place, RollFixed, CannotAnnounce.
    """
    memberships.check_secretary(staff_id)
    reason = memberships.said_why(reason)
    person_id = register.person_of(number)
    if person_id == staff_id:
        raise NotAllowed("another secretary corrects your own line")
    proposal = proposals.get(proposal_id, person_id=None)
    election = election_of(proposal)
    held = ClassPlace.objects.filter(
        membership__person_id=person_id,
        membership__state=Membership.State.JOINED,
        member_class=class_name,
        since__isnull=False,
        ended_at=None,
    )
    with transaction.atomic():
        if class_name and not held.exists():
            raise Invalid("A member stands on a roll in a class of which they hold a place.")
        made = elections.correct(
            election_id=election.id,
            person_id=person_id,
            class_name=class_name,
            reason=reason,
            by_id=staff_id,
            now=now,
        )
        letters.send(_letter(proposal, made), person_id=person_id, key=f"{election.id}:roll:{made.number}", now=now)
    return made


class _Register:
    """What the register said of somebody at a moment. Three queries."""

    def __init__(self, membership: Membership | None, *, moment: datetime) -> None:
        self.moment, self.membership = moment, membership
        joined_at = membership.joined_at if membership else None
        self.joined_at = joined_at if joined_at and joined_at <= moment else None
        self.places = list(ClassPlace.objects.filter(membership=membership, asked_at__lte=moment)) if membership else []
        self.choices = (
            list(VotingChoice.objects.filter(membership=membership, chosen_at__lte=moment).order_by("seq"))
            if membership
            else []
        )
        self.payments = (
            list(DuesPayment.objects.filter(membership=membership, paid_at__lte=moment)) if membership else []
        )

    @property
    def paid_until(self) -> date | None:
        return max((one.covers_until for one in self.payments), default=None)

    @property
    def owes(self) -> bool:
        day = clock.day(self.moment)
        return not any(one.covers_from <= day < one.covers_until + GRACE for one in self.payments)

    def counted_class(self) -> str:
        """Return the class chosen early enough, or else the first that was chosen."""
        early = [one.member_class for one in self.choices if one.chosen_at <= self.moment - COUNTS_AFTER]
        return early[-1] if early else self.choices[0].member_class

    def since(self, class_name: str) -> datetime | None:
        held = [one.since for one in self.places if one.member_class == class_name and one.since]
        return max((one for one in held if one <= self.moment), default=None)


def _why_not(standing: _Register, corrections: Sequence[RollCorrection]) -> list[str]:
    if corrections and not corrections[-1].class_after:
        return [f"You were taken off it on {_day(corrections[-1].corrected_at)}: {corrections[-1].reason}"]
    membership, moment = standing.membership, standing.moment
    if membership is None:
        return ["You had not applied to join by then."]
    if standing.joined_at is None:
        return ["You had applied, and had not joined by then."]
    if membership.ended_at and membership.ended_at <= moment:
        return [f"Your membership ended on {_day(membership.ended_at)}."]
    before, why = moment - COUNTS_AFTER, []
    if standing.joined_at > before:
        why.append(f"You joined on {_day(standing.joined_at)}, less than {DAYS} days before.")
    class_name = standing.counted_class()
    held = [one for one in standing.places if one.member_class == class_name]
    if not any(one.since and one.since <= before and not (one.ended_at and one.ended_at <= moment) for one in held):
        why.append(_place_lacking(class_name, held, moment))
    if standing.owes:
        until = standing.paid_until
        why.append(f"Your dues were overdue: they were paid until {until:%-d %B %Y}." if until else "You owed dues.")
    return why or ["By the register as it is now you would be on it. Something was put right since: ask the secretary."]


def _place_lacking(class_name: str, held: Sequence[ClassPlace], moment: datetime) -> str:
    since = max((one.since for one in held if one.since), default=None)
    if since is None:
        return f"You had chosen to vote as a {class_name}, and held no place in that class yet."
    if since > moment - COUNTS_AFTER:
        return f"You hold your place as a {class_name} since {_day(since)}, less than {DAYS} days before."
    return f"You had given up your place as a {class_name}."


def _correction_said(one: RollCorrection) -> dict[str, Any]:
    return {
        "number": one.number,
        "name": one.name,
        "class_before": one.class_before,
        "class_after": one.class_after,
        "reason": one.reason,
        "corrected_at": election_documents.moment(one.corrected_at),
        "root_before": one.root_before,
        "root_after": one.root_after,
    }


def _letter(proposal: Proposal, made: RollCorrection) -> Letter:
    after = f"You are on it as a {made.class_after} now." if made.class_after else "You are not on it any more."
    before = f"You were on it as a {made.class_before}." if made.class_before else "You were not on it."
    return Letter(
        subject=f"The roll was corrected: {proposal.title}",
        paragraphs=[
            f"The secretary corrected your line on the roll of proposal {proposal.number}. {before} {after}",
            f"The reason: {made.reason}",
            "Everybody reads that a line was corrected, and nobody reads whose.",
            f"If it is wrong, tell the secretary before {_day(corrected_until(made.election))}.",
        ],
        act="Look at the roll",
        path=f"/proposals/{proposal.id}/roll",
    )


def _day(moment: datetime) -> str:
    return f"{clock.day(moment):%-d %B %Y}"
