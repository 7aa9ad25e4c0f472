"""`verify_bundle.py` on a month of charges, against reading and hashing the same files, all in plain Python.

    infra/bench/verify [--charges 10000000] [--works 100000] [--rounds 5]

The month is the one of `infra/bench/run`, closed as it is there. The program runs as a visitor runs it, in a Python of
its own; what it is compared with unpacks every file of the bundle and takes its SHA-256, which nobody who checks can do
without. Only the ratio means anything on another machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from infra.bench import ground, month_ground
from infra.stack import Stack

PROGRAM = Path(__file__).resolve().parents[2] / "royalties" / "static" / "royalties" / "verify_bundle.py"
READ = """
import hashlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as bundle:
    for name in bundle.namelist():
        digest = hashlib.sha256()
        with bundle.open(name) as file:
            while block := file.read(1 << 20):
                digest.update(block)
"""
PUBLISHED = "SELECT key, size_bytes, totals FROM royalties_publication WHERE month = %s"
MEGABYTES_MOST = 400


def main() -> None:
    """Run the bench and print its figures; exit with 1 when the month does not verify or the memory is too high."""
    arguments = argparse.ArgumentParser(prog="infra/bench/verify", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--charges", type=int, default=10_000_000)
    arguments.add_argument("--works", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=5)
    asked = arguments.parse_args()
    with ground.laid(database=month_ground.DATABASE) as stack:
        month_ground.fill(stack, charges=asked.charges, works=asked.works)
        worker = month_ground.Worker(stack)
        for words in ("begin", "sealed"):
            worker.ask(words)
        worker.stop()
        megabytes = measure(stack, rounds=asked.rounds)
    sys.exit(megabytes > MEGABYTES_MOST)


def measure(stack: Stack, *, rounds: int) -> int:
    """Verify the month that was closed on a ground, print the figures, and return the program's memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        ratio, megabytes = _measure(_bundle(stack), _keys(stack, Path(folder)), rounds=rounds)
    print(f"memory of the program: at most {megabytes} MB")
    print(f"verify ratio {ratio:.1f}")
    return megabytes


def _bundle(stack: Stack) -> Path:
    """Return where the month's bundle lies."""
    with month_ground.connect(stack) as connection:
        found = connection.execute(PUBLISHED, [month_ground.MONTH]).fetchone()
    assert found is not None
    key, size, totals = found
    print(f"{totals['groups']:,} groups, {totals['lines']:,} lines, {totals['listeners']:,} listeners: {size:,} bytes")
    return Path(stack.env()["REFRAIN_STORE_DIR"]) / key


def _keys(stack: Stack, folder: Path) -> Path:
    """Write the co-op's public key to a file, as its site gives it."""
    asking = "import django, json; django.setup(); from members import wellknown; print(json.dumps(wellknown.keys()))"
    env = {**os.environ, **stack.env(), "DJANGO_SETTINGS_MODULE": "infra.settings"}
    said = subprocess.run([sys.executable, "-c", asking], env=env, check=True, capture_output=True, text=True)
    file = folder / "refrain-keys.json"
    file.write_text(json.dumps(json.loads(said.stdout)))
    return file


def _measure(bundle: Path, keys: Path, *, rounds: int) -> tuple[float, int]:
    """Return the median over the rounds of the program to reading alone, and the most memory it had, in MB."""
    print("round    read ms  verify ms   ratio", flush=True)
    ratios, most = [], 0
    for turn in range(rounds + 1):
        reading, _ = _timed(["-c", READ, str(bundle)])
        verifying, megabytes = _timed([str(PROGRAM), str(bundle), "--keys", str(keys)])
        most = max(most, megabytes)
        if turn:  # The first reads the file into memory.
            ratios.append(verifying / reading)
            print(f"{turn:5} {1000 * reading:10,.0f} {1000 * verifying:10,.0f} {ratios[-1]:7.1f}", flush=True)
    return statistics.median(ratios), most


def _timed(arguments: list[str]) -> tuple[float, int]:
    """Run Python and return its seconds and the most memory it had, in MB. Fails if it does not answer 0."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-I", "-S", *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    assert status == 0, arguments
    return time.monotonic() - began, used.ru_maxrss // 1024


if __name__ == "__main__":
    main()
