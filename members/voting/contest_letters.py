"""What is written to people about a contested vote: to those drawn to decide, to who contests it, to its author."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from members import deadlines, letters
from members.letters import Letter
from members.voting.proposal_models import Contest

Ruling = Contest.Ruling


def tell_of_contest(filed: Contest, drawn: Collection[UUID], *, now: datetime) -> None:
    """Ask those drawn to decide, and tell the author that the vote is contested."""
    proposal = filed.proposal
    until, where = f"{deadlines.on_the_wall(filed.decide_until):%-d %B %Y, %H:%M}", _path(filed)
    asked = Letter(
        subject=f"You were drawn to decide about a vote: {proposal.title}",
        paragraphs=[
            f"A member contests how the vote on proposal {proposal.number} was held.",
            f"Three members drawn by lot decide until {until}: it stands, is counted again, or is held again.",
            "Two of you are enough. If nobody says anything, the vote stands.",
        ],
        act="Read and rule",
        path=where,
    )
    letters.send_to_people(asked, drawn, topic=f"{filed.id}:panel", now=now)
    told = Letter(
        subject=f"The vote is contested: {proposal.title}",
        paragraphs=[f"A member contests how it was held. Three members drawn by lot decide until {until}."],
        act="Read why",
        path=where,
    )
    letters.send_to_people(told, {proposal.author_id, filed.person_id}, topic=f"{filed.id}:filed", now=now)


def tell_of_ruling(filed: Contest, *, now: datetime) -> None:
    """Tell who contests, the author and the panel what was decided."""
    proposal = filed.proposal
    means = {
        Ruling.UPHELD: "The vote stands.",
        Ruling.RECOUNTED: "The ballots are counted again; if it does not come to the same, the vote is void.",
        Ruling.VOIDED: "The vote is void. It is held again once, with a new roll.",
    }
    letter = Letter(
        subject=f"The panel has decided: {proposal.title}",
        paragraphs=[means[Ruling(filed.ruling)]],
        act="Read the reasons",
        path=_path(filed),
    )
    people = {proposal.author_id, filed.person_id, *filed.panel.values_list("person_id", flat=True)}
    letters.send_to_people(letter, people, topic=f"{filed.id}:ruled", now=now)


def _path(filed: Contest) -> str:
    return f"/proposals/{filed.proposal_id}/contests/{filed.id}"
