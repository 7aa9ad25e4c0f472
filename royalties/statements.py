"""Statements: what a payee is told of a month. Its content is sealed with the month and says the same for ever.

It begins with what the one before carried forward, adds each line of the run and what happened to the account within
the month, and ends with what is carried forward; so statements are a chain, and each can be recomputed from what the
month's bundle publishes under names that only this payee knows.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet, Sum

from members import months, policies, seals
from members.policies import Version
from members.problems import NotFound
from royalties import payouts, signing
from royalties.id_shares import EVERYTHING, IdShare
from royalties.payouts import Due
from royalties.run_models import Line, Run, Statement

FORMAT = "refrain-statement/1"
# Of fewer listeners than this no number is told.
LISTENERS_LEAST = 5
AT_ONCE = 500
READ_AT_ONCE = 5_000
PAGE = 24
# A spreadsheet takes a cell that begins so for a formula; one that begins with an apostrophe it shows as it is.
LIKE_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    *("id", "person_id", "month", "opening_micros", "earned_micros", "released_micros"),
    *("paid_out_micros", "returned_micros", "closing_micros", "sha256"),
)
KEEP = f"COPY royalties_statement (content, {', '.join(COLUMNS)}) FROM STDIN"
# Numbers of fewer digits are below 2**53, which every reader of JSON keeps exactly.
LONG_NUMBER = re.compile(rb"[0-9]{16}")

LINES = """
SELECT l.payee_id, l.of_month, l.work_id, w.title, l.sheet_id, coalesce(g.sheet_version, s.version), l.revenue_seq,
       l.line_number, l.share_ppm, l.net_micros, g.gross_micros, g.creators_micros, g.refunded_micros,
       g.plays_by_number, g.purchases, g.listeners
  FROM royalties_line l
  JOIN royalties_group g ON g.month = l.of_month AND g.work_id = l.work_id AND g.revenue_seq = l.revenue_seq
                        AND (g.sheet_id = l.sheet_id AND l.of_month = l.month
                             OR g.sheet_id IS NULL AND g.released_in = l.month)
  JOIN catalog_work_standing w ON w.work_id = l.work_id
  JOIN catalog_sheet_facts s ON s.sheet_id = l.sheet_id
 WHERE l.month = %(month)s AND l.payee_id BETWEEN %(first)s AND %(last)s
 ORDER BY l.payee_id, l.of_month, l.work_id, l.revenue_seq, g.since, l.line_number
"""
# What happened to payees' accounts until a month's end beside royalties and no statement told: paid out, come back.
# What a bank tells late counts in a month whose statements were written already, and stands on the next ones.
MOVED = """
SELECT person_id, (coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0)
                   - coalesce(sum(amount) FILTER (WHERE side = 'told debit'), 0))::bigint,
       (coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0)
        - coalesce(sum(amount) FILTER (WHERE side = 'told credit'), 0))::bigint
  FROM (SELECT a.person_id, 'debit' AS side, t.amount_micros AS amount
          FROM royalties_transfer t JOIN royalties_account a ON a.code = t.debit
         WHERE t.month <= %(month)s AND a.code LIKE 'liabilities.payable.%%'
         UNION ALL
        SELECT a.person_id, 'credit', t.amount_micros
          FROM royalties_transfer t JOIN royalties_account a ON a.code = t.credit
         WHERE t.month <= %(month)s AND a.code LIKE 'liabilities.payable.%%'
           AND t.kind NOT IN ('royalties', 'royalties-released')
         UNION ALL
        SELECT person_id, 'told debit', paid_out_micros FROM royalties_statement WHERE month < %(month)s
         UNION ALL
        SELECT person_id, 'told credit', returned_micros FROM royalties_statement WHERE month < %(month)s
       ) AS moved
 WHERE person_id BETWEEN %(first)s AND %(last)s
 GROUP BY person_id
