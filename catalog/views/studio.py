"""The studio: what a creator has, what is under way, and what waits for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import delivery, objections, people, profiles, publishing, sharing
from catalog.forms import ProfileForm
from catalog.models import Creator, CreatorRole, Rendition, RoleInvitation, SplitSheet, Upload, Work
from members.problems import Problem
from members.requests import moment_of, signed_in_id

WORKS_ON_A_PAGE = 48
UPLOADS_SHOWN = 12
WAITING_SHOWN = 8
STATES = (
    ("draft", "Drafts", "Only you and who is in the profile see them."),
    ("published", "Published", "Everybody hears and sees them."),
    ("off", "Taken off", "Who owns one keeps it; who has begun one may go on for 90 days."),
    ("suspended", "Suspended", "Nothing is charged or sold until it is decided."),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A work in the studio: what it costs somebody who begins now (None: nothing), and its sleeve's address."""

    work: Work
    cover: str
    price_micros: int | None
    ends_at: datetime | None
    lacks_words: bool


@never_cache
@login_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show works by state, uploads under way, profiles, and what waits. The number of queries is constant."""
    person_id, now = signed_in_id(request), moment_of(request)
    roles = list(CreatorRole.objects.filter(person_id=person_id).select_related("creator").order_by("creator__name"))
    ids = [role.creator_id for role in roles]
    only = next((role.creator for role in roles if role.creator.slug == request.GET.get("creator")), None)
    works = Work.objects.filter(creator_id__in=[only.id] if only else ids)
    counts = dict(works.order_by().values_list("state").annotate(count=Count("id")))
    asked = request.GET.get("state")
    state = asked if asked in dict(Work.State.choices) else _first_with_works(counts)
    page = _page(works.filter(state=state), request.GET.get("after", ""))
    context = {
        "roles": roles,
        "only": only,
        "tabs": [(key, name, counts.get(key, 0)) for key, name, _ in STATES if key != "suspended" or counts.get(key)],
        "state": state,
        "state_words": next(words for key, _, words in STATES if key == state),
        "rows": rows(page[:WORKS_ON_A_PAGE], now=now),
        "next": page[WORKS_ON_A_PAGE - 1].id if len(page) > WORKS_ON_A_PAGE else None,
        "uploads": _uploads(ids),
        "objections": list(objections.open_for(person_id)[:WAITING_SHOWN]),
        "waiting": _waiting(person_id, roles, now),
        "form": ProfileForm(),
    }
    return render(request, "catalog/studio/overview.html", context)


@never_cache
@login_required
@require_POST
def found(request: HttpRequest) -> HttpResponse:
    """Found a profile and go to it."""
    form = ProfileForm(request.POST)
    if form.is_valid():
        try:
            creator = profiles.found(
                person_id=signed_in_id(request), name=form.cleaned_data["name"], now=moment_of(request)
            )
        except Problem as problem:
            messages.error(request, problem.detail)
            return redirect("catalog:studio")
        messages.success(request, f"The profile “{creator.name}” is yours.")
        return redirect("catalog:studio-profile", creator.slug)
    messages.error(request, "A profile needs a name of at most 120 characters.")
    return redirect("catalog:studio")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Show an invitation to a role; a POST accepts or declines it."""
    person_id = signed_in_id(request)
    try:
        asked = people.asked_of(invitation_id=invitation_id, person_id=person_id)
    except Problem:
        return render(request, "catalog/studio/not_for_you.html", not_for_you(request), status=404)
    if request.method == "POST":
        if request.POST.get("answer") == "accept":
            creator = people.accept(invitation_id=asked.id, person_id=person_id, now=moment_of(request))
            messages.success(request, f"You are {asked.role} of “{creator.name}” now.")
            return redirect("catalog:studio-profile", creator.slug)
        people.decline(invitation_id=asked.id, person_id=person_id, now=moment_of(request))
        messages.success(request, "You declined. Nothing has changed.")
        return redirect("catalog:studio")
    context = {"invitation": asked, "words": people.WORDS[asked.role]}
    return render(request, "catalog/studio/invitation.html", context)


