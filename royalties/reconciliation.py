"""Reconciliation: the proof that the books say what happened, and the name of everything they say otherwise.

Playback's rows, its pockets, the ledger's transfers and balances, the runs' lines and the payouts tell the same story
several times over; here each is compared with the next. A difference says where to look: which account, which posting,
day and kind, which wallet, which payee. What merely waits to be settled is no difference; `waiting` tells its age.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connection, transaction

from members import clock, money, patience
from royalties import accounts, alarms, posting
from royalties.posting import Group

# No difference is hidden, but a broken view could make millions: the first ones are enough to find it.
MOST = 200
# How long something may stand on an account that is only passed through before a treasurer is called.
PATIENCE = {
    accounts.PROVIDER: timedelta(days=14),
    accounts.PAYOUTS: timedelta(days=10),
    accounts.CASH_OUTS: timedelta(days=30),
    accounts.SUSPENSE: timedelta(days=30),
}

BALANCES = """
SELECT a.code, coalesce(t.micros, 0), a.balance_micros
  FROM royalties_account a
  LEFT JOIN (SELECT code, sum(micros)::bigint AS micros
               FROM (SELECT debit AS code, amount_micros AS micros FROM royalties_transfer
                     UNION ALL SELECT credit, -amount_micros FROM royalties_transfer) AS sides
              GROUP BY code) t ON t.code = a.code
 WHERE a.balance_micros <> coalesce(t.micros, 0) ORDER BY a.code LIMIT %(most)s
"""
WALLETS = """
SELECT listener_id, balance_of_rows_micros, balance_micros, promo_of_rows_micros, promo_micros
  FROM playback_wallet_facts
 WHERE balance_micros <> balance_of_rows_micros OR promo_micros <> promo_of_rows_micros
 ORDER BY listener_id LIMIT %(most)s
"""
# Of sealed months the rows count as posted, by whichever posting.
POSTED = f"""
WITH taken AS (
    SELECT CASE WHEN f.happened_at >= (SELECT royalties_posted_before()) THEN m.posting_id END AS posting_id, f.*
      FROM playback_money_facts f
      LEFT JOIN royalties_postingmark m ON m.source = f.source AND m.row_id = f.row_id
     WHERE m.posting_id IS NOT NULL OR f.happened_at < (SELECT royalties_posted_before())
)
{posting.GROUPED}
"""  # noqa: S608  (constants, joined)
UNPOSTED = f"WITH taken AS ({posting.UNPOSTED}) {posting.GROUPED}"
BOOKED = """
SELECT CASE WHEN split_part(name, ':', 3)::date >= coop_day((SELECT royalties_posted_before()))
            THEN split_part(name, ':', 2) END,
       split_part(name, ':', 3)::date, split_part(name, ':', 4), split_part(name, ':', 5), split_part(name, ':', 6),
       split_part(name, ':', 7), sum(micros)::bigint
  FROM (SELECT key AS name, amount_micros AS micros FROM royalties_transfer WHERE key LIKE 'posting:%%'
        UNION ALL
        SELECT substr(key, length('reversal:') + 1), -amount_micros FROM royalties_transfer
         WHERE key LIKE 'reversal:posting:%%') AS booked
 GROUP BY 1, 2, 3, 4, 5, 6
"""
# What payees were booked, by month and kind of the entry; reversals count against it.
BY_PAYEE = """
WITH sealed AS (SELECT starts_on FROM members_month_facts WHERE state = 'sealed'), booked AS (
    SELECT a.person_id AS payee_id, sides.month, sides.kind, sides.micros
      FROM (SELECT credit AS code, month, kind, amount_micros AS micros FROM royalties_transfer
             WHERE credit LIKE %(payables)s
            UNION ALL
            SELECT debit, month, kind, -amount_micros FROM royalties_transfer WHERE debit LIKE %(payables)s) AS sides
      JOIN royalties_account a USING (code)
)"""
LINES = f"""{BY_PAYEE}
SELECT payee_id, coalesce(l.micros, 0)::bigint, coalesce(t.micros, 0)::bigint
  FROM (SELECT payee_id, sum(net_micros) AS micros FROM royalties_line
         WHERE month IN (SELECT starts_on FROM sealed) GROUP BY 1) l
  FULL JOIN (SELECT payee_id, sum(micros) AS micros FROM booked
              WHERE kind LIKE 'royalties%%' AND month IN (SELECT starts_on FROM sealed) GROUP BY 1) t USING (payee_id)
 WHERE coalesce(l.micros, 0) <> coalesce(t.micros, 0) ORDER BY 1 LIMIT %(most)s
