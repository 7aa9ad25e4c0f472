"""The whole machine stops, as if somebody pulled its plug, and the demo is started again on what it left."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from infra import throwaway
from infra.bench import population
from infra.demonstration.run import PASSWORD
from infra.parts.child import free_port
from infra.stack import Stack
from tests.faults.house import LENA, Listener, audit, children_of, people_it

pytestmark = pytest.mark.xdist_group("faults")

ROOT = Path(__file__).resolve().parents[2]
STARTS_WITHIN_SECONDS = 240


class Machine:
    """`infra/demo` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.said = folder.with_suffix(".log")
        self._demo: subprocess.Popen[bytes] | None = None

    def switch_on(self) -> None:
        command = [sys.executable, "-m", "infra.demonstration.run", "--data", self.folder, "--port", str(self.port)]
        # Not a sign of the stack under the other tests may reach the demo.
        env = {name: value for name, value in os.environ.items() if not name.startswith(("REFRAIN_", "DJANGO_"))}
        with self.said.open("ab") as log:
            self._demo = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)

    def wait_until_it_says(self, words: str) -> None:
        give_up_at = time.monotonic() + STARTS_WITHIN_SECONDS
        while words not in self.said.read_text():
            assert self._demo is not None
            assert self._demo.poll() is None, self.said.read_text()
            assert time.monotonic() < give_up_at, self.said.read_text()
            time.sleep(0.05)

    def pull_the_plug(self) -> None:
        """Kill everything that runs in it; the first is stopped before, so that it cannot tidy up."""
        if self._demo is None:
            return
        os.kill(self._demo.pid, signal.SIGSTOP)
        for pid in (*descendants_of(self._demo.pid), self._demo.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._demo.wait()
        self._demo = None
        self.said.write_text("")

    def connect(self) -> psycopg.Connection:
        env = json.loads((self.folder / "stack.json").read_text())
        return psycopg.connect(
            host=env["REFRAIN_DB_HOST"],
            port=env["REFRAIN_DB_PORT"],
            dbname=env["REFRAIN_DB_NAME"],
            user=env["REFRAIN_DB_OWNER"],
            autocommit=True,
        )


def descendants_of(pid: int) -> list[int]:
    return [one for child in children_of(pid) for one in (child, *descendants_of(child))]


@pytest.fixture
def machine() -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="refrain-machine-"))
    folder.chmod(0o711)
    made = Machine(folder / "demo")
    throwaway.furnish(Stack(made.folder, mode="demo"))
    yield made
    made.pull_the_plug()
    shutil.rmtree(folder, ignore_errors=True)


def test_it_goes_on_where_it_was(machine: Machine) -> None:
    machine.switch_on()
    # The plug is pulled while the demo is being filled: people are there, and the worker has its hands full.
    machine.wait_until_it_says("the worker has taken in")
    with machine.connect() as connection:
        connection.execute("UPDATE members_coop SET clock_offset = interval '0'")  # the filling begins months ago
        people_it(connection)
    lena = Listener(machine.port, LENA)
    for _ in range(5):
        lena.play()
    unpaid = lena.insist("POST", "sessions", {"work": str(population.work_id(5))}).content
    machine.pull_the_plug()

    machine.switch_on()
    machine.wait_until_it_says("\nready ")
    assert lena.failures == []
    lena.ask_everything_again()
    with machine.connect() as connection:
        charges = "SELECT session_id::text, amount_micros FROM playback_charge WHERE listener_id = %s"
        assert dict(connection.execute(charges, [lena.id]).fetchall()) == dict.fromkeys(lena.charged, 2000)
        audit(connection)

    # Playing goes on: the session that was begun before is paid now, and its sound is listed whole.
    paid = lena.insist("POST", f"sessions/{unpaid['id']}/charge", {"price_micros": 2000}).content
    assert (paid["charged_micros"], paid["balance_micros"]) == (2000, population.CREDIT_CENTS * 10_000 - 6 * 2000)
    playlist = requests.get(paid["playlist_url"], timeout=20)
    assert (playlist.status_code, playlist.text.count("#EXTINF")) == (200, population.SECONDS // 5)

    # Whoever is one of the demo's people signs in as before.
    site, visit = f"http://127.0.0.1:{machine.port}", requests.Session()
    form = visit.get(f"{site}/accounts/login/", timeout=20).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token is not None
    said = {"login": "lena@demo.example", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
    arrived = visit.post(f"{site}/accounts/login/", data=said, headers={"Referer": site}, timeout=20)
    assert (arrived.status_code, arrived.url) == (200, f"{site}/")
    assert visit.get(f"{site}/wallet", timeout=20, allow_redirects=False).status_code == 200
