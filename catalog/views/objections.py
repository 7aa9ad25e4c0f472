"""The pages of objections: what a vote means for one's work, the appeal, and the page of those who decide it."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import objections
from catalog.models import Work
from catalog.report_forms import ObjectionAppealForm
from members.problems import NotFound, Problem
from members.requests import moment_of, signed_in_id
from members.views import panels


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def objection(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Show which voted rules object to one's own work and what follows, and take the appeal in."""
    person_id, now = signed_in_id(request), moment_of(request)
    found = list(objections.of_work(work_id=work_id, person_id=person_id))
    asked = objections.to_appeal(found)
    form, status = ObjectionAppealForm(request.POST or None), 200
    if request.method == "POST":
        status = 400
        if asked is None:
            raise NotFound("no rule objects to this work")
        if form.is_valid():
            try:
                objections.appeal(objection_id=asked.id, person_id=person_id, now=now, **form.cleaned_data)
            except Problem as problem:
                form.add_error(None, problem.detail)
                status = problem.status
            else:
                messages.success(request, "Your appeal is filed. Three members decide it; the work stays till then.")
                return redirect("catalog:objection", work_id)
    work = Work.objects.select_related("creator").get(id=work_id)
    context = {"work": work, "objections": found, "asked": asked, "form": form}
    return render(request, "catalog/objection.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def decide(request: HttpRequest, appeal_id: UUID) -> HttpResponse:
    """Show an appeal to the three who were drawn for it, and take in what each says."""
    return panels.answer(
        request,
        partial(objections.hearing, appeal_id=appeal_id, person_id=signed_in_id(request), now=moment_of(request)),
        partial(objections.rule, appeal_id=appeal_id),
        template="catalog/objection_decide.html",
    )
