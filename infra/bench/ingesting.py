"""One track from its file to a ready draft, against bare ffmpeg making the same renditions.

    infra/bench/ingest [--rounds 5] [--seconds 240]

Ours is all that happens to a track: received and hashed, sniffed, read through for its length, its tags and artwork
read in a process of their own, encoded, cut, stored, written into the database, in three steps under a lease. Beside
it ffmpeg alone makes both rates, loudness and the waveform's samples in one pass, with the very arguments and niceness
that the ingest gives it. Rounds are interleaved; each sends another file. Only the ratio means anything elsewhere.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import django

from catalog import renditions, sandbox
from catalog.intake import probing
from infra.bench import ground

ROOT = Path(__file__).resolve().parents[2]
MUSIC = ROOT / "infra" / "demonstration" / "works" / "maxstack-nebula.opus"
HERTZ = 44_100
CHUNK_BYTES = 65_536
LIMIT = 1.25


def main() -> None:
    """Run the bench and print its figures."""
    arguments = argparse.ArgumentParser(prog="infra/bench/ingest", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=240)
    asked = arguments.parse_args()
    with ground.laid() as stack:
        os.environ.update(stack.env(), REFRAIN_AS_OWNER="1", DJANGO_SETTINGS_MODULE="infra.settings")
        django.setup()
        take_in = _profile()
        files = [_cut(stack.folder, number, asked.seconds) for number in range(asked.rounds + 1)]
        taken: list[tuple[float, float]] = []
        print("round   ffmpeg s   ours s   ratio", flush=True)
        for turn, path in enumerate(files):
            plain, ours = _bare(stack.folder / "bare", path, asked.seconds), _timed(partial(take_in, path))
            if turn:  # the first round warms caches and is not counted
                taken.append((plain, ours))
                print(f"{turn:5} {plain:10.2f} {ours:8.2f} {ours / plain:7.2f}", flush=True)
    plain, ours = (statistics.median(column) for column in zip(*taken, strict=True))
    ratio = statistics.median(ours / plain for plain, ours in taken)
    print(f"medians of {asked.rounds} rounds of {asked.seconds} s of sound: ffmpeg {plain:.2f} s, ours {ours:.2f} s")
    print(f"limit {LIMIT}")
    print(f"ingest ratio {ratio:.2f}")


def _cut(folder: Path, number: int, seconds: int) -> Path:
    """Cut a piece of music, each from another place, so that no two are the same file."""
    path = folder / f"{number:03}.flac"
    program = [sandbox.program("ffmpeg"), "-nostdin", "-v", "error", "-ss", str(number * 0.7 % 40)]
    shape = ["-map_metadata", "-1", "-metadata", f"title=Piece {number}", "-ac", "2", "-sample_fmt", "s16"]
    shape += ["-ar", str(HERTZ), "-t", str(seconds)]
    subprocess.run([*program, "-stream_loop", "-1", "-i", MUSIC, *shape, path], check=True)
    return path


def _profile() -> Callable[[Path], None]:
    """Make somebody with a profile, and return how a file of theirs is taken in to its end."""
    # Models can be imported only once Django has its settings, and these only once the stack has started.
    from catalog import ingest, profiles  # noqa: PLC0415
    from catalog.intake import receiving  # noqa: PLC0415
    from catalog.models import Upload  # noqa: PLC0415
    from members import clock  # noqa: PLC0415
    from members.models import Person  # noqa: PLC0415

    person = Person.objects.create_user("ana@bench.example", None, name="Ana")
    creator_id = profiles.found(person_id=person.id, name="Bench", now=clock.now()).id

    def take_in(path: Path) -> None:
        upload = receiving.receive(
            person_id=person.id, creator_id=creator_id, filename=path.name, chunks=_chunks(path), now=clock.now()
        )
        while ingest.advance(upload_id=upload.id, now=clock.now()):
            pass
        assert Upload.objects.get(id=upload.id).state == Upload.State.READY

    return take_in


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _bare(folder: Path, path: Path, seconds: int) -> float:
    """Make the renditions with ffmpeg alone, and return how many seconds that took."""
    recording = probing.Recording(
        kind="flac",
        demuxer="flac",
        codec="flac",
        sample_rate=HERTZ,
        channels=2,
        duration_ms=seconds * 1000,
        lossless=True,
    )
    folder.mkdir()
    (folder / "original").symlink_to(path)
    program = ["nice", "-n", str(sandbox.NICENESS), *renditions.arguments(recording)]
    took = _timed(lambda: subprocess.run(program, cwd=folder, stdout=subprocess.DEVNULL, check=True))
    shutil.rmtree(folder)
    return took


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
