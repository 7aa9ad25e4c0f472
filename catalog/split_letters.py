"""What payees and publishers are told about a split sheet, by mail."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from catalog import shares
from catalog.models import SplitLine, SplitSheet
from members import admission, clock, letters
from members.letters import Letter


def invite(sheet: SplitSheet, lines: Sequence[SplitLine], *, held: bool, now: datetime) -> None:
    """Invite payees. `held` says that nothing is in force for the work, so that what it earns waits."""
    for line in lines:
        letter = _invitation(sheet, line, held=held, opening=f"{_proposer(sheet)} has written down who is paid for it.")
        letters.send_to(letter, address=line.email, key=f"split:{sheet.id}:{line.line_number}:invitation", now=now)


def remind(sheet: SplitSheet, *, number: int, now: datetime) -> None:
    """Remind who has not answered, and tell who proposed the sheet; once for each `number`."""
    held = not SplitSheet.objects.filter(work_id=sheet.work_id, in_force_from__lte=now).exists()
    silent = list(sheet.lines.filter(accepted_at=None).order_by("line_number"))
    since = day_and_month(sheet.created_at)
    for line in silent:
        letter = _invitation(sheet, line, held=held, opening=f"This offer has waited for your answer since {since}.")
        letters.send_to(
            letter, address=line.email, key=f"split:{sheet.id}:{line.line_number}:reminder:{number}", now=now
        )
    if sheet.proposed_by_id is not None:
        letter = Letter(
            subject=f"The split sheet of “{sheet.work.title}” still waits",
            paragraphs=[
                f"You proposed it on {since}. Not answered by: {', '.join(line.email for line in silent)}.",
                "They were reminded today. You may propose another sheet at any time; it takes the place of this one.",
            ],
            act="Look at the sheet",
            path=_work_path(sheet),
        )
        letters.send(letter, person_id=sheet.proposed_by_id, key=f"split:{sheet.id}:waits:{number}", now=now)


def tell_in_force(sheet: SplitSheet, *, now: datetime) -> None:
    """Tell everybody whose share a sheet that was accepted makes, changes or ends from when it is in force."""
    assert sheet.in_force_from is not None
    lines = {line.person_id: line for line in sheet.lines.all() if line.person_id is not None}
    before = (
        SplitSheet.objects.filter(work_id=sheet.work_id, in_force_from__lte=now)
        .exclude(id=sheet.id)
        .order_by("-in_force_from", "-version")
        .first()
    )
    earlier = set(before.lines.exclude(person=None).values_list("person_id", flat=True)) if before else set()
    if not before and len(lines) == 1:
        return  # Who is alone on the first sheet has just written it.
    moment = sheet.in_force_from.astimezone(clock.zone())
    from_when = f"{moment:%H:%M} on {day_and_month(moment)} ({settings.COOP_TIME_ZONE})"
    for person_id in sorted(lines.keys() | earlier, key=str):
        line = lines.get(person_id)
        yours = (
            f"Your share is {shares.show(line.share_ppm)} %." if line else "You are not on it; your share ends then."
        )
        letter = Letter(
            subject=f"Who is paid for “{sheet.work.title}” from {day_and_month(moment)} on",
            paragraphs=[
                f"Every payee accepted split sheet {sheet.version}. It is in force from {from_when}. {yours}",
                "What the work earned before is shared by the sheet that was in force then.",
            ],
            act="Look at the sheet" if line else "",
            path=reverse("catalog:split", args=[sheet.id]) if line else "",
        )
        letters.send(letter, person_id=person_id, key=f"split:{sheet.id}:in-force:{person_id}", now=now)


def tell_declined(sheet: SplitSheet, line: SplitLine, *, now: datetime) -> None:
    """Tell who proposed the sheet that a payee declined it."""
    if sheet.proposed_by_id is None:
        return
    letter = Letter(
        subject=f"{line.email} declined the split sheet of “{sheet.work.title}”",
        paragraphs=[
            f"It offered them {shares.show(line.share_ppm)} %. The sheet has ended; no share was changed by it.",
            "Propose another one when you have spoken with each other.",
        ],
        act="Propose another sheet",
        path=_work_path(sheet),
    )
    letters.send(letter, person_id=sheet.proposed_by_id, key=f"split:{sheet.id}:declined", now=now)


def day_and_month(moment: datetime) -> str:
    """Return a day as the pages print it: `22 November 2026`."""
    local = moment.astimezone(clock.zone())
    return f"{local.day} {local:%B %Y}"


def _invitation(sheet: SplitSheet, line: SplitLine, *, held: bool, opening: str) -> Letter:
    work, share = sheet.work, shares.show(line.share_ppm)
    others = sheet.lines.count() - 1
    facts = [("Your share", f"{share} %"), ("Other payees", str(others))]
    if line.part:
        facts.insert(0, ("For", line.part))
    waits = (
        "No sheet is in force for this work yet. Until one is, the creators’ part of what it earns is held; the first "
        "run after that releases it by the first sheet that comes into force."
        if held
        else "Until then the sheet in force stays as it is."
    )
    from_when = (
        f"It is in force from the midnight after the last payee accepted ({settings.COOP_TIME_ZONE}), never backwards. "
        f"{waits}"
    )
    who = (
        f"Only a sign-in whose confirmed address is {line.email} can accept. It costs nothing and needs no membership."
    )
    return Letter(
        subject=f"{share} % of “{work.title}” by {work.creator.name}: do you accept?",
        paragraphs=[
            f"“{work.title}” by {work.creator.name}: {opening}",
            "Accept it or decline it. Its shares do not change: other shares are another sheet, and all are asked.",
        ],
        facts=facts,
        act="Look at the sheet",
        path=reverse("catalog:split", args=[sheet.id]),
        after=[from_when, who],
    )


def _proposer(sheet: SplitSheet) -> str:
    proposer = sheet.proposed_by_id
    return admission.names_of([proposer]).get(proposer, "Somebody") if proposer else "Somebody"


def _work_path(sheet: SplitSheet) -> str:
    return f"{reverse('catalog:studio-work', args=[sheet.work_id])}#paid"
