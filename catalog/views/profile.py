"""A profile in the studio: what it says of itself, who is in it, its releases, and its end."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog import arranging, people, profiles
from catalog.forms import InvitationForm, ProfileTextForm, ReleaseForm
from catalog.models import Creator, CreatorRole, Release, Work
from catalog.views.studio import invitations_of
from members.problems import Invalid, NotFound
from members.requests import moment_of, signed_in_id

RELEASES_SHOWN = 100


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the profile to who has a role in it; a POST changes what it says of itself."""
    creator, role = _creator(request, slug)
    if request.method != "POST":
        return _page(request, creator, role)
    form = ProfileTextForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            profiles.describe(
                creator_id=creator.id,
                person_id=signed_in_id(request),
                name=said["name"],
                about=said["about"],
                links=said["links"].splitlines(),
            )
        except Invalid as refusal:
            for name, words in refusal.extra["fields"].items():
                form.add_error(name, words)
        else:
            messages.success(request, "The profile says so now.")
            return redirect("catalog:studio-profile", slug)
    return _page(request, creator, role, text_form=form, status=400)


@login_required
@require_POST
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    """Invite somebody into the profile, by mail."""
    creator, role = _creator(request, slug)
    form = InvitationForm(request.POST)
    if form.is_valid():
        try:
            made = people.invite(
                creator_id=creator.id, person_id=signed_in_id(request), now=moment_of(request), **form.cleaned_data
            )
        except Invalid as refusal:
            form.add_error("email", refusal.detail)
        else:
            messages.success(request, f"A mail goes to {made.email}. They are in when they have accepted.")
            return _back(slug)
    return _page(request, creator, role, invitation_form=form, status=400)


@login_required
@require_POST
def withdraw(request: HttpRequest, slug: str, invitation_id: UUID) -> HttpResponse:
    """Take an invitation back."""
    creator, _ = _creator(request, slug)
    people.withdraw(
        creator_id=creator.id,
        invitation_id=invitation_id,
        person_id=signed_in_id(request),
        now=moment_of(request),
    )
    messages.success(request, "The invitation is withdrawn.")
    return _back(slug)


@login_required
@require_POST
def member(request: HttpRequest, slug: str, member_id: UUID) -> HttpResponse:
    """Give somebody another role, or take them out; everybody may leave."""
    creator, _ = _creator(request, slug)
    asked: dict[str, Any] = {
        "creator_id": creator.id,
        "member_id": member_id,
        "person_id": signed_in_id(request),
        "now": moment_of(request),
    }
    try:
        if request.POST.get("act") == "remove":
            people.remove(**asked)
            messages.success(request, "They are not in the profile any more.")
        else:
            people.change_role(**asked, role=request.POST.get("role", ""))
            messages.success(request, "The role is changed.")
    except people.LastOwner as refusal:
        messages.error(request, refusal.detail)
    if request.POST.get("act") == "remove" and member_id == signed_in_id(request):
        return redirect("catalog:studio")
    return _back(slug)


@login_required
@require_POST
def close(request: HttpRequest, slug: str) -> HttpResponse:
    """Close the profile for good, once its name was typed."""
    creator, role = _creator(request, slug)
    if request.POST.get("name", "").strip() != creator.name:
        words = "Write the name exactly as it stands above. Nothing was closed."
        return _page(request, creator, role, close_error=words, status=400)
    people.close(creator_id=creator.id, person_id=signed_in_id(request), now=moment_of(request))
    messages.success(request, f"“{creator.name}” is closed. Its works are off; who owns one keeps it.")
    return redirect("catalog:studio-profile", slug)


@login_required
@require_POST
def release(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a release and go to it."""
    creator, role = _creator(request, slug)
    form = ReleaseForm(request.POST, auto_id="release_%s")
    if form.is_valid():
        try:
            made = arranging.found(creator_id=creator.id, person_id=signed_in_id(request), **form.cleaned_data)
        except Invalid as refusal:
            form.add_error("title", refusal.detail)
        else:
            return redirect("catalog:studio-release", made.id)
    return _page(request, creator, role, release_form=form, status=400)


def _creator(request: HttpRequest, slug: str) -> tuple[Creator, str]:
    """Return the profile and the person's role in it. Raises NotFound for who has none."""
    creator = Creator.objects.filter(slug=slug).first()
    if creator is None:
        raise NotFound("there is no such profile of yours")
    return creator, people.role_of(creator_id=creator.id, person_id=signed_in_id(request))


def _back(slug: str) -> HttpResponse:
    return redirect("catalog:studio-profile", slug)


def _page(
    request: HttpRequest, creator: Creator, role: str, *, status: int = 200, close_error: str = "", **forms: Any
) -> HttpResponse:
    text = {"name": creator.name, "about": creator.about, "links": "\n".join(creator.links)}
    closed = creator.closed_at is not None
    owns, edits = role == CreatorRole.Role.OWNER, role != CreatorRole.Role.VIEWER
    releases = Release.objects.filter(creator=creator).annotate(works_count=Count("works")).order_by("title", "id")
    counts = Work.objects.filter(creator=creator).order_by().values_list("state").annotate(count=Count("id"))
    context = {
        "creator": creator,
        "role": role,
        "role_words": people.WORDS[role],
        "owns": owns and not closed,
        "edits": edits and not closed,
        "members": people.members_of(creator.id),
        "me": signed_in_id(request),
        "invitations": list(invitations_of(creator)),
        "roles": CreatorRole.Role.choices,
        "releases": list(releases[:RELEASES_SHOWN]),
        "counts": dict(counts),
        "close_error": close_error,
        "text_form": ProfileTextForm(initial=text),
        "invitation_form": InvitationForm(auto_id="invite_%s"),
        "release_form": ReleaseForm(auto_id="release_%s"),
        **forms,
    }
    return render(request, "catalog/studio/profile.html", context, status=status)
