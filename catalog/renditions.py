"""Renditions of a recording: HLS at two rates, its waveform and its loudness, made in one pass of ffmpeg.

One decoder feeds both encoders, the loudness meter (EBU R128) and a small copy at 8 kHz from which the waveform is
taken while the rest is still being encoded. ffmpeg writes each rate as one file of fragments; that file is cut so that
what is heard first is a file per segment (any opening a vote may choose can then be the gate), and the rest is a file
per minute. Nothing is written twice: the pieces joined again are ffmpeg's file, byte for byte.
"""

import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalog import sandbox
from catalog.intake import probing
from catalog.intake.sniffing import Unreadable

KBITS = (128, 256)
SEGMENT_SECONDS, SHORT_SEGMENT_SECONDS = 5, 2
SHORT_TRACK_MS = 60_000
# Segments that begin before this are files of their own: the longest opening and its lead fit inside.
SINGLE_UNTIL_MICROS = 70_000_000
FILE_MICROS = 60_000_000
MEDIA_TYPE = "audio/mp4"
PEAKS = 180
SHAPE_HERTZ = 8_000
# The waveform is gathered in blocks of 5 ms, so that three seconds still have 180 different peaks.
BLOCK_SAMPLES = 40
FULL_SCALE = 32_767
LOUDNESS = re.compile(r"lavfi\.r128\.I=(-?[0-9.]+)")
SEGMENT = re.compile(r"#EXTINF:([0-9.]+),[^\n]*\n#EXT-X-BYTERANGE:(\d+)@(\d+)")
INIT = re.compile(r'#EXT-X-MAP:URI="[^"]+",BYTERANGE="(\d+)@0"')


class CutRefused(Exception):
    """ffmpeg's playlist and file do not belong together: a fault of the machine, not of the recording."""


@dataclass(frozen=True)
class Segment:
    """A part of ffmpeg's file that can be decoded after the init; `micros` are millionths of a second of sound."""

    offset: int
    size: int
    micros: int


