"""The pages of a vote's roll, and the secretary's corrections of it."""

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members.acts import carry_out
from members.admission import Staff
from members.problems import Problem
from members.requests import moment_of, person_id_of, signed_in_id
from members.views import secretary
from members.voting import elections, proposals, rolls, tally_words
from members.voting.proposal_models import Proposal

CLASSES = ("creator", "listener", "worker", "supporter")


@never_cache
@require_safe
def roll(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show a vote's roll: how many, its root, its corrections, and to who is signed in where they stand."""
    me = person_id_of(request)
    proposal = proposals.get(proposal_id, person_id=me)
    election = rolls.election_of(proposal)
    context = {
        "proposal": proposal,
        "election": election,
        "classes": [(tally_words.NAMES.get(name, name.capitalize()), many) for name, many in _sizes(election)],
        "together": sum(election.roll_members.values()),
        "corrections": election.corrections.order_by("number"),
        "corrected_until": rolls.corrected_until(election),
        "is_open_to_correction": moment_of(request) < rolls.corrected_until(election),
        "signed_in": me is not None,
        "place": rolls.place(election, person_id=me) if me else None,
        "announced_root": election.notice["notice"]["roll"]["root"],
    }
    return render(request, "members/proposals/roll.html", context)


def _sizes(election: Any) -> list[tuple[str, int]]:
    return [(name, election.roll_members[name]) for name in CLASSES if name in election.roll_members]


@never_cache
@login_required
@require_safe
def my_proof(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Give the proof of one's own line, to keep and to check."""
    me = signed_in_id(request)
    proposal = proposals.get(proposal_id, person_id=me)
    proof = rolls.proof(rolls.election_of(proposal), person_id=me)
    answer = HttpResponse(json.dumps(proof, indent=1) + "\n", content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="refrain-roll-{proposal.number}-my-proof.json"'
    return answer


# The secretary's room.


@require_safe
@secretary.room(Staff.SECRETARY)
def corrections(request: HttpRequest) -> HttpResponse:
    """Show the rolls that can be corrected, with what was corrected on each."""
    return _corrections(request)


def _corrections(request: HttpRequest, /, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
    now = moment_of(request)
    in_notice = (
        Proposal.objects.filter(state=Proposal.State.NOTICE, election__opens_at__gt=now + elections.CORRECTED_UNTIL)
        .select_related("election")
        .prefetch_related("election__corrections")
        .order_by("election__opens_at", "number")
    )
    shown = [(one, rolls.corrected_until(one.election), _sizes(one.election)) for one in in_notice if one.election]
    return secretary.show(request, "rolls", rolls=shown, classes=CLASSES, refused=refused, status=status)


@require_POST
@secretary.room(Staff.SECRETARY)
def correct(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Correct a line of a roll, for the member of a number."""
    me, now, sent = signed_in_id(request), moment_of(request), request.POST
    return carry_out(
        request,
        lambda: rolls.correct(
            proposal_id=proposal_id,
            number=sent.get("number", ""),
            class_name=sent.get("class", ""),
            reason=sent.get("words", ""),
            staff_id=me,
            now=now,
        ),
        said="Corrected and logged. The member is told.",
        then="members:rolls",
        page=_corrections,
    )
