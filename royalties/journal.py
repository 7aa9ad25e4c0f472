"""The treasurer's journal: what the books learn from people, and the month's end at which books and bank agree.

Each kind of entry has a fixed pair of accounts, so nobody chooses debit and credit. One treasurer enters it, another
confirms it, and then it is booked, once. A month's books are locked when the balance that the bank says for its end is
the one in the books; only then are its payouts released.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Sum

from members import clock, ibans, money, months
from members.problems import Invalid, NotAllowed, NotFound, Problem
from royalties import accounts, ledger
from royalties.journal_models import BankBalance, JournalEntry
from royalties.ledger import Entry
from royalties.ledger_models import Transfer
from royalties.payout_models import BankLine
from royalties.payouts import check_treasurer

WORDS_MOST, FIRST_YEAR = 200, 2000
AMOUNT_MOST_MICROS = 100_000_000 * money.MICROS


class EntryStands(Problem):
    """The entry was confirmed or dropped since it was looked at, or its line is explained already."""

    slug, status, title = "entry-stands", 409, "This entry is not as it was"


class BalanceDiffers(Problem):
    """The bank says another balance than the books; `difference_micros` is the bank's less the books'."""

    slug, status, title = "balance-differs", 409, "The bank and the books do not agree"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What an entry can be: its pair of accounts, and what the bank's line of it looks like."""

    code: str
    name: str
    debit: str
    credit: str

    @property
    def is_at_the_bank(self) -> bool:
        """Return whether it moves the bank's balance, so that a line of the bank may explain it."""
        return accounts.BANK in (self.debit, self.credit)

    @property
    def comes_in(self) -> bool:
        """Return whether money comes to the bank by it."""
        return self.debit == accounts.BANK


KINDS = {
    kind.code: kind
    for kind in (
        Kind(code="cost", name="A cost, paid", debit=accounts.COSTS, credit=accounts.BANK),
        Kind(code="rent", name="Rent and rooms, paid", debit=accounts.COSTS, credit=accounts.BANK),
        Kind(code="hosting", name="Hosting and machines, paid", debit=accounts.COSTS, credit=accounts.BANK),
        Kind(code="bank-fee", name="A fee of the bank", debit=accounts.COSTS, credit=accounts.BANK),
        Kind(
            code="provider-fee",
            name="A fee of the payment provider, kept back",
            debit=accounts.PROVIDER_FEES,
            credit=accounts.PROVIDER,
        ),
        Kind(
            code="settlement",
            name="A settlement of the payment provider",
            debit=accounts.BANK,
            credit=accounts.PROVIDER,
        ),
        Kind(
            code="settlement-back",
            name="Paid back to the payment provider",
            debit=accounts.PROVIDER,
            credit=accounts.BANK,
        ),
        Kind(code="grant", name="A grant or another income", debit=accounts.BANK, credit=accounts.OTHER_INCOME),
        Kind(code="dues", name="Dues of members, by bank", debit=accounts.BANK, credit=accounts.DUES),
        Kind(code="shares", name="Members' shares, paid in", debit=accounts.BANK, credit=accounts.MEMBER_SHARES),
        Kind(
            code="shares-back",
            name="Members' shares, paid back",
            debit=accounts.MEMBER_SHARES,
            credit=accounts.BANK,
        ),
        Kind(code="vat", name="Value added tax, paid", debit=accounts.VAT, credit=accounts.BANK),
        Kind(code="unclear-in", name="Came in, not placed yet", debit=accounts.BANK, credit=accounts.SUSPENSE),
        Kind(code="unclear-out", name="Went out, not placed yet", debit=accounts.SUSPENSE, credit=accounts.BANK),
    )
}


