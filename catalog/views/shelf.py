"""Works on a shelf as cards, and a creator's page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe

from catalog import delivery, profiles, publishing
from catalog.models import Creator, Rendition, Work
from members.requests import moment_of, person_id_of

WORKS_ON_A_PAGE = 48


@dataclass(frozen=True, kw_only=True)
class Card:
    """A work on a shelf: its cover's address, what the next play costs them (None: nothing), how far they are."""

    work: Work
    cover: str
    price_micros: int | None
    own: bool = False
    owned: bool = False
    paid_plays: int = 0
    plays: int = 0


def cards(works: Iterable[Work], *, person_id: UUID | None, now: datetime) -> list[Card]:
    """Return the works as they stand on a shelf for this person; `works` come with creator and cover fetched."""
    shown = list(works)
    figures = {work.id: work.price_micros for work in shown}
    run = {profile.id for profile in profiles.run_by(person_id)} if person_id else set()
    standings = import_string(settings.CATALOG_SHELF_STANDINGS)(person_id=person_id, figures=figures, now=now)
    return [
        Card(
            work=work,
            cover=next((delivery.cover_url(cover, now=now, small=True) for cover in work.renditions.all()), ""),
            price_micros=standings[work.id].price_micros,
            own=work.creator_id in run,
            owned=standings[work.id].owned,
            paid_plays=standings[work.id].paid_plays,
            plays=standings[work.id].plays,
        )
        for work in shown
    ]


def on_the_shelf() -> QuerySet[Work]:
    """Return published works, newest first, with what a card needs: two queries."""
    return (
        Work.objects.filter(state=Work.State.PUBLISHED, kind=Work.Kind.TRACK)
        .select_related("creator")
        .prefetch_related(Prefetch("renditions", Rendition.objects.filter(kind=Rendition.Kind.COVER)))
        .order_by("-published_at", "-id")
    )


@require_safe
def creator(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a creator's published works; to those who run the profile, drafts too."""
    found = get_object_or_404(Creator, slug=slug)
    now = moment_of(request)
    person_id = person_id_of(request)
    mine = person_id is not None and publishing.manages(creator_id=found.id, person_id=person_id)
    drafts = Work.objects.filter(creator=found, state=Work.State.DRAFT).order_by("-created_at") if mine else []
    works = on_the_shelf().filter(creator=found)[:WORKS_ON_A_PAGE]
    context = {"creator": found, "cards": cards(works, person_id=person_id, now=now), "drafts": drafts, "is_mine": mine}
    return render(request, "catalog/creator.html", context)
