"""Admission: who belongs, and what they may do for the co-op. Other apps ask here and never read the rows."""

from enum import StrEnum
from uuid import UUID

from members.models import Person, StaffRole
from members.problems import NotFound


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


def has_role(*, person_id: UUID, roles: tuple[Staff, ...]) -> bool:
    """Return whether the person has one of the roles. One query."""
    return StaffRole.objects.filter(person_id=person_id, role__in=roles).exists()
