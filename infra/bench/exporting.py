"""A library packed by the worker, against a plain zip of the same files on the same disk.

    infra/bench/export [--works 1000] [--rounds 5]

Lena owns so many works, whose downloads are made: pieces of real music of some 20 s, each with a cover. A round asks
for the zip over the API and looks every 20 ms until it is ready: queue, worker, certificates, lists, pages, checksums
and the way into the store are all in it. Beside it Python's zipfile stores the same files in a zip, as `zip -0` does,
which is told too where there is one. Only the ratio means anything on another machine.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from catalog import sandbox
from infra import serving
from infra.bench import ground
from infra.stack import Stack
from infra.throwaway import manage

ROOT = Path(__file__).resolve().parents[2]
MUSIC = ROOT / "infra" / "demonstration" / "works" / "maxstack-nebula.opus"
PIECES, SECONDS = 10, 20
LOOK_SECONDS = 0.02
LOOK = "SELECT state, works, packed FROM playback_libraryexport WHERE id = %s"
PLAINLY = """import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for line in sys.stdin:
        archive.write(line.strip())
"""
POPULATION = """
import hashlib, json, uuid
from datetime import timedelta
from allauth.account.models import EmailAddress
from catalog.models import Creator, Download, Rendition, Upload, Work
from members import clock
from members.models import Person
from playback.models import Holding
now = clock.now()
pieces = json.loads(PIECES)
lena = Person.objects.create_user("lena@bench.example", None, name="Lena")
EmailAddress.objects.create(user=lena, email=lena.email, verified=True, primary=True)
creators = [Creator.objects.create(slug=f"bench-{n}", name=f"Bench {n}") for n in range(20)]
for n in range(WORKS):
    piece = pieces[n % len(pieces)]
    work = Work.objects.create(creator=creators[n % 20], kind="track", title=f"Work {n:05}", state="published",
        duration_ms=SECONDS * 1000, lossless=True, created_at=now, published_at=now)
    upload = Upload.objects.create(person=lena, creator=work.creator, work=work, state="ready", percent=100,
        filename="x.flac", size_bytes=piece["size"], sha256=hashlib.sha256(str(n).encode()).hexdigest(), kind="flac",
        found={"lossless": True}, original_key=f"originals/{uuid.uuid4()}", created_at=now, finished_at=now)
    Rendition.objects.create(work=work, kind="cover", prefix=f"renditions/{n}/", size_bytes=900, created_at=now,
        layout={"file": "cover.svg", "width": 600, "height": 600, "content_type": "image/svg+xml"})
    Download.objects.create(work=work, upload=upload, format="flac", fingerprint="0" * 64, state="ready", percent=100,
        key=f"downloads/{n}/file.flac", filename=f"{work.creator.name} - {work.title}.flac", content_type="audio/flac",
        size_bytes=piece["size"], sha256=piece["sha256"], asked_at=now, finished_at=now)
    Holding.objects.create(listener=lena, work=work, price_micros=1022000, plays=9, growth_num=2, growth_den=1,
        pricing_version=1, cap_micros=1022000, paid_micros=1022000, owned_at=now - timedelta(seconds=n))
