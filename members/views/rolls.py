"""The pages of a vote's roll, and of the panel that hears who contests a vote."""

import json
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.acts import carry_out
from members.admission import Staff
from members.forms import RulingForm
from members.problems import Invalid, NotFound, Problem
from members.requests import moment_of, person_id_of, signed_in_id
from members.views import secretary
from members.voting import elections, proposals, rolls, tally_words
from members.voting.proposal_models import Contest, Proposal

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


# The panel of a contested vote.


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contest(request: HttpRequest, proposal_id: UUID, contest_id: UUID) -> HttpResponse:
    """Show who contests what and how the panel ruled; to one of the panel, the form in which they rule."""
    if request.method == "POST":
        return _rule(request, proposal_id, contest_id)
    return _contest(request, proposal_id, contest_id)


@login_required
def _rule(request: HttpRequest, proposal_id: UUID, contest_id: UUID) -> HttpResponse:
    me, now, form = signed_in_id(request), moment_of(request), RulingForm(request.POST)

    def act() -> Contest:
        if not form.is_valid():
            raise Invalid("Choose what is to become of the vote, and give your reasons.")
        return proposals.rule(contest_id=contest_id, person_id=me, now=now, **form.cleaned_data)

    def page(request: HttpRequest, /, *, refused: Problem, status: int) -> HttpResponse:
        return _contest(request, proposal_id, contest_id, refused=refused, status=status)

    then = reverse("members:contest", args=[proposal_id, contest_id])
    return carry_out(request, act, said="Your ruling is kept.", then=then, page=page)


def _contest(
    request: HttpRequest, proposal_id: UUID, contest_id: UUID, *, refused: Problem | None = None, status: int = 200
) -> HttpResponse:
    me, now = person_id_of(request), moment_of(request)
    filed = (
        Contest.objects.filter(id=contest_id, proposal_id=proposal_id).select_related("proposal", "election").first()
    )
    if filed is None:
        raise NotFound("there is no such contest")
    panel = list(filed.panel.select_related("person").order_by("ruled_at", "id"))
    mine = next((one for one in panel if one.person_id == me), None)
    context = {
        "contest": filed,
        "proposal": filed.proposal,
        "election": filed.election,
        "panel": panel,
        "ruled": [one for one in panel if one.ruling],
        "mine": mine,
        "is_open": not filed.ruling and now < filed.decide_until,
        "form": RulingForm(),
        "refused": refused,
    }
    return render(request, "members/proposals/contest.html", context, status=status)
