"""The shelves of the front page: what members own most, and what few have heard yet.

Both are filled once a day from what stood when the day began, so that no single purchase can be read off them. A shelf
has one place for a creator, so that nobody fills it alone. What members own most begins at five owners; how many there
are is told as a round number that was passed. What few have heard is drawn by the day's seed, so that a work that
nobody knows has the same chance as any other of its kind (infra/decisions/0010).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from catalog import search
from catalog.search import Known
from members import clock, locks, patience
from playback.following_models import ShelfPlace
from playback.follows import round_number
from playback.models import Holding

KINDS = ("track", "photo")
PLACES = 8
OWNERS_LEAST = 5
OWNED_LOOKED_AT = 2_000
# Fewer paying listeners than this is "few"; enough works are drawn that some will do.
FEW_LISTENERS, DRAWN = 20, 400
DAYS_KEPT = 7
_FILL_LOCK = 5_117_001


@dataclass(frozen=True, kw_only=True)
class Place:
    """A work on a shelf; `owners_least` is the round number of owners it has passed, where that is told."""

    work_id: UUID
    owners_least: int | None


def fill(*, now: datetime) -> bool:
    """Fill the shelves of the co-op's day, unless they are filled. Returns whether it did. For a task, once an hour."""
    today = clock.day(now)
    with transaction.atomic():
        patience.take_time(minutes=5)
        if not locks.is_ours(_FILL_LOCK) or ShelfPlace.objects.filter(day=today).exists():
            return False
        rows = []
        owned = list(_owned_most(today))
        quiet = list(_quiet(today, taken={known.work_id for known, _ in owned}))
        for shelf, found in ((ShelfPlace.Shelf.OWNED, owned), (ShelfPlace.Shelf.QUIET, quiet)):
            for kind in KINDS:
                of_kind = [(known, owners) for known, owners in found if known.kind == kind]
                rows += [
                    ShelfPlace(
                        day=today, shelf=shelf, kind=kind, position=place, work_id=known.work_id, owners_least=owners
                    )
                    for place, (known, owners) in enumerate(of_kind, start=1)
                ]
        ShelfPlace.objects.bulk_create(rows)
        kept = ShelfPlace.objects.order_by("-day").values_list("day", flat=True).distinct()[:DAYS_KEPT]
        ShelfPlace.objects.exclude(day__in=list(kept)).delete()
    return True


def places() -> dict[str, list[Place]]:
    """Return the latest shelves by name, `owned` and `quiet`: tracks and photos in turn. One query."""
    latest = ShelfPlace.objects.order_by("-day").values("day")[:1]
    found: dict[str, list[Place]] = {str(shelf): [] for shelf in ShelfPlace.Shelf}
    for row in ShelfPlace.objects.filter(day=latest).order_by("shelf", "position", "-kind"):
        found[row.shelf].append(Place(work_id=row.work_id, owners_least=row.owners_least))
    return found


def _owned_most(today: date) -> Iterator[tuple[Known, int | None]]:
    counted = (
        Holding.objects.filter(owned_at__lt=clock.start_of(today))
        .values("work_id")
        .annotate(owners=Count("listener_id"))
        .filter(owners__gte=OWNERS_LEAST)
        .order_by("-owners", "work_id")
        .values_list("work_id", "owners")[:OWNED_LOOKED_AT]
    )
    owners = dict(counted)
    # Equal ones stand in another order each day.
    order = sorted(owners, key=lambda work_id: (-owners[work_id], _seed(today, str(work_id))))
    for known in _one_for_each_creator(search.published_among(order)):
        yield known, round_number(owners[known.work_id])


def _quiet(today: date, *, taken: set[UUID]) -> Iterator[tuple[Known, None]]:
    for kind in KINDS:
        drawn = search.drawn(kind=kind, start=UUID(bytes=_seed(today, kind)[:16]), most=DRAWN)
        paying = dict(
            Holding.objects.filter(work_id__in=[known.work_id for known in drawn], paid_micros__gt=0)
            .values("work_id")
            .annotate(listeners=Count("listener_id"))
            .values_list("work_id", "listeners")
        )
        few = [one for one in drawn if paying.get(one.work_id, 0) < FEW_LISTENERS and one.work_id not in taken]
        yield from ((known, None) for known in _one_for_each_creator(few))


def _one_for_each_creator(works: Iterable[Known]) -> Iterator[Known]:
    """Yield at most eight works of each kind, none two of one creator."""
    seen: set[tuple[str, UUID]] = set()
    places: Counter[str] = Counter()
    for known in works:
        if (known.kind, known.creator_id) not in seen and places[known.kind] < PLACES:
            seen.add((known.kind, known.creator_id))
            places[known.kind] += 1
            yield known


def _seed(today: date, what: str) -> bytes:
    return sha256(f"shelves {today.isoformat()} {what}".encode()).digest()
