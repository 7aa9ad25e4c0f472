"""A royalty run of a month of charges by two workers, against a bare `SELECT sum(amount_micros)` over the same rows.

    infra/bench/run [--charges 1000000 10000000] [--works 100000] [--rounds 5] [--lines-only]

The month is that of month_ground.py; postings sum by work and day, which a run adds up. A round asks for the bare sum,
then lets two workers gather groups and write the payees' lines, from `gathering` until the last share is lined. The
whole close is run once: posting before the rounds, and after them lines, plays by number and listeners, check, ledger,
statements, bundle and seal; then the bundle is verified. Of several numbers of charges each is measured on ground of
its own; the limits are of the last. Only the ratios mean anything on another machine.
"""

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, field

import psycopg

from infra.bench import ground, verifying
from infra.bench.month_ground import DATABASE, EARLIER_LINES, PAUSE_SECONDS, PAYEES, STEPS, Worker, connect, fill
from infra.stack import Stack

WORKERS = 2
LINES_RATIO_MOST, WHOLE_RATIO_MOST = 8, 150
MEGABYTES_MOST = 400

SUM = "SELECT sum(amount_micros) FROM playback_charge"
MADE = "SELECT (SELECT count(*) FROM royalties_group), (SELECT count(*) FROM royalties_line WHERE month > '2026-08-01')"


def main() -> None:
    """Run the bench and print its figures; exit with 1 when a ratio or the memory is too high."""
    arguments = argparse.ArgumentParser(prog="infra/bench/run", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--charges", type=int, nargs="+", default=[10_000_000])
    arguments.add_argument("--works", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--lines-only", action="store_true", help="leave the whole close out")
    asked = arguments.parse_args()
    measured = []
    for charges in asked.charges:
        with ground.laid(database=DATABASE) as stack:
            fill(stack, charges=charges, works=asked.works)
            measured.append(measure(stack, charges=charges, rounds=asked.rounds, whole=not asked.lines_only))
    last = measured[-1]
    print("charges       sum s   lines s   close s")
    for one in measured:
        print(f"{one.charges:10,} {one.sum_seconds:8.3f} {one.lines_seconds:9.2f} {one.close_seconds:9.2f}")
    if not asked.lines_only:
        print(f"whole close ratio {last.close_ratio:.1f}")
    print(f"lines ratio {last.lines_ratio:.2f}")
    print(f"run ratio {last.lines_ratio:.2f}")
    is_good = last.lines_ratio <= LINES_RATIO_MOST and last.close_ratio <= WHOLE_RATIO_MOST
    sys.exit(not is_good or any(one.megabytes > MEGABYTES_MOST for one in measured))


@dataclass(kw_only=True)
class Measured:
    """What a month of so many charges took: medians of the rounds in seconds, and the whole close if it was run."""

    charges: int
    sums: list[float] = field(default_factory=list)
    lines: list[float] = field(default_factory=list)
    close_seconds: float = 0.0
    megabytes: int = 0

    @property
    def sum_seconds(self) -> float:
        """Return what the bare sum takes."""
        return statistics.median(self.sums)

    @property
    def lines_seconds(self) -> float:
        """Return what the money lines take."""
        return statistics.median(self.lines)

    @property
    def lines_ratio(self) -> float:
        """Return how many times the bare sum of the same round the lines take."""
        return statistics.median(lines / bare for lines, bare in zip(self.lines, self.sums, strict=True))

    @property
    def close_ratio(self) -> float:
        """Return how many bare sums the whole close takes."""
        return self.close_seconds / self.sum_seconds


def measure(stack: Stack, *, charges: int, rounds: int, whole: bool) -> Measured:
    """Measure the lines beside the bare sum in each round, then the whole close; print everything on the way."""
    workers = [Worker(stack) for _ in range(WORKERS)]
    workers[0].ask("begin")
    measured = Measured(charges=charges)
    began = time.monotonic()
    _let_work(stack, workers[:1], until="gathering")
    posting = time.monotonic() - began
    print("round    sum ms   lines ms   ratio", flush=True)
    for turn in range(rounds + 1):
        bare = _bare_sum(stack)
        _begin_at(stack, "gathering")
        took = _let_work(stack, workers, until="counting")
        if not turn:
            continue  # The first reads everything into memory.
        measured.sums.append(bare)
        measured.lines.append(took)
        print(f"{turn:5} {1000 * bare:9,.0f} {1000 * took:10,.0f} {took / bare:7.2f}", flush=True)
    with connect(stack) as connection:
        made = connection.execute(MADE).fetchone()
    print(f"{made[0]:,} groups, {made[1]:,} lines")  # type: ignore[index]
    if whole:
        print(f"  {'posting':11} {posting:8.2f} s   {posting / measured.sum_seconds:7.1f} x")
        measured.close_seconds = posting + _run_rest(stack, workers, bare=measured.sum_seconds)
        verifying.measure(stack, rounds=2)
    measured.megabytes = max(worker.megabytes() for worker in workers)
    print(f"unshared memory of a worker: at most {measured.megabytes} MB")
    for worker in workers:
        worker.stop()
    return measured


def _run_rest(stack: Stack, workers: list[Worker], *, bare: float) -> float:
    """Run the close from gathering on, printing each step; return how many seconds it took."""
    _begin_at(stack, STEPS[1])
    began = time.monotonic()
    for step, following in zip(STEPS[1:], [*STEPS[2:], "sealed"], strict=True):
        took = _let_work(stack, workers if step in SHARED else workers[:1], until=following)
        print(f"  {step:11} {took:8.2f} s   {took / bare:7.1f} x", flush=True)
    return time.monotonic() - began


SHARED = ("lining", "counting", "stating")


def _let_work(stack: Stack, workers: list[Worker], *, until: str) -> float:
    """Let all workers take turns until the run is there; return how many seconds it took.

    Asked is the run itself: a worker may have begun with a share of the next step before it looks.
    """
    began = time.monotonic()
    for worker in workers:
        worker.line.send(until)
    with connect(stack) as connection:
        while not _is_there(connection, until):
            time.sleep(PAUSE_SECONDS)
    took = time.monotonic() - began
    for worker in workers:
        worker.line.recv()
    return took


def _is_there(connection: psycopg.Connection, step: str) -> bool:
    found = connection.execute("SELECT step, state FROM royalties_run").fetchone()
    assert found is not None
    assert found[1] != "stuck"
    return found[1] == "sealed" if step == "sealed" else STEPS.index(found[0]) >= STEPS.index(step)


def _begin_at(stack: Stack, step: str) -> None:
    """Put the run before a step, with nothing written."""
    with connect(stack) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("TRUNCATE royalties_line, royalties_group")
        connection.execute(EARLIER_LINES, {"payees": PAYEES})
        connection.execute("UPDATE royalties_run SET step = %s", [step])
        connection.execute("UPDATE royalties_runshard SET state = 'waiting'")


def _bare_sum(stack: Stack) -> float:
    with connect(stack) as connection:
        began = time.monotonic()
        connection.execute(SUM).fetchone()
        return time.monotonic() - began


if __name__ == "__main__":
    main()
