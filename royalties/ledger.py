"""The ledger: double entry, append-only, exact to the millionth.

An entry takes an amount from one account and gives it to another. It is known by its key: booked again it does nothing,
so whatever was killed may simply be done again. Nothing is ever changed; a wrong entry is reversed, with a reason.
Whoever books does it last in their transaction: one transaction at a time holds the ledger's pen (sql/ledger.sql).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from django.db import IntegrityError, connection, transaction

from members import clock, locks, money
from members.problems import Invalid, NotFound
from royalties import accounts
from royalties.accounts import LedgerRefused
from royalties.ledger_models import Account, LockedMonth, Transfer

AT_ONCE = 50_000
# The constant that names the ledger's pen, as in sql/ledger.sql.
PEN = 1_919_247_972

# One statement, so that floors are asked of what stands after all of it.
WRITE = """
INSERT INTO royalties_transfer
       (debit, credit, amount_micros, kind, key, together, happened_at, recorded_at, month, reason, reverses_id)
SELECT debit, credit, micros, kind, key, together, happened_at, %s, month, reason, %s::bigint
  FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::date[],
              %s::text[]) WITH ORDINALITY
    AS e (debit, credit, micros, kind, key, together, happened_at, month, reason, position)
 ORDER BY position
ON CONFLICT (key) DO NOTHING
"""

# What a query selects is booked as it stands there, without passing through here: a million entries may come of it.
PERSONAL = """
INSERT INTO royalties_account (code, name, kind, floor, person_id, balance_micros)
SELECT code, %(names)s::jsonb ->> family, 'liability', true, substr(code, length(family) + 2)::uuid, 0
  FROM (SELECT DISTINCT code, regexp_replace(code, '[.][^.]+$', '') AS family
          FROM ({entries}) AS e CROSS JOIN LATERAL (VALUES (debit), (credit)) AS sides (code)) AS named
 WHERE %(names)s::jsonb ->> family IS NOT NULL ORDER BY code
ON CONFLICT DO NOTHING
"""
WRITE_SELECTED = """
INSERT INTO royalties_transfer
       (debit, credit, amount_micros, kind, key, together, happened_at, recorded_at, month, reason)
SELECT debit, credit, micros, kind, key, together, happened_at, %(recorded_at)s, month, reason
  FROM ({entries}) AS e ORDER BY position
ON CONFLICT (key) DO NOTHING
"""
UNLIKE = """
SELECT e.key FROM ({entries}) AS e LEFT JOIN royalties_transfer t USING (key)
 WHERE (t.debit, t.credit, t.amount_micros, t.kind) IS DISTINCT FROM (e.debit, e.credit, e.micros, e.kind) LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is to be booked: `amount_micros` is taken from the account `credit` and given to the account `debit`.

    `key` is the entry's own name for ever; `month` (its first day) is the period it counts in; entries of one cause
    have the same `group`.
    """

    debit: str
    credit: str
    amount_micros: int
    kind: str
    key: str
    happened_at: datetime
    month: date
    reason: str = ""
    group: str = ""


def book(entries: Iterable[Entry], *, now: datetime) -> int:
    """Book entries, all or none, and return how many were new.

    A key that was booked before does nothing if it says the same: accounts, amount, kind and month. Raises
    LedgerRefused if it says something else, for an account that is not in the chart, an amount that is not above zero,
    a locked month, and where an account would fall below its floor. Two queries or four for each 50 000 entries.
    """
    left = iter(entries)
    written = 0
    with transaction.atomic():
        while chunk := list(islice(left, AT_ONCE)):
            written += _write(chunk, now)
    return written


def book_selected(entries: str, given: Mapping[str, Any], *, now: datetime) -> int:
    """Book the entries that a query selects, all or none, and return how many were new.

    Its columns are those of an `Entry` by their names in the books, and `position`, their order. Personal accounts are
    opened; others have to be there. Raises LedgerRefused as `book` does. Three queries.
    """
    asked = {**given, "recorded_at": now, "names": json.dumps(accounts.PERSONAL)}
    with transaction.atomic(), _told(), connection.cursor() as cursor:
        locks.wait_for(PEN)
        cursor.execute(PERSONAL.format(entries=entries), asked)
        cursor.execute(WRITE_SELECTED.format(entries=entries), asked)
        written = cursor.rowcount
        cursor.execute(UNLIKE.format(entries=entries), asked)
        unlike = cursor.fetchone()
    if unlike:
        raise LedgerRefused(f"{unlike[0]} was booked before, and as something else.", key=unlike[0])
    return written


def reverse(*, key: str, reason: str, now: datetime) -> int:
    """Book the inverse of an entry, with a reason that whoever reads the books can follow; once, however often asked.

    It counts in the month of what it corrects while that month's books are not locked, and otherwise in the month of
    `now`. Returns 1, or 0 if the entry was reversed before. Raises NotFound, Invalid without a reason, LedgerRefused
    for a reversal (book the entry again under another key instead).
    """
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid("A reversal needs a reason.")
    with transaction.atomic():
        wrong = Transfer.objects.filter(key=key).first()
        if wrong is None:
            raise NotFound(f"Nothing was booked under {key}.")
        if wrong.reverses_id is not None:
            raise LedgerRefused("A reversal is not reversed. Book the entry again, under a key of its own.")
        inverse = Entry(
            debit=wrong.credit_id,
            credit=wrong.debit_id,
            amount_micros=wrong.amount_micros,
            kind=wrong.kind,
            key=f"reversal:{key}",
            group=wrong.group,
            happened_at=now,
            month=clock.month(now) if is_locked(wrong.month) else wrong.month,
            reason=reason,
        )
        return _insert([inverse], now, reverses=wrong.id)


def balance(code: str) -> int:
    """Return what is on an account, in micros, positive on its normal side. One query. Raises LedgerRefused."""
    account = accounts.charted(code)
    found = Account.objects.filter(code=code).values_list("balance_micros", flat=True).first() or 0
    return accounts.on_its_side(account.kind, found)


def payable(person_ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return what each of these payees is owed, in micros; nothing for who never earned. One query."""
    owed = dict.fromkeys(person_ids, 0)
    codes = [accounts.payable(person_id) for person_id in owed]
    for person_id, found in Account.objects.filter(code__in=codes).values_list("person_id", "balance_micros"):
        assert person_id is not None
        owed[person_id] = -found
    return owed


