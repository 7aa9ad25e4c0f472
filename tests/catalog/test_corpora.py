"""Hundreds of real and of broken files: each ends as a work or with a reason, none ends a worker or leaves half a work.

Here a sample goes through the whole ingest, and pictures of Pillow's through everything but the store; fuzzed ones
through all that reads a stranger's bytes. With `REFRAIN_LONG=1` it is every picture and 10 000 fuzzed files, and
`test_corpora_whole` sends every file of every corpus through the whole ingest.
"""

import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from catalog import sandbox
from catalog.intake import probing, receiving, sniffing
from catalog.models import Creator, Upload, Work
from catalog.photography import photos
from tests import corpora, media
from tests import photos as made

Send = Callable[..., Upload]

LONG = bool(os.environ.get("REFRAIN_LONG"))
SAMPLE = {"mutagen": 5, "pillow": 7, "singularity-music": 1, "hyperrogue-music": 2, "sonic-pi-samples": 2}
SAMPLE["mate-backgrounds"] = 1
SAMPLE_BYTES_MOST = 300_000
FUZZED_PHOTOS, FUZZED_RECORDINGS, FUZZED_WHOLE = (9_000, 1_000, 60) if LONG else (460, 60, 4)
# So many files are read by one process.
BATCH = 60


def sample(name: str) -> list[Path]:
    """Return the files of a corpus that are tried here: a few small ones, ever the same."""
    by_size = sorted(corpora.files(name), key=lambda path: (path.stat().st_size, path))
    small = [path for path in by_size if path.stat().st_size <= SAMPLE_BYTES_MOST] or by_size[:1]
    return random.Random(2026).sample(small, k=min(len(small), SAMPLE[name]))


def check_ended_well(upload: Upload, store: Path) -> str:
    """Assert that an upload ended as it should, with all of its files or none, and return how."""
    assert upload.leased_until is None
    if upload.state == "rejected":
        assert upload.work is None
        assert upload.original_key == ""
        assert upload.reason.endswith(".")
        assert "Traceback" not in upload.reason
        return "rejected"
    assert (upload.state, upload.reason) == ("ready", "")
    assert (store / upload.original_key).stat().st_size == upload.size_bytes
    wanted = (
        {"view", "preview", "cover"} if upload.work.kind == "photo" else {"hls-128", "hls-256", "cover", "waveform"}
    )
    renditions = {rendition.kind: rendition for rendition in upload.work.renditions.all()}
    assert set(renditions) == wanted
    for rendition in renditions.values():
        if rendition.prefix:
            files = [path for path in (store / rendition.prefix).rglob("*") if path.is_file()]
            assert sum(path.stat().st_size for path in files) == rendition.size_bytes > 0
    return "ready"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", corpora.NAMES)
def test_every_file_ends_as_a_work_or_with_a_reason(name: str, take_in: Send, store: Path) -> None:
    ended: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for path in sample(name):
        if path.stat().st_size == 0:
            ended["empty"] += 1
            continue
        try:
            upload = take_in(path)
        except receiving.AlreadyUploaded:
            ended["sent before"] += 1
            continue
        how = check_ended_well(upload, store)
        ended[how] += 1
        if how == "rejected":
            reasons[upload.reason[:80]] += 1
    print(f"{name}: {dict(ended)}")
    assert sum(ended.values()) == len(sample(name)) > 0
    for reason, count in reasons.most_common(12):
        print(f"  {count} {reason}")
    assert Work.objects.count() == ended["ready"]
    assert Upload.objects.exclude(state__in=["ready", "rejected"]).count() == 0


def read_all(paths: Iterable[Path], folder: Path) -> dict[str, str]:
    """Return what comes of each file in the sandbox; whoever ends the whole process is found and named."""
    outcomes: dict[str, str] = {}
    fonts = [str(finders.find(font)) for font in photos.FONTS]
    waiting = [str(path) for path in paths]
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        (folder / "list").write_text(json.dumps(batch))
        program = sandbox.python("tests.reading", str(folder / "list"), *fonts)
        said = bytearray()
        try:
            for piece in sandbox.stream(program, folder=folder, limits=photos.LIMITS):
                said += piece
        except (sandbox.ProgramFailed, sandbox.ProgramStopped, sandbox.ProgramKilled) as error:
            read = [json.loads(line) for line in said.decode().splitlines()]
            culprit = batch[len(read)]
            outcomes |= {**dict(read), culprit: f"ended the process: {error}"}
            waiting = batch[len(read) + 1 :] + waiting
            continue
        outcomes |= dict(json.loads(line) for line in said.decode().splitlines())
    return outcomes


def check_outcomes(outcomes: dict[str, str]) -> Counter[str]:
    """Assert that no file ended its process, and return how often each thing came of one."""
    assert {name: words for name, words in outcomes.items() if words.startswith("ended the process")} == {}
    return Counter("failed" if words.startswith("failed") else words[:60] for words in outcomes.values())


