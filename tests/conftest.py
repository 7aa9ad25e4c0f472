"""The parts under the tests: one throw-away PostgreSQL and Valkey for a run, S3 when a test asks for it.

All of it happens when this file is imported, before Django's settings are: so that `pytest tests/members` works on a
clone without another command, and so that conftests of sub-folders may import models. Under xdist the first process
starts PostgreSQL for all; each worker makes its own database in it and starts a Valkey and a store folder of its own.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import hypothesis
import pytest

from infra import throwaway
from infra.parts.seaweedfs import SeaweedFS
from infra.parts.valkey import Valkey
from infra.stack import Stack

# How long one example takes says something about the machine's load and nothing about the code.
hypothesis.settings.register_profile("refrain", deadline=None)
hypothesis.settings.load_profile("refrain")

WORKER = os.environ.get("PYTEST_XDIST_WORKER")


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="refrain-tests-"))
    folder.chmod(0o711)  # PostgreSQL may run as another user, who has to pass through here.
    return folder


# A demo that is running somewhere must never be what is tested.
os.environ.pop("REFRAIN_DATA", None)
os.environ.setdefault("REFRAIN_MODE", "test")

FOLDER: Path | None = None
STACK: Stack | None = None
VALKEY: Valkey | None = None

if WORKER:
    FOLDER = _new_folder()
    VALKEY = Valkey(FOLDER / "valkey", logs=FOLDER)
    VALKEY.start()
    os.environ["REFRAIN_VALKEY_URL"] = VALKEY.url
    os.environ["REFRAIN_STORE_DIR"] = str(FOLDER / "store")
elif "REFRAIN_DB_HOST" not in os.environ:
    FOLDER = _new_folder()
    STACK = Stack(FOLDER, mode="test", durable=False)
    try:
        throwaway.furnish(STACK)
        STACK.start()
    except BaseException as error:
        sys.stderr.write(f"The stack for the tests did not start; its logs are in {FOLDER}.\n{error}\n")
        raise
    os.environ.update(STACK.env())
    # The database of each process is a copy of the migrated one.
    os.environ["REFRAIN_DB_TEMPLATE"] = STACK.postgres.database

os.environ["DJANGO_SETTINGS_MODULE"] = "infra.settings"
django.setup()
if not WORKER:
    # Workers inherit this environment. With the variable in it they would load settings before they have a Valkey.
    del os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a group's tests in one process (`xdist_group`).

    pytest-xdist 3.8 writes the group's name into `_nodeid`, which pytest 9.2 no longer reads, and says nothing; every
    process then started each group's servers anew.
    """
    for item in items if WORKER else ():
        groups = [str(mark.args[0]) for mark in item.iter_markers("xdist_group")]
        if groups and "@" not in item.nodeid.rpartition("]")[2]:
            item._id = type(item.id).parse(f"{item.nodeid}@{'_'.join(sorted(set(groups)))}")


def pytest_unconfigure() -> None:
    """Stop what was started here."""
    if VALKEY is not None:
        VALKEY.stop()
    if STACK is not None:
        STACK.stop()
    if FOLDER is not None:
        shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture
def _emptied_by_us(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty the database in our way: Django's is refused by triggers, and would take what the migrations wrote."""
    from django.test import TransactionTestCase  # noqa: PLC0415  (settings are loaded above)

    from tests import cast  # noqa: PLC0415

    monkeypatch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: cast.forget_everything())


@pytest.fixture
def committed(_emptied_by_us: None, transactional_db: None) -> None:
    """Give a database in which a commit is a commit, emptied afterwards down to what the migrations wrote."""


@pytest.fixture(scope="session")
def s3() -> Iterator[SeaweedFS]:
    """Give a real S3 server with an empty bucket; tests point the settings at it."""
    folder = _new_folder()
    server = SeaweedFS(folder, logs=folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)
