"""Ballots a second over HTTP against pgbench calling the same function; then the count of what was cast.

    infra/bench/ballots [--members 100000] [--ballots 50000] [--rounds 5] [--processes 4]

Two votes with one roll are open on one database: into one, eight connections cast through the production server, with
a token each, the throttle and all middleware; into the other pgbench casts by `members_cast` alone. Slices take turns.
What is then missing to the ballots that were asked for comes over HTTP as well, without a pause; then that vote is
closed, counted and published, and recount.py counts it again in a Python of its own. Only ratios mean anything on
another machine.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5, sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg

from infra.bench import charging, ground, population, verifying
from infra.bench.charging import CONNECTIONS, DATABASE, HERE
from infra.parts.child import PartFailedError
from infra.parts.postgresql import BINARIES
from infra.serving import WEB_PROCESSES
from infra.stack import Stack

PROGRAM = Path(__file__).resolve().parents[2] / "members" / "static" / "members" / "recount.py"
SECONDS, WARM_UP_SECONDS, BARE_BALLOTS = 5, 3, 1_000
# Of what is missing after the rounds, each slice casts so long.
SLICE_SECONDS = 20
CLASSES = ("listener",) * 8 + ("creator", "worker")
OPENS_AFTER, LASTS = timedelta(days=7), timedelta(days=7)
TOKENS = (
    "INSERT INTO members_token (id, person_id, digest, name, scopes, created_at, expires_at)"
    " SELECT gen_random_uuid(), md5('listener ' || n)::uuid, digest, 'bench', '{vote}', moment,"
    " moment + interval '90 days' FROM minted, coop_now() moment"
)


@dataclass
class Office:
    """A process that announces and counts votes as the worker does, and says how long each took, in seconds."""

    line: Connection
    process: Any

    @classmethod
    def opened(cls, stack: Stack) -> "Office":
        """Start it."""
        context = multiprocessing.get_context("spawn")
        line, other = context.Pipe()
        process = context.Process(target=_serve, args=(other, stack.env()), daemon=True)
        process.start()
        return cls(line=line, process=process)

    def ask(self, *words: Any) -> Any:
        """Send words and wait for the answer."""
        self.line.send(words)
        return self.line.recv()


def _serve(line: Connection, env: dict[str, str]) -> None:
    """Announce and count. Runs in a process of its own, as the workers' role."""
    os.environ.update(env, DJANGO_SETTINGS_MODULE="infra.settings")
    import django  # noqa: PLC0415  (settings read the environment)

    django.setup()
    from members import clock  # noqa: PLC0415
    from members.voting import elections, tally, urns  # noqa: PLC0415

    weights = {"creator": 450_000, "listener": 350_000, "worker": 200_000}
    rules = tally.Rules(weights_ppm=weights, bars=tally.FOUNDING_BARS)
    while True:
        try:
            act, what = line.recv()
        except EOFError:
            return
        began = time.monotonic()
        now = clock.now()
        if act == "announce":
            roll = [(population.listener_id(number), CLASSES[number % len(CLASSES)]) for number in range(what)]
            said: Any = elections.announce(
                question_sha256="00" * 32,
                kind=tally.Kind.ORDINARY,
                rules=rules,
                opens_at=now + OPENS_AFTER,
                closes_at=now + OPENS_AFTER + LASTS,
                roll=roll,
                is_second_call=False,
                now=now,
            ).id
        elif act == "checkpoint":
            found = elections.checkpoint(election_id=what, now=now)
            said = found.document["checkpoint"]["count"] if found else 0
        else:
            turnout = urns.close(election_id=what, now=now).turnout
            row = elections.get(what)
            said = (turnout, row.bundle_key, row.bundle_bytes)
        line.send((said, time.monotonic() - began))


