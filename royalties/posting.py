"""Posting: what happened in playback, carried over into the ledger.

Playback's rows are the sub-ledger: each charge, top-up, refund. Posting takes every row without a mark, whenever it
happened, so a charge whose transaction stayed open over midnight is found by the next one. Rows of one kind, day and
version of `revenue` become one entry for each pocket; `BOOKED` says which accounts. Done again, it finds nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from members import clock, locks, patience, policies
from royalties import accounts, ledger
from royalties.ledger import Entry
from royalties.ledger_models import Posting

# The constant that names the lock of posting: one at a time, and nothing is posted while it is reconciled.
POSTING_LOCK = 1_919_247_973


@dataclass(frozen=True)
class Line:
    """How a bookkeeper enters a pocket of one kind of row: `debit` receives, `credit` gives."""

    kind: str
    pocket: str
    debit: str
    credit: str


# A payment: its net is credit, its VAT the tax office's, and the provider owes us both.
# A play or purchase: bought credit becomes income. So does promo credit, and the same amount is an expense, for it was
# a gift; then less is promised.
# A charge given back before its month closed is undone. Afterwards the co-op bears it: nobody's royalties change.
# Credit taken out is on its way until the provider or the bank has it; what comes back is credit again.
# What a bank took back comes out of the wallet as far as it may, and the rest is the co-op's cost until it is won.
BOOKED = (
    Line("top-up", "net", accounts.PROVIDER, accounts.WALLETS),
    Line("top-up", "vat", accounts.PROVIDER, accounts.VAT),
    Line("play", "bought", accounts.WALLETS, accounts.PLAYS),
    Line("play", "promo", accounts.PROMO_WALLETS, accounts.PLAYS),
    Line("play", "gift", accounts.PROMOTION, accounts.PROMO_COMMITTED),
    Line("purchase", "bought", accounts.WALLETS, accounts.PLAYS),
    Line("purchase", "promo", accounts.PROMO_WALLETS, accounts.PLAYS),
    Line("purchase", "gift", accounts.PROMOTION, accounts.PROMO_COMMITTED),
    Line("reversal", "bought", accounts.PLAYS, accounts.WALLETS),
    Line("reversal", "promo", accounts.PLAYS, accounts.PROMO_WALLETS),
    Line("reversal", "gift", accounts.PROMO_COMMITTED, accounts.PROMOTION),
    Line("refund-borne", "bought", accounts.REFUNDS_BORNE, accounts.WALLETS),
    Line("refund-borne", "promo", accounts.REFUNDS_BORNE, accounts.PROMO_WALLETS),
    Line("refund-borne", "gift", accounts.PROMO_COMMITTED, accounts.PROMOTION),
    Line("promo-raised", "promo", accounts.PROMO_COMMITTED, accounts.PROMO_BUDGET),
    Line("promo-lowered", "promo", accounts.PROMO_BUDGET, accounts.PROMO_COMMITTED),
    Line("promo-grant", "promo", accounts.PROMO_BUDGET, accounts.PROMO_WALLETS),
    Line("cash-out", "bought", accounts.WALLETS, accounts.CASH_OUTS),
    Line("dues", "bought", accounts.WALLETS, accounts.DUES),
    Line("refund", "net", accounts.CASH_OUTS, accounts.PROVIDER),
    Line("refund", "vat", accounts.VAT, accounts.PROVIDER),
    Line("refund-by-transfer", "net", accounts.CASH_OUTS, accounts.BANK),
    Line("refund-by-transfer", "vat", accounts.VAT, accounts.BANK),
    Line("refund-failed", "net", accounts.CASH_OUTS, accounts.WALLETS),
    Line("refund-came-back", "net", accounts.PROVIDER, accounts.WALLETS),
    Line("refund-came-back", "vat", accounts.PROVIDER, accounts.VAT),
    Line("transfer-came-back", "net", accounts.BANK, accounts.WALLETS),
    Line("transfer-came-back", "vat", accounts.BANK, accounts.VAT),
    Line("chargeback", "bought", accounts.WALLETS, accounts.PROVIDER),
    Line("chargeback", "borne", accounts.DISPUTES, accounts.PROVIDER),
    Line("chargeback-won", "bought", accounts.PROVIDER, accounts.WALLETS),
    Line("chargeback-won", "borne", accounts.PROVIDER, accounts.DISPUTES),
)
_ROWS = {
    "top-up": "top-ups",
    "play": "plays",
    "purchase": "purchases",
    "reversal": "charges given back",
    "refund-borne": "charges given back after their month closed",
    "promo-raised": "additions to the promo budget",
    "promo-lowered": "cuts of the promo budget",
    "promo-grant": "promo grants",
    "cash-out": "cash-outs",
    "dues": "members' dues",
    "refund": "refunds made",
    "refund-by-transfer": "refunds made by transfer",
    "refund-failed": "refunds that could not be made",
    "refund-came-back": "refunds that came back",
    "transfer-came-back": "transferred refunds that came back",
    "chargeback": "payments charged back",
    "chargeback-won": "chargebacks won",
}
_POCKETS = {
    "bought": "bought credit",
    "promo": "promo credit",
    "gift": "what promo credit paid",
    "net": "net",
    "vat": "VAT",
    "borne": "the co-op's cost",
}
ONE_DAY = timedelta(days=1)
_LINES: dict[str, list[Line]] = {}
for _line in BOOKED:
    _LINES.setdefault(_line.kind, []).append(_line)

# `%(versions)s` are the moments from which versions of `revenue` hold, oldest first; a row without a charge has none.
GROUPED = """
SELECT posting_id, kind, day, month, coalesce(width_bucket(charged_at, %(versions)s::timestamptz[]), 0) AS version,
       max(happened_at), count(*), sum(bought_micros)::bigint, sum(promo_micros)::bigint, sum(net_micros)::bigint,
       sum(vat_micros)::bigint, sum(borne_micros)::bigint
  FROM taken GROUP BY 1, 2, 3, 4, 5 ORDER BY day, month, kind, version
