"""Pages and parts of following: the button on a creator's page, the one on a work's, and what is new of those followed.

The buttons are forms, which work without a script; with one they change in place, so that the sound goes on.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog.views import shelf
from catalog.views.shelf import Card
from members import clock
from members.requests import moment_of, person_id_of, signed_in_id
from playback import follows

WORKS_ON_A_PAGE = 48


def follow_fragment(request: HttpRequest, creator: Any) -> SafeString:
    """Return the button that follows a creator, and how many do. Two queries (settings.CATALOG_CREATOR_FRAGMENT)."""
    person_id = person_id_of(request)
    context = {
        "creator": creator,
        "following": follows.is_following(person_id=person_id, creator_id=creator.id),
        "followers_least": follows.followers_least(creator_id=creator.id, now=moment_of(request)),
    }
    return mark_safe(render_to_string("playback/_follow.html", context, request))  # noqa: S308  (a rendered template)


def favourite_fragment(request: HttpRequest, work_id: UUID, title: str) -> SafeString:
    """Return the button that makes a work a favourite. One query for who is signed in."""
    favourite = follows.favourites_among(person_id=person_id_of(request), work_ids=[work_id])
    context = {"work_id": work_id, "title": title, "favourite": bool(favourite)}
    return mark_safe(render_to_string("playback/_favourite.html", context, request))  # noqa: S308  (likewise)


@login_required
@require_POST
def follow(request: HttpRequest, slug: str) -> HttpResponse:
    """Follow a creator, or with `on=0` no longer; leads back to their page."""
    if request.POST.get("on") == "0":
        follows.unfollow(person_id=signed_in_id(request), slug=slug)
    else:
        follows.follow(person_id=signed_in_id(request), slug=slug, now=moment_of(request))
    return redirect("catalog:creator", slug)


@login_required
@require_POST
def favourite(request: HttpRequest, work_id: UUID) -> HttpResponse:
    """Make a work a favourite, or with `on=0` none; leads back to its page."""
    if request.POST.get("on") == "0":
        follows.unmark(person_id=signed_in_id(request), work_id=work_id)
    else:
        follows.mark(person_id=signed_in_id(request), work_id=work_id, now=moment_of(request))
    return redirect("catalog:work", work_id)


@dataclass(kw_only=True)
class News:
    """What a creator published on one day: works of one release, or works of none."""

    creator: Any
    release: Any
    day: date
    cards: list[Card] = field(default_factory=list)


def _news(cards: list[Card]) -> list[News]:
    """Return the cards, newest first, gathered by day, creator and release."""
    gathered: list[News] = []
    for card in cards:
        assert card.work.published_at is not None
        day = clock.day(card.work.published_at)
        last = gathered[-1] if gathered else None
        same = last and (last.day, last.creator, last.release) == (day, card.work.creator, card.work.release)
        if last is None or not same:
            last = News(creator=card.work.creator, release=card.work.release, day=day)
            gathered.append(last)
        last.cards.append(card)
    return gathered


@never_cache
@login_required
@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    """Show what is new of those one follows."""
    person_id, now, after = signed_in_id(request), moment_of(request), request.GET.get("after", "")
    found = follows.feed(
        person_id=person_id, rows=shelf.with_pictures().select_related("release"), after=after, limit=WORKS_ON_A_PAGE
    )
    cards = shelf.cards(found.rows, person_id=person_id, now=now)
    context = {
        "news": _news(cards),
        "follows_somebody": bool(cards) or bool(follows.followed(person_id=person_id)),
        "older": f"{reverse('playback:feed')}?{urlencode({'after': found.after})}" if found.after else "",
        "is_later_page": bool(after),
    }
    return render(request, "playback/feed.html", context)
