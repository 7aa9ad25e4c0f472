"""The service as it runs for people, ways to break it, and people's programs that do not give up."""

import http.client
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from infra import serving
from infra.bench import ground, population
from infra.parts.child import Child
from infra.stack import Stack

# Listener 0 runs the profile of all works, and so pays for none of them.
CROWD, WORKS = range(1, 8), 40
LENA = 8
WEB_PROCESSES = 2
GIVES_UP_AFTER_SECONDS = 60


# Each finds rows that contradict each other, and so finds none.
DIFFERENCES = (
    """SELECT w.listener_id, w.balance_micros, w.promo_micros, e.balance, e.promo
         FROM playback_wallet w JOIN (
              SELECT listener_id, sum(balance_micros) balance, sum(promo_micros) promo
                FROM playback_wallet_entry GROUP BY 1) e USING (listener_id)
        WHERE (w.balance_micros, w.promo_micros) <> (e.balance, e.promo)""",
    """SELECT h.listener_id, h.work_id
         FROM playback_holding h LEFT JOIN (
              SELECT listener_id, work_id, sum(amount_micros) paid, sum(1::bigint << (play_number - 1)) plays
                FROM playback_charge WHERE reversal_id IS NULL GROUP BY 1, 2) c USING (listener_id, work_id)
        WHERE (h.paid_micros, h.paid_plays) IS DISTINCT FROM (c.paid, c.plays)""",
    """SELECT s.id, c.id
         FROM playback_session s FULL JOIN playback_charge c ON c.listener_id = s.listener_id AND c.session_id = s.id
        WHERE s.charge_id IS DISTINCT FROM c.id""",
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the service said, and how long it took."""

    status: int
    content: Any
    seconds: float


class House:
    """A durable stack with people and works in it, and the production server in front."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.web: Child | None = None
        with self.connect() as connection:
            people_it(connection)

    @property
    def port(self) -> int:
        return self.stack.web_port

    def connect(self) -> psycopg.Connection:
        return self.stack.postgres.connect(user=self.stack.postgres.owner, database=self.stack.postgres.database)

    def query(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(text, values).fetchall()

    def serve(self) -> Child:
        """Start the web server and wait until it answers; the one that runs is killed before."""
        self.kill_web()
        self.web = serving.start_web(self.stack, count=WEB_PROCESSES)
        ground.wait_for_answers(self.web, port=self.stack.web_port)
        return self.web

    def kill_web(self) -> None:
        """Kill every process of the web server at once."""
        if self.web is not None:
            self.web.kill()
            self.stack.children.remove(self.web)
            self.web = None

    def kill_oldest_web_process(self) -> None:
        """Kill one of the web server's processes; the others go on, and it is replaced."""
        assert self.web is not None
        os.kill(children_of(self.web.pid)[0], signal.SIGKILL)

    def kill_postgres(self) -> None:
        """Kill PostgreSQL and all its processes in the same instant, so that none can tidy up."""
        postmaster = self.stack.postgres.child
        os.kill(postmaster.pid, signal.SIGSTOP)
        for pid in children_of(postmaster.pid):
            os.kill(pid, signal.SIGKILL)
        postmaster.kill()


class Listener:
    """Somebody's program: it begins a session, charges it, and asks again until it has an answer."""

    def __init__(self, port: int, number: int) -> None:
        self.port = port
        self.number = number
        self.id = population.listener_id(number)
        self.charged: dict[str, dict[str, Any]] = {}
        self.answers: list[Answer] = []
        self.failures: list[str] = []
        self._turns = itertools.count()

    def ask(self, method: str, path: str, content: Any = None, *, timeout: float = 20) -> Answer:
        """Ask once, on a connection of its own. Raises OSError and HTTPException when there is no answer."""
        body = None if content is None else json.dumps(content).encode()
        return self._send(method, path, body, "application/json", timeout)

    def upload(self, file: Path) -> Answer:
        """Send in a file, once."""
        body = (
            f'--parting\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'.encode()
            + file.read_bytes()
            + b"\r\n--parting--\r\n"
        )
        return self._send("POST", "uploads", body, "multipart/form-data; boundary=parting", 20)

    def _send(self, method: str, path: str, body: bytes | None, kind: str, timeout: float) -> Answer:
        asked_at = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {population.token_of(self.number)}", "Content-Type": kind}
        try:
            connection.request(method, f"/api/v1/{path}", body, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        kind = response.headers.get("Content-Type", "")
        assert response.status == 204 or "json" in kind, (response.status, text[:500])
        answer = Answer(
            status=response.status, content=json.loads(text) if text else None, seconds=time.monotonic() - asked_at
        )
        self.answers.append(answer)
        return answer

    def insist(self, method: str, path: str, content: Any = None) -> Answer:
        """Ask until there is an answer that is not a fault of the service."""
        give_up_at = time.monotonic() + GIVES_UP_AFTER_SECONDS
        while True:
            try:
                answer = self.ask(method, path, content)
                if answer.status < 500:
                    return answer
                self.failures.append(f"{answer.status} {answer.content['type']}")
            except (OSError, http.client.HTTPException) as broken:
                self.failures.append(type(broken).__name__)
            assert time.monotonic() < give_up_at, f"no answer for {GIVES_UP_AFTER_SECONDS} s: {self.failures[-5:]}"
            time.sleep(0.05)

    def play(self) -> None:
        """Hear the next work to its end and pay for it."""
        work = str(population.work_id(next(self._turns) % WORKS))
        began = self.insist("POST", "sessions", {"work": work})
        assert began.status in (200, 201), began.content
        session, price = began.content["id"], began.content["price_micros"]
        paid = self.insist("POST", f"sessions/{session}/charge", {"price_micros": price})
        assert paid.status == 200, paid.content
        assert paid.content["charged_micros"] == price
        self.charged[session] = paid.content
        completed = {"position_seconds": population.SECONDS, "state": "completed"}
        assert self.insist("POST", f"sessions/{session}/progress", completed).status == 204

    def ask_everything_again(self) -> None:
        """Charge every session again: the recorded answer comes, word by word."""
        for session, answer in self.charged.items():
            again = self.insist("POST", f"sessions/{session}/charge", {"price_micros": answer["charged_micros"]})
            assert (again.status, again.content) == (200, answer), (again, answer)


@dataclass
class Crowd:
    """Listeners who play at the same time, each in a thread, until they are told to stop."""

    listeners: list[Listener]
    faults: list[BaseException] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def charges(self) -> int:
        """Return how many charges were acknowledged."""
        return sum(len(listener.charged) for listener in self.listeners)

    def wait_for(self, more: int) -> None:
        """Return once so many further charges were acknowledged."""
        wanted, give_up_at = self.charges + more, time.monotonic() + GIVES_UP_AFTER_SECONDS
        while self.charges < wanted:
            assert not self.faults, self.faults
            assert time.monotonic() < give_up_at, f"{self.charges} charges of {wanted}"
            time.sleep(0.01)

    def slowest(self, after: list[int] | None = None) -> float:
        """Return how many seconds the slowest answer took, of those after the first so many of each listener."""
        heard = zip(self.listeners, after or [0] * len(self.listeners), strict=True)
        return max(answer.seconds for listener, had in heard for answer in listener.answers[had:])

    @property
    def answered(self) -> list[int]:
        """Return how many answers each listener has had."""
        return [len(listener.answers) for listener in self.listeners]

    @contextmanager
    def playing(self) -> Iterator["Crowd"]:
        """Play while the block runs; then let everybody finish, and raise what went wrong for one of them."""
        threads = [threading.Thread(target=self._play, args=(one,)) for one in self.listeners]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        assert not self.faults, self.faults

    def _play(self, listener: Listener) -> None:
        try:
            while not self._stop.is_set():
                listener.play()
        except BaseException as fault:  # noqa: BLE001 - shown by the test that waits for this thread
            self.faults.append(fault)


def people_it(connection: psycopg.Connection) -> None:
    """Fill a database with listeners who have credit and a token, and works to hear."""
    population.make_people(connection, listeners=LENA + 1)
    population.make_works(connection, works=WORKS)
    population.make_sound(connection)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process started and that live."""
    return [int(word) for file in Path(f"/proc/{pid}/task").glob("*/children") for word in file.read_text().split()]


def audit(connection: psycopg.Connection) -> None:
    """Check in the database that money, holdings, sessions and charges say the same."""
    for differences in DIFFERENCES:
        assert connection.execute(differences).fetchall() == []


def check_everything(house: House, crowd: Crowd) -> None:
    """Check that what was acknowledged is there once, with the same answer, and that nothing else was charged.

    For sessions that only this crowd began.
    """
    for listener in crowd.listeners:
        listener.ask_everything_again()
        rows = house.query(
            "SELECT session_id::text, amount_micros, play_number, paid_after_micros, balance_after_micros"
            " FROM playback_charge WHERE listener_id = %s",
            listener.id,
        )
        found = {row[0]: row[1:] for row in rows}
        assert len(found) == len(rows), "a session was charged twice"
        for session, answer in listener.charged.items():
            said = ("charged_micros", "play_number", "paid_micros", "balance_micros")
            assert found[session] == tuple(answer[name] for name in said)
    with house.connect() as connection:
        audit(connection)
