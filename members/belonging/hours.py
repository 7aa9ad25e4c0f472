"""Hours: time worked for the co-op, recorded by who worked and approved by another worker. Whole minutes of a day."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet, Sum

from members import clock
from members.belonging import memberships, places
from members.belonging.memberships import MembershipStands
from members.belonging.models import ClassPlace, MemberClass, WorkedTime
from members.problems import Invalid, NotAllowed, NotFound

DAY_MINUTES_MOST = 16 * 60
WORDS_MOST = 200
RECORDED_WITHIN = timedelta(days=62)


def record(*, person_id: UUID, worked_on: date, minutes: int, words: str, now: datetime) -> WorkedTime:
    """Record time worked on one of the last 62 days, for another worker to approve.

    Raises NotAMember; NotAllowed for who has and wants no place among the workers; Invalid.
    """
    said = " ".join(words.split())
    today = clock.day(now)
    if not 1 <= len(said) <= WORDS_MOST or memberships.NUL in said:
        raise Invalid(f"Say what you did, in at most {WORDS_MOST} letters.")
    if not today - RECORDED_WITHIN <= worked_on <= today:
        raise Invalid("Time is recorded within two months, and after it was worked.")
    if type(minutes) is not int or minutes < 1:
        raise Invalid("Record whole minutes, from one on.")
    with transaction.atomic():
        membership = memberships.lock_member(person_id)
        if not ClassPlace.objects.filter(
            membership=membership, member_class=MemberClass.WORKER, ended_at=None
        ).exists():
            raise NotAllowed("hours are for workers, and for those who ask for a place among them")
        that_day = WorkedTime.objects.filter(person_id=person_id, worked_on=worked_on).exclude(approved=False)
        if (that_day.aggregate(so_far=Sum("minutes"))["so_far"] or 0) + minutes > DAY_MINUTES_MOST:
            raise Invalid("A day has at most 16 hours of work.")
        return WorkedTime.objects.create(
            person_id=person_id, worked_on=worked_on, minutes=minutes, words=said, recorded_at=now
        )


def approve(*, worked_id: UUID, person_id: UUID, now: datetime) -> WorkedTime:
    """Approve another's time. Raises NotFound, MembershipStands, and NotAllowed for who does not speak for workers."""
    return _decide(worked_id, person_id, approved=True, because="", now=now)


def refuse(*, worked_id: UUID, person_id: UUID, because: str, now: datetime) -> WorkedTime:
    """Refuse another's time and say why. Raises as `approve`, and Invalid without words."""
    said = " ".join(because.split())
    if not 1 <= len(said) <= WORDS_MOST or memberships.NUL in said:
        raise Invalid(f"Say why, in at most {WORDS_MOST} letters.")
    return _decide(worked_id, person_id, approved=False, because=said, now=now)


def of_person(person_id: UUID) -> QuerySet[WorkedTime]:
    """Return somebody's time, in no order."""
    return WorkedTime.objects.filter(person_id=person_id)


def waiting(*, but: UUID | None = None) -> Sequence[WorkedTime]:
    """Return the time that waits for approval, but one's own, oldest first. One query."""
    left = (
        WorkedTime.objects.filter(decided_at=None).select_related("person").order_by("worked_on", "recorded_at", "id")
    )
    return list(left.exclude(person_id=but) if but else left)


def approved_minutes(*, since: date, before: date) -> dict[UUID, int]:
    """Return the approved minutes of each person on the days from `since` to before `before`. One query."""
    worked = WorkedTime.objects.filter(approved=True, worked_on__gte=since, worked_on__lt=before)
    return dict(worked.values_list("person_id").annotate(Sum("minutes")).order_by("person_id"))


def _decide(worked_id: UUID, person_id: UUID, *, approved: bool, because: str, now: datetime) -> WorkedTime:
    with transaction.atomic():
        found = WorkedTime.objects.select_for_update(no_key=True).filter(id=worked_id).first()
        if found is None:
            raise NotFound("there is no such time")
        places.check_may_speak(person_id, about=found.person_id)
        if found.decided_at is not None:
            raise MembershipStands("Somebody decided this since you looked.")
        found.decided_at, found.decided_by_id = now, person_id
        found.approved, found.refused_because = approved, because
        found.save(update_fields=["decided_at", "decided_by_id", "approved", "refused_because"])
    # Whoever wants a place among the workers may have it with these hours.
    with suppress(memberships.NotAMember), transaction.atomic():
        memberships.settle(memberships.lock_of(found.person_id), now=now)
    return found
