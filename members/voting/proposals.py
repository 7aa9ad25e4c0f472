"""Proposals: what members ask each other to decide, and how it is written and sponsored.

A proposal asks for new figures of one policy, all of them, compared with the version that was the last one then; or for
words alone. It is talked about and amended (`discussion.py`) until it is frozen, moved on by beat (`proposal_life.py`)
and by no person, and how its vote was held can be contested (`contests.py`).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Max, QuerySet

from members import admission, deadlines, governance, policies
from members.admission import Staff
from members.belonging import memberships
from members.policies import PolicyRefused
from members.problems import Invalid, NotAllowed, NotFound, Problem
from members.voting import electorate, proposal_letters
from members.voting.proposal_models import Part, Proposal, ProposalVersion, Sponsorship
from members.voting.tally import Kind

State = Proposal.State
RERUNS_MOST = 1
TITLE_MOST, TEXT_MOST = 120, 20_000
# Whoever may still change what is asked.
UNFROZEN = (State.DRAFT, State.SPONSORING, State.DELIBERATION)


class NotNow(Problem):
    """The proposal is in another part of its life, in which this cannot be done."""

    slug, status, title = "proposal-not-now", 409, "This is not the time for it"


class OneAtATime(Problem):
    """Another proposal about the same policy or motion is under way; two could not both be compared with what holds."""

    slug, status, title = "one-proposal-per-policy", 409, "Another proposal about this policy is under way"


# Writing.


def draft(
    *, author_id: UUID, key: str, title: str, reasons: str, params: Mapping[str, Any] | None, now: datetime
) -> Proposal:
    """Write a draft, which only its author sees. Without a key it asks for words alone.

    Raises NotAllowed for who is no member, Invalid, UnknownPolicy, PolicyRefused.
    """
    check_member(author_id)
    title, reasons = said(title, reasons)
    figures = _figures(key, params, now=now)
    return Proposal.objects.create(
        author_id=author_id, key=key, title=title, reasons=reasons, created_at=now, **figures
    )


def rewrite(
    *, proposal_id: UUID, author_id: UUID, title: str, reasons: str, params: Mapping[str, Any] | None, now: datetime
) -> Proposal:
    """Change one's draft, to be compared with what is the last version now. Raises as `draft` does."""
    title, reasons = said(title, reasons)
    with transaction.atomic():
        proposal = own(proposal_id, author_id, State.DRAFT)
        figures = _figures(proposal.key, params, now=now)
        proposal.title, proposal.reasons = title, reasons
        for name, figure in figures.items():
            setattr(proposal, name, figure)
        proposal.save(update_fields=["title", "reasons", *figures])
    return proposal


def submit(*, proposal_id: UUID, author_id: UUID, now: datetime) -> Proposal:
    """Put one's draft before the members, who sponsor it or do not.

    Raises NotFound, NotNow, PolicyRefused, StaleBase if the policy changed since it was written, OneAtATime.
    """
    check_member(author_id)
    try:
        with transaction.atomic():
            proposal = own(proposal_id, author_id, State.DRAFT)
            check_figures(proposal, now=now)
            proposal.kind = kind_now(proposal, now=now)
            proposal.number, proposal.submitted_at = _next_number(), now
            sponsoring = timings(proposal, now=now).sponsoring
            ProposalVersion.objects.create(
                proposal=proposal,
                number=proposal.version,
                written_by_id=author_id,
                title=proposal.title,
                reasons=proposal.reasons,
                params=proposal.params,
                written_at=now,
                accepted_at=now,
            )
            go_to(proposal, State.SPONSORING, ends_at=deadlines.after(now, sponsoring), now=now)
    except IntegrityError as error:
        if "proposal_one_live_per_policy" in str(error):
            raise OneAtATime(f"Another proposal about {proposal.key} is under way; yours may follow it.") from error
        if "proposal_one_live_per_motion" in str(error):
            raise OneAtATime("This motion is before the members already.") from error
        raise
    return proposal


def put_motion(*, author_id: UUID, motion_sha256: str, title: str, reasons: str, now: datetime) -> Proposal:
    """Put a motion before the members: that what is published under a hash be carried out. An ordinary vote.

    It goes the way of every proposal; its words may be amended, what it asks for may not. Raises NotAllowed for who is
    no member, Invalid, OneAtATime.
    """
    check_member(author_id)
    title, reasons = said(title, reasons)
    with transaction.atomic():
        made = Proposal.objects.create(
            author_id=author_id,
            key="",
            kind=Kind.ORDINARY,
            title=title,
            reasons=reasons,
            motion_sha256=motion_sha256,
            created_at=now,
        )
        return submit(proposal_id=made.id, author_id=author_id, now=now)