"""  # noqa: S608  (constants, joined)
PAID = f"""{BY_PAYEE}
SELECT payee_id, coalesce(p.micros, 0)::bigint, coalesce(t.micros, 0)::bigint
  FROM (SELECT person_id AS payee_id, sum(cents) * 10000 AS micros FROM royalties_payout
         WHERE state IN ('in-transit', 'booked') GROUP BY 1) p
  FULL JOIN (SELECT payee_id, -sum(micros) AS micros FROM booked
              WHERE kind NOT LIKE 'royalties%%' AND kind <> 'claim-lapsed'
                AND kind NOT LIKE 'patronage%%' GROUP BY 1) t USING (payee_id)
 WHERE coalesce(p.micros, 0) <> coalesce(t.micros, 0) ORDER BY 1 LIMIT %(most)s
"""  # noqa: S608  (constants, joined)
# The lines of years that are divided, and whether their capital was paid: with all of the year, or to who left.
DIVIDED = """divided AS (
    SELECT p.person_id AS payee_id, p.cents, p.cash_cents, y.state = 'redeemed' OR r.id IS NOT NULL AS is_paid
      FROM royalties_patronage p JOIN royalties_financialyear y USING (year)
      LEFT JOIN royalties_releasedline l ON (l.year, l.line) = (p.year, p.line)
      LEFT JOIN royalties_capitalrelease r ON r.id = l.release_id AND r.state = 'confirmed'
     WHERE y.state IN ('done', 'redeemed')
)"""
# While a year is being booked its lines are ahead of its state.
NOT_BOOKING = "NOT EXISTS (SELECT FROM royalties_financialyear WHERE state IN ('booking', 'redeeming'))"
# What members were booked of surpluses, with what their lines say; and what lies in their capital accounts.
PATRONAGE = f"""{BY_PAYEE}, {DIVIDED}
SELECT payee_id, coalesce(l.micros, 0)::bigint, coalesce(t.micros, 0)::bigint
  FROM (SELECT payee_id, sum(CASE WHEN is_paid THEN cents ELSE cash_cents END) * 10000 AS micros
          FROM divided GROUP BY 1) l
  FULL JOIN (SELECT payee_id, sum(micros) AS micros FROM booked
              WHERE kind LIKE 'patronage%%' GROUP BY 1) t USING (payee_id)
 WHERE coalesce(l.micros, 0) <> coalesce(t.micros, 0)
   AND {NOT_BOOKING}
 ORDER BY 1 LIMIT %(most)s
"""  # noqa: S608  (constants, joined)
CAPITAL = f"""
WITH {DIVIDED}
SELECT payee_id, coalesce(l.micros, 0)::bigint, coalesce(a.micros, 0)::bigint
  FROM (SELECT payee_id, sum(CASE WHEN is_paid THEN 0 ELSE cents - cash_cents END) * 10000 AS micros
          FROM divided GROUP BY 1) l
  FULL JOIN (SELECT person_id AS payee_id, -balance_micros AS micros FROM royalties_account
              WHERE code LIKE %(capitals)s) a USING (payee_id)
 WHERE coalesce(l.micros, 0) <> coalesce(a.micros, 0) AND {NOT_BOOKING}
 ORDER BY 1 LIMIT %(most)s