def enter(
    *,
    staff_id: UUID,
    kind: str,
    amount_micros: int,
    happened_on: date,
    words: str,
    now: datetime,
    bank_line_id: UUID | None = None,
) -> JournalEntry:
    """Enter something for another treasurer to confirm. With a line of the bank, day and sum are the line's own.

    Raises NotAllowed; Invalid for an unknown kind, no sum, no words, a day to come, a line that goes the other way;
    NotFound, EntryStands for a line that is explained; LedgerRefused in a locked month.
    """
    check_treasurer(staff_id)
    known, said = _kind(kind), ibans.blot(" ".join(words.split()))
    line = None
    if bank_line_id is not None:
        line = BankLine.objects.filter(id=bank_line_id).first()
        if line is None:
            raise NotFound("there is no such line of the bank")
        if line.payouts:
            raise EntryStands("This line is some payouts'; it is explained.")
        if not known.is_at_the_bank or known.comes_in != (line.cents > 0):
            raise Invalid("The line goes the other way than this kind of entry.")
        amount_micros, happened_on = money.from_cents(abs(line.cents)), line.booked_on
    if not 0 < amount_micros <= AMOUNT_MOST_MICROS:
        raise Invalid("An entry has a sum above zero.")
    if not 1 <= len(said) <= WORDS_MOST:
        raise Invalid(f"Say what it was for, in at most {WORDS_MOST} letters.")
    if happened_on > clock.day(now):
        raise Invalid("An entry is of a day that has come.")
    _check_open(happened_on)
    try:
        with transaction.atomic():
            return JournalEntry.objects.create(
                kind=kind,
                amount_micros=amount_micros,
                happened_on=happened_on,
                words=said,
                bank_line=line,
                entered_by_id=staff_id,
                entered_at=now,
            )
    except IntegrityError:
        raise EntryStands("This line of the bank is explained by another entry.") from None


def confirm(*, entry_id: UUID, staff_id: UUID, now: datetime) -> JournalEntry:
    """Confirm an entry and book it; asked again by the same treasurer, it answers the same.

    Raises NotAllowed, also for whoever entered it, NotFound, EntryStands, LedgerRefused.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        entry = _locked(entry_id)
        if entry.state == JournalEntry.State.CONFIRMED and entry.confirmed_by_id == staff_id:
            return entry
        if entry.state != JournalEntry.State.WAITING:
            raise EntryStands("This entry was confirmed or dropped by somebody else.")
        if entry.entered_by_id == staff_id:
            raise NotAllowed("an entry is confirmed by another treasurer than the one who entered it")
        kind = _kind(entry.kind)
        entry.state, entry.confirmed_by_id, entry.confirmed_at = JournalEntry.State.CONFIRMED, staff_id, now
        entry.save(update_fields=["state", "confirmed_by", "confirmed_at"])
        booked = Entry(
            debit=kind.debit,
            credit=kind.credit,
            amount_micros=entry.amount_micros,
            kind=f"journal-{kind.code}",
            key=f"journal:{entry.id}",
            happened_at=clock.start_of(entry.happened_on),
            month=entry.happened_on.replace(day=1),
            reason=entry.words,
        )
        ledger.book([booked], now=now)
    return entry


def drop(*, entry_id: UUID, staff_id: UUID) -> JournalEntry:
    """Drop an entry that was not confirmed; any treasurer may. Raises NotAllowed, NotFound, EntryStands."""
    check_treasurer(staff_id)
    with transaction.atomic():
        entry = _locked(entry_id)
        if entry.state == JournalEntry.State.CONFIRMED:
            raise EntryStands("This entry is booked. It is corrected by a reversal in the ledger.")
        if entry.state == JournalEntry.State.WAITING:
            entry.state, entry.dropped_by_id = JournalEntry.State.DROPPED, staff_id
            entry.save(update_fields=["state", "dropped_by"])
    return entry


def entries() -> QuerySet[JournalEntry]:
    """Return all entries, the newest first."""
    return JournalEntry.objects.select_related("entered_by", "confirmed_by", "bank_line").order_by("-entered_at", "-id")


# The month's end.


def balance_in_the_books(month: date) -> int:
    """Return what the books say the bank has at a month's end, in micros. Two queries."""
    return balances_in_the_books([month])[month]


