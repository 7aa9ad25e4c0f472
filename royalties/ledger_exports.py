"""The whole ledger as files that a bookkeeper's own programs read: Beancount, CSV, JSON lines.

Entries come in the order in which they were booked and are never changed, so an older export is the beginning of a
newer one. Lines are made one after the other, however many there are. Amounts are exact, with six decimals. Nobody is
named: a payee's account carries their id alone.
"""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db.models import Max, Min

from members import clock, money
from royalties.accounts import on_its_side
from royalties.ledger_models import Account, Transfer

AT_ONCE = 2_000
COLUMNS = (
    *("number", "key", "kind", "group", "month", "happened_at", "recorded_at", "debit", "credit"),
    *("amount", "currency", "amount_micros", "reverses", "reason"),
)
# A spreadsheet takes a cell that begins so for a formula; one that begins with an apostrophe it shows as it is.
LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """A file of one line: what the CSV writer writes is returned instead of kept."""

    def write(self, line: str) -> str:
        return line


def as_csv() -> Iterator[str]:
    """Yield the ledger as a table, headings first, one line for each entry."""
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for entry in _entries():
        yield writer.writerow(
            (
                entry.pk,
                _cell(entry.key),
                entry.kind,
                _cell(entry.group),
                f"{entry.month:%Y-%m}",
                _moment(entry.happened_at),
                _moment(entry.recorded_at),
                entry.debit_id,
                entry.credit_id,
                _amount(entry.amount_micros),
                settings.CURRENCY,
                entry.amount_micros,
                entry.reverses_id or "",
                _cell(entry.reason),
            )
        )


def as_json_lines() -> Iterator[str]:
    """Yield the ledger as JSON, an object on each line: first each account with its balance, then each entry.

    Amounts are whole micros, balances positive on the account's normal side.
    """
    for account in Account.objects.order_by("code"):
        yield _json(
            type="account",
            code=account.code,
            name=account.name,
            kind=account.kind,
            floor=account.floor,
            balance_micros=on_its_side(account.kind, account.balance_micros),
        )
    for entry in _entries():
        yield _json(
            type="transfer",
            number=entry.pk,
            key=entry.key,
            kind=entry.kind,
            group=entry.group,
            month=f"{entry.month:%Y-%m}",
            happened_at=_moment(entry.happened_at),
            recorded_at=_moment(entry.recorded_at),
            debit=entry.debit_id,
            credit=entry.credit_id,
            amount_micros=entry.amount_micros,
            currency=settings.CURRENCY,
            reverses=entry.reverses_id,
            reason=entry.reason,
        )


def as_beancount() -> Iterator[str]:
    """Yield the ledger for Beancount: accounts, entries, and what each account must hold after the last of them.

    `bean-check` adds everything up by itself and says where it finds something else. The order within a day is the
    ledger's; days are the co-op's.
    """
    found = Transfer.objects.aggregate(first=Min("happened_at"), last=Max("happened_at"))
    yield 'option "title" "Refrain"\n'
    yield f'option "operating_currency" "{settings.CURRENCY}"\n\n'
    if found["first"] is None:
        return
    opened, closed = clock.day(found["first"]), clock.day(found["last"]) + timedelta(days=1)
    accounts = list(Account.objects.order_by("code"))
    for account in accounts:
        yield f'{opened} open {beancount_name(account.code)} {settings.CURRENCY}\n  name: "{_words(account.name)}"\n'
    for entry in _entries():
        yield _transaction(entry)
    yield "\n"
    for account in accounts:
        yield (
            f"{closed} balance {beancount_name(account.code)}"
            f" {_amount(account.balance_micros)} ~ 0.000000 {settings.CURRENCY}\n"
        )


FORMATS: dict[str, Callable[[], Iterator[str]]] = {
    "beancount": as_beancount,
    "csv": as_csv,
    "jsonl": as_json_lines,
}


def beancount_name(code: str) -> str:
    """Return an account's code as Beancount writes it: `liabilities.promo-wallets` is `Liabilities:Promo-wallets`."""
    return ":".join(word.upper() if _is_id(word) else word[0].upper() + word[1:] for word in code.split("."))


def _transaction(entry: Transfer) -> str:
    debit, credit = beancount_name(entry.debit_id), beancount_name(entry.credit_id)
    words = entry.reason or entry.kind
    lines = [
        f'\n{clock.day(entry.happened_at)} * "{_words(entry.kind)}" "{_words(words)}"',
        f"  number: {entry.pk}",
        f'  key: "{_words(entry.key)}"',
        f'  month: "{entry.month:%Y-%m}"',
        *([f"  reverses: {entry.reverses_id}"] if entry.reverses_id else []),
        f"  {debit}  {_amount(entry.amount_micros)} {settings.CURRENCY}",
        f"  {credit}  {_amount(-entry.amount_micros)} {settings.CURRENCY}",
    ]
    return "\n".join(lines) + "\n"


def _entries() -> Iterator[Transfer]:
    return Transfer.objects.order_by("id").iterator(chunk_size=AT_ONCE)


def _amount(micros: int) -> str:
    """Return an amount as an exact decimal with six places."""
    whole, part = divmod(abs(micros), money.MICROS)
    return f"{'-' if micros < 0 else ''}{whole}.{part:06d}"


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _json(**fields: str | int | bool | date | None) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n"


def _cell(words: str) -> str:
    """Return words that no spreadsheet takes for a formula."""
    return f"'{words}" if words.startswith(LIKE_A_FORMULA) else words


def _words(words: str) -> str:
    """Return words as they stand between Beancount's quotation marks, on one line."""
    return " ".join(words.split()).replace("\\", "\\\\").replace('"', '\\"')


def _is_id(word: str) -> bool:
    return len(word) == 36 and word.count("-") == 4