@dataclass
class Shape:
    """The course of a track's sound, gathered from samples at 8 kHz as they come."""

    peaks: "array[int]" = field(default_factory=lambda: array("H"))
    samples: int = 0
    _rest: bytes = b""

    def add(self, piece: bytes) -> None:
        """Take in the next bytes of sound."""
        piece = self._rest + piece
        whole = len(piece) // (2 * BLOCK_SAMPLES) * 2 * BLOCK_SAMPLES
        self._rest = piece[whole:]
        self._take(array("h", piece[:whole]))

    def end(self) -> None:
        """Take in what is left of a block."""
        self._take(array("h", self._rest[: len(self._rest) // 2 * 2]))
        self._rest = b""

    def _take(self, samples: "array[int]") -> None:
        self.samples += len(samples)
        for start in range(0, len(samples), BLOCK_SAMPLES):
            # Sorting finds both ends at once: a quarter less of what a worker's own Python does for a recording.
            block = sorted(samples[start : start + BLOCK_SAMPLES])
            self.peaks.append(min(FULL_SCALE, max(block[-1], -block[0])))

    @property
    def duration_ms(self) -> int:
        """Return how much sound there was."""
        return round(self.samples * 1000 / SHAPE_HERTZ)

    def _parts(self, count: int) -> Iterator["array[int]"]:
        for place in range(count):
            start = place * len(self.peaks) // count
            yield self.peaks[start : max(start + 1, (place + 1) * len(self.peaks) // count)]

    def waveform(self) -> list[int]:
        """Return 180 peaks, 0..100 of full scale."""
        return [round(max(part, default=0) * 100 / FULL_SCALE) for part in self._parts(PEAKS)]

    def course(self) -> list[int]:
        """Return how loud the sound was in 180 parts, 0..100 of full scale: the mean of the peaks of each part."""
        return [round(sum(part) * 100 / (FULL_SCALE * max(1, len(part)))) for part in self._parts(PEAKS)]


@dataclass(frozen=True)
class Encoded:
    """What one pass made: files `128.mp4` and `256.mp4` with their playlists in the folder, and these figures."""

    duration_ms: int
    loudness_centilufs: int | None
    waveform: list[int]
    course: list[int]


def sample_rate_for(original: int) -> int:
    """Return 44 100 or 48 000, whichever the original's rate is a whole part or multiple of."""
    return 44_100 if original % 11_025 == 0 else 48_000


def segment_seconds_for(duration_ms: int) -> int:
    """Return how long segments are: short tracks have short ones, so that their opening can be cut at all."""
    return SHORT_SEGMENT_SECONDS if duration_ms < SHORT_TRACK_MS else SEGMENT_SECONDS


def encode(folder: Path, recording: probing.Recording, *, on_percent: Callable[[int], None]) -> Encoded:
    """Make both rates, loudness and waveform of `original` in `folder`. Raises sniffing.Unreadable.

    `on_percent` hears 0..100 while ffmpeg runs, at least once a second.
    """
    shape = Shape()
    # Slower than the sound itself is a machine in trouble, or a file made to keep it busy.
    limits = sandbox.Limits(seconds=120 + recording.duration_ms // 1000, file_bytes=_file_bytes(recording.duration_ms))
    try:
        for piece in sandbox.stream(arguments(recording), folder=folder, limits=limits):
            shape.add(piece)
            on_percent(min(100, shape.duration_ms * 100 // max(1, recording.duration_ms)))
    except sandbox.ProgramFailed:
        raise Unreadable("The sound in the file could not be decoded: it is damaged.") from None
    except sandbox.ProgramStopped:
        raise Unreadable("The file took far longer to decode than a recording of its length may.") from None
    shape.end()
    probing.check_length(shape.duration_ms)
    if recording.duration_ms - shape.duration_ms > probing.MISSING_MS_MOST + recording.duration_ms // 100:
        raise probing.incomplete(shape.duration_ms, recording.duration_ms)
    return Encoded(
        duration_ms=shape.duration_ms,
        loudness_centilufs=_loudness(folder / "loudness.txt"),
        waveform=shape.waveform(),
        course=shape.course(),
    )


def _file_bytes(duration_ms: int) -> int:
    """Return how large a file ffmpeg may write: one and a half times what the better rate has, and 100 MB."""
    return 100_000_000 + duration_ms * KBITS[-1] // 8 * 3 // 2


def arguments(recording: probing.Recording) -> list[str]:
    """Return the command that makes everything of a recording, to be run in the folder where its `original` is."""
    hertz = sample_rate_for(recording.sample_rate)
    graph = (
        f"[0:a:0]aresample={hertz},aformat=channel_layouts=stereo,asplit=3[a][b][c];"
        "[c]ebur128=metadata=1:framelog=verbose,ametadata=mode=print:key=lavfi.r128.I:file=loudness.txt,"
        f"aresample={SHAPE_HERTZ},aformat=sample_fmts=s16:channel_layouts=mono[shape]"
    )
    arguments = [sandbox.program("ffmpeg"), "-nostdin", "-v", "error", "-nostats", "-y"]
    arguments += [*probing.reading(recording.demuxer), "-filter_complex", graph]
    for label, kbits in zip("ab", KBITS, strict=True):
        arguments += ["-map", f"[{label}]", "-c:a", "aac", "-b:a", f"{kbits}k", "-flags:a", "+bitexact"]
        arguments += ["-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-f", "hls"]
        arguments += ["-hls_time", str(segment_seconds_for(recording.duration_ms)), "-hls_playlist_type", "vod"]
        arguments += ["-hls_segment_type", "fmp4", "-hls_flags", "single_file"]
        arguments += ["-hls_segment_filename", f"{kbits}.mp4", f"{kbits}.m3u8"]
    return [*arguments, "-map", "[shape]", "-c:a", "pcm_s16le", "-f", "s16le", "pipe:1"]


def _loudness(path: Path) -> int | None:
    """Return the integrated loudness in hundredths of LUFS, from the last line of the meter; None for silence."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        lines = LOUDNESS.findall(file.read().decode(errors="replace"))
    if not lines:
        return None
    measured = int((Decimal(lines[-1]) * 100).to_integral_value())
    # The meter begins at -70, below which nothing counts as sound.
    return measured if measured > -7000 else None


def segments_of(playlist: str, *, file_size: int, target_seconds: int) -> tuple[int, list[Segment]]:
    """Return the size of the init and the segments of ffmpeg's playlist; a tail shorter than half a segment is joined.

    Raises CutRefused unless init and segments are the whole file without a gap.
    """
    init = INIT.search(playlist)
    found = [
        Segment(offset=int(offset), size=int(size), micros=int((Decimal(seconds) * 1_000_000).to_integral_value()))
        for seconds, size, offset in SEGMENT.findall(playlist)
    ]
    if init is None or not found:
        raise CutRefused("the playlist has no init or no segments")
    end = int(init[1])
    for segment in found:
        if segment.offset != end:
            raise CutRefused(f"a segment begins at {segment.offset}, the one before ends at {end}")
        end += segment.size
    if end != file_size:
        raise CutRefused(f"the segments end at {end}, the file at {file_size}")
    if len(found) > 1 and found[-1].micros * 2 < target_seconds * 1_000_000:
        tail, last = found.pop(), found.pop()
        found.append(Segment(offset=last.offset, size=last.size + tail.size, micros=last.micros + tail.micros))
    return int(init[1]), found


def files_of(segments: list[Segment]) -> list[list[Segment]]:
    """Return which segments share a file: each of the first 70 s by itself, the rest by the minute."""
    files: list[list[Segment]] = []
    begins = filled = 0
    for segment in segments:
        alone = begins < SINGLE_UNTIL_MICROS
        if alone or not files or filled == 0 or filled + segment.micros > FILE_MICROS:
            files.append([segment])
            filled = 0 if alone else segment.micros
        else:
            files[-1].append(segment)
            filled += segment.micros
        begins += segment.micros
    return files


def cut(
    folder: Path, *, kbits: int, target_seconds: int, put: Callable[[str, Path], int]
) -> tuple[dict[str, Any], int]:
    """Cut ffmpeg's file of this rate, hand each piece to `put(name, path)`, and return the layout and all bytes put.

    The layout is what `catalog.models.Rendition` describes. Raises CutRefused.
    """
    whole = folder / f"{kbits}.mp4"
    init_bytes, segments = segments_of(
        (folder / f"{kbits}.m3u8").read_text(), file_size=whole.stat().st_size, target_seconds=target_seconds
    )
    listed: list[dict[str, Any]] = []
    piece = folder / "piece"
    with whole.open("rb") as source:
        piece.write_bytes(source.read(init_bytes))
        stored = put("init.mp4", piece)
        for number, together in enumerate(files_of(segments)):
            name, offset = f"{number:04}.m4s", 0
            piece.write_bytes(source.read(sum(segment.size for segment in together)))
            stored += put(name, piece)
            for segment in together:
                listed.append({"file": name, "offset": offset, "bytes": segment.size, "micros": segment.micros})
                offset += segment.size
    longest = max(segment.micros for segment in segments)
    layout = {
        "init": {"file": "init.mp4", "bytes": init_bytes},
        "segments": listed,
        # RFC 8216: each EXTINF rounded to the nearest second is at most this; rounding up keeps to it for any reader.
        "target_seconds": -(-longest // 1_000_000),
    }
    return layout, stored