def not_for_you(request: HttpRequest) -> dict[str, Any]:
    """Return what a page says to whom it is not addressed. It is the same whether there is such a thing or not."""
    return {"email": getattr(request.user, "email", "")}


def rows(works: list[Work], *, now: datetime) -> list[Row]:
    """Return works as rows; they come with creator, release and cover fetched."""
    return [
        Row(
            work=work,
            cover=next((delivery.cover_url(cover, now=now) for cover in work.renditions.all()), ""),
            price_micros=sum(publishing.steps_now(figure=work.price_micros, now=now)[0]) or None,
            ends_at=work.off_at + publishing.PLAY_ON if work.state == Work.State.OFF and work.off_at else None,
            lacks_words=work.kind == Work.Kind.PHOTO and not work.alternative_text,
        )
        for work in works
    ]


def with_covers(works: QuerySet[Work]) -> QuerySet[Work]:
    """Return the works with what a row needs."""
    covers = Prefetch("renditions", Rendition.objects.filter(kind=Rendition.Kind.COVER))
    return works.select_related("creator", "release").prefetch_related(covers)


def _first_with_works(counts: dict[str, int]) -> str:
    return next((key for key, _, _ in STATES if counts.get(key)), "draft")


def _page(works: QuerySet[Work], after: str) -> list[Work]:
    """Return one work more than a page has, newest first, from the one named on."""
    try:
        last = works.filter(id=UUID(after)).first() if after else None
    except ValueError:
        last = None
    if last is not None:
        works = works.filter(Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, id__lt=last.id))
    return list(with_covers(works).order_by("-created_at", "-id")[: WORKS_ON_A_PAGE + 1])


def _uploads(creator_ids: list[UUID]) -> list[Upload]:
    """Return the uploads that are no works yet, newest first; of the refused ones those whose reason is still news."""
    return list(
        Upload.objects.filter(creator_id__in=creator_ids, work=None)
        .exclude(state=Upload.State.READY)
        .select_related("creator")
        .order_by("-created_at")[:UPLOADS_SHOWN]
    )


def _waiting(person_id: UUID, roles: list[CreatorRole], now: datetime) -> dict[str, Any]:
    managed = [role.creator_id for role in roles if role.role != CreatorRole.Role.VIEWER]
    creators = Creator.objects.filter(id__in=managed, closed_at=None)
    unanswered = SplitSheet.objects.filter(sharing.WAITING, work__creator__in=creators).select_related("work")
    in_force = SplitSheet.objects.filter(work=OuterRef("id"), in_force_from__lte=now)
    asked = SplitSheet.objects.filter(sharing.WAITING, work=OuterRef("id"))
    works = Work.objects.filter(creator__in=creators)
    found: dict[str, list[Any]] = {
        "shares": sharing.waiting_for(person_id)[:WAITING_SHOWN],
        "roles": list(people.waiting_for(person_id)[:WAITING_SHOWN]),
        "unanswered": list(unanswered.order_by("created_at")[:WAITING_SHOWN]),
        "unpaid": list(
            works.filter(~Exists(in_force), ~Exists(asked), state=Work.State.PUBLISHED).order_by("title")[
                :WAITING_SHOWN
            ]
        ),
        "wordless": list(
            works.filter(kind=Work.Kind.PHOTO, alternative_text="")
            .exclude(state=Work.State.OFF)
            .order_by(F("published_at").desc(nulls_last=True), "id")[:WAITING_SHOWN]
        ),
    }
    return {**found, "any": any(found.values())}


def invitations_of(creator: Creator) -> QuerySet[RoleInvitation]:
    """Return the invitations of a profile that wait, oldest first."""
    return creator.invitations.filter(answered_at=None).order_by("created_at", "id")