"""


def main() -> None:
    """Run the bench and print its figures."""
    arguments = argparse.ArgumentParser(prog="infra/bench/export", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--works", type=int, default=1_000)
    arguments.add_argument("--rounds", type=int, default=5)
    asked = arguments.parse_args()
    with ground.laid() as stack:
        files = _lay_out(stack, works=asked.works)
        ratio = _measure(stack, files=files, rounds=asked.rounds)
    print(f"export ratio {ratio:.2f}")


def _lay_out(stack: Stack, *, works: int) -> list[Path]:
    """Make the library, its files in the store, and start the service; return the files."""
    store = Path(stack.env()["REFRAIN_STORE_DIR"])
    music = stack.folder / "music"
    music.mkdir()
    print(f"Making a library of {works} works ...", flush=True)
    pieces = [_cut(music / f"{n}.flac", start=n * 5) for n in range(PIECES)]
    cover = music / "cover.svg"
    cover.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>' * 9)
    files = []
    for n in range(works):
        # Copies, not links: each file of a library lies in its own place on the disk.
        file = store / f"downloads/{n}/file.flac"
        file.parent.mkdir(parents=True)
        shutil.copy(pieces[n % PIECES][0], file)
        shown = store / f"renditions/{n}/cover.svg"
        shown.parent.mkdir(parents=True)
        shutil.copy(cover, shown)
        files += [file, shown]
    told = json.dumps([{"size": path.stat().st_size, "sha256": digest} for path, digest in pieces])
    program = POPULATION.replace("PIECES", repr(told)).replace("WORKS", str(works)).replace("SECONDS", str(SECONDS))
    manage(stack, "shell", "-c", program, as_owner=True)
    web = serving.start_web(stack)
    serving.start_worker(stack)
    ground.wait_for_answers(web, port=stack.web_port)
    return files


def _cut(path: Path, *, start: int) -> tuple[Path, str]:
    """Cut a piece of music and return it with its SHA-256."""
    command: list[str | Path] = [
        sandbox.program("ffmpeg"),
        "-nostdin",
        "-v",
        "error",
        "-ss",
        str(start),
        "-t",
        str(SECONDS),
        "-i",
        MUSIC,
    ]
    subprocess.run(
        [*command, "-map_metadata", "-1", "-ac", "2", "-sample_fmt", "s16", "-ar", "44100", path], check=True
    )
    summed = subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True)
    return path, summed.stdout.split()[0]


def _measure(stack: Stack, *, files: list[Path], rounds: int) -> float:
    token = manage(stack, "token", "lena@bench.example", "--scope", "listen", as_owner=True).strip()
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    print(f"{len(files) // 2} works, {megabytes:.0f} MB", flush=True)
    print("round   zipfile s   zip -0 s   ours s   ratio", flush=True)
    taken: list[tuple[float, float, float]] = []
    for turn in range(rounds + 1):
        plain = _timed(lambda: _zipped(stack.folder / "plain.zip", files))
        bare = _timed(lambda: _zip_0(stack.folder / "bare.zip", files)) if shutil.which("zip") else float("nan")
        ours = _timed(lambda: _packed(stack, token))
        if turn:  # the first round warms caches and is not counted
            taken.append((plain, bare, ours))
            print(f"{turn:5} {plain:11.2f} {bare:10.2f} {ours:8.2f} {ours / plain:7.2f}", flush=True)
    plain, bare, ours = (statistics.median(column) for column in zip(*taken, strict=True))
    print(f"medians of {rounds} rounds: zipfile {plain:.2f} s, zip -0 {bare:.2f} s, ours {ours:.2f} s")
    print(f"{megabytes / ours:.0f} MB a second, {1000 * ours / (len(files) // 2):.1f} ms a work")
    return statistics.median(ours / plain for plain, _, ours in taken)


def _timed(work: Callable[[], None]) -> float:
    # What the round before left to be written must not be waited for in this one.
    os.sync()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _zipped(path: Path, files: list[Path]) -> None:
    path.unlink(missing_ok=True)
    names = "\n".join(map(str, files))
    subprocess.run([sys.executable, "-c", PLAINLY, path], input=names, text=True, check=True)
    assert zipfile.is_zipfile(path)


def _zip_0(path: Path, files: list[Path]) -> None:
    path.unlink(missing_ok=True)
    subprocess.run(["zip", "-0", "-q", path, "-@"], input="\n".join(map(str, files)), text=True, check=True)


def _packed(stack: Stack, token: str) -> None:
    request = urllib.request.Request(  # noqa: S310  (an address of our own server)
        f"{stack.base_url}/api/v1/library/exports",
        data=b'{"format": "flac"}',
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        export = json.loads(answer.read())["id"]
    # Looked for past the API, which would refuse somebody who asks fifty times a second.
    with stack.postgres.connect(user=stack.postgres.owner, database=stack.postgres.database) as connection:
        while True:
            found = connection.execute(LOOK, [export]).fetchone()
            assert found is not None
            state, works, packed = found
            connection.commit()
            if state not in ("waiting", "packing"):
                break
            time.sleep(LOOK_SECONDS)
    assert (state, packed) == ("ready", works), found


if __name__ == "__main__":
    main()