"""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What a payee's account brought into a month, and what moved on it beside royalties. Micros."""

    opening_micros: int = 0
    paid_out_micros: int = 0
    returned_micros: int = 0


def write(month: date, whose: IdShare = EVERYTHING) -> int:
    """Write the statements of a month for a share of the payees; return how many.

    One for each payee with a line in the month, with something carried forward, or whose account moved.
    """
    with transaction.atomic():
        made = 0
        statements = _statements(month, _balances(month, whose), whose)
        while some := list(islice(statements, AT_ONCE)):
            _keep(some)
            made += len(some)
    return made


def _keep(some: list[Statement]) -> None:
    """Write statements by COPY, for each may be as long as a payee's works are many."""
    with connection.cursor() as cursor, cursor.copy(KEEP) as rows:
        for one in some:
            rows.write_row([canonical(one.content).decode(), *(getattr(one, column) for column in COLUMNS)])


def by_payee(lines: QuerySet[Line]) -> Iterable[tuple[UUID, int]]:
    """Return each payee of some lines with the sum of what they earned, in micros. One query."""
    return lines.order_by("payee_id").values_list("payee_id").annotate(micros=Sum("net_micros")).iterator()


def of_person(person_id: UUID) -> QuerySet[Statement]:
    """Return a person's statements of sealed months, the newest first."""
    sealed = Run.objects.filter(state=Run.State.SEALED).values("month")
    return Statement.objects.filter(person_id=person_id, month__in=sealed).order_by("-month")


def of_month(*, person_id: UUID, month: date) -> Statement:
    """Return a person's statement of a month. Raises NotFound."""
    found = of_person(person_id).filter(month=month).first()
    if found is None:
        raise NotFound("there is no such statement of yours")
    return found


def one(*, person_id: UUID, statement_id: UUID) -> Statement:
    """Return a person's statement. Raises NotFound."""
    found = of_person(person_id).filter(id=statement_id).first()
    if found is None:
        raise NotFound("there is no such statement of yours")
    return found


def cited(of: Statement) -> list[Version]:
    """Return the versions of policies that made the statement: of `revenue` for its lines, of `payouts` for the rest.

    That of `payouts` held when the month closed, and says from how much on is paid. One query.
    """
    closed = months.period(of.month)
    assert closed is not None, "a month with statements was closed"
    paying = policies.policy_at("payouts", closed.closed_at)
    by = {line["revenue_version"] for line in of.content["lines"]}
    return [*(one for one in policies.versions("revenue", closed.closed_at) if one.seq in by), paying]


def csv_rows(of: Statement) -> Iterator[list[str]]:
    """Yield the statement's lines as a table, its head first. Money is in whole micros."""
    columns = [
        "paid_in",
        "of_month",
        "work",
        "title",
        "sheet_version",
        "revenue_version",
        "line_number",
        "share_ppm",
        "plays",
        "plays_by_number",
        "purchases",
        "listeners",
        "gross_micros",
        "creators_micros",
        "given_back_micros",
        "net_micros",
        "published_as",
        "revenue_address",
    ]
    yield columns
    for line in of.content["lines"]:
        row = line | {
            "paid_in": of.content["month"],
            "plays": sum(line["plays_by_number"]),
            "revenue_address": policies.address("revenue", line["revenue_version"]),
            "plays_by_number": " ".join(map(str, line["plays_by_number"])),
            "listeners": f"fewer than {LISTENERS_LEAST}" if line["listeners"] is None else line["listeners"],
        }
        yield [cell(str(row[name])) for name in columns]