@pytest.mark.timeout(900)
def test_every_picture_of_pillow_is_read_or_refused(tmp_path: Path) -> None:
    known = corpora.files("pillow")
    paths = [path for path in known if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"}]
    small = [path for path in paths if path.stat().st_size < 200_000]
    fate = random.Random(2026)
    chosen = paths if LONG else fate.sample(small, k=min(len(small), 160))

    outcomes = read_all(chosen, tmp_path)

    counted = check_outcomes(outcomes)
    print(f"{len(outcomes)} pictures of Pillow's: {dict(counted.most_common(8))}")
    assert len(outcomes) == len(chosen)
    assert counted["ready"] > len(chosen) // 2


# --- fuzzed ---


def fuzzed(seeds: list[bytes], number: int, fate: random.Random) -> bytes:
    """Return a seed with some bits flipped, a part cut out, doubled or taken from another, or its end gone."""
    content = bytearray(fate.choice(seeds))
    way = number % 5
    if way == 0:
        for _ in range(fate.choice((1, 2, 8, 64))):
            content[fate.randrange(len(content))] ^= 1 << fate.randrange(8)
    elif way == 1:
        # Where forms say their lengths and sizes, for most of a file is only pixels.
        for _ in range(fate.choice((1, 3))):
            content[fate.randrange(min(len(content), 400))] = fate.choice((0, 1, 0x7F, 0x80, 0xFF, fate.randrange(256)))
    elif way == 2:
        del content[fate.randrange(len(content)) :]
    elif way == 3:
        at, length = fate.randrange(len(content)), fate.randrange(1, 400)
        other = fate.choice(seeds)
        start = fate.randrange(len(other))
        content[at : at + fate.choice((0, length))] = other[start : start + length]
    else:
        at, length = fate.randrange(len(content)), fate.randrange(1, 400)
        piece = content[at : at + length]
        content[at:at] = piece * fate.choice((1, 3)) if fate.random() < 0.5 else b""
        del content[at + length : at + 2 * length]
    return bytes(content) or b"\0"


def photo_seeds() -> list[bytes]:
    picture = made.scene(96, 64)
    seeds = [made.telling(form, size=(96, 64)) for form in made.FORMS]
    seeds += [made.plain("JPEG", picture, progressive=True), made.plain("JPEG", picture.convert("CMYK"))]
    seeds += [made.plain("PNG", picture.quantize(16)), made.plain("PNG", picture.convert("I;16"))]
    seeds += [made.plain("WEBP", picture.convert("RGBA"), lossless=True)]
    seeds += [
        made.plain("TIFF", picture, compression=packing) for packing in ("tiff_lzw", "jpeg", "tiff_adobe_deflate")
    ]
    return seeds


def recording_seeds() -> list[bytes]:
    return [media.make(kind, seconds=1.5, tags=(("title", "T"),)).read_bytes() for kind in media.CODECS]


@pytest.mark.timeout(3_600)
def test_fuzzed_photos_are_read_or_refused(tmp_path: Path) -> None:
    fate, seeds = random.Random(1977), photo_seeds()
    paths = []
    for number in range(FUZZED_PHOTOS):
        paths.append(tmp_path / f"{number}")
        paths[-1].write_bytes(fuzzed(seeds, number, fate))

    outcomes = read_all(paths, tmp_path)

    counted = check_outcomes(outcomes)
    print(f"{len(outcomes)} fuzzed photos: {counted['ready']} ready, {counted['failed']} damaged, the rest refused")
    assert len(outcomes) == FUZZED_PHOTOS
    assert 0 < counted["ready"] < FUZZED_PHOTOS


@pytest.mark.timeout(3_600)
def test_fuzzed_recordings_are_read_or_refused(tmp_path: Path) -> None:
    fate, seeds = random.Random(1978), recording_seeds()
    ended: Counter[str] = Counter()
    paths = []
    for number in range(FUZZED_RECORDINGS):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        paths.append(folder / "original")
        paths[-1].write_bytes(fuzzed(seeds, number, fate))
        try:
            form = sniffing.sniff(paths[-1])
            if isinstance(form, sniffing.Form):
                probing.inspect(folder, form, beat=lambda: None)
            ended["read"] += 1
        except sniffing.Unreadable:
            ended["refused"] += 1

    # Their tags and artwork, by the reader that has a process of its own.
    check_outcomes(read_all(paths, tmp_path))
    print(f"{FUZZED_RECORDINGS} fuzzed recordings: {dict(ended)}")
    assert min(ended["read"], ended["refused"]) > 0


@pytest.mark.timeout(3_600)
def test_fuzzed_files_leave_no_half_works(take_in: Send, store: Path, band: Creator) -> None:
    fate = random.Random(1979)
    seeds = [*photo_seeds(), *recording_seeds()]
    ended: Counter[str] = Counter()
    seen = set()
    for number in range(FUZZED_WHOLE):
        content = fuzzed(seeds, number, fate)
        digest = hashlib.sha256(content).hexdigest()
        if digest not in seen:
            ended[check_ended_well(take_in(content), store)] += 1
        seen.add(digest)
    print(f"{FUZZED_WHOLE} fuzzed files through all of the ingest: {dict(ended)}")
    assert Work.objects.filter(creator=band).count() == ended["ready"]
    originals = {path.name for path in (store / "originals").iterdir()}
    assert len(originals) == ended["ready"]