"""
_ROW = """
SELECT f.source, f.row_id, %(posting)s::bigint AS posting_id, f.kind, f.day, f.month, f.work_id, f.charged_at,
       f.happened_at, f.bought_micros, f.promo_micros, f.net_micros, f.vat_micros, f.borne_micros
  FROM playback_money_facts f
"""
UNPOSTED = f"""{_ROW}
 WHERE f.happened_at >= (SELECT royalties_posted_before())
   AND NOT EXISTS (SELECT FROM royalties_postingmark m WHERE m.source = f.source AND m.row_id = f.row_id)
"""  # noqa: S608  (constants, joined)
# When rows that may miss a mark happened first and last.
STRETCH = """
SELECT min(happened_at), max(happened_at) FROM playback_money_facts
 WHERE happened_at >= (SELECT royalties_posted_before())
"""
# `%(starts)s` are the moments at which days begin: comparing moments takes a tenth of asking each for its day.
ROWS_BY_DAY = """
SELECT width_bucket(happened_at, %(starts)s::timestamptz[]), count(*) FROM playback_money_facts
 WHERE happened_at >= %(begins)s GROUP BY 1
"""
MARKS_BY_DAY = "SELECT day, count(*) FROM royalties_postingmark WHERE day >= %(first)s GROUP BY day"
# What is marked is what is summed, for both read what was taken: a row committed meanwhile is the next posting's.
# Marks of those days are read first, and are few or none: asking all marks for each row took minutes.
TAKE = f"""
CREATE TEMP TABLE taken ON COMMIT DROP AS
WITH marked AS MATERIALIZED (SELECT source, row_id FROM royalties_postingmark WHERE day = ANY(%(days)s::date[]))
{_ROW}
 WHERE f.happened_at >= %(begins)s AND f.happened_at < %(ends)s AND f.day = ANY(%(days)s::date[])
   AND NOT EXISTS (SELECT FROM marked m WHERE m.source = f.source AND m.row_id = f.row_id)
"""  # noqa: S608  (as above)
# In the order of the marks' index.
MARK = """
INSERT INTO royalties_postingmark (source, row_id, posting_id, day)
SELECT source, row_id, posting_id, day FROM taken ORDER BY source, row_id
"""
# What each work was paid on each day, for the run of the month (`earning.POSTED`).
SUM_WORKS = """
INSERT INTO royalties_postedwork (posting_id, day, work_id, amount_micros, promo_micros)
SELECT posting_id, charged_on, work_id, royalties_sum(sign * (bought_micros + promo_micros)),
       royalties_sum(sign * promo_micros)
  FROM (SELECT posting_id, work_id, bought_micros, promo_micros, CASE kind WHEN 'reversal' THEN -1 ELSE 1 END AS sign,
               (charged_at AT TIME ZONE (SELECT time_zone FROM members_zone_facts))::date AS charged_on
          FROM taken WHERE kind IN ('play', 'purchase', 'reversal')) AS charged
 GROUP BY posting_id, charged_on, work_id