def cell(text: str) -> str:
    """Return a text as a cell of a table that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(LIKE_A_FORMULA) else text


def _statements(month: date, balances: dict[UUID, Balance], whose: IdShare) -> Iterator[Statement]:
    secret = signing.secret_of(month, key=signing.present_key())
    closed = months.period(month)
    assert closed is not None
    dues = payouts.due(month=month, now=closed.closed_at, whose=whose)
    seen = set()
    for payee_id, rows in groupby(_rows(month, whose), key=lambda row: row[0]):
        seen.add(payee_id)
        lines = [_line(row, secret) for row in rows]
        yield _statement(payee_id, month, balances.get(payee_id, Balance()), lines, dues.get(payee_id))
    for person_id in sorted(balances.keys() - seen):
        yield _statement(person_id, month, balances[person_id], [], dues.get(person_id))


def _rows(month: date, whose: IdShare) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(LINES, {"month": month, **vars(whose)})
        while rows := cursor.fetchmany(READ_AT_ONCE):
            yield from rows


def _line(row: tuple[Any, ...], secret: signing.MonthSecret) -> dict[str, Any]:
    (payee_id, of_month, work_id, title, sheet_id, sheet_version, revenue_seq, number, share, net) = row[:10]
    gross, creators, refunded, plays, purchases, listeners = row[10:]
    return {
        "of_month": f"{of_month:%Y-%m}",
        "work": str(work_id),
        "title": title,
        "sheet": str(sheet_id),
        "sheet_version": sheet_version,
        "revenue_version": revenue_seq,
        "line_number": number,
        "share_ppm": share,
        "plays_by_number": plays or [],
        "purchases": purchases or 0,
        "listeners": listeners if listeners and listeners >= LISTENERS_LEAST else None,
        "gross_micros": gross,
        "creators_micros": creators,
        "given_back_micros": refunded or 0,
        "net_micros": net,
        "published_as": secret.payee(work_id, payee_id),
    }


def _statement(
    person_id: UUID, month: date, before: Balance, lines: list[dict[str, Any]], due: Due | None
) -> Statement:
    own = f"{month:%Y-%m}"
    earned = sum(line["net_micros"] for line in lines if line["of_month"] == own)
    released = sum(line["net_micros"] for line in lines if line["of_month"] != own)
    sums = {
        **vars(before),
        "earned_micros": earned,
        "released_micros": released,
        "closing_micros": before.opening_micros + earned + released + before.returned_micros - before.paid_out_micros,
    }
    content = {
        "format": FORMAT,
        "month": own,
        "person": str(person_id),
        "currency": settings.CURRENCY,
        "listeners_least": LISTENERS_LEAST,
        **sums,
        "payout": {
            "cents": due.cents if due else 0,
            "why_not": due.why_not if due else payouts.NOTHING,
            "held_micros": due.held.micros if due else 0,
        },
        "lines": lines,
    }
    digest = seals.sha256(canonical(content))
    return Statement(person_id=person_id, month=month, content=content, sha256=digest, **sums)


def canonical(content: dict[str, Any]) -> bytes:
    """Return the one JSON (RFC 8785) that stands for a statement, as `seals.canonical` does, and many times as quickly.

    Its names are ASCII and its numbers whole, and Python's own writer then writes the same. Numbers too large for JSON,
    and what only looks like one, are left to the other. Raises CannotSeal.
    """
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return seals.canonical(content) if LONG_NUMBER.search(written) else written


def _balances(month: date, whose: IdShare) -> dict[UUID, Balance]:
    """Return what the account of each payee brought into the month, and what moved on it; of none where nothing."""
    opening = dict(
        Statement.objects.filter(month__lt=month, person_id__gte=whose.first, person_id__lte=whose.last)
        .order_by("person_id", "-month")
        .distinct("person_id")
        .values_list("person_id", "closing_micros")
    )
    with connection.cursor() as cursor:
        cursor.execute(MOVED, {"month": month, **vars(whose)})
        moved = {person_id: (paid, back) for person_id, paid, back in cursor.fetchall()}
    found = {}
    for person_id in opening.keys() | moved.keys():
        paid, back = moved.get(person_id, (0, 0))
        carried = opening.get(person_id, 0)
        if carried or paid or back:
            found[person_id] = Balance(opening_micros=carried, paid_out_micros=paid, returned_micros=back)
    return found