def main() -> None:
    """Run the bench and print its figures; exit with 1 when the count is not of what was cast."""
    arguments = argparse.ArgumentParser(prog="infra/bench/ballots", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--members", type=int, default=100_000)
    arguments.add_argument("--ballots", type=int, default=50_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--processes", type=int, default=WEB_PROCESSES, help="of the web server")
    asked = arguments.parse_args()
    if asked.members < asked.rounds * CONNECTIONS * BARE_BALLOTS:
        sys.exit(f"pgbench casts {CONNECTIONS * BARE_BALLOTS:,} ballots a round: so many members are needed for each.")
    if not shutil.which("wrk"):
        sys.exit("The load generator wrk is missing (Debian: apt-get install wrk).")
    # The throttle counts every request in Valkey, as always; it only refuses none of them.
    os.environ["REFRAIN_THROTTLE_PER_MINUTE"] = str(10**9)
    with ground.laid(database=DATABASE) as stack, tempfile.TemporaryDirectory() as folder:
        web = _web(stack, asked.processes)
        measure(stack, Path(folder), web, members=asked.members, ballots=asked.ballots, rounds=asked.rounds)


def measure(stack: Stack, folder: Path, server: list[str], *, members: int, ballots: int, rounds: int) -> None:
    """Cast, close and recount; print everything on the way."""
    with _connect(stack) as connection:
        _make_voters(connection, members)
    office = Office.opened(stack)
    (served, seconds), (bare, _) = office.ask("announce", members), office.ask("announce", members)
    print(f"announcing to {members:,} members: {seconds:.1f} s", flush=True)
    _move_clock(stack, OPENS_AFTER + timedelta(minutes=1))
    web = stack.run("Web server", server)
    ground.wait_for_answers(web, port=stack.web_port)
    # Who is asked in turn; where a slice ends, some requests were sent and never answered.
    asked = _wrk(stack, served, range(members), WARM_UP_SECONDS)["requests"] + 2 * CONNECTIONS
    ratios, before = [], _marks(stack, served)
    print("round   pgbench/s    http/s   ratio   p50 ms   p99 ms", flush=True)
    for turn in range(rounds):
        straight = _pgbench(stack, bare, turn * CONNECTIONS * BARE_BALLOTS, BARE_BALLOTS)
        figures = _wrk(stack, served, range(asked, members), SECONDS)
        asked += figures["requests"] + 2 * CONNECTIONS
        cast = _marks(stack, served) - before
        if not figures["requests"] <= cast <= figures["requests"] + 2 * CONNECTIONS:
            raise PartFailedError(f"{figures['requests']} answers, and {cast} ballots")
        before += cast
        rate = figures["requests"] * 1_000_000 / figures["micros"]
        ratios.append(rate / straight)
        shown = f"{turn + 1:5} {straight:11,.0f} {rate:9,.0f} {ratios[-1]:7.3f}"
        print(f"{shown} {figures['p50'] / 1000:8.1f} {figures['p99'] / 1000:8.1f}", flush=True)
    began, cast = time.monotonic(), 0
    while before + cast < ballots and asked < members:
        cast += (more := _wrk(stack, served, range(asked, members), SLICE_SECONDS)["requests"])
        asked += more + 2 * CONNECTIONS
    before = _marks(stack, served)
    print(f"{before:,} ballots came over HTTP, {cast:,} of them in one go: {cast / (time.monotonic() - began):,.0f}/s")
    named, seconds = office.ask("checkpoint", served)
    print(f"a checkpoint of {named:,} ballots: {seconds:.1f} s")
    _move_clock(stack, OPENS_AFTER + LASTS + timedelta(minutes=1))
    (turnout, key, size), seconds = office.ask("close", served)
    print(
        f"closing, counting and publishing {turnout:,} ballots of {members:,} members: {seconds:.1f} s, {size:,} bytes"
    )
    bundle = Path(stack.env()["REFRAIN_STORE_DIR"]) / key
    keys = verifying._keys(stack, folder)  # noqa: SLF001  (the same ground)
    recounting, megabytes = verifying._timed([str(PROGRAM), str(bundle), "--keys", str(keys)])  # noqa: SLF001
    reading, _ = verifying._timed(["-c", verifying.READ, str(bundle)])  # noqa: SLF001
    print(f"recount.py: {recounting:.1f} s, {recounting / reading:.1f} times unpacking and hashing, {megabytes} MB")
    print(f"ballots ratio {statistics.median(ratios):.3f}")
    sys.exit(not turnout >= before)


def _make_voters(connection: psycopg.Connection, members: int) -> None:
    with connection.transaction():
        connection.execute(population.PEOPLE, {"listeners": members})
        connection.execute("CREATE TEMP TABLE minted (n int, digest bytea) ON COMMIT DROP")
        with connection.cursor().copy("COPY minted FROM STDIN WITH (FORMAT binary)") as copy:
            copy.set_types(["int4", "bytea"])
            for number in range(members):
                copy.write_row((number, sha256(population.token_of(number).encode()).digest()))
        connection.execute(TOKENS)
    connection.execute("VACUUM ANALYZE")


def _web(stack: Stack, processes: int) -> list[str]:
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(stack.web_port), "--no-ws"]
    count = ["--workers", str(processes), "--blocking-threads", "1", "--log-level", "warning"]
    return [sys.executable, "-m", "granian", *options, *count, "infra.bench.ballot_site:application"]


def _pgbench(stack: Stack, election: Any, first: int, each: int) -> float:
    """Cast so many ballots from each of eight clients and return how many a second."""
    postgres = stack.postgres
    given = {"turn": -1, "first": first, "clients": CONNECTIONS, "election": election}
    defined = [word for name, value in given.items() for word in ("-D", f"{name}={value}")]
    options = ["-n", "-M", "prepared", "-c", CONNECTIONS, "-j", 2, "-t", each, *defined]
    where = ["-h", postgres.socket_folder, "-p", postgres.port, "-U", postgres.web_role, postgres.database]
    before = _marks(stack, election)
    said = charging.run(BINARIES / "pgbench", *options, "-f", HERE / "ballot.pgbench", *where)
    if _marks(stack, election) - before != CONNECTIONS * each:
        raise PartFailedError(f"not every call cast a ballot:\n{said}")
    return float(next(line.split()[2] for line in said.splitlines() if line.startswith("tps =")))


def _wrk(stack: Stack, election: Any, voters: range, seconds: int) -> dict[str, int]:
    """Cast over HTTP for some seconds, each ballot by another of these voters; return wrk's figures."""
    shots = stack.folder / "shots"
    with shots.open("w") as file:
        for number in voters:
            nonce = md5(f"nonce {number}".encode(), usedforsecurity=False).hexdigest()
            file.write(f"{population.token_of(number)} {nonce}\n")
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s", "-s", HERE / "ballot.lua"]
    said = charging.run("wrk", *options, stack.base_url, "--", election, shots)
    figures: dict[str, int] = json.loads(said.strip().splitlines()[-1])
    if figures["refused"] or figures["broken"]:
        raise PartFailedError(f"not every ballot was answered with a receipt:\n{said}")
    return figures


def _marks(stack: Stack, election: Any) -> int:
    """Return how many have voted, once no more come: wrk leaves while some are under way."""
    counts = [-1, -2]
    with _connect(stack) as connection:
        while counts[-1] != counts[-2]:
            time.sleep(charging.QUIET_SECONDS)
            asking = "SELECT count(*)::int FROM members_roll WHERE election_id = %s AND voted"
            counts += connection.execute(asking, [election]).fetchone() or ()
    return counts[-1]


def _move_clock(stack: Stack, by: timedelta) -> None:
    with _connect(stack) as connection:
        connection.execute("UPDATE members_coop SET clock_offset = %s", [by])


def _connect(stack: Stack) -> psycopg.Connection:
    return stack.postgres.connect(database=stack.postgres.database)


if __name__ == "__main__":
    main()
