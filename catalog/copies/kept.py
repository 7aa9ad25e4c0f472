"""Kept: the downloads that were asked for so far and what became of them, read for many works at once.

`catalog.copies.downloads` makes them; here they are only looked at, for a library's page, a certificate and an export.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from catalog import delivery, versions
from catalog.models import Download, Work


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A download of a work in a format: `percent` made, and once it is ready the file in the store."""

    id: UUID
    work_id: UUID
    format: str
    asked_at: datetime
    state: str
    percent: int
    reason: str
    key: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, row: Download) -> "Kept":
        """Return what a row says."""
        return cls(
            id=row.id,
            work_id=row.work_id,
            format=row.format,
            asked_at=row.asked_at,
            state=row.state,
            percent=row.percent,
            reason=row.reason,
            key=row.key,
            filename=row.filename,
            content_type=row.content_type,
            size_bytes=row.size_bytes or 0,
            sha256=row.sha256,
        )

    @property
    def is_ready(self) -> bool:
        """Whether there is a file."""
        return self.state == Download.State.READY

    @property
    def has_failed(self) -> bool:
        """Whether it could not be made."""
        return self.state == Download.State.FAILED

    @property
    def is_waiting(self) -> bool:
        """Whether it is being made."""
        return self.state == Download.State.WAITING

    def url(self, now: datetime) -> str:
        """Return the address under which the file can be read for an hour."""
        return delivery.keep_url(self.key, now=now, filename=self.filename)


def of(work_ids: Collection[UUID], *, at: Mapping[UUID, datetime] | None = None) -> dict[UUID, dict[str, Kept]]:
    """Return the downloads of these works by format: of the file each has now, or had at the moment given for it.

    Two queries.
    """
    uploads = versions.of_many(work_ids, at=at)
    rows = Download.objects.filter(upload_id__in=[upload.id for upload in uploads.values()])
    found: defaultdict[UUID, dict[str, Kept]] = defaultdict(dict)
    for row in rows:
        found[row.work_id][row.format] = Kept.of(row)
    return dict(found)


def was_replaced(work_id: UUID, *, since: datetime) -> bool:
    """Return whether the work has another file now than it had at a moment. Two queries."""
    return versions.at(work_id, moment=since) != versions.at(work_id, moment=None)


def choose(work_ids: Collection[UUID], *, wanted: str) -> dict[UUID, str]:
    """Return in which format each of the works is packed where `wanted` is: its own where it cannot be had. One query.

    A photo is what it is, and there is no FLAC of what was lossy before.
    """
    return {
        work.id: wanted if work.kind == Work.Kind.TRACK and (wanted != "flac" or work.lossless) else "original"
        for work in Work.objects.filter(id__in=work_ids).only("kind", "lossless")
    }
