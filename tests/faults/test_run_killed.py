"""Workers are killed in the middle of a royalty run, in each of its steps and at random moments: the same bytes come.

The month is small, and the kill is a kill: SIGKILL to the processes that do the work, twenty times and once per step.
What they had not committed is gone with them; whoever is called next goes on.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from catalog.models import Work
from infra import serving
from infra.celery import celery_app
from infra.parts.child import Child
from members import clock
from royalties import runs, tasks
from royalties.ledger_models import Transfer
from royalties.publication_models import Publication
from royalties.run_models import Run
from tests import cast
from tests.faults.house import children_of
from tests.royalties import counting, running
from tests.site import Site

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.usefixtures("committed")]
Step = Run.Step
OCTOBER = date(2026, 10, 1)
BEFORE = datetime(2026, 9, 20, 12, tzinfo=UTC)
THE_TENTH = datetime(2026, 10, 10, 12, tzinfo=UTC)
KILLS = 20
WAIT_SECONDS = 60
# What each step cannot do without: while it is locked, the step stands in its middle.
NEEDED = {
    Step.POSTING: "royalties_postingmark",
    Step.GATHERING: "royalties_group",
    Step.LINING: "royalties_line",
    Step.COUNTING: "royalties_group",
    Step.CHECKING: "royalties_line",
    Step.BOOKING: "royalties_transfer",
    Step.STATING: "royalties_statement",
    Step.PUBLISHING: "royalties_publication",
    Step.SEALING: "members_notice",
}
WRITTEN = (
    *("royalties_line", "royalties_group", "royalties_statement", "royalties_publication", "royalties_runshard"),
    *("royalties_run", "royalties_transfer", "royalties_postingmark", "royalties_posting", "royalties_account"),
    *("members_notice", "royalties_postedwork"),
)


@pytest.fixture
def site(committed: None, tmp_path: Path, settings: Any) -> Iterator[Site]:
    """Give a site whose workers share this test's database, broker and store."""
    settings.STORE_DIR = tmp_path / "store"
    settings.STORE_DIR.mkdir()
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(settings.STORE_DIR)},
        },
    }
    site = Site(tmp_path)
    # The bundle names who issued it: this process and the workers are one co-op.
    settings.BASE_URL = site.base_url
    yield site
    site.stop()


def listen() -> None:
    """Let some people listen in October: to works with shares that leave micros over, and to one that has no sheet."""
    cast.set_clock(BEFORE)
    payees = [cast.person(name) for name in ("ana", "ben", "cleo")]
    listeners = [cast.person() for _ in range(3)]
    for listener in listeners:
        cast.top_up(listener, 500)
    split = ((600_000, 400_000), (1_000_000,), (333_334, 333_333, 333_333), (1, 999_998, 1), (500_000, 500_000))
    works = [counting.work(list(zip(payees, shares, strict=False)), since=BEFORE) for shares in split]
    works.append(cast.track(cast.creator(cast.person("new")), state=Work.State.DRAFT, now=BEFORE))
    for place, work in enumerate(works):
        for number, listener in enumerate(listeners):
            charged = counting.charge(listener, work, 10_007 + 13 * place + number, at=THE_TENTH, number=number + 1)
            if place == number:
                counting.give_back(charged, at=THE_TENTH + timedelta(days=1))
    running.start_of_next(OCTOBER)


def everything() -> dict[str, object]:
    """Return all that the run wrote, down to the bytes of the bundle."""
    booked = Transfer.objects.exclude(key__startswith="posting:").order_by("key")
    return {
        **running.everything_of(OCTOBER),
        "booked": list(booked.values_list("debit", "credit", "amount_micros", "key", "month", "happened_at")),
        "bundle": Publication.objects.get(month=OCTOBER).zip_sha256,
    }


def forget() -> None:
    """Let the month be as it was when it had just closed: a superuser of a throw-away database may."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for table in WRITTEN:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  (names from above)
        cursor.execute("UPDATE members_month SET state = 'closing', sealed_at = NULL")
        cursor.execute("SET session_replication_role = origin")


def bring_to(step: Step) -> None:
    """Bring the month's run to a step. A call that was left over may help; if it went further, begin again."""
    while True:
        celery_app.control.purge()
        forget()
        runs.begin(month=OCTOBER, now=clock.now())
        while (run := Run.objects.get(month=OCTOBER)).state == Run.State.RUNNING and before(run.step, step):
            runs.advance(month=OCTOBER, now=clock.now())
        if run.step == step:
            return


def before(step: str, other: str) -> bool:
    return runs.STEPS.index(Step(step)) < runs.STEPS.index(Step(other))


def finish(worker: Child) -> None:
    """Call the worker as the sweep does, until the month is sealed."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        tasks.work_on_run.delay(OCTOBER.isoformat())
        look_again_at = time.monotonic() + 0.7
        while time.monotonic() < look_again_at:
            run = Run.objects.get(month=OCTOBER)
            assert run.state != Run.State.STUCK, run.words
            if run.state == Run.State.SEALED:
                return
            time.sleep(0.02)
        assert worker.is_running(), worker.last_words()
        assert time.monotonic() < give_up_at, f"{run.step} {run.percent} %: {worker.last_words()}"


def kill_what_works(worker: Child) -> None:
    for pid in children_of(worker.pid):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def locked(table: str) -> Iterator[psycopg.Connection[Any]]:
    """Keep everybody from a table."""
    with psycopg.connect(**connection.get_connection_params()) as ours:
        ours.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")  # type: ignore[arg-type]
        yield ours
        ours.rollback()


def wait_for_somebody_at(table: str, worker: Child) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", [table])
            if cursor.fetchone()[0]:
                return
        assert worker.is_running(), worker.last_words()
        assert time.monotonic() < give_up_at, f"nobody came to {table}: {worker.last_words()}"
        time.sleep(0.02)


def test_a_worker_killed_anywhere_in_a_run(site: Site) -> None:
    listen()
    run = running.close(OCTOBER)
    assert (run.state, run.held_micros > 0, run.gross_micros > 0) == (Run.State.SEALED, True, True)
    expected = everything()
    worker = serving.start_worker(site)

    for step, table in NEEDED.items():
        bring_to(step)
        with locked(table):
            tasks.work_on_run.delay(OCTOBER.isoformat())
            wait_for_somebody_at(table, worker)
            kill_what_works(worker)
        assert Run.objects.get(month=OCTOBER).step == step, "what was not committed is not done"
        finish(worker)
        assert everything() == expected, step

    chance = random.Random(1977)
    took = 0.5
    for _ in range(KILLS):
        forget()
        runs.begin(month=OCTOBER, now=clock.now())
        began = time.monotonic()
        tasks.work_on_run.delay(OCTOBER.isoformat())
        tasks.work_on_run.delay(OCTOBER.isoformat())
        time.sleep(chance.uniform(0, took))
        kill_what_works(worker)
        finish(worker)
        took = max(0.2, min(took, time.monotonic() - began))
        assert everything() == expected
