"""Reports: what somebody says is wrong with a work, what is decided about it and why, suspension and appeal.

Anybody may report, with or without an address. Staff of the catalogue answer all open reports of a work at once: they
dismiss them, or suspend the work with a statement of reasons (facts, rule, scope, how to appeal) that goes to its
people. An appeal is decided by somebody else. Lifting a suspension makes the work again what it was before. Nobody
decides about a work that is their own. Each decision is a row that is never changed (sql/reports.sql), so when
earnings were to be held can be read for ever (the view catalog_work_suspension).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet

from catalog import publishing
from catalog.models import CreatorRole, SplitLine, Work
from catalog.report_models import Appeal, AppealDecision, Lifting, Report, ReportDecision, Suspension
from members import admission, letters
from members.admission import Staff
from members.letters import Letter
from members.problems import Invalid, NotAllowed, NotFound, Problem

TEXT_MOST = 4_000
MAY_DECIDE = (Staff.CATALOGUE,)
CATEGORIES = dict(Report.Category.choices)


class AlreadyDecided(Problem):
    """Somebody decided meanwhile, or there is nothing left to decide."""

    slug, status, title = "already-decided", 409, "This is decided already"


class NotSuspended(Problem):
    """The work is not suspended, so there is nothing to appeal against."""

    slug, status, title = "not-suspended", 409, "This work is not suspended"


class AppealFiled(Problem):
    """There is one appeal against a suspension, and it was filed."""

    slug, status, title = "appeal-filed", 409, "There is an appeal already"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A work with open reports, as the queue shows it: who looks may decide, unless it is theirs."""

    work: Work
    reports: list[Report]
    own: bool


def check_may_decide(staff_id: UUID) -> None:
    """Raise NotAllowed unless the person is staff of the catalogue."""
    if not admission.has_role(person_id=staff_id, roles=MAY_DECIDE):
        raise NotAllowed("only the catalogue's staff looks into reports")


def file(
    *, work_id: UUID, person_id: UUID | None, category: str, text: str, contact: str = "", now: datetime
) -> Report:
    """Take a report in and acknowledge it by mail, if there is an address. Raises NotFound for what is not public.

    Somebody signed in who reports the same work for the same thing while that is open has their first report.
    """
    text, contact = _said(text), contact.strip()
    if category not in CATEGORIES:
        raise Invalid(f"The category is one of {', '.join(CATEGORIES)}.")
    if contact:
        try:
            validate_email(contact)
        except ValidationError as error:
            raise Invalid("That is no address of a mailbox.") from error
    publishing.standing(work_id=work_id, person_id=None, now=now)
    with transaction.atomic():
        work = Work.objects.select_for_update().get(id=work_id)
        if person_id is not None:
            same = Report.objects.filter(work=work, person_id=person_id, category=category, decision=None).first()
            if same is not None:
                return same
        report = Report.objects.create(
            work=work, person_id=person_id, contact=contact, category=category, text=text, filed_at=now
        )
        letter = Letter(
            subject=f"Your report about “{work.title}”",
            paragraphs=[
                "We have it, and somebody of the catalogue looks into it. You said:",
                text,
                "You will hear what was decided. Until then the work stays as it is.",
            ],
            facts=[("About", CATEGORIES[category]), ("Number", str(report.id))],
        )
        _write(report, letter, key=f"report:{report.id}", now=now)
    return report


def queue(*, staff_id: UUID, limit: int = 100) -> list[Case]:
    """Return the works with open reports, the longest waiting first. Four queries. Raises NotAllowed."""
    check_may_decide(staff_id)
    open_reports = (
        Report.objects.filter(decision=None).select_related("work__creator", "person").order_by("filed_at", "id")
    )
    cases: dict[UUID, list[Report]] = {}
    for report in open_reports[: limit * 10]:
        cases.setdefault(report.work_id, []).append(report)
    own = _own_works(staff_id, list(cases))
    return [
        Case(work=reports[0].work, reports=reports, own=work_id in own)
        for work_id, reports in list(cases.items())[:limit]
    ]


def dismiss(*, work_id: UUID, staff_id: UUID, reasons: str, now: datetime) -> ReportDecision:
    """Dismiss the open reports of a work, with reasons that whoever reported it reads.

    Raises NotAllowed, NotFound, Invalid without reasons, and AlreadyDecided when none is open.
    """
    reasons = _said(reasons)
    with transaction.atomic():
        work, reports = _to_decide(work_id, staff_id)
        decision = _decide(work, reports, ReportDecision.Outcome.DISMISSED, staff_id, reasons, now)
        letter = Letter(
            subject=f"Your report about “{work.title}” was looked into",
            paragraphs=["The work stays as it is. The reasons:", reasons],
        )
        for report in reports:
            _write(report, letter, key=f"report-decided:{report.id}", now=now)
    return decision


