"""Traces: the names and addresses by which somebody can still be found, collected once, before they are taken away."""

import re
from dataclasses import dataclass
from uuid import UUID

from allauth.account.models import EmailAddress

from members.belonging.models import Membership
from members.models import Person

# Shorter names stand in too many other words to be looked for in what others wrote.
NAME_LEAST = 3
SHELL_NAME = "Somebody who left"
# Nobody's mail is ever delivered below .invalid (RFC 2606).
SHELL_HOST = "erased.invalid"


@dataclass(frozen=True, kw_only=True)
class Traces:
    """Whom it is about, what they were called, and the addresses that were theirs, all in lower case."""

    person_id: UUID
    names: tuple[str, ...]
    addresses: tuple[str, ...]

    @property
    def shell_address(self) -> str:
        """Return what stands where an address has to stand, of which there is one for each person."""
        return shell_address(self.person_id)

    @property
    def patterns(self) -> list[str]:
        """Return regular expressions for `~* ANY` that find each of them in a text, as words of their own."""
        said = [*self.addresses, *(name for name in self.names if len(name) >= NAME_LEAST)]
        return [rf"(^|\W){re.escape(one)}(\W|$)" for one in said]

    @property
    def words(self) -> list[str]:
        """Return the words of their names, for what they named themselves."""
        return sorted({word for name in self.names for word in name.split() if len(word) >= NAME_LEAST})


def of(person_id: UUID) -> Traces:
    """Return the traces of a person. Three queries."""
    person = Person.objects.get(id=person_id)
    legal = Membership.objects.filter(person_id=person_id).values_list("legal_name", flat=True)
    names = {name.strip().lower() for name in (person.name, *legal) if name.strip() and name != SHELL_NAME}
    addresses = {person.email.lower()}
    addresses |= {one.lower() for one in EmailAddress.objects.filter(user_id=person_id).values_list("email", flat=True)}
    return Traces(person_id=person_id, names=tuple(sorted(names)), addresses=tuple(sorted(addresses)))


def shell_address(person_id: UUID) -> str:
    """Return the address of nobody that an erased person's row has."""
    return f"erased-{person_id}@{SHELL_HOST}"