"""  # noqa: S608  (constants, joined)
OPEN = """
SELECT key, kind, happened_at, least(amount_micros, %(balance)s - (running - amount_micros))::bigint
  FROM (SELECT id, key, kind, happened_at, amount_micros,
               sum(amount_micros) OVER (ORDER BY happened_at DESC, id DESC) AS running
          FROM royalties_transfer WHERE CASE WHEN %(by_debit)s THEN debit ELSE credit END = %(code)s) AS grown
 WHERE running - amount_micros < %(balance)s ORDER BY happened_at, id LIMIT %(most)s
"""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two tellings of the same that do not agree. `words` say where; `key` names it for an alarm. Micros."""

    key: str
    words: str
    expected_micros: int
    found_micros: int


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """An entry on an account that is only passed through, and how much of it is not settled; the oldest settle first.

    `late` is whether it stands longer than such a thing may.
    """

    code: str
    key: str
    kind: str
    since: datetime
    open_micros: int
    days: int
    late: bool


def check(*, now: datetime) -> list[Difference]:
    """Return every difference there is, at most 200 of each kind, all as of one moment. Changes nothing."""
    with _one_moment():
        unposted = _groups(UNPOSTED, now)
        return [
            *_balances(),
            *_wallets(),
            *_pockets(unposted),
            *_hidden(unposted),
            *_postings(now),
            *_promises(),
            *_payables(),
        ]


def waiting(*, now: datetime) -> list[Waiting]:
    """Return what stands on accounts that are only passed through, oldest first for each account."""
    found = []
    for code, allowed in PATIENCE.items():
        balance = next(
            iter(_ask("SELECT balance_micros FROM royalties_account WHERE code = %(code)s", code=code)), (0,)
        )[0]
        asked = {"code": code, "balance": abs(balance), "by_debit": balance > 0}
        for key, kind, since, micros in _ask(OPEN, **asked):
            age = now - since
            found.append(
                Waiting(
                    code=code,
                    key=key,
                    kind=kind,
                    since=since,
                    open_micros=micros,
                    days=age.days,
                    late=age > allowed,
                )
            )
    return found


def raise_alarms(*, now: datetime) -> list[Difference]:
    """Let an alarm ring for each difference and each entry that waits too long; end those that are over."""
    differences = check(now=now)
    late = [one for one in waiting(now=now) if one.late]
    alarms.keep(about="reconcile:", found={f"reconcile:{one.key}": one.words for one in differences}, now=now)
    alarms.keep(
        about="waiting:",
        found={
            f"waiting:{one.code}:{one.key}": (
                f"{money.show(one.open_micros)} of {one.key} stand on {one.code} since {clock.day(one.since)}."
            )
            for one in late
        },
        now=now,
    )
    return differences


@contextmanager
def _one_moment() -> Iterator[None]:
    """Let all questions see the same moment, unless somebody's transaction is going on: then it is theirs."""
    alone = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if alone:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        patience.take_time(minutes=20)
        yield


def _ask(question: str, **asked: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, {"most": MOST, **asked})
        return cursor.fetchall()


def _groups(question: str, now: datetime) -> list[Group]:
    asked = {"versions": posting.version_moments(now), "posting": 0}
    return [Group(*row) for row in _ask(question, **asked)]


def _balances() -> Iterator[Difference]:
    for code, expected, found in _ask(BALANCES):
        yield Difference(
            key=f"balance:{code}",
            words=f"{code} says {money.show(found)}, debits less credits are {money.show(expected)}.",
            expected_micros=expected,
            found_micros=found,
        )


def _wallets() -> Iterator[Difference]:
    for listener_id, bought, bought_found, promo, promo_found in _ask(WALLETS):
        for pocket, expected, found in (("credit", bought, bought_found), ("promo credit", promo, promo_found)):
            if expected != found:
                yield Difference(
                    key=f"wallet:{listener_id}:{pocket}",
                    words=(
                        f"The wallet of listener {listener_id} holds {money.show(found)} of {pocket};"
                        f" the rows that moved it sum to {money.show(expected)}."
                    ),
                    expected_micros=expected,
                    found_micros=found,
                )


