"""The account page: who one is, and the tokens made for programs."""

from datetime import datetime
from uuid import UUID

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from members import access, tokens
from members.erasing import erasures
from members.forms import PersonForm, TokenForm
from members.models import Token
from members.problems import Problem
from members.requests import moment_of, signed_in_id

# The page has another form with a name in it.
NAMED_APART = "token_%s"


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show name, sign-in and tokens; a POST changes the name and country."""
    form = PersonForm(request.POST if request.method == "POST" else None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, "Your name and country are kept.")
        return redirect("members:account")
    return _page(request, person_form=form, status=400 if form.errors else 200)


def _page(request: HttpRequest, *, status: int = 200, **forms: object) -> HttpResponse:
    now = moment_of(request)
    context = {
        "person_form": PersonForm(instance=request.user),
        "token_form": TokenForm(auto_id=NAMED_APART),
        "tokens": _live_tokens(signed_in_id(request), now),
        "has_second_factor": is_mfa_enabled(request.user),
        "erasure": erasures.of_person(signed_in_id(request)),
        **forms,
    }
    return render(request, "members/account.html", context, status=status)


def _live_tokens(person_id: UUID, now: datetime) -> list[Token]:
    return list(
        Token.objects.filter(person_id=person_id, revoked_at=None, expires_at__gt=now).order_by("-created_at", "id")
    )


@never_cache
@login_required
@require_POST
def mint_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once."""
    form = TokenForm(request.POST, auto_id=NAMED_APART)
    if not form.is_valid():
        return _page(request, token_form=form, status=400)
    asked = form.cleaned_data
    try:
        token, plain = tokens.mint(
            person_id=signed_in_id(request),
            scopes=set(asked["scopes"]),
            name=asked["name"],
            now=moment_of(request),
            guarded=access.has_fresh_second_factor(request),
        )
    except Problem as problem:
        form.add_error(None, problem.detail)
        return _page(request, token_form=form, status=problem.status)
    return _page(request, fresh_token=token, plain_token=plain)


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End a token at once."""
    tokens.revoke(token_id=token_id, person_id=signed_in_id(request), now=moment_of(request))
    messages.success(request, "The token is revoked. Nothing it asks for is answered any more.")
    return redirect("members:account")
