"""The pages of playback: the listening part of a work's page, and the wallet."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog import delivery
from catalog import drawing as work_drawing
from members import clock, money, policies
from members.problems import Problem
from members.requests import moment_of, person_id_of, signed_in_id
from playback import drawing, holdings, sessions, topups, wallets
from playback.forms import ConsentForm, GoingOnForm, LimitsForm, TopUpForm
from playback.models import Holding, Session, TopUp
from playback.sessions import Listening

# The text in playback/_consent.html. A new text gets a new number.
CONSENT_VERSION = 1
ENTRIES_ON_A_PAGE = 25
PEAKS_WITHOUT_SOUND = [8] * 180


def listening_fragment(request: HttpRequest, work: Any) -> SafeString:
    """Return the listening part of a work's page: player, ring, ladder and every word that a state of it may say."""
    now = moment_of(request)
    person_id = person_id_of(request)
    listening = sessions.listening(person_id=person_id, work_id=work.id, now=now)
    credit = _credit(person_id, now)
    heard = _paid_and_not_heard_out(person_id, work.id, now)
    renditions = {rendition.kind: rendition for rendition in work.renditions.filter(kind__in=["waveform", "cover"])}
    wave = renditions.get("waveform")
    href = reverse("catalog:work", args=[work.id])
    steps = _steps(listening)
    asks_first = listening.free_seconds == 0 and (listening.basis == "paid" or not listening.signed_in)
    facts = {
        "work": str(work.id),
        "title": work.title,
        "by": str(work.creator),
        "href": href,
        "listening_path": reverse("catalog:listening", args=[work.id]),
        "cover": delivery.cover_url(renditions["cover"], now=now) if "cover" in renditions else "",
        "basis": listening.basis,
        "owned": listening.owned,
        "signed_in": listening.signed_in,
        "consented": listening.consented,
        "consent_version": CONSENT_VERSION,
        "goes_on": listening.goes_on,
        "price_micros": listening.price_micros,
        "remaining_micros": listening.remaining_micros,
        "credit_micros": credit,
        "free_seconds": listening.free_seconds,
        "open_seconds": listening.open_seconds,
        "duration_seconds": listening.duration_seconds,
        "blocked": listening.blocked.content() if listening.blocked else None,
        "charged": heard is not None,
        "place_seconds": heard.position_ms / 1000 if heard else 0,
    }
    context = {
        "work": work,
        "facts": json.dumps(facts),
        "facts_href": href,
        "listening": listening,
        "credit_micros": credit,
        "asks_first": asks_first,
        "has_gate": listening.available
        and listening.free_seconds > 0
        and (listening.basis == "paid" or not listening.signed_in),
        "wave": work_drawing.wave(
            wave.layout["peaks"] if wave else PEAKS_WITHOUT_SOUND,
            gate_at=listening.free_seconds / listening.duration_seconds if listening.duration_seconds else 0,
        ),
        "ring": drawing.ring(plays=listening.plays, paid=listening.paid_plays, next_number=listening.play_number),
        "steps": steps,
        "figures_on_steps": drawing.has_figures_on_steps(listening.ladder),
        "ladder_label": _ladder_label(work.title, listening),
        "paid_count": len(listening.paid_plays),
        "left_after_micros": max(0, listening.remaining_micros - (listening.price_micros or 0)),
    }
    context["places"] = money.places_needed(
        [listening.price_micros or 0, listening.paid_micros, context["left_after_micros"], listening.cap_micros]
    )
    return mark_safe(render_to_string("playback/_listening.html", context, request))  # noqa: S308  (a rendered template)


@dataclass(frozen=True, kw_only=True)
class OnShelf:
    """What a card says of a work to one person: the next play's price (None: nothing asked), and how far they are."""

    price_micros: int | None
    owned: bool
    paid_plays: int
    plays: int


