"""The history of a wallet as a table for a spreadsheet: one line for each entry, newest first, nothing rounded."""

import csv
from collections.abc import Iterator
from uuid import UUID

from members import money, policies
from playback import wallets
from playback.wallets import Entry

COLUMNS = (
    *("at", "kind", "explained", "work", "work_id", "play_number", "reason"),
    *("amount", "of_it_given", "credit_after", "currency", "id", "pricing_version", "pricing_address"),
)
KINDS = {
    "play": "a play, at the price shown before it",
    "purchase": "the rest of a work at once; yours since then",
    "reversal": "given back by the co-op",
    "top-up": "credit you bought, without its VAT",
    "promo": "credit given by the co-op",
    "cash-out": "credit that went back to how you paid, without its VAT",
    "dues": "a year’s dues of a member of the co-op",
    "cash-out-returned": "a part of a cash-out that could not be paid and came back",
    "chargeback": "a payment was disputed at its bank; what was left of its credit is taken out",
    "chargeback-won": "the dispute ended; the credit is back",
}
# A spreadsheet takes a cell that begins so for a formula; one that begins with an apostrophe it shows as it is.
LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
AT_ONCE = 500


class _Line:
    """A file of one line: what the CSV writer writes is returned instead of kept."""

    def write(self, line: str) -> str:
        return line


def lines(*, person_id: UUID, currency: str) -> Iterator[str]:
    """Yield the lines of the table, headings first. One query for 500 entries, and never more of them in memory.

    Amounts are euros as exact decimal strings of six places, signed: what left the wallet is negative.
    """
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    last: Entry | None = None
    while True:
        page = wallets.entries(
            person_id=person_id,
            before=last.at if last else None,
            before_id=last.row_id if last else None,
            limit=AT_ONCE,
        )
        for entry in page:
            yield writer.writerow(_row(entry, currency))
        if len(page) < AT_ONCE:
            return
        last = page[-1]


def _row(entry: Entry, currency: str) -> list[object]:
    return [
        *(entry.at.isoformat(), entry.kind, KINDS[entry.kind], _text(entry.work_title), entry.work_id or ""),
        *(entry.play_number or "", _text(entry.reason)),
        money.exact(entry.amount_micros),
        money.exact(entry.promo_part_micros),
        money.exact(entry.balance_after_micros + entry.promo_after_micros),
        *(currency, entry.row_id, entry.pricing_version or ""),
        policies.address("pricing", entry.pricing_version) if entry.pricing_version else "",
    ]


def _text(words: str | None) -> str:
    """Return words that no spreadsheet takes for a formula."""
    said = words or ""
    return f"'{said}" if said.startswith(LIKE_A_FORMULA) else said
