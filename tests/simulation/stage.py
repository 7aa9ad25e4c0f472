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
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from catalog.models import Work
from members import clock, policies
from members.models import Person
from members.problems import Problem
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
    """One life: a clock, a gateway, the auditor's books, and how an act is played and checked."""

    auditing: type[Auditor] = Auditor

    def __init__(self, *, begins: datetime, vat_ppm: int) -> None:
        self.now = begins
        self.vat_ppm = vat_ppm
        self.crash: str | None = None
        self.seen: Any = None
        self.journal: list[str] = []
        # Acts that belong to others: a life is as long as it is without them.
        self.not_counted = 0
        self._set_at = -RUNS_ON
        self.gateway = Gateway()
        founding = {key: [(policies.FOUNDED_AT, dict(policies.registered(key).founding))] for key in policies.names()}
        self.auditor = self.auditing(zone=settings.COOP_TIME_ZONE, policies=founding)
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
        expected, actual = ruling(), answer_of(call)
        self.seen = actual
        if isinstance(expected, dict) and isinstance(actual, dict):
            _bind(expected, actual)
        _compare(name, expected, actual)
        return expected

    def _lose(self, call: Callable[[], Any], *, committed: bool) -> None:
        with suppress(ConnectionLost, DatabaseError):
            if committed:
                answer_of(call)
                _break_connection()
            else:
                with transaction.atomic():
                    answer_of(call)
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
        return self._know(made, owner, editor)

    def photo(self, owner: Person, *, price_micros: int | None = None) -> Work:
        """Publish a photo of a new profile."""
        return self._know(cast.photo(cast.creator(owner), price_micros=price_micros, now=self.now), owner)

    def release(self, owner: Person, *works: tuple[str, int | None]) -> tuple[rules.Id, list[Work]]:
        """Publish a release of tracks and photos at these prices, of a new profile; return it and its works."""
        by = cast.creator(owner)
        release = cast.release(by)
        make = {"track": cast.track, "photo": cast.photo}
        made = [
            self._know(make[kind](by, price_micros=price, release=release, position=n, now=self.now), owner)
            for n, (kind, price) in enumerate(works)
        ]
        self.auditor.releases[release.id] = [work.id for work in made]
        return release.id, made

    def _know(self, made: Work, owner: Person, editor: Person | None = None) -> Work:
        """Tell the auditor of a work."""
        pieces = cast.layout((made.duration_ms or 0) * 1_000)["segments"] if made.duration_ms else []
        self.auditor.works[made.id] = rules.Work(
            managers={owner.id, *([editor.id] if editor else [])},
            sheets=[rules.Sheet(1, self.now, [(owner.id, 1_000_000)])],
            figure=made.price_micros,
            duration_ms=made.duration_ms or 0,
            pieces_ms=[piece["micros"] // 1000 for piece in pieces],
            kind=made.kind,
            owner=owner.id,
            editors=[editor.id] if editor else [],
        )
        self.works.append(made)
        return made

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


def answer_of(call: Callable[[], Any]) -> Any:
    """Return what the core answered, a refusal as the auditor writes it."""
    try:
        return call()
    except Problem as problem:
        return _refusal(problem)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Objection(f"the core broke: {error!r}") from error


def _refusal(problem: Problem) -> Refused:
    # What a form says beside a field is words; the auditor holds figures, and the version of a policy that bound.
    extra = {name: value for name, value in problem.extra.items() if name not in {"fields", "figures"}}
    if (cited := extra.get("policy")) is not None:
        if cited["href"] != f"/policies/{cited['key']}#v{cited['seq']}":
            raise Objection(f"a refusal names {cited}")
        extra["policy"] = (cited["key"], cited["seq"])
    return Refused(problem.slug, tuple(sorted(extra.items())))


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
    if key == "playlist_until" and expected.second:
        # Of a photo's charge, at the database's own moment within the minute.
        return bool(abs(actual - expected) < timedelta(seconds=30))
    return bool(expected == actual)


def _break_connection() -> None:
    """Cut the wire: neither side says goodbye, and the server rolls back what was not committed."""
    wire = socket.socket(fileno=os.dup(connection.connection.pgconn.socket))
    wire.shutdown(socket.SHUT_RDWR)
    wire.close()
