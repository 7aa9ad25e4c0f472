"""The treasurers' payouts: what is due, a batch prepared by one and released by another, and its file."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from members import admission, months
from members.acts import carry_out
from members.problems import Problem
from members.requests import moment_of, signed_in_id
from royalties import ledger, payouts, transparency
from royalties.forms import PlanForm
from royalties.payout_models import PayoutBatch
from royalties.views.treasury import room, show

ON_A_PAGE, PAYEES_SHOWN = 20, 200


@require_safe
@room
def payouts_page(request: HttpRequest) -> HttpResponse:
    """Show what is due, what waits for release, and what was released."""
    return _page(request)


def _page(request: HttpRequest, *, refused: Problem | None = None, status: int = 200) -> HttpResponse:
    now, latest = moment_of(request), months.latest()
    month = latest.starts_on if latest is not None and latest.sealed_at is not None else None
    found = payouts.due(month=month, now=now) if month else {}
    shown = sorted(found.items(), key=lambda one: (-one[1].cents, -one[1].payable_micros, str(one[0])))[:PAYEES_SHOWN]
    names = admission.names_of(person_id for person_id, _ in shown)
    prepared = payouts.batches().filter(state=PayoutBatch.State.PREPARED).first()
    return show(
        request,
        "payouts",
        status=status,
        refused=refused,
        month=month,
        is_locked=month is not None and ledger.is_locked(month),
        due=[(names[person_id], one) for person_id, one in shown],
        payees=len(found),
        total_cents=sum(one.cents for one in found.values()),
        prepared=prepared,
        prepared_payouts=_lines(prepared) if prepared else [],
        prepared_by_me=prepared is not None and prepared.prepared_by_id == signed_in_id(request),
        page=Paginator(payouts.batches().exclude(state=PayoutBatch.State.PREPARED), ON_A_PAGE).get_page(
            request.GET.get("page")
        ),
    )


def _lines(batch: PayoutBatch) -> list[object]:
    return list(batch.payouts.select_related("person", "account").order_by("-cents", "end_to_end")[:PAYEES_SHOWN])


@require_safe
@room
def one(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Show a batch, and how far each of its payouts has come."""
    batch = payouts.batch(batch_id)
    return show(request, "batch", batch=batch, lines=_lines(batch))


@require_POST
@room
def prepare(request: HttpRequest, month: str) -> HttpResponse:
    """Prepare what is due."""
    first, me, now = transparency.month_of(month), signed_in_id(request), moment_of(request)
    return carry_out(
        request,
        lambda: payouts.prepare(month=first, staff_id=me, now=now),
        said="Prepared. Another treasurer releases it.",
        then="royalties:treasury-payouts",
        page=_page,
    )


@require_POST
@room
def release(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Release the payouts that were shown."""
    form, me, now = PlanForm(request.POST), signed_in_id(request), moment_of(request)
    plan = form.cleaned_data["plan"] if form.is_valid() else ""
    return carry_out(
        request,
        lambda: payouts.release(batch_id=batch_id, plan_sha256=plan, staff_id=me, now=now),
        said="Released. Give the file to the bank; the payees are told by mail.",
        then=reverse("royalties:treasury-batch", args=[batch_id]),
        page=_page,
    )


@require_POST
@room
def drop(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Drop payouts that were not released."""
    me = signed_in_id(request)
    return carry_out(
        request,
        lambda: payouts.drop(batch_id=batch_id, staff_id=me),
        said="Dropped. Nothing was paid.",
        then="royalties:treasury-payouts",
        page=_page,
    )


@require_safe
@room
def bank_file(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Hand out the file for the bank."""
    content = payouts.bank_file(batch_id=batch_id, staff_id=signed_in_id(request))
    name = payouts.batch(batch_id).message_id
    return HttpResponse(
        content,
        content_type="application/xml",
        headers={"Content-Disposition": f'attachment; filename="{name}.xml"'},
    )
