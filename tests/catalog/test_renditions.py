"""What listeners hear and see of a recording: segments, loudness, waveform, sleeve."""

import re
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import renditions, sandbox, sleeves
from catalog.models import Rendition, Upload
from catalog.renditions import CutRefused, Segment, Shape
from tests import media

Send = Callable[..., Upload]


def of(upload: Upload, kind: str) -> Rendition:
    """Return a rendition of the upload's work."""
    return upload.work.renditions.get(kind=kind)


def probe(path: Path) -> dict[str, str]:
    """Return what ffprobe says about the sound in a file."""
    entries = "stream=codec_name,sample_rate,channels:format=bit_rate"
    command = [sandbox.program("ffprobe"), "-v", "error", "-show_entries", entries, "-of", "default=nw=1", str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(line.split("=") for line in said.split())


@dataclass(frozen=True)
class Cut:
    """How a track of `seconds` is cut: into `count` segments of `each` seconds, in `files` files."""

    kind: str
    seconds: int
    each: int
    count: int
    files: int


# Of 138 s, 14 segments begin before 70 s; the other 68 s are two files.
CUTS = (Cut("flac", 3, 2, 2, 2), Cut("opus", 13, 2, 7, 7), Cut("mp3", 138, 5, 28, 16))


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: f"{cut.seconds} s")
def test_segments_joined_are_the_whole_track(cut: Cut, take_in: Send, store: Path, tmp_path: Path) -> None:
    upload = take_in(media.make(cut.kind, seconds=cut.seconds))

    for kind in ("hls-128", "hls-256"):
        rendition = of(upload, kind)
        segments = rendition.layout["segments"]
        assert (len(segments), len({segment["file"] for segment in segments})) == (cut.count, cut.files)
        for segment in segments[:-1]:
            assert abs(segment["micros"] - cut.each * 1_000_000) < 30_000  # an AAC frame is 21 or 23 ms
        assert cut.each / 2 <= segments[-1]["micros"] / 1_000_000 < cut.each * 1.5 + 0.03
        assert rendition.layout["target_seconds"] == -(-max(segment["micros"] for segment in segments) // 1_000_000)
        assert_ranges(store / rendition.prefix, segments)

        whole = tmp_path / "whole.mp4"
        whole.write_bytes(media.joined(store, rendition))
        stored = media.files_under(store / rendition.prefix)
        assert len(stored) == cut.files + 1
        assert rendition.size_bytes == whole.stat().st_size
        assert rendition.size_bytes == sum((store / rendition.prefix / name).stat().st_size for name in stored)
        said_seconds = sum(segment["micros"] for segment in segments) / 1_000_000
        # The encoder begins with one frame of its own, and fills up the last one.
        assert 0 <= media.seconds_of(whole) - said_seconds < 0.024
        assert 0 <= said_seconds - cut.seconds < 0.05


def assert_ranges(folder: Path, segments: list[dict[str, Any]]) -> None:
    """Assert that segments before 70 s are files of their own, and that each range begins as a segment does."""
    begins = 0
    for segment in segments:
        file = folder / segment["file"]
        if begins < 70_000_000:
            assert (segment["offset"], segment["bytes"]) == (0, file.stat().st_size)
        with file.open("rb") as content:
            content.seek(segment["offset"] + 4)
            assert content.read(4) in (b"sidx", b"moof", b"styp")
        begins += segment["micros"]


def test_any_opening_is_exactly_as_long_as_its_segments_say(take_in: Send, store: Path, tmp_path: Path) -> None:
    rendition = of(take_in(media.make("flac", seconds=12)), "hls-128")

    for upto in range(1, 6):
        opening = tmp_path / "opening.mp4"
        opening.write_bytes(media.joined(store, rendition, upto=upto))
        said = sum(segment["micros"] for segment in rendition.layout["segments"][:upto]) / 1_000_000
        assert abs(media.seconds_of(opening) - said) < 0.002


@pytest.mark.parametrize(
    ("original", "made"),
    [(8_000, 48_000), (11_025, 44_100), (22_050, 44_100), (48_000, 48_000), (88_200, 44_100), (96_000, 48_000)],
)
def test_sample_rates_become_what_every_player_plays(
    original: int, made: int, take_in: Send, store: Path, tmp_path: Path
) -> None:
    upload = take_in(media.make("wav", seconds=3, rate=original))

    whole = tmp_path / "whole.mp4"
    whole.write_bytes(media.joined(store, of(upload, "hls-128")))
    said = probe(whole)
    assert (said["codec_name"], said["sample_rate"], said["channels"]) == ("aac", str(made), "2")


@pytest.mark.parametrize("channels", [1, 6, 8])
def test_any_number_of_channels_becomes_stereo(channels: int, take_in: Send, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    media.ffmpeg("-i", str(media.make("flac", seconds=3)), "-ac", str(channels), str(path))

    upload = take_in(path)

    assert upload.found["channels"] == channels
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(media.joined(store, of(upload, "hls-256")))
    assert probe(whole)["channels"] == "2"


def test_the_two_rates_are_what_they_are_called(take_in: Send, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "noise.flac"
    media.ffmpeg("-f", "lavfi", "-i", "anoisesrc=d=12:c=pink:r=44100:seed=1", "-ac", "2", str(path))
    upload = take_in(path)

    kilobits = [of(upload, kind).size_bytes * 8 / 12_000 for kind in ("hls-128", "hls-256")]

    assert 115 < kilobits[0] < 140
    assert 210 < kilobits[1] < 275


def test_nothing_that_the_original_says_is_in_what_strangers_may_fetch(take_in: Send, store: Path) -> None:
    tags = (
        ("title", "Unannounced title"),
        ("comment", "call me at 555"),
        ("artist", "Somebody"),
        ("encoder", "my studio"),
    )
    upload = take_in(media.make("flac", seconds=3, tags=tags), "private name.flac")

    for name in media.files_under(store):
        if name.startswith("renditions/"):
            content = (store / name).read_bytes()
            for words in (b"Unannounced", b"555", b"Somebody", b"my studio", b"private name"):
                assert words not in content
    assert upload.state == "ready"


def test_the_same_recording_makes_the_same_bytes(take_in: Send, send: Send, store: Path, tmp_path: Path) -> None:
    first = of(take_in(media.make("flac", seconds=3)), "hls-128")
    copy = tmp_path / "copy.flac"
    media.ffmpeg("-i", str(media.make("flac", seconds=3)), "-metadata", "title=Another", "-c", "copy", str(copy))

    second = of(take_in(copy), "hls-128")

    assert media.joined(store, first) == media.joined(store, second)


@pytest.mark.parametrize(("decibels", "centilufs"), [(-23, -2_300), (-14, -1_400), (-40, -4_000)])
def test_loudness_is_that_of_ebu_tech_3341(decibels: int, centilufs: int, take_in: Send, tmp_path: Path) -> None:
    """A stereo sine of 1 kHz at -23 dBFS in each channel measures -23 LUFS (EBU Tech 3341, case 1)."""
    path = tmp_path / "sine.flac"
    sine = f"aevalsrc='pow(10,{decibels}/20)*sin(2*PI*1000*t)|pow(10,{decibels}/20)*sin(2*PI*1000*t)':s=48000:d=12"
    media.ffmpeg("-f", "lavfi", "-i", sine, "-sample_fmt", "s32", str(path))

    assert abs(take_in(path).work.loudness_centilufs - centilufs) <= 10


def test_silence_has_no_loudness_and_a_flat_line(take_in: Send, tmp_path: Path) -> None:
    path = tmp_path / "silence.flac"
    media.ffmpeg("-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo:d=4", str(path))

    upload = take_in(path)

    assert (upload.state, upload.work.loudness_centilufs) == ("ready", None)
    assert of(upload, "waveform").layout == {"peaks": [0] * 180}


def test_the_waveform_follows_the_sound(take_in: Send, tmp_path: Path) -> None:
    """Half a track of full scale, then half of a tenth of it."""
    path = tmp_path / "step.wav"
    wave = "if(lt(t,2),1,0.1)*sin(2*PI*440*t)"
    media.ffmpeg("-f", "lavfi", "-i", f"aevalsrc='{wave}|{wave}':s=48000:d=4", str(path))

    rendition = of(take_in(path), "waveform")

    peaks = rendition.layout["peaks"]
    assert (len(peaks), rendition.prefix, rendition.size_bytes) == (180, "", 0)
    assert min(peaks[:88]) >= 95
    assert max(peaks) <= 100
    assert {*peaks[92:]} <= {9, 10, 11}


def test_a_shape_is_the_same_however_its_bytes_arrive() -> None:
    sound = b"".join((n * 37 % 60_000 - 30_000).to_bytes(2, "little", signed=True) for n in range(8_123))
    whole, dripped = Shape(), Shape()
    whole.add(sound)
    for start in range(0, len(sound), 7):
        dripped.add(sound[start : start + 7])
    whole.end()
    dripped.end()

    assert (whole.duration_ms, whole.waveform(), whole.course()) == (1_015, dripped.waveform(), dripped.course())
    assert dripped.samples == 8_123


def playlist(sizes: list[tuple[str, int]], *, init: int = 700) -> str:
    """Return a playlist as ffmpeg writes it."""
    lines, at = [f'#EXT-X-MAP:URI="x.mp4",BYTERANGE="{init}@0"'], init
    for seconds, size in sizes:
        lines += [f"#EXTINF:{seconds},", f"#EXT-X-BYTERANGE:{size}@{at}", "x.mp4"]
        at += size
    return "\n".join(["#EXTM3U", *lines, "#EXT-X-ENDLIST", ""])


def test_a_short_tail_is_joined_to_its_neighbour() -> None:
    long = playlist([("5.015510", 800), ("4.992290", 810), ("2.500000", 300)])
    assert renditions.segments_of(long, file_size=2_610, target_seconds=5) == (
        700,
        [Segment(700, 800, 5_015_510), Segment(1_500, 810, 4_992_290), Segment(2_310, 300, 2_500_000)],
    )
    short = playlist([("5.015510", 800), ("4.992290", 810), ("2.499999", 300)])
    assert renditions.segments_of(short, file_size=2_610, target_seconds=5) == (
        700,
        [Segment(700, 800, 5_015_510), Segment(1_500, 1_110, 7_492_289)],
    )
    alone = playlist([("0.400000", 300)])
    assert renditions.segments_of(alone, file_size=1_000, target_seconds=5) == (700, [Segment(700, 300, 400_000)])


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (playlist([("5.0", 800)]), 1_499),
        (playlist([("5.0", 800)]), 1_501),
        (playlist([]), 700),
        ("#EXTM3U\n", 0),
        (playlist([("5.0", 800), ("5.0", 800)]).replace("@1500", "@1400"), 2_300),
    ],
)
def test_a_cut_that_would_lose_a_byte_is_refused(text: str, size: int) -> None:
    with pytest.raises(CutRefused):
        renditions.segments_of(text, file_size=size, target_seconds=5)


@given(st.lists(st.integers(1_000, 7_600_000), min_size=1, max_size=500))
def test_files_hold_every_segment_once_and_the_first_70_s_stand_alone(lengths: list[int]) -> None:
    segments = [Segment(offset=n, size=1, micros=micros) for n, micros in enumerate(lengths)]

    files = renditions.files_of(segments)

    assert [segment for file in files for segment in file] == segments
    begins = 0
    for file in files:
        if begins < renditions.SINGLE_UNTIL_MICROS:
            assert len(file) == 1
        else:
            assert sum(segment.micros for segment in file) <= renditions.FILE_MICROS
        begins += sum(segment.micros for segment in file)


@given(number=st.integers(0, 2**128 - 1), loudness=st.lists(st.integers(0, 100), max_size=400))
def test_a_sleeve_is_a_drawing_and_nothing_else(number: int, loudness: list[int]) -> None:
    work_id = uuid.UUID(int=number)

    drawn = sleeves.draw(work_id=work_id, loudness=loudness)

    root = ET.fromstring(drawn)  # noqa: S314  (our own drawing)
    named = {element.tag.removeprefix("{http://www.w3.org/2000/svg}") for element in root.iter()}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert named <= {"svg", "rect", "circle", "path"}
    assert attributes <= {
        *("viewBox", "width", "height", "fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin"),
        *("cx", "cy", "r", "x", "y", "d"),
    }
    assert not root.text
    assert "nan" not in drawn
    assert len(drawn) < 20_000
    assert sleeves.draw(work_id=work_id, loudness=loudness) == drawn


def test_there_are_four_drawings_in_eight_pairs_of_colours() -> None:
    loudness = [n % 101 for n in range(180)]
    drawn = {sleeves.draw(work_id=uuid.UUID(int=number), loudness=loudness) for number in range(1_000)}
    colours = {tuple(sorted(set(re.findall("#[0-9A-F]{6}", sleeve)))) for sleeve in drawn}

    assert (len(drawn), len(colours)) == (32, 8)


def test_a_louder_part_is_drawn_larger() -> None:
    quiet_then_loud = sleeves.draw(work_id=uuid.UUID(int=2), loudness=[10] * 90 + [90] * 90)
    heights = [int(height) for height in re.findall(r'width="5.2" height="(\d+)"', quiet_then_loud)]

    assert heights == [20] * 15 + [194] * 15


def test_drawings_take_any_loudness() -> None:
    expected: Any = ("<svg", "</svg>\n")
    for number in range(4):
        for loudness in ([], [0], [100] * 180, [50, 50]):
            drawn = sleeves.draw(work_id=uuid.UUID(int=number), loudness=loudness)
            assert (drawn[:4], drawn[-7:]) == expected
