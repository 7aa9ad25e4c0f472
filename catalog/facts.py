"""Facts: what a library, a certificate and an export say of works. In every state: what is owned was taken off or not.

Read for many works at once, in a number of queries that does not depend on how many.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from catalog import delivery, versions
from catalog.licences import WORDS
from catalog.models import Rendition, Upload, Work


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture in the store, whole, and its edges in pixels."""

    key: str
    width: int
    height: int
    content_type: str

    def url(self, now: datetime) -> str:
        """Return the address under which it is seen for an hour."""
        return delivery.sign(self.key, now=now)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A work as its listeners know it. Lengths are thousandths of a second, `figure` is its price figure in micros.

    `original_sha256` is of the file as its creator sent it. `cover` is the sleeve, or the small photo.
    """

    work_id: UUID
    kind: str
    title: str
    creator: str
    creator_slug: str
    release: str
    position: int | None
    state: str
    off_at: datetime | None
    figure: int | None
    licence: str
    credits: list[dict[str, Any]]
    isrc: str
    origin: str
    explicit: bool
    alternative_text: str
    tags: list[str]
    duration_ms: int | None
    width: int | None
    height: int | None
    lossless: bool
    original_sha256: str
    original_bytes: int | None
    cover: Picture | None

    @property
    def is_photo(self) -> bool:
        """Whether it is looked at rather than heard."""
        return self.kind == Work.Kind.PHOTO

    @property
    def seconds(self) -> int:
        """How long it sounds, in whole seconds."""
        return (self.duration_ms or 0) // 1000

    @property
    def licence_name(self) -> str:
        """The licence's name."""
        return WORDS[self.licence][0]

    @property
    def licence_words(self) -> str:
        """What the licence lets a listener do."""
        return WORDS[self.licence][1]


def of(work_ids: Collection[UUID]) -> dict[UUID, Facts]:
    """Return the facts of these works. Three queries, however many there are."""
    works = Work.objects.filter(id__in=work_ids).select_related("creator", "release")
    covers = {row.work_id: row for row in Rendition.objects.filter(work_id__in=work_ids, kind=Rendition.Kind.COVER)}
    originals = versions.of_many(work_ids)
    return {work.id: _facts(work, covers.get(work.id), originals.get(work.id)) for work in works}


def of_one(work_id: UUID) -> Facts:
    """Return the facts of a work that is there."""
    return of([work_id])[work_id]


def _facts(work: Work, cover: Rendition | None, original: Upload | None) -> Facts:
    return Facts(
        work_id=work.id,
        kind=work.kind,
        title=work.title,
        creator=work.creator.name,
        creator_slug=work.creator.slug,
        release=work.release.title if work.release else "",
        position=work.position,
        state=work.state,
        off_at=work.off_at,
        figure=work.price_micros,
        licence=work.licence,
        credits=work.credits,
        isrc=work.isrc,
        origin=work.origin,
        explicit=work.explicit,
        alternative_text=work.alternative_text,
        tags=work.tags,
        duration_ms=work.duration_ms,
        width=work.width,
        height=work.height,
        lossless=bool(work.lossless),
        original_sha256=original.sha256 if original else "",
        original_bytes=original.size_bytes if original else None,
        cover=_picture(cover),
    )


def _picture(cover: Rendition | None) -> Picture | None:
    if cover is None:
        return None
    found = cover.layout
    return Picture(
        key=cover.prefix + found["file"],
        width=found["width"],
        height=found["height"],
        content_type=found["content_type"],
    )