def _pockets(waiting_rows: list[Group]) -> Iterator[Difference]:
    """Compare what lies in playback's pockets with the ledger and what is not posted to it yet."""
    unposted = posting.moved(waiting_rows)
    booked = dict(_ask("SELECT code, balance_micros FROM royalties_account"))
    for pocket, found in _ask("SELECT pocket, micros FROM playback_pocket_facts ORDER BY pocket"):
        code = f"liabilities.{pocket}"
        expected = -(booked.get(code, 0) + unposted.get(code, 0))
        if expected != found:
            yield Difference(
                key=f"pocket:{pocket}",
                words=(
                    f"Playback's {pocket} hold {money.show(found)}; {code} with what is not posted yet says"
                    f" {money.show(expected)}."
                ),
                expected_micros=expected,
                found_micros=found,
            )


def _hidden(waiting_rows: list[Group]) -> Iterator[Difference]:
    """Name rows that no posting will look for, since on their day a mark of no row makes up for theirs."""
    with connection.cursor() as cursor:
        days = posting.days_left(cursor)
    for day, groups in groupby((group for group in waiting_rows if group.day not in days), key=lambda group: group.day):
        expected = sum(micros for group in groups for _, micros in group.amounts())
        yield Difference(
            key=f"hidden:{day}",
            words=f"Rows of {day} have no mark, and marks of no row hide them: {money.show(expected)} stay unposted.",
            expected_micros=expected,
            found_micros=0,
        )


def _postings(now: datetime) -> Iterator[Difference]:
    """Compare the entries of each posting with the rows that are marked as its own."""
    marked = {
        _name(group.posting, group.day, f"{group.month:%Y-%m}", group.kind, group.version, line.pocket): micros
        for group in _groups(POSTED, now)
        for line, micros in group.amounts()
    }
    booked = {_name(*parts): micros for *parts, micros in _ask(BOOKED)}
    names = [name for name in sorted(marked.keys() | booked.keys()) if marked.get(name, 0) != booked.get(name, 0)]
    for name in names[:MOST]:
        expected, found = marked.get(name, 0), booked.get(name, 0)
        yield Difference(
            key=f"posting:{name}",
            words=(
                f"Posting {name}: its entries say {money.show(found)}, the rows marked as posted by it"
                f" {money.show(expected)}."
            ),
            expected_micros=expected,
            found_micros=found,
        )


def _name(*parts: object) -> str:
    """Return what posting, day, month, kind, version and pocket are called together; sealed ones are told as one."""
    return ":".join("sealed" if part is None else str(part) for part in parts)


def _promises() -> Iterator[Difference]:
    """Compare what is promised in promo credit with the budget and the wallets it lies in."""
    booked = dict(_ask("SELECT code, balance_micros FROM royalties_account"))
    expected = -(booked.get(accounts.PROMO_BUDGET, 0) + booked.get(accounts.PROMO_WALLETS, 0))
    found = booked.get(accounts.PROMO_COMMITTED, 0)
    if expected != found:
        yield Difference(
            key="promo-committed",
            words=(
                f"{accounts.PROMO_COMMITTED} says {money.show(found)}; promo budget and promo wallets together"
                f" {money.show(expected)}."
            ),
            expected_micros=expected,
            found_micros=found,
        )


def _payables() -> Iterator[Difference]:
    """Compare what each payee was booked with sealed runs, payouts and years' lines; capital accounts with lines."""
    payables, capitals = accounts.payable_prefix() + "%", accounts.capital_prefix() + "%"
    for question, name, words in (
        (LINES, "royalties", "The books credit payee {} with {} of royalties; the lines of sealed months sum to {}."),
        (PAID, "payouts", "The books took {1} off the account of payee {0}; the payouts to them sum to {2}."),
        (PATRONAGE, "patronage", "The books credit member {} with {} of surpluses; their lines sum to {}."),
        (CAPITAL, "capital", "The capital account of member {} holds {}; the lines that were not paid sum to {}."),
    ):
        for payee_id, expected, found in _ask(question, payables=payables, capitals=capitals):
            yield Difference(
                key=f"{name}:{payee_id}",
                words=words.format(payee_id, money.show(found), money.show(expected)),
                expected_micros=expected,
                found_micros=found,
            )
