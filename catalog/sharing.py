"""Who is paid for a work: proposing a split sheet, answering it, and reminding those who have not.

A sheet is written once. Changing a share is a newer sheet, which every payee accepts anew, and which waits while the
older one stays in force; so nobody's share changes after somebody relied on it, and nothing is ever backdated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from catalog import naming, publishing, shares, split_letters
from catalog.models import CreatorRole, SplitLine, SplitSheet, Work
from members import admission, clock, money, months, throttles
from members.problems import Invalid, NotFound, Problem

PAYEES_MOST = 50
PART_MOST = 80
EMAIL_MOST = 254
REMIND_AFTER = timedelta(days=90)
INVITATIONS_A_DAY = 1_000
DAY_SECONDS = 86_400
WAITING = Q(in_force_from=None, ended_at=None)


class SheetOver(Problem):
    """The split sheet does not wait for an answer any more: declined, or replaced by a newer one."""

    slug, status, title = "split-sheet-over", 409, "This split sheet is over"


@dataclass(frozen=True, kw_only=True)
class Payee:
    """One line as it is proposed: to whom, how many ppm, and what for in the publisher's words."""

    email: str
    share_ppm: int
    part: str = ""


def propose(*, work_id: UUID, person_id: UUID, payees: Sequence[Payee], now: datetime) -> SplitSheet:
    """Write a sheet and invite its payees; return it, or the one that says the same already.

    In force at once if its only payee is who proposes it. It takes the place of a sheet that still waits. Raises
    NotFound, and Invalid for shares that are not the whole or a payee who is nobody.
    """
    lines = _cleaned(payees)
    with transaction.atomic():
        work = publishing.managed_work(work_id=work_id, person_id=person_id)
        same = _same_already(work, lines)
        if same is not None:
            return same
        for older in work.split_sheets.select_for_update().filter(WAITING):
            _end(older, SplitSheet.Ending.REPLACED, now)
        own_email = admission.email_of(person_id).lower()
        verified = admission.addresses_of(person_id)
        alone = len(lines) == 1 and lines[0].email in verified | {own_email}
        sheet = SplitSheet.objects.create(
            work=work,
            version=1 + max(work.split_sheets.values_list("version", flat=True), default=0),
            proposed_by_id=person_id,
            created_at=now,
            in_force_from=_at_once(work, now) if alone else None,
        )
        mine = {lines[0].email} if alone else verified
        made = SplitLine.objects.bulk_create(
            SplitLine(
                sheet=sheet,
                line_number=number,
                email=payee.email,
                part=payee.part,
                share_ppm=payee.share_ppm,
                person_id=person_id if payee.email in mine else None,
                accepted_at=now if payee.email in mine else None,
            )
            for number, payee in enumerate(lines, 1)
        )
        invited = [line for line in made if line.accepted_at is None]
        if invited:
            throttles.check(f"invitations:{person_id}", limit=INVITATIONS_A_DAY, seconds=DAY_SECONDS)
        split_letters.invite(
            sheet, invited, held=not work.split_sheets.filter(in_force_from__lte=now).exists(), now=now
        )
        if alone:
            split_letters.tell_in_force(sheet, now=now)
    return sheet


def accept(*, sheet_id: UUID, person_id: UUID) -> SplitSheet:
    """Accept every line of the sheet that is the person's, once. The last acceptance puts it in force from midnight.

    The moment is read after the sheet is locked, for it decides which midnight: a request that waited over one for its
    lock must not put a sheet in force in the past. Raises NotFound and SheetOver.
    """
    with transaction.atomic():
        sheet, mine = _answering(sheet_id, person_id)
        now = months.in_open_month(clock.now())
        for line in mine:
            if line.accepted_at is None:
                line.person_id, line.accepted_at = person_id, now
                line.save(update_fields=["person", "accepted_at"])
        if sheet.in_force_from is None and not sheet.lines.filter(accepted_at=None).exists():
            sheet.in_force_from = clock.start_of(clock.day(now) + timedelta(days=1))
            sheet.save(update_fields=["in_force_from"])
            split_letters.tell_in_force(sheet, now=now)
    return sheet


def decline(*, sheet_id: UUID, person_id: UUID) -> SplitSheet:
    """Decline the sheet, which ends it, and tell who proposed it. Raises NotFound, and SheetOver once accepted."""
    with transaction.atomic():
        sheet, mine = _answering(sheet_id, person_id)
        if sheet.in_force_from is not None or all(line.accepted_at for line in mine):
            raise SheetOver("You accepted it. A newer sheet, proposed by who runs the profile, can change the shares.")
        now = clock.now()
        for line in mine:
            if line.accepted_at is None:
                line.declined_at = now
                line.save(update_fields=["declined_at"])
        _end(sheet, SplitSheet.Ending.DECLINED, now)
        split_letters.tell_declined(sheet, mine[0], now=now)
    return sheet


