"""A release in the studio: what it is, its works in their order, and publishing them together."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog import arranging, people
from catalog.forms import ReleaseForm
from catalog.models import Release, Work
from catalog.views.studio import rows, with_covers
from members.problems import Invalid, NotFound
from members.requests import moment_of, signed_in_id

WORKS_OFFERED = 300


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Show the release to who has a role in its profile; a POST changes what it is."""
    found, role = _release(request, release_id)
    if request.method != "POST":
        return _page(request, found, role)
    form = ReleaseForm(request.POST)
    if form.is_valid():
        try:
            arranging.describe(release_id=found.id, person_id=signed_in_id(request), **form.cleaned_data)
        except Invalid as refusal:
            form.add_error("title", refusal.detail)
        else:
            messages.success(request, "It is kept.")
            return redirect("catalog:studio-release", found.id)
    return _page(request, found, role, form=form, status=400)


@login_required
@require_POST
def arrange(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Keep the order that was sent, with one work moved, added or taken out where a button said so."""
    found, _ = _release(request, release_id)
    try:
        order = [UUID(work_id) for work_id in request.POST.getlist("work")]
        order = _moved(order, request.POST)
    except ValueError:
        raise Invalid("This names no work.") from None
    arranging.arrange(release_id=found.id, person_id=signed_in_id(request), work_ids=order)
    if request.headers.get("Accept") == "application/json":
        return HttpResponse(status=204)
    return redirect("catalog:studio-release", found.id)


@login_required
@require_POST
def publish(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Publish all of its drafts that may be, and show what came of each."""
    found, role = _release(request, release_id)
    if not request.POST.get("attested"):
        words = "Tick that it is so: works come before the public attested by their creator."
        return _page(request, found, role, publish_error=words, status=400)
    answers = arranging.publish_drafts(release_id=found.id, person_id=signed_in_id(request), now=moment_of(request))
    return _page(request, found, role, answers=answers)


def _moved(order: list[UUID], said: Any) -> list[UUID]:
    """Return the order after the one thing that the pressed button does. Raises ValueError."""
    if added := said.get("add"):
        return [*order, UUID(added)]
    if removed := said.get("remove"):
        return [work_id for work_id in order if work_id != UUID(removed)]
    for name, by in (("up", -1), ("down", 1)):
        if moved := said.get(name):
            at = order.index(UUID(moved))
            to = min(max(at + by, 0), len(order) - 1)
            order.insert(to, order.pop(at))
    return order


def _release(request: HttpRequest, release_id: UUID) -> tuple[Release, str]:
    """Return the release and the person's role in its profile. Raises NotFound for who has none."""
    found = Release.objects.select_related("creator").filter(id=release_id).first()
    if found is None:
        raise NotFound("there is no such release of yours")
    return found, people.role_of(creator_id=found.creator_id, person_id=signed_in_id(request))


def _page(request: HttpRequest, found: Release, role: str, *, status: int = 200, **said: Any) -> HttpResponse:
    works = list(with_covers(Work.objects.filter(release=found)).order_by("position", "created_at", "id"))
    others = Work.objects.filter(creator_id=found.creator_id).exclude(release=found).order_by("title", "id")
    drafts = [work for work in works if work.state == Work.State.DRAFT]
    context = {
        "release": found,
        "edits": role != "viewer" and found.creator.closed_at is None,
        "form": ReleaseForm(initial={"title": found.title, "kind": found.kind, "released_on": found.released_on}),
        "rows": rows(works, now=moment_of(request)),
        "drafts": drafts,
        "others": list(others.values("id", "title", "release__title")[:WORKS_OFFERED]),
        **said,
    }
    return render(request, "catalog/studio/release.html", context, status=status)
