"""What people send by mistake, and what some send on purpose. Each ends in a clear state, with a sentence for them."""

import os
import random
import struct
import subprocess
import tempfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from mutagen.flac import FLAC
from mutagen.id3 import APIC, ID3, TIT2
from PIL import Image

from catalog import ingest, naming, sandbox
from catalog.intake import receiving, sniffing
from catalog.models import Upload, Work
from members.problems import Invalid
from tests import media

Send = Callable[..., Upload]

# The same word, song, in many scripts; what follows it is meant to break pages and terminals.
SCRIPTS = (
    "Lied Straße Ærø Ǻ",
    "песня Ёлка",
    "τραγούδι",
    "երգ",
    "სიმღერა",
    "שִׁיר",
    "أغنية",
    "می‌خواهم",  # Persian, with the joiner that its spelling needs
    "गीत क्ष",
    "ਗੀਤ",
    "பாட்டு",
    "పాట",
    "เพลง",
    "སྙན་ཆོས",
    "သီချင်း",
    "ዘፈን",
    "ចម្រៀង",
    "노래",
    "歌曲",
    "うた",
    "𐌲𐌿𐍄𐌹𐍃𐌺",
    "👩‍🎤🎶",
)
TRICKS = "\x00\x07\x1b[31m\u202e\u2066\u200e\u200f\ufeff\u00ad\x7f\x85\ue000\U000e0041\r\n\t"


def assert_rejected(upload: Upload, *words: str) -> None:
    """Assert that nothing came of the upload but a reason with these words."""
    assert (upload.state, upload.work, upload.leased_until) == ("rejected", None, None)
    for word in words:
        assert word in upload.reason
    assert upload.reason[0].isupper()
    assert upload.reason.endswith(".")
    assert "Traceback" not in upload.reason
    assert tempfile.gettempdir() not in upload.reason
    assert Work.objects.count() == 0


def text() -> bytes:
    return b"Dear Sir or Madam,\nthis is my new song. It has no sound.\n" * 50


def zipped() -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("song.txt", "la la la")
    return content.getvalue()


def photo(form: str) -> bytes:
    content = BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 40)).save(content, form)
    return content.getvalue()


def empty_wav() -> bytes:
    return (
        b"RIFF"
        + struct.pack("<I", 36)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 2, 44_100, 176_400, 4, 16)
        + b"data\0\0\0\0"
    )


def odd_wav(*, rate: int = 44_100, channels: int = 2, seconds: int = 3) -> bytes:
    samples = bytes(seconds * min(rate, 44_100) * channels * 2)
    form = struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2 & 0xFFFF_FFFF, channels * 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(samples))
        + b"WAVEfmt "
        + form
        + b"data"
        + struct.pack("<I", len(samples))
        + samples
    )


