"""Split sheets: who is paid for a work, in which shares, from when. A sheet is in force until a newer one is."""

from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, QuerySet

from catalog.models import SplitLine, SplitSheet
from members import money, months


def found_own_sheet(*, work_id: UUID, person_id: UUID, email: str, now: datetime) -> SplitSheet:
    """Write the first sheet of a work: the publisher alone, in force at once."""
    begins = months.in_open_month(now)
    sheet = SplitSheet.objects.create(work_id=work_id, version=1, created_at=now, in_force_from=begins)
    SplitLine.objects.create(
        sheet=sheet, line_number=1, email=email, person_id=person_id, share_ppm=money.PPM, accepted_at=now
    )
    return sheet


def is_payee(*, work_id: UUID, person_id: UUID, now: datetime) -> bool:
    """Return whether the person is on the sheet that is in force now. One query."""
    return lines_in_force(work=work_id, now=now).filter(person_id=person_id).exists()


def lines_in_force(*, work: UUID | OuterRef, now: datetime) -> QuerySet[SplitLine]:
    """Return the lines of the sheet that is in force now; `work` may be a work of a query around this one."""
    in_force = (
        SplitSheet.objects.filter(work_id=work, in_force_from__lte=now)
        .order_by("-in_force_from", "-version")
        .values("id")[:1]
    )
    return SplitLine.objects.filter(sheet__in=in_force)
