"""Leaving for good: asking, the code, thinking again, everything about oneself in a file; and the secretary's list."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members import access, throttles
from members.acts import carry_out
from members.admission import Staff
from members.erasing import erasures, everything, lists
from members.forms import AddressForm, PasswordForm
from members.problems import Invalid, Problem
from members.requests import moment_of, signed_in_id
from members.views.membership import own
from members.views.secretary import ERASURES, room, show

HERE = "members:leaving"
TRIES_AN_HOUR, HOUR_SECONDS = 10, 3_600
ON_A_PAGE = 100


@require_safe
@own
def leaving(request: HttpRequest) -> HttpResponse:
    """Show what leaving for good means, or how far it has come."""
    return _page(request)


def _page(
    request: HttpRequest, /, *, refused: Problem | None = None, status: int = 200, code: str = ""
) -> HttpResponse:
    shown: dict[str, Any] = {
        "refused": refused,
        "erasure": erasures.of_person(signed_in_id(request)),
        "form": PasswordForm(),
        "code": code,
        "days": erasures.CAN_BE_TAKEN_BACK.days,
    }
    return render(request, "members/erasure/leaving.html", shown, status=status)


@require_POST
@own
def ask(request: HttpRequest) -> HttpResponse:
    """Ask to be erased, with the password once more; the page that answers shows the claim code, this once."""
    me = signed_in_id(request)
    try:
        _check_it_is_they(request)
        throttles.check(f"erasure:{me}", limit=TRIES_AN_HOUR, seconds=HOUR_SECONDS)
        if not request.user.check_password(request.POST.get("password", "")):
            raise Invalid("This is not your password. Nothing was asked for.")
        _, code = erasures.ask(person_id=me, now=moment_of(request))
    except Problem as problem:
        return _page(request, refused=problem, status=problem.status)
    return _page(request, code=code)


@require_POST
@own
def draw_code(request: HttpRequest) -> HttpResponse:
    """Draw a new claim code and show it, this once."""
    try:
        _check_it_is_they(request)
        code = erasures.draw_code(person_id=signed_in_id(request))
    except Problem as problem:
        return _page(request, refused=problem, status=problem.status)
    return _page(request, code=code)


def _check_it_is_they(request: HttpRequest) -> None:
    """Raise SecondFactorNeeded where the person has a second factor and did not show it just now."""
    if is_mfa_enabled(request.user) and not access.has_fresh_second_factor(request):
        raise access.SecondFactorNeeded("Show your second factor once more; that holds for 15 minutes.")


@require_POST
@own
def take_back(request: HttpRequest) -> HttpResponse:
    """Stay."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: erasures.take_back(person_id=me, now=now),
        said="You stay. Nothing was removed.",
        then=HERE,
        page=_page,
    )


@require_safe
@never_cache
@login_required
def document(request: HttpRequest) -> StreamingHttpResponse:
    """Send everything that is kept about the person, in one file."""
    pieces = everything.document(person_id=signed_in_id(request), now=moment_of(request))
    answer = StreamingHttpResponse(pieces, content_type="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="everything.json"'
    return answer


@require_safe
@room(Staff.SECRETARY)
def running(request: HttpRequest) -> HttpResponse:
    """Show who is on their way out, what they wait for, and a form to begin for somebody who asked by letter."""
    return _running(request)


def _running(
    request: HttpRequest, /, *, refused: Problem | None = None, status: int = 200, form: AddressForm | None = None
) -> HttpResponse:
    rows = erasures.all_of_them()[:ON_A_PAGE]
    return show(request, "erasures", refused=refused, status=status, rows=rows, form=form or AddressForm())


@require_safe
@room(Staff.SECRETARY)
def table(request: HttpRequest) -> StreamingHttpResponse:
    """Send the list of who went, in numbers: what a restored backup does not know is run again from it."""
    return StreamingHttpResponse(
        lists.document(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="erasures.csv"'},
    )


@require_POST
@room(Staff.SECRETARY)
def begin(request: HttpRequest) -> HttpResponse:
    """Begin the erasure of somebody who asked for it in writing."""
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _running(request, status=400, form=form)
    try:
        erasures.begin(email=form.cleaned_data["email"], staff_id=signed_in_id(request), now=moment_of(request))
    except Problem as problem:
        return _running(request, refused=problem, status=problem.status)
    messages.success(request, "It has begun. They are told by mail, and have seven days to stay.")
    return redirect(ERASURES)