def standings(*, person_id: UUID | None, figures: Mapping[UUID, int | None], now: datetime) -> dict[UUID, OnShelf]:
    """Return how works with these price figures stand for the person. One query for who is signed in, else none."""
    pricing = policies.policy_at("pricing", now)
    held = {}
    if person_id is not None:
        rows = Holding.objects.filter(listener_id=person_id, work_id__in=figures)
        held = {row.work_id: holdings.from_row(row) for row in rows}
    found = {}
    for work_id, figure in figures.items():
        has = held.get(work_id, holdings.NOTHING)
        terms = holdings.terms_now(figure=figure, pricing=pricing.params, version=pricing.seq)
        asked = holdings.quote(held=has, now=terms)
        found[work_id] = OnShelf(
            price_micros=asked.price_micros if asked.play_number is not None else None,
            owned=has.owned_at is not None,
            paid_plays=len(has.paid_plays),
            plays=terms.plays if has.terms is None else has.terms.plays,
        )
    return found


def _credit(person_id: UUID | None, now: datetime) -> int:
    if person_id is None:
        return 0
    overview = wallets.overview(person_id=person_id, now=now)
    return overview.balance_micros + overview.promo_micros


def _paid_and_not_heard_out(person_id: UUID | None, work_id: UUID, now: datetime) -> Session | None:
    """Return the session that pressing play will go on with, nothing asked: charged and not yet heard to the end."""
    if person_id is None:
        return None
    return Session.objects.filter(
        listener_id=person_id,
        work_id=work_id,
        ended_at=None,
        charge_id__isnull=False,
        completed_at=None,
        reversed_at=None,
        playlist_until__gt=now,
    ).first()


def _steps(listening: Listening) -> list[drawing.Step]:
    """Return the steps to draw; none for a ladder of which a purchase paid some steps at once."""
    if not listening.ladder or 0 in listening.ladder:
        return []
    paid = range(1, listening.plays + 1) if listening.owned else listening.paid_plays
    return drawing.steps(listening.ladder, paid=paid, next_number=listening.play_number)


