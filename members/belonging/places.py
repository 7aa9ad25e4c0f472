"""Places in classes, and the one class a member votes in. A change of it counts for votes that are called later."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from members import admission
from members.admission import Staff
from members.belonging import classes, memberships
from members.belonging.memberships import MembershipStands
from members.belonging.models import ClassPlace, MemberClass, Membership, VotingChoice, WorkerVoice
from members.problems import Invalid, NotAllowed, NotFound


def ask(*, person_id: UUID, member_class: str, now: datetime) -> ClassPlace:
    """Ask for a place in a further class. Raises Invalid, NotAMember; MembershipStands where there is one already."""
    asked = classes.check_known(member_class)
    try:
        with transaction.atomic():
            found = memberships.lock_member(person_id)
            return ClassPlace.objects.create(membership=found, member_class=asked, asked_at=now)
    except IntegrityError:
        raise MembershipStands(f"You have a place among the {asked}s, or asked for one.") from None


def approve(*, place_id: UUID, staff_id: UUID, now: datetime) -> ClassPlace:
    """Agree to a place. It is held from when its condition is met, which may be at once. Raises as `refuse`."""
    with transaction.atomic():
        place, membership = _waiting(place_id, staff_id)
        place.approved_at, place.approved_by_id = now, staff_id
        place.save(update_fields=["approved_at", "approved_by_id"])
        memberships.settle(membership, now=now)
    place.refresh_from_db()
    return place


def refuse(*, place_id: UUID, staff_id: UUID, now: datetime) -> None:
    """Refuse a place. Raises NotAllowed for all but another secretary, NotFound, MembershipStands."""
    with transaction.atomic():
        place, _ = _waiting(place_id, staff_id)
        place.ended_at = now
        place.save(update_fields=["ended_at"])


def give_up(*, person_id: UUID, member_class: str, now: datetime) -> None:
    """Give up a place in a class that one does not vote in. Raises Invalid, NotAMember, NotFound, MembershipStands."""
    given_up = classes.check_known(member_class)
    with transaction.atomic():
        found = memberships.lock_member(person_id)
        place = ClassPlace.objects.filter(membership=found, member_class=given_up, ended_at=None).first()
        if place is None:
            raise NotFound("you have no place in that class")
        if _choice(found).member_class == member_class:
            raise MembershipStands("You vote in this class. Choose another one to vote in first.")
        place.ended_at = now
        place.save(update_fields=["ended_at"])


def choose(*, person_id: UUID, member_class: str, now: datetime) -> VotingChoice:
    """Vote in another class, for votes whose roll is drawn up thirty days from now or later.

    Raises NotAMember; Invalid for a class in which no place is held, and for the one that is chosen already.
    """
    chosen = classes.check_known(member_class)
    with transaction.atomic():
        found = memberships.lock_member(person_id)
        held = ClassPlace.objects.filter(membership=found, member_class=chosen, since__isnull=False, ended_at=None)
        if not held.exists():
            raise Invalid("You vote in a class in which you hold a place.")
        latest = _choice(found)
        if latest.member_class == member_class:
            raise Invalid("You vote in this class already.")
        return VotingChoice.objects.create(
            membership=found, seq=latest.seq + 1, member_class=member_class, chosen_at=now
        )


def give_voice(*, place_id: UUID, person_id: UUID, now: datetime) -> None:
    """Say yes to somebody who wants a place among the workers. Once; saying it again changes nothing.

    Raises NotAllowed for who is no other worker (a director, while nobody else is one), NotFound, MembershipStands.
    """
    with transaction.atomic():
        place, membership = _locked(place_id)
        if place.member_class != MemberClass.WORKER:
            raise NotFound("only places among the workers are given by voices")
        if place.since is not None or place.ended_at is not None:
            raise MembershipStands("This place is held or was refused since you looked.")
        check_may_speak(person_id, about=membership.person_id)
        WorkerVoice.objects.bulk_create(
            [WorkerVoice(place=place, given_by_id=person_id, given_at=now)], ignore_conflicts=True
        )
        memberships.settle(membership, now=now)


def check_may_speak(person_id: UUID, *, about: UUID) -> None:
    """Raise NotAllowed unless a person speaks for the workers about another: as one, or as a director of none."""
    if person_id == about:
        raise NotAllowed("nobody speaks for themselves here; another worker does")
    if classes.is_worker(person_id):
        return
    others = classes.places_held(MemberClass.WORKER).exclude(membership__person_id=about)
    if others.exists() or not admission.has_role(person_id=person_id, roles=(Staff.DIRECTOR,)):
        raise NotAllowed("this is for workers; while there is no other, for a director")


def waiting() -> Sequence[ClassPlace]:
    """Return the places of members that wait for the secretary, oldest first. One query."""
    return list(
        ClassPlace.objects.filter(approved_at=None, ended_at=None, membership__state=Membership.State.JOINED)
        .select_related("membership__person")
        .order_by("asked_at", "id")
    )


def wanted_workers(*, but: UUID) -> Sequence[ClassPlace]:
    """Return the places among the workers that wait for voices, but one's own, oldest first. One query and one more."""
    return list(
        ClassPlace.objects.filter(
            member_class=MemberClass.WORKER, since=None, ended_at=None, membership__state=Membership.State.JOINED
        )
        .exclude(membership__person_id=but)
        .select_related("membership__person")
        .prefetch_related("voices")
        .order_by("asked_at", "id")
    )


def _choice(membership: Membership) -> VotingChoice:
    return VotingChoice.objects.filter(membership=membership).latest("seq")


def _locked(place_id: UUID) -> tuple[ClassPlace, Membership]:
    place = ClassPlace.objects.filter(id=place_id).first()
    if place is None:
        raise NotFound("there is no such place")
    membership = memberships.lock(place.membership_id)
    place.refresh_from_db()
    return place, membership


def _waiting(place_id: UUID, staff_id: UUID) -> tuple[ClassPlace, Membership]:
    memberships.check_secretary(staff_id)
    place, membership = _locked(place_id)
    if membership.state != Membership.State.JOINED or place.approved_at is not None or place.ended_at is not None:
        raise MembershipStands("This was decided since you looked, or waits for the application it belongs to.")
    if membership.person_id == staff_id:
        raise NotAllowed("nobody decides about their own place")
    return place, membership
