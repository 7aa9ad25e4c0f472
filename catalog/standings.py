"""How several works stand for one person at a moment: what a queue, a release and a shelf ask, in few queries."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from catalog.models import CreatorRole, SplitLine, SplitSheet, Work
from catalog.publishing import Standing

MANAGING = (CreatorRole.Role.OWNER, CreatorRole.Role.EDITOR)


def of(work_ids: Collection[UUID], *, person_id: UUID | None, now: datetime) -> dict[UUID, Standing]:
    """Return the standing of each work the person may know of: others' drafts are left out.

    Three queries for somebody, one for a stranger, however many works there are.
    """
    works = Work.objects.filter(id__in=work_ids).values(
        "id", "kind", "title", "state", "price_micros", "duration_ms", "off_at", "creator_id"
    )
    rows = list(works)
    own = _own(rows, person_id, now) if person_id is not None else set()
    return {
        row["id"]: Standing(
            work_id=row["id"],
            kind=row["kind"],
            title=row["title"],
            state=row["state"],
            figure=row["price_micros"],
            duration_ms=row["duration_ms"] or 0,
            off_at=row["off_at"],
            own=row["id"] in own,
        )
        for row in rows
        if row["state"] != Work.State.DRAFT or row["id"] in own
    }


def _own(rows: list[dict[str, object]], person_id: UUID, now: datetime) -> set[object]:
    """Return which works are the person's own: of a profile they manage, or shared with them by a split sheet."""
    managed = set(
        CreatorRole.objects.filter(
            creator_id__in={row["creator_id"] for row in rows}, person_id=person_id, role__in=MANAGING
        ).values_list("creator_id", flat=True)
    )
    in_force = (
        SplitSheet.objects.filter(work_id__in=[row["id"] for row in rows], in_force_from__lte=now)
        .order_by("work_id", "-in_force_from", "-version")
        .distinct("work_id")
        .values("id")
    )
    shared = SplitLine.objects.filter(sheet__in=in_force, person_id=person_id).values_list("sheet__work_id", flat=True)
    return {row["id"] for row in rows if row["creator_id"] in managed} | set(shared)
