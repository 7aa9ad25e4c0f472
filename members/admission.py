"""Admission: who belongs, and what they may do for the co-op. Other apps ask here and never read the rows."""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from allauth.account.models import EmailAddress
from django.db import transaction

from members import locks
from members.models import Person, StaffRole
from members.problems import NotFound, Problem

# The board has three to seven directors; one that is being founded may have fewer, and does not speak as a board yet.
DIRECTORS_LEAST, DIRECTORS_MOST = 3, 7
# Who gives or takes roles, one at a time.
STAFF_LOCK = 1_919_247_988


class BoardSize(Problem):
    """The board has three directors at least and seven at most."""

    slug, status, title = "board-size", 409, "The board has three to seven directors"


class Staff(StrEnum):
    """The roles of staff."""

    DIRECTOR = "director"
    TREASURER = "treasurer"
    SECRETARY = "secretary"
    CATALOGUE = "catalogue"


def email_of(person_id: UUID) -> str:
    """Return the address a person signs in with. One query. Raises NotFound."""
    found = Person.objects.filter(id=person_id).values_list("email", flat=True).first()
    if found is None:
        raise NotFound("there is no such person")
    return found


def person_of(email: str) -> UUID | None:
    """Return who signs in with an address, or None. One query."""
    return Person.objects.filter(email=email.strip().lower()).values_list("id", flat=True).first()


def is_known(person_id: UUID) -> bool:
    """Return whether there is such a person. One query."""
    return Person.objects.filter(id=person_id).exists()


def addresses_of(person_id: UUID) -> frozenset[str]:
    """Return the addresses the person proved to be theirs, in lower case. One query."""
    verified = EmailAddress.objects.filter(user_id=person_id, verified=True).values_list("email", flat=True)
    return frozenset(email.lower() for email in verified)


def names_of(person_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return what people are called by. One query."""
    return {person.id: str(person) for person in Person.objects.filter(id__in=set(person_ids)).only("name", "email")}


def name_of(person_id: UUID) -> str:
    """Return the name a person goes by, which may be empty. One query. Raises NotFound."""
    found = Person.objects.filter(id=person_id).values_list("name", flat=True).first()
    if found is None:
        raise NotFound("there is no such person")
    return found


def roles_of(person_id: UUID) -> frozenset[Staff]:
    """Return what the person may do for the co-op, which for most is nothing. One query."""
    return frozenset(
        Staff(role) for role in StaffRole.objects.filter(person_id=person_id).values_list("role", flat=True)
    )


def people_in(role: Staff) -> frozenset[UUID]:
    """Return who has a role. One query."""
    return frozenset(StaffRole.objects.filter(role=role).values_list("person_id", flat=True))


def give_role(*, person_id: UUID, role: Staff) -> None:
    """Give a person a role; one that they have is theirs already. Raises BoardSize for an eighth director, NotFound."""
    with transaction.atomic():
        locks.wait_for(STAFF_LOCK)
        if not is_known(person_id):
            raise NotFound("there is no such person")
        seated = people_in(role)
        if role == Staff.DIRECTOR and person_id not in seated and len(seated) >= DIRECTORS_MOST:
            raise BoardSize(f"The board has {DIRECTORS_MOST} directors at most. One has to leave it first.")
        StaffRole.objects.get_or_create(person_id=person_id, role=role)


def take_role(*, person_id: UUID, role: Staff) -> None:
    """Take a role from a person. Raises BoardSize where two directors would be left, NotFound."""
    with transaction.atomic():
        locks.wait_for(STAFF_LOCK)
        seated = people_in(role)
        if person_id not in seated:
            raise NotFound(f"this person is no {role}")
        if role == Staff.DIRECTOR and len(seated) == DIRECTORS_LEAST:
            raise BoardSize(f"The board has {DIRECTORS_LEAST} directors at least. Another one has to come first.")
        StaffRole.objects.filter(person_id=person_id, role=role).delete()


def has_role(*, person_id: UUID, roles: tuple[Staff, ...]) -> bool:
    """Return whether the person has one of the roles. One query."""
    return StaffRole.objects.filter(person_id=person_id, role__in=roles).exists()
