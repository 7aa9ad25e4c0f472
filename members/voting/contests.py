"""Contests: a member objects to how a vote was held, and a panel of three says what becomes of it.

The vote stands, is counted again, or is void and held once more. The seed of the lot is the hash of what was published
of the vote, which nobody could choose.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from members import deadlines, letters
from members.letters import Letter
from members.problems import NotFound
from members.voting import elections, panels, proposals
from members.voting.panels import Case, Duty, Hearing
from members.voting.proposal_models import Contest, Proposal
from members.voting.proposals import NotNow

Ruling = Contest.Ruling


def file(*, proposal_id: UUID, person_id: UUID, grounds: str, now: datetime) -> Contest:
    """Object to how a vote was held, in the days after it; once. A panel decides in as many days after these.

    Raises NotFound, NotNow, NotAllowed, Invalid.
    """
    proposals.check_member(person_id)
    text = panels.said(grounds)
    with transaction.atomic():
        proposal = proposals.locked(proposal_id, Proposal.State.CONTEST)
        assert proposal.ends_at is not None
        assert proposal.election_id is not None
        rules = proposals.rules_of(proposal)
        if now >= proposal.ends_at:
            raise NotNow("The days in which it could be contested are over.", policy=rules.citation)
        filed, made = Contest.objects.get_or_create(
            election_id=proposal.election_id,
            person_id=person_id,
            defaults={
                "proposal": proposal,
                "text": text,
                "filed_at": now,
                "decide_until": panels.deadline(proposal.ends_at, rules=rules.params),
            },
        )
        if made:
            _convene(filed, proposal, now=now)
    return filed


def rule(*, appeal_id: UUID, person_id: UUID, ruling: str, reasons: str, now: datetime) -> Contest:
    """Say as one of the panel what is to become of a vote. Raises as `panels.rule` does."""
    with transaction.atomic():
        filed = get(appeal_id)
        if panels.rule(filed, person_id=person_id, ruling=ruling, reasons=reasons, now=now):
            _tell_of_ruling(filed, now=now)
    return filed


def get(contest_id: UUID) -> Contest:
    """Return a contest with its proposal and its vote; everybody may read it. One query. Raises NotFound."""
    filed = Contest.objects.select_related("proposal", "election").filter(id=contest_id).first()
    if filed is None:
        raise NotFound("there is no such contest")
    return filed


def hearing(*, appeal_id: UUID, person_id: UUID | None, now: datetime) -> Hearing:
    """Return a contest as it is read. Two queries. Raises NotFound."""
    filed = get(appeal_id)
    proposal = filed.proposal
    decision = f"The vote on proposal {proposal.number}: {proposal.title}"
    return panels.hearing(filed, title=_title(filed), path=path(filed), decision=decision, person_id=person_id, now=now)


def duties_of(person_id: UUID, *, now: datetime) -> list[Duty]:
    """Return the contests that wait for what somebody says on their panel. One query."""
    waiting = panels.unheard(Contest.objects.select_related("proposal"), person_id=person_id, now=now)
    return [Duty(id=one.id, title=_title(one), decide_until=one.decide_until, path=path(one)) for one in waiting]


def path(filed: Contest) -> str:
    """Return where a contest is read."""
    return f"/proposals/{filed.proposal_id}/contests/{filed.id}"


def _title(filed: Contest) -> str:
    return f"a vote: {filed.proposal.title}"


def _convene(filed: Contest, proposal: Proposal, *, now: datetime) -> None:
    """Draw a panel without the parties to the proposal, and tell its author that the vote is contested."""
    parties = {proposal.author_id} | set(proposals.sponsors(proposal).values_list("person_id", flat=True))
    election = elections.get(filed.election_id)
    case = Case(
        title=_title(filed),
        sentences=(
            f"A member contests how the vote on proposal {proposal.number} was held.",
            "It stands, is counted again, or is held again.",
        ),
        silence="the vote stands",
        path=path(filed),
    )
    panels.convene(filed, seed=f"{election.bundle_sha256} {filed.person_id}", but=parties, case=case, now=now)
    until = f"{deadlines.on_the_wall(filed.decide_until):%-d %B %Y, %H:%M}"
    told = Letter(
        subject=f"The vote is contested: {proposal.title}",
        paragraphs=[f"A member contests how it was held. Three members drawn by lot decide until {until}."],
        act="Read why",
        path=path(filed),
    )
    letters.send_to_people(told, {proposal.author_id, filed.person_id}, topic=f"{filed.id}:filed", now=now)


def _tell_of_ruling(filed: Contest, *, now: datetime) -> None:
    """Tell who contests, the author and the panel what was decided."""
    proposal = filed.proposal
    was_again = proposal.reruns >= proposals.RERUNS_MOST
    again = "was held again once already" if was_again else "is held again, with a new roll"
    means = {
        Ruling.UPHELD: "The vote stands.",
        Ruling.RECOUNTED: "The ballots are counted again; if it does not come to the same, the vote is void.",
        Ruling.VOIDED: f"The vote is void. It {again}.",
    }
    letter = Letter(
        subject=f"The panel has decided: {proposal.title}",
        paragraphs=[means[Ruling(filed.ruling)]],
        act="Read the reasons",
        path=path(filed),
    )
    people = {proposal.author_id, filed.person_id, *filed.panel.values_list("person_id", flat=True)}
    letters.send_to_people(letter, people, topic=f"{filed.id}:ruled", now=now)
