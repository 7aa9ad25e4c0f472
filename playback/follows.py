"""Follows and favourites: what listeners keep near without paying, and what is new of those they follow.

Whom somebody follows is theirs to know. How many follow a creator is told from five on, as a round number that is
passed, and as it stood when the day began: so that no single follow can be read off it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from catalog import publishing, search
from catalog.places import Page
from members import clock
from members.problems import Invalid
from playback.following_models import Favourite, Follow

FOLLOWS_MOST = 1_000
FAVOURITES_MOST = 10_000
# What a number of people is told as: the largest of these that it reaches, and nothing below the first.
ROUND_NUMBERS = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)


def follow(*, person_id: UUID, slug: str, now: datetime) -> UUID:
    """Follow a creator and return their id; who follows already goes on doing so. Raises NotFound, Invalid."""
    creator_id = search.creator_of(slug)
    if Follow.objects.filter(listener_id=person_id).count() >= FOLLOWS_MOST and not is_following(
        person_id=person_id, creator_id=creator_id
    ):
        raise Invalid(f"One person follows at most {FOLLOWS_MOST} creators.")
    row = Follow(listener_id=person_id, creator_id=creator_id, followed_at=now)
    Follow.objects.bulk_create([row], ignore_conflicts=True)
    return creator_id


def unfollow(*, person_id: UUID, slug: str) -> None:
    """Follow a creator no longer; who did not is left as they are. Also for a profile that is closed."""
    Follow.objects.filter(listener_id=person_id, creator__slug=slug).delete()


def is_following(*, person_id: UUID | None, creator_id: UUID) -> bool:
    """Return whether the person follows the creator. One query for who is signed in."""
    return person_id is not None and Follow.objects.filter(listener_id=person_id, creator_id=creator_id).exists()


def followed(*, person_id: UUID) -> list[UUID]:
    """Return whom the person follows, the latest first. One query."""
    rows = Follow.objects.filter(listener_id=person_id).order_by("-followed_at", "-creator_id")
    return list(rows.values_list("creator_id", flat=True))


def followers_least(*, creator_id: UUID, now: datetime) -> int | None:
    """Return a round number of followers that was reached when the day began, or None below five. One query."""
    today = clock.start_of(clock.day(now))
    return round_number(Follow.objects.filter(creator_id=creator_id, followed_at__lt=today).count())


def round_number(people: int) -> int | None:
    """Return the largest round number that so many people reach, or None below five."""
    return max((number for number in ROUND_NUMBERS if number <= people), default=None)


def feed(*, person_id: UUID, rows: Any, after: str, limit: int) -> Page[Any]:
    """Return published works of those the person follows, newest first. Three queries. Raises Invalid for a bad place.

    `rows` says what comes with each work (a queryset of catalog's works).
    """
    return search.of_creators(creator_ids=followed(person_id=person_id), rows=rows, after=after, limit=limit)


def mark(*, person_id: UUID, work_id: UUID, now: datetime) -> None:
    """Make a work one of the person's favourites. Raises NotFound for what is not theirs to know, Invalid."""
    publishing.standing(work_id=work_id, person_id=person_id, now=now)
    if Favourite.objects.filter(listener_id=person_id).count() >= FAVOURITES_MOST:
        raise Invalid(f"One person has at most {FAVOURITES_MOST} favourites.")
    Favourite.objects.bulk_create(
        [Favourite(listener_id=person_id, work_id=work_id, marked_at=now)], ignore_conflicts=True
    )


def unmark(*, person_id: UUID, work_id: UUID) -> None:
    """Make a work no favourite any more; one that was none is left as it is."""
    Favourite.objects.filter(listener_id=person_id, work_id=work_id).delete()


def favourites_among(*, person_id: UUID | None, work_ids: Collection[UUID]) -> set[UUID]:
    """Return which of these works are the person's favourites. One query for who is signed in."""
    if person_id is None:
        return set()
    rows = Favourite.objects.filter(listener_id=person_id, work_id__in=work_ids)
    return set(rows.values_list("work_id", flat=True))
