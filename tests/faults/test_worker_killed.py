"""The worker is killed in the middle of an ingest: another one finishes, and there is one work."""

import os
import signal
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog import ingest, tasks
from catalog.intake import receiving
from catalog.models import Upload, Work
from infra import serving
from infra.parts.child import Child
from members import clock
from tests import cast, media
from tests.faults.house import children_of
from tests.site import Site

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.usefixtures("committed")]

WAIT_SECONDS = 120


@pytest.fixture
def site(committed: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Give a site whose workers share this test's database, broker, store and folder for temporary files."""
    for folder in ("store", "temporary"):
        (tmp_path / folder).mkdir()
    settings.STORE_DIR = tmp_path / "store"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "store")},
        },
    }
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    site = Site(tmp_path, env={"TMPDIR": str(tmp_path / "temporary")})
    yield site
    site.stop()


@pytest.fixture
def upload(request: pytest.FixtureRequest, site: Site) -> Upload:
    """Give a track that has just arrived: of so many seconds, or long enough to be met in the middle."""
    ana, seconds = cast.person("ana"), getattr(request, "param", 70)
    return receiving.receive(
        person_id=ana.id,
        creator_id=cast.creator(ana).id,
        filename="song.flac",
        chunks=media.chunks(media.make("flac", seconds=seconds)),
        now=clock.now(),
    )


def wait_for(upload: Upload, worker: Child, reached: Callable[[Upload], bool]) -> None:
    """Return once the row says what is waited for."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        upload.refresh_from_db()
        if reached(upload):
            return
        assert worker.is_running(), worker.last_words()
        assert time.monotonic() < give_up_at, f"{upload.state} {upload.percent} %: {worker.last_words()}"
        time.sleep(0.1)


def is_rendering(upload: Upload) -> bool:
    """Return whether ffmpeg is in the middle of it."""
    return upload.state == "inspected" and 10 < upload.percent < 80


def is_finished(upload: Upload) -> bool:
    """Return whether nothing is left to do."""
    return upload.state in ("ready", "rejected")


def working_in(folder: Path) -> list[int]:
    """Return the processes whose working folder is in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def assert_one_whole_work(site: Site, upload: Upload) -> None:
    """Assert that the upload became one work, and that the store holds its files and no others."""
    assert (upload.state, upload.reason, upload.percent, upload.leased_until) == ("ready", "", 100, None)
    assert Work.objects.count() == 1
    kept = {upload.original_key}
    for rendition in upload.work.renditions.all():
        layout = rendition.layout
        names = [layout["file"]] if "file" in layout else []
        if "init" in layout:
            names = [layout["init"]["file"], *(segment["file"] for segment in layout["segments"])]
        kept |= {rendition.prefix + name for name in names}
    assert upload.work.renditions.count() == 4
    assert set(media.files_under(site.folder / "store")) == kept
    assert list((site.folder / "temporary").glob("refrain-*")) == []


def go_on(site: Site, upload: Upload) -> None:
    """Let the dead worker's lease run out, and the sweep wake another."""
    worker = serving.start_worker(site)
    tasks.sweep_uploads.delay()
    time.sleep(2)
    upload.refresh_from_db()
    assert upload.state == "inspected", "its lease still runs"

    clock.set_offset(timedelta(minutes=3))
    tasks.sweep_uploads.delay()
    wait_for(upload, worker, is_finished)


def test_the_whole_worker(site: Site, upload: Upload) -> None:
    """As a power cut would: parent, children and ffmpeg at once."""
    worker = serving.start_worker(site)
    tasks.wake(upload.id)
    wait_for(upload, worker, is_rendering)
    assert len(working_in(site.folder / "temporary")) == 1

    worker.kill()

    give_up_at = time.monotonic() + 5
    while working_in(site.folder / "temporary"):
        assert time.monotonic() < give_up_at, "ffmpeg goes on without anybody to read what it makes"
        time.sleep(0.05)
    upload.refresh_from_db()
    assert (upload.state, upload.work, upload.attempts) == ("inspected", None, 1)
    go_on(site, upload)
    assert_one_whole_work(site, upload)


def test_one_process_of_it(site: Site, upload: Upload) -> None:
    """The child that works is killed; its parent lives, gives the message back, and the lease keeps others out."""
    worker = serving.start_worker(site)
    tasks.wake(upload.id)
    wait_for(upload, worker, is_rendering)

    for pid in children_of(worker.pid):
        os.kill(pid, signal.SIGKILL)

    go_on(site, upload)
    assert_one_whole_work(site, upload)


@pytest.mark.parametrize("upload", [5], indirect=True)
def test_between_the_files_and_the_work(site: Site, upload: Upload) -> None:
    """All files are made and none is shown: the last step alone is done again."""
    for _ in range(2):
        assert ingest.advance(upload_id=upload.id, now=clock.now()) is True
    upload.refresh_from_db()
    assert (upload.state, Work.objects.count()) == ("rendered", 0)
    made = media.files_under(site.folder / "store")

    worker = serving.start_worker(site)
    tasks.sweep_uploads.delay()
    wait_for(upload, worker, is_finished)

    assert_one_whole_work(site, upload)
    assert media.files_under(site.folder / "store") == made


@pytest.mark.parametrize("upload", [5], indirect=True)
def test_a_message_about_nothing_is_forgotten(site: Site, upload: Upload) -> None:
    """A message may come twice, or about an upload that is finished or never was."""
    worker = serving.start_worker(site)
    tasks.advance_upload.delay(str(uuid.uuid4()))
    tasks.wake(upload.id)
    tasks.wake(upload.id)
    wait_for(upload, worker, is_finished)
    tasks.wake(upload.id)
    time.sleep(1)

    upload.refresh_from_db()
    assert_one_whole_work(site, upload)
    assert worker.is_running()
    assert "Traceback" not in site.log_of(worker)
