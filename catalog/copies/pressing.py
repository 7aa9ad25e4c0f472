"""Pressing: a recording written in the format somebody wants to keep it in, with what it says about itself.

ffmpeg writes the sound from the original, without anything that the original's tags said, and another process of the
sandbox writes the catalogue's own words and the cover into it. In the original's own format the sound is copied as it
is, frame by frame; FLAC of a lossless original has every bit of it.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog import sandbox
from catalog.intake import probing

OUT_TIME = re.compile(rb"out_time_us=(-?\d+)")
FILE_BYTES_MOST = 4_000_000_000
COPY = ("-c:a", "copy")


class CannotPress(Exception):
    """The file could not be made from this original; its text says why."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format to keep a recording in: the file's ending, its type, ffmpeg's muxer and encoder."""

    ending: str
    content_type: str
    muxer: str
    codec: tuple[str, ...] = COPY
    stereo: bool = False


# A kind of original, and how it is kept as it is. Bare AAC frames carry no tags, so they get a box around them.
OWN = {
    "flac": Format(ending=".flac", content_type="audio/flac", muxer="flac"),
    "wav": Format(ending=".wav", content_type="audio/wav", muxer="wav"),
    "aiff": Format(ending=".aiff", content_type="audio/aiff", muxer="aiff"),
    "alac": Format(ending=".m4a", content_type="audio/mp4", muxer="ipod"),
    "aac": Format(ending=".m4a", content_type="audio/mp4", muxer="ipod"),
    "mp3": Format(ending=".mp3", content_type="audio/mpeg", muxer="mp3"),
    "vorbis": Format(ending=".ogg", content_type="audio/ogg", muxer="ogg"),
    "opus": Format(ending=".opus", content_type="audio/ogg", muxer="opus"),
}
MADE = {
    "flac": Format(ending=".flac", content_type="audio/flac", muxer="flac", codec=("-c:a", "flac")),
    # V0 of LAME: about 245 kb/s, as much as the music needs.
    "mp3": Format(
        ending=".mp3", content_type="audio/mpeg", muxer="mp3", codec=("-c:a", "libmp3lame", "-q:a", "0"), stereo=True
    ),
    "opus": Format(
        ending=".opus", content_type="audio/ogg", muxer="opus", codec=("-c:a", "libopus", "-b:a", "160k"), stereo=True
    ),
}


def format_of(name: str, *, kind: str) -> Format:
    """Return how a recording of this kind is written where `name` is asked for: copied where it is that already."""
    return OWN[kind] if name in ("original", kind) else MADE[name]


def press(folder: Path, to: Format, recording: probing.Recording, *, on_percent: Callable[[int], None]) -> Path:
    """Write `original` of `folder` as `to` and return the new file's path. Raises CannotPress.

    `on_percent` hears 0..100 while ffmpeg runs, at least once a second.
    """
    target = folder / f"pressed{to.ending}"
    limits = sandbox.Limits(seconds=120 + recording.duration_ms // 1000, file_bytes=FILE_BYTES_MOST)
    try:
        for piece in sandbox.stream(_arguments(target.name, to, recording), folder=folder, limits=limits):
            times = OUT_TIME.findall(piece)
            heard_ms = max(0, int(times[-1]) // 1000) if times else 0
            on_percent(min(100, heard_ms * 100 // max(1, recording.duration_ms)))
    except (sandbox.ProgramFailed, sandbox.ProgramStopped) as failure:
        raise CannotPress("The recording could not be written in this format.") from failure
    return target


def _arguments(name: str, to: Format, recording: probing.Recording) -> list[str]:
    arguments = [sandbox.program("ffmpeg"), "-nostdin", "-v", "error", "-nostats", "-y"]
    arguments += [*probing.reading(recording.demuxer), "-map", "0:a:0", *to.codec]
    if to.stereo and recording.channels > 2:
        arguments += ["-ac", "2"]
    if to.muxer == "wav":
        arguments += ["-rf64", "auto"]
    arguments += ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact"]
    return [*arguments, "-progress", "pipe:1", "-stats_period", "1", "-f", to.muxer, name]


def label(folder: Path, path: Path, fields: dict[str, Any], cover: Path | None) -> None:
    """Write the fields and the picture into the file at `path`, in the sandbox. Raises CannotPress."""
    (folder / "fields.json").write_text(json.dumps(fields))
    program = sandbox.python("catalog.copies.labelling", path.name, "fields.json", cover.name if cover else "")
    limits = sandbox.Limits(seconds=120, memory_bytes=600_000_000, file_bytes=FILE_BYTES_MOST)
    try:
        sandbox.output(program, folder=folder, limits=limits)
    except (sandbox.ProgramFailed, sandbox.ProgramStopped) as failure:
        raise CannotPress("Title, artist and licence could not be written into the file.") from failure
