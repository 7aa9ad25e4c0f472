"""Shares: what members put into the co-op as capital, twenty euros each, and get back when they have left.

Shares are paid by bank, never from a wallet: credit was bought to listen, with tax in it. They are paid in when a
treasurer saw the money, and paid back by two treasurers. A certificate says how many somebody holds, under the co-op's
own signature.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from members import clock, ibans, keys, money, seals
from members.belonging import classes, instruments, memberships
from members.belonging.dues import check_treasurer
from members.belonging.memberships import MembershipStands
from members.belonging.models import Membership, ShareHolding
from members.problems import Invalid, NotAllowed, NotFound

PRICE_MICROS = 20 * money.MICROS
COUNT_MOST = 500


def ask(*, person_id: UUID, count: int, now: datetime) -> ShareHolding:
    """Ask for shares, to be paid by bank. Raises NotAMember, Invalid, MembershipStands where some wait to be paid."""
    if type(count) is not int or not 1 <= count <= COUNT_MOST:
        raise Invalid(f"Ask for 1 to {COUNT_MOST} shares at a time.")
    try:
        with transaction.atomic():
            membership = memberships.lock_of(person_id)
            if membership.state == Membership.State.APPLIED:
                raise MembershipStands("Shares are for those whose application was approved.")
            return ShareHolding.objects.create(
                membership=membership, count=count, amount_micros=count * PRICE_MICROS, asked_at=now
            )
    except IntegrityError:
        raise MembershipStands("You asked for shares already. Pay those first, or drop them.") from None


def drop(*, person_id: UUID, holding_id: UUID, now: datetime) -> None:
    """Take back a wish for shares that are not paid. Raises NotFound, MembershipStands."""
    with transaction.atomic():
        found = _locked(holding_id)
        if found.membership.person_id != person_id:
            raise NotFound("you asked for no such shares")
        if found.paid_at or found.dropped_at:
            raise MembershipStands("These shares are paid or were dropped.")
        found.dropped_at = now
        found.save(update_fields=["dropped_at"])


def confirm(*, holding_id: UUID, staff_id: UUID, iban: str, now: datetime) -> ShareHolding:
    """Keep that shares were paid in from an account. The journal books the money by the bank's line.

    Raises NotAllowed for all but another treasurer, NotFound, MembershipStands, Invalid, InstrumentTaken.
    """
    check_treasurer(staff_id)
    account = ibans.check(iban)
    with transaction.atomic():
        found = _locked(holding_id)
        membership = found.membership
        if membership.person_id == staff_id:
            raise NotAllowed("nobody confirms their own shares")
        if found.paid_at or found.dropped_at or membership.state not in memberships.LIVE:
            raise MembershipStands("These shares are paid, or nobody wants them any more.")
        instruments.note(membership, [f"iban:{account.iban}"], now=now)
        found.paid_at, found.confirmed_by_id = now, staff_id
        found.save(update_fields=["paid_at", "confirmed_by_id"])
        memberships.settle(membership, now=now)
    return found


def repay(*, holding_id: UUID, staff_id: UUID, now: datetime) -> ShareHolding:
    """Pay shares back to somebody who left: one treasurer asks for it, another one does it, by the same call.

    Raises NotAllowed, NotFound; MembershipStands for shares of a member, and for those that are paid back.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        found = _locked(holding_id)
        if found.membership.person_id == staff_id:
            raise NotAllowed("nobody pays back their own shares")
        if found.paid_at is None or found.repaid_at or found.membership.state in memberships.LIVE:
            raise MembershipStands("Shares are paid back once, to those who have left.")
        if found.repaying_by_id is None:
            found.repaying_by_id = staff_id
        elif found.repaying_by_id == staff_id:
            raise NotAllowed("another treasurer confirms that they are paid back")
        else:
            found.repaid_at, found.repaid_by_id = now, staff_id
        found.save(update_fields=["repaying_by_id", "repaid_at", "repaid_by_id"])
    return found


def of_person(person_id: UUID) -> QuerySet[ShareHolding]:
    """Return the shares that somebody holds, asked for or held once; dropped ones are not among them."""
    return ShareHolding.objects.filter(membership__person_id=person_id, dropped_at=None)


def unpaid() -> Sequence[ShareHolding]:
    """Return the shares that wait for their money, oldest first. One query."""
    return list(
        ShareHolding.objects.filter(paid_at=None, dropped_at=None, membership__state__in=memberships.LIVE)
        .select_related("membership__person")
        .order_by("asked_at", "id")
    )


def to_repay() -> Sequence[ShareHolding]:
    """Return the paid shares of those who left, oldest first. One query."""
    return list(
        ShareHolding.objects.filter(paid_at__isnull=False, repaid_at=None, membership__state__in=("left", "expelled"))
        .select_related("membership__person", "repaying_by")
        .order_by("membership__ended_at", "id")
    )


def certificate(*, person_id: UUID, now: datetime) -> dict[str, Any]:
    """Return a signed document that says how many shares a person holds. Raises NotFound for none, NoSealingKey."""
    membership = Membership.objects.filter(person_id=person_id, shares__paid_at__isnull=False).first()
    held = classes.paid_shares(membership.id) if membership else 0
    if membership is None or not held:
        raise NotFound("there are no paid shares")
    content = {
        "domain": "refrain-shares-1",
        "name": membership.legal_name,
        "member_number": membership.number,
        "shares": held,
        "paid_in_micros": held * PRICE_MICROS,
        "day": clock.day(now).isoformat(),
    }
    return {"certificate": content, "sha256": seals.sha256_of(content), **seals.sign(content, key=keys.present_key())}


def _locked(holding_id: UUID) -> ShareHolding:
    found = ShareHolding.objects.filter(id=holding_id).first()
    if found is None:
        raise NotFound("there are no such shares")
    membership = memberships.lock(found.membership_id)
    found.refresh_from_db()
    found.membership = membership
    return found
