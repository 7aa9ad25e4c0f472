"""A creator's page: who they are, what they released, and how to hear of what comes."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.module_loading import import_string
from django.views.decorators.http import require_safe

from catalog import publishing, search
from catalog.models import Creator, Work
from catalog.search import Asked
from catalog.views import shelf
from catalog.views.discovery import releases_shown
from catalog.views.shelf import Card
from members.requests import moment_of, person_id_of

TRACKS_SHOWN, PHOTOS_SHOWN, RELEASES_SHOWN = 24, 24, 12


@require_safe
def creator(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a creator's published works; to those who run the profile, drafts too."""
    found = get_object_or_404(Creator, slug=slug, closed_at=None)
    now, person_id = moment_of(request), person_id_of(request)
    mine = person_id is not None and publishing.manages(creator_id=found.id, person_id=person_id)
    drafts = Work.objects.filter(creator=found, state=Work.State.DRAFT).order_by("-created_at") if mine else []
    tracks, photos = (
        search.works(asked=Asked(creator=slug, kind=kind), rows=shelf.with_pictures(), after="", limit=most, now=now)
        for kind, most in ((Work.Kind.TRACK, TRACKS_SHOWN), (Work.Kind.PHOTO, PHOTOS_SHOWN))
    )
    releases = search.releases(words="", creator=slug, after="", limit=RELEASES_SHOWN, rows=releases_shown())
    cards = shelf.cards([*tracks.rows, *photos.rows], person_id=person_id, now=now)
    # A release shows the sleeve of its first work, as far as it stands on this page.
    sleeves = {card.work.release_id: card for card in sorted(cards, key=_place, reverse=True)}
    context = {
        "creator": found,
        "tracks": [card for card in cards if not card.is_photo],
        "photos": [card for card in cards if card.is_photo],
        "has_more_tracks": bool(tracks.after),
        "has_more_photos": bool(photos.after),
        "releases": [(release, sleeves.get(release.id)) for release in releases.rows],
        "drafts": drafts,
        "is_mine": mine,
        "follow": import_string(settings.CATALOG_CREATOR_FRAGMENT)(request, found),
        "base_url": settings.BASE_URL,
    }
    return render(request, "catalog/creator.html", context)


def _place(card: Card) -> int:
    return card.work.position or 0
