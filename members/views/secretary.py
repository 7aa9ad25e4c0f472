"""The rooms where belonging is looked after: the secretary's, the treasurers' table of dues and shares, the board's."""

import csv
from collections.abc import Callable, Iterator
from datetime import date
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members import admission
from members.access import fresh_second_factor_required
from members.acts import carry_out
from members.admission import Staff
from members.belonging import dues, expulsions, hours, memberships, places, register, shares
from members.forms import TransferForm, WhyForm
from members.problems import Invalid, NotAllowed, Problem
from members.requests import moment_of, signed_in_id

View = Callable[..., HttpResponseBase]
DOOR, MONEY, BOARD = "members:secretary", "members:dues-and-shares", "members:expulsions"
ERASURES = "members:erasures"
ROOMS = (
    (DOOR, "Applications", frozenset({Staff.SECRETARY})),
    ("members:register", "Register", frozenset({Staff.SECRETARY})),
    ("members:rolls", "Rolls", frozenset({Staff.SECRETARY})),
    (MONEY, "Dues and shares", frozenset({Staff.TREASURER})),
    (ERASURES, "Erasures", frozenset({Staff.SECRETARY})),
    (BOARD, "Expulsions", frozenset({Staff.SECRETARY, Staff.DIRECTOR})),
)


def room(*roles: Staff) -> Callable[[View], View]:
    """Return a decorator: for staff with one of the roles and a fresh second factor; the page is kept nowhere."""

    def wrap(view: View) -> View:
        @never_cache
        @login_required
        @fresh_second_factor_required
        @wraps(view)
        def guarded(request: HttpRequest, *given: Any, **named: Any) -> HttpResponseBase:
            if not admission.has_role(person_id=signed_in_id(request), roles=roles):
                raise NotAllowed(f"this is for {' and '.join(roles)}")
            return view(request, *given, **named)

        return guarded

    return wrap


def show(request: HttpRequest, name: str, *, status: int = 200, **shown: Any) -> HttpResponse:
    """Show a room, with the doors of all that are open to whoever looks."""
    mine = admission.roles_of(signed_in_id(request))
    rooms = [(route, title) for route, title, roles in ROOMS if roles & mine]
    # A refused act is shown at the act's own address, so the room is known by its name.
    here = DOOR if name == "applications" else f"members:{name.replace('_', '-')}"
    shown |= {"rooms": rooms, "here": here, "me": signed_in_id(request)}
    return render(request, f"members/membership/{name}.html", shown, status=status)


@require_safe
@room(Staff.SECRETARY)
def applications(request: HttpRequest) -> HttpResponse:
    """Show who wants to join, and which places in classes are asked for."""
    return _applications(request)