def _ladder_label(title: str, listening: Listening) -> str:
    if listening.owned or not listening.paid_plays:
        return f"The ladder of {title}: {listening.plays} plays, {money.show(listening.cap_micros)} in all"
    return (
        f"Your ladder of {title}: {len(listening.paid_plays)} of {listening.plays} plays paid,"
        f" {money.show(listening.remaining_micros)} left to own"
    )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An amount that can be topped up, and what it buys."""

    cents: int
    net_cents: int
    vat_cents: int


def _choices() -> list[Choice]:
    choices = []
    for cents in TopUpForm.AMOUNTS_CENTS:
        net, vat = money.allocate(cents, [money.PPM, settings.VAT_PPM])
        choices.append(Choice(cents=cents, net_cents=net, vat_cents=vat))
    return choices


def _back(request: HttpRequest) -> str:
    """Return the page of ours that the listener came from, or nothing."""
    back = request.POST.get("back") or request.GET.get("back") or ""
    return back if back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None) else ""


@never_cache
@login_required
@require_safe
def wallet(request: HttpRequest) -> HttpResponse:
    """Show credit, limits, what moved, and the form that adds credit."""
    return _wallet_page(request)


def _wallet_page(request: HttpRequest, *, status: int = 200, **forms: Any) -> HttpResponse:
    now, person = moment_of(request), request.user
    overview = wallets.overview(person_id=signed_in_id(request), now=now)
    before = parse_datetime(request.GET.get("before", "").replace(" ", "+"))
    entries = wallets.entries(person_id=signed_in_id(request), before=before, limit=ENTRIES_ON_A_PAGE + 1)
    shown = entries[:ENTRIES_ON_A_PAGE]
    context = {
        "overview": overview,
        "credit_micros": overview.balance_micros + overview.promo_micros,
        "month_name": clock.day(now).strftime("%B"),
        "entries": [(entry, entry.balance_after_micros + entry.promo_after_micros) for entry in shown],
        "places": money.places_needed([entry.amount_micros for entry in shown]),
        "places_after": money.places_needed([entry.balance_after_micros + entry.promo_after_micros for entry in shown]),
        "earlier": shown[-1].at.isoformat() if len(entries) > len(shown) else "",
        "is_earlier": before is not None,
        "choices": _choices(),
        "vat_percent": money_percent(settings.VAT_PPM),
        "limits_form": LimitsForm.of(overview),
        "top_up_form": TopUpForm(
            initial={
                "country": getattr(person, "country", "") or settings.COUNTRY,
                "key": str(uuid4()),
                "back": _back(request),
            }
        ),
        "back": _back(request),
        **forms,
    }
    return render(request, "playback/wallet.html", context, status=status)


def money_percent(ppm: int) -> str:
    """Return a rate in per cent without a float: `19`, `8.1`."""
    whole, part = divmod(ppm, 10_000)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".")


@login_required
@require_POST
def set_limits(request: HttpRequest) -> HttpResponse:
    """Set the limits of a day and a month."""
    form = LimitsForm(request.POST)
    if not form.is_valid():
        return _wallet_page(request, limits_form=form, status=400)
    try:
        wallets.set_limits(person_id=signed_in_id(request), now=moment_of(request), **form.cleaned_data)
    except Problem as problem:
        form.add_error(None, problem.detail)
        return _wallet_page(request, limits_form=form, status=problem.status)
    messages.success(request, "Your limits are set. A lower one holds now, a higher one after 24 hours.")
    return redirect(f"{reverse('playback:wallet')}#limits")


@login_required
@require_POST
def set_going_on(request: HttpRequest) -> HttpResponse:
    """Choose whether plays go on by themselves; answers 204 to the player and leads back to the wallet otherwise."""
    form = GoingOnForm(request.POST)
    if not form.is_valid():
        return HttpResponse("goes_on is 1 or 0", status=400, content_type="text/plain")
    goes_on = form.cleaned_data["goes_on"] == "1"
    wallets.set_goes_on(person_id=signed_in_id(request), goes_on=goes_on)
    if request.headers.get("Accept") == "application/json":
        return HttpResponse(status=204)
    messages.success(request, "Plays go on by themselves." if goes_on else "You are asked each time.")
    return redirect(f"{reverse('playback:wallet')}#going-on")


@login_required
@require_POST
def consent(request: HttpRequest) -> HttpResponse:
    """Record that the listener asked for supply at once, under the text they saw."""
    form = ConsentForm(request.POST)
    if not form.is_valid() or form.cleaned_data["version"] != CONSENT_VERSION:
        return HttpResponse("another text is in force; load the page again", status=409, content_type="text/plain")
    wallets.record_consent(person_id=signed_in_id(request), version=CONSENT_VERSION, now=moment_of(request))
    return HttpResponse(status=204)


@login_required
@require_POST
def start_top_up(request: HttpRequest) -> HttpResponseBase:
    """Open a checkout at the gateway and lead there. Sent twice, it is the same top-up."""
    form = TopUpForm(request.POST)
    if not form.is_valid():
        return _wallet_page(request, top_up_form=form, status=400)
    asked = form.cleaned_data
    back = f"?back={quote(asked['back'])}" if _back(request) else ""
    try:
        top_up = topups.start(
            person_id=signed_in_id(request),
            amount_cents=asked["amount_cents"],
            country=asked["country"],
            evidence=["stated"],
            idempotency_key=asked["key"],
            return_url=f"{settings.BASE_URL}{reverse('playback:top-up-returned')}{back}",
            now=moment_of(request),
        )
    except Problem as problem:
        form.add_error(None, problem.detail)
        return _wallet_page(request, top_up_form=form, status=problem.status)
    return redirect(top_up.checkout_url)


@never_cache
@login_required
@require_safe
def top_up_returned(request: HttpRequest) -> HttpResponse:
    """Show what became of the last top-up; the gateway's word may come a moment after the listener."""
    top_up = TopUp.objects.filter(listener_id=request.user.pk).order_by("-created_at").first()
    if top_up is None:
        return redirect("playback:wallet")
    return render(
        request,
        "playback/top_up.html",
        {"top_up": top_up, "back": _back(request), "vat_percent": money_percent(top_up.vat_ppm)},
    )
