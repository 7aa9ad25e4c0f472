"""Valkey is gone: it held nothing that is money, so charging goes on, and what was sent in is taken up afterwards."""

import os
import signal
import time

import pytest

from infra import serving
from tests import media
from tests.faults.house import Crowd, House, Listener, check_everything

pytestmark = pytest.mark.xdist_group("faults")

# What its absence may add to the slowest request.
ADDS_SECONDS_MOST = 1.0


def test_killed_in_the_middle(house: House, crowd: Crowd) -> None:
    recording = media.make("flac", seconds=12)
    lena = Listener(house.port, 0)
    works = house.query("SELECT count(*) FROM catalog_work")[0][0]
    worker, beat = serving.start_worker(house.stack), serving.start_beat(house.stack)
    try:
        with crowd.playing():
            crowd.wait_for(more=20)
            usual, had = crowd.slowest(), crowd.answered
            house.stack.valkey.child.kill()
            crowd.wait_for(more=20)
            sent = lena.upload(recording)
            crowd.wait_for(more=20)
            slowest = crowd.slowest(after=had)
            house.stack.valkey.start()
            crowd.wait_for(more=10)
        assert (sent.status, sent.content["state"]) == (202, "received")
        assert sent.seconds < usual + ADDS_SECONDS_MOST
        assert slowest < usual + ADDS_SECONDS_MOST
        assert [listener.failures for listener in crowd.listeners] == [[]] * len(crowd.listeners)
        check_everything(house, crowd)

        give_up_at = time.monotonic() + 60
        while (upload := lena.insist("GET", f"uploads/{sent.content['id']}").content)["state"] != "ready":
            assert upload["state"] != "rejected", upload
            assert time.monotonic() < give_up_at, upload
            time.sleep(0.2)
        assert house.query("SELECT count(*) FROM catalog_work") == [(works + 1,)]
        assert house.query("SELECT count(*) FROM catalog_upload WHERE work_id = %s", upload["work"]) == [(1,)]
    finally:
        for child in (beat, worker):
            child.stop()
            house.stack.children.remove(child)


def test_it_takes_calls_and_never_answers(house: House, crowd: Crowd) -> None:
    """A machine that hangs is worse than one that is gone: every call to it waits for its time-out."""
    lena = Listener(house.port, 0)
    with crowd.playing():
        crowd.wait_for(more=20)
        usual, had = crowd.slowest(), crowd.answered
        os.kill(house.stack.valkey.child.pid, signal.SIGSTOP)
        try:
            crowd.wait_for(more=20)
            sent = lena.upload(media.make("wav", seconds=3))
            crowd.wait_for(more=20)
            slowest = crowd.slowest(after=had)
        finally:
            os.kill(house.stack.valkey.child.pid, signal.SIGCONT)
        crowd.wait_for(more=10)
    assert sent.status == 202
    assert sent.seconds < usual + ADDS_SECONDS_MOST
    assert slowest < usual + ADDS_SECONDS_MOST
    assert [listener.failures for listener in crowd.listeners] == [[]] * len(crowd.listeners)
    check_everything(house, crowd)