REFUSED = {
    "text.flac": (text, "This is text, not a recording"),
    "letter.mp3": (lambda: b"\xef\xbb\xbf" + "Grüße, schöne Lieder\n".encode() * 9, "This is text"),
    "zip.flac": (zipped, "archive"),
    "noise.mp3": (lambda: random.Random(1).randbytes(50_000), "was not recognised"),
    "zeros.wav": (lambda: bytes(50_000), "was not recognised"),
    "one-byte.mp3": (lambda: b"\xff", "was not recognised"),
    "tags-alone.mp3": (lambda: b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128), "no recording that could be read"),
    "header-alone.flac": (lambda: b"fLaC", "FLAC"),
    "noise-in-flac.flac": (lambda: b"fLaC" + random.Random(2).randbytes(50_000), "damaged or not complete"),
    "noise-in-ogg.ogg": (lambda: b"OggS" + random.Random(3).randbytes(50_000), "not complete"),
    "noise-in-m4a.m4a": (
        lambda: bytes(4) + b"ftypM4A " + random.Random(4).randbytes(50_000),
        "damaged or not complete",
    ),
    "no-sound.wav": (empty_wav, "shorter than one second"),
    "one-sample-a-second.wav": (lambda: odd_wav(rate=1), "samples a second"),
    "too-fast.wav": (lambda: odd_wav(rate=1_900_000_000), "samples a second"),
    "crowd.wav": (lambda: odd_wav(channels=9), "9 channels"),
    "crowds.wav": (lambda: odd_wav(channels=300), "channels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_recording_is_refused_with_a_sentence(name: str, take_in: Send, store: Path) -> None:
    content, words = REFUSED[name]

    assert_rejected(take_in(content(), name), words)

    assert media.files_under(store) == []


def test_an_empty_file_is_refused_at_the_door(send: Send, store: Path) -> None:
    with pytest.raises(Invalid, match="The file is empty"):
        send(b"", "song.flac")

    assert (Upload.objects.count(), media.files_under(store)) == (0, [])


def test_an_empty_file_would_be_refused_later_too(tmp_path: Path) -> None:
    (tmp_path / "song.flac").touch()
    with pytest.raises(sniffing.Unreadable, match="The file is empty"):
        sniffing.sniff(tmp_path / "song.flac")


@pytest.mark.parametrize("kind", ["flac", "wav", "aiff", "m4a", "alac.m4a", "mp3", "vbr.mp3", "ogg", "opus"])
@pytest.mark.parametrize("part", [0.5, 0.85])
def test_a_file_that_was_cut_short_is_not_taken_for_whole(kind: str, part: float, take_in: Send) -> None:
    whole = media.make(kind, seconds=12).read_bytes()

    assert_rejected(take_in(whole[: int(len(whole) * part)], f"song.{kind}"), "not complete")


def test_a_stream_without_a_length_is_what_arrived(take_in: Send) -> None:
    """AAC without a container says nothing about its length: half of it is a whole recording of half the length."""
    whole = media.make("aac", seconds=12).read_bytes()

    upload = take_in(whole[: len(whole) // 2], "song.aac")

    assert upload.state == "ready"
    assert 5_000 < upload.work.duration_ms < 7_000


def test_three_seconds_are_a_work_and_half_a_second_is_none(take_in: Send) -> None:
    short = take_in(media.make("flac", seconds=3))
    layout = short.work.renditions.get(kind="hls-128").layout

    assert (short.state, short.work.duration_ms) == ("ready", 3_000)
    assert len(layout["segments"]) == 2
    Work.objects.all().update(title="the short one")

    blip = take_in(media.make("mp3", seconds=0.5))
    assert (blip.state, blip.work) == ("rejected", None)
    assert "shorter than one second" in blip.reason


def test_one_second_too_long_is_refused(take_in: Send, settings) -> None:
    settings.UPLOAD_SECONDS_MAX = 5

    assert take_in(media.make("flac", seconds=5)).state == "ready"
    refused = take_in(media.make("flac", seconds=6))

    assert refused.state == "rejected"
    assert "longer than 0:05" in refused.reason


def test_hours_of_silence_in_a_small_file_are_refused_before_they_are_decoded(
    take_in: Send,
    tmp_path: Path,
    settings,
) -> None:
    """Three minutes of silence are a few kilobytes of FLAC, whether its header says a day or nothing."""
    settings.UPLOAD_SECONDS_MAX = 60
    path = tmp_path / "silence.flac"
    media.ffmpeg("-f", "lavfi", "-i", "anullsrc=r=44100:cl=mono:d=180", str(path))
    for said_samples in (86_400 * 44_100, 0):
        content = bytearray(path.read_bytes())
        # STREAMINFO: the last 36 bits before the checksum of 16 bytes count the samples.
        content[21] = content[21] & 0xF0 | said_samples >> 32
        content[22:26] = struct.pack(">I", said_samples & 0xFFFF_FFFF)

        assert_rejected(take_in(bytes(content), "silence.flac"), "longer than 1:00")


def test_a_film_is_refused(take_in: Send, tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=3")
    silent, loud = tmp_path / "silent.m4a", tmp_path / "loud.m4a"
    media.ffmpeg(*picture, "-c:v", "libx264", "-f", "mp4", str(silent))
    media.ffmpeg(*picture, "-i", str(media.make("flac", seconds=3)), "-c:v", "libx264", "-f", "mp4", str(loud))
    matroska = tmp_path / "film.flac"
    media.ffmpeg("-i", str(loud), "-c", "copy", "-f", "matroska", str(matroska))

    for film in (silent, loud, matroska):
        assert_rejected(take_in(film), "This is a film")


@pytest.mark.parametrize(("codec", "form"), [("adpcm_ms", "wav"), ("mp2", "mp2"), ("ac3", "mp4"), ("speex", "ogg")])
def test_other_codecs_are_named(codec: str, form: str, take_in: Send, tmp_path: Path) -> None:
    path = tmp_path / f"song.{form}"
    encoder = {"speex": "libspeex"}.get(codec, codec)
    rate = {"speex": "16000"}.get(codec, "44100")
    media.ffmpeg("-i", str(media.make("flac", seconds=3)), "-ar", rate, "-c:a", encoder, "-f", form, str(path))

    assert_rejected(take_in(path), f"packed as {codec}", "FLAC")


# --- playlists ---


def secret(tmp_path: Path) -> Path:
    """Return a recording that only this machine should know."""
    path = tmp_path / "secret.wav"
    path.write_bytes(media.make("wav", seconds=4).read_bytes())
    return path


def playlists(local: Path) -> dict[str, bytes]:
    """Return files that ask whoever reads them to open a file of this machine."""
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://{local}\n#EXT-X-ENDLIST\n"
    frames = media.make("mp3", seconds=3).read_bytes()
    return {
        "hls.mp3": hls.encode(),
        "m3u.mp3": f"{local}\n".encode(),
        "concat.mp3": f"ffconcat version 1.0\nfile '{local}'\n".encode(),
        "pls.mp3": f"[playlist]\nFile1={local}\nNumberOfEntries=1\n".encode(),
        "asx.mp3": f'<asx version="3.0"><entry><ref href="{local}"/></entry></asx>'.encode(),
        "tagged.mp3": b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + hls.encode(),
        "blank-first.mp3": b"\n\n  " + hls.encode(),
        "hidden-by-one-frame.mp3": frames[:417] + hls.encode(),
        "flac.flac": b"fLaC" + hls.encode(),
        "mp4.m4a": b"\x00\x00\x00\x14ftypM4A \x00\x00\x00\x00M4A " + hls.encode(),
    }


@pytest.mark.parametrize("name", playlists(Path("/")))
def test_a_playlist_named_mp3_brings_nothing_of_this_machine(
    name: str, take_in: Send, store: Path, tmp_path: Path
) -> None:
    local = secret(tmp_path)

    upload = take_in(playlists(local)[name], name)

    assert_rejected(upload)
    assert str(local) not in upload.reason + str(upload.found)
    assert media.files_under(store) == []


def test_a_playlist_after_real_sound_adds_no_sound(take_in: Send, store: Path, tmp_path: Path) -> None:
    """Three seconds of MP3 with a playlist behind them stay three seconds."""
    sound = media.make("mp3", seconds=3).read_bytes()

    upload = take_in(sound + playlists(secret(tmp_path))["hls.mp3"], "both.mp3")

    assert upload.state == "ready"
    assert abs(upload.work.duration_ms - 3_000) < 100


def test_the_playlists_do_work_on_whoever_does_not_force_a_demuxer(tmp_path: Path) -> None:
    """The control of the tests above: without `-f` ffmpeg opens the machine's file, with it nothing comes."""
    (tmp_path / "original").write_bytes(playlists(secret(tmp_path))["concat.mp3"])
    common = [sandbox.program("ffmpeg"), "-nostdin", "-v", "error"]
    decode = ["-i", str(tmp_path / "original"), "-f", "s16le", "-"]

    careless = subprocess.run([*common, "-safe", "0", "-f", "concat", *decode], capture_output=True, check=False)
    careful = subprocess.run([*common, "-f", "mp3", *decode], capture_output=True, check=False)

    assert len(careless.stdout) > 500_000
    assert careful.stdout == b""


# --- tags ---


def broken_flac() -> bytes:
    """Return FLAC whose comment block says that it has four billion comments."""
    content = bytearray(media.make("flac", seconds=3, tags=(("title", "Nebula"),)).read_bytes())
    at = content.find(b"Lavf")
    content[at + 4 + 10 : at + 4 + 18] = b"\xff" * 8
    comment = content.find(b"title=Nebula".upper()) if b"TITLE=Nebula" in content else content.find(b"title=Nebula")
    content[comment - 8 : comment] = b"\xff" * 8
    return bytes(content)


def broken_id3() -> bytes:
    """Return MP3 with an ID3 tag of frames whose lengths and encodings are nonsense."""
    sound = media.make("mp3", seconds=3).read_bytes()
    sound = sound[sound.find(b"\xff\xfb") :]
    frames = (
        b"TIT2\x7f\x7f\x7f\x7f\xff\xff\x09\xff\xfe\x00" + b"TALB\x00\x00\x00\x04\x00\x00\x01\xff\xfe\xd8" + b"\xff" * 64
    )
    return b"ID3\x04\x00\x00" + bytes((0, 0, len(frames) >> 7, len(frames) & 127)) + frames + sound


def bomb_id3() -> bytes:
    """Return MP3 with a compressed title that unfolds to two gigabytes."""
    packer = zlib.compressobj(9)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    ten_megabytes = packer.compress(bytes(10_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = head + ten_megabytes * 200 + packer.flush()
    sound = media.make("mp3", seconds=3).read_bytes()
    sound = sound[sound.find(b"\xff\xfb") :]

    def synchsafe(number: int) -> bytes:
        return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))

    body = synchsafe(2_000_000_000 & 0x0FFF_FFFF) + packed
    frame = b"TIT2" + synchsafe(len(body)) + b"\x00\x09" + body
    return b"ID3\x04\x00\x00" + synchsafe(len(frame)) + frame + sound


def broken_mp4() -> bytes:
    """Return M4A whose title atom says that it is four gigabytes long."""
    content = bytearray(media.make("m4a", seconds=3, tags=(("title", "Nebula"),)).read_bytes())
    at = content.find(b"\xa9nam")
    content[at - 4 : at] = b"\xff\xff\xff\xff"
    return bytes(content)


@pytest.mark.parametrize("make", [broken_flac, broken_id3, bomb_id3, broken_mp4])
def test_broken_tags_never_cost_the_recording(make: Callable[[], bytes], take_in: Send) -> None:
    upload = take_in(make(), "My Song.bin")

    assert (upload.state, upload.reason) == ("ready", "")
    if make is not broken_id3:  # whose nonsense frames a reader just passes over
        assert upload.found["notes"] == ["The tags in the file are broken and were not read."]
    assert upload.work.title == "My Song"
    assert abs(upload.work.duration_ms - 3_000) < 100


def wide_png() -> bytes:
    """Return a PNG of a few hundred bytes that says it is 60 000 pixels wide and high."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"not a picture",
        photo("JPEG")[:200],
        wide_png(),
        b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    ],
    ids=["empty", "words", "cut short", "60 000 x 60 000", "script"],
)
def test_bad_artwork_gives_a_sleeve_and_a_note(picture: bytes, take_in: Send, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(media.make("mp3", seconds=3).read_bytes())
    tags = ID3(path)
    tags.add(APIC(encoding=3, mime="image/jpeg", type=3, desc="front", data=picture))
    tags.save()

    upload = take_in(path)

    assert upload.work.renditions.get(kind="cover").layout["file"] == "cover.svg"
    assert upload.found["notes"] == ["The artwork in the file could not be read; a sleeve is drawn instead."]


@pytest.mark.parametrize("word", SCRIPTS)
def test_names_in_every_script_survive_and_tricks_do_not(word: str) -> None:
    tricky = TRICKS[:9] + word + TRICKS[9:] + "x"

    assert naming.clean(word, most=300) == naming.clean(naming.clean(word, most=300), most=300)
    assert naming.clean(tricky, most=300).replace("[31m", "") == naming.clean(word, most=300) + " x"
    assert naming.file_name(f"../../{tricky}.flac").endswith(" x.flac")


def test_tags_and_names_in_every_script_reach_the_work(take_in: Send, tmp_path: Path) -> None:
    title = " ".join(SCRIPTS)
    path = tmp_path / "song.flac"
    path.write_bytes(media.make("flac", seconds=3).read_bytes())
    tags = FLAC(path)
    tags["title"] = TRICKS.replace("\x00", "") + title + TRICKS.replace("\x00", "")
    tags["album"] = "Cafe\u0301\u202eevil"
    tags.save()

    upload = take_in(path, f"C:\\{title}\x00\u202e.flac")

    # An escape sequence loses its invisible first character; what is left is harmless ink.
    assert upload.work.title == f"[31m {title}[31m"
    assert upload.work.release.title == "Caféevil"
    assert upload.filename == naming.clean(title, most=250) + ".flac"


def test_an_id3_title_with_control_characters(take_in: Send, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(media.make("mp3", seconds=3).read_bytes())
    tags = ID3(path)
    tags.add(TIT2(encoding=3, text="Sie\x1b]0;owned\x07 \u2067gt\u2069\x00second"))
    tags.save()

    assert take_in(path).work.title == "Sie]0;owned gt"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/", "recording"),
        ("\u202e\x00", "recording"),
        ("...", "recording"),
        (".hidden.flac", "hidden.flac"),
        ("a" * 400 + ".flac", "a" * 250 + ".flac"),
        ("ü" * 400, "ü" * 255),
        ("song\n\none.flac", "song one.flac"),
        ("", "recording"),
    ],
)
def test_file_names_are_cleaned(name: str, kept: str) -> None:
    assert naming.file_name(name) == kept


# --- size, and what stops half way ---


class Drip:
    """Chunks of an upload that counts how many were taken, and may break off."""

    def __init__(self, *, chunks: int, size: int = 1_000_000, stop_at: int | None = None) -> None:
        self.chunks, self.size, self.stop_at, self.taken = chunks, size, stop_at, 0

    def __iter__(self) -> Iterator[bytes]:
        for number in range(self.chunks):
            if number == self.stop_at:
                raise ConnectionResetError("the sender went away")
            self.taken += 1
            yield bytes([number % 251]) * self.size


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder in which temporary files are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_just_over_the_limit_is_refused_and_leaves_nothing(send: Send, store: Path, temporary: Path, settings) -> None:
    settings.UPLOAD_BYTES_MAX = 100_000_000
    drip = Drip(chunks=500)

    with pytest.raises(receiving.TooLarge, match="larger than 100,000,000 bytes") as refusal:
        send(drip)

    assert (refusal.value.status, refusal.value.extra) == (413, {"bytes_most": 100_000_000})
    assert drip.taken == 101
    assert (Upload.objects.count(), media.files_under(store), list(temporary.iterdir())) == (0, [], [])


def test_the_limit_itself_is_taken_without_holding_it_in_memory(send: Send, store: Path, temporary: Path) -> None:
    tracemalloc.start()
    try:
        upload = send(Drip(chunks=100))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (upload.size_bytes, upload.state) == (100_000_000, "received")
    assert (store / upload.original_key).stat().st_size == 100_000_000
    assert peak < 8_000_000
    assert list(temporary.iterdir()) == []


def test_an_upload_that_stops_half_way_leaves_nothing(send: Send, store: Path, temporary: Path) -> None:
    with pytest.raises(ConnectionResetError):
        send(Drip(chunks=20, stop_at=11))

    assert (Upload.objects.count(), media.files_under(store), list(temporary.iterdir())) == (0, [], [])


def test_a_file_that_never_reached_the_store_says_so(send: Send, take_in: Send, store: Path) -> None:
    """The web server died between the row and the file: the row's lease runs out, and its sender is told."""
    upload = send(media.make("flac", seconds=3))
    (store / upload.original_key).unlink()
    gone = upload.id

    upload = take_in(media.make("flac", seconds=3))  # the same file is still on its way: that upload again

    assert upload.id == gone
    assert_rejected(upload, "stopped half way")


def test_a_file_that_reached_the_store_in_part_says_so(send: Send, store: Path) -> None:
    upload = send(media.make("flac", seconds=3))
    key = store / upload.original_key
    key.write_bytes(key.read_bytes()[:1000])

    ingest.advance(upload_id=upload.id, now=upload.created_at)

    upload.refresh_from_db()
    assert_rejected(upload, "only a part of the file arrived")


def test_what_killed_attempts_left_is_removed(send: Send, take_in: Send, temporary: Path) -> None:
    upload = send(media.make("flac", seconds=3))
    own, old, other = (
        temporary / f"refrain-ingest-{name}-x" for name in (upload.id, "of another day", "of another worker")
    )
    for folder in (own, old, other):
        folder.mkdir()
        (folder / "128.mp4").write_bytes(bytes(1000))
    os.utime(old, (0, 0))

    ingest.advance(upload_id=upload.id, now=upload.created_at)

    assert list(temporary.iterdir()) == [other]


def test_nothing_is_left_in_the_temporary_folder(take_in: Send, temporary: Path) -> None:
    take_in(media.make("flac", seconds=3))
    take_in(text(), "text.flac")

    assert list(temporary.iterdir()) == []


# --- limits ---


def test_a_program_that_never_ends_is_ended(tmp_path: Path) -> None:
    endless = [
        sandbox.program("ffmpeg"),
        "-nostdin",
        "-v",
        "error",
        "-re",
        "-f",
        "lavfi",
        "-i",
        "anullsrc",
        "-f",
        "null",
        "-",
    ]
    with pytest.raises(sandbox.ProgramStopped, match="too long"):
        sandbox.output(endless, folder=tmp_path, limits=sandbox.Limits(seconds=2))


def test_a_program_that_computes_without_end_is_ended(tmp_path: Path) -> None:
    with pytest.raises(sandbox.ProgramStopped):
        sandbox.output(["/bin/sh", "-c", "while :; do :; done"], folder=tmp_path, limits=sandbox.Limits(seconds=1))


def test_a_program_that_writes_without_end_is_ended(tmp_path: Path) -> None:
    limits = sandbox.Limits(seconds=20, file_bytes=1_000_000)
    with pytest.raises(sandbox.ProgramStopped, match="SIGXFSZ"):
        sandbox.output(["/bin/sh", "-c", "exec cat /dev/zero > big"], folder=tmp_path, limits=limits)
    assert (tmp_path / "big").stat().st_size == 1_000_000
    with pytest.raises(sandbox.ProgramStopped, match="without end"):
        sandbox.output(["/bin/cat", "/dev/zero"], folder=tmp_path, limits=limits)


def test_a_program_gets_no_more_memory_than_it_may(tmp_path: Path) -> None:
    greedy = ["/usr/bin/env", "python3", "-c", "x = bytearray(900_000_000)"]
    with pytest.raises(sandbox.ProgramFailed, match="MemoryError"):
        sandbox.output(greedy, folder=tmp_path, limits=sandbox.Limits(seconds=20, memory_bytes=300_000_000))


def test_a_program_inherits_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFRAIN_S3_SECRET_KEY", "very secret")
    seen = sandbox.output(["/usr/bin/env"], folder=tmp_path, limits=sandbox.Limits(seconds=5)).decode()
    assert "secret" not in seen
    assert sorted(line.partition("=")[0] for line in seen.splitlines()) == ["HOME", "LC_ALL", "PATH", "TMPDIR"]
