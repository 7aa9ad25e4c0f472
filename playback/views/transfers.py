"""The treasurers' page: refunds of payments too old for the gateway, entered by one and released by another."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from members.access import fresh_second_factor_required
from members.acts import carry_out
from members.problems import Problem
from members.requests import moment_of, signed_in_id
from playback import transfers
from playback.forms import GiveUpForm, TransferForm


@never_cache
@login_required
@fresh_second_factor_required
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """Show what waits for a transfer."""
    return _page(request)


def _page(request: HttpRequest, *, refused: Problem | None = None, status: int = 200, **asked: Any) -> HttpResponse:
    me = signed_in_id(request)
    rows = [
        {
            "refund": refund,
            "is_mine": refund.listener_id == me,
            "entered_by_me": refund.entry is not None and refund.entry.entered_by_id == me,  # type: ignore[attr-defined]
            "form": asked.get("form")
            if asked.get("refund_id") == refund.id
            else TransferForm(auto_id=f"{refund.id}-%s"),
            "give_up_form": GiveUpForm(auto_id=f"{refund.id}-%s"),
        }
        for refund in transfers.waiting(staff_id=me)
    ]
    shown = {"rows": rows, "refused": refused, "released": transfers.released(staff_id=me)}
    return render(request, "playback/transfers.html", shown, status=status)


@never_cache
@login_required
@fresh_second_factor_required
@require_safe
def bank_file(request: HttpRequest, refund_id: UUID) -> HttpResponse:
    """Hand out the file for the bank of a transfer that was released."""
    content = transfers.bank_file(refund_id=refund_id, staff_id=signed_in_id(request))
    return HttpResponse(
        content,
        content_type="application/xml",
        headers={"Content-Disposition": f'attachment; filename="refund-{refund_id}.xml"'},
    )


@never_cache
@login_required
@fresh_second_factor_required
@require_POST
def enter(request: HttpRequest, refund_id: UUID) -> HttpResponse:
    """Enter an account."""
    form = TransferForm(request.POST, auto_id=f"{refund_id}-%s")
    if not form.is_valid():
        return _page(request, refund_id=refund_id, form=form, status=400)
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: transfers.enter(refund_id=refund_id, staff_id=me, now=now, **form.cleaned_data),
        said="Entered. Another treasurer releases it.",
        then="playback:transfers",
        page=_page,
    )


@never_cache
@login_required
@fresh_second_factor_required
@require_POST
def release(request: HttpRequest, refund_id: UUID, entry_id: UUID) -> HttpResponse:
    """Release the entry that was shown."""
    me, now = signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: transfers.release(refund_id=refund_id, transfer_id=entry_id, staff_id=me, now=now),
        said="Released. The listener is told by mail.",
        then="playback:transfers",
        page=_page,
    )


@never_cache
@login_required
@fresh_second_factor_required
@require_POST
def give_up(request: HttpRequest, refund_id: UUID) -> HttpResponse:
    """Give the credit back instead."""
    form, me = GiveUpForm(request.POST), signed_in_id(request)
    if not form.is_valid():
        return _page(request, status=400)
    return carry_out(
        request,
        lambda: transfers.give_up(refund_id=refund_id, staff_id=me, reason=form.cleaned_data["reason"]),
        said="The credit is in the listener's wallet again.",
        then="playback:transfers",
        page=_page,
    )
