"""The web server is killed while it charges: whoever asks again finds the truth."""

import http.client
import random
import threading
import time

import pytest

from infra.bench import population
from tests.faults.house import LENA, Crowd, House, Listener, audit, check_everything, children_of

# The web's commits that wait for a stand-by; one of PostgreSQL's own housekeeping may wait as well.
HELD = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'refrain_web'"

pytestmark = pytest.mark.xdist_group("faults")


def test_between_commit_and_answer(house: House) -> None:
    """PostgreSQL holds the commit, already on disk, as it does for a stand-by that is away; there the server dies."""
    lena = Listener(house.port, LENA)
    began = lena.insist("POST", "sessions", {"work": str(population.work_id(0))}).content
    charge = f"sessions/{began['id']}/charge", {"price_micros": began["price_micros"]}
    unanswered: list[BaseException] = []

    def ask() -> None:
        try:
            lena.ask("POST", *charge)
        except (OSError, http.client.HTTPException) as broken:
            unanswered.append(broken)

    with house.stack.postgres.connect() as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'somebody_who_is_away'")
        connection.execute("SELECT pg_reload_conf()")
        try:
            asking = threading.Thread(target=ask)
            asking.start()
            give_up_at = time.monotonic() + 20
            while not connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND usename = 'refrain_web'"
            ).fetchall():
                assert time.monotonic() < give_up_at
                time.sleep(0.01)
            house.kill_web()
            asking.join()
        finally:
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_reload_conf()")
    assert len(unanswered) == 1

    house.serve()
    charges = "SELECT amount_micros, play_number FROM playback_charge WHERE session_id = %s"
    assert house.query(charges, began["id"]) == [(2000, 1)]
    found = lena.insist("POST", *charge)
    assert (found.status, found.content["charged_micros"], found.content["play_number"]) == (200, 2000, 1)
    assert found.content["balance_micros"] == population.CREDIT_CENTS * 10_000 - 2000
    assert lena.insist("POST", *charge).content == found.content
    assert house.query(charges, began["id"]) == [(2000, 1)]
    with house.connect() as connection:
        audit(connection)


def test_at_any_moment_of_a_stream_of_charges(house: House, crowd: Crowd) -> None:
    draw = random.Random(20261122)
    with crowd.playing():
        for _ in range(4):
            crowd.wait_for(more=draw.randint(5, 40))
            time.sleep(draw.random() / 20)
            house.kill_web()
            house.serve()
        crowd.wait_for(more=20)
    assert sum(len(listener.failures) for listener in crowd.listeners) > 0
    check_everything(house, crowd)


def test_one_process_of_it(house: House, crowd: Crowd) -> None:
    """The server replaces a process that died, and the others answer meanwhile."""
    web = house.web
    assert web is not None
    with crowd.playing():
        for _ in children_of(web.pid):  # a server gives up on a process that dies twice within five seconds
            crowd.wait_for(more=10)
            house.kill_oldest_web_process()
        crowd.wait_for(more=20)
    assert web.is_running()
    check_everything(house, crowd)
