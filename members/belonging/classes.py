"""Classes: what each asks of those who want a place in it, and what shows that they meet it.

A creator has a published work and, within twelve months, royalties from the bought credit of at least five listeners;
a listener pays dues; a worker was wanted by workers and has worked; a supporter has shares. A paid share opens the
classes of creators and listeners too. What the apps above know they say with `qualify`, or are asked as witnesses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet, Sum

from members import clock
from members.belonging.models import (
    ClassPlace,
    DuesPayment,
    MemberClass,
    Membership,
    Qualification,
    ShareHolding,
    WorkedTime,
    WorkerVoice,
)
from members.problems import Invalid

LOOKED_BACK = timedelta(days=365)
WORKED_MINUTES_LEAST = 40 * 60
VOICES_LEAST = 2
NAMES = {
    MemberClass.CREATOR: "creator",
    MemberClass.LISTENER: "listener",
    MemberClass.WORKER: "worker",
    MemberClass.SUPPORTER: "supporter",
}
# What each class asks for, as the pages say it.
ASKS = {
    MemberClass.CREATOR: "a published work and, within twelve months, royalties from five listeners; or a share",
    MemberClass.LISTENER: "a year’s dues, or a share",
    MemberClass.WORKER: "forty hours worked within twelve months, and the yes of two workers",
    MemberClass.SUPPORTER: "a share; supporters vote by head, in no class",
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What somebody saw that qualifies a person: in words, and the figures behind them (whole numbers and words)."""

    words: str
    facts: Mapping[str, int | str] = field(default_factory=dict)


Witness = Callable[[UUID, datetime], Evidence | None]
_witnesses: dict[str, Witness] = {}


def register_witness(member_class: str, witness: Witness) -> None:
    """Let an app say who qualifies for a class by what it knows. Called by that app when it starts."""
    _witnesses[_known(member_class)] = witness


def qualify(*, person_id: UUID, member_class: str, evidence: Evidence, now: datetime) -> None:
    """Keep what qualifies a person for a class. It holds for twelve months. One query. Raises Invalid."""
    Qualification.objects.create(
        person_id=person_id,
        member_class=_known(member_class),
        words=evidence.words,
        facts=dict(evidence.facts),
        recorded_at=now,
    )


def met_by(place: ClassPlace, membership: Membership, *, now: datetime) -> str:
    """Return what meets the condition of a place now, in words; nothing where it is not met. At most five queries."""
    if place.member_class == MemberClass.WORKER:
        return _worked(place, membership, now)
    held = paid_shares(membership.id)
    if held:
        return f"{held} share{'' if held == 1 else 's'} paid in"
    if place.member_class == MemberClass.LISTENER:
        return "dues paid" if DuesPayment.objects.filter(membership=membership).exists() else ""
    if place.member_class == MemberClass.CREATOR:
        return _heard(membership.person_id, now)
    return ""


def paid_shares(membership_id: UUID) -> int:
    """Return how many shares are paid in and not paid back. One query."""
    held = ShareHolding.objects.filter(membership_id=membership_id, paid_at__isnull=False, repaid_at=None)
    return held.aggregate(held=Sum("count"))["held"] or 0


def minutes_worked(person_id: UUID, *, now: datetime) -> int:
    """Return the approved minutes of the last twelve months. One query."""
    worked = WorkedTime.objects.filter(person_id=person_id, approved=True, worked_on__gte=clock.day(now - LOOKED_BACK))
    return worked.aggregate(minutes=Sum("minutes"))["minutes"] or 0


def is_worker(person_id: UUID) -> bool:
    """Return whether the person has a place among the workers. One query."""
    return places_held(MemberClass.WORKER).filter(membership__person_id=person_id).exists()


def places_held(member_class: str) -> QuerySet[ClassPlace]:
    """Return the places that are held in a class by those who belong."""
    return ClassPlace.objects.filter(
        member_class=member_class, since__isnull=False, ended_at=None, membership__state=Membership.State.JOINED
    )


def voices_needed(person_id: UUID) -> int:
    """Return how many workers have to say yes to somebody: two, or all there are beside them. One query.

    Where there is nobody yet, one director speaks for them.
    """
    others = places_held(MemberClass.WORKER).exclude(membership__person_id=person_id).count()
    return min(VOICES_LEAST, max(1, others))


def check_known(member_class: str) -> str:
    """Return the class. Raises Invalid for what is none."""
    return _known(member_class)


def _known(member_class: str) -> str:
    if member_class not in MemberClass.values:
        raise Invalid(f"A class is one of {', '.join(MemberClass.values)}.")
    return member_class


def _worked(place: ClassPlace, membership: Membership, now: datetime) -> str:
    minutes = minutes_worked(membership.person_id, now=now)
    voices = WorkerVoice.objects.filter(place=place).count()
    if minutes < WORKED_MINUTES_LEAST or voices < voices_needed(membership.person_id):
        return ""
    return f"{minutes // 60} hours worked, {voices} yes"


def _heard(person_id: UUID, now: datetime) -> str:
    since = now - LOOKED_BACK
    kept = Qualification.objects.filter(
        person_id=person_id, member_class=MemberClass.CREATOR, recorded_at__gt=since
    ).order_by("-recorded_at", "id")
    if found := kept.first():
        return found.words
    witness = _witnesses.get(MemberClass.CREATOR)
    evidence = witness(person_id, now) if witness else None
    if evidence is None:
        return ""
    qualify(person_id=person_id, member_class=MemberClass.CREATOR, evidence=evidence, now=now)
    return evidence.words
