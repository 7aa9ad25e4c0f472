"""The treasurers' rooms: what rings and waits, the months and their locks, disputed payments, what the books doubt."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members import clock, money
from members.access import fresh_second_factor_required
from members.acts import carry_out
from members.problems import Problem
from members.requests import moment_of, signed_in_id
from playback import chargebacks
from royalties import (
    alarms,
    bank,
    journal,
    payouts,
    periods,
    reconciliation,
    runs,
    tasks,
    transparency,
    treasury,
)
from royalties.forms import BalanceForm, ReasonForm

MONTHS = "royalties:treasury-months"
View = Callable[..., HttpResponseBase]
ROOMS = (
    ("royalties:treasury", "Overview"),
    ("royalties:treasury-months", "Months"),
    ("royalties:treasury-years", "Years"),
    ("royalties:treasury-journal", "Journal"),
    ("royalties:treasury-payouts", "Payouts"),
    ("royalties:treasury-disputes", "Disputes"),
    ("royalties:treasury-doubts", "Reconciliation"),
)


def room(view: View) -> View:
    """Return a view of the treasury: for treasurers whose second factor is fresh, and kept nowhere."""

    @never_cache
    @login_required
    @fresh_second_factor_required
    @wraps(view)
    def guarded(request: HttpRequest, *given: Any, **named: Any) -> HttpResponseBase:
        payouts.check_treasurer(signed_in_id(request))
        return view(request, *given, **named)

    return guarded


def show(request: HttpRequest, name: str, /, *, status: int = 200, **shown: Any) -> HttpResponse:
    """Render a room with the doors to the others."""
    # A refused act is shown at the act's own address, so the room is known by its name.
    here = {"overview": "royalties:treasury", "batch": "royalties:treasury-payouts"}.get(
        name, f"royalties:treasury-{name}"
    )
    return render(request, f"royalties/treasury/{name}.html", {"rooms": ROOMS, "here": here, **shown}, status=status)


@require_safe
@room
def overview(request: HttpRequest) -> HttpResponse:
    """Show what rings, what waits, and how much went through wallets in the last twelve months."""
    now = moment_of(request)
    return show(
        request,
        "overview",
        alarms=alarms.ringing(),
        waiting=treasury.waiting(),
        volume=treasury.volume(until=clock.day(now)),
        months=treasury.months_shown(now=now)[:3],
    )


@require_safe
@room
def all_months(request: HttpRequest) -> HttpResponse:
    """Show the months, their state, and the bank's balance at their end."""
    return _months(request)


def _months(request: HttpRequest, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
    me = signed_in_id(request)
    rows = [
        {
            "one": one,
            "form": BalanceForm(auto_id=f"{one.month:%Y-%m}-%s"),
            "entered_by_me": one.balance is not None and one.balance.entered_by_id == me,
        }
        for one in treasury.months_shown(now=moment_of(request))
    ]
    return show(request, "months", rows=rows, refused=refused, status=status)


@require_POST
@room
def enter_balance(request: HttpRequest, month: str) -> HttpResponse:
    """Enter what the bank says at a month's end."""
    form = BalanceForm(request.POST)
    first = transparency.month_of(month)
    if not form.is_valid() or form.cleaned_data["amount_micros"] % money.MICROS_PER_CENT:
        messages.error(request, "Write the balance in whole cents, for instance 1250.07.")
        return redirect(MONTHS)
    cents = form.cleaned_data["amount_micros"] // money.MICROS_PER_CENT
    cents = -cents if form.cleaned_data["overdrawn"] else cents
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: journal.enter_balance(staff_id=me, month=first, cents=cents, now=now),
        said="Entered. Another treasurer confirms it, and the books are locked.",
        then=MONTHS,
        page=_months,
    )


@require_POST
@room
def lock(request: HttpRequest, balance_id: UUID) -> HttpResponse:
    """Confirm a balance and lock the month's books."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: journal.lock(balance_id=balance_id, staff_id=me, now=now),
        said=lambda found: f"The books of {found.month:%B %Y} are locked. Its payouts can be released.",
        then=MONTHS,
        page=_months,
    )


@require_POST
@room
def close(request: HttpRequest, month: str) -> HttpResponse:
    """Close a month that is over, and let the workers divide it."""
    first, now = transparency.month_of(month), moment_of(request)

    def begin() -> None:
        runs.begin(month=first, now=now, tries=periods.TRIES_FOR_A_PAGE)
        tasks.wake_run(first)

    return carry_out(
        request,
        begin,
        said=f"{first:%B %Y} is closed: nothing is charged in it any more. It is being divided.",
        then=MONTHS,
        page=_months,
    )


@require_safe
@room
def progress(request: HttpRequest, month: str) -> HttpResponse:
    """Tell the page of the months how far a run has come."""
    run = runs.of_month(transparency.month_of(month))
    return JsonResponse({"state": run.state, "percent": run.percent, "words": run.words})


@require_safe
@room
def disputes(request: HttpRequest) -> HttpResponse:
    """Show the wallets that are frozen."""
    return _disputes(request)


def _disputes(request: HttpRequest, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
    me = signed_in_id(request)
    rows = [
        {"chargeback": one, "is_mine": one.listener_id == me, "form": ReasonForm(auto_id=f"{one.id}-%s")}
        for one in chargebacks.undecided()
    ]
    return show(request, "disputes", rows=rows, refused=refused, status=status)


@require_POST
@room
def decide(request: HttpRequest, chargeback_id: UUID) -> HttpResponse:
    """Let a wallet move again."""
    reason, me, now = ReasonForm(request.POST).data.get("reason", ""), signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: chargebacks.decide(chargeback_id=chargeback_id, staff_id=me, reason=reason, now=now),
        said="Decided. The listener is told by mail.",
        then="royalties:treasury-disputes",
        page=_disputes,
    )


@require_safe
@room
def doubts(request: HttpRequest) -> HttpResponse:
    """Compare playback's rows, the ledger, the runs and the payouts, and name every difference."""
    now = moment_of(request)
    return show(
        request,
        "doubts",
        differences=reconciliation.check(now=now),
        waiting=reconciliation.waiting(now=now),
        unexplained=bank.unexplained().count(),
    )
