"""Payouts: what payees are owed goes to their bank, in whole cents, and what a bank sends back is owed again.

Payable, in transit, bank. A month's payouts are prepared by one treasurer and released by another, after the month's
books agreed with the bank. Each has a name at the bank that is made of payee, period and sequence alone: whoever makes
it again, after a backup was restored, makes the same, and the bank's lines tell that it was paid. So no file, however
often it is sent, pays twice, and the part of a cent that stays is carried forward.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from members import admission, clock, ibans, letters, money, months, policies, seals, sepa
from members.admission import Staff
from members.erasing import erasures
from members.letters import Letter
from members.problems import NotAllowed, NotFound, Problem
from royalties import accounts, adopting, holds, ledger, payout_accounts, settling
from royalties.adopting import Lost
from royalties.holds import Held
from royalties.id_shares import EVERYTHING, IdShare
from royalties.ledger_models import Account
from royalties.payout_models import Payout, PayoutAccount, PayoutBatch

TREASURERS = (Staff.TREASURER,)
# What is not worth a transfer every month is paid with the month of this number.
YEARLY_MONTH = 12
ONE_DAY, WEEK_ENDS = timedelta(days=1), (5, 6)
# Why nothing is paid to a payee; pages put it in words.
NOTHING, NO_ACCOUNT, HELD_BACK, TOO_LITTLE = "nothing-owed", "no-account", "held", "below-threshold"


class NothingDue(Problem):
    """There is nobody to pay: nothing owed, too little, held, or no account."""

    slug, status, title = "nothing-due", 409, "There is nothing to pay out"


class BatchStands(Problem):
    """Another batch is prepared, released or dropped since it was looked at."""

    slug, status, title = "batch-stands", 409, "The payouts are not as they were"


class BooksOpen(Problem):
    """A month is paid out when its books agree with the bank, not before."""

    slug, status, title = "books-open", 409, "The month's books are not locked"


class FileForgotten(Problem):
    """The file names an account of somebody who was erased; it was paid before that and is not made again."""

    slug, status, title = "payout-file-forgotten", 410, "This file is not made again"


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a payee gets with a month's payouts: whole cents, or none and why. Of `payable_micros`, `held` waits."""

    cents: int
    why_not: str
    payable_micros: int
    held: Held

    @property
    def carried_micros(self) -> int:
        """Return what stays owed."""
        return self.payable_micros - money.from_cents(self.cents)


def check_treasurer(staff_id: UUID) -> None:
    """Raise NotAllowed unless the person is a treasurer."""
    if not admission.has_role(person_id=staff_id, roles=TREASURERS):
        raise NotAllowed("only treasurers look after the co-op's money")


# What is due.


def due(*, month: date, now: datetime, whose: IdShare = EVERYTHING) -> dict[UUID, Due]:
    """Return what each payee who is owed anything gets if a month (its first day) is paid at `now`.

    `whose` asks for payees of these ids alone. Four queries.
    """
    payable = Account.objects.filter(
        code__startswith=accounts.payable_prefix(),
        balance_micros__lt=0,
        person_id__gte=whose.first,
        person_id__lte=whose.last,
    )
    owed = {
        person_id: -balance
        for person_id, balance in payable.values_list("person_id", "balance_micros")
        if person_id is not None
    }
    held = holds.of(month=month, now=now, whose=whose)
    reached = set(PayoutAccount.objects.filter(person_id__in=owed, ended_at=None).values_list("person_id", flat=True))
    least_cents, going = threshold(month=month, now=now), erasures.gone(owed)
    return {
        person_id: _due(
            micros,
            held.get(person_id, Held()),
            # Whoever goes is paid from a cent on.
            1 if person_id in going else least_cents,
            has_account=person_id in reached,
        )
        for person_id, micros in owed.items()
    }


def threshold(*, month: date, now: datetime) -> int:
    """Return from how many cents on a month is paid out."""
    params = policies.policy_at("payouts", now).params
    return int(params["yearly_least_cents" if month.month == YEARLY_MONTH else "least_cents"])


def _due(payable: int, held: Held, least_cents: int, *, has_account: bool) -> Due:
    free = max(0, payable - held.micros) // money.MICROS_PER_CENT
    if free >= least_cents:
        why_not = "" if has_account else NO_ACCOUNT
    elif payable < money.MICROS_PER_CENT:
        why_not = NOTHING
    else:
        why_not = HELD_BACK if payable // money.MICROS_PER_CENT >= least_cents else TOO_LITTLE
    return Due(cents=0 if why_not else free, why_not=why_not, payable_micros=payable, held=held)


# Batches.


