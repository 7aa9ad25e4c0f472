"""The people of a profile: inviting somebody to a role, answering that, changing it, and closing the profile.

A role is offered to an address, and only a sign-in that proved the address takes it; so nobody comes into a profile by
being named, and nobody's sign-in is found out by inviting them. An open profile always has an owner.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from catalog.models import Creator, CreatorRole, RoleInvitation, Work
from catalog.profiles import PROFILES_MOST
from catalog.publishing import ProfileClosed
from members import admission, letters, throttles
from members.letters import Letter
from members.problems import Invalid, NotFound, Problem

MEMBERS_MOST = 50
INVITATIONS_A_DAY = 1_000
DAY_SECONDS = 86_400
EMAIL_MOST = 254
WORDS = {
    "owner": "do everything, and say who else may do what",
    "editor": "upload, change, publish and take off its works",
    "viewer": "see its drafts, figures and split sheets, and change nothing",
}


class LastOwner(Problem):
    """A profile that is open has an owner, always."""

    slug, status, title = "last-owner", 409, "A profile keeps an owner"


class InvitationOver(Problem):
    """The invitation does not wait any more: it was answered or withdrawn."""

    slug, status, title = "invitation-over", 409, "This invitation is over"


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody in a profile: their role and what they are called by."""

    person_id: UUID
    name: str
    role: str


def role_of(*, creator_id: UUID, person_id: UUID) -> str:
    """Return the person's role in the profile. One query. Raises NotFound where they have none."""
    found = CreatorRole.objects.filter(creator_id=creator_id, person_id=person_id).values_list("role", flat=True)
    if not found:
        raise NotFound("there is no such profile of yours")
    return str(found[0])


def looks_on(*, work_id: UUID, person_id: UUID) -> bool:
    """Return whether the person has any role in the work's profile; a viewer looks, and changes nothing. One query."""
    return CreatorRole.objects.filter(person_id=person_id, creator__works=work_id).exists()


def members_of(creator_id: UUID) -> list[Member]:
    """Return who is in a profile, owners first. Two queries."""
    rows = list(CreatorRole.objects.filter(creator_id=creator_id).values_list("person_id", "role"))
    names = admission.names_of(person_id for person_id, _ in rows)
    order = list(CreatorRole.Role.values)
    members = [Member(person_id=person_id, name=names[person_id], role=role) for person_id, role in rows]
    return sorted(members, key=lambda member: (order.index(member.role), member.name, str(member.person_id)))


def invite(*, creator_id: UUID, person_id: UUID, email: str, role: str, now: datetime) -> RoleInvitation:
    """Offer a role to an address, by mail. Only an owner may. Offering it again changes nothing.

    Raises NotFound, Invalid, ProfileClosed, TooManyRequests.
    """
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid("This is no e-mail address.", fields={"email": ["This is no e-mail address."]}) from None
    if role not in CreatorRole.Role.values or len(address) > EMAIL_MOST:
        raise Invalid(f"A role is one of {', '.join(CreatorRole.Role.values)}.")
    with transaction.atomic():
        creator = _owned(creator_id, person_id)
        if creator.roles.count() + creator.invitations.filter(answered_at=None).count() >= MEMBERS_MOST:
            raise Invalid(f"A profile has at most {MEMBERS_MOST} people in it, with those who are invited.")
        waiting = creator.invitations.filter(email=address, answered_at=None).first()
        if waiting is not None:
            if waiting.role == role:
                return waiting
            _answer(waiting, RoleInvitation.Answer.WITHDRAWN, now)
        throttles.check(f"invitations:{person_id}", limit=INVITATIONS_A_DAY, seconds=DAY_SECONDS)
        made = RoleInvitation.objects.create(
            creator=creator, email=address, role=role, invited_by_id=person_id, created_at=now
        )
        inviter = admission.names_of([person_id])[person_id]
        letter = Letter(
            subject=f"{inviter} invites you to “{creator.name}” at Refrain",
            paragraphs=[
                f"“{creator.name}” is a creator’s profile: works appear under it. As {role} you could {WORDS[role]}.",
                "Nothing happens unless you accept.",
            ],
            act="Look at the invitation",
            path=reverse("catalog:invitation", args=[made.id]),
            after=[f"Only a sign-in whose confirmed address is {address} can accept."],
        )
        letters.send_to(letter, address=address, key=f"role:{made.id}:invitation", now=now)
    return made


