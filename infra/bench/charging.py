"""Charges a second over HTTP through the production server, against pgbench calling the same function.

    infra/bench/charge [--rounds 5] [--seconds 4] [--processes 4]

Every request looks its token up, is counted by the throttle, passes all middleware, and charges a session of its own,
prepared outside the clock: 100 000 listeners and as many works, drawn uniformly. Slices of both take turns on one
database, so that whatever else the machine does, does it to both. Only the ratio means anything on another machine.
"""

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from infra import serving
from infra.bench import ground, population
from infra.parts.child import PartFailedError
from infra.parts.postgresql import BINARIES
from infra.stack import Stack

HERE = Path(__file__).resolve().parent
LISTENERS = WORKS = 100_000
CONNECTIONS, MANY_CONNECTIONS = 8, 64
RATIO_LEAST = 0.20
WARM_UP_SECONDS, WARM_UP_SESSIONS = 2, 40_000
# A figure of a slice may exceed that of the warm-up by so much before it runs out of sessions.
ROOM = 2
QUIET_SECONDS = 0.5
# All in memory, and no checkpoint in the middle of a slice; every promise on a crash is kept.
DATABASE = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "jit": "off"}


@dataclass(frozen=True, kw_only=True)
class Slice:
    """What one slice of time gave: charges a second, and for HTTP how long an answer took, in milliseconds."""

    rate: float
    p50: float = 0.0
    p99: float = 0.0


