"""The till: checkouts, and the events that their ends cause. It knows nothing of HTTP."""

import hashlib
import json
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIRST_RETRY_SECONDS = 0.2
RETRY_SECONDS_MAX = 30.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS checkouts (
    id TEXT PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    currency TEXT NOT NULL,
    country TEXT NOT NULL,
    return_url TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paid', 'canceled')),
    refunds TEXT NOT NULL DEFAULT 'accepted' CHECK (refunds IN ('accepted', 'refused', 'too-old'))
) STRICT;
CREATE TABLE IF NOT EXISTS refunds (
    id TEXT PRIMARY KEY,
    reference TEXT NOT NULL UNIQUE,
    checkout TEXT NOT NULL REFERENCES checkouts,
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    state TEXT NOT NULL CHECK (state IN ('refunded', 'refused', 'too-old'))
) STRICT;
CREATE TABLE IF NOT EXISTS chargebacks (
    id TEXT PRIMARY KEY,
    checkout TEXT NOT NULL UNIQUE REFERENCES checkouts,
    state TEXT NOT NULL CHECK (state IN ('opened', 'won', 'lost'))
) STRICT;
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    about TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at REAL NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS events_due ON events (next_attempt_at) WHERE NOT delivered;
"""


# A till that was opened before there were refunds.
LATER = """
ALTER TABLE checkouts ADD COLUMN refunds TEXT NOT NULL DEFAULT 'accepted';
ALTER TABLE events RENAME COLUMN checkout TO about;
"""
REFUNDS = ("accepted", "refused", "too-old")
EVENT_OF = {"refunded": "refund.paid", "refused": "refund.failed"}


class UnknownCheckoutError(LookupError):
    """There is no such checkout."""


class ReferenceReusedError(ValueError):
    """The reference was used before for something else."""


class AlreadyEndedError(ValueError):
    """The checkout ended the other way before."""


class NotRefundableError(ValueError):
    """The checkout was not paid, or less of it is left than is to be refunded."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody is asked to pay, and where they go afterwards."""

    reference: str
    person: str
    amount_cents: int
    currency: str
    country: str
    return_url: str


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """An order that can be paid once or canceled once."""

    id: str
    state: str
    order: Order
    refunds: str = "accepted"


@dataclass(frozen=True, kw_only=True)
class Refund:
    """A part of a checkout paid back, or not; the word that it is comes as an event."""

    id: str
    reference: str
    checkout: str
    amount_cents: int
    state: str


@dataclass(frozen=True, kw_only=True)
class DueEvent:
    """An event whose webhook is to be sent now; `attempts` were made before."""

    id: str
    body: str
    attempts: int


