"""The discussion of a proposal: what members say about it, and what they would rather have it ask.

An amendment is a numbered version. The author accepts it or does not; whoever sponsored other figures is asked again.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from members.problems import Invalid, NotFound
from members.voting import proposal_letters, proposals
from members.voting.proposal_models import Proposal, ProposalVersion, Remark
from members.voting.proposals import TEXT_MOST, State


def remark(*, proposal_id: UUID, person_id: UUID, text: str, now: datetime) -> Remark:
    """Say something about a proposal, until it is frozen. Raises NotFound, NotNow, NotAllowed, Invalid."""
    proposals.check_member(person_id)
    text = text.strip()
    if not 0 < len(text) <= TEXT_MOST:
        raise Invalid(f"Say something, in at most {TEXT_MOST} characters.")
    with transaction.atomic():
        proposal = proposals.locked(proposal_id, State.SPONSORING, State.DELIBERATION)
        return Remark.objects.create(proposal=proposal, person_id=person_id, text=text, said_at=now)


def amend(
    *, proposal_id: UUID, person_id: UUID, title: str, reasons: str, params: Mapping[str, Any] | None, now: datetime
) -> ProposalVersion:
    """Suggest another text or other figures while it is deliberated; the author's own are accepted at once.

    Raises NotFound, NotNow, NotAllowed, Invalid, PolicyRefused.
    """
    proposals.check_member(person_id)
    title, reasons = proposals.said(title, reasons)
    with transaction.atomic():
        proposal = proposals.locked(proposal_id, State.DELIBERATION)
        if proposal.key:
            proposals.check_params(proposal.key, params, now=now)
        last = proposal.versions.aggregate(last=Max("number"))["last"]
        suggested = ProposalVersion.objects.create(
            proposal=proposal,
            number=last + 1,
            written_by_id=person_id,
            title=title,
            reasons=reasons,
            params=dict(params) if proposal.key and params is not None else None,
            written_at=now,
        )
        if person_id == proposal.author_id:
            _take_over(proposal, suggested, now=now)
        else:
            proposal_letters.tell_of_amendment(proposal, suggested, now=now)
    return suggested


def accept(*, proposal_id: UUID, number: int, author_id: UUID, now: datetime) -> Proposal:
    """Accept an amendment to one's proposal. Who sponsored other figures is asked again.

    Raises NotFound and NotNow.
    """
    with transaction.atomic():
        proposal = proposals.own(proposal_id, author_id, State.DELIBERATION)
        suggested = proposal.versions.filter(number=number, accepted_at=None, declined_at=None).first()
        if suggested is None:
            raise NotFound("there is no such amendment to accept")
        _take_over(proposal, suggested, now=now)
    return proposal


def decline(*, proposal_id: UUID, number: int, author_id: UUID, now: datetime) -> None:
    """Decline an amendment to one's proposal. Raises NotFound and NotNow."""
    with transaction.atomic():
        proposal = proposals.own(proposal_id, author_id, State.DELIBERATION)
        suggested = proposal.versions.filter(number=number, accepted_at=None, declined_at=None).first()
        if suggested is None:
            raise NotFound("there is no such amendment to decline")
        suggested.declined_at = now
        suggested.save(update_fields=["declined_at"])
        proposal_letters.tell_of_answer(proposal, suggested, now=now)


def _take_over(proposal: Proposal, suggested: ProposalVersion, *, now: datetime) -> None:
    suggested.accepted_at = now
    suggested.save(update_fields=["accepted_at"])
    are_other_figures = suggested.params != proposal.params
    if are_other_figures:
        proposal.params_version = suggested.number
        proposal.kind = proposals.kind_of(proposal.key, suggested.params, now=now)
    proposal.version, proposal.title = suggested.number, suggested.title
    proposal.reasons, proposal.params = suggested.reasons, suggested.params
    proposal.save()
    proposal_letters.tell_of_answer(proposal, suggested, now=now)
    if are_other_figures:
        proposal_letters.ask_again(proposal, now=now)
