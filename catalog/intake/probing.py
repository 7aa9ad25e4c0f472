"""What a recording is: how long, how many channels, which codec. Found out before anything is made from it.

ffprobe reads what the file says about itself, then ffmpeg goes through all of it once without decoding. Where the two
disagree about its length the file is incomplete, and whoever sent it is told so at once.
"""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from catalog import sandbox
from catalog.intake.sniffing import KINDS_IN_WORDS, Form, Unreadable

logger = logging.getLogger(__name__)

CHANNELS_MOST = 8
RATES_HERTZ = (4_000, 768_000)
SHORTEST_MS = 1_000
# How much sound may be missing at the end before a file is called incomplete: the last frames of a damaged one.
MISSING_MS_MOST = 1_000
LOSSLESS = ("flac", "alac", "wav", "aiff")
PROBE_SECONDS = 60
# A disk that gives this much a second is a slow one.
BYTES_A_SECOND = 20_000_000
PCM_WITH_LOSS = ("pcm_mulaw", "pcm_alaw", "pcm_vidc")
OUT_TIME = re.compile(rb"^out_time_us=(-?\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Recording:
    """What was found in an original. `demuxer` is what ffmpeg is held to; lengths are thousandths of a second."""

    kind: str
    demuxer: str
    codec: str
    sample_rate: int
    channels: int
    duration_ms: int
    lossless: bool


def clock_words(duration_ms: int) -> str:
    """Return a length as people say it, e.g. 3:07 or 1:02:03."""
    seconds = duration_ms // 1000
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def reading(demuxer: str) -> list[str]:
    """Return ffmpeg's arguments that open the file `original` of its folder with this demuxer and no other."""
    external = ["-enable_drefs", "0", "-use_absolute_path", "0"] if demuxer == "mov" else []
    return ["-f", demuxer, *external, "-protocol_whitelist", "file,pipe", "-i", "file:original"]


def inspect(folder: Path, form: Form, *, beat: Callable[[], None]) -> Recording:
    """Return what the recording `original` in `folder` is; `beat` is called between its parts. Raises Unreadable."""
    said = _said(folder, form)
    stream = _only_sound(said, form)
    kind = _kind(stream.get("codec_name", ""), form)
    channels, sample_rate = int(stream.get("channels") or 0), int(stream.get("sample_rate") or 0)
    if channels < 1 or sample_rate < 1:
        raise Unreadable(f"No sound could be found in this {form.name} file: it is damaged or protected.")
    if channels > CHANNELS_MOST:
        raise Unreadable(f"The recording has {channels} channels; up to {CHANNELS_MOST} can be taken in.")
    if not RATES_HERTZ[0] <= sample_rate <= RATES_HERTZ[1]:
        raise Unreadable(f"The recording has {sample_rate:,} samples a second, which no recording has: it is damaged.")
    said_ms = _milliseconds(said.get("format", {}).get("duration")) if form.says_length else 0
    _check_not_too_long(said_ms)
    beat()
    heard_ms = _length_ms(folder, form)
    if said_ms - heard_ms > MISSING_MS_MOST:
        raise incomplete(heard_ms, said_ms)
    check_length(max(said_ms, heard_ms))
    return Recording(
        kind=kind,
        demuxer=form.demuxer,
        codec=stream["codec_name"],
        sample_rate=sample_rate,
        channels=channels,
        duration_ms=max(said_ms, heard_ms),
        lossless=kind in LOSSLESS and stream["codec_name"] not in PCM_WITH_LOSS,
    )


def incomplete(heard_ms: int, said_ms: int) -> Unreadable:
    """Return the refusal of a file that holds less sound than it says."""
    return Unreadable(
        f"The file is not complete: it says that it is {clock_words(said_ms)} long, and its sound ends at"
        f" {clock_words(heard_ms)}. Send it again."
    )


def check_length(duration_ms: int) -> None:
    """Raise Unreadable unless a recording of this length can become a work."""
    if duration_ms < SHORTEST_MS:
        raise Unreadable("The recording is shorter than one second. A work has at least one second of sound.")
    _check_not_too_long(duration_ms)


def _check_not_too_long(duration_ms: int) -> None:
    most_ms = settings.UPLOAD_SECONDS_MAX * 1000
    if duration_ms > most_ms:
        raise Unreadable(
            f"The recording is longer than {clock_words(most_ms)}, which is the most that can be taken in for now."
        )


def read_tags(folder: Path) -> dict[str, Any]:
    """Return `{"tags", "cover", "notes"}` of `original` in `folder`; a cover is left there as `cover.jpg`.

    The reader has a process of its own, because tags and pictures are as hostile as sound. It never refuses a file.
    """
    program = sandbox.python("catalog.intake.tagging", "original", "cover.jpg")
    try:
        answer = sandbox.output(program, folder=folder, limits=sandbox.Limits(seconds=30, memory_bytes=400_000_000))
        return dict(json.loads(answer))
    except (sandbox.ProgramFailed, sandbox.ProgramStopped, sandbox.ProgramKilled, ValueError):
        logger.warning("the reader of tags and artwork ended", exc_info=True)
        (folder / "cover.jpg").unlink(missing_ok=True)
        return {"tags": {}, "cover": None, "notes": ["The tags and artwork in the file could not be read."]}


def _said(folder: Path, form: Form) -> dict[str, Any]:
    entries = "format=duration:stream=codec_type,codec_name,sample_rate,channels:stream_disposition=attached_pic"
    arguments = [
        sandbox.program("ffprobe"),
        "-v",
        "error",
        *reading(form.demuxer),
        "-show_entries",
        entries,
        "-of",
        "json",
    ]
    try:
        answer: dict[str, Any] = json.loads(
            sandbox.output(arguments, folder=folder, limits=sandbox.Limits(seconds=PROBE_SECONDS))
        )
    except (sandbox.ProgramFailed, ValueError):
        raise Unreadable(
            f"The file begins like {form.name}, but cannot be read: it is damaged or not complete. If it plays on your"
            " own machine, save it anew as FLAC and send that."
        ) from None
    except sandbox.ProgramStopped:
        raise Unreadable(
            f"The file begins like {form.name}, but reading it took far longer than a recording may."
        ) from None
    return answer


def _only_sound(said: dict[str, Any], form: Form) -> dict[str, Any]:
    streams = said.get("streams", [])
    moving = [
        stream
        for stream in streams
        if stream.get("codec_type") == "video" and not stream.get("disposition", {}).get("attached_pic")
    ]
    sound: list[dict[str, Any]] = [stream for stream in streams if stream.get("codec_type") == "audio"]
    if moving and form.demuxer in ("mov", "ogg"):
        raise Unreadable(f"This is a film. Only sound can be taken in: {KINDS_IN_WORDS}.")
    if not sound:
        raise Unreadable(f"There is no sound in this {form.name} file.")
    return sound[0]


def _kind(codec: str, form: Form) -> str:
    for name, kind in form.kinds.items():
        if codec == name or (name.endswith("_") and codec.startswith(name)):
            return kind
    if not codec or codec == "unknown":
        raise Unreadable(
            f"The sound in this {form.name} file is packed in a way that cannot be read; it may be protected."
        )
    raise Unreadable(
        f"The sound in this {form.name} file is packed as {codec}. What can be taken in: {KINDS_IN_WORDS}."
    )


def _milliseconds(seconds: object) -> int:
    try:
        return max(0, round(float(str(seconds)) * 1000))
    except (ValueError, OverflowError):
        return 0


def _length_ms(folder: Path, form: Form) -> int:
    """Return where the last packet of sound begins, by reading all of the file without decoding it."""
    arguments = [sandbox.program("ffmpeg"), "-nostdin", "-v", "error", "-nostats", *reading(form.demuxer)]
    # A recording far beyond the limit is not read to its end.
    arguments += ["-t", str(settings.UPLOAD_SECONDS_MAX + 60)]
    arguments += ["-map", "0:a:0", "-c", "copy", "-progress", "pipe:1", "-stats_period", "5", "-f", "null", "-"]
    limits = sandbox.Limits(seconds=PROBE_SECONDS + (folder / "original").stat().st_size // BYTES_A_SECOND)
    try:
        times = OUT_TIME.findall(sandbox.output(arguments, folder=folder, limits=limits))
    except sandbox.ProgramFailed:
        raise Unreadable(f"The file begins like {form.name}, but cannot be read to its end: it is damaged.") from None
    except sandbox.ProgramStopped:
        raise Unreadable(
            f"The file begins like {form.name}, but reading it took far longer than a recording may."
        ) from None
    return max(0, int(times[-1]) // 1000) if times else 0
