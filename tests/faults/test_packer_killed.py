"""The worker is killed while it packs a library: another one packs it anew, and nothing of the first is left."""

import hashlib
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import serving
from infra.parts.child import Child
from members import clock
from playback import exports, tasks
from playback.library_models import LibraryExport
from tests import cast
from tests.playback.kept_files import keep, own
from tests.site import Site

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.usefixtures("committed")]

WAIT_SECONDS = 120
# Enough to be met in the middle, and read from nowhere: the files have holes in place of bytes.
FILES, FILE_BYTES = 3, 150_000_000


@pytest.fixture
def site(committed: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Give a site whose workers share this test's database, broker and store."""
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


def wait_for(export: LibraryExport, worker: Child, reached: Callable[[LibraryExport], bool]) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        export.refresh_from_db()
        if reached(export):
            return
        assert worker.is_running(), worker.last_words()
        assert time.monotonic() < give_up_at, f"{export.state} {export.percent} %: {worker.last_words()}"
        time.sleep(0.02)


def test_the_worker_that_packs(site: Site) -> None:
    store = site.folder / "store"
    lena, profile = cast.person("lena"), cast.creator(cast.person("ana"))
    cast.top_up(lena, 2_000)
    for _ in range(FILES):
        work = cast.track(profile)
        own(lena, work)
        made = keep(store, work)
        with (store / made.key).open("r+b") as file:
            file.truncate(FILE_BYTES)
        type(made).objects.filter(id=made.id).update(size_bytes=FILE_BYTES)
    export = exports.ask(person_id=lena.id, format="original", now=clock.now())
    worker = serving.start_worker(site)
    tasks.wake_export(export.id)
    part = store / f"exports/{export.id}/1/refrain-library.zip.part"
    wait_for(export, worker, lambda _: part.exists() and part.stat().st_size > FILE_BYTES // 3)

    worker.kill()

    export.refresh_from_db()
    assert (export.state, export.attempts) == ("packing", 1)
    assert part.exists()
    worker = serving.start_worker(site)
    tasks.sweep_exports.delay()
    time.sleep(2)
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("packing", 1), "its lease still runs"
    clock.set_offset(timedelta(minutes=3))
    tasks.sweep_exports.delay()
    wait_for(export, worker, lambda one: one.state in ("ready", "failed"))
    assert (export.state, export.attempts, export.packed) == ("ready", 2, FILES)
    zipped = store / export.key
    assert [path for path in (store / "exports").rglob("*") if path.is_file()] == [zipped]
    with zipped.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == export.sha256
    with zipfile.ZipFile(zipped) as archive:
        assert archive.testzip() is None
        assert sum(one.file_size == FILE_BYTES for one in archive.infolist()) == FILES