def asked_of(*, invitation_id: UUID, person_id: UUID) -> RoleInvitation:
    """Return an invitation that was sent to an address of the person's. Raises NotFound."""
    found = (
        RoleInvitation.objects.filter(id=invitation_id, email__in=admission.addresses_of(person_id))
        .select_related("creator")
        .first()
    )
    if found is None:
        raise NotFound("there is no such invitation for you")
    return found


def waiting_for(person_id: UUID) -> QuerySet[RoleInvitation]:
    """Return the invitations that wait for the person. One query, and one for their addresses."""
    addresses = admission.addresses_of(person_id)
    waiting = RoleInvitation.objects.filter(email__in=addresses, answered_at=None, creator__closed_at=None)
    return waiting.select_related("creator").order_by("created_at", "id")


def accept(*, invitation_id: UUID, person_id: UUID, now: datetime) -> Creator:
    """Take the role. Raises NotFound, InvitationOver, ProfileClosed, Invalid for somebody who runs too many."""
    with transaction.atomic():
        invitation = _answering(invitation_id, person_id)
        creator = Creator.objects.select_for_update().get(id=invitation.creator_id)
        _check_open(creator)
        others = CreatorRole.objects.filter(person_id=person_id).exclude(creator=creator)
        if others.filter(creator__closed_at=None).count() >= PROFILES_MOST:
            raise Invalid(f"One person is in at most {PROFILES_MOST} profiles.")
        _answer(invitation, RoleInvitation.Answer.ACCEPTED, now)
        held, new = CreatorRole.objects.get_or_create(
            creator=creator, person_id=person_id, defaults={"role": invitation.role}
        )
        if not new:
            _set_role(creator, held, invitation.role)
    return creator


def decline(*, invitation_id: UUID, person_id: UUID, now: datetime) -> None:
    """Decline the role. Raises NotFound, InvitationOver."""
    with transaction.atomic():
        _answer(_answering(invitation_id, person_id), RoleInvitation.Answer.DECLINED, now)


def withdraw(*, creator_id: UUID, invitation_id: UUID, person_id: UUID, now: datetime) -> None:
    """Take an invitation back. Only an owner may. Raises NotFound, InvitationOver."""
    with transaction.atomic():
        _owned(creator_id, person_id)
        invitation = RoleInvitation.objects.select_for_update().filter(id=invitation_id, creator_id=creator_id).first()
        if invitation is None:
            raise NotFound("there is no such invitation of this profile")
        _check_waiting(invitation)
        _answer(invitation, RoleInvitation.Answer.WITHDRAWN, now)


def change_role(*, creator_id: UUID, member_id: UUID, role: str, person_id: UUID, now: datetime) -> None:
    """Give somebody in the profile another role, and tell them. Only an owner may. Raises NotFound, LastOwner."""
    if role not in CreatorRole.Role.values:
        raise Invalid(f"A role is one of {', '.join(CreatorRole.Role.values)}.")
    with transaction.atomic():
        creator = _owned(creator_id, person_id)
        held = _role(creator, member_id)
        if held.role == role:
            return
        _set_role(creator, held, role)
        if member_id != person_id:
            _tell(creator, member_id, f"You are {role} of “{creator.name}” now", f"You may {WORDS[role]}.", now)


def remove(*, creator_id: UUID, member_id: UUID, person_id: UUID, now: datetime) -> None:
    """Take somebody out of the profile: an owner anybody, everybody themselves. Raises NotFound, LastOwner.

    What a split sheet gives them is not touched by it.
    """
    with transaction.atomic():
        creator = Creator.objects.select_for_update().filter(id=creator_id).first()
        if creator is None:
            raise NotFound("there is no such profile of yours")
        if member_id != person_id:
            _check_owner(creator, person_id)
        held = _role(creator, member_id)
        _keep_an_owner(creator, held)
        held.delete()
        if member_id != person_id:
            words = "Your shares by split sheets stay as they are."
            _tell(creator, member_id, f"You are not in “{creator.name}” any more", words, now)


