"""Sound for tests, made by the real ffmpeg once per run: every kind that may come in, and what pretends to be one."""

import atexit
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from catalog import sandbox

# Two tones that beat against each other, louder in the middle: a waveform with a shape, and stereo that differs.
TONE = "aevalsrc='0.6*sin(2*PI*220*t)*sin(PI*t/{seconds})|0.5*sin(2*PI*331*t)*sin(PI*t/{seconds})':s={rate}:d={seconds}"

# A test may move the folder for temporary files; what is made for all tests stays where it was.
TEMPORARY = tempfile.gettempdir()

CODECS: dict[str, tuple[str, ...]] = {
    "flac": ("-c:a", "flac"),
    "wav": ("-c:a", "pcm_s16le"),
    "aiff": ("-c:a", "pcm_s16be"),
    "alac.m4a": ("-c:a", "alac"),
    "m4a": ("-c:a", "aac", "-b:a", "160k", "-movflags", "+faststart"),
    "aac": ("-c:a", "aac", "-b:a", "128k"),
    "mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "vbr.mp3": ("-c:a", "libmp3lame", "-q:a", "4"),
    "ogg": ("-c:a", "libvorbis"),
    "opus": ("-c:a", "libopus", "-b:a", "96k"),
}


@cache
def _folder() -> Path:
    path = Path(tempfile.mkdtemp(prefix="refrain-test-media-", dir=TEMPORARY))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def ffmpeg(*arguments: str) -> None:
    """Run ffmpeg and stop at its first complaint."""
    subprocess.run([sandbox.program("ffmpeg"), "-nostdin", "-v", "error", "-y", *arguments], check=True)


@cache
def make(
    kind: str,
    *,
    seconds: float = 12,
    rate: int = 44_100,
    tags: tuple[tuple[str, str], ...] = (),
    extra: tuple[str, ...] = (),
) -> Path:
    """Return a recording of `kind` (a key of CODECS), `seconds` long, with these tags; made once per run."""
    number = len(list(_folder().iterdir()))
    path = _folder() / f"{number:03}.{kind}"
    named = [word for name, value in tags for word in ("-metadata", f"{name}={value}")]
    ffmpeg("-f", "lavfi", "-i", TONE.format(seconds=seconds, rate=rate), *CODECS[kind], *extra, *named, str(path))
    return path


def seconds_of(path: Path) -> float:
    """Return how many seconds of sound decode from the file, counted sample by sample."""
    command = f"-nostdin -v error -i {path} -ar 8000 -ac 1 -f s16le -".split()
    decoded = subprocess.run([sandbox.program("ffmpeg"), *command], check=True, stdout=subprocess.PIPE)
    return len(decoded.stdout) / 16_000


def chunks(content: bytes | Path, size: int = 65_536) -> Iterator[bytes]:
    """Yield a file piece by piece, as an upload brings it."""
    whole = content.read_bytes() if isinstance(content, Path) else content
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def files_under(folder: Path) -> list[str]:
    """Return the names of all files under a folder, sorted; none if there is no folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def joined(folder: Path, rendition: Any, *, upto: int | None = None) -> bytes:
    """Return the init and the first `upto` segments (all without it) of an HLS rendition stored under `folder`."""
    layout = rendition.layout
    content = (folder / rendition.prefix / layout["init"]["file"]).read_bytes()
    for segment in layout["segments"][:upto]:
        whole = (folder / rendition.prefix / segment["file"]).read_bytes()
        content += whole[segment["offset"] : segment["offset"] + segment["bytes"]]
    return content