def suspend(*, work_id: UUID, staff_id: UUID, facts: str, rule: str, scope: str, now: datetime) -> Suspension:
    """Suspend a work after reports: nothing of it is charged or sold from now on, and its people are told why.

    Raises NotAllowed, NotFound, Invalid without each part of the statement, and AlreadyDecided when no report is open
    or the work is not public.
    """
    facts, rule, scope = _said(facts), _said(rule), _said(scope)
    with transaction.atomic():
        work, reports = _to_decide(work_id, staff_id)
        if work.state not in (Work.State.PUBLISHED, Work.State.OFF):
            raise AlreadyDecided(f"The work is {work.state} now; there is nothing to suspend.")
        decision = _decide(work, reports, ReportDecision.Outcome.SUSPENDED, staff_id, f"{facts}\n\n{rule}", now)
        suspension = Suspension.objects.create(
            work=work,
            decision=decision,
            state_before=work.state,
            facts=facts,
            rule=rule,
            scope=scope,
            suspended_at=now,
        )
        work.state, work.state_reason = Work.State.SUSPENDED, facts
        work.save(update_fields=["state", "state_reason"])
        statement = Letter(
            subject=f"“{work.title}” is suspended",
            paragraphs=[
                "After a report the co-op's catalogue suspended your work. This is the statement of reasons.",
                f"What was found: {facts}",
                f"The rule or law: {rule}",
                f"What it covers: {scope}",
                (
                    "Nothing of it is charged or sold while it is suspended, and what it earned before is"
                    " kept for you. Who owns it hears it as before."
                ),
            ],
            facts=[("Number", str(suspension.id))],
            act="Appeal against it",
            path=f"/works/{work.id}/appeal",
            after=["An appeal is decided by somebody else than who suspended it. You may also go to a court."],
        )
        for person_id in _people_of(work):
            letters.send(statement, person_id=person_id, key=f"suspension:{suspension.id}:{person_id}", now=now)
        told = Letter(
            subject=f"Your report about “{work.title}” was looked into",
            paragraphs=["The work is suspended. What was found:", facts],
        )
        for report in reports:
            _write(report, told, key=f"report-decided:{report.id}", now=now)
    return suspension


def appeal(*, work_id: UUID, person_id: UUID, text: str, now: datetime) -> Appeal:
    """Appeal against the suspension of one's own work. Raises NotFound, NotSuspended, AppealFiled, Invalid."""
    text = _said(text)
    with transaction.atomic():
        work = publishing.managed_work(work_id=work_id, person_id=person_id)
        suspension = in_force(work_id)
        if suspension is None:
            raise NotSuspended("It is not suspended.")
        if Appeal.objects.filter(suspension=suspension).exists():
            raise AppealFiled("There is one appeal against a suspension, and it was filed.")
        filed = Appeal.objects.create(suspension=suspension, person_id=person_id, text=text, filed_at=now)
        letter = Letter(
            subject=f"Your appeal about “{work.title}”",
            paragraphs=["We have it. Somebody else than who suspended the work decides it. You said:", text],
            act="See how it stands",
            path=f"/works/{work.id}/appeal",
        )
        letters.send(letter, person_id=person_id, key=f"appeal:{filed.id}", now=now)
    return filed


def appeals_waiting(*, staff_id: UUID) -> QuerySet[Appeal]:
    """Return the appeals that wait, oldest first, with all a decision needs to see. Raises NotAllowed."""
    check_may_decide(staff_id)
    return (
        Appeal.objects.filter(decision=None, suspension__lifting=None)
        .select_related("suspension__work__creator", "suspension__decision__staff", "person")
        .order_by("filed_at", "id")
    )


def decide_appeal(*, appeal_id: UUID, staff_id: UUID, lifts: bool, reasons: str, now: datetime) -> AppealDecision:
    """Decide an appeal: lift the suspension, or let it stand.

    Raises NotFound, Invalid, AlreadyDecided, and NotAllowed, also for who suspended the work and for its own people.
    """
    check_may_decide(staff_id)
    reasons = _said(reasons)
    with transaction.atomic():
        filed = Appeal.objects.select_related("suspension__decision").filter(id=appeal_id).first()
        if filed is None:
            raise NotFound("there is no such appeal")
        work = Work.objects.select_for_update().get(id=filed.suspension.work_id)
        _check_not_own(work, staff_id)
        if filed.suspension.decision.staff_id == staff_id:
            raise NotAllowed("an appeal is decided by somebody else than who suspended the work")
        if AppealDecision.objects.filter(appeal=filed).exists():
            raise AlreadyDecided("Somebody decided this appeal meanwhile.")
        if Lifting.objects.filter(suspension=filed.suspension).exists():
            raise AlreadyDecided("The suspension was lifted meanwhile, without the appeal.")
        outcome = AppealDecision.Outcome.LIFTED if lifts else AppealDecision.Outcome.UPHELD
        decided = AppealDecision.objects.create(
            appeal=filed, outcome=outcome, staff_id=staff_id, reasons=reasons, decided_at=now
        )
        if lifts:
            _lift(work, filed.suspension, staff_id, reasons, now)
        else:
            letter = Letter(
                subject=f"“{work.title}” stays suspended",
                paragraphs=["Your appeal was decided by somebody else than who suspended it. The reasons:", reasons],
                after=["You may go to a court about it."],
            )
            for person_id in _people_of(work):
                letters.send(letter, person_id=person_id, key=f"appeal-decided:{filed.id}:{person_id}", now=now)
    return decided


