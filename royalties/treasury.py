"""What a treasurer sees at a glance: the months and their ends, what waits for a second pair of eyes, the volume.

Rolling volume matters to the law: above a million euros in twelve months a closed loop of wallets has to be notified
(PSD2, article 37), so the treasury shows it long before.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection

from members import clock, money, months
from playback import chargebacks
from royalties import alarms, bank, journal, ledger, periods
from royalties.journal_models import BankBalance, JournalEntry
from royalties.payout_models import PayoutBatch
from royalties.run_models import Run

SHOWN_MOST = 24
NOTIFIED_FROM_MICROS = 1_000_000 * 1_000_000
VOLUME = """
SELECT date_trunc('month', day)::date, coalesce(sum(net_micros), 0)::bigint
  FROM playback_money_facts
 WHERE source = 'top-up' AND happened_at >= %s AND happened_at < %s
 GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class MonthShown:
    """A month as the treasurer sees it. Micros and cents; `balance` is the newest that was entered for its end."""

    month: date
    state: str
    is_over: bool
    may_close: bool
    run: Run | None
    is_locked: bool
    balance: BankBalance | None
    books_micros: int


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How much waits for people: lines to explain, entries and payouts for a second treasurer, frozen wallets."""

    lines: int
    entries: int
    payouts: PayoutBatch | None
    disputes: int


@dataclass(frozen=True, kw_only=True)
class Volume:
    """What was bought as credit, without VAT, in twelve months to a day, and month by month."""

    micros: int
    by_month: list[tuple[date, int]]

    @property
    def notified_from_micros(self) -> int:
        """Return from how much on the law wants to know."""
        return NOTIFIED_FROM_MICROS

    @property
    def percent(self) -> int:
        """Return how much of that it is, at most 100."""
        return min(100, self.micros * 100 // NOTIFIED_FROM_MICROS)


def waiting() -> Waiting:
    """Return what waits. Four queries."""
    return Waiting(
        lines=bank.unexplained().count(),
        entries=JournalEntry.objects.filter(state=JournalEntry.State.WAITING).count(),
        payouts=PayoutBatch.objects.filter(state=PayoutBatch.State.PREPARED).select_related("prepared_by").first(),
        disputes=len(chargebacks.undecided()),
    )


def ring_for_disputes(*, now: datetime) -> int:
    """Let an alarm ring for each wallet that is frozen, until a treasurer decides. Return how many."""
    undecided = chargebacks.undecided()
    found = {
        f"chargeback:{one.id}": (
            f"A payment of {money.show_cents(one.gross_cents)} was taken back: {money.show(one.taken_micros)} came out"
            f" of the wallet, {money.show(one.disputed_micros)} are the co-op's. It is frozen until you decide."
        )
        for one in undecided
    }
    alarms.keep(about="chargeback:", found=found, now=now)
    return len(undecided)


def volume(*, until: date) -> Volume:
    """Return the volume of the twelve months that end with a day. One query."""
    after = until + timedelta(days=1)
    try:
        since = after.replace(year=after.year - 1)
    except ValueError:
        since = after.replace(year=after.year - 1, day=28)
    with connection.cursor() as cursor:
        cursor.execute(VOLUME, [clock.start_of(since), clock.start_of(after)])
        by_month = cursor.fetchall()
    return Volume(micros=sum(micros for _, micros in by_month), by_month=by_month)


def months_shown(*, now: datetime) -> list[MonthShown]:
    """Return the present month and those before it of which anything is known, newest first. Nine queries."""
    present = clock.month(now)
    known = {period.starts_on: period for period in months.closed_until(present)}
    runs = {run.month: run for run in Run.objects.filter(month__lte=present)}
    balances: dict[date, BankBalance] = {}
    for one in BankBalance.objects.select_related("entered_by", "confirmed_by").order_by("entered_at", "id"):
        balances[one.month] = one
    first = min([*known, *balances, months.before(present)])
    shown = [present]
    while shown[-1] > first and len(shown) < SHOWN_MOST:
        shown.append(months.before(shown[-1]))
    locked, closable = ledger.locked_months(), periods.may_close(now)
    books = journal.balances_in_the_books(shown)
    return [
        MonthShown(
            month=month,
            state=known[month].state if month in known else "open",
            is_over=month < present,
            may_close=month == closable,
            run=runs.get(month),
            is_locked=month in locked,
            balance=balances.get(month),
            books_micros=books[month],
        )
        for month in shown
    ]
