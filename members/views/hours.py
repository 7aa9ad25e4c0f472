"""Hours: what one worked, and what other workers wait for."""

from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from members.acts import carry_out
from members.belonging import classes, hours, places
from members.forms import HoursForm
from members.problems import NotAllowed, Problem
from members.requests import moment_of, signed_in_id
from members.views.membership import own

HERE = "members:hours"
SHOWN = 60


@require_http_methods(["GET", "HEAD", "POST"])
@own
def all_hours(request: HttpRequest) -> HttpResponse:
    """Show one's hours and what waits for approval; a POST records a day's work."""
    if request.method != "POST":
        return page(request)
    form = HoursForm(request.POST)
    if not form.is_valid():
        return page(request, form=form, status=400)
    me, now, said = signed_in_id(request), moment_of(request), form.cleaned_data
    minutes = said["hours"] * 60 + said["minutes"]
    return carry_out(
        request,
        lambda: hours.record(person_id=me, worked_on=said["worked_on"], minutes=minutes, words=said["words"], now=now),
        said="Recorded. They count when another worker has approved them.",
        then=HERE,
        page=partial(page, form=form),
    )


def page(
    request: HttpRequest, /, *, refused: Problem | None = None, status: int = 200, form: HoursForm | None = None
) -> HttpResponse:
    """Show the page as it stands now."""
    me, now = signed_in_id(request), moment_of(request)
    speaks = _speaks(me)
    wanted = places.wanted_workers(but=me) if speaks else []
    shown = {
        "refused": refused,
        "form": form or HoursForm(),
        "mine": hours.of_person(me).order_by("-worked_on", "-recorded_at", "id")[:SHOWN],
        "approved_hours": classes.minutes_worked(me, now=now) // 60,
        "waiting": hours.waiting(but=me) if speaks else [],
        "wanted": wanted,
        "said_yes": {one.id for one in wanted if any(voice.given_by_id == me for voice in one.voices.all())},
        "speaks": speaks,
        "me": me,
    }
    return render(request, "members/membership/hours.html", shown, status=status)


@require_POST
@own
def approve(request: HttpRequest, worked_id: UUID) -> HttpResponse:
    """Approve another's time."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: hours.approve(worked_id=worked_id, person_id=me, now=now),
        said=lambda found: f"{found.minutes} minutes approved.",
        then=HERE,
        page=page,
    )


@require_POST
@own
def refuse(request: HttpRequest, worked_id: UUID) -> HttpResponse:
    """Refuse another's time, with a reason."""
    me, now, because = signed_in_id(request), moment_of(request), request.POST.get("because", "")
    return carry_out(
        request,
        lambda: hours.refuse(worked_id=worked_id, person_id=me, because=because, now=now),
        said="Refused. Who recorded it reads why.",
        then=HERE,
        page=page,
    )


@require_POST
@own
def give_voice(request: HttpRequest, place_id: UUID) -> HttpResponse:
    """Say yes to somebody among the workers."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: places.give_voice(place_id=place_id, person_id=me, now=now),
        said="Your yes is kept.",
        then=HERE,
        page=page,
    )


def _speaks(person_id: UUID) -> bool:
    """Return whether a person speaks for the workers about somebody else."""
    try:
        places.check_may_speak(person_id, about=UUID(int=0))
    except NotAllowed:
        return False
    return True
