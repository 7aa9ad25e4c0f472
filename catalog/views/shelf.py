"""Works on a shelf as cards, and on a light-table as whole pictures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils.module_loading import import_string

from catalog import delivery, profiles
from catalog.models import Rendition, Work

# What a light-table loads at most; the larger previews are for a photo's own page.
TABLE_WIDTH_MOST = 1_000
SQUARE = 480
# What no shelf shows stays in the database: to read it was a third of what a shelf costs.
UNSHOWN = (
    *("state_reason", "origin", "historic", "credits", "isrc", "language", "tags", "musicbrainz_recording"),
    *("lossless", "loudness_centilufs", "created_at", "off_at"),
    *("creator__about", "creator__links", "creator__created_at", "creator__closed_at"),
)


@dataclass(frozen=True, kw_only=True)
class Card:
    """A work on a shelf: its cover's address, what the next play costs them (None: nothing), how far they are.

    `width` and `height` are the cover's, in pixels; `sources` is what `srcset` says of a photo; `told` a line about it.
    """

    work: Work
    cover: str
    price_micros: int | None
    own: bool = False
    owned: bool = False
    paid_plays: int = 0
    plays: int = 0
    width: int = SQUARE
    height: int = SQUARE
    sources: str = ""
    told: str = ""

    @property
    def is_photo(self) -> bool:
        """Whether it is looked at."""
        return self.work.kind == Work.Kind.PHOTO


class _Standing(Protocol):
    """How a work stands for somebody, as playback says it (settings.CATALOG_SHELF_STANDINGS)."""

    price_micros: int | None
    owned: bool
    paid_plays: int
    plays: int


def cards(
    works: Iterable[Work], *, person_id: UUID | None, now: datetime, told: Mapping[UUID, str] | None = None
) -> list[Card]:
    """Return the works as they stand on a shelf for this person; `works` come with creator and pictures fetched."""
    shown = list(works)
    figures = {work.id: work.price_micros for work in shown}
    run = {profile.id for profile in profiles.run_by(person_id)} if person_id and shown else set()
    standings = import_string(settings.CATALOG_SHELF_STANDINGS)(person_id=person_id, figures=figures, now=now)
    return [_card(work, standings[work.id], run, now, (told or {}).get(work.id, "")) for work in shown]


def _card(work: Work, standing: _Standing, run: set[UUID], now: datetime, told: str) -> Card:
    pictures = {rendition.kind: rendition for rendition in work.renditions.all()}
    cover = pictures.get(Rendition.Kind.COVER)
    preview = pictures.get(Rendition.Kind.PREVIEW)
    sizes = preview.layout["sizes"] if preview is not None else []
    return Card(
        work=work,
        cover=delivery.cover_url(cover, now=now) if cover else "",
        price_micros=standing.price_micros,
        own=work.creator_id in run,
        owned=standing.owned,
        paid_plays=standing.paid_plays,
        plays=standing.plays,
        width=cover.layout.get("width") or SQUARE if cover else work.width or SQUARE,
        height=cover.layout.get("height") or SQUARE if cover else work.height or SQUARE,
        sources=", ".join(
            f"{delivery.sign(preview.prefix + size['file'], now=now)} {size['width']}w"
            for size in sizes
            if preview is not None and size["width"] <= TABLE_WIDTH_MOST
        ),
        told=told,
    )


def with_creator() -> QuerySet[Work]:
    """Return works with their creators: one query."""
    return Work.objects.select_related("creator")


def with_pictures() -> QuerySet[Work]:
    """Return works with what a card needs of them, and no more: two queries."""
    kinds = [Rendition.Kind.COVER, Rendition.Kind.PREVIEW]
    pictures = Rendition.objects.filter(kind__in=kinds).defer("size_bytes", "created_at")
    return with_creator().defer(*UNSHOWN).prefetch_related(Prefetch("renditions", pictures))


def on_the_shelf() -> QuerySet[Work]:
    """Return published works, newest first, with what a card needs: two queries."""
    return with_pictures().filter(state=Work.State.PUBLISHED).order_by("-published_at", "-id")