def lock_month(month: date, *, now: datetime) -> None:
    """Lock the books of a month (its first day): from now on nothing is booked in it. Done again, it does nothing."""
    with transaction.atomic():
        LockedMonth.objects.bulk_create([LockedMonth(month=month, locked_at=now)], ignore_conflicts=True)


def is_locked(month: date) -> bool:
    """Return whether the books of a month are locked, with it or with a later one. One query."""
    return LockedMonth.objects.filter(month__gte=month).exists()


def locked_months() -> frozenset[date]:
    """Return the months whose books are locked. One query."""
    return frozenset(LockedMonth.objects.values_list("month", flat=True))


def open_accounts(codes: Iterable[str]) -> None:
    """Open the accounts that are not there yet; each must be in the chart. One query or three. Raises LedgerRefused.

    Opening takes the pen too: two transactions that open each other's accounts would wait for each other for ever.
    """
    charted = {code: accounts.charted(code) for code in codes}
    missing = charted.keys() - set(Account.objects.filter(code__in=charted).values_list("code", flat=True))
    if not missing:
        return
    locks.wait_for(PEN)
    Account.objects.bulk_create(
        (
            Account(code=one.code, name=one.name, kind=one.kind, floor=one.floor, person_id=one.person_id)
            for one in (charted[code] for code in sorted(missing))
        ),
        ignore_conflicts=True,
    )


def _write(chunk: list[Entry], now: datetime) -> int:
    for entry in chunk:
        if entry.amount_micros <= 0 or entry.debit == entry.credit:
            raise LedgerRefused(
                f"{entry.key}: an entry moves more than nothing between two accounts, not"
                f" {money.show(entry.amount_micros)} from {entry.credit} to {entry.debit}.",
                key=entry.key,
            )
    open_accounts(code for entry in chunk for code in (entry.debit, entry.credit))
    written = _insert(chunk, now)
    if written < len(chunk):
        _check_said_before(chunk)
    return written


def _insert(chunk: list[Entry], now: datetime, *, reverses: int | None = None) -> int:
    columns = [
        [getattr(entry, name) for entry in chunk]
        for name in ("debit", "credit", "amount_micros", "kind", "key", "group", "happened_at", "month", "reason")
    ]
    with _told(), connection.cursor() as cursor:
        cursor.execute(WRITE, [now, reverses, *columns])
        return cursor.rowcount


def _check_said_before(chunk: list[Entry]) -> None:
    """Raise LedgerRefused unless each entry stands in the books as it is here."""
    booked = {
        found[0]: found[1:]
        for found in Transfer.objects.filter(key__in=[entry.key for entry in chunk]).values_list(
            "key", "debit_id", "credit_id", "amount_micros", "kind", "month"
        )
    }
    for entry in chunk:
        said = (entry.debit, entry.credit, entry.amount_micros, entry.kind, entry.month)
        if booked[entry.key] != said:
            raise LedgerRefused(f"{entry.key} was booked before, and as something else.", key=entry.key)


@contextmanager
def _told() -> Iterator[None]:
    """Say in the bookkeeper's words what the database refused; the transaction around it can go on."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        refused = error.__cause__
        assert isinstance(refused, psycopg.Error)
        words = refused.diag.message_primary or str(error)
        if refused.diag.constraint_name == "account_never_goes_below_its_floor":
            words = "an account would fall below its floor"
        raise LedgerRefused(f"{words[0].upper()}{words[1:]}. Nothing was booked.") from error
