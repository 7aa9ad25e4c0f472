"""A hundred recordings through the whole pipeline, against bare ffmpeg making the same renditions on the same cores.

    infra/bench/bulk [--files 100] [--rounds 5] [--seconds 30]

The files are shared out over the rounds. A round sends its part over HTTP in pieces, as the upload's page does, and
looks until each is a draft: transfers, queue, worker, tags, checks, database and store are all in it. Beside it the
same files go through ffmpeg alone, with the very arguments and niceness that the ingest gives it, as many at once as
the worker has processes. Only the ratio means anything on another machine.
"""

import argparse
import base64
import http.client
import shutil
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from catalog import renditions, sandbox
from catalog.intake import probing
from infra import serving
from infra.bench import ground
from infra.stack import Stack
from infra.throwaway import manage

ROOT = Path(__file__).resolve().parents[2]
MUSIC = ROOT / "infra" / "demonstration" / "works" / "maxstack-nebula.opus"
HERTZ, SENDERS, PROCESSES = 44_100, 2, 2
LOOK_SECONDS = 0.1
PIECE_BYTES = 8_000_000
EMAIL = "ana@bench.example"
PROFILE = f"""
from catalog import profiles
from members import clock
from members.models import Person
profiles.found(person_id=Person.objects.create_user('{EMAIL}', None, name='Ana').id, name='Bench', now=clock.now())
"""
ENDED = "SELECT count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'rejected') FROM catalog_upload"


def main() -> None:
    """Run the bench and print its figures."""
    arguments = argparse.ArgumentParser(prog="infra/bench/bulk", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--files", type=int, default=100)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=30)
    asked = arguments.parse_args()
    with ground.laid() as stack:
        each = max(1, asked.files // asked.rounds)
        print(f"Cutting {each * asked.rounds} recordings of {asked.seconds} s ...", flush=True)
        music = stack.folder / "music"
        music.mkdir()
        # One more to warm up with, which is not counted.
        files = [_cut(music, number, asked.seconds) for number in range(each * asked.rounds + PROCESSES)]
        web = serving.start_web(stack)
        serving.start_worker(stack)
        ground.wait_for_answers(web, port=stack.web_port)
        manage(stack, "shell", "-c", PROFILE, as_owner=True)
        token = manage(stack, "token", EMAIL, "--scope", "publish", as_owner=True).strip()
        ratio = _measure(stack, token, files, rounds=asked.rounds, each=each, seconds=asked.seconds)
    print(f"bulk ratio {ratio:.2f}")


def _cut(folder: Path, number: int, seconds: int) -> Path:
    """Cut a piece of music, each from another place, so that no two are the same file."""
    path = folder / f"{number:03}.flac"
    program = [sandbox.program("ffmpeg"), "-nostdin", "-v", "error", "-ss", str(number * 0.7 % 40)]
    tags = ["-metadata", f"title=Piece {number}", "-metadata", "album=Bench", "-metadata", f"track={number + 1}"]
    shape = ["-map_metadata", "-1", *tags, "-ac", "2", "-sample_fmt", "s16", "-ar", str(HERTZ)]
    subprocess.run([*program, "-stream_loop", "-1", "-i", MUSIC, "-t", str(seconds), *shape, path], check=True)
    return path


def _measure(stack: Stack, token: str, files: list[Path], *, rounds: int, each: int, seconds: int) -> float:
    _bare(stack.folder / "bare", files[:PROCESSES], seconds)
    _ours(stack, token, files[:PROCESSES], before=0)
    rest, taken = files[PROCESSES:], []
    print("round   ffmpeg s   ours s   ratio", flush=True)
    for turn in range(rounds):
        part = rest[turn * each : (turn + 1) * each]
        plain = _bare(stack.folder / "bare", part, seconds)
        ours = _ours(stack, token, part, before=PROCESSES + turn * each)
        taken.append((plain, ours))
        print(f"{turn + 1:5} {plain:10.2f} {ours:8.2f} {ours / plain:7.2f}", flush=True)
    plain, ours = (statistics.median(column) for column in zip(*taken, strict=True))
    print(f"medians of {rounds} rounds of {each} files: ffmpeg {plain:.2f} s, ours {ours:.2f} s")
    print(f"{1000 * ours / each:.0f} ms a file, {seconds * each / ours:.0f} times as fast as the sound")
    return statistics.median(ours / plain for plain, ours in taken)


def _bare(folder: Path, files: list[Path], seconds: int) -> float:
    """Make the renditions of the files with ffmpeg alone, and return how many seconds that took."""
    recording = probing.Recording(
        kind="flac",
        demuxer="flac",
        codec="flac",
        sample_rate=HERTZ,
        channels=2,
        duration_ms=seconds * 1000,
        lossless=True,
    )

    def encode(path: Path) -> None:
        room = folder / path.stem
        room.mkdir(parents=True)
        (room / "original").symlink_to(path)
        program = ["nice", "-n", str(sandbox.NICENESS), *renditions.arguments(recording)]
        subprocess.run(program, cwd=room, stdout=subprocess.DEVNULL, check=True)

    began = time.perf_counter()
    with ThreadPoolExecutor(PROCESSES) as processes:
        list(processes.map(encode, files))
    took = time.perf_counter() - began
    shutil.rmtree(folder)
    return took


def _ours(stack: Stack, token: str, files: list[Path], *, before: int) -> float:
    """Send the files, wait until each is a draft, and return how many seconds that took."""
    began = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as senders:
        list(senders.map(lambda path: _send(stack, token, path), files))
    owner = stack.postgres
    with owner.connect(user=owner.owner, database=owner.database) as connection:
        connection.autocommit = True
        while True:
            row = connection.execute(ENDED).fetchone()
            assert row is not None
            ready, rejected = row
            assert rejected == 0, f"{rejected} were rejected"
            if ready == before + len(files):
                return time.perf_counter() - began
            time.sleep(LOOK_SECONDS)


def _send(stack: Stack, token: str, path: Path) -> None:
    name = base64.b64encode(path.name.encode()).decode()
    size, offset = path.stat().st_size, 0
    line = http.client.HTTPConnection("127.0.0.1", stack.web_port, timeout=60)
    known = {"Authorization": f"Bearer {token}", "Tus-Resumable": "1.0.0"}
    line.request(
        "POST",
        "/api/v1/transfers",
        headers={**known, "Upload-Length": str(size), "Upload-Metadata": f"filename {name}"},
    )
    answer = line.getresponse()
    answer.read()
    where = answer.headers["Location"]
    with path.open("rb") as file:
        while offset < size:
            said = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            line.request("PATCH", where, body=file.read(PIECE_BYTES), headers={**known, **said})
            answer = line.getresponse()
            answer.read()
            assert answer.status == 204, answer.status
            offset = int(answer.headers["Upload-Offset"])
    line.close()


if __name__ == "__main__":
    main()
