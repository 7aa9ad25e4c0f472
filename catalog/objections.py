"""Objections: what becomes of works that are public already when members vote new rules for the catalogue.

When a version of `content` is recorded, beat holds it against every public work, by the rules that it made stricter and
no others. Who runs a work that would not be admitted any more is told at once. Sixty days later, and never before the
version holds, the work goes off and says which vote that was: owners keep it, who has begun it plays on, and what it
earned is paid like anything else. An appeal stops that until a panel has decided (`members/voting/panels.py`); where
it is silent, the vote stands. What it lets stay stays, until another vote makes the rule stricter.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from catalog import content, publishing
from catalog.content import Finding
from catalog.models import CreatorRole, SplitLine, Upload, Work
from catalog.objection_models import ContentLook, Objection, ObjectionAppeal
from catalog.publishing import Standing
from members import clock, governance, letters, policies
from members.letters import Letter
from members.policies import Params, Version
from members.problems import NotFound, Problem
from members.voting import panels
from members.voting.panels import Case, Duty, Hearing

Ruling, Outcome = ObjectionAppeal.Ruling, Objection.Outcome
NOTICE = timedelta(days=60)
AT_ONCE = 200
# A work whose publishing began before a version held may be written a moment after.
LATE_COMMITS = timedelta(hours=1)
RUNS = (CreatorRole.Role.OWNER, CreatorRole.Role.EDITOR)


class ObjectionOver(Problem):
    """The objection has ended, or was appealed against already."""

    slug, status, title = "objection-over", 409, "This is over, or under appeal, already"


# What beat does.


def look(*, now: datetime) -> int:
    """Hold versions of `content` that are not looked at to their end against all public works; return how many object.

    One query where there is nothing to look at.
    """
    versions = policies.versions("content", now)
    done = set(ContentLook.objects.values_list("policy_seq", flat=True))
    made = 0
    for before, version in pairwise(versions):
        if version.seq in done:
            continue
        for work, finding in _refused(before, version):
            made += _object(work, version, finding, now)
        if now >= version.effective_from + LATE_COMMITS:
            ContentLook.objects.get_or_create(policy_seq=version.seq, defaults={"done_at": now})
    return made


def settle(*, now: datetime) -> int:
    """Take works off whose time has come, and end the objections to those that fit by now; return how many ended."""
    due = Objection.objects.filter(outcome="", leaves_at__lte=now).order_by("leaves_at", "id")
    return sum(_settle(objection_id, now) for objection_id in list(due.values_list("id", flat=True)))


def _stricter(before: Params, after: Params) -> dict[str, Q]:
    """Return the rules that became stricter, each with the works it may refuse."""
    track, photo = Q(kind=Work.Kind.TRACK), Q(kind=Work.Kind.PHOTO)
    found = {}
    if after["ai_generated"] == "forbidden" != before["ai_generated"]:
        found["ai_generated"] = Q(origin=Work.Origin.AI_GENERATED)
    if after["lossless"] == "required" != before["lossless"]:
        found["lossless"] = track & ~Q(lossless__isnull=False, lossless=True)
    if int(after["sample_rate_min"]) > int(before["sample_rate_min"]):
        least = int(after["sample_rate_min"])
        found["sample_rate_min"] = track & Q(historic=False) & (Q(samples__lt=least) | Q(samples=None))
    if int(after["photo_edge_min"]) > int(before["photo_edge_min"]):
        edge = int(after["photo_edge_min"])
        found["photo_edge_min"] = photo & (Q(width__lt=edge, height__lt=edge) | Q(width=None))
    return found


def _refused(before: Version, version: Version) -> Iterator[tuple[Work, Finding]]:
    rules = _stricter(before.params, version.params)
    if not rules:
        return
    files = Upload.objects.filter(work_id=OuterRef("id"), state=Upload.State.READY).order_by("-created_at")
    samples = Cast(KeyTextTransform("sample_rate", "found"), IntegerField())
    public = Work.objects.filter(state__in=[Work.State.PUBLISHED, Work.State.SUSPENDED])
    public = public.annotate(samples=Subquery(files.annotate(samples=samples).values("samples")[:1]))
    works = public.filter(Q.create(list(rules.values()), connector=Q.OR))
    works = works.exclude(objections__policy_seq=version.seq).order_by("id")
    last = UUID(int=0)
    while some := list(works.filter(id__gt=last)[:AT_ONCE]):
        for work in some:
            refused = (one for one in content.findings_under(work, version) if one.refused and one.rule in rules)
            if finding := next(refused, None):
                yield work, finding
        last = some[-1].id


def _object(work: Work, version: Version, finding: Finding, now: datetime) -> bool:
    """Write an objection, once, and tell the work's people."""
    leaves_at = max(version.effective_from, now + NOTICE)
    with transaction.atomic():
        objection, made = Objection.objects.get_or_create(
            work=work,
            policy_seq=version.seq,
            defaults={"rule": finding.rule, "words": finding.words, "made_at": now, "leaves_at": leaves_at},
        )
        if made:
            letter = Letter(
                subject=f"“{work.title}” does not fit a rule that members voted",
                paragraphs=[
                    f"Members voted a new rule for the catalogue: {finding.words}",
                    f"Your work goes off the catalogue on {_day(leaves_at)}, unless it fits by then.",
                    "Who owns it keeps it, who has begun it may play on, and what it earned is paid to you as ever.",
                ],
                facts=[("The vote", f"content, version {version.seq}"), ("Holds from", _day(version.effective_from))],
                act="See what you can do",
                path=path(work.id),
                after=["Appeal if the rule does not mean your work: three members decide, and it stays till then."],
            )
            _tell(work, letter, f"objection:{objection.id}", now)
    return made


