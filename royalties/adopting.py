"""Payouts that the bank made and this database does not know, because they were lost with a backup.

Their names at the bank are made of payee, period and sequence alone (royalties/settling.py), so it can be told whose
they are. The month that is paid out now is prepared again under the lost file's number: what the bank has is booked and
not sent. What belongs to an earlier month is booked on its own. Paid is paid: a payee who is owed less by what the
backup left than the bank paid them owes nothing back; the co-op bears it.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, QuerySet

from members import clock, locks, money, months, seals
from members.problems import Problem
from royalties import accounts, ledger, settling
from royalties.journal_models import JournalEntry
from royalties.ledger import Entry
from royalties.ledger_models import Account, Transfer
from royalties.payout_models import BankLine, BankPart, Payout, PayoutAccount, PayoutBatch

FILE_NAME = re.compile(r"RFR-([0-9]{4})(0[1-9]|1[0-2])-([0-9]{2,4})")
PAYMENT_NAME = re.compile(FILE_NAME.pattern + "-[A-Z2-7]{16}")
# Ends the name of a payout whose own name was taken by one that was prepared and dropped before the bank told of it.
AGAIN = ".R"
_File = tuple[date, int]


class FileLost(Problem):
    """The bank paid a file of payouts that a restored backup does not know, and did not say to whom."""

    slug, status, title = "payout-file-lost", 409, "The bank paid a file that is lost here"


@dataclass(frozen=True, kw_only=True)
class Lost:
    """What the bank paid of the file that is prepared again: cents by payee, or of the whole file in one sum."""

    sequence: int
    cents: dict[UUID, int] = field(default_factory=dict)
    file_cents: int | None = None


@dataclass(frozen=True, kw_only=True)
class Unknown:
    """A file of payouts that the bank paid and this database does not know: its month, number and cents so far."""

    month: date
    sequence: int
    cents: int


def unexplained() -> QuerySet[BankLine]:
    """Return the bank's lines that are no payout's and that no entry of the journal explains, the oldest first."""
    entries = JournalEntry.objects.filter(bank_line=OuterRef("pk")).exclude(state=JournalEntry.State.DROPPED)
    return BankLine.objects.filter(~Exists(entries), payouts=0).order_by("booked_on", "id")


def unknown() -> list[Unknown]:
    """Return the files of payouts that the bank paid and nobody here released, by month and number. Two queries."""
    found: dict[_File, int] = defaultdict(int)
    for part in _parts():
        found[_file_of(part.end_to_end)] -= min(part.cents, 0)
    for line in _whole_files():
        found[_file_of(line.file_name)] -= line.cents
    return [Unknown(month=month, sequence=number, cents=cents) for (month, number), cents in sorted(found.items())]


def before(*, month: date, now: datetime) -> Lost:
    """Take in what the bank paid before a month (the last one sealed) is prepared, and return what it paid of that one.

    Inside a transaction. One query or two where nothing is lost. Raises FileLost.
    """
    locks.wait_for(settling.BANK_LOCK)
    adopt(until=(month, _last_number(month)), now=now)
    last = _last_number(month)
    sent = set(PayoutBatch.objects.filter(state=PayoutBatch.State.RELEASED).values_list("month", "sequence"))
    whole = {_file_of(line.file_name): -line.cents for line in _whole_files() if _file_of(line.file_name) not in sent}
    if any(file <= (month, last) for file in whole):
        raise FileLost("Take in its notification with every payment (camt.054), or explain its line in the journal.")
    ours = [part for part in _parts() if part.cents < 0 and _file_of(part.end_to_end)[0] == month]
    sequences = {_file_of(part.end_to_end)[1] for part in ours} | {number for first, number in whole if first == month}
    if not sequences:
        return Lost(sequence=last + 1)
    sequence = min(sequences)
    payees = _payees(month, sequence)
    cents: dict[UUID, int] = defaultdict(int)
    for part in ours:
        if part.end_to_end in payees:
            cents[payees[part.end_to_end]] -= part.cents
    return Lost(sequence=sequence, cents=dict(cents), file_cents=whole.get((month, sequence)))


def adopt(*, until: _File, now: datetime) -> int:
    """Book what the bank paid in files up to this one that nobody will release any more; return how many payments.

    Inside a transaction.
    """
    locks.wait_for(settling.BANK_LOCK)
    files: dict[_File, list[BankPart]] = defaultdict(list)
    for part in _parts():
        if _file_of(part.end_to_end) <= until:
            files[_file_of(part.end_to_end)].append(part)
    for (month, sequence), parts in sorted(files.items()):
        _make_anew(month, sequence, parts, now)
        settle(month=month, sequence=sequence, now=now)
    return sum(map(len, files.values()))


def adopt_old(*, now: datetime) -> int:
    """Book what the bank paid for months before the last one sealed; return how many payments. Inside a transaction."""
    sealed = [one.starts_on for one in months.closed_until(clock.month(now)) if one.sealed_at is not None]
    return adopt(until=(sealed[-1], 0), now=now) if sealed else 0


def mark(batch: PayoutBatch) -> int:
    """Mark the payouts of a prepared batch that the bank has, so that they are not sent; return how many are new."""
    locks.wait_for(settling.BANK_LOCK)
    waiting = batch.payouts.filter(bank_has_it=False)
    paid = -sum(line.cents for line in _whole_files() if line.file_name == batch.message_id)
    if paid == batch.total_cents:
        return waiting.update(bank_has_it=True)
    return waiting.filter(end_to_end__in=[one.end_to_end for one in _parts() if one.cents < 0]).update(bank_has_it=True)


def settle(*, month: date, sequence: int, now: datetime) -> None:
    """Book each payment of a file that the bank's lines showed before the file was released, on its line's day.

    Inside a transaction.
    """
    for line in _whole_files():
        if _file_of(line.file_name) == (month, sequence):
            booked = [
                settling.book(one, on=line.booked_on, now=now) for one in settling.in_file(line.file_name, sent=False)
            ]
            BankLine.objects.filter(id=line.id).update(payouts=sum(booked))
    parts = [part for part in _parts() if _file_of(part.end_to_end) == (month, sequence)]
    known = settling.find(name for part in parts for name in (part.end_to_end, part.end_to_end + AGAIN))
    # Of what was released here a line is believed whole or not at all (royalties/bank.py).
    doubtful = {part.line_id for part in parts if _differs(part, known.get(part.end_to_end))}
    parts = [part for part in parts if part.line_id not in doubtful]
    payees = _payees(month, sequence) if parts else {}
    # What came back came back after it was paid.
    for part in sorted(parts, key=lambda one: (one.cents > 0, one.line.booked_on, one.id)):
        payout = known.get(part.end_to_end) or known.get(part.end_to_end + AGAIN)
        if payout is None and Payout.objects.filter(end_to_end=part.end_to_end, state=Payout.State.PREPARED).exists():
            continue
        _settle_part(part, payout, payees.get(part.end_to_end), now)
    for line in {part.line_id: part.line for part in parts}.values():
        _explain(line)


def _last_number(month: date) -> int:
    return PayoutBatch.objects.filter(month=month).aggregate(last=Max("sequence"))["last"] or 0


def _make_anew(month: date, sequence: int, parts: list[BankPart], now: datetime) -> None:
    """Make the payouts of a lost file, released and on their way, as far as their payees are owed that much."""
    payees = _payees(month, sequence)
    names = [name for part in parts for name in (part.end_to_end, part.end_to_end + AGAIN)]
    taken = dict(Payout.objects.filter(end_to_end__in=names).values_list("end_to_end", "state"))
    done = {name.removesuffix(AGAIN) for name, state in taken.items() if state != Payout.State.DROPPED}
    paid = {one.end_to_end: one for one in parts if one.cents < 0 and one.end_to_end in payees.keys() - done}
    owed = ledger.payable(payees[name] for name in paid)
    made = {
        name: min(-part.cents, owed[payees[name]] // money.MICROS_PER_CENT)
        for name, part in sorted(paid.items())
        if owed[payees[name]] >= money.MICROS_PER_CENT
    }
    if not made:
        return
    free = not PayoutBatch.objects.filter(month=month, sequence=sequence).exists()
    batch = PayoutBatch.objects.create(
        month=month,
        sequence=sequence if free else _last_number(month) + 1,
        state=PayoutBatch.State.RESTORED,
        total_cents=sum(made.values()),
        plan_sha256=seals.sha256_of(sorted(made.items())),
        prepared_by_id=min(paid.values(), key=lambda one: one.id).line.file.taken_by_id,
        prepared_at=now,
        released_at=now,
    )
    reached = dict(PayoutAccount.objects.filter(person_id__in=owed, ended_at=None).values_list("person_id", "id"))
    rows = [
        Payout(
            batch=batch,
            person_id=payees[name],
            account_id=reached.get(payees[name]),
            cents=cents,
            end_to_end=name + AGAIN if name in taken else name,
            bank_has_it=True,
            state=Payout.State.IN_TRANSIT,
        )
        for name, cents in made.items()
    ]
    Payout.objects.bulk_create(rows)
    ledger.book([settling.released(one, now) for one in rows], now=now)


def _differs(part: BankPart, payout: Payout | None) -> bool:
    return payout is not None and not payout.bank_has_it and payout.cents != abs(part.cents)


def _settle_part(part: BankPart, payout: Payout | None, payee_id: UUID | None, now: datetime) -> None:
    """Book one payment of the bank, or one that came back, with what nobody is owed of it."""
    size, on = abs(part.cents), part.line.booked_on
    ours = payout.cents if payout is not None else 0
    if ours > size or (payout is None and part.cents > 0 and not _was_beyond(part)):
        return
    if payout is not None and part.cents < 0:
        settling.book(payout, on=on, now=now)
    elif payout is not None:
        settling.give_back(payout, on=on, reason=part.reason, now=now)
    if size > ours:
        # Of a payee whom nobody knows, a treasurer has to find out.
        other = accounts.LOST if payee_id is not None else accounts.SUSPENSE
        debit, credit = (other, accounts.BANK) if part.cents < 0 else (accounts.BANK, other)
        what = "beyond" if part.cents < 0 else "beyond-returned"
        entry = Entry(
            debit=debit,
            credit=credit,
            amount_micros=money.from_cents(size - ours),
            kind=f"payout-{what}",
            key=f"payout:{part.end_to_end}:{what}",
            happened_at=clock.start_of(on),
            month=settling.open_month(on, now),
            reason="Paid before a backup was restored, and owed to nobody by what was left.",
        )
        ledger.book([entry], now=now)


def _was_beyond(part: BankPart) -> bool:
    """Return whether the bank was seen to pay what now comes back, though nobody was owed it."""
    return Transfer.objects.filter(key=f"payout:{part.end_to_end}:beyond").exists()


def _explain(line: BankLine) -> None:
    """Count a line as explained once all its payments are booked."""
    parts = list(line.parts.all())
    names = [name for part in parts for name in (part.end_to_end, part.end_to_end + AGAIN)]
    ends = ("booked", "beyond") if line.cents < 0 else ("returned", "beyond-returned")
    keys = {f"payout:{name}:{end}": name.removesuffix(AGAIN) for name in names for end in ends}
    booked = {keys[key] for key in Transfer.objects.filter(key__in=keys).values_list("key", flat=True)}
    if all(part.end_to_end in booked for part in parts):
        BankLine.objects.filter(id=line.id).update(payouts=len(parts))


def _parts() -> list[BankPart]:
    """Return the payments of lines nobody explained that have a name as ours have. One query."""
    waiting = BankPart.objects.filter(line__in=unexplained().order_by(), end_to_end__startswith="RFR-")
    rows = waiting.select_related("line__file").order_by("id")
    return [one for one in rows if PAYMENT_NAME.fullmatch(one.end_to_end)]


def _whole_files() -> list[BankLine]:
    """Return the lines nobody explained that are a whole file of payouts in one sum, payments unsaid. One query."""
    rows = unexplained().filter(cents__lt=0, parts=None, file_name__startswith="RFR-")
    return [one for one in rows if FILE_NAME.fullmatch(one.file_name)]


def _file_of(name: str) -> _File:
    found = FILE_NAME.match(name)
    assert found is not None
    return date(int(found[1]), int(found[2]), 1), int(found[3])


def _payees(month: date, sequence: int) -> dict[str, UUID]:
    """Return whose each name of a file would be, of everybody who ever earned or entered an account. Two queries."""
    payable = Account.objects.filter(code__startswith=accounts.payable_prefix())
    earned = payable.values_list("person_id", flat=True)
    people = {one for one in earned if one is not None} | set(PayoutAccount.objects.values_list("person_id", flat=True))
    return {settling.end_to_end(payee_id=one, month=month, sequence=sequence): one for one in people}
