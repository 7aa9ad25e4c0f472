"""The chart of accounts: the drawers of the co-op's books, what lies in each, and which can never be less than empty.

Codes are dotted words. The first word is the kind: `assets` is what the co-op has, `liabilities` what it owes, `equity`
what belongs to all members together, `income` what came in by its work, `expenses` what that cost. An account opens
itself when something is first booked on it; an account that is not charted here cannot be booked on.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from members.problems import Problem


class LedgerRefused(Problem):
    """The books do not take this entry."""

    slug, status, title = "ledger-refused", 409, "The books do not take this entry"


class Kind(StrEnum):
    """Which side of an account grows it: assets and expenses grow by debits, the others by credits."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


GROWS_BY_DEBIT = frozenset({Kind.ASSET, Kind.EXPENSE})


def on_its_side(kind: str, micros: int) -> int:
    """Return a balance, which is debits less credits, positive on the side that grows an account of this kind."""
    return micros if kind in GROWS_BY_DEBIT else -micros


@dataclass(frozen=True)
class Charted:
    """An account of the chart. One with a floor never goes below nothing; the database refuses it."""

    code: str
    name: str
    floor: bool = False
    person_id: UUID | None = None

    @property
    def kind(self) -> Kind:
        """Return the kind that the code's first word says."""
        return _KINDS[self.code.partition(".")[0]]


_KINDS = {
    "assets": Kind.ASSET,
    "liabilities": Kind.LIABILITY,
    "equity": Kind.EQUITY,
    "income": Kind.INCOME,
    "expenses": Kind.EXPENSE,
}

BANK = "assets.bank"
PROVIDER = "assets.provider"
PROMO_COMMITTED = "assets.promo-committed"
SUSPENSE = "assets.suspense"
WALLETS = "liabilities.wallets"
PROMO_WALLETS = "liabilities.promo-wallets"
PROMO_BUDGET = "liabilities.promo-budget"
VAT = "liabilities.vat"
CASH_OUTS = "liabilities.cash-outs"
ROYALTIES_HELD = "liabilities.royalties-held"
PAYOUTS = "liabilities.payouts"
MEMBER_SHARES = "liabilities.member-shares"
PATRONAGE = "liabilities.patronage"
RESERVE = "equity.reserve"
COMMON_GOOD = "equity.common-good"
RESULT = "equity.result"
PLAYS = "income.plays"
DUES = "income.dues"
OTHER_INCOME = "income.other"
ROYALTIES = "expenses.royalties"
PROMOTION = "expenses.promotion"
PROVIDER_FEES = "expenses.provider-fees"
COSTS = "expenses.costs"
REFUNDS_BORNE = "expenses.refunds-borne"
DISPUTES = "expenses.disputes"
LOST = "expenses.lost"

CHART = (
    Charted(BANK, "Bank account"),
    Charted(PROVIDER, "Payment provider, to be settled with the bank"),
    Charted(PROMO_COMMITTED, "Promo credit promised: always promo budget and promo wallets together", floor=True),
    Charted(SUSPENSE, "Suspense: bank lines that nobody could place yet"),
    Charted(WALLETS, "Bought credit in listeners' wallets", floor=True),
    Charted(PROMO_WALLETS, "Promo credit in listeners' wallets", floor=True),
    Charted(PROMO_BUDGET, "Promo credit that may still be given away", floor=True),
    Charted(VAT, "Value added tax to be paid"),
    Charted(CASH_OUTS, "Credit taken out, its refund on the way", floor=True),
    Charted(ROYALTIES_HELD, "Royalties held until a split sheet is in force", floor=True),
    Charted(PAYOUTS, "Payouts handed to the bank, not booked by it yet", floor=True),
    Charted(MEMBER_SHARES, "Members' shares", floor=True),
    Charted(PATRONAGE, "Patronage to be paid to members", floor=True),
    Charted(RESERVE, "Reserve, which nobody can divide"),
    Charted(COMMON_GOOD, "Set aside for the common good"),
    Charted(RESULT, "Result of the years"),
    Charted(PLAYS, "Plays and purchases"),
    Charted(DUES, "Members' dues"),
    Charted(OTHER_INCOME, "Grants and other income"),
    Charted(ROYALTIES, "Royalties, the creators' part of plays and purchases"),
    Charted(PROMOTION, "Promo credit that was spent"),
    Charted(PROVIDER_FEES, "Payment provider's fees"),
    Charted(COSTS, "Costs of the co-op"),
    Charted(REFUNDS_BORNE, "Charges given back after their month was closed"),
    Charted(DISPUTES, "Payments that were charged back"),
    Charted(LOST, "Paid for what was lost with a backup"),
)
_CHART = {account.code: account for account in CHART}

# Accounts of which each person has one; the person's id is the code's last word.
_PAYABLE, _CAPITAL = "liabilities.payable", "liabilities.capital"
PERSONAL = {_PAYABLE: "Royalties payable to one payee", _CAPITAL: "Capital account of one member"}


def payable(person_id: UUID) -> str:
    """Return the code of what a payee has earned and not been paid yet."""
    return f"{_PAYABLE}.{person_id}"


def payable_prefix() -> str:
    """Return what the codes of all payees' accounts begin with."""
    return f"{_PAYABLE}."


def capital(person_id: UUID) -> str:
    """Return the code of a member's capital account."""
    return f"{_CAPITAL}.{person_id}"


def capital_prefix() -> str:
    """Return what the codes of all members' capital accounts begin with."""
    return f"{_CAPITAL}."


def is_payable(code: str) -> bool:
    """Return whether the code is some payee's."""
    return code.startswith(_PAYABLE + ".")


def charted(code: str) -> Charted:
    """Return the account that a code names. Raises LedgerRefused for one that is not in the chart."""
    if code in _CHART:
        return _CHART[code]
    family, _, person = code.rpartition(".")
    try:
        person_id = UUID(person)
    except ValueError:
        person_id = None
    if family not in PERSONAL or person_id is None or code != f"{family}.{person_id}":
        raise LedgerRefused(f"There is no account {code} in the chart.", account=code)
    return Charted(code, PERSONAL[family], floor=True, person_id=person_id)
