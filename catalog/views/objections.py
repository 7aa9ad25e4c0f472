"""The pages of objections: what a vote means for one's work, the appeal, and the page of those who decide it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import objections
from catalog.models import Work
from catalog.report_forms import ObjectionAppealForm, ObjectionRulingForm
from members.problems import NotFound, Problem
from members.requests import moment_of, signed_in_id


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def objection(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show which voted rules object to one's own work and what follows, and take the appeal in."""
    person_id, now = signed_in_id(request), moment_of(request)
    found = objections.of_work(work_id=work_id, person_id=person_id)
    form, status = ObjectionAppealForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                objections.appeal(work_id=work_id, person_id=person_id, now=now, **form.cleaned_data)
            except NotFound:
                raise
            except Problem as problem:
                form.add_error(None, problem.detail)
                status = problem.status
            else:
                messages.success(request, "Your appeal is filed. Three members decide it; the work stays till then.")
                return redirect("catalog:objection", work_id)
    work = Work.objects.select_related("creator").get(id=work_id)
    context = {"work": work, "objections": list(found), "now_open": objections.open_of(work_id), "form": form}
    return render(request, "catalog/objection.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, appeal_id: UUID) -> HttpResponse:
    """Show an appeal to the three who were drawn for it, and take in what each says."""
    person_id, now = signed_in_id(request), moment_of(request)
    filed, mine = objections.of_panelist(appeal_id=appeal_id, person_id=person_id)
    form, status = ObjectionRulingForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                objections.rule(appeal_id=appeal_id, person_id=person_id, now=now, **form.cleaned_data)
            except Problem as problem:
                form.add_error(None, problem.detail)
                status = problem.status
            else:
                messages.success(request, "Your word is kept. Two of the three decide.")
                return redirect("catalog:objection-decide", appeal_id)
    is_open = not filed.ruling and not filed.objection.outcome and now < filed.decide_until
    context = {"appeal": filed, "objection": filed.objection, "mine": mine, "is_open": is_open, "form": form}
    return render(request, "catalog/objection_decide.html", context, status=status)
