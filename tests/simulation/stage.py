"""The stage: every act is played by the real core on the real database, ruled on by the auditor, and the two compared.

An act may crash. Before the commit: the connection breaks within the transaction, nothing may have happened, and it is
asked again. After the commit: the connection breaks before the answer is seen; asked again, it tells the truth.

The co-op's clock stands at whole minutes of the story: SQL's `coop_now()` is moved there before an act and runs on from
there, so a story means the same on a slow machine. Python's `now` is that minute exactly, so borders are met sharply.
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from catalog import publishing
from catalog.models import SplitLine, SplitSheet, Work
from members import clock, policies
from members.models import Month, Person
from members.problems import Problem
from playback import charging, reversals, sessions, topups, wallets
from playback.models import TopUp as TopUpRow
from playback.models import Wallet as WalletRow
from tests import cast
from tests.simulation import auditor as rules
from tests.simulation.audit import Objection, compare_everything, compare_person, learn_charge
from tests.simulation.gateway import Gateway
from tests.simulation.rulings import Auditor, Refused

# The clock is set anew before it has run this far from the minute of the story.
RUNS_ON = 5.0


class ConnectionLost(Exception):
    """The connection broke on purpose."""


class Stage:
    """One life: a clock, a gateway, the auditor's books, and every act there is."""

    def __init__(self, *, begins: datetime, vat_ppm: int) -> None:
        self.now = begins
        self.vat_ppm = vat_ppm
        self.crash: str | None = None
        self.seen: Any = None
        self.journal: list[str] = []
        self._set_at = -RUNS_ON
        self.gateway = Gateway()
        founding = {key: [(policies.FOUNDED_AT, dict(policies.registered(key).founding))] for key in policies.names()}
        self.auditor = Auditor(zone=settings.COOP_TIME_ZONE, policies=founding)
        self.people: list[Person] = []
        self.works: list[Work] = []
        self._set_clock()

    # The clock and the crash.

    def go_to(self, moment: datetime) -> None:
        """Move the story to a moment, on a whole minute, forwards or back."""
        self.now = moment.replace(second=0, microsecond=0)
        self._set_clock()

    def _set_clock(self) -> None:
        clock.set_offset(self.now - datetime.now(UTC))
        self._set_at = time.monotonic()

    def _act(self, name: str, call: Callable[[], Any], ruling: Callable[[], Any]) -> Any:
        """Play an act, with the crash that was ordered, and hold its answer against the auditor's."""
        if time.monotonic() - self._set_at > RUNS_ON:
            self._set_clock()
        self.journal.append(f"{self.now:%Y-%m-%d %H:%M} {name}{f' (crash {self.crash})' if self.crash else ''}")
        crash, self.crash = self.crash, None
        if crash == "before commit":
            self._lose(call, committed=False)
        elif crash == "after commit":
            ruling()
            self._lose(call, committed=True)
        expected, actual = ruling(), _answer(call)
        self.seen = actual
        if isinstance(expected, dict) and isinstance(actual, dict):
            _bind(expected, actual)
        _compare(name, expected, actual)
        return expected

    def _lose(self, call: Callable[[], Any], *, committed: bool) -> None:
        with suppress(ConnectionLost, DatabaseError):
            if committed:
                _answer(call)
                _break_connection()
            else:
                with transaction.atomic():
                    _answer(call)
                    _break_connection()
                    raise ConnectionLost
        connection.close()

    # Who and what there is.

    def person(self, name: str, *, staff: tuple[str, ...] = ()) -> Person:
        """Let somebody join."""
        made = cast.person(name, staff=staff)
        self.people.append(made)
        if {"treasurer", "director"} & set(staff):
            self.auditor.staff.add(made.id)
        return made

    def track(
        self, owner: Person, *, seconds: float = 180, price_micros: int | None = None, editor: Person | None = None
    ) -> Work:
        """Publish a track of a new profile."""
        by = cast.creator(owner, editors=(editor,) if editor else ())
        made = cast.track(by, seconds=seconds, price_micros=price_micros, now=self.now)
        pieces = cast.layout(round(seconds * 1_000_000))["segments"]
        self.auditor.works[made.id] = rules.Work(
            managers={owner.id, *([editor.id] if editor else [])},
            payees=[(self.now, {owner.id})],
            figure=price_micros,
            duration_ms=round(seconds * 1000),
            pieces_ms=[piece["micros"] // 1000 for piece in pieces],
        )
        self.works.append(made)
        return made

    # Listening and paying.

    def begin(self, person: Person, work: Work) -> Any:
        """Begin or resume a session; return the auditor's session, or its refusal."""

        def call() -> dict[str, Any]:
            sitting, new = sessions.begin(person_id=person.id, work_id=work.id, now=self.now)
            return {**_shallow(sitting), "new": new}

        expected = self._act(f"begin {person} {work}", call, lambda: self.auditor.begin(person.id, work.id, self.now))
        self.check(person)
        return expected["session"] if isinstance(expected, dict) else expected

    def requote(self, person: Person, session: rules.Session) -> None:
        """Ask for a fresh quote."""
        self._act(
            f"requote {person}",
            lambda: _shallow(sessions.requote(person_id=person.id, session_id=session.id, now=self.now)),
            lambda: self.auditor.requote(person.id, session, self.now),
        )
        self.check(person)

    def look(self, person: Person, session: rules.Session) -> None:
        """Look at a session as it stands."""
        self._act(
            f"look {person}",
            lambda: _shallow(sessions.get(person_id=person.id, session_id=session.id, now=self.now)),
            lambda: self.auditor.sitting(session, self.now) if session.listener == person.id else Refused("not-found"),
        )

    def charge(self, person: Person, session: rules.Session, price: int | None = None) -> Any:
        """Charge a session, at its price unless told."""
        most = session.price if price is None else price

        def call() -> dict[str, Any]:
            charged, until = charging.charge_session(person_id=person.id, session_id=session.id, price_micros=most)
            if not timedelta(0) <= until - session.playlist_until < timedelta(minutes=1):
                raise Objection(f"the playlist lives until {until}, not {session.playlist_until}")
            return asdict(charged)

        expected = self._act(
            f"charge {person} at most {most}", call, lambda: self.auditor.charge(person.id, session, most, self.now)
        )
        self.check(person)
        return expected

    def progress(self, person: Person, session: rules.Session, position_ms: int, *, completed: bool) -> None:
        """Say how far it was heard."""
        self._act(
            f"progress {person} {position_ms} {completed}",
            lambda: sessions.report_progress(
                person_id=person.id,
                session_id=session.id,
                position_ms=position_ms,
                completed=completed,
                now=self.now,
            ),
            lambda: self.auditor.progress(person.id, session, position_ms, completed=completed),
        )

    def purchase(self, person: Person, work: Work, price: int, key: str) -> Any:
        """Pay the rest, at most `price`."""
        expected = self._act(
            f"purchase {person} {work} at most {price} key {key}",
            lambda: asdict(
                charging.purchase(person_id=person.id, work_id=work.id, price_micros=price, key=key, now=self.now)
            ),
            lambda: self.auditor.purchase(person.id, work.id, price, key, self.now),
        )
        self.check(person)
        return expected

    def read_page(self, person: Person, work: Work) -> None:
        """Read what the work's page says."""
        self._act(
            f"read {person} {work}",
            lambda: _shallow(sessions.listening(person_id=person.id, work_id=work.id, now=self.now)),
            lambda: self.auditor.listening(person.id, work.id, self.now),
        )

    def set_limits(self, person: Person, day: int | None, month: int | None) -> None:
        """Set both limits."""

        def call() -> None:
            wallets.set_limits(person_id=person.id, day_limit_micros=day, month_limit_micros=month, now=self.now)

        self._act(
            f"limits {person} {day} {month}",
            call,
            lambda: self.auditor.set_limits(person.id, {"day": day, "month": month}, self.now),
        )
        self.check(person)

    # What staff does.

    def reverse(self, charge: rules.Charge | None, listener: Person, staff: Person, reason: str = "Broken.") -> Any:
        """Give a charge back."""
        charge_id = listener.id if charge is None else charge.id

        def call() -> dict[str, Any]:
            given = reversals.reverse(
                listener_id=listener.id, charge_id=charge_id, staff_id=staff.id, reason=reason, now=self.now
            )
            return {
                "amount_micros": given.amount_micros,
                "waits": given.waits,
                "reversed": given.reversal_id is not None,
                "reversal": given.reversal_id,
            }

        expected = self._act(
            f"reverse {listener} {charge and charge.amount} by {staff}",
            call,
            lambda: self.auditor.reverse(charge, listener.id, staff.id, reason, self.now),
        )
        if isinstance(expected, dict):
            charge.reversal = charge.reversal or self.seen["reversal"]
            if charge.reversal != self.seen["reversal"]:
                raise Objection("it was given back twice")
        self.check(listener)
        return expected

    def grant(self, listener: Person, staff: Person, amount: int, key: str, reason: str = "Welcome.") -> None:
        """Give promo credit."""

        def call() -> dict[str, Any]:
            given = reversals.grant(
                listener_id=listener.id, staff_id=staff.id, amount_micros=amount, reason=reason, key=key
            )
            return {
                "amount_micros": given.amount_micros,
                "promo_after_micros": given.promo_after_micros,
                "balance_after_micros": given.balance_after_micros,
            }

        self._act(
            f"grant {listener} {amount} by {staff} key {key}",
            call,
            lambda: self.auditor.grant(listener.id, staff.id, amount, reason, key),
        )
        self.check(listener)

    def fund(self, amount: int) -> None:
        """Fill the promo budget."""
        reversals.fund_budget(amount_micros=amount)
        self.auditor.budget += amount

    def freeze(self, person: Person, *, frozen: bool) -> None:
        """Freeze a wallet, or thaw it."""
        self.journal.append(f"freeze {person} {frozen}")
        WalletRow.objects.get_or_create(listener=person)
        WalletRow.objects.filter(listener=person).update(frozen_at=self.now if frozen else None)
        self.auditor.wallet(person.id).frozen = frozen

    # Credit.

    def start_top_up(self, person: Person, cents: int, key: str, country: str = "DE") -> Any:
        """Ask for credit; the gateway may be silent. Returns the auditor's top-up, or its refusal."""
        found: list[Any] = []

        def call() -> dict[str, Any]:
            row = topups.start(
                person_id=person.id,
                amount_cents=cents,
                country=country,
                evidence=["said so"],
                idempotency_key=key,
                return_url="https://refrain.example/wallet",
                now=self.now,
            )
            return {"asked": row.asked_cents, "opened": row.checkout_id == self.gateway.checkouts[row.id]}

        def ruling() -> Any:
            top_up = self.auditor.start_top_up(person.id, cents, country, key, self.vat_ppm)
            found[:] = [top_up]
            if isinstance(top_up, Refused):
                return top_up
            if self.gateway.silent and top_up.id not in self.gateway.checkouts:
                return Refused("gateway-unreachable")
            return {"asked": top_up.asked, "opened": True}

        self._act(f"top up {person} {cents} key {key}", call, ruling)
        if not isinstance(found[0], Refused) and found[0].id is None:
            known = [one.id for one in self.auditor.top_ups if one.id]
            found[0].id = TopUpRow.objects.exclude(id__in=known).get(listener=person).id
        return found[0]

    def deliver(self, event: dict[str, Any]) -> None:
        """Let a webhook arrive."""
        checkout = event["checkout"]
        top_up = next((one for one in self.auditor.top_ups if str(one.id) == checkout["reference"]), None)
        self._act(
            f"webhook {event['id']} {event['type']} {checkout['amount_cents']}",
            lambda: topups.take_in(event=event, now=self.now),
            lambda: self.auditor.take_in(
                event["id"], event["type"], top_up, checkout["amount_cents"], checkout["currency"]
            ),
        )
        if top_up is not None:
            self.check(next(one for one in self.people if one.id == top_up.listener))

    # What creators and members decide.

    def price(self, work: Work, figure: int | None) -> None:
        """Let the creator set a price."""
        owner = work.creator.roles.get(role="owner").person_id
        known = self.auditor.works[work.id]
        _, pricing = self.auditor.in_force("pricing", self.now)
        fits = not figure or pricing["price_min_micros"] <= figure <= pricing["price_max_micros"]

        def ruling() -> Refused | None:
            if not fits:
                return Refused("invalid")
            known.figure = figure
            return None

        def call() -> None:
            publishing.change(work_id=work.id, person_id=owner, now=self.now, price_micros=figure)

        self._act(f"price {work} {figure}", call, ruling)

    def set_state(self, work: Work, state: str) -> None:
        """Publish, take off (both by the creator) or suspend (by staff)."""
        owner = work.creator.roles.get(role="owner").person_id
        known = self.auditor.works[work.id]
        self.journal.append(f"{work} becomes {state}")
        if state == "suspended":
            Work.objects.filter(id=work.id).update(state=state)
        elif state == "off":
            publishing.take_off(work_id=work.id, person_id=owner, now=self.now)
        else:
            Work.objects.filter(id=work.id, state="suspended").update(state="published")
            publishing.publish(work_id=work.id, person_id=owner, now=self.now)
        if state == "off" and known.state == "published":
            known.state, known.off_at = "off", self.now
        elif state != "off":
            known.state, known.off_at = state, None

    def share(self, work: Work, person: Person) -> None:
        """Put a split sheet in force that pays somebody too."""
        self.journal.append(f"{work} pays {person} too")
        version = work.split_sheets.count() + 1
        sheet = SplitSheet.objects.create(work=work, version=version, created_at=self.now, in_force_from=self.now)
        owner = work.creator.roles.get(role="owner").person
        for line, (who, ppm) in enumerate(((owner, 600_000), (person, 400_000)), 1):
            SplitLine.objects.create(sheet=sheet, line_number=line, email=who.email, person=who, share_ppm=ppm)
        self.auditor.works[work.id].payees.append((self.now, {owner.id, person.id}))

    def vote(self, key: str, after: timedelta, **changed: Any) -> None:
        """Let a version of a policy be recorded."""
        versions = self.auditor.policies[key]
        params, effective = {**versions[-1][1], **changed}, self.now + after

        def ruling() -> dict[str, Any] | Refused:
            if after < timedelta(hours=1) or effective <= versions[-1][0]:
                return Refused("policy-refused")
            versions.append((effective, params))
            return {"seq": len(versions)}

        def call() -> dict[str, Any]:
            version = policies.add_version(key=key, params=params, effective_from=effective, now=self.now)
            return {"seq": version.seq}

        self._act(f"vote {key} {changed} after {after}", call, ruling)

    def close_month(self) -> None:
        """Close the month before this one, as whoever closes does: one short transaction under the periods' lock."""
        this = self.auditor.spans(self.now)["month"]
        last = (this - timedelta(days=1)).replace(day=1)
        if self.auditor.month_open is not None and self.auditor.month_open >= this:
            return
        self.journal.append(f"month {last} is closing")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1919247969)")
            Month.objects.create(starts_on=last, state="closing", closed_at=self.now)
        self.auditor.month_open = this

    # What is checked.

    def check(self, person: Person) -> None:
        """Compare somebody's pockets and holdings, and the rows of charges that are new."""
        compare_person(self.auditor, person.id)
        for charge in reversed(self.auditor.charges):
            if charge.id is not None:
                break
            learn_charge(charge)

    def audit(self) -> None:
        """Compare everything."""
        compare_everything(self.auditor)


