"""A person's own membership: applying, standing, dues, shares, classes, leaving; and what the board asks about them."""

import json
from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members import admission, clock, money
from members.acts import carry_out
from members.belonging import classes, dues, expulsions, memberships, places, shares
from members.belonging.models import MemberClass, Membership
from members.forms import ApplicationForm, SharesForm, WhyForm
from members.problems import Invalid, Problem
from members.requests import moment_of, signed_in_id
from members.voting import electorate, panels

HERE = "members:membership"
View = Callable[..., HttpResponse]


def own(view: View) -> View:
    """Return a page of one's own, kept nowhere."""

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *given: Any, **named: Any) -> HttpResponse:
        return view(request, *given, **named)

    return guarded


@require_safe
@own
def membership(request: HttpRequest) -> HttpResponse:
    """Show how one stands, or how to join."""
    return page(request)


def page(
    request: HttpRequest,
    /,
    *,
    refused: Problem | None = None,
    status: int = 200,
    application: ApplicationForm | None = None,
) -> HttpResponse:
    """Show the page as it stands now, with a refusal where there was one."""
    me, now = signed_in_id(request), moment_of(request)
    standing = memberships.standing(me, now=now)
    live = standing if standing and standing.state in memberships.LIVE else None
    question = expulsions.about(me) if standing else None
    shown: dict[str, Any] = {
        "refused": refused,
        "standing": standing,
        "live": live,
        "asks": [(name, MemberClass(name).label, classes.ASKS[MemberClass(name)]) for name in MemberClass.values],
        "yearly_micros": dues.YEARLY_MICROS,
        "share_micros": shares.PRICE_MICROS,
        "question": question,
        "appeal_until": expulsions.appeal_until(question, now=now) if question else None,
        "duties": panels.duties(me, now=now),
        "why_form": WhyForm(),
        "capital": import_string(settings.MEMBERS_CAPITAL_FRAGMENT)(request),
    }
    if live is None:
        shown["application"] = application or ApplicationForm(initial={"legal_name": admission.name_of(me)})
        return render(request, "members/membership/membership.html", shown, status=status)
    row = Membership.objects.get(id=live.id)
    due = dues.due_from(row, now=now)
    held = {place.member_class for place in live.places}
    shown |= {
        "due_from": due,
        "can_pay": live.state != "applied" and due <= clock.day(now) + dues.AHEAD,
        "reference": dues.reference(row),
        "coop_iban": settings.COOP_IBAN,
        "paid_dues": dues.of_person(me).order_by("-covers_from"),
        "holdings": shares.of_person(me).order_by("-asked_at", "id"),
        "shares_form": SharesForm(),
        "shares_held": classes.paid_shares(live.id),
        "roll_class": electorate.class_of(me, moment=now) if live.state == "joined" else None,
        "other_classes": [name for name in MemberClass.values if name not in held],
        "can_vote_in": [one.member_class for one in live.places if one.since and one.member_class != live.voting_class],
        "works": "worker" in held,
    }
    return render(request, "members/membership/membership.html", shown, status=status)


@require_POST
@own
def apply_for(request: HttpRequest) -> HttpResponse:
    """Apply."""
    form = ApplicationForm(request.POST)
    if not form.is_valid():
        return page(request, status=400, application=form)
    me, now, asked = signed_in_id(request), moment_of(request), form.cleaned_data
    return carry_out(
        request,
        lambda: memberships.apply_for(person_id=me, now=now, **asked),
        said="Your application is with the secretary. Nothing is paid before it is approved.",
        then=HERE,
        page=page,
    )


@require_POST
@own
def pay_dues(request: HttpRequest) -> HttpResponse:
    """Pay the next year's dues from the wallet."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: dues.pay_from_wallet(person_id=me, covers_from=_day(request.POST.get("covers_from", "")), now=now),
        said=lambda paid: f"{money.show(paid.amount_micros)} paid. Covered until {paid.covers_until:%-d %B %Y}.",
        then=HERE,
        page=page,
    )


@require_POST
@own
def ask_shares(request: HttpRequest) -> HttpResponse:
    """Ask for shares."""
    form, me, now = SharesForm(request.POST), signed_in_id(request), moment_of(request)
    count = form.cleaned_data["count"] if form.is_valid() else 0
    return carry_out(
        request,
        lambda: shares.ask(person_id=me, count=count, now=now),
        said="Noted. Transfer the sum; a treasurer confirms it when it has come.",
        then=HERE,
        page=page,
    )


@require_POST
@own
def drop_shares(request: HttpRequest, holding_id: UUID) -> HttpResponse:
    """Take back a wish for shares."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: shares.drop(person_id=me, holding_id=holding_id, now=now),
        said="Dropped. Nothing was paid.",
        then=HERE,
        page=page,
    )


@require_safe
@own
def certificate(request: HttpRequest) -> HttpResponse:
    """Give the signed certificate of one's shares."""
    said = shares.certificate(person_id=signed_in_id(request), now=moment_of(request))
    return HttpResponse(
        json.dumps(said, indent=1, ensure_ascii=False),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="refrain-shares.json"'},
    )


@require_POST
@own
def ask_place(request: HttpRequest) -> HttpResponse:
    """Ask for a further class."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: places.ask(person_id=me, member_class=request.POST.get("member_class", ""), now=now),
        said="Your wish is with the secretary.",
        then=HERE,
        page=page,
    )


@require_POST
@own
def give_up(request: HttpRequest) -> HttpResponse:
    """Give up a place."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: places.give_up(person_id=me, member_class=request.POST.get("member_class", ""), now=now),
        said="You gave up that place.",
        then=HERE,
        page=page,
    )


@require_POST
@own
def choose(request: HttpRequest) -> HttpResponse:
    """Choose the class to vote in."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: places.choose(person_id=me, member_class=request.POST.get("member_class", ""), now=now),
        said=lambda chosen: (
            f"You vote as a {chosen.member_class} in votes whose roll is drawn up"
            f" from {clock.day(chosen.chosen_at + memberships.COUNTS_AFTER):%-d %B %Y} on."
        ),
        then=HERE,
        page=page,
    )


@require_POST
@own
def leave(request: HttpRequest) -> HttpResponse:
    """Leave, or take the application back. The page asks for a word, so that no slip of a finger does it."""
    me, now = signed_in_id(request), moment_of(request)

    def go() -> Membership:
        if request.POST.get("sure") != "yes":
            raise Invalid("Tick the box first. Nothing was done.")
        return memberships.leave(person_id=me, now=now)

    return carry_out(
        request,
        go,
        said=lambda left: "You have left the co-op." if left.joined_at else "Your application is taken back.",
        then=HERE,
        page=page,
    )


@require_POST
@own
def answer(request: HttpRequest) -> HttpResponse:
    """Answer the board."""
    me = signed_in_id(request)
    return carry_out(
        request,
        lambda: expulsions.answer(person_id=me, words=request.POST.get("words", "")),
        said="The board reads your answer before it decides.",
        then=HERE,
        page=page,
    )


@require_POST
@own
def appeal(request: HttpRequest) -> HttpResponse:
    """Appeal."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: expulsions.appeal(person_id=me, words=request.POST.get("words", ""), now=now),
        said="Your appeal is filed. Three members, drawn by lot, decide it.",
        then=HERE,
        page=page,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("The year to pay for is named by its first day.") from None