def close(*, creator_id: UUID, person_id: UUID, now: datetime) -> Creator:
    """Close the profile for good: its works are taken off, invitations end. Only an owner may. Raises NotFound.

    Who owns a work keeps it; who has begun one may go on for 90 days; what was earned is paid.
    """
    with transaction.atomic():
        creator = _owned(creator_id, person_id)
        creator.closed_at = now
        creator.save(update_fields=["closed_at"])
        published = Work.objects.filter(creator=creator, state=Work.State.PUBLISHED)
        ids = list(published.order_by("id").select_for_update().values_list("id", flat=True))
        Work.objects.filter(id__in=ids).update(state=Work.State.OFF, off_at=now)
        creator.invitations.filter(answered_at=None).update(answered_at=now, answer=RoleInvitation.Answer.WITHDRAWN)
        for member in members_of(creator.id):
            words = "Its works are off. Who owns one keeps it; who has begun one may go on for 90 days."
            _tell(creator, member.person_id, f"“{creator.name}” is closed", words, now)
    return creator


def _owned(creator_id: UUID, person_id: UUID) -> Creator:
    """Return the profile, open and locked, if the person owns it. Raises NotFound, ProfileClosed."""
    creator = Creator.objects.select_for_update().filter(id=creator_id).first()
    if creator is None:
        raise NotFound("there is no such profile of yours")
    _check_owner(creator, person_id)
    _check_open(creator)
    return creator


def _check_owner(creator: Creator, person_id: UUID) -> None:
    if not creator.roles.filter(person_id=person_id, role=CreatorRole.Role.OWNER).exists():
        raise NotFound("there is no such profile of yours to decide about")


def _check_open(creator: Creator) -> None:
    if creator.closed_at is not None:
        raise ProfileClosed("Its owner closed this profile. Nothing new happens under it.")


def _role(creator: Creator, member_id: UUID) -> CreatorRole:
    held = creator.roles.filter(person_id=member_id).first()
    if held is None:
        raise NotFound("there is nobody like that in this profile")
    return held


def _set_role(creator: Creator, held: CreatorRole, role: str) -> None:
    if role != CreatorRole.Role.OWNER:
        _keep_an_owner(creator, held)
    held.role = role
    held.save(update_fields=["role"])


def _keep_an_owner(creator: Creator, leaving: CreatorRole) -> None:
    """Raise LastOwner if nobody owned an open profile without `leaving`. The profile is locked."""
    if creator.closed_at is None and not (
        creator.roles.filter(role=CreatorRole.Role.OWNER).exclude(id=leaving.id).exists()
    ):
        raise LastOwner("They are its only owner. Make somebody else an owner first, or close the profile.")


def _answering(invitation_id: UUID, person_id: UUID) -> RoleInvitation:
    invitation = (
        RoleInvitation.objects.select_for_update()
        .filter(id=invitation_id, email__in=admission.addresses_of(person_id))
        .first()
    )
    if invitation is None:
        raise NotFound("there is no such invitation for you")
    _check_waiting(invitation)
    return invitation


def _check_waiting(invitation: RoleInvitation) -> None:
    if invitation.answered_at is not None:
        raise InvitationOver(f"It was {invitation.answer} already.")


def _answer(invitation: RoleInvitation, answer: str, now: datetime) -> None:
    invitation.answer, invitation.answered_at = answer, now
    invitation.save(update_fields=["answer", "answered_at"])


def _tell(creator: Creator, member_id: UUID, subject: str, words: str, now: datetime) -> None:
    letter = Letter(subject=subject, paragraphs=[words], act="The studio", path=reverse("catalog:studio"))
    letters.send(letter, person_id=member_id, key=f"role:{creator.id}:{member_id}:{now.isoformat()}", now=now)