def _shallow(answer: Any) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in answer.__dataclass_fields__}


def _answer(call: Callable[[], Any]) -> Any:
    """Return what the core answered, a refusal as the auditor writes it."""
    try:
        return call()
    except Problem as problem:
        return _refusal(problem)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Objection(f"the core broke: {error!r}") from error


def _refusal(problem: Problem) -> Refused:
    return Refused(problem.slug, tuple(sorted(problem.extra.items())))


def _bind(expected: dict[str, Any], actual: dict[str, Any]) -> None:
    """Take over the id of a session that is new."""
    session = expected.pop("session", None)
    if session is not None:
        if session.id is None:
            session.id = expected["id"] = actual["id"]
        expected["session"] = session


def _compare(name: str, expected: Any, actual: Any) -> None:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key, value in expected.items():
            if key != "session" and not _same(key, value, actual[key]):
                raise Objection(f"{name}: {key} is {actual[key]!r}, the auditor expects {value!r}")
    elif expected != actual:
        raise Objection(f"{name}: the answer is {actual!r}, the auditor expects {expected!r}")


def _same(key: str, expected: Any, actual: Any) -> bool:
    if key == "blocked" and isinstance(actual, Problem):
        return bool(expected == _refusal(actual))
    return bool(expected == actual)


def _break_connection() -> None:
    """Cut the wire: neither side says goodbye, and the server rolls back what was not committed."""
    wire = socket.socket(fileno=os.dup(connection.connection.pgconn.socket))
    wire.shutdown(socket.SHUT_RDWR)
    wire.close()
