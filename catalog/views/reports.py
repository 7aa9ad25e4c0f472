"""The pages of reports: saying what is wrong, the staff's queue, the appeal, the yearly numbers."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import publishing, report_numbers, reports
from catalog.api.reports import check_patience
from catalog.models import Work
from catalog.report_forms import AppealForm, DecideForm, DismissForm, LiftForm, ReportForm, SuspendForm
from catalog.report_models import Suspension
from members.problems import NotFound, Problem
from members.requests import moment_of, person_id_of, signed_in_id


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show the form about a work and take it in; signing in is not needed."""
    person_id, now = person_id_of(request), moment_of(request)
    publishing.standing(work_id=work_id, person_id=None, now=now)
    work = Work.objects.select_related("creator").get(id=work_id)
    form = ReportForm(request.POST or None)
    filed, status = None, 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                check_patience(request)
                filed = reports.file(work_id=work_id, person_id=person_id, now=now, **form.cleaned_data)
                status = 200
            except Problem as problem:
                form.add_error(None, problem.detail)
                status = problem.status
    answered = bool(filed and (filed.contact or filed.person_id))
    context = {"work": work, "form": form, "filed": filed, "answered": answered}
    return render(request, "catalog/report.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show why one's own work is suspended, and take the appeal in."""
    person_id, now = signed_in_id(request), moment_of(request)
    work = Work.objects.select_related("creator").filter(id=work_id).first()
    if work is None or not publishing.manages(creator_id=work.creator_id, person_id=person_id):
        raise NotFound("there is no such work of yours")
    form, status = AppealForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                reports.appeal(work_id=work_id, person_id=person_id, now=now, **form.cleaned_data)
            except Problem as problem:
                form.add_error(None, problem.detail)
                status = problem.status
            else:
                messages.success(request, "Your appeal is filed. Somebody else than who suspended the work decides it.")
                return redirect("catalog:appeal", work_id)
    past = Suspension.objects.filter(work=work).select_related("appeal__decision", "lifting").order_by("-suspended_at")
    context = {"work": work, "form": form, "suspensions": past, "in_force": reports.in_force(work_id)}
    return render(request, "catalog/appeal.html", context, status=status)


@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """Show the numbers of every year."""
    return render(request, "catalog/reports.html", {"years": report_numbers.years(now=moment_of(request))})


@never_cache
@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Show what waits for the catalogue's staff: reports, appeals, and the suspensions in force."""
    return _queue_page(request)


def _queue_page(
    request: HttpRequest, *, about: UUID | None = None, form: forms.Form | None = None, refused: Problem | None = None
) -> HttpResponse:
    """Return the queue; `form`, sent about a work or an appeal, stands where it was sent from."""
    me = signed_in_id(request)

    def ask(kind: type[forms.Form], of: UUID) -> forms.Form:
        return form if form is not None and about == of and isinstance(form, kind) else kind(auto_id=f"{of}-%s")

    context: dict[str, Any] = {
        "cases": [
            (case, ask(DismissForm, case.work.id), ask(SuspendForm, case.work.id))
            for case in reports.queue(staff_id=me)
        ],
        "appeals": [
            (waiting, waiting.suspension.decision.staff_id == me, ask(DecideForm, waiting.id))
            for waiting in reports.appeals_waiting(staff_id=me)
        ],
        "suspensions": [(one, ask(LiftForm, one.work_id)) for one in reports.suspended_works(staff_id=me)],
        "refused": refused,
    }
    status = refused.status if refused else 400 if form else 200
    return render(request, "catalog/queue.html", context, status=status)


def _decide(request: HttpRequest, kind: type[forms.Form], about: UUID, act: Any, done: str) -> HttpResponse:
    """Read a decision, make it and lead back to the queue; a refusal is shown above it."""
    reports.check_may_decide(signed_in_id(request))
    form = kind(request.POST, auto_id=f"{about}-%s")
    if not form.is_valid():
        return _queue_page(request, about=about, form=form)
    try:
        act(staff_id=signed_in_id(request), now=moment_of(request), **form.cleaned_data)
    except NotFound:
        raise
    except Problem as problem:
        return _queue_page(request, refused=problem)
    messages.success(request, done)
    return redirect("catalog:queue")


@never_cache
@login_required
@require_POST
def dismiss(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Dismiss the open reports of a work."""

    def act(**said: Any) -> None:
        reports.dismiss(work_id=work_id, **said)

    return _decide(request, DismissForm, work_id, act, "Dismissed. Whoever left an address is told why.")


@never_cache
@login_required
@require_POST
def suspend(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Suspend a work."""

    def act(**said: Any) -> None:
        reports.suspend(work_id=work_id, **said)

    return _decide(request, SuspendForm, work_id, act, "Suspended. Its people have the statement of reasons.")


@never_cache
@login_required
@require_POST
def lift(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Lift a suspension without an appeal."""

    def act(**said: Any) -> None:
        reports.lift(work_id=work_id, **said)

    return _decide(request, LiftForm, work_id, act, "Lifted. The work is again what it was before.")


@never_cache
@login_required
@require_POST
def decide_appeal(request: HttpRequest, appeal_id: UUID) -> HttpResponse:
    """Decide an appeal."""

    def act(**said: Any) -> None:
        reports.decide_appeal(appeal_id=appeal_id, **said)

    return _decide(request, DecideForm, appeal_id, act, "Decided. The people of the work are told why.")