def _settle(objection_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        work_id = Objection.objects.values_list("work_id", flat=True).get(id=objection_id)
        work = Work.objects.select_for_update().get(id=work_id)
        objection = Objection.objects.select_for_update().get(id=objection_id)
        if objection.outcome or work.state == Work.State.SUSPENDED or _is_looked_at(objection, now):
            return False
        in_force = policies.policy_at("content", now)
        fits = not any(one.refused and one.rule == objection.rule for one in content.findings_under(work, in_force))
        if fits or work.state != Work.State.PUBLISHED:
            _end(objection, Outcome.MENDED, now)
            return True
        work.state, work.off_at = Work.State.OFF, now
        work.state_reason = f"Members voted: {objection.words}"
        work.save(update_fields=["state", "off_at", "state_reason"])
        _end(objection, Outcome.OFF, now)
        letter = Letter(
            subject=f"“{work.title}” went off the catalogue",
            paragraphs=[
                f"Members voted a rule that it does not fit: {objection.words}",
                "Who owns it keeps it, who has begun it may play on for 90 days, and what it earned is paid to you.",
                "Once it fits, you can publish it again.",
            ],
            facts=[("The vote", policies.address("content", objection.policy_seq))],
            act="See the work in your studio",
            path=f"/studio/works/{work.id}",
        )
        _tell(work, letter, f"objection-off:{objection.id}", now)
    return True


def _is_looked_at(objection: Objection, now: datetime) -> bool:
    """Return whether a panel still looks at an appeal. One that says nothing in its time lets the vote stand."""
    appeal = ObjectionAppeal.objects.filter(objection=objection).first()
    return appeal is not None and panels.is_open(appeal, now=now)


def _end(objection: Objection, outcome: Objection.Outcome, now: datetime) -> None:
    objection.outcome, objection.ended_at = outcome, now
    objection.save(update_fields=["outcome", "ended_at"])


# Appealing.


def appeal(*, objection_id: UUID, person_id: UUID, text: str, now: datetime) -> ObjectionAppeal:
    """Say why one's work should stay, once. A panel decides; the work stays until it has, or its time is over.

    Raises NotFound for who does not run the work, ObjectionOver, Invalid.
    """
    text = panels.said(text)
    with transaction.atomic():
        work_id = Objection.objects.filter(id=objection_id).values_list("work_id", flat=True).first()
        if work_id is None:
            raise NotFound("there is no such objection")
        work = publishing.managed_work(work_id=work_id, person_id=person_id)
        objection = Objection.objects.get(id=objection_id)
        if objection.outcome:
            raise ObjectionOver("It has ended: nothing objects to the work by this rule any more, or it is off.")
        if ObjectionAppeal.objects.filter(objection=objection).exists():
            raise ObjectionOver("There is one appeal against an objection, and it was filed.")
        filed = ObjectionAppeal.objects.create(
            objection=objection,
            person_id=person_id,
            text=text,
            filed_at=now,
            decide_until=panels.deadline(now, rules=governance.in_force(now).params),
        )
        _convene(filed, work, now=now)
    return filed


def rule(*, appeal_id: UUID, person_id: UUID, ruling: str, reasons: str, now: datetime) -> ObjectionAppeal:
    """Say as one of the panel whether a work stays. Raises as `panels.rule` does."""
    with transaction.atomic():
        filed = _appeal(appeal_id)
        work = Work.objects.select_for_update().get(id=filed.objection.work_id)
        if panels.rule(filed, person_id=person_id, ruling=ruling, reasons=reasons, now=now):
            if ruling == Ruling.STAYS:
                _end(filed.objection, Outcome.KEPT, now)
            _tell_of_ruling(work, filed, now)
    return filed


def _convene(filed: ObjectionAppeal, work: Work, *, now: datetime) -> None:
    """Draw a panel without the people of the work and those who are paid for it. The vote and the work are the lot."""
    objection = filed.objection
    seed = f"{policies.version('content', objection.policy_seq).sha256} {work.id}"
    theirs = set(CreatorRole.objects.filter(creator_id=work.creator_id).values_list("person_id", flat=True))
    paid = SplitLine.objects.filter(sheet__work=work, person_id__isnull=False).values_list("person_id", flat=True)
    case = Case(
        title=_title(work),
        sentences=(
            f"Members voted a rule for the catalogue: {objection.words}",
            "The people of a work appealed. It stays or it goes.",
        ),
        silence="the rule is followed",
        path=appeal_path(filed),
    )
    panels.convene(filed, seed=seed, but=theirs | set(paid), case=case, now=now)


def _title(work: Work) -> str:
    return f"a work: “{work.title}”"


def _appeal(appeal_id: UUID) -> ObjectionAppeal:
    found = ObjectionAppeal.objects.select_related("objection__work__creator").filter(id=appeal_id).first()
    if found is None:
        raise NotFound("there is no appeal for you to read")
    return found


def _tell_of_ruling(work: Work, filed: ObjectionAppeal, now: datetime) -> None:
    stays = filed.ruling == Ruling.STAYS
    leaves_at = max(filed.objection.leaves_at, now)
    letter = Letter(
        subject=f"“{work.title}” {'stays' if stays else 'goes off'}: your appeal is decided",
        paragraphs=[
            "Three members looked at your appeal.",
            "The work stays." if stays else f"It goes off on {_day(leaves_at)}, unless it fits by then.",
        ],
        act="Read their reasons",
        path=path(work.id),
    )
    _tell(work, letter, f"objection-ruled:{filed.id}", now)


# What others ask.


def path(work_id: UUID) -> str:
    """Return where a work's people read of an objection."""
    return f"/works/{work_id}/objection"


def appeal_path(filed: ObjectionAppeal) -> str:
    """Return where an appeal is read by its panel."""
    return f"/objections/{filed.id}"


def open_of(work_id: UUID) -> Objection | None:
    """Return the objection to a work that leaves it the least time, or None. One query."""
    return Objection.objects.filter(work_id=work_id, outcome="").order_by("leaves_at", "policy_seq").first()


def of_work(*, work_id: UUID, person_id: UUID) -> QuerySet[Objection]:
    """Return what objected to one's own work, the newest first. Raises NotFound for who does not run it."""
    work = Work.objects.filter(id=work_id).first()
    if work is None or not publishing.manages(creator_id=work.creator_id, person_id=person_id):
        raise NotFound("there is no such work of yours")
    return whole(Objection.objects.filter(work_id=work_id)).order_by("-policy_seq")


def to_appeal(found: Iterable[Objection]) -> Objection | None:
    """Return, of the objections to a work, the open one to appeal next: not appealed yet, with the least time."""
    open_ones = [one for one in found if not one.outcome]
    return min(open_ones, key=lambda one: (hasattr(one, "appeal"), one.leaves_at, one.policy_seq), default=None)


def of_person(person_id: UUID) -> QuerySet[Objection]:
    """Return what ever objected to the works somebody runs. Three queries, however many."""
    return whole(Objection.objects.filter(work__creator_id__in=_run_by(person_id)))


def whole(found: QuerySet[Objection]) -> QuerySet[Objection]:
    """Return objections with their works, appeals and what the panels said."""
    return found.select_related("work", "appeal").prefetch_related("appeal__panel")


def open_for(person_id: UUID) -> QuerySet[Objection]:
    """Return the open objections to all works somebody runs, those with the least time first."""
    open_ones = Objection.objects.filter(outcome="", work__state=Work.State.PUBLISHED)
    found = open_ones.filter(work__creator_id__in=_run_by(person_id))
    return found.select_related("work").order_by("leaves_at", "work__title", "id")


def hearing(*, appeal_id: UUID, person_id: UUID | None, now: datetime) -> Hearing:
    """Return an appeal as one of its panel reads it. Two queries. Raises NotFound for anybody else."""
    filed = _appeal(appeal_id)
    title, decision = _title(filed.objection.work), filed.objection.words
    found = panels.hearing(filed, title=title, path=appeal_path(filed), decision=decision, person_id=person_id, now=now)
    if found.mine is None:
        raise NotFound("there is no appeal for you to read")
    return found


def duties_of(person_id: UUID, *, now: datetime) -> list[Duty]:
    """Return the appeals that wait for what somebody says on their panel. One query."""
    appeals = ObjectionAppeal.objects.select_related("objection__work")
    waiting = panels.unheard(appeals, person_id=person_id, now=now)
    return [
        Duty(id=one.id, title=_title(one.objection.work), decide_until=one.decide_until, path=appeal_path(one))
        for one in waiting
    ]


def by_which_it_went(work_id: UUID) -> QuerySet[Objection]:
    """Return the objections by which a work went off, the newest first: what everybody may read. One query."""
    return Objection.objects.filter(work_id=work_id, outcome=Outcome.OFF).order_by("-ended_at", "-policy_seq")


def sent_off(work_id: UUID) -> Objection | None:
    """Return the objection by which a work went off last, or None. One query."""
    return by_which_it_went(work_id).first()


def why_off(standing: Standing) -> dict[str, Any]:
    """Return what a refusal adds where a vote took the work off: the version. One query for a work that is off."""
    found = sent_off(standing.work_id) if standing.state == Work.State.OFF else None
    if found is None or found.ended_at != standing.off_at:
        return {}
    return {"policy": policies.citation("content", found.policy_seq)}


def _tell(work: Work, letter: Letter, topic: str, now: datetime) -> None:
    people = CreatorRole.objects.filter(creator_id=work.creator_id, role__in=RUNS).order_by("person_id")
    letters.send_to_people(letter, list(people.values_list("person_id", flat=True)), topic=topic, now=now)


def _run_by(person_id: UUID) -> QuerySet[CreatorRole, Any]:
    return CreatorRole.objects.filter(person_id=person_id, role__in=RUNS).values("creator_id")


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(clock.zone()):%-d %B %Y}"