def remind(*, now: datetime, limit: int) -> int:
    """Remind payees who have not answered for 90 days, and again every 90; return how many sheets wait so long."""
    with transaction.atomic():
        waiting = list(
            SplitSheet.objects.select_for_update(skip_locked=True)
            .filter(WAITING, work__creator__closed_at=None)
            .annotate(asked_at=Coalesce(F("reminded_at"), F("created_at")))
            .filter(asked_at__lte=now - REMIND_AFTER)
            .order_by("created_at", "id")[:limit]
        )
        for sheet in waiting:
            split_letters.remind(sheet, number=(now - sheet.created_at) // REMIND_AFTER, now=now)
            sheet.reminded_at = now
            sheet.save(update_fields=["reminded_at"])
    return len(waiting)


def seen_by(*, work_id: UUID, person_id: UUID) -> QuerySet[SplitSheet]:
    """Return the sheets of a work that the person may see: all to who has a role in its profile, else those with them.

    Raises NotFound when there is nothing of theirs to see.
    """
    sheets = SplitSheet.objects.filter(work_id=work_id).prefetch_related("lines")
    if CreatorRole.objects.filter(person_id=person_id, creator__works=work_id).exists():
        return sheets
    own = sheets.filter(id__in=_lines_of(person_id).filter(sheet__work_id=work_id).values("sheet_id"))
    if not own.exists():
        raise NotFound("there is no such work of yours")
    return own


def asked_of(*, sheet_id: UUID, person_id: UUID) -> tuple[SplitSheet, list[SplitLine]]:
    """Return a sheet and the lines of it that are the person's. Raises NotFound where none is."""
    lines = list(_lines_of(person_id).filter(sheet_id=sheet_id).select_related("sheet__work__creator"))
    if not lines:
        raise NotFound("there is no such split sheet for you")
    return lines[0].sheet, lines


def waiting_for(person_id: UUID) -> list[SplitLine]:
    """Return the lines that wait for the person's answer, oldest first. Two queries."""
    return list(
        SplitLine.objects.filter(email__in=admission.addresses_of(person_id), accepted_at=None, declined_at=None)
        .filter(sheet__in_force_from=None, sheet__ended_at=None)
        .select_related("sheet__work__creator")
        .order_by("sheet__created_at", "id")
    )


def states(*, work_id: UUID, now: datetime) -> dict[UUID, str]:
    """Return how each sheet of a work stands. One query.

    That is waiting, accepted (it comes into force), in-force, past, declined or replaced.
    """
    rows = list(SplitSheet.objects.filter(work_id=work_id).values_list("in_force_from", "version", "id", "ending"))
    begun = [(moment, version, sheet_id) for moment, version, sheet_id, _ in rows if moment and moment <= now]
    current = max(begun)[2] if begun else None
    found = {}
    for moment, _, sheet_id, ending in rows:
        if moment is None:
            found[sheet_id] = ending or "waiting"
        elif moment > now:
            found[sheet_id] = "accepted"
        else:
            found[sheet_id] = "in-force" if sheet_id == current else "past"
    return found


def _cleaned(payees: Sequence[Payee]) -> list[Payee]:
    """Return the payees as they are kept. Raises Invalid."""
    if not 1 <= len(payees) <= PAYEES_MOST:
        raise Invalid(f"A split sheet has 1 to {PAYEES_MOST} payees.")
    cleaned = []
    for payee in payees:
        email = payee.email.strip().lower()
        try:
            validate_email(email)
        except ValidationError:
            raise Invalid(f"“{email[:80]}” is no e-mail address.") from None
        if len(email) > EMAIL_MOST:
            raise Invalid("An e-mail address is shorter.")
        if not 1 <= payee.share_ppm <= money.PPM:
            raise Invalid("A share is more than nothing and at most 100 per cent.")
        cleaned.append(Payee(email=email, share_ppm=payee.share_ppm, part=naming.clean(payee.part, most=PART_MOST)))
    if len({payee.email for payee in cleaned}) < len(cleaned):
        raise Invalid("Somebody stands on the sheet twice: add their shares together.")
    if words := shares.missing(sum(payee.share_ppm for payee in cleaned)):
        raise Invalid(f"The shares are not the whole: {words}")
    return cleaned


def _same_already(work: Work, lines: list[Payee]) -> SplitSheet | None:
    """Return the newest sheet that was not ended, if it says the same: asking twice invites nobody twice."""
    newest = work.split_sheets.filter(ended_at=None).order_by("-version").first()
    if newest is None:
        return None
    said = [Payee(email=one.email, share_ppm=one.share_ppm, part=one.part) for one in _in_order(newest)]
    return newest if said == lines else None


def _in_order(sheet: SplitSheet) -> QuerySet[SplitLine]:
    return sheet.lines.order_by("line_number")


def _at_once(work: Work, now: datetime) -> datetime:
    """Return when a sheet that needs nobody's answer is in force: now, but never before one that was accepted.

    Nor in a month that closed meanwhile: what that one earned is being divided already.
    """
    now = months.in_open_month(now)
    latest = work.split_sheets.exclude(in_force_from=None).order_by("-in_force_from").first()
    return max(now, latest.in_force_from or now) if latest else now


def _end(sheet: SplitSheet, ending: str, now: datetime) -> None:
    sheet.ending, sheet.ended_at = ending, now
    sheet.save(update_fields=["ending", "ended_at"])


def _lines_of(person_id: UUID) -> QuerySet[SplitLine]:
    """Return the lines that are the person's: accepted by them, or offered to an address they proved to be theirs."""
    return SplitLine.objects.filter(
        Q(person_id=person_id) | Q(email__in=admission.addresses_of(person_id), person=None)
    )


def _answering(sheet_id: UUID, person_id: UUID) -> tuple[SplitSheet, list[SplitLine]]:
    """Return the sheet, locked, and the person's lines. Raises NotFound, SheetOver."""
    sheet = SplitSheet.objects.select_for_update().filter(id=sheet_id).first()
    mine = list(_lines_of(person_id).filter(sheet_id=sheet_id).order_by("line_number")) if sheet else []
    if sheet is None or not mine:
        raise NotFound("there is no such split sheet for you")
    if sheet.ended_at is not None:
        ended = "was declined" if sheet.ending == SplitSheet.Ending.DECLINED else "was replaced by a newer one"
        raise SheetOver(f"It {ended}. Nothing was changed by it.")
    return sheet, mine
