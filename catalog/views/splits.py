"""The page to which an invitation to a split sheet leads: what one is offered, accepting it, declining it."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from catalog import shares, sharing
from catalog.views.editing import answer_refused, shown_sheet
from catalog.views.studio import not_for_you
from members import admission
from members.problems import NotFound
from members.requests import moment_of, signed_in_id


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def split(request: HttpRequest, sheet_id: UUID) -> HttpResponse:
    """Show a payee their sheet; a POST accepts or declines it."""
    person_id, now = signed_in_id(request), moment_of(request)
    try:
        sheet, mine = sharing.asked_of(sheet_id=sheet_id, person_id=person_id)
    except NotFound:
        return render(request, "catalog/studio/not_for_you.html", not_for_you(request), status=404)
    if request.method == "POST":
        try:
            if request.POST.get("answer") == "accept":
                sharing.accept(sheet_id=sheet_id, person_id=person_id)
                messages.success(request, "You accepted your share.")
            else:
                sharing.decline(sheet_id=sheet_id, person_id=person_id)
                messages.success(request, "You declined. The sheet has ended, and who proposed it is told.")
        except sharing.SheetOver as refusal:
            answer_refused(request, refusal)
        return redirect("catalog:split", sheet_id)
    states = sharing.states(work_id=sheet.work_id, now=now)
    lines = list(sheet.lines.all())
    names = admission.names_of(
        [line.person_id for line in lines if line.person_id] + ([sheet.proposed_by_id] if sheet.proposed_by_id else [])
    )
    context = {
        "shown": shown_sheet(sheet, states[sheet.id], names),
        "work": sheet.work,
        "mine": {line.line_number for line in mine},
        "share": shares.show(sum(line.share_ppm for line in mine)),
        "part": next((line.part for line in mine if line.part), ""),
        "answered": all(line.accepted_at for line in mine),
        "proposer": names.get(sheet.proposed_by_id, "") if sheet.proposed_by_id else "",
        "is_held": "in-force" not in states.values(),
        "time_zone": settings.COOP_TIME_ZONE,
    }
    return render(request, "catalog/studio/split.html", context)