class Range:
    """Where the bench shoots: a stack full of prepared sessions, of which each is charged once."""

    def __init__(self, stack: Stack, *, listeners: int = LISTENERS, works: int = WORKS) -> None:
        self.stack, self.listeners = stack, listeners
        self._drawn = population.sittings(listeners=listeners, works=works)
        self._made = self._next = 0
        with self._connect() as connection:
            population.make_people(connection, listeners=listeners)
            # Nobody searches here: the words of each work are not gathered. Only a superuser may leave triggers aside.
            connection.execute("SET session_replication_role = replica")
            population.make_works(connection, works=works)

    def prepare(self, sessions: int) -> None:
        """Make so many further sessions, and let the database know its tables as they are now.

        Without that, plans made while there was no charge at all would be kept and slow everything down.
        """
        with self._connect() as connection:
            population.make_sessions(connection, itertools.islice(self._drawn, sessions))
        self._made += sessions
        with self.stack.postgres.connect(database=self.stack.postgres.database) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def pgbench(self, *, seconds: int, most: int) -> Slice:
        """Call the function for so long, from eight clients, with at most so many sessions."""
        first, postgres, before = self._take(most), self.stack.postgres, self._charges()
        given = {"turn": -1, "first": first, "clients": CONNECTIONS, "listeners": self.listeners}
        words = [f"{name}={value}" for name, value in (given | {"price": population.PRICE_MICROS}).items()]
        options = ["-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "2", "-T", str(seconds)]
        where = [
            "-h",
            postgres.socket_folder,
            "-p",
            str(postgres.port),
            "-U",
            postgres.web_role,
            postgres.database,
        ]
        defined = [word for pair in words for word in ("-D", pair)]
        said = run(BINARIES / "pgbench", *options, *defined, "-f", HERE / "charge.pgbench", *where)
        rate = next(line.split()[2] for line in said.splitlines() if line.startswith("tps ="))
        done = next(line.split()[-1] for line in said.splitlines() if "actually processed" in line)
        self._check(self._charges() - before, said=int(done.split("/")[0]), most=most, under_way=0)
        return Slice(rate=float(rate))

    def http(self, *, connections: int, seconds: int, most: int) -> Slice:
        """Charge over HTTP for so long, with at most so many sessions."""
        first, before = self._take(most), self._charges()
        shots = self.stack.folder / "shots"
        with shots.open("w") as file:
            for number in range(first, first + most):
                token = population.token_of(population.listener_of_session(number, listeners=self.listeners))
                file.write(f"{token} {population.session_id(number)}\n")
        options = [
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "20s",
            "-s",
            HERE / "charge.lua",
        ]
        said = run("wrk", *options, self.stack.base_url, "--", shots, str(population.PRICE_MICROS))
        figures = json.loads(said.strip().splitlines()[-1])
        if figures["refused"] or figures["broken"]:
            raise PartFailedError(f"not every request was answered with a charge:\n{said}")
        self._check(self._charges() - before, said=figures["requests"], most=most, under_way=connections)
        rate = figures["requests"] * 1_000_000 / figures["micros"]
        return Slice(rate=rate, p50=figures["p50"] / 1000, p99=figures["p99"] / 1000)

    def _connect(self) -> psycopg.Connection:
        return self.stack.postgres.connect(database=self.stack.postgres.database)

    def _take(self, most: int) -> int:
        first, self._next = self._next, self._next + most
        assert self._next <= self._made, "more sessions are asked for than were prepared"
        return first

    def _charges(self) -> int:
        """Return how many charges there are once no more come: wrk leaves while some are under way."""
        with self._connect() as connection:
            counts = [-1, -2]
            while counts[-1] != counts[-2]:
                time.sleep(QUIET_SECONDS)
                counts += connection.execute("SELECT count(*)::int FROM playback_charge").fetchone() or ()
        return counts[-1]

    def _check(self, charges: int, *, said: int, most: int, under_way: int) -> None:
        """Raise unless every call that was counted made a charge of its own."""
        if not said <= charges <= said + under_way:
            raise PartFailedError(f"{said} calls were counted, and {charges} charges were made")
        if charges >= most:
            raise PartFailedError(f"the {most} sessions of a slice did not last; this machine is faster than it began")


def main() -> None:
    """Run the bench and print its figures; exit with 1 when the ratio is too low."""
    arguments = argparse.ArgumentParser(prog="infra/bench/charge", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=4, help="how long a slice is")
    arguments.add_argument("--processes", type=int, default=serving.WEB_PROCESSES, help="of the web server")
    chosen = arguments.parse_args()
    if not shutil.which("wrk"):
        sys.exit("The load generator wrk is missing (Debian: apt-get install wrk).")
    # The throttle counts every request in Valkey, as always; it only refuses none of them.
    os.environ["REFRAIN_THROTTLE_PER_MINUTE"] = str(10**9)
    with ground.laid(database=DATABASE) as stack:
        ratio = measure(stack, rounds=chosen.rounds, seconds=chosen.seconds, processes=chosen.processes)
    print(f"charge ratio {ratio:.3f}")
    sys.exit(ratio < RATIO_LEAST)


def measure(stack: Stack, *, rounds: int, seconds: int, processes: int) -> float:
    """Return the median over the rounds of HTTP's charges to pgbench's; print everything on the way."""
    print(f"Making {LISTENERS:,} listeners and {WORKS:,} works ...", flush=True)
    field = Range(stack)
    field.prepare(2 * WARM_UP_SESSIONS)
    web = serving.start_web(stack, count=processes)
    ground.wait_for_answers(web, port=stack.web_port)
    direct = field.pgbench(seconds=WARM_UP_SECONDS, most=WARM_UP_SESSIONS).rate
    served = field.http(connections=CONNECTIONS, seconds=WARM_UP_SECONDS, most=WARM_UP_SESSIONS).rate
    direct_most, served_most = (int(rate * seconds * ROOM) + 10_000 for rate in (direct, served))
    sessions = rounds * (direct_most + 2 * served_most)
    print(f"Preparing {sessions:,} sessions ...", flush=True)
    field.prepare(sessions)
    print(f"{CONNECTIONS} connections, {processes} web processes, {os.cpu_count()} cores for everything")
    print("round   pgbench/s    http/s   ratio   p50 ms   p99 ms   |  at 64: http/s   p50 ms   p99 ms", flush=True)
    ratios, many = [], []
    for turn in range(1, rounds + 1):
        straight = field.pgbench(seconds=seconds, most=direct_most)
        few = field.http(connections=CONNECTIONS, seconds=seconds, most=served_most)
        many.append(field.http(connections=MANY_CONNECTIONS, seconds=seconds, most=served_most))
        ratios.append(few.rate / straight.rate)
        shown = f"{turn:5} {straight.rate:11,.0f} {few.rate:9,.0f} {ratios[-1]:7.3f} {few.p50:8.1f} {few.p99:8.1f}"
        print(f"{shown}   |  {many[-1].rate:14,.0f} {many[-1].p50:8.1f} {many[-1].p99:8.1f}", flush=True)
    counted = redis.Redis.from_url(f"{stack.valkey.url}/0").dbsize()
    assert counted, "the throttle counted nothing in Valkey"
    print(
        f"medians of {rounds} rounds; ratios from {min(ratios):.3f} to {max(ratios):.3f}; {counted} throttle counters"
    )
    return statistics.median(ratios)


def run(*command: object) -> str:
    """Run a program and return what it said. Raises PartFailedError when it failed."""
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise PartFailedError(f"{command[0]} ended with {ran.returncode}.\n{ran.stdout}{ran.stderr}")
    return ran.stdout


if __name__ == "__main__":
    main()
