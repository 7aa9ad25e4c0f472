"""The pages of financial years: where a surplus goes, for everybody; a member's part of it; the treasurers' room."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from members import money, wellknown
from members.acts import carry_out
from members.problems import NotFound, Problem
from members.requests import moment_of, person_id_of, signed_in_id
from royalties import tasks
from royalties.surplus import CLASSES
from royalties.views.treasury import room, show
from royalties.year import booking, closing, leaving, motion, parts, publication
from royalties.year.models import FinancialYear

HERE = "royalties:treasury-years"
WIDTH = 620
NAMES = {"creators": "Creators", "listeners": "Listeners", "workers": "Workers"}


@dataclass(frozen=True, kw_only=True)
class Stripe:
    """A part of the picture of a year: so wide, from `x` on, of 620."""

    name: str
    style: str
    cents: int
    x: float
    width: float


@require_safe
def page(request: HttpRequest, year: int) -> HttpResponse:
    """Show what a year left, where it goes, and how to check it."""
    found = publication.published(year)
    me = person_id_of(request)
    figures = found.figures or {}
    assert found.document is not None
    context = {
        "year": found,
        "figures": figures,
        "classes": [(NAMES[name], figures["classes"][name], name == parts.MINUTES) for name in CLASSES],
        "stripes": _stripes(figures),
        "guard": _guard(figures["guard"]),
        "proposal": motion.proposal(found),
        "mine": parts.of_person(me, year=year) if me else [],
        "told": [NAMES[name] for name in CLASSES if name not in publication.told(figures)],
        "file": publication.file_name(year),
        "public_key": wellknown.keys()["keys"].get(found.document["key"], "PUBLIC_KEY"),
        "signing_key": found.document["key"],
    }
    return render(request, "royalties/year.html", context)


def _guard(said: dict[str, Any]) -> dict[str, str]:
    """Return, in cents of a euro spent on one's own record, what would come back, rounded up, and what was kept."""
    back = Fraction(said["comes_back"]) * Fraction(said["scale_ppm"], money.PPM)
    return {
        "back": money.percent(math.ceil(back * 10_000) * 100),
        "kept": money.percent(said["coop_ppm"]),
        "cut_to": money.percent(said["scale_ppm"]),
    }


def _stripes(figures: dict[str, Any]) -> list[Stripe]:
    """Return the picture: the whole result, from what stays to what each class's members get."""
    sums = [
        ("stays in the reserve", "fill-ink", figures["stays_cents"]),
        ("common good", "fill-4", figures["common_good_cents"]),
        *(
            (f"to {name}", style, figures["classes"][name]["members_cents"])
            for name, style in zip(CLASSES, ("fill-soft", "fill-3", "fill-well"), strict=True)
        ),
    ]
    found, x = [], 0.0
    for name, style, cents in sums:
        width = WIDTH * cents / figures["result_cents"]
        found.append(Stripe(name=name, style=style, cents=cents, x=x, width=width))
        x += width
    return found


def capital_fragment(request: HttpRequest) -> SafeString:
    """Return a member's capital account and parts of surpluses, for the page of their membership; else nothing."""
    me = signed_in_id(request)
    found, capital = parts.of_person(me), parts.capital(me)
    if not found and not capital:
        return SafeString()
    pay_by = leaving.owed_by(me) if capital else None
    context = {"parts": found, "capital_micros": capital, "pay_by": pay_by, "names": NAMES}
    return render_to_string("royalties/_capital.html", context, request=request)


def motion_fragment(request: HttpRequest, motion_sha256: str) -> SafeString:
    """Return what a motion is about, for the page of its proposal."""
    found = FinancialYear.objects.filter(manifest_sha256=motion_sha256).first()
    if found is None:
        return SafeString()
    context = {"year": found, "figures": found.figures, "stripes": _stripes(found.figures or {})}
    return render_to_string("royalties/_motion.html", context, request=request)


# The treasurers' room.


@require_safe
@room
def all_years(request: HttpRequest) -> HttpResponse:
    """Show the closed years, and the one that can be closed."""
    return _years(request)


def _years(request: HttpRequest, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
    me = signed_in_id(request)
    closed = FinancialYear.objects.select_related("closed_by", "redeeming_by").order_by("-year")
    rows = [
        {
            "year": one,
            "proposal": motion.proposal(one),
            "began_it": one.redeeming_by_id == me,
            "may_put": one.state == FinancialYear.State.READY and _may_be_put(one),
        }
        for one in closed
    ]
    now, begun = moment_of(request), leaving.begun()
    leavers = {"leavers": leaving.due(now=now), "begun": begun, "began_it": begun and begun.begun_by_id == me}
    may_close = closing.may_close(now)
    return show(request, "years", rows=rows, may_close=may_close, refused=refused, status=status, **leavers)


def _may_be_put(year: FinancialYear) -> bool:
    proposal = motion.proposal(year)
    return proposal is None or (proposal.ended_at is not None and proposal.state != "enacted")


@require_POST
@room
def close(request: HttpRequest, year: int) -> HttpResponse:
    """Close a year and let the workers draw its figures."""
    me, now = signed_in_id(request), moment_of(request)

    def begin() -> None:
        closing.close(year=year, staff_id=me, now=now)
        tasks.wake_year(year)

    return carry_out(request, begin, said=f"{year} is closed. Its figures are being drawn.", then=HERE, page=_years)


@require_POST
@room
def put(request: HttpRequest, year: int) -> HttpResponse:
    """Put a year's motion before the members."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: motion.put(year=year, staff_id=me, now=now),
        said="It is before the members now. It goes on when enough of them stand behind it.",
        then=lambda made: reverse("members:proposal", args=[made.id]),
        page=_years,
    )


@require_POST
@room
def redeem(request: HttpRequest, year: int) -> HttpResponse:
    """Begin to pay a year's capital, or confirm it (`confirm=1`) as another treasurer."""
    me, now = signed_in_id(request), moment_of(request)
    if not request.POST.get("confirm"):
        return carry_out(
            request,
            lambda: booking.begin_redeeming(year=year, staff_id=me, now=now),
            said="Begun. Another treasurer confirms it.",
            then=HERE,
            page=_years,
        )

    def confirm() -> None:
        booking.confirm_redeeming(year=year, staff_id=me, now=now)
        tasks.wake_year(year)

    return carry_out(request, confirm, said="Confirmed. It goes out with the next payouts.", then=HERE, page=_years)


@require_POST
@room
def pay_leavers(request: HttpRequest) -> HttpResponse:
    """Begin to pay the capital of members who left, or confirm it (`confirm`, what was begun) as another treasurer."""
    me, now = signed_in_id(request), moment_of(request)
    begun = request.POST.get("confirm")
    if not begun:
        return carry_out(
            request,
            lambda: leaving.begin(staff_id=me, now=now),
            said="Begun. Another treasurer confirms it.",
            then=HERE,
            page=_years,
        )
    return carry_out(
        request,
        lambda: leaving.confirm(release_id=_id_of(begun), staff_id=me, now=now),
        said="Confirmed. It goes out with the next payouts.",
        then=HERE,
        page=_years,
    )


def _id_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("there is no such payment") from None
