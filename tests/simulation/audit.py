"""The audit: what stands in the database, row by row, against what the auditor has in the books."""

from collections.abc import Collection
from typing import Any

from django.db import connection

from tests.simulation.auditor import Books, Charge, Holding, Id, Session, Wallet


class Objection(AssertionError):
    """The auditor expected something else."""


def _rows(sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchall()


def _agree(what: str, books: Any, rows: Any) -> None:
    if books != rows:
        raise Objection(f"{what}: the database has {rows!r}, the auditor {books!r}")


def compare_person(auditor: Books, person: Id) -> None:
    """Compare somebody's wallet and holdings. Two queries."""
    compare_people(auditor, [person])


def compare_people(auditor: Books, people: Collection[Id]) -> None:
    """Compare the wallets and holdings of people. Two queries, however many they are."""
    wallets = _rows(
        "SELECT listener_id, balance_micros, promo_micros, frozen_at IS NOT NULL, day_limit_micros,"
        " next_day_limit_micros, next_day_limit_at, month_limit_micros, next_month_limit_micros, next_month_limit_at,"
        " spent_day, spent_day_micros, spent_month, spent_month_micros"
        " FROM playback_wallet WHERE listener_id = ANY(%s)",
        list(people),
    )
    expected = {person: _wallet_row(auditor.wallet(person)) for person in people}
    nothing = dict.fromkeys(people, _wallet_row(Wallet()))
    _agree("wallets", expected, nothing | {row[0]: row[1:] for row in wallets})
    holdings = _rows(
        "SELECT listener_id, work_id, price_micros, plays, growth_num, growth_den, pricing_version, cap_micros,"
        " paid_micros, paid_plays, owned_at IS NOT NULL, revision FROM playback_holding WHERE listener_id = ANY(%s)",
        list(people),
    )
    held = {
        key: _holding_row(found) for key, found in auditor.holdings.items() if key[0] in expected and found.revision
    }
    _agree("holdings", held, {row[:2]: row[2:] for row in holdings})


def _wallet_row(wallet: Wallet) -> tuple[Any, ...]:
    spans: list[Any] = []
    for span in ("day", "month"):
        waits = wallet.raises[span]
        spans += [wallet.limits[span], waits[1] if waits else None, waits[0] if waits else None]
    return (wallet.balance, wallet.promo, wallet.frozen, *spans, *wallet.counted["day"], *wallet.counted["month"])


def _holding_row(held: Holding) -> tuple[Any, ...]:
    bits = sum(1 << (number - 1) for number in held.numbers)
    return (*(held.terms or (None,) * 5), held.cap, held.paid, bits, held.owned, held.revision)


def learn_charge(charge: Charge) -> None:
    """Find the row of a charge that is new in the books, and compare it."""
    rows = _rows(
        "SELECT id, play_number, amount_micros, promo_micros, pricing_version, paid_after_micros, balance_after_micros,"
        " promo_after_micros, cap_after_micros - paid_after_micros, kind::text, charged_at - %s < interval '1 minute',"
        " charged_at >= %s, charged_at FROM playback_charge WHERE listener_id = %s AND work_id = %s"
        " AND session_id IS NOT DISTINCT FROM %s AND reversal_id IS NULL",
        charge.moment,
        charge.moment,
        charge.listener,
        charge.work,
        charge.session.id if charge.session else None,
    )
    answer = charge.answer
    expected = (
        charge.number,
        charge.amount,
        charge.from_promo,
        charge.version,
        answer["paid_micros"],
        answer["balance_micros"],
        answer["promo_micros"],
        answer["remaining_micros"],
        "purchase" if charge.number is None else "play",
        True,
        True,
    )
    _agree("charge", [expected], [row[1:-1] for row in rows])
    charge.id, charge.moment = rows[0][0], rows[0][-1]


def compare_everything(auditor: Books) -> None:
    """Compare all that there is, and that every balance is the sum of its rows."""
    people = set(auditor.wallets) | {person for person, _ in auditor.holdings}
    _agree("wallets", set(), {row[0] for row in _rows("SELECT listener_id FROM playback_wallet")} - people)
    compare_people(auditor, people)
    _agree(
        "charges",
        {charge.id: (charge.listener, charge.work, charge.number, charge.amount) for charge in auditor.charges},
        {
            row[0]: row[1:]
            for row in _rows("SELECT id, listener_id, work_id, play_number, amount_micros FROM playback_charge")
        },
    )
    _agree(
        "reversals",
        {charge.reversal: (charge.id, charge.amount) for charge in auditor.charges if charge.reversed},
        {row[0]: row[1:] for row in _rows("SELECT id, charge_id, amount_micros FROM playback_reversal")},
    )
    _agree(
        "reversed charges",
        {charge.id: charge.reversal for charge in auditor.charges if charge.reversed},
        dict(_rows("SELECT id, reversal_id FROM playback_charge WHERE reversal_id IS NOT NULL")),
    )
    _compare_sessions(auditor)
    _compare_credit(auditor)


def _compare_sessions(auditor: Books) -> None:
    _agree(
        "sessions",
        {session.id: _session_row(session) for session in auditor.sessions},
        {
            row[0]: row[1:]
            for row in _rows(
                "SELECT id, basis, play_number, price_micros, charge_id, completed_at IS NOT NULL,"
                " reversed_at IS NOT NULL, ended_at IS NOT NULL FROM playback_session"
            )
        },
    )
    _agree(
        "free plays",
        auditor.free_plays,
        dict(_rows("SELECT session_id, basis FROM playback_freeplay")),
    )


def _session_row(session: Session) -> tuple[Any, ...]:
    charge = session.charge
    reversed_too = charge is not None and charge.reversed
    paid = charge.id if charge else None
    return (session.basis, session.number, session.price, paid, session.completed, reversed_too, session.ended)


def _compare_credit(auditor: Books) -> None:
    _agree(
        "top-ups",
        {
            one.id: (one.state, one.asked, *((one.gross, one.net, one.vat) if one.settled_at else (None, None, None)))
            for one in auditor.top_ups
        },
        {
            row[0]: row[1:]
            for row in _rows("SELECT id, state, asked_cents, gross_cents, net_cents, vat_cents FROM playback_topup")
        },
    )
    _agree("events", auditor.events, {row[0] for row in _rows("SELECT id FROM playback_gatewayevent")})
    _agree("promo budget", [(auditor.budget,)], _rows("SELECT left_micros FROM playback_promobudget"))
    lines: dict[Id, list[tuple[str, int, int]]] = {}
    for person, *line in _rows("SELECT listener_id, kind, balance_micros, promo_micros FROM playback_wallet_entry"):
        lines.setdefault(person, []).append(tuple(line))
    _agree(
        "histories",
        {person: sorted(entries) for person, entries in auditor.entries.items()},
        {person: sorted(entries) for person, entries in lines.items()},
    )
    sums = {
        person: tuple(map(sum, zip(*[line[1:] for line in entries], strict=True))) for person, entries in lines.items()
    }
    pockets = _rows("SELECT listener_id, balance_micros, promo_micros FROM playback_wallet")
    _agree("balances", {row[0]: sums.get(row[0], (0, 0)) for row in pockets}, {row[0]: row[1:] for row in pockets})
