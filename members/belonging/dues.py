"""Dues: ten euros for each year of belonging, from the wallet or by bank.

A year begins when the one before ends; who pays after the days of grace begins anew on the day they pay. The app that
keeps wallets registers itself as the payer when it starts. What comes by bank a treasurer confirms, who sees the line.
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet

from members import admission, clock, ibans, letters, money
from members.admission import Staff
from members.belonging import instruments, memberships
from members.belonging.memberships import GRACE, MembershipStands
from members.belonging.models import DuesPayment, Membership
from members.letters import Letter
from members.problems import NotAllowed, Problem

YEARLY_MICROS = 10 * money.MICROS
# So long before a year ends the next one can be paid, and so long before its end one is reminded.
AHEAD = timedelta(days=60)
REMINDED_BEFORE = timedelta(days=14)
PAYABLE = (Membership.State.APPROVED, Membership.State.JOINED)


class DuesNotDue(Problem):
    """The year is paid, and the next one is far away; or the application is not approved yet."""

    slug, status, title = "dues-not-due", 409, "There are no dues to pay now"


class Payer(Protocol):
    """Whoever keeps wallets."""

    def pay(self, *, person_id: UUID, amount_micros: int, reference: UUID) -> datetime:
        """Take an amount from the wallet, once per reference, and return when. Raises what a charge does."""

    def instruments(self, person_id: UUID) -> frozenset[str]:
        """Return what the gateway calls the cards and accounts that the wallet was filled with."""


_payers: list[Payer] = []


def register_payer(payer: Payer) -> None:
    """Make known who keeps the wallets. Called by that app when it starts."""
    _payers[:] = [payer]


def due_from(membership: Membership, *, now: datetime) -> date:
    """Return the first day of the year to pay for next. One query."""
    day = clock.day(now)
    until = DuesPayment.objects.filter(membership=membership).aggregate(until=Max("covers_until"))["until"]
    return until if until and day < until + GRACE else day


def pay_from_wallet(*, person_id: UUID, covers_from: date, now: datetime) -> DuesPayment:
    """Pay the year that begins on a day with bought credit. Paid again for the same day, it is the same payment.

    Raises NotAMember, DuesNotDue, MembershipStands for a day that is not the next one, InstrumentTaken, and what the
    wallet raises (InsufficientFunds, WalletFrozen).
    """
    assert _payers, "no app keeps wallets"
    with transaction.atomic():
        membership = memberships.lock_of(person_id)
        if paid := DuesPayment.objects.filter(membership=membership, covers_from=covers_from).first():
            return paid
        _check_due(membership, covers_from, now=now)
        instruments.note(membership, _payers[0].instruments(person_id), now=now)
        named = uuid4()
        paid_at = _payers[0].pay(person_id=person_id, amount_micros=YEARLY_MICROS, reference=named)
        return _keep(membership, reference=named, first=covers_from, way="wallet", paid_at=paid_at)


def confirm_by_bank(*, membership_id: UUID, staff_id: UUID, covers_from: date, iban: str, now: datetime) -> DuesPayment:
    """Keep that a year was paid by bank, from the account `iban`. The journal books the money by the bank's line.

    Raises NotAllowed for all but another treasurer, NotFound, Invalid for what is no IBAN, and as `pay_from_wallet`.
    """
    check_treasurer(staff_id)
    account = ibans.check(iban)
    with transaction.atomic():
        membership = memberships.lock(membership_id)
        if membership.person_id == staff_id:
            raise NotAllowed("nobody confirms their own dues")
        if DuesPayment.objects.filter(membership=membership, covers_from=covers_from).exists():
            raise MembershipStands("This year is paid.")
        _check_due(membership, covers_from, now=now)
        instruments.note(membership, [f"iban:{account.iban}"], now=now)
        return _keep(membership, reference=uuid4(), first=covers_from, way="bank", paid_at=now, staff_id=staff_id)


def of_person(person_id: UUID) -> QuerySet[DuesPayment]:
    """Return what somebody paid, in no order."""
    return DuesPayment.objects.filter(membership__person_id=person_id)


@dataclass(frozen=True, kw_only=True)
class Owing:
    """A membership whose next year can be paid: from which day on it counts, and what stands on its transfer."""

    membership: Membership
    covers_from: date
    reference: str


def owing(*, now: datetime, most: int = 200) -> Sequence[Owing]:
    """Return the memberships with a year to pay, new ones and those longest unpaid first. One query."""
    day = clock.day(now)
    found = (
        Membership.objects.filter(state__in=PAYABLE)
        .annotate(until=Max("dues__covers_until"))
        .filter(Q(until=None) | Q(until__lte=day + AHEAD))
        .select_related("person")
        .order_by(F("until").asc(nulls_first=True), "applied_at", "number", "legal_name", "id")[:most]
    )
    return [
        Owing(
            membership=one,
            covers_from=one.until if one.until and day < one.until + GRACE else day,
            reference=reference(one),
        )
        for one in found
    ]


def remind(*, now: datetime) -> int:
    """Write once to every member whose year ends within two weeks, and return how many there were. For a daily beat."""
    last = clock.day(now) + REMINDED_BEFORE
    ending = (
        Membership.objects.filter(state=Membership.State.JOINED)
        .annotate(until=Max("dues__covers_until"))
        .filter(until__lte=last, until__gt=clock.day(now) - GRACE)
        .order_by("number")
    )
    found = list(ending)
    for membership in found:
        until = membership.until
        letters.send(
            Letter(
                subject="Your next year in the co-op",
                paragraphs=[
                    f"Your dues cover the time until {until:%-d %B %Y}. {money.show(YEARLY_MICROS)} pay the next year.",
                    f"They can be paid until {until + GRACE:%-d %B %Y}; after that you are not on the roll of votes.",
                ],
                act="Pay the dues",
                path="/membership",
            ),
            person_id=membership.person_id,
            key=f"dues-end:{membership.id}:{until}",
            now=now,
        )
    return len(found)


def reference(membership: Membership) -> str:
    """Return what a member writes on a transfer, so that a treasurer can tell whose it is."""
    return f"REFRAIN {str(membership.id)[:8].upper()}"


def check_treasurer(staff_id: UUID) -> None:
    """Raise NotAllowed unless the person is a treasurer."""
    if not admission.has_role(person_id=staff_id, roles=(Staff.TREASURER,)):
        raise NotAllowed("this is for treasurers")


def a_year_after(first: date) -> date:
    """Return the same day of the next year; the first of March after a leap day."""
    if first.month == 2 and first.day == 29 and not calendar.isleap(first.year + 1):
        return date(first.year + 1, 3, 1)
    return first.replace(year=first.year + 1)


def _check_due(membership: Membership, covers_from: date, *, now: datetime) -> None:
    if membership.state not in PAYABLE:
        raise DuesNotDue("Dues are paid by members, and by those whose application was approved.")
    due = due_from(membership, now=now)
    if due > clock.day(now) + AHEAD:
        raise DuesNotDue(f"Your dues are paid until {due:%-d %B %Y}. The next year can be paid 60 days before.")
    if covers_from != due:
        raise MembershipStands(f"The year to pay for begins on {due:%-d %B %Y}.")


def _keep(
    membership: Membership, *, reference: UUID, first: date, way: str, paid_at: datetime, staff_id: UUID | None = None
) -> DuesPayment:
    made = DuesPayment.objects.create(
        id=reference,
        membership=membership,
        covers_from=first,
        covers_until=a_year_after(first),
        amount_micros=YEARLY_MICROS,
        way=way,
        paid_at=paid_at,
        confirmed_by_id=staff_id,
    )
    memberships.settle(membership, now=paid_at)
    return made
