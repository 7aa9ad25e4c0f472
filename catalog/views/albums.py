"""A release's page: an album's tracks to be played through, a series' photos on a light-table."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.module_loading import import_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from catalog import delivery, publishing
from catalog.licences import WORDS as LICENCES
from catalog.models import Release, Rendition, Work
from catalog.views import shelf
from members.requests import moment_of, person_id_of

if TYPE_CHECKING:
    from django.utils.safestring import SafeString


def _known(request: HttpRequest, release_id: UUID) -> list[UUID]:
    """Return the works of the release that the person may know of, in their order. Raises NotFound for none."""
    standings = publishing.standings_in_release(
        release_id=release_id, person_id=person_id_of(request), now=moment_of(request)
    )
    return [standing.work_id for standing in standings]


def _fragment(request: HttpRequest, release: Release, works: list[UUID]) -> "SafeString":
    asked = request.GET.get("heard", "")
    heard = next((work for work in works if str(work) == asked), None)
    fragment: SafeString = import_string(settings.CATALOG_RELEASE_FRAGMENT)(request, release, works, heard=heard)
    return fragment


@never_cache
@require_safe
def release(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Show a release: cover, what is on it, what playing or owning all of it costs."""
    known = _known(request, release_id)
    found = get_object_or_404(Release.objects.select_related("creator"), id=release_id)
    works = sorted(shelf.with_pictures().filter(id__in=known), key=lambda work: known.index(work.id))
    now, person_id = moment_of(request), person_id_of(request)
    pictures = [rendition for work in works for rendition in work.renditions.all()]
    cover = next((picture for picture in pictures if picture.kind == Rendition.Kind.COVER), None)
    photos = [work for work in works if work.kind == Work.Kind.PHOTO]
    context = {
        "release": found,
        "shown_under": "Photos" if works and len(photos) == len(works) else "",
        "cover": delivery.cover_url(cover, now=now) if cover else "",
        "tracks": len(works) - len(photos),
        "photos": len(photos),
        "cards": shelf.cards(photos, person_id=person_id, now=now) if photos else [],
        "seconds": sum(work.duration_ms or 0 for work in works) // 1000,
        "licences": sorted({LICENCES[work.licence][0] for work in works}),
        "explicit": any(work.explicit for work in works),
        "fragment": _fragment(request, found, known),
    }
    return render(request, "catalog/release.html", context)


@never_cache
@require_safe
def listening(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Show only the part of a release's page that has prices, as it stands now."""
    known = _known(request, release_id)
    found = get_object_or_404(Release.objects.select_related("creator"), id=release_id)
    return HttpResponse(_fragment(request, found, known))
