"""A fault of ours is not the file's: what cannot begin here waits with words that say so, and goes on by itself."""

import logging
import sys
import sysconfig
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from catalog import ingest, sandbox
from catalog.copies import downloads
from catalog.models import Upload
from catalog.photography import photos
from members import clock
from tests import media
from tests import photos as made

Send = Callable[..., Upload]
Check = Callable[[Upload, str], None]
LATER = timedelta(minutes=1)


@pytest.fixture(params=["photo", "recording"])
def original(request: pytest.FixtureRequest) -> bytes:
    """Give a file of each sort; both are read by processes of their own."""
    return made.plain("JPEG") if request.param == "photo" else media.make("flac", seconds=3).read_bytes()


@pytest.fixture
def check_waits(store: Path, caplog: pytest.LogCaptureFixture) -> Check:
    """Give a check that an upload is looked into in vain, costs its sender nothing, and that we are told why."""

    def check(upload: Upload, told: str) -> None:
        with caplog.at_level(logging.ERROR):
            while ingest.advance(upload_id=upload.id, now=clock.now()):
                pass
            for minutes in (2, 4):
                assert ingest.advance(upload_id=upload.id, now=clock.now() + timedelta(minutes=minutes)) is False
        upload.refresh_from_db()
        assert upload.state in ("received", "inspected")
        assert (upload.attempts, upload.reason) == (0, ingest.WAITS)
        assert (store / upload.original_key).is_file()
        assert caplog.text.count(f"upload {upload.id} waits") == 3
        assert told in caplog.text

    return check


def check_goes_on(upload: Upload) -> None:
    """Assert that an upload becomes a work once its lease has run out, and no word of the fault is left."""
    now = clock.now() + timedelta(minutes=6)
    assert ingest.unfinished(now=now, limit=9) == [upload.id]
    while ingest.advance(upload_id=upload.id, now=now):
        pass
    upload.refresh_from_db()
    assert (upload.state, upload.reason) == ("ready", "")


def test_a_module_that_is_missing_is_our_fault(
    original: bytes,
    send: Send,
    check_waits: Check,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = send(original)
    with monkeypatch.context() as broken:
        broken.setattr(sandbox, "TOP", tmp_path / "nowhere")
        check_waits(upload, "ModuleNotFoundError: No module named 'catalog'")
    check_goes_on(upload)


def test_a_module_that_cannot_be_loaded_is_our_fault(
    send: Send, check_waits: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a deployment: the module is there, and what it says is not whole."""
    module = tmp_path / "half" / "catalog" / "photography" / "pictures.py"
    module.parent.mkdir(parents=True)
    module.write_text("def main(:\n")
    upload = send(made.plain("JPEG"))
    with monkeypatch.context() as broken:
        broken.setattr(sandbox, "TOP", tmp_path / "half")
        check_waits(upload, "SyntaxError")
    check_goes_on(upload)


def test_a_font_that_is_missing_is_our_fault(send: Send, check_waits: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = send(made.plain("JPEG"))
    with monkeypatch.context() as broken:
        broken.setattr(photos, "FONTS", ("fonts/lost.woff2", photos.FONTS[1]))
        check_waits(upload, "fonts/lost.woff2")
    check_goes_on(upload)


@pytest.mark.parametrize(
    "lacking",
    [
        ('for w; do shift; [ "$w" = aac ] && w=not_built; set -- "$@" "$w"; done; exec FFMPEG "$@"', "Unknown encoder"),
        ("echo 'error while loading shared libraries: libx.so.1' >&2; exit 127", "shared libraries"),
    ],
    ids=["without an encoder", "without a library"],
)
def test_an_ffmpeg_that_lacks_a_part_is_our_fault(
    lacking: tuple[str, str],
    send: Send,
    check_waits: Check,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script, told = lacking
    ours, probe = tmp_path / "ffmpeg", sandbox.program("ffprobe")
    ours.write_text(f"#!/bin/sh\n{script.replace('FFMPEG', sandbox.program('ffmpeg'))}\n")
    ours.chmod(0o755)
    upload = send(media.make("flac", seconds=3))
    with monkeypatch.context() as broken:
        broken.setattr(sandbox, "program", {"ffmpeg": str(ours), "ffprobe": probe}.__getitem__)
        check_waits(upload, told)
    check_goes_on(upload)


def test_without_ffmpeg_files_wait(
    send: Send, check_waits: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = send(media.make("flac", seconds=3))
    sandbox.program.cache_clear()
    with monkeypatch.context() as broken:
        broken.setenv("PATH", str(tmp_path))
        broken.setattr(sysconfig, "get_path", lambda name: str(tmp_path / name))
        check_waits(upload, "install the distribution's ffmpeg")
    sandbox.program.cache_clear()
    check_goes_on(upload)


def test_a_copy_to_keep_waits_in_the_same_manner(
    take_in: Send, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work = take_in(media.make("flac", seconds=3)).work
    asked = downloads.ask(work_id=work.id, format="mp3", now=clock.now())
    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        broken.setattr(sandbox, "TOP", tmp_path / "nowhere")
        assert downloads.make(download_id=asked.id, now=clock.now()) is False
    asked.refresh_from_db()
    assert (asked.state, asked.attempts) == ("waiting", 0)
    assert "No module named 'catalog'" in caplog.text

    assert downloads.make(download_id=asked.id, now=clock.now() + LATER) is True


def test_what_a_file_brings_about_stays_the_files_fault(tmp_path: Path) -> None:
    """A program that began, and could not go on with this file."""
    (tmp_path / "nonsense").write_text("no list")
    with pytest.raises(sandbox.ProgramFailed, match="JSONDecodeError"):
        sandbox.output(sandbox.python("tests.reading", "nonsense"), folder=tmp_path, limits=sandbox.Limits(seconds=30))
    with pytest.raises(sandbox.ProgramFailed, match="Cannot determine format"):
        sandbox.output(
            [sandbox.program("ffmpeg"), "-v", "error", "-f", "flac", "-i", "nonsense", "-f", "null", "-"],
            folder=tmp_path,
            limits=sandbox.Limits(seconds=30),
        )
    failing = [sys.executable, "-c", "raise SystemExit(70)"]
    with pytest.raises(sandbox.ProgramMissing):
        sandbox.output(failing, folder=tmp_path, limits=sandbox.Limits(seconds=30))
