"""Whole plays a second over HTTP: session, playlist, charge, playlist; and what one playlist costs in presigns.

    infra/bench/play [--rounds 5] [--seconds 4] [--processes 4]

A play is four requests of the production server, one after the other, as our page asks them: a session is begun and
quoted, its opening's playlist signed, the play charged, the whole playlist signed. Listeners and works are as in
infra/bench/charge, each pair plays once. The last line's ratio is against pgbench calling the bare charge function in
turn on the same database, so it says what share of the database's charges the four requests leave: with `charge ratio`
beside it, what the other three cost.

Then the playlist of a work of four minutes and of three hours, made for S3, is held against presigns of boto3: it
may cost at most seven, whatever its length, and the bench fails where it costs more.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

from infra import serving
from infra.bench import charging, ground, population
from infra.bench.charging import CONNECTIONS, DATABASE, HERE, ROOM, Range, Slice
from infra.parts.child import PartFailedError
from infra.stack import Stack

LISTENERS, WORKS = 20_000, 2_000
WARM_UP_SECONDS, WARM_UP_CHARGES, WARM_UP_PLAYS = 2, 40_000, 8_000
PRESIGNS_MOST = 7


class Stage(Range):
    """The range of infra/bench/charge, where works have sound and whole plays are begun as well."""

    def __init__(self, stack: Stack) -> None:
        """Make people and works; prepared sessions are of the first half of the works, plays of the other."""
        super().__init__(stack, listeners=LISTENERS, works=WORKS // 2)
        with self._connect() as connection:
            population.make_more_works(connection, first=WORKS // 2, works=WORKS)
            population.make_sound(connection)
        self._played = 0

    def plays(self, *, connections: int, seconds: int, most: int) -> Slice:
        """Play over HTTP for so long, at most so many plays."""
        before, half = self._charges(), WORKS // 2
        shots = self.stack.folder / "plays"
        with shots.open("w") as file:
            for number in range(self._played, self._played + most):
                # Each listener takes the works in turn, so that no pair of them comes twice.
                work = half + (number % LISTENERS + number // LISTENERS) % half
                file.write(f"{population.token_of(number % LISTENERS)} {population.work_id(work)}\n")
        self._played += most
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", HERE / "play.lua"]
        said = charging.run("wrk", *options, self.stack.base_url, "--", shots)
        figures = json.loads(said.strip().splitlines()[-1])
        if figures["refused"] or figures["broken"]:
            raise PartFailedError(f"not every request was answered as it should be:\n{said}")
        self._check(self._charges() - before, said=figures["plays"], most=most, under_way=2 * connections)
        rate = figures["plays"] * 1_000_000 / figures["micros"]
        return Slice(rate=rate, p50=figures["p50"] / 1000, p99=figures["p99"] / 1000)


def main() -> None:
    """Run the bench and print its figures; exit with 1 when a playlist costs too many presigns."""
    arguments = argparse.ArgumentParser(prog="infra/bench/play", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=4, help="how long a slice is")
    arguments.add_argument("--processes", type=int, default=serving.WEB_PROCESSES, help="of the web server")
    chosen = arguments.parse_args()
    if not shutil.which("wrk"):
        sys.exit("The load generator wrk is missing (Debian: apt-get install wrk).")
    presigns = _presigns()
    # Requests are counted as always, and none is refused for their number.
    os.environ["REFRAIN_THROTTLE_PER_MINUTE"] = str(10**9)
    with ground.laid(database=DATABASE) as stack:
        ratio = measure(stack, rounds=chosen.rounds, seconds=chosen.seconds, processes=chosen.processes)
    for seconds, found in presigns.items():
        print(f"the whole playlist of {int(seconds) // 60} minutes costs {found:.2f} presigns of boto3")
    print(f"play ratio {ratio:.4f}")
    sys.exit(max(presigns.values()) > PRESIGNS_MOST)


def measure(stack: Stack, *, rounds: int, seconds: int, processes: int) -> float:
    """Return the median over the rounds of plays over HTTP to pgbench's charges; print everything on the way."""
    print(f"Making {LISTENERS:,} listeners and {WORKS:,} works ...", flush=True)
    stage = Stage(stack)
    stage.prepare(WARM_UP_CHARGES)
    web = serving.start_web(stack, count=processes)
    ground.wait_for_answers(web, port=stack.web_port)
    direct = stage.pgbench(seconds=WARM_UP_SECONDS, most=WARM_UP_CHARGES).rate
    played = stage.plays(connections=CONNECTIONS, seconds=WARM_UP_SECONDS, most=WARM_UP_PLAYS).rate
    direct_most, played_most = (int(rate * seconds * ROOM) + 10_000 for rate in (direct, played))
    stage.prepare(rounds * direct_most)
    print(f"{CONNECTIONS} connections, {processes} web processes, {os.cpu_count()} cores for everything")
    print("round   pgbench charges/s   plays/s    ratio   a request: p50 ms   p99 ms", flush=True)
    ratios = []
    for turn in range(1, rounds + 1):
        straight = stage.pgbench(seconds=seconds, most=direct_most)
        plays = stage.plays(connections=CONNECTIONS, seconds=seconds, most=played_most)
        ratios.append(plays.rate / straight.rate)
        shown = f"{turn:5} {straight.rate:19,.0f} {plays.rate:9,.1f} {ratios[-1]:8.4f}"
        print(f"{shown} {plays.p50:19.1f} {plays.p99:8.1f}", flush=True)
    print(f"medians of {rounds} rounds; ratios from {min(ratios):.4f} to {max(ratios):.4f}")
    return statistics.median(ratios)


def _presigns() -> dict[str, float]:
    """Return what a playlist costs in presigns, by length in seconds: in a process with settings of its own."""
    found = subprocess.run(
        [sys.executable, "-m", "infra.bench.presigns"], check=True, capture_output=True, text=True
    ).stdout
    costs: dict[str, float] = json.loads(found)
    return costs


if __name__ == "__main__":
    main()
