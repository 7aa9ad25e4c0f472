"""The pages of cashing out: how much, what goes where and the confirmation, what became of it; and receipts."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from members import money
from members.problems import NotFound, Problem
from members.requests import moment_of, signed_in_id
from playback import cashouts, tasks, topups, wallets
from playback.forms import CashOutConfirmForm, CashOutForm
from playback.models import TopUp


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cash_out(request: HttpRequest) -> HttpResponse:
    """Ask how much, then show what goes where (`?amount_micros=`); a POST confirms exactly that."""
    if request.method == "POST":
        return _confirm(request)
    if "amount_micros" not in request.GET:
        return _ask(request)
    form = CashOutForm(request.GET)
    if not form.is_valid():
        return _ask(request, form=form, status=400)
    return _show_plan(request, form.cleaned_data["amount_micros"], form)


def _ask(request: HttpRequest, *, form: CashOutForm | None = None, status: int = 200) -> HttpResponse:
    overview = wallets.overview(person_id=signed_in_id(request), now=moment_of(request))
    can = cashouts.available(overview.balance_micros)
    context = {
        "overview": overview,
        "can_micros": can,
        "stays_micros": overview.balance_micros - can,
        "form": form or CashOutForm(initial={"amount_micros": can}),
    }
    return render(request, "playback/cash_out.html", context, status=status)


def _show_plan(
    request: HttpRequest, amount_micros: int, form: CashOutForm, *, refused: Problem | None = None
) -> HttpResponse:
    try:
        planned = cashouts.plan(person_id=signed_in_id(request), amount_micros=amount_micros)
    except Problem as problem:
        form.add_error("amount_micros", problem.detail)
        return _ask(request, form=form, status=problem.status)
    confirm = {"amount_micros": amount_micros, "plan_hash": planned.plan_hash, "key": str(uuid4())}
    context: dict[str, Any] = {
        "plan": planned,
        "parts": [(part, money.percent(part.vat_ppm)) for part in planned.parts],
        "confirm_form": CashOutConfirmForm(initial=confirm),
        "refused": refused,
    }
    status = refused.status if refused else 200
    return render(request, "playback/cash_out_plan.html", context, status=status)


def _confirm(request: HttpRequest) -> HttpResponse:
    form = CashOutConfirmForm(request.POST)
    if not form.is_valid():
        return _ask(request, status=400)
    confirmed = form.cleaned_data
    try:
        taken, _ = cashouts.take(person_id=signed_in_id(request), **confirmed)
    except (cashouts.PlanChanged, cashouts.CannotCashOut) as changed:
        amount = CashOutForm({"amount_micros": money.show_digits(confirmed["amount_micros"])})
        amount.is_valid()
        return _show_plan(request, confirmed["amount_micros"], amount, refused=changed)
    tasks.wake_refunds()
    return redirect("playback:one-cash-out", taken.id)


@never_cache
@login_required
@require_safe
def one_cash_out(request: HttpRequest, cash_out_id: UUID) -> HttpResponse:
    """Show a cash-out, what became of each part of it, and its receipt."""
    taken = cashouts.get(person_id=signed_in_id(request), cash_out_id=cash_out_id)
    refunds = cashouts.parts_of(taken)
    context = {
        "cash_out": taken,
        "parts": [(refund, money.percent(refund.top_up.vat_ppm)) for refund in refunds],
        "net_cents": sum(refund.net_cents for refund in refunds),
        "vat_cents": sum(refund.vat_cents for refund in refunds),
        "gross_cents": sum(refund.gross_cents for refund in refunds),
        "is_under_way": any(refund.state in ("waiting", "sent") for refund in refunds),
    }
    return render(request, "playback/one_cash_out.html", context)


@never_cache
@login_required
@require_safe
def receipt(request: HttpRequest, top_up_id: UUID) -> HttpResponse:
    """Show the receipt of a top-up, with what of it went back since."""
    top_up = topups.get(person_id=signed_in_id(request), top_up_id=top_up_id)
    if top_up.state != TopUp.State.SETTLED:
        raise NotFound("it was not paid")
    given_back = list(top_up.refunds.select_related("cash_out").order_by("cash_out__taken_at", "id"))
    context = {"top_up": top_up, "vat_percent": money.percent(top_up.vat_ppm), "refunds": given_back}
    return render(request, "playback/receipt.html", context)