def lift(*, work_id: UUID, staff_id: UUID, reasons: str, now: datetime) -> Lifting:
    """Lift a suspension without an appeal, for instance because it was a mistake.

    Raises NotFound, Invalid, NotSuspended and NotAllowed.
    """
    check_may_decide(staff_id)
    reasons = _said(reasons)
    with transaction.atomic():
        work = Work.objects.select_for_update().filter(id=work_id).first()
        if work is None:
            raise NotFound("there is no such work")
        _check_not_own(work, staff_id)
        suspension = in_force(work_id)
        if suspension is None:
            raise NotSuspended("It is not suspended.")
        return _lift(work, suspension, staff_id, reasons, now)


def in_force(work_id: UUID) -> Suspension | None:
    """Return the suspension of a work that was not lifted, or None. One query."""
    return Suspension.objects.filter(work_id=work_id, lifting=None).order_by("-suspended_at").first()


def suspended_works(*, staff_id: UUID) -> QuerySet[Suspension]:
    """Return the suspensions in force, newest first. Raises NotAllowed."""
    check_may_decide(staff_id)
    found = Suspension.objects.filter(lifting=None).select_related("work__creator", "decision__staff")
    return found.order_by("-suspended_at", "id")


def _lift(work: Work, suspension: Suspension, staff_id: UUID, reasons: str, now: datetime) -> Lifting:
    lifted = Lifting.objects.create(suspension=suspension, staff_id=staff_id, reasons=reasons, lifted_at=now)
    work.state, work.state_reason = suspension.state_before, ""
    if work.state == Work.State.PUBLISHED and work.creator.closed_at is not None:
        # Its profile was closed meanwhile, and the works of a closed profile are off.
        work.state, work.off_at = Work.State.OFF, now
    work.save(update_fields=["state", "state_reason", "off_at"])
    letter = Letter(
        subject=f"“{work.title}” is no longer suspended",
        paragraphs=[f"The work is {_stands(work)} again. The reasons:", reasons],
        act="See the work",
        path=f"/works/{work.id}",
    )
    for person_id in _people_of(work):
        letters.send(letter, person_id=person_id, key=f"lifting:{suspension.id}:{person_id}", now=now)
    return lifted


def _stands(work: Work) -> str:
    return "published" if work.state == Work.State.PUBLISHED else "taken off by its people"


def _to_decide(work_id: UUID, staff_id: UUID) -> tuple[Work, list[Report]]:
    """Return the work, locked, with its open reports, for somebody who may decide about it."""
    check_may_decide(staff_id)
    work = Work.objects.select_for_update().filter(id=work_id).first()
    if work is None:
        raise NotFound("there is no such work")
    _check_not_own(work, staff_id)
    reports = list(Report.objects.filter(work=work, decision=None).select_related("person").order_by("filed_at", "id"))
    if not reports:
        raise AlreadyDecided("No report about it is open; somebody decided meanwhile.")
    return work, reports


def _check_not_own(work: Work, staff_id: UUID) -> None:
    if _own_works(staff_id, [work.id]):
        raise NotAllowed("nobody decides about a work of their own")


def _own_works(person_id: UUID, work_ids: list[UUID]) -> set[UUID]:
    """Return those works whose profile the person has any role in, or on whose split sheets they are. Two queries."""
    run = Work.objects.filter(id__in=work_ids, creator__roles__person_id=person_id).values_list("id", flat=True)
    paid = SplitLine.objects.filter(sheet__work_id__in=work_ids, person_id=person_id)
    return set(run) | set(paid.values_list("sheet__work_id", flat=True))


def _decide(  # noqa: PLR0917  (the columns of the row, in their order)
    work: Work, reports: list[Report], outcome: str, staff_id: UUID, reasons: str, now: datetime
) -> ReportDecision:
    decision = ReportDecision.objects.create(
        work=work, outcome=outcome, staff_id=staff_id, reasons=reasons, decided_at=now
    )
    Report.objects.filter(id__in=[report.id for report in reports]).update(decision=decision)
    return decision


def _people_of(work: Work) -> list[UUID]:
    """Return who runs the profile of a work."""
    roles = [CreatorRole.Role.OWNER, CreatorRole.Role.EDITOR]
    found = CreatorRole.objects.filter(creator_id=work.creator_id, role__in=roles)
    return list(found.order_by("person_id").values_list("person_id", flat=True))


def _write(report: Report, letter: Letter, *, key: str, now: datetime) -> None:
    """Write to whoever reported: to the address they left, else to the one they sign in with, else to nobody."""
    if report.contact:
        letters.send_to(letter, address=report.contact, key=key, now=now)
    elif report.person_id is not None:
        letters.send(letter, person_id=report.person_id, key=key, now=now)


def _said(text: str) -> str:
    """Return what was written. Raises Invalid for nothing, and for more than anybody reads."""
    said = text.strip()
    if not 1 <= len(said) <= TEXT_MOST:
        raise Invalid(f"Say it in 1 to {TEXT_MOST} letters.")
    return said
