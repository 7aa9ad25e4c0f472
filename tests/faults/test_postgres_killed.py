"""PostgreSQL is killed in the middle: nothing that was acknowledged is lost, and charging goes on by itself."""

import random
import time

import pytest

from tests.faults.house import Crowd, House, check_everything

pytestmark = pytest.mark.xdist_group("faults")


def test_it_promises_what_survives_a_crash(house: House) -> None:
    with house.stack.postgres.connect() as connection:
        for promise in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {promise}").fetchone() == ("on",)


def test_in_the_middle_of_a_stream_of_charges(house: House, crowd: Crowd) -> None:
    draw = random.Random(20261123)
    web = house.web
    assert web is not None
    pid = web.pid
    with crowd.playing():
        for _ in range(3):
            crowd.wait_for(more=draw.randint(20, 60))
            time.sleep(draw.random() / 20)
            house.kill_postgres()
            time.sleep(0.5)  # so that everybody meets it dead
            house.stack.postgres.start()
            # Each of them goes on, through a server that nobody started again.
            before = [len(listener.charged) for listener in crowd.listeners]
            crowd.wait_for(more=10)
        for listener, had in zip(crowd.listeners, before, strict=True):
            give_up_at = time.monotonic() + 30
            while len(listener.charged) == had:
                assert time.monotonic() < give_up_at, listener.failures[-5:]
                time.sleep(0.01)
    assert (web.pid, web.is_running()) == (pid, True)
    failures = {failure for listener in crowd.listeners for failure in listener.failures}
    assert failures == {"503 /problems/unavailable"}
    check_everything(house, crowd)