def _applications(request: HttpRequest, /, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
    return show(
        request,
        "applications",
        applications=register.entries(now=moment_of(request), state="applied"),
        wishes=register.wishes(),
        places=places.waiting(),
        hours_waiting=len(hours.waiting()),
        why_form=WhyForm(),
        refused=refused,
        status=status,
    )


@require_POST
@room(Staff.SECRETARY)
def approve(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Approve an application."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: memberships.approve(membership_id=membership_id, staff_id=me, now=now),
        said=lambda found: f"{found.legal_name} is approved, and a member with the first dues.",
        then=DOOR,
        page=_applications,
    )


@require_POST
@room(Staff.SECRETARY)
def refuse(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Refuse an application."""
    me, now, words = signed_in_id(request), moment_of(request), request.POST.get("words", "")
    return carry_out(
        request,
        lambda: memberships.refuse(membership_id=membership_id, staff_id=me, words=words, now=now),
        said="Refused. The applicant reads why.",
        then=DOOR,
        page=_applications,
    )


@require_POST
@room(Staff.SECRETARY)
def approve_place(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Agree to a place in a class."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: places.approve(place_id=place_id, staff_id=me, now=now),
        said=lambda place: "Held from now on." if place.since else "Agreed. It is held when its condition is met.",
        then=DOOR,
        page=_applications,
    )


@require_POST
@room(Staff.SECRETARY)
def refuse_place(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Refuse a place in a class."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: places.refuse(place_id=place_id, staff_id=me, now=now),
        said="Refused.",
        then=DOOR,
        page=_applications,
    )


@require_safe
@room(Staff.SECRETARY)
def whole_register(request: HttpRequest) -> HttpResponse:
    """Show the register, a page at a time."""
    state, words = request.GET.get("state", ""), request.GET.get("q", "")[:120]
    found = register.entries(
        now=moment_of(request), state=state, words=words, after=_after(request), limit=register.PAGE + 1
    )
    shown, more = found[: register.PAGE], len(found) > register.PAGE
    following = ""
    if more:
        asked = {"state": state, "q": words, "after": str(shown[-1].id)}
        following = f"{reverse('members:register')}?{urlencode(asked)}"
    return show(
        request, "register", entries=shown, following=following, state=state, words=words, states=register.STATES
    )


@require_safe
@room(Staff.SECRETARY)
def register_csv(request: HttpRequest) -> HttpResponseBase:
    """Send the whole register as a table."""
    rows = register.rows(now=moment_of(request))
    return StreamingHttpResponse(
        _lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="register.csv"'},
    )


@require_safe
@room(Staff.TREASURER)
def dues_and_shares(request: HttpRequest) -> HttpResponse:
    """Show what members owe by bank, and which shares are to be paid back."""
    return _money(request)


def _money(request: HttpRequest, /, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
    now = moment_of(request)
    return show(
        request,
        "dues_and_shares",
        owing=dues.owing(now=now),
        unpaid=shares.unpaid(),
        to_repay=shares.to_repay(),
        transfer_form=TransferForm(),
        yearly_micros=dues.YEARLY_MICROS,
        refused=refused,
        status=status,
    )


@require_POST
@room(Staff.TREASURER)
def confirm_dues(request: HttpRequest, membership_id: UUID) -> HttpResponse:
    """Keep that dues came by bank."""
    me, now, iban = signed_in_id(request), moment_of(request), request.POST.get("iban", "")

    def confirm() -> Any:
        try:
            first = date.fromisoformat(request.POST.get("covers_from", ""))
        except ValueError:
            raise Invalid("The year is named by its first day.") from None
        return dues.confirm_by_bank(membership_id=membership_id, staff_id=me, covers_from=first, iban=iban, now=now)

    return carry_out(
        request,
        confirm,
        said=lambda paid: f"Paid until {paid.covers_until:%-d %B %Y}. The journal books the bank’s line.",
        then=MONEY,
        page=_money,
    )


@require_POST
@room(Staff.TREASURER)
def confirm_shares(request: HttpRequest, holding_id: UUID) -> HttpResponse:
    """Keep that shares were paid in."""
    me, now, iban = signed_in_id(request), moment_of(request), request.POST.get("iban", "")
    return carry_out(
        request,
        lambda: shares.confirm(holding_id=holding_id, staff_id=me, iban=iban, now=now),
        said=lambda found: f"{found.count} paid in. The journal books the bank’s line.",
        then=MONEY,
        page=_money,
    )


@require_POST
@room(Staff.TREASURER)
def repay_shares(request: HttpRequest, holding_id: UUID) -> HttpResponse:
    """Pay shares back: one treasurer asks, another confirms."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: shares.repay(holding_id=holding_id, staff_id=me, now=now),
        said=lambda found: "Paid back." if found.repaid_at else "Another treasurer confirms that it was paid back.",
        then=MONEY,
        page=_money,
    )


@require_safe
@room(Staff.SECRETARY, Staff.DIRECTOR)
def all_expulsions(request: HttpRequest) -> HttpResponse:
    """Show what the board asks, and the appeals."""
    return _expulsions(request)


def _expulsions(request: HttpRequest, /, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
    now = moment_of(request)
    return show(
        request,
        "expulsions",
        asked=[(one, one.opened_at + expulsions.HEARD_FOR) for one in expulsions.asked()],
        appeals=expulsions.appeals(now=now),
        decided=expulsions.decided(now=now),
        why_form=WhyForm(),
        is_director=Staff.DIRECTOR in admission.roles_of(signed_in_id(request)),
        now=now,
        refused=refused,
        status=status,
    )


@require_POST
@room(Staff.DIRECTOR)
def open_expulsion(request: HttpRequest) -> HttpResponse:
    """Ask the board's question about the member of a number."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: expulsions.open_question(
            membership_id=register.id_of(request.POST.get("number", "")),
            staff_id=me,
            reasons=request.POST.get("words", ""),
            now=now,
        ),
        said="Asked. The member is heard for fourteen days.",
        then=BOARD,
        page=_expulsions,
    )


@require_POST
@room(Staff.DIRECTOR)
def say(request: HttpRequest, expulsion_id: UUID) -> HttpResponse:
    """Give a director's voice."""
    me, now, says = signed_in_id(request), moment_of(request), request.POST.get("says", "")

    def speak() -> None:
        if says not in ("yes", "no"):
            raise Invalid("Say yes or no.")
        expulsions.say(expulsion_id=expulsion_id, staff_id=me, yes=says == "yes", now=now)

    return carry_out(request, speak, said="Your voice is kept.", then=BOARD, page=_expulsions)


def _after(request: HttpRequest) -> UUID | None:
    said = request.GET.get("after", "")
    try:
        return UUID(said) if said else None
    except ValueError:
        raise Invalid("The address is not one of ours; begin again without it.") from None


class _Line:
    """A file that gives back what is written to it."""

    def write(self, line: str) -> str:
        return line


def _lines(rows: Iterator[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow(row)