def balances_in_the_books(at_the_end_of: Collection[date]) -> dict[date, int]:
    """Return what the books say the bank has at the end of each of some months, in micros. Two queries."""
    moved: dict[date, int] = defaultdict(int)
    for side, sign in (("debit_id", 1), ("credit_id", -1)):
        rows = Transfer.objects.filter(**{side: accounts.BANK}).values_list("month").annotate(Sum("amount_micros"))
        for month, micros in rows:
            moved[month] += sign * micros
    return {end: sum(micros for month, micros in moved.items() if month <= end) for end in at_the_end_of}


def enter_balance(*, staff_id: UUID, month: date, cents: int, now: datetime) -> BankBalance:
    """Enter what the bank's statement says at a month's end; a newer one replaces it until one is confirmed.

    Raises NotAllowed, Invalid for a month that is not over, EntryStands when the books are locked.
    """
    check_treasurer(staff_id)
    if not FIRST_YEAR <= month.year <= clock.day(now).year or now < clock.start_of(months.after(month)):
        raise Invalid("A month's balance is entered when the month is over.")
    if ledger.is_locked(month):
        raise EntryStands("The books of this month are locked.")
    return BankBalance.objects.create(month=month, cents=cents, entered_by_id=staff_id, entered_at=now)


def lock(*, balance_id: UUID, staff_id: UUID, now: datetime) -> BankBalance:
    """Confirm the newest balance of a month, by another treasurer, and lock the month's books.

    Raises NotAllowed, NotFound; EntryStands for one that was replaced, or while entries of the month wait, an earlier
    month is not locked or the month is not sealed; BalanceDiffers, which says by how much.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        found = BankBalance.objects.select_for_update().filter(id=balance_id).first()
        if found is None:
            raise NotFound("there is no such balance")
        if found.confirmed_at is not None and found.confirmed_by_id == staff_id:
            return found
        newest = BankBalance.objects.filter(month=found.month).order_by("-entered_at", "-id").first()
        if ledger.is_locked(found.month) or newest is None or newest.id != found.id:
            raise EntryStands("Another balance was entered, or the books are locked. Look again.")
        if found.entered_by_id == staff_id:
            raise NotAllowed("a balance is confirmed by another treasurer than the one who entered it")
        _check_may_lock(found.month)
        ours, theirs = balance_in_the_books(found.month), money.from_cents(found.cents)
        if ours != theirs:
            raise BalanceDiffers(
                f"The bank says {money.show(theirs)}, the books say {money.show(ours)}:"
                f" a difference of {money.show(theirs - ours, sign=True)}.",
                difference_micros=theirs - ours,
            )
        found.confirmed_by_id, found.confirmed_at = staff_id, now
        found.save(update_fields=["confirmed_by", "confirmed_at"])
        ledger.lock_month(found.month, now=now)
    return found


def _check_may_lock(month: date) -> None:
    if not _is_sealed(month):
        raise EntryStands("The month is not sealed yet.")
    if JournalEntry.objects.filter(
        state=JournalEntry.State.WAITING, happened_on__gte=month, happened_on__lt=months.after(month)
    ).exists():
        raise EntryStands("Entries of this month wait for a second treasurer.")
    earliest = Transfer.objects.order_by("month").values_list("month", flat=True).first()
    earlier = months.before(month)
    if earliest is not None and earliest <= earlier and not ledger.is_locked(earlier):
        raise EntryStands("The month before is not locked yet; months are locked in their order.")


def _is_sealed(month: date) -> bool:
    """Return whether a month is sealed; those before the first that closed are with it: nothing was charged then."""
    first, period = months.earliest(), months.period(month)
    if first is not None and month < first.starts_on:
        period = first
    return period is not None and period.sealed_at is not None


def _check_open(day: date) -> None:
    if ledger.is_locked(day.replace(day=1)):
        raise accounts.LedgerRefused(f"The books of {day:%B %Y} are locked.")


def _kind(code: str) -> Kind:
    if code not in KINDS:
        raise Invalid(f"An entry is one of {', '.join(KINDS)}.")
    return KINDS[code]


def _locked(entry_id: UUID) -> JournalEntry:
    entry = JournalEntry.objects.select_for_update().filter(id=entry_id).first()
    if entry is None:
        raise NotFound("there is no such entry")
    return entry
