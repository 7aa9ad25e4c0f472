"""A work in the studio: what it is, what it costs with its ladder drawn, who is paid, publishing and taking off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import content, delivery, drawing, objections, people, publishing, shares, sharing
from catalog.forms import LINES_MORE, PayeeLine, WorkForm, credit_lines, payee_lines, payees_of
from catalog.models import Release, Rendition, SplitLine, SplitSheet, Upload, Work
from catalog.objection_models import Objection
from members import admission, money, policies
from members.forms import MoneyField
from members.problems import Invalid, NotFound, Problem
from members.requests import moment_of, signed_in_id

# Prices whose ladder is even to the tenth of a cent, as multiples of the one that 2 ** plays - 1 gives.
EVEN_MICROS = (511_000, 1_022_000, 2_044_000, 5_110_000)
PLAYS_ON_A_STEP, DECIMALS_ON_A_STEP = 9, 3
RELEASES_OFFERED = 200


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the ladder somebody new would meet: none is paid, none is next."""

    number: int
    price_micros: int
    height: int
    is_last: bool
    state: str = "left"


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def work(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show the work to who has a role in its profile; a POST keeps what it says."""
    found, role = _work(request, work_id)
    if request.method != "POST":
        return _page(request, found, role)
    form = WorkForm(found, request.POST, releases=_releases(found))
    if form.is_valid():
        try:
            publishing.change(
                work_id=found.id, person_id=signed_in_id(request), now=moment_of(request), **form.changes()
            )
        except Invalid as refusal:
            form.refuse(refusal)
        except content.CannotPublish as refusal:
            form.add_error("origin" if refusal.extra["rule"] == "ai_generated" else None, refusal.detail)
        else:
            messages.success(request, "It is kept.")
            return redirect("catalog:studio-work", found.id)
    found.refresh_from_db()
    return _page(request, found, role, form=form, credit_rows=_credit_rows(credit_lines(request.POST)), status=400)


@never_cache
@login_required
@require_safe
def ladder(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show the ladder of a price as it is typed: the part of the page that a script asks for while somebody types."""
    found, _ = _work(request, work_id)
    pricing, now = request.GET.get("pricing", "own"), moment_of(request)
    context: dict[str, Any] = {"work": found}
    try:
        typed = MoneyField(required=pricing == "own").clean(request.GET.get("price", "")) if pricing == "own" else None
        figure = 0 if pricing == "free" else typed
        publishing.check_figure(figure, now=now)
        context |= price_shown(figure, now=now)
    except ValidationError as error:
        context["price_error"] = error.messages[0]
    except Invalid as refusal:
        context["price_error"], context["price_policy"] = refusal.detail, refusal.extra.get("policy")
    return render(request, "catalog/studio/_price.html", context)


@login_required
@require_POST
def publish(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Publish it, attested; or show which rule refuses."""
    found, role = _work(request, work_id)
    if not request.POST.get("attested"):
        words = "Tick that it is so: a work comes before the public attested by its creator."
        return _page(request, found, role, publish_error=words, status=400)
    try:
        publishing.publish(work_id=found.id, person_id=signed_in_id(request), now=moment_of(request))
    except content.CannotPublish as refusal:
        return _page(request, found, role, refusal=refusal, status=refusal.status)
    messages.success(request, f"“{found.title}” is published.")
    return redirect("catalog:studio-work", found.id)


@login_required
@require_POST
def take_off(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Take it off."""
    found, _ = _work(request, work_id)
    publishing.take_off(work_id=found.id, person_id=signed_in_id(request), now=moment_of(request))
    messages.success(request, f"“{found.title}” is taken off. Who owns it keeps it.")
    return redirect("catalog:studio-work", found.id)


@login_required
@require_POST
def split_sheet(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Propose a split sheet and invite its payees."""
    found, role = _work(request, work_id)
    lines = payee_lines(request.POST)
    try:
        sheet = sharing.propose(
            work_id=found.id, person_id=signed_in_id(request), payees=payees_of(lines), now=moment_of(request)
        )
    except Invalid as refusal:
        return _page(request, found, role, payee_rows=lines, split_error=refusal.detail, status=400)
    invited = sheet.lines.filter(accepted_at=None).count()
    if sheet.in_force_from is not None:
        messages.success(request, "This split sheet is in force.")
    else:
        mails = "a mail goes" if invited == 1 else f"{invited} mails go"
        messages.success(request, f"The sheet is written, and {mails} out. It waits for every payee’s answer.")
    return redirect("catalog:studio-work", found.id)


def price_shown(figure: int | None, *, now: datetime) -> dict[str, Any]:
    """Return what a page draws of a price figure: its steps, and what of it goes to whom."""
    steps, version = publishing.steps_now(figure=figure, now=now)
    price, revenue = sum(steps), policies.policy_at("revenue", now)
    creators_ppm = int(revenue.params["creators_ppm"])
    creators, _ = money.allocate(price, [creators_ppm, money.PPM - creators_ppm])
    heights = drawing.heights(steps) if steps else []
    return {
        "steps": [
            Step(number=number, price_micros=step, height=height, is_last=number == len(steps))
            for number, (step, height) in enumerate(zip(steps, heights, strict=True), 1)
        ],
        "price_micros": price,
        "places": money.places_needed(steps),
        "figures_on_steps": len(steps) <= PLAYS_ON_A_STEP and money.places_needed(steps) <= DECIMALS_ON_A_STEP,
        "creators_micros": creators,
        "creators_percent": shares.show(creators_ppm).rstrip("0").rstrip("."),
        "pricing_version": version,
        "revenue_version": revenue.seq,
    }


def _work(request: HttpRequest, work_id: UUID) -> tuple[Work, str]:
    """Return the work and the person's role in its profile. Raises NotFound for who has none."""
    found = Work.objects.select_related("creator", "release").filter(id=work_id).first()
    if found is None:
        raise NotFound("there is no such work of yours")
    return found, people.role_of(creator_id=found.creator_id, person_id=signed_in_id(request))


def _objections(found: Work) -> list[Objection]:
    """Return the voted rule that objects to a public work, if one does."""
    one = objections.open_of(found.id) if found.state == Work.State.PUBLISHED else None
    return [one] if one else []


def _releases(found: Work) -> list[Release]:
    return list(Release.objects.filter(creator_id=found.creator_id).order_by("title", "id")[:RELEASES_OFFERED])


def _credit_rows(lines: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    return [*lines, *({"role": "", "name": ""} for _ in range(LINES_MORE))]


def _page(request: HttpRequest, found: Work, role: str, *, status: int = 200, **said: Any) -> HttpResponse:
    now, person_id = moment_of(request), signed_in_id(request)
    bounds = policies.policy_at("pricing", now)
    pricing = bounds.params
    least, most = int(pricing["price_min_micros"]), int(pricing["price_max_micros"])
    is_even = (pricing["plays"], pricing["growth_num"], pricing["growth_den"]) == (9, 2, 1)
    cover = found.renditions.filter(kind=Rendition.Kind.COVER).first()
    closed = found.creator.closed_at is not None
    context = {
        "work": found,
        "is_photo": found.kind == Work.Kind.PHOTO,
        "cover": delivery.cover_url(cover, now=now) if cover else "",
        "edits": role != "viewer" and not closed,
        "upload": Upload.objects.filter(work=found, state=Upload.State.READY).order_by("-created_at").first(),
        "form": WorkForm(found, releases=_releases(found)),
        "credit_rows": _credit_rows(found.credits),
        "findings": content.findings(found, now=now),
        "objections": _objections(found),
        "ends_at": found.off_at + publishing.PLAY_ON if found.off_at else None,
        "bounds_version": bounds.seq,
        "price_min_micros": least,
        "price_max_micros": most,
        "price_default_micros": int(pricing["price_default_micros"]),
        "even": [micros for micros in EVEN_MICROS if is_even and least <= micros <= most],
        "time_zone": settings.COOP_TIME_ZONE,
        **price_shown(found.price_micros, now=now),
        **_sheets(found, person_id, now),
        **said,
    }
    return render(request, "catalog/studio/work.html", context, status=status)


def _sheets(found: Work, person_id: UUID, now: datetime) -> dict[str, Any]:
    """Return the work's split sheets as the page shows them, and the lines a new one begins with."""
    sheets = list(found.split_sheets.prefetch_related("lines").order_by("-version"))
    states = sharing.states(work_id=found.id, now=now)
    by_state = {state: [sheet for sheet in sheets if states[sheet.id] == state] for state in set(states.values())}
    newest = next((sheet for sheet in sheets if sheet.ended_at is None), None)
    people_named = admission.names_of(
        line.person_id for sheet in sheets for line in sheet.lines.all() if line.person_id is not None
    )
    begun = [_typed(line) for line in in_order(newest)] if newest else [_own_line(person_id)]
    return {
        "sheets": [shown_sheet(sheet, states[sheet.id], people_named) for sheet in sheets],
        "is_held": not by_state.get("in-force"),
        "payee_rows": [*begun, PayeeLine()],
    }


def shown_sheet(sheet: SplitSheet, state: str, names: dict[UUID, str]) -> dict[str, Any]:
    """Return a sheet as a table shows it."""
    return {
        "sheet": sheet,
        "state": state,
        "lines": [
            {
                "line": line,
                "name": names.get(line.person_id, "") if line.person_id else "",
                "share": shares.show(line.share_ppm),
            }
            for line in in_order(sheet)
        ],
    }


def in_order(sheet: SplitSheet) -> list[SplitLine]:
    """Return the lines of a sheet, which were fetched with it, as they stand on it."""
    return sorted(sheet.lines.all(), key=lambda line: line.line_number)


def _typed(line: SplitLine) -> PayeeLine:
    return PayeeLine(email=line.email, part=line.part, share=shares.show(line.share_ppm))


def _own_line(person_id: UUID) -> PayeeLine:
    return PayeeLine(email=admission.email_of(person_id), share="100")


def answer_refused(request: HttpRequest, refusal: Problem) -> None:
    """Say on the next page why an answer to a sheet came to nothing."""
    messages.error(request, refusal.detail)
