"""The page of a panel: what is appealed, what the three say, and to one of them the form in which they rule."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from members.acts import carry_out
from members.belonging import expulsions
from members.forms import RulingForm
from members.problems import Invalid, NotFound, Problem
from members.requests import moment_of, person_id_of, signed_in_id
from members.voting import contests, panels
from members.voting.panel_models import Appeal
from members.voting.panels import Hearing


def answer(
    request: HttpRequest, find: Callable[[], Hearing], act: Callable[..., Appeal], *, template: str, **shown: object
) -> HttpResponse:
    """Show an appeal by a template that extends `members/panels/hearing.html`; with a form, let `act` keep a ruling."""
    rulings = panels.rulings(find().appeal)
    form = RulingForm(rulings, request.POST or None)

    def page(request: HttpRequest, /, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
        hearing = find()
        asked = {"hearing": hearing, "appeal": hearing.appeal, "form": form, "refused": refused}
        return render(request, template, {**shown, **asked}, status=status)

    def speak() -> Appeal:
        if not form.is_valid():
            raise Invalid("Choose what you decide, and give your reasons.")
        return act(person_id=signed_in_id(request), now=moment_of(request), **form.cleaned_data)

    if request.method != "POST":
        return page(request)
    return carry_out(request, speak, said=_said, then=request.path, page=page)


def _said(appeal: Appeal) -> str:
    return f"Your ruling is kept. {'With it the panel has decided.' if appeal.ruling else 'Two of you decide.'}"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contest(request: HttpRequest, proposal_id: UUID, contest_id: UUID) -> HttpResponse:
    """Show everybody who contests which vote, and how the panel ruled."""
    if request.method == "POST" and not request.user.is_authenticated:
        return redirect_to_login(request.path)
    filed = contests.get(contest_id)
    if filed.proposal_id != proposal_id:
        raise NotFound("there is no such contest")
    return answer(
        request,
        partial(contests.hearing, appeal_id=contest_id, person_id=person_id_of(request), now=moment_of(request)),
        partial(contests.rule, appeal_id=contest_id),
        template="members/panels/contest.html",
        proposal=filed.proposal,
        election=filed.election,
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def expulsion(request: HttpRequest, appeal_id: UUID) -> HttpResponse:
    """Show an appeal against an expulsion to whoever appealed and to the three."""
    return answer(
        request,
        partial(expulsions.hearing, appeal_id=appeal_id, person_id=signed_in_id(request), now=moment_of(request)),
        partial(expulsions.rule, appeal_id=appeal_id),
        template="members/panels/expulsion.html",
    )
