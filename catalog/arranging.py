"""Releases as their creators arrange them: title, kind, day, which works are on them and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from catalog import naming, publishing
from catalog.models import Creator, Release, Work
from catalog.publishing import ProfileClosed
from members.problems import Invalid, NotFound, Problem

TITLE_MOST = 200
WORKS_MOST = 500
FIRST_DAY = date(1860, 1, 1)
LAST_DAY = date(2200, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of publishing one work of a release: nothing to say, or the refusal."""

    work_id: UUID
    title: str
    refusal: Problem | None


def found(
    *, creator_id: UUID, person_id: UUID, title: str, kind: str = "album", released_on: date | None = None
) -> Release:
    """Make an empty release of a profile one runs. Raises NotFound, Invalid, ProfileClosed."""
    if not publishing.manages(creator_id=creator_id, person_id=person_id):
        raise NotFound("there is no such profile of yours")
    _check_open(creator_id)
    return Release.objects.create(creator_id=creator_id, **_cleaned(title, kind, released_on))


def describe(*, release_id: UUID, person_id: UUID, title: str, kind: str, released_on: date | None) -> Release:
    """Change what a release is called, what it is and when it came out. Raises NotFound, Invalid, ProfileClosed."""
    cleaned = _cleaned(title, kind, released_on)
    with transaction.atomic():
        release = _managed(release_id, person_id)
        for name, value in cleaned.items():
            setattr(release, name, value)
        release.save(update_fields=list(cleaned))
    return release


def arrange(*, release_id: UUID, person_id: UUID, work_ids: Sequence[UUID]) -> Release:
    """Put exactly these works on the release, in this order; those that are left out leave it.

    Raises NotFound, Invalid for a work that is not the profile's or stands there twice, ProfileClosed.
    """
    if len(set(work_ids)) < len(work_ids):
        raise Invalid("A work stands on a release once.")
    if len(work_ids) > WORKS_MOST:
        raise Invalid(f"A release has at most {WORKS_MOST} works.")
    with transaction.atomic():
        release = _managed(release_id, person_id)
        concerned = (Work.objects.filter(id__in=work_ids) | Work.objects.filter(release=release)).order_by("id")
        works = {work.id: work for work in concerned.select_for_update()}
        if any(work_id not in works or works[work_id].creator_id != release.creator_id for work_id in work_ids):
            raise Invalid("There is no such work of this profile.")
        places = {work_id: number for number, work_id in enumerate(work_ids, 1)}
        for work in works.values():
            work.release = release if work.id in places else None
            work.position = places.get(work.id)
        Work.objects.bulk_update(works.values(), ["release", "position"])
    return release


def publish_drafts(*, release_id: UUID, person_id: UUID, now: datetime) -> list[Answer]:
    """Publish every draft of the release that may be, in its order, and tell what came of each. Raises NotFound.

    Each is published by itself: one that is refused keeps no other back.
    """
    release = Release.objects.filter(id=release_id).first()
    if release is None or not publishing.manages(creator_id=release.creator_id, person_id=person_id):
        raise NotFound("there is no such release of yours")
    answers = []
    for work in Work.objects.filter(release=release, state=Work.State.DRAFT).order_by("position", "created_at", "id"):
        refusal = None
        try:
            publishing.publish(work_id=work.id, person_id=person_id, now=now)
        except Problem as problem:
            refusal = problem
        answers.append(Answer(work_id=work.id, title=work.title, refusal=refusal))
    return answers


def _managed(release_id: UUID, person_id: UUID) -> Release:
    """Return a release that the person may change, locked. Raises NotFound, ProfileClosed."""
    release = Release.objects.select_for_update().filter(id=release_id).first()
    if release is None or not publishing.manages(creator_id=release.creator_id, person_id=person_id):
        raise NotFound("there is no such release of yours")
    _check_open(release.creator_id)
    return release


def _check_open(creator_id: UUID) -> None:
    if Creator.objects.filter(id=creator_id, closed_at__isnull=False).exists():
        raise ProfileClosed("Its owner closed this profile. Nothing new happens under it.")


def _cleaned(title: str, kind: str, released_on: date | None) -> dict[str, object]:
    name = naming.clean(title, most=TITLE_MOST + 1)
    if not name:
        raise Invalid("A release needs a title.", fields={"title": ["A release needs a title."]})
    if len(name) > TITLE_MOST:
        raise Invalid(f"A title has at most {TITLE_MOST} characters.")
    if kind not in Release.Kind.values:
        raise Invalid(f"A release is one of {', '.join(Release.Kind.values)}.")
    if released_on is not None and not FIRST_DAY <= released_on <= LAST_DAY:
        raise Invalid("That is no day on which a recording or a picture came out.")
    return {"title": name, "kind": kind, "released_on": released_on}
