"""The motion: members are asked whether a year's surplus is divided as was drawn and published. An ordinary vote.

What is voted on is the manifest of the year's bundle, by its hash: every line, and the figures they make. If it is
voted down the surplus stays in the reserve, where it is already, until the same figures are put to the members anew.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from members import money
from members.problems import NotFound, Problem
from members.voting import proposals
from members.voting.proposal_models import Proposal
from royalties.payouts import check_treasurer
from royalties.year.models import FinancialYear

State = FinancialYear.State


class YearStands(Problem):
    """A year goes its way once: drawn, put to the members, divided, and later paid from the capital accounts."""

    slug, status, title = "year-stands", 409, "The year is not at that point"


def put(*, year: int, staff_id: UUID, now: datetime) -> Proposal:
    """Put a year's motion before the members. Its author is the treasurer, who has to be a member.

    Raises NotAllowed, NotFound, YearStands unless its figures are drawn and not accepted, OneAtATime.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        found = FinancialYear.objects.select_for_update().filter(year=year).first()
        if found is None:
            raise NotFound("no such year is closed")
        if found.state != State.READY or outcome(found) == proposals.State.ENACTED:
            raise YearStands("Its figures are not drawn yet, or members have accepted them.")
        return proposals.put_motion(
            author_id=staff_id,
            motion_sha256=found.manifest_sha256,
            title=f"Divide the surplus of {year}",
            reasons="\n\n".join(reasons(found)),
            now=now,
        )


def outcome(year: FinancialYear) -> str:
    """Return the state of the last proposal about a year's motion, empty without one. One query."""
    found = proposal(year)
    return found.state if found else ""


def proposal(year: FinancialYear) -> Proposal | None:
    """Return the last proposal about a year's motion. One query."""
    return proposals.of_motion(year.manifest_sha256) if year.manifest_sha256 else None


def reasons(year: FinancialYear) -> list[str]:
    """Return what is asked, in words."""
    figures = year.figures or {}
    parts = {name: money.show_cents(one["members_cents"]) for name, one in figures["classes"].items()}
    divided, stays, good, cash = (
        money.show_cents(figures[f"{name}_cents"]) for name in ("result", "stays", "common_good", "cash")
    )
    said = [
        f"The year {year.year} left {money.show(year.result_micros)}.",
        f"Of {divided}, {stays} stay in the reserve and {good} are set aside for the common good.",
        f"Creators get {parts['creators']}, listeners {parts['listeners']}, workers {parts['workers']}, by patronage.",
        f"Of that {cash} are paid at once, the rest goes to members’ capital accounts.",
        f"Every line is published, and can be recomputed, under {year.manifest_sha256}.",
    ]
    if year.shortfall_micros:
        said.insert(1, f"{money.show(year.shortfall_micros)} make good what earlier years lost.")
    return said
