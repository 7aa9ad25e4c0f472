"""The list of erasures: kept by a secretary outside, so that a restored backup forgets again who was erased since.

It names nobody: the number that a person's row has here, when they went, and the digest of their claim code, so that
the code claims what is owed after a restore too. On it is who can not stay any more. Who had asked, and could have
thought again, asks again.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from members.erasing import erasures
from members.erasing.models import Erasure
from members.models import Person, StaffRole
from members.problems import Invalid

COLUMNS = ("person", "asked_at", "ends_at", "erased_at", "code_sha256")
OVER = (Erasure.State.SETTLING, Erasure.State.ERASED)
AT_ONCE = 1_000
# Who was erased on paper may have drawn no code.
DIGEST_BYTES = (0, 32)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A line of a list: who, and when they asked, could not stay any more, and which code was told to them."""

    person_id: UUID
    asked_at: datetime
    ends_at: datetime
    code_sha256: str


@dataclass(frozen=True, kw_only=True)
class Again:
    """What running a list again did: begun anew, known already, of nobody here; who has a role for the co-op first."""

    begun: int
    known: int
    unknown: int
    with_roles: tuple[UUID, ...]


def document() -> Iterator[str]:
    """Yield the list as lines of CSV, the oldest first. One query."""
    yield _line(COLUMNS)
    rows = Erasure.objects.filter(state__in=OVER).order_by("ends_at", "id")
    for one in rows.iterator(chunk_size=AT_ONCE):
        erased_at = one.erased_at.isoformat() if one.erased_at else ""
        yield _line((str(one.person_id), one.asked_at.isoformat(), one.ends_at.isoformat(), erased_at, one.code_sha256))


def read(lines: Iterable[str]) -> list[Listed]:
    """Return what a list says. Raises Invalid for what is none, and names its line."""
    rows = csv.reader(lines)
    if tuple(next(rows, ())) != COLUMNS:
        raise Invalid(f"A list of erasures begins with {','.join(COLUMNS)}.")
    return [_listed(row, number) for number, row in enumerate(rows, start=2) if row]


def run_again(*, listed: Iterable[Listed], now: datetime) -> Again:
    """Begin again each erasure of a list that this database does not know; beat goes on with them. Safe to repeat.

    Nobody signs in as them from then on. Who has a role for the co-op here is left as they are, and told to the caller.
    """
    begun = known = unknown = 0
    with_roles = []
    for one in listed:
        if not Person.objects.filter(id=one.person_id).exists():
            unknown += 1
        elif StaffRole.objects.filter(person_id=one.person_id).exists():
            with_roles.append(one.person_id)
        elif _begin(one, now=now):
            begun += 1
        else:
            known += 1
    return Again(begun=begun, known=known, unknown=unknown, with_roles=tuple(with_roles))


def _begin(one: Listed, *, now: datetime) -> bool:
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(id=one.person_id)
        found = Erasure.objects.filter(person_id=one.person_id).exclude(state=Erasure.State.TAKEN_BACK).first()
        if found is not None and found.state in OVER:
            return False
        if found is None:
            found = Erasure(person_id=one.person_id, asked_at=one.asked_at)
        found.ends_at, found.code_sha256 = one.ends_at, one.code_sha256
        found.save()
        erasures.shut(
            found,
            words="A backup of our records was restored, and it knew you again. What you had asked for is done again:"
            " everything that names you is removed. You need not do anything, and your claim code is the one you have.",
            left_at=one.ends_at,
            now=now,
        )
    return True


def _listed(row: list[str], number: int) -> Listed:
    refusal = Invalid(f"Line {number} is no line of a list of erasures. Nothing was done.")
    try:
        person, asked_at, ends_at, _, code_sha256 = row
        found = Listed(
            person_id=UUID(person),
            asked_at=datetime.fromisoformat(asked_at),
            ends_at=datetime.fromisoformat(ends_at),
            code_sha256=code_sha256,
        )
        is_one = found.asked_at < found.ends_at and len(bytes.fromhex(code_sha256)) in DIGEST_BYTES
    except (ValueError, TypeError):
        raise refusal from None
    if not is_one:
        raise refusal
    return found


def _line(cells: Iterable[str]) -> str:
    # Numbers, moments and digests: nothing in them needs quotes.
    return ",".join(cells) + "\r\n"