class Till:
    """All checkouts and events, in one SQLite file; safe to use from several threads."""

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        if [row["name"] for row in self._database.execute("PRAGMA table_info(events)")][2:3] == ["checkout"]:
            self._database.executescript(LATER)
        self._database.executescript(SCHEMA)
        # What was waiting for a retry when the last process ended is tried at once.
        self._database.execute("UPDATE events SET next_attempt_at = 0, attempts = 0 WHERE NOT delivered")

    def open(self, order: Order) -> tuple[Checkout, bool]:
        """Return the checkout of this order, and whether it is new. Raises ReferenceReusedError."""
        with self._transaction() as database:
            row = database.execute("SELECT * FROM checkouts WHERE reference = ?", [order.reference]).fetchone()
            if row is None:
                new = Checkout(id=str(uuid.uuid4()), state="open", order=order)
                columns = (new.id, *vars(order).values())
                names = ", ".join(("id", *vars(order)))
                marks = ", ".join("?" * len(columns))
                database.execute(f"INSERT INTO checkouts ({names}) VALUES ({marks})", columns)  # noqa: S608 - own names
                return new, True
        found = _checkout(row)
        if found.order != order:
            raise ReferenceReusedError(f"the reference {order.reference} was used before for another order")
        return found, False

    def find(self, checkout_id: str) -> Checkout:
        """Return a checkout. Raises UnknownCheckoutError."""
        with self._transaction() as database:
            return _find(database, checkout_id)

    def end(self, checkout_id: str, state: str) -> Checkout:
        """Mark a checkout `paid` or `canceled` and queue its event, both or neither; a second time does nothing.

        Raises UnknownCheckoutError, AlreadyEndedError.
        """
        with self._transaction() as database:
            found = _find(database, checkout_id)
            if found.state == state:
                return found
            if found.state != "open":
                raise AlreadyEndedError(f"this checkout is {found.state} already")
            database.execute("UPDATE checkouts SET state = ? WHERE id = ?", [state, found.id])
            about = {
                "id": found.id,
                "reference": found.order.reference,
                "person": found.order.person,
                "amount_cents": found.order.amount_cents,
                "currency": found.order.currency,
                "country": found.order.country,
                "instrument": _instrument_of(found.order.person),
            }
            _queue_event(database, f"checkout.{state}", "checkout", about)
            return Checkout(id=found.id, state=state, order=found.order)

    def answer_refunds(self, checkout_id: str, how: str) -> Checkout:
        """Decide what becomes of refunds of this checkout from now on: accepted, refused, or too old to be made."""
        assert how in REFUNDS, how
        with self._transaction() as database:
            found = _find(database, checkout_id)
            database.execute("UPDATE checkouts SET refunds = ? WHERE id = ?", [how, found.id])
            return _find(database, checkout_id)

    def refund(self, *, reference: str, checkout_id: str, amount_cents: int) -> tuple[Refund, bool]:
        """Return the refund of this reference, and whether it is new; a new one queues its event.

        Raises UnknownCheckoutError, NotRefundableError, and ReferenceReusedError.
        """
        with self._transaction() as database:
            checkout = _find(database, checkout_id)
            row = database.execute("SELECT * FROM refunds WHERE reference = ?", [reference]).fetchone()
            if row is not None:
                known = Refund(**{name: row[name] for name in Refund.__dataclass_fields__})
                if (known.checkout, known.amount_cents) != (checkout_id, amount_cents):
                    raise ReferenceReusedError(f"the reference {reference} was used before for another refund")
                return known, False
            counted = (
                "SELECT coalesce(sum(amount_cents), 0) AS cents FROM refunds WHERE checkout = ? AND state = 'refunded'"
            )
            before = database.execute(counted, [checkout.id]).fetchone()["cents"]
            if checkout.state != "paid" or before + amount_cents > checkout.order.amount_cents:
                raise NotRefundableError("never more is refunded than was paid")
            state = {"accepted": "refunded"}.get(checkout.refunds, checkout.refunds)
            made = Refund(
                id=str(uuid.uuid4()),
                reference=reference,
                checkout=checkout.id,
                amount_cents=amount_cents,
                state=state,
            )
            columns = list(vars(made).values())
            database.execute(
                "INSERT INTO refunds (id, reference, checkout, amount_cents, state) VALUES (?, ?, ?, ?, ?)", columns
            )
            if made.state in EVENT_OF:
                about = {**vars(made), "currency": checkout.order.currency}
                _queue_event(database, EVENT_OF[made.state], "refund", about)
            return made, True

    def charge_back(self, checkout_id: str, state: str) -> None:
        """Let the payer's bank take a paid checkout back (`opened`), or decide that the co-op `won` or `lost` it.

        Each is told once. Raises UnknownCheckoutError, NotRefundableError for one that was not paid or not taken back.
        """
        with self._transaction() as database:
            checkout = _find(database, checkout_id)
            row = database.execute("SELECT * FROM chargebacks WHERE checkout = ?", [checkout.id]).fetchone()
            if checkout.state != "paid" or (row is None and state != "opened"):
                raise NotRefundableError("only a payment can be taken back, and only what was taken back is decided")
            if row is not None and (state == "opened" or row["state"] in {state, "won"}):
                return
            name = row["id"] if row is not None else str(uuid.uuid4())
            database.execute(
                "INSERT INTO chargebacks VALUES (?, ?, ?) ON CONFLICT (checkout) DO UPDATE SET state = excluded.state",
                [name, checkout.id, state],
            )
            about = {
                "id": name,
                "reference": checkout.order.reference,
                "checkout": checkout.id,
                "amount_cents": checkout.order.amount_cents,
                "currency": checkout.order.currency,
            }
            _queue_event(database, f"chargeback.{state}", "chargeback", about, key=f"{name}:{state}")

    def events(self, *, since: int) -> list[dict[str, Any]]:
        """Return the events from this second on, oldest first, delivered or not."""
        with self._transaction() as database:
            rows = database.execute("SELECT body FROM events WHERE created >= ? ORDER BY number", [since]).fetchall()
        return [json.loads(row["body"]) for row in rows]

    def due_events(self) -> list[DueEvent]:
        """Return the events whose webhooks are to be sent now, in the order in which they fell due."""
        with self._transaction() as database:
            rows = database.execute(
                "SELECT id, body, attempts FROM events WHERE NOT delivered AND next_attempt_at <= ?"
                " ORDER BY next_attempt_at, number LIMIT 50",
                [time.time()],
            ).fetchall()
        return [DueEvent(id=row["id"], body=row["body"], attempts=row["attempts"]) for row in rows]

    def seconds_until_due(self) -> float | None:
        """Return how long until the next webhook is to be sent, or None when none waits."""
        with self._transaction() as database:
            row = database.execute("SELECT min(next_attempt_at) AS at FROM events WHERE NOT delivered").fetchone()
        return None if row["at"] is None else max(0.0, row["at"] - time.time())

    def delivered(self, event: DueEvent) -> None:
        """Note that the webhook was taken."""
        with self._transaction() as database:
            database.execute("UPDATE events SET delivered = 1 WHERE id = ?", [event.id])

    def refused(self, event: DueEvent) -> None:
        """Note that the webhook was not taken, and when to send it again: later each time, up to half a minute."""
        wait = min(RETRY_SECONDS_MAX, FIRST_RETRY_SECONDS * 2 ** min(event.attempts, 20))
        with self._transaction() as database:
            database.execute(
                "UPDATE events SET attempts = attempts + 1, next_attempt_at = ? WHERE id = ?",
                [time.time() + wait, event.id],
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


def _find(database: sqlite3.Connection, checkout_id: str) -> Checkout:
    row = database.execute("SELECT * FROM checkouts WHERE id = ?", [checkout_id]).fetchone()
    if row is None:
        raise UnknownCheckoutError(f"there is no checkout {checkout_id}")
    return _checkout(row)


def _checkout(row: sqlite3.Row) -> Checkout:
    order = Order(**{name: row[name] for name in Order.__dataclass_fields__})
    return Checkout(id=row["id"], state=row["state"], order=order, refunds=row["refunds"])


def _queue_event(database: sqlite3.Connection, kind: str, name: str, about: dict[str, Any], *, key: str = "") -> None:
    """Queue the webhook that tells of something, in the transaction in which it happens; `key` names what is told."""
    created = int(time.time())
    event = {"id": str(uuid.uuid4()), "type": kind, "created": created, name: about}
    database.execute(
        "INSERT INTO events (id, about, created, body, next_attempt_at) VALUES (?, ?, ?, ?, 0)",
        [event["id"], key or about["id"], created, json.dumps(event)],
    )


def _instrument_of(person: str) -> str:
    # Every person has one make-believe card, always the same: an instrument carries one membership.
    return f"play-card-{hashlib.sha256(person.encode()).hexdigest()[:16]}"