def prepare(*, month: date, staff_id: UUID, now: datetime) -> PayoutBatch:
    """Prepare a month's payouts: everything that is due, for another treasurer to release. Nothing moves yet.

    Raises NotAllowed; BooksOpen unless the month is the last one sealed; BatchStands while another one is prepared;
    NothingDue.
    """
    check_treasurer(staff_id)
    _check_sealed(month)
    with transaction.atomic():
        lost = adopting.before(month=month, now=now)
        found = {person_id: one.cents for person_id, one in due(month=month, now=now).items() if one.cents}
        owed = ledger.payable(lost.cents)
        for person_id, cents in lost.cents.items():
            # Paid already, whatever would be due; what the bank paid beyond what is owed now is the co-op's loss.
            found[person_id] = min(cents, owed[person_id] // money.MICROS_PER_CENT)
        return _prepare({person_id: cents for person_id, cents in found.items() if cents}, month, lost, staff_id, now)


def _prepare(found: dict[UUID, int], month: date, lost: Lost, staff_id: UUID, now: datetime) -> PayoutBatch:
    if not found:
        raise NothingDue("Nobody is owed enough who has an account and whose royalties are free.")
    if lost.file_cents not in (None, sum(found.values())):
        raise BatchStands(
            f"The bank paid a file of {month:%B %Y} that is lost here, over {money.show_cents(lost.file_cents or 0)}."
            " Take in its notification with every payment (camt.054) first."
        )
    accounts_of = {one.person_id: one for one in PayoutAccount.objects.filter(person_id__in=found, ended_at=None)}
    names = {
        person_id: settling.end_to_end(payee_id=person_id, month=month, sequence=lost.sequence) for person_id in found
    }
    rows = sorted((names[person_id], person_id) for person_id in found)
    account_ids = {person_id: one.id for person_id, one in accounts_of.items()}
    try:
        with transaction.atomic():
            batch = PayoutBatch.objects.create(
                month=month,
                sequence=lost.sequence,
                total_cents=sum(found.values()),
                plan_sha256=seals.sha256_of([[name, str(account_ids.get(who)), found[who]] for name, who in rows]),
                prepared_by_id=staff_id,
                prepared_at=now,
            )
            Payout.objects.bulk_create(
                Payout(
                    batch=batch,
                    person_id=person_id,
                    account=accounts_of.get(person_id),
                    cents=found[person_id],
                    end_to_end=name,
                    bank_has_it=person_id in lost.cents or lost.file_cents is not None,
                )
                for name, person_id in rows
            )
    except IntegrityError:
        raise BatchStands("Payouts are prepared already. Release or drop them first.") from None
    return batch


def release(*, batch_id: UUID, plan_sha256: str, staff_id: UUID, now: datetime) -> PayoutBatch:
    """Release the payouts that were looked at: book them in transit and make the file for the bank.

    Asked again by the same treasurer, it answers the same. Raises NotAllowed, also for whoever prepared them; NotFound;
    BooksOpen until the month's books are locked; BatchStands; LedgerRefused when somebody is owed less by now.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        batch = _locked(batch_id)
        if batch.state == PayoutBatch.State.RELEASED and batch.released_by_id == staff_id:
            return batch
        if batch.state != PayoutBatch.State.PREPARED or batch.plan_sha256 != plan_sha256:
            raise BatchStands("These payouts were released, dropped or prepared anew. Look at them again.")
        if batch.prepared_by_id == staff_id:
            raise NotAllowed("payouts are released by another treasurer than the one who prepared them")
        if not ledger.is_locked(batch.month):
            raise BooksOpen(f"The books of {batch.month:%B %Y} are locked when they agree with the bank's balance.")
        adopting.mark(batch)
        batch.state, batch.released_by_id, batch.released_at = PayoutBatch.State.RELEASED, staff_id, now
        batch.file_sha256 = seals.sha256(_file(batch))
        batch.save(update_fields=["state", "released_by", "released_at", "file_sha256"])
        found = list(batch.payouts.select_related("account").order_by("end_to_end"))
        Payout.objects.filter(batch=batch).update(state=Payout.State.IN_TRANSIT)
        for one in found:
            if not one.bank_has_it:
                _tell_of_release(one, batch, now)
        ledger.book([settling.released(one, now) for one in found], now=now)
        adopting.settle(month=batch.month, sequence=batch.sequence, now=now)
    return batch


def drop(*, batch_id: UUID, staff_id: UUID) -> PayoutBatch:
    """Drop payouts that were prepared and not released; any treasurer may. Raises NotAllowed, NotFound, BatchStands."""
    check_treasurer(staff_id)
    with transaction.atomic():
        batch = _locked(batch_id)
        if batch.state == PayoutBatch.State.DROPPED:
            return batch
        if batch.state != PayoutBatch.State.PREPARED:
            raise BatchStands("These payouts were released; only the bank can give them back.")
        adopting.mark(batch)
        if batch.payouts.filter(bank_has_it=True).exists():
            raise BatchStands(
                "The bank paid some of these before a backup was restored. Release them: it pays nothing twice."
            )
        batch.state, batch.dropped_by_id = PayoutBatch.State.DROPPED, staff_id
        batch.save(update_fields=["state", "dropped_by"])
        batch.payouts.update(state=Payout.State.DROPPED)
    return batch


def bank_file(*, batch_id: UUID, staff_id: UUID) -> bytes:
    """Return the file of released payouts for the bank, the same bytes each time.

    Raises NotAllowed, NotFound, FileForgotten.
    """
    check_treasurer(staff_id)
    batch = PayoutBatch.objects.filter(id=batch_id, state=PayoutBatch.State.RELEASED).first()
    if batch is None:
        raise NotFound("no such payouts were released")
    if batch.payouts.filter(bank_has_it=False, account__sealed=payout_accounts.BLANK_SEAL).exists():
        raise FileForgotten("Somebody who was paid with it was erased since, and their account with them.")
    content = _file(batch)
    assert seals.sha256(content) == batch.file_sha256, "the file is not the one that was released"
    return content


def batches() -> QuerySet[PayoutBatch]:
    """Return all batches, the newest first."""
    return PayoutBatch.objects.select_related("prepared_by", "released_by").order_by("-prepared_at", "-id")


def batch(batch_id: UUID) -> PayoutBatch:
    """Return one batch with whoever made it. Raises NotFound."""
    found = batches().filter(id=batch_id).first()
    if found is None:
        raise NotFound("there are no such payouts")
    return found


def of_person(person_id: UUID) -> QuerySet[Payout]:
    """Return a person's payouts that left or come to leave, the newest first."""
    gone = Q(state__in=[Payout.State.PREPARED, Payout.State.DROPPED])
    rows = Payout.objects.filter(person_id=person_id).exclude(gone).annotate(released_at=F("batch__released_at"))
    return rows.select_related("batch", "account").order_by("-released_at", "-id")


def _locked(batch_id: UUID) -> PayoutBatch:
    batch = PayoutBatch.objects.select_for_update().filter(id=batch_id).first()
    if batch is None:
        raise NotFound("there are no such payouts")
    return batch


def _check_sealed(month: date) -> None:
    period = months.period(month)
    if period is None or period.sealed_at is None:
        raise BooksOpen("A month is paid out once it is sealed.")
    following = months.period(months.after(month))
    if following is not None and following.sealed_at is not None:
        raise BooksOpen("A later month is sealed; what is left of this one is paid with that.")


def _file(batch: PayoutBatch) -> bytes:
    assert batch.released_at is not None
    day = clock.day(batch.released_at) + ONE_DAY
    while day.weekday() in WEEK_ENDS:
        day += ONE_DAY
    rows = batch.payouts.filter(bank_has_it=False).select_related("account").order_by("end_to_end")
    payments = [_payment(one, batch.month) for one in rows]
    if not payments:
        return b""
    return sepa.write(
        payments,
        message_id=batch.message_id,
        payer=settings.COOP_NAME,
        account=ibans.of_the_coop(),
        made_at=batch.released_at.astimezone(clock.zone()).replace(microsecond=0),
        pay_on=day,
    )


def _payment(one: Payout, month: date) -> sepa.Payment:
    assert one.account is not None
    return sepa.Payment(
        end_to_end=one.end_to_end,
        name=one.account.holder,
        iban=ibans.unseal(one.account.sealed, owner_id=one.person_id),
        cents=one.cents,
        words=f"{settings.COOP_NAME}: royalties to {month:%m/%Y}",
    )


def _tell_of_release(one: Payout, batch: PayoutBatch, now: datetime) -> None:
    assert one.account is not None
    letter = Letter(
        subject=f"{money.show_cents(one.cents)} are on their way to your account",
        paragraphs=[
            f"Your royalties to the end of {batch.month:%B %Y} were released to the account {one.account.mask}.",
            "It takes a bank day or two. What is less than a cent is carried forward.",
        ],
        facts=[("Reference", one.end_to_end)],
        act="See your payouts",
        path="/earnings/payouts",
    )
    letters.send(letter, person_id=one.person_id, key=f"payout:{one.id}", now=now)