"""


@dataclass(frozen=True)
class Group:
    """The rows of one kind, day, month and version of `revenue` that one posting took, and their sums in micros.

    `version` is the version's number, 0 for what no charge belongs to; `posting` is None where that is not told apart.
    """

    posting: int | None
    kind: str
    day: date
    month: date
    version: int
    last_at: datetime
    rows: int
    bought_micros: int
    promo_micros: int
    net_micros: int
    vat_micros: int
    borne_micros: int

    def amounts(self) -> Iterator[tuple[Line, int]]:
        """Yield each line of the books with its amount, where there is one. The gift is what promo credit paid."""
        of = {
            "bought": self.bought_micros,
            "promo": self.promo_micros,
            "gift": self.promo_micros,
            "net": self.net_micros,
            "vat": self.vat_micros,
            "borne": self.borne_micros,
        }
        for line in _LINES[self.kind]:
            if of[line.pocket]:
                yield line, of[line.pocket]

    def entries(self) -> Iterator[Entry]:
        """Yield the entries of the group."""
        version = f", revenue version {self.version}" if self.version else ""
        for line, micros in self.amounts():
            yield Entry(
                debit=line.debit,
                credit=line.credit,
                amount_micros=micros,
                kind=self.kind,
                key=f"posting:{self.posting}:{self.day}:{self.month:%Y-%m}:{self.kind}:{self.version}:{line.pocket}",
                happened_at=self.last_at,
                month=self.month,
                reason=f"{self.rows} {_ROWS[self.kind]} on {self.day}: {_POCKETS[line.pocket]}{version}",
                group=f"posting:{self.posting}",
            )


def post(*, now: datetime) -> int:
    """Post every row that has no mark yet, and return how many there were. All or nothing; waits for who posts now."""
    with transaction.atomic(), connection.cursor() as cursor:
        hold()
        number = take_rows(cursor)
        if number is None:
            return 0
        cursor.execute(GROUPED, {"versions": version_moments(now)})
        groups = [Group(*row) for row in cursor.fetchall()]
        cursor.execute("DROP TABLE taken")
        rows = sum(group.rows for group in groups)
        if rows:
            Posting.objects.bulk_create([Posting(id=number, posted_at=now, rows=rows)])
            ledger.book((entry for group in groups for entry in group.entries()), now=now)
    return rows


def take_rows(cursor: CursorWrapper) -> int | None:
    """Take every row that has no mark into the table `taken`, mark them, and sum them by work and day.

    Returns the number of the posting, or None where no day misses a mark. The transaction is whoever's who calls.
    """
    days = days_left(cursor)
    if not days:
        return None
    cursor.execute("SELECT nextval(pg_get_serial_sequence('royalties_posting', 'id'))")
    number: int = cursor.fetchone()[0]
    begins, ends = clock.start_of(days[0]), clock.start_of(days[-1] + ONE_DAY)
    cursor.execute(TAKE, {"posting": number, "days": days, "begins": begins, "ends": ends})
    cursor.execute(MARK)
    cursor.execute(SUM_WORKS)
    return number


def days_left(cursor: CursorWrapper) -> list[date]:
    """Return the days on which some row may have no mark, the first of them first. Three queries.

    A day with as many marks as rows has no row without one: each mark is of one row, and both keep their day. So
    postings look row by row at days with other numbers alone, however old they are; `reconcile` looks at all.
    """
    cursor.execute(STRETCH)
    begins, ends = cursor.fetchone()
    if begins is None:
        return []
    first = clock.day(begins)
    days = [first + ONE_DAY * number for number in range((clock.day(ends) - first).days + 1)]
    starts = [clock.start_of(day) for day in days]
    cursor.execute(ROWS_BY_DAY, {"starts": starts, "begins": starts[0]})
    rows = dict(cursor.fetchall())
    cursor.execute(MARKS_BY_DAY, {"first": first})
    marks = dict(cursor.fetchall())
    return [day for place, day in enumerate(days, start=1) if rows.get(place, 0) != marks.get(day, 0)]


def hold() -> None:
    """Keep others from posting until this transaction ends, waiting for who does; it may take as long as it needs."""
    patience.take_time(minutes=20)
    locks.wait_for(POSTING_LOCK)


def forget_marks() -> int:
    """Forget the marks of sealed months, whose rows count as posted; return how many there were."""
    with transaction.atomic(), connection.cursor() as cursor:
        hold()
        cursor.execute("SELECT royalties_forget_marks()")
        forgotten: int = cursor.fetchone()[0]
    return forgotten


def version_moments(now: datetime) -> list[datetime]:
    """Return the moments from which the versions of `revenue` hold, oldest first: the n-th is that of version n."""
    versions = policies.versions("revenue", now)
    assert [version.seq for version in versions] == list(range(1, len(versions) + 1))
    return [version.effective_from for version in versions]


def moved(groups: Iterable[Group]) -> dict[str, int]:
    """Return what groups move on each account, debits positive, in micros."""
    found: dict[str, int] = {}
    for group in groups:
        for line, micros in group.amounts():
            found[line.debit] = found.get(line.debit, 0) + micros
            found[line.credit] = found.get(line.credit, 0) - micros
    return found