def of_motion(motion_sha256: str) -> Proposal | None:
    """Return the last proposal that asked, or asks, for a motion. One query."""
    return Proposal.objects.filter(motion_sha256=motion_sha256).order_by("-number").first()


def retract(*, proposal_id: UUID, author_id: UUID, now: datetime) -> Proposal:
    """Take one's proposal back, until it is frozen. Raises NotFound and NotNow."""
    with transaction.atomic():
        proposal = own(proposal_id, author_id, *UNFROZEN)
        end(proposal, State.RETRACTED, "Its author took it back.", now=now)
    return proposal


# Standing behind it.


def sponsor(*, proposal_id: UUID, person_id: UUID, now: datetime) -> Sponsorship:
    """Stand behind a proposal as it is now. Asked again for the same figures, it is the same.

    Raises NotFound, NotNow, and NotAllowed for who could not vote on it now.
    """
    class_name = check_may_vote(person_id, now=now)
    with transaction.atomic():
        proposal = locked(proposal_id, State.SPONSORING, State.DELIBERATION)
        found, _ = Sponsorship.objects.get_or_create(
            proposal=proposal,
            person_id=person_id,
            version=proposal.params_version,
            withdrawn_at=None,
            defaults={"class_name": class_name, "given_at": now},
        )
    return found


def withdraw_sponsorship(*, proposal_id: UUID, person_id: UUID, now: datetime) -> None:
    """Stand behind a proposal no more. Raises NotFound and NotNow."""
    with transaction.atomic():
        proposal = locked(proposal_id, State.SPONSORING, State.DELIBERATION)
        proposal.sponsorships.filter(person_id=person_id, withdrawn_at=None).update(withdrawn_at=now)


def sponsors(proposal: Proposal) -> QuerySet[Sponsorship]:
    """Return who stands behind a proposal's present figures."""
    return proposal.sponsorships.filter(withdrawn_at=None, version__gte=proposal.params_version)


def is_sponsored(proposal: Proposal, *, now: datetime) -> bool:
    """Return whether enough members stand behind it, of two classes where there are two, or most of the board."""
    behind = list(sponsors(proposal).values_list("person_id", "class_name"))
    board = admission.people_in(Staff.DIRECTOR)
    if len(board) >= admission.DIRECTORS_LEAST and len(board & {person for person, _ in behind}) * 2 > len(board):
        return True
    peopled = electorate.sizes(moment=now)
    needed = governance.sponsors_needed(sum(peopled.values()), governance.in_force(now).params)
    return len(behind) >= needed and len({name for _, name in behind}) >= min(2, len(peopled))


# What others ask.


def get(proposal_id: UUID, *, person_id: UUID | None) -> Proposal:
    """Return a proposal: one that was never put before the members to its author alone. One query. Raises NotFound."""
    found = Proposal.objects.select_related("author", "election").filter(id=proposal_id).first()
    if found is None or (found.submitted_at is None and found.author_id != person_id):
        raise NotFound("there is no such proposal")
    return found


def live_about(key: str) -> Proposal | None:
    """Return the proposal about a policy that is under way or waits for its day, or None. One query."""
    return Proposal.objects.filter(key=key, state__in=Proposal.LIVE).first()


def public() -> QuerySet[Proposal]:
    """Return every proposal that was ever put before the members, newest first."""
    return Proposal.objects.exclude(submitted_at=None).select_related("author").order_by("-submitted_at", "-id")


def rules_of(proposal: Proposal) -> policies.Version:
    """Return the version of `governance` a frozen proposal is voted on by."""
    assert proposal.governance_seq is not None
    return policies.version("governance", proposal.governance_seq)


def timings(proposal: Proposal, *, now: datetime) -> governance.Timings:
    """Return how many days each part takes: by the rules it is voted on once frozen, till then by those of now."""
    version = rules_of(proposal) if proposal.governance_seq else governance.in_force(now)
    return governance.timings(Kind(proposal.kind), version.params)


def kind_of(key: str, params: Mapping[str, Any] | None, *, now: datetime) -> Kind:
    """Return how much has to agree. Raises UnknownPolicy."""
    return policies.kind_of(key, params, now) if key and params is not None else Kind.ADVISORY


def kind_now(proposal: Proposal, *, now: datetime) -> Kind:
    """Return how much has to agree to a proposal as it stands. Raises UnknownPolicy."""
    return Kind.ORDINARY if proposal.motion_sha256 else kind_of(proposal.key, proposal.params, now=now)


