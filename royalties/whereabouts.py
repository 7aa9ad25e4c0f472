"""Whereabouts: where a month's euros went after they were divided, from the co-op's books, in sums that name nobody.

The creators' part goes to payees and waits for sheets; what was paid out is known once a batch is released. The co-op's
part pays its costs; these are told once the month's books were compared with the bank and locked, and not before.
"""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Count, Max, Sum

from members import money
from royalties import accounts, ledger
from royalties.payout_models import Payout, PayoutBatch

_KEPT_STATES = (Payout.State.IN_TRANSIT, Payout.State.BOOKED)
# In the order in which they are told: in the account, and in the picture.
_WORDS = {
    accounts.COSTS: ("hosting, work, everything bought", "Costs"),
    accounts.PROVIDER_FEES: ("fees of the payment provider", "Card fees"),
    accounts.PROMOTION: ("promo credit that was spent", "Promo credit"),
    accounts.REFUNDS_BORNE: ("given back of months that were closed", "Given back late"),
    accounts.DISPUTES: ("payments that were charged back", "Charged back"),
    accounts.LOST: ("paid for what was lost with a backup", "Lost"),
}
_PAID_STATES = (PayoutBatch.State.RELEASED, PayoutBatch.State.RESTORED)
_SPENT = """
SELECT account, sum(micros)::bigint
  FROM (SELECT debit AS account, amount_micros AS micros FROM royalties_transfer WHERE month = %(month)s
         UNION ALL SELECT credit, -amount_micros FROM royalties_transfer WHERE month = %(month)s) moved
 WHERE account = ANY(%(accounts)s) GROUP BY account
"""


@dataclass(frozen=True, kw_only=True)
class PaidOut:
    """What was paid out with the month's batches: payable until then, of earlier months too."""

    micros: int
    payees: int
    released_at: datetime


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What the co-op's part went to; `short` is its word in the picture."""

    name: str
    short: str
    micros: int


def paid_out(month: date) -> PaidOut | None:
    """Return what the month's released batches paid and the bank has not sent back, or None before. One query."""
    found = Payout.objects.filter(batch__month=month, batch__state__in=_PAID_STATES, state__in=_KEPT_STATES).aggregate(
        cents=Sum("cents"), payees=Count("person", distinct=True), released_at=Max("batch__released_at")
    )
    if not found["cents"]:
        return None
    return PaidOut(micros=money.from_cents(found["cents"]), payees=found["payees"], released_at=found["released_at"])


def costs(month: date) -> list[Cost] | None:
    """Return what the co-op spent in a month, or None while its books are not locked. Two queries."""
    if not ledger.is_locked(month):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_SPENT, {"month": month, "accounts": list(_WORDS)})
        spent = dict(cursor.fetchall())
    return [
        Cost(name=name, short=short, micros=spent[code]) for code, (name, short) in _WORDS.items() if spent.get(code)
    ]
