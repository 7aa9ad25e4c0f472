"""Members for tests: people who applied, were approved by `sam` and paid, each by a step of the real way."""

from contextlib import suppress
from datetime import datetime
from itertools import count

from members import ibans
from members.belonging import dues, memberships, places
from members.belonging.models import Membership
from members.models import Person
from members.problems import Invalid
from tests import cast

_accounts = count(1)


def iban() -> str:
    """Return an account that no other call returns; the bank's own check digits are right in some numbers alone."""
    while True:
        bban = f"37040044{next(_accounts):010d}"
        made = f"DE{98 - int(f'{bban}131400') % 97:02d}{bban}"
        with suppress(Invalid):
            return ibans.check(made).iban


def secretary(name: str = "sam") -> Person:
    """Make a secretary."""
    return cast.person(name, staff=("secretary",))


def applicant(who: Person, *, classes: tuple[str, ...] = ("listener",), votes: str = "", now: datetime) -> Membership:
    """Let a person apply."""
    return memberships.apply_for(
        person_id=who.id,
        legal_name=f"{who.name} Example",
        postal_address="Ring 1\n10115 Berlin",
        member_classes=classes,
        voting_class=votes or classes[0],
        now=now,
    )


def approved(who: Person, *, classes: tuple[str, ...] = ("listener",), votes: str = "", now: datetime) -> Membership:
    """Let a person apply and be approved."""
    made = applicant(who, classes=classes, votes=votes, now=now)
    return memberships.approve(membership_id=made.id, staff_id=secretary().id, now=now)


def pay(membership: Membership, *, now: datetime) -> None:
    """Let the next year's dues come by bank, from an account of the member's own."""
    dues.confirm_by_bank(
        membership_id=membership.id,
        staff_id=cast.treasurer().id,
        covers_from=dues.due_from(membership, now=now),
        iban=iban(),
        now=now,
    )


def member(name: str, *, classes: tuple[str, ...] = ("listener",), votes: str = "", now: datetime) -> Person:
    """Make somebody who has joined at `now`."""
    who = cast.person(name)
    made = approved(who, classes=classes, votes=votes, now=now)
    pay(made, now=now)
    return who


def place(who: Person, member_class: str, *, now: datetime) -> None:
    """Let a member ask for a further class and the secretary approve it."""
    asked = places.ask(person_id=who.id, member_class=member_class, now=now)
    places.approve(place_id=asked.id, staff_id=secretary().id, now=now)
