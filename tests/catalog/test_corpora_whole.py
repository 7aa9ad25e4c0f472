"""All files of other people's test suites and free media, through all of the ingest, by several workers at once.

Some 1 500 files, minutes of work: only with `REFRAIN_LONG=1`. `test_corpora` tries a sample of them in every run.
"""

import hashlib
import multiprocessing
import os
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connections

from catalog import ingest
from catalog.intake import receiving
from catalog.models import Release, Upload, Work
from members import clock
from tests import cast, corpora, media
from tests.catalog.test_corpora import check_ended_well

WORKERS = os.cpu_count() or 1
SLOW_SHOWN, SHOW_EVERY_SECONDS = 5, 15


@dataclass(frozen=True)
class Sender:
    """Who sends the files, to which profile, and where its store is."""

    person_id: uuid.UUID
    creator_id: uuid.UUID
    store: Path

    def send(self, path: Path) -> Upload:
        """Send a file and take it to its end."""
        upload = receiving.receive(
            person_id=self.person_id,
            creator_id=self.creator_id,
            filename=path.name,
            chunks=media.chunks(path),
            now=clock.now(),
        )
        while ingest.advance(upload_id=upload.id, now=clock.now()):
            pass
        upload.refresh_from_db()
        return upload

    def end_of(self, path: Path) -> tuple[Path, str, str, float]:
        """Send a file, check that it ended well, and return how, the reason if it was rejected, and the seconds."""
        began = time.perf_counter()
        upload = self.send(path)
        return path, check_ended_well(upload, self.store), upload.reason, time.perf_counter() - began


def each_once(paths: tuple[Path, ...]) -> tuple[list[Path], list[Path], list[Path]]:
    """Return the files that hold something nobody sent before, those that repeat one of these, and the empty ones."""
    seen: set[str] = set()
    first, again, empty = [], [], []
    for path in paths:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        (empty if path.stat().st_size == 0 else again if digest in seen else first).append(path)
        seen.add(digest)
    return first, again, empty


def ends(sender: Sender, paths: list[Path], say: Callable[[str], None]) -> Iterator[tuple[Path, str, str, float]]:
    """Yield how each file ended; as many at once as there are cores. A worker that dies ends the test."""
    connections.close_all()
    said = time.perf_counter()
    with ProcessPoolExecutor(WORKERS, mp_context=multiprocessing.get_context("fork")) as workers:
        for number, end in enumerate(workers.map(sender.end_of, paths), start=1):
            yield end
            if time.perf_counter() - said > SHOW_EVERY_SECONDS:
                said = time.perf_counter()
                say(f"  {number} of {len(paths)}")


@pytest.mark.skipif(not os.environ.get("REFRAIN_LONG"), reason="takes minutes: set REFRAIN_LONG=1")
@pytest.mark.timeout(3_600)
@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("name", corpora.NAMES)
def test_all_files_end_as_works_or_with_reasons(
    name: str,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def say(words: str) -> None:
        with capfd.disabled():
            print(words, flush=True)

    rooms = tmp_path / "rooms"
    rooms.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(rooms))
    ana = cast.person("ana")
    sender = Sender(person_id=ana.id, creator_id=cast.creator(ana).id, store=store)
    first, again, empty = each_once(corpora.files(name))
    say(f"\n{name}: {len(first)} files, {len(again)} of the same content again, {len(empty)} empty")

    ended: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    took: list[tuple[float, str]] = []
    for path, how, reason, seconds in ends(sender, first, say):
        ended[how] += 1
        reasons[reason] += 1
        took.append((seconds, path.name))
        if how == "rejected" and os.environ.get("REFRAIN_TELL"):
            say(f"    {path.name}: {reason}")
    del reasons[""]
    say(f"  {ended['ready']} ready, {ended['rejected']} rejected; {sum(s for s, _ in took):.0f} s of work")
    for reason, count in reasons.most_common():
        say(f"  {count:4} {reason}")
    say("  slowest: " + ", ".join(f"{file} {seconds:.1f} s" for seconds, file in sorted(took)[: -SLOW_SHOWN - 1 : -1]))

    # The same content sent again is that work, or is refused again; nothing of it stays.
    works = Work.objects.count()
    for path in again:
        try:
            assert sender.end_of(path)[1] == "rejected"
        except receiving.AlreadyUploaded:
            ended["sent before"] += 1
    for path in empty:
        with pytest.raises(receiving.Invalid):
            sender.send(path)

    # No half works: every file in the store belongs to one that is whole, and no room is left.
    assert Work.objects.count() == works == ended["ready"]
    assert not Upload.objects.exclude(state__in=["ready", "rejected"]).exists()
    assert not Release.objects.filter(works=None).exists()
    prefixes = {
        rendition.prefix
        for work in Work.objects.prefetch_related("renditions")
        for rendition in work.renditions.all()
        if rendition.prefix
    }
    kept = media.files_under(store)
    originals = {key for key in kept if key.startswith("originals/")}
    assert originals == set(Upload.objects.filter(state="ready").values_list("original_key", flat=True))
    assert {key.rpartition("/")[0] + "/" for key in kept if key not in originals} == prefixes
    assert list(rooms.iterdir()) == []
