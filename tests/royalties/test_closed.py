"""A restored database is told from the one that ran, and closed: nothing moves, whoever asks, and pages say so."""

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from infra.closed import OPEN_PATHS, READS
from members import clock, lineage, months
from members.lineage import Recovering
from members.models import Closing, Lineage
from playback import cashouts
from royalties import accounts, highwater, ledger, tasks
from tests import callers, cast
from tests.callers import Caller
from tests.journeys.routes.table import WAYS
from tests.royalties import treasury
from tests.royalties.treasury import SEPTEMBER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _outside(settings, tmp_path):
    """Keep the mark in a store of the test's own."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


@pytest.fixture
def lena():
    """Give a listener."""
    return cast.person("lena")


def restored_dump():
    """Let the database be one that was restored from a dump: all that the server tells of it is other."""
    Lineage.objects.update(identity="1.1.1.1")


# How it is told.


def test_a_new_installation_is_open_and_stays_so_through_restarts():
    assert highwater.look() is None
    assert [highwater.keep() for _ in range(3)] == [True, True, True]
    assert highwater.look() is None
    assert Lineage.objects.get().number == 3
    assert not lineage.is_closed()


def test_a_restored_dump_is_closed_at_once_whoever_asks_first():
    highwater.keep()
    restored_dump()
    assert lineage.is_closed()
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        clock.money_moment()
    assert lineage.is_refusal(refused.value)
    found = highwater.look()
    assert "restored from a dump" in found.why
    assert found.lost_since == Lineage.objects.get().lived_until


def test_a_copy_of_the_files_is_behind_its_mark():
    highwater.keep()
    copied = Lineage.objects.values().get()
    highwater.keep()
    assert highwater.look() is None
    Lineage.objects.filter(id=1).update(**copied)
    assert not lineage.is_closed()
    found = highwater.look()
    assert "older than the mark" in found.why
    assert found.lost_since == copied["lived_until"]
    assert lineage.is_closed()
    assert not highwater.keep()


def test_the_mark_of_another_life_closes_and_opening_begins_a_new_one():
    highwater.keep()
    kept = Lineage.objects.values().get()
    highwater.write(lineage.reopen(words="for a test"))
    assert highwater.look() is None
    Lineage.objects.filter(id=1).update(**kept)
    assert "another past" in highwater.look().why
    # Also a database that never lived, in a store that knows an older one.
    Lineage.objects.all().delete()
    Closing.objects.update(opened_at=clock.now(), words="for a test")
    assert "another past" in highwater.look().why


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"life": "x", "number": 1}', b'{"life": null, "number": null}'])
def test_a_mark_that_is_lost_or_broken_closes_nothing(tmp_path, broken):
    highwater.keep()
    (tmp_path / highwater.KEY).write_bytes(broken)
    assert highwater.look() is None
    (tmp_path / highwater.KEY).unlink()
    assert highwater.look() is None
    assert highwater.keep()
    assert (tmp_path / highwater.KEY).read_text().endswith('"number": 2}')


def test_a_store_that_is_away_leaves_the_mark_behind_the_database(settings, tmp_path):
    highwater.keep()
    store = settings.STORAGES
    settings.STORAGES = {**store, "default": {**store["default"], "OPTIONS": {"location": "/proc/nowhere"}}}
    assert highwater.keep()
    settings.STORAGES = store
    assert highwater.look() is None
    assert Lineage.objects.get().number == 2


def test_one_closes_it_oneself_once():
    first = lineage.close(why="a disk was restored", lost_since=clock.now())
    assert lineage.close(why="again") == first
    assert lineage.is_closed()
    with pytest.raises(DatabaseError), transaction.atomic():
        Closing.objects.all().delete()
    lineage.reopen(words="nothing was missing")
    assert not lineage.is_closed()
    assert lineage.standing() is None


# What waits.


def test_while_it_is_closed_the_database_moves_no_money_and_books_nothing(lena):
    cast.top_up(lena, 1_000)
    treasury.seal(SEPTEMBER)
    lineage.close(why="for a test")
    tried = (
        clock.money_moment,
        lambda: cast.top_up(lena, 1_000),
        lambda: cashouts.take(person_id=lena.id, amount_micros=10_000, key="one"),
        lambda: treasury.owe(lena, 1_000),
        lambda: months.close(month=treasury.OCTOBER),
    )
    for one in tried:
        with pytest.raises(DatabaseError) as refused, transaction.atomic():
            one()
        assert lineage.is_refusal(refused.value)
    with pytest.raises(Recovering):
        lineage.check_open()
    with lineage.recovering():
        cast.top_up(lena, 1_000)
    with pytest.raises(DatabaseError), transaction.atomic():
        cast.top_up(lena, 1_000)
    assert cast.wallet(lena).balance_micros == 20_000_000


def test_while_it_is_closed_workers_leave_everything_as_it_is(lena):
    cast.top_up(lena, 1_000)
    lineage.close(why="for a test")
    assert (tasks.post_rows(), tasks.sweep_runs(), tasks.keep_high_water()) == (0, 0, False)
    assert ledger.balance(accounts.WALLETS) == 0


# The edge.


def test_while_it_is_closed_every_address_that_changes_something_refuses(lena):
    lineage.close(why="for a test")
    ask = Caller(lena)
    changed = callers.digest()
    ways = [way for way in WAYS if way.method not in READS and not way.path.startswith(OPEN_PATHS)]
    assert len(ways) > 40
    for way in ways:
        answer = ask(way.method, way.path, way.body)
        assert answer.status_code == 503, way
    assert callers.digest() == changed


def test_pages_say_that_nothing_can_be_paid(lena):
    visitor = Client()
    visitor.force_login(lena)
    words = "The records are being restored"
    assert words not in visitor.get("/wallet").content.decode()
    lineage.close(why="for a test")
    assert words in visitor.get("/wallet").content.decode()
    assert words not in Client().get("/").content.decode()
    answer = visitor.post("/wallet/top-up", {})
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert "Nothing can be paid right now" in answer.content.decode()
