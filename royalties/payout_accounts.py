"""Where royalties go: a payee's bank account, checked, sealed, and shown to nobody whole.

A change is told by mail, for whoever has somebody's password would change this first.
"""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from members import ibans, letters
from members.letters import Letter
from members.problems import Invalid, Problem
from royalties.payout_models import PayoutAccount

HOLDER_MOST = 70
# What an account that belonged to somebody erased is emptied to.
BLANK_SEAL = "v1."


class AccountReplaced(Problem):
    """Two accounts were entered at the same moment; one of them stands."""

    slug, status, title = "account-replaced", 409, "Another account was entered"


def enter(*, person_id: UUID, holder: str, iban: str, now: datetime) -> PayoutAccount:
    """Let royalties be paid to an account from now on; one entered before ends. The payee is told by mail.

    Raises Invalid for a holder without a name and for an account that a SEPA transfer does not reach.
    """
    holder = " ".join(holder.split())
    if not 1 <= len(holder) <= HOLDER_MOST:
        raise Invalid(f"The holder of the account has a name of at most {HOLDER_MOST} letters.")
    account = ibans.check(iban)
    with transaction.atomic():
        _end(person_id, now)
        try:
            with transaction.atomic():
                made = PayoutAccount.objects.create(
                    person_id=person_id,
                    holder=holder,
                    sealed=ibans.seal(account.iban, owner_id=person_id),
                    mask=account.mask,
                    entered_at=now,
                )
        except IntegrityError:
            raise AccountReplaced("Another account was entered at the same moment. Look at it and try again.") from None
        letter = Letter(
            subject="Your royalties go to another account",
            paragraphs=[f"From now on they are paid to the account {account.mask} of {holder}."],
            act="Your payout account",
            path="/earnings/account",
            after=["If this was not you, change your password and write to the co-op at once."],
        )
        letters.send(letter, person_id=person_id, key=f"payout-account:{made.id}", now=now)
    return made


def remove(*, person_id: UUID, now: datetime) -> None:
    """Pay a person's royalties to no account; they stay owed. Done again, it does nothing."""
    with transaction.atomic():
        _end(person_id, now)


def of_person(person_id: UUID) -> PayoutAccount | None:
    """Return where a person's royalties go, or None. One query."""
    return PayoutAccount.objects.filter(person_id=person_id, ended_at=None).first()


def empty(person_id: UUID, *, now: datetime) -> int:
    """End and empty every account of somebody erased; return how many were not empty yet."""
    with transaction.atomic():
        _end(person_id, now)
        kept = PayoutAccount.objects.filter(person_id=person_id).exclude(sealed=BLANK_SEAL)
        return kept.update(holder="", sealed=BLANK_SEAL, mask="")


def _end(person_id: UUID, now: datetime) -> None:
    for stands in PayoutAccount.objects.select_for_update().filter(person_id=person_id, ended_at=None):
        stands.ended_at = now
        stands.save(update_fields=["ended_at"])