def check_params(key: str, params: Mapping[str, Any] | None, *, now: datetime) -> None:
    """Raise PolicyRefused unless these figures could be a policy that is not already the last one."""
    if params is None:
        raise PolicyRefused(f"{key}: the figures are missing")
    policies.check(key, params)
    if dict(params) == dict(policies.versions(key, now)[-1].params):
        raise PolicyRefused(f"{key}: these are the figures that hold already")


def check_figures(proposal: Proposal, *, now: datetime) -> None:
    """Raise PolicyRefused unless a proposal's figures may be, and StaleBase unless they follow the last version."""
    if not proposal.key:
        return
    check_params(proposal.key, proposal.params, now=now)
    assert proposal.base_seq is not None
    policies.check_follows(proposal.key, proposal.base_seq, policies.versions(proposal.key, now)[-1].seq)


def check_member(person_id: UUID) -> None:
    """Raise NotAllowed unless the person is a member."""
    if not memberships.is_member(person_id):
        raise NotAllowed("only members of the co-op may do this")


def check_may_vote(person_id: UUID, *, now: datetime) -> str:
    """Return the class in which a person would vote if the roll were written now. Raises NotAllowed."""
    found = electorate.class_of(person_id, moment=now)
    if not found:
        raise NotAllowed("members may do this once they have been in their class for 30 days, with their dues paid")
    return found


# What the life of a proposal is written with.


def locked(proposal_id: UUID, *states: str) -> Proposal:
    """Return a proposal, locked until the transaction ends. Raises NotFound, and NotNow in another state."""
    found = Proposal.objects.select_for_update().filter(id=proposal_id).first()
    if found is None or (found.submitted_at is None and State.DRAFT not in states):
        raise NotFound("there is no such proposal")
    return _in_one_of(found, states)


def own(proposal_id: UUID, author_id: UUID, *states: str) -> Proposal:
    """Return one's own proposal, locked until the transaction ends. Raises NotFound, and NotNow in another state."""
    found = Proposal.objects.select_for_update().filter(id=proposal_id, author_id=author_id).first()
    if found is None:
        raise NotFound("there is no such proposal of yours")
    return _in_one_of(found, states)


def go_to(
    proposal: Proposal, state: Proposal.State, *, ends_at: datetime | None, now: datetime, words: str = ""
) -> None:
    """Begin a part of a proposal's life, write down that it began, and tell whoever it concerns."""
    proposal.state, proposal.ends_at = state, ends_at
    proposal.save()
    Part.objects.create(proposal=proposal, state=state, began_at=now, ends_at=ends_at, words=words)
    proposal_letters.tell_of_step(proposal, now=now)


def end(proposal: Proposal, state: Proposal.State, why: str, *, now: datetime) -> None:
    """End a proposal, and say why."""
    proposal.ended_at, proposal.why = now, why[:500]
    if proposal.submitted_at is None:
        proposal.state, proposal.ends_at = state, None
        proposal.save()
        return
    go_to(proposal, state, ends_at=None, now=now, words=why[:500])


def said(title: str, reasons: str) -> tuple[str, str]:
    """Return a title and reasons without the space around them. Raises Invalid where one is missing or too long."""
    title, reasons = " ".join(title.split()), reasons.strip()
    if not 0 < len(title) <= TITLE_MOST:
        raise Invalid(f"A proposal has a title of at most {TITLE_MOST} characters.")
    if not 0 < len(reasons) <= TEXT_MOST:
        raise Invalid(f"Say why, in at most {TEXT_MOST} characters.")
    return title, reasons


def _in_one_of(proposal: Proposal, states: Collection[str]) -> Proposal:
    if proposal.state not in states:
        raise NotNow(f"The proposal is in {proposal.get_state_display().lower()} now.")
    return proposal


def _figures(key: str, params: Mapping[str, Any] | None, *, now: datetime) -> dict[str, Any]:
    """Return the columns that say what is asked for."""
    if not key:
        if params is not None:
            raise Invalid("A proposal without a policy has no figures.")
        return {"kind": Kind.ADVISORY, "params": None, "base_seq": None}
    check_params(key, params, now=now)
    return {
        "kind": kind_of(key, params, now=now),
        "params": dict(params or {}),
        "base_seq": policies.versions(key, now)[-1].seq,
    }


def _next_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('proposal numbers'))")
    return 1 + (Proposal.objects.aggregate(last=Max("number"))["last"] or 0)
