"""A payee's pages: the account royalties go to, and what went there."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members import months, policies
from members.problems import Problem
from members.requests import moment_of, signed_in_id
from royalties import ledger, payout_accounts, payouts
from royalties.forms import AccountForm
from royalties.id_shares import IdShare

ON_A_PAGE = 24
PLACES = 6


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show and change the account that royalties go to."""
    who = signed_in_id(request)
    form = AccountForm(request.POST or None)
    status, refused = 200, None
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                payout_accounts.enter(person_id=who, now=moment_of(request), **form.cleaned_data)
            except Problem as problem:
                form.add_error("iban", problem.detail)
                status = problem.status
            else:
                messages.success(request, "Your royalties go to this account from now on.")
                return redirect("royalties:payout-account")
        # What was typed is not sent back: a page that is kept somewhere must not hold it.
        shown_again = request.POST.copy()
        shown_again["iban"] = ""
        form.data = shown_again
    shown = {"account": payout_accounts.of_person(who), "form": form, "refused": refused}
    return render(request, "royalties/payout_account.html", shown, status=status)


@never_cache
@login_required
@require_POST
def remove_account(request: HttpRequest) -> HttpResponse:
    """Pay to no account."""
    payout_accounts.remove(person_id=signed_in_id(request), now=moment_of(request))
    messages.success(request, "Your royalties stay with the co-op until you enter an account.")
    return redirect("royalties:payout-account")


@never_cache
@login_required
@require_safe
def all_of_mine(request: HttpRequest) -> HttpResponse:
    """List one's payouts, and what comes of what is owed now."""
    who, now = signed_in_id(request), moment_of(request)
    latest = months.latest()
    month = latest.starts_on if latest is not None else None
    shown = {
        "page": Paginator(payouts.of_person(who), ON_A_PAGE).get_page(request.GET.get("page")),
        "payable_micros": ledger.payable([who])[who],
        "due": payouts.due(month=month, now=now, whose=IdShare.one(who)).get(who) if month else None,
        "payouts_version": policies.policy_at("payouts", now).seq,
        "least_cents": payouts.threshold(month=month, now=now) if month else None,
        "account": payout_accounts.of_person(who),
        "places": PLACES,
    }
    return render(request, "royalties/payouts.html", shown)
