"""The wallet's page: credit, limits, what moved, top-ups, consent and going on."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members import clock, money
from members.forms import COUNTRIES
from members.problems import Problem
from members.requests import moment_of, signed_in_id
from playback import cashouts, entries_csv, topups, vat, wallets
from playback.forms import ConsentForm, GoingOnForm, LimitsForm, TopUpForm
from playback.models import TopUp
from playback.wallets import Entry, WalletOverview

# The text in playback/_consent.html. A new text gets a new number.
CONSENT_VERSION = 1
ENTRIES_ON_A_PAGE = 25


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An amount that can be topped up, and what it buys."""

    cents: int
    net_cents: int
    vat_cents: int


def _choices(vat_ppm: int) -> list[Choice]:
    choices = []
    for cents in TopUpForm.AMOUNTS_CENTS:
        net_cents, vat_cents = money.allocate(cents, [money.PPM, vat_ppm])
        choices.append(Choice(cents=cents, net_cents=net_cents, vat_cents=vat_cents))
    return choices


def _country(request: HttpRequest) -> str:
    """Return the country whose VAT is shown: the one just chosen, else the listener's, else the co-op's."""
    said = request.POST.get("country") or request.GET.get("country") or getattr(request.user, "country", "")
    return said if said in dict(COUNTRIES) else settings.COUNTRY


@dataclass(frozen=True, kw_only=True)
class Meter:
    """What was spent of a limit, in micros; the limit that comes next, and when."""

    name: str
    spent: int
    limit: int | None
    next_limit: int | None
    next_at: datetime | None
    again: str


def _meters(overview: WalletOverview, today: date) -> list[Meter]:
    return [
        Meter(
            name="Today",
            spent=overview.spent_today_micros,
            limit=overview.day_limit_micros,
            next_limit=overview.next_day_limit_micros,
            next_at=overview.next_day_limit_at,
            again="starts again at midnight",
        ),
        Meter(
            name=today.strftime("%B"),
            spent=overview.spent_this_month_micros,
            limit=overview.month_limit_micros,
            next_limit=overview.next_month_limit_micros,
            next_at=overview.next_month_limit_at,
            again="starts again on the first",
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the history as the page shows it. Micros; `given_micros` is the part that was given credit."""

    entry: Entry
    after_micros: int
    given_micros: int

    @classmethod
    def of(cls, entry: Entry) -> "Line":
        """Return the line of an entry."""
        after = entry.balance_after_micros + entry.promo_after_micros
        return cls(entry=entry, after_micros=after, given_micros=abs(entry.promo_part_micros))

    @property
    def all_given(self) -> bool:
        """Return whether all of it was given credit."""
        return self.given_micros == abs(self.entry.amount_micros)


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
    now, person_id, country = moment_of(request), signed_in_id(request), _country(request)
    overview = wallets.overview(person_id=person_id, now=now)
    before, before_id = _place(request)
    entries = wallets.entries(person_id=person_id, before=before, before_id=before_id, limit=ENTRIES_ON_A_PAGE + 1)
    lines = [Line.of(entry) for entry in entries[:ENTRIES_ON_A_PAGE]]
    last = lines[-1].entry if len(entries) > len(lines) else None
    vat_ppm = vat.rate(country, on=clock.day(now))
    context = {
        "overview": overview,
        "credit_micros": overview.balance_micros + overview.promo_micros,
        "can_go_back_micros": cashouts.available(overview.balance_micros),
        "meters": _meters(overview, clock.day(now)),
        "lines": lines,
        "places": money.places_needed([line.entry.amount_micros for line in lines]),
        "places_after": money.places_needed([line.after_micros for line in lines]),
        "earlier": urlencode({"before": last.at.isoformat(), "before_id": str(last.row_id)}) if last else "",
        "is_earlier": before is not None,
        "choices": _choices(vat_ppm),
        "vat_percent": money.percent(vat_ppm),
        "limits_form": LimitsForm.of(overview),
        "top_up_form": TopUpForm(
            initial={
                "country": country,
                "key": str(uuid4()),
                "back": _back(request),
            }
        ),
        "back": _back(request),
        **forms,
    }
    return render(request, "playback/wallet.html", context, status=status)


@never_cache
@login_required
@require_safe
def table(request: HttpRequest) -> HttpResponseBase:
    """Give everything that ever moved in the wallet as CSV, sent while it is read."""
    lines = entries_csv.lines(person_id=signed_in_id(request), currency=settings.CURRENCY)
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="refrain-wallet.csv"'
    return answer


def _place(request: HttpRequest) -> tuple[datetime | None, UUID | None]:
    """Return where the page of the history begins, as the link to it says; from the newest on for what is no place."""
    try:
        before = parse_datetime(request.GET.get("before", "").replace(" ", "+"))
        before_id = UUID(request.GET["before_id"]) if before and "before_id" in request.GET else None
    except ValueError:
        return None, None
    return (before, before_id) if before is None or before.tzinfo else (None, None)


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
        {"top_up": top_up, "back": _back(request), "vat_percent": money.percent(top_up.vat_ppm)},
    )
