"""What the bank makes of payouts: it books them, refuses them, or sends the money back, and says each of it repeatedly.

Every answer is booked once, under the payout's own name at the bank. What was refused or came back is owed again, to
the micro; nobody has to remember what part of a cent was left behind.
"""

import base64
import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from members import clock, letters, money
from members.letters import Letter
from royalties import accounts, ledger
from royalties.ledger import Entry
from royalties.payout_models import Payout, PayoutBatch

# One file of the bank at a time; payouts, wallets and the ledger's pen come after it.
BANK_LOCK = 1_919_247_980


def end_to_end(*, payee_id: UUID, month: date, sequence: int) -> str:
    """Return the name of a payout at the bank: the same for the same payee, period and sequence, for ever."""
    seed = f"{payee_id} {month:%Y-%m} {sequence}".encode()
    return f"RFR-{month:%Y%m}-{sequence:02d}-{base64.b32encode(hashlib.sha256(seed).digest())[:16].decode()}"


def find(names: Iterable[str]) -> dict[str, Payout]:
    """Lock and return the released payouts of these end-to-end ids, by their ids. Inside a transaction; one query."""
    sent = Payout.objects.filter(end_to_end__in=set(names)).exclude(state__in=["prepared", "dropped"])
    return {one.end_to_end: one for one in sent.select_for_update(of=("self",)).order_by("end_to_end")}


def in_file(message_id: str, *, sent: bool = True) -> list[Payout]:
    """Lock and return the payouts of the file of this name: that were sent in it, or that the bank had before.

    Inside a transaction; two queries.
    """
    batch = next((one for one in PayoutBatch.objects.filter(state="released") if one.message_id == message_id), None)
    if batch is None:
        return []
    rows = batch.payouts.filter(bank_has_it=not sent)
    return list(rows.select_for_update(of=("self",)).order_by("end_to_end"))


def released(one: Payout, now: datetime) -> Entry:
    """Return the entry of a payout that leaves: owed until now, from now on its way."""
    return Entry(
        debit=accounts.payable(one.person_id),
        credit=accounts.PAYOUTS,
        amount_micros=money.from_cents(one.cents),
        kind="payout",
        key=f"payout:{one.end_to_end}:released",
        group=f"payouts:{one.batch_id}",
        happened_at=now,
        month=clock.month(now),
    )


def book(one: Payout, *, on: date, now: datetime) -> bool:
    """Book that the bank paid it; return whether that was new. The payout is locked."""
    if one.state != Payout.State.IN_TRANSIT:
        return False
    one.state, one.booked_on = Payout.State.BOOKED, on
    one.save(update_fields=["state", "booked_on"])
    entry = _entry(one, debit=accounts.PAYOUTS, credit=accounts.BANK, what="booked", on=on, now=now)
    ledger.book([entry], now=now)
    return True


def reject(one: Payout, *, reason: str, now: datetime) -> bool:
    """Book that the bank refused it before paying: it is owed again, to the micro. Return whether that was new."""
    if one.state != Payout.State.IN_TRANSIT:
        return False
    one.state = Payout.State.REJECTED
    _owe_again(one, debit=accounts.PAYOUTS, what="rejected", on=clock.day(now), reason=reason, now=now)
    return True


def give_back(one: Payout, *, on: date, reason: str, now: datetime) -> bool:
    """Book that the money came back: it is owed again, to the micro. Return whether that was new.

    One that the bank sends back before it said that it had paid is booked both ways.
    """
    book(one, on=on, now=now)
    if one.state != Payout.State.BOOKED:
        return False
    one.state = Payout.State.RETURNED
    _owe_again(one, debit=accounts.BANK, what="returned", on=on, reason=reason, now=now)
    return True


def _owe_again(one: Payout, *, debit: str, what: str, on: date, reason: str, now: datetime) -> None:
    """Write how a payout ended that the payee did not get, tell them, and book that it is theirs as before."""
    one.ended_at, one.reason = now, reason
    one.save(update_fields=["state", "ended_at", "reason"])
    _tell_of_return(one, now)
    entry = _entry(one, debit=debit, credit=accounts.payable(one.person_id), what=what, on=on, now=now)
    ledger.book([entry], now=now)


def _entry(one: Payout, *, debit: str, credit: str, what: str, on: date, now: datetime) -> Entry:
    return Entry(
        debit=debit,
        credit=credit,
        amount_micros=money.from_cents(one.cents),
        kind=f"payout-{what}",
        key=f"payout:{one.end_to_end}:{what}",
        group=f"payouts:{one.batch_id}",
        happened_at=clock.start_of(on),
        month=open_month(on, now),
    )


def open_month(on: date, now: datetime) -> date:
    """Return the month in which a line of the bank counts: it may come after its month's books were locked."""
    month = on.replace(day=1)
    return clock.month(now) if ledger.is_locked(month) else month


def _tell_of_return(one: Payout, now: datetime) -> None:
    letter = Letter(
        subject=f"{money.show_cents(one.cents)} came back from your bank",
        paragraphs=[
            f"Your bank could not take the payout {one.end_to_end}: {one.reason}",
            "It is owed to you again, to the last digit, and goes out with the next month's payouts.",
        ],
        act="Look at your account",
        path="/earnings/account",
    )
    letters.send(letter, person_id=one.person_id, key=f"payout-back:{one.id}", now=now)
