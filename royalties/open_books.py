"""Open books: the co-op's income and costs by month, for everybody, from the ledger's accounts alone.

A month's plays and royalties stand once it is sealed; its costs are told once its books met the bank and were locked,
and only then is there a result. Of a running month nothing is told: looked at every day, its sums would tell of days.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from members import clock, months
from members.problems import NotFound
from royalties import accounts, ledger

LOCKED, SEALED = "locked", "sealed"
JOURNAL = "journal-"


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A line of the books: what is on an account, or what of it came by these kinds of entries.

    `at_seal` is whether it stands when the month is sealed; what people enter stands when the books are locked.
    One that `is_rare` is shown where there is something in it.
    """

    key: str
    name: str
    account: str
    at_seal: bool = False
    kinds: frozenset[str] = frozenset()
    note: str = ""
    is_rare: bool = False

    @property
    def comes_in(self) -> bool:
        """Return whether it is income."""
        return accounts.charted(self.account).kind == accounts.Kind.INCOME


def _cost(kind: str, name: str) -> Heading:
    return Heading(key=kind, name=name, account=accounts.COSTS, kinds=frozenset({JOURNAL + kind}))


# What is no kind of its own stands in the last heading of its account.
HEADINGS = (
    Heading(key="plays", name="Plays and purchases", account=accounts.PLAYS, at_seal=True),
    Heading(key="dues", name="Members’ dues", account=accounts.DUES),
    Heading(key="other-income", name="Grants and other income", account=accounts.OTHER_INCOME),
    Heading(
        key="royalties", name="Royalties", account=accounts.ROYALTIES, at_seal=True, note="the creators’ part, by rule"
    ),
    Heading(
        key="promotion", name="Promo credit", account=accounts.PROMOTION, at_seal=True, note="what was spent of it"
    ),
    Heading(key="provider-fees", name="Payment provider", account=accounts.PROVIDER_FEES, note="what it keeps back"),
    _cost("rent", "Rent and rooms"),
    _cost("hosting", "Hosting and machines"),
    _cost("bank-fee", "Fees of the bank"),
    Heading(key="costs", name="Other costs", account=accounts.COSTS, note="work, and everything bought"),
    Heading(
        key="refunds-borne",
        name="Given back late",
        account=accounts.REFUNDS_BORNE,
        at_seal=True,
        note="charges of months that were closed; no payee loses by it",
    ),
    Heading(key="disputes", name="Charged back", account=accounts.DISPUTES, at_seal=True, note="payments taken back"),
    Heading(key="lost", name="Lost", account=accounts.LOST, note="with a backup", is_rare=True),
)
MOVED = """
SELECT month, account, kind, sum(micros)::bigint
  FROM (SELECT debit AS account, kind, month, amount_micros AS micros
          FROM royalties_transfer WHERE month = ANY(%(months)s)
        UNION ALL
        SELECT credit, kind, month, -amount_micros FROM royalties_transfer WHERE month = ANY(%(months)s)) AS moved
 WHERE account = ANY(%(accounts)s) GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, kw_only=True)
class Month:
    """A month of the books, or several together. Micros by heading; None for what is not told yet."""

    first: date
    state: str
    micros: dict[str, int | None]

    @property
    def came_in_micros(self) -> int | None:
        """Return all income, or None while some of it is not told."""
        return _sum(self.micros[one.key] for one in HEADINGS if one.comes_in)

    @property
    def went_out_micros(self) -> int | None:
        """Return all costs, or None while some are not told."""
        return _sum(self.micros[one.key] for one in HEADINGS if not one.comes_in)

    @property
    def result_micros(self) -> int | None:
        """Return what is left, or None while it is not known."""
        came_in, went_out = self.came_in_micros, self.went_out_micros
        return None if came_in is None or went_out is None else came_in - went_out


@dataclass(frozen=True, kw_only=True)
class Year:
    """A year of the books: its sealed months, oldest first, and those that are locked together, None without any."""

    year: int
    months: list[Month]
    together: Month | None
    years: list[int]


def year(number: int | None, *, now: datetime) -> Year | None:
    """Return a year's books, the newest for None; None while no month is sealed. Three queries. Raises NotFound."""
    sealed = [period.starts_on for period in months.closed_until(clock.month(now)) if period.sealed_at]
    if not sealed:
        return None
    years = sorted({month.year for month in sealed})
    shown = years[-1] if number is None else number
    if shown not in years:
        raise NotFound("no month of that year is sealed")
    found = _months([month for month in sealed if month.year == shown])
    locked = [month for month in found if month.state == LOCKED]
    together = None
    if locked:
        sums = {one.key: _sum(month.micros[one.key] for month in locked) for one in HEADINGS}
        together = Month(first=locked[-1].first, state=LOCKED, micros=sums)
    return Year(year=shown, months=found, together=together, years=years)


def all_months(*, now: datetime) -> list[Month]:
    """Return every sealed month, oldest first. Three queries."""
    return _months([period.starts_on for period in months.closed_until(clock.month(now)) if period.sealed_at])


def _months(firsts: Sequence[date]) -> list[Month]:
    locked = ledger.locked_months()
    moved: dict[tuple[date, str], int] = {}
    with connection.cursor() as cursor:
        cursor.execute(MOVED, {"months": list(firsts), "accounts": sorted({one.account for one in HEADINGS})})
        for month, account, kind, micros in cursor.fetchall():
            heading = _heading(account, kind)
            moved[month, heading.key] = moved.get((month, heading.key), 0) + micros
    return [
        Month(
            first=month,
            state=LOCKED if month in locked else SEALED,
            micros={
                one.key: accounts.on_its_side(accounts.charted(one.account).kind, moved.get((month, one.key), 0))
                if one.at_seal or month in locked
                else None
                for one in HEADINGS
            },
        )
        for month in firsts
    ]


def _heading(account: str, kind: str) -> Heading:
    return next(one for one in HEADINGS if one.account == account and (not one.kinds or kind in one.kinds))


def _sum(amounts: Iterable[int | None]) -> int | None:
    total = 0
    for micros in amounts:
        if micros is None:
            return None
        total += micros
    return total
