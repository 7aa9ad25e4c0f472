"""The worker is killed between taking credit and knowing that it was refunded: exactly one refund, whatever was lost.

The gateway is the demo's own, a process; it is stopped while the worker asks it, so that the worker dies with the
question under way and the gateway's answer reaches nobody.
"""

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import serving
from members import clock
from members.models import Person
from playback import cashouts, tasks, topups
from playback.cashout_models import CashOut, Refund
from playback.models import GatewayEvent, TopUp
from tests import cast
from tests.site import Site

pytestmark = [pytest.mark.xdist_group("faults"), pytest.mark.usefixtures("committed")]
WAIT_SECONDS = 90


@pytest.fixture
def site(committed: None, tmp_path: Path, settings: Any) -> Iterator[Site]:
    """Give a site whose web server, worker and gateway share this test's database and broker."""
    site = Site(tmp_path)
    settings.GATEWAY_URL, settings.BASE_URL = site.gateway_url, site.base_url
    yield site
    site.stop()


def wait_until(reached: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not reached():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def bought(site: Site, lena: Person, cents: int) -> TopUp:
    """Buy credit at the gateway, without waiting for its webhook."""
    top_up = topups.start(
        person_id=lena.id,
        amount_cents=cents,
        country="DE",
        evidence=["stated"],
        idempotency_key="top-up",
        return_url=f"{site.base_url}/wallet",
        now=clock.now(),
    )
    topups.gateway().settle(checkout_id=top_up.checkout_id)
    topups.pull(since=clock.now() - timedelta(minutes=5), now=clock.now())
    top_up.refresh_from_db()
    assert top_up.state == "settled"
    return top_up


def refunds_in(site: Site) -> list[tuple[str, int]]:
    with sqlite3.connect(f"file:{site.folder}/play-money.sqlite3?mode=ro", uri=True) as till:
        return till.execute("SELECT reference, amount_cents FROM refunds").fetchall()


def test_a_worker_killed_while_it_asks(site: Site) -> None:
    lena, till = cast.person("lena"), site.open_till()
    bought(site, lena, 1_000)
    worker = serving.start_worker(site)
    os.kill(till.pid, signal.SIGSTOP)
    taken, _ = cashouts.take(person_id=lena.id, amount_micros=8_400_000, key="out")
    tasks.wake_refunds()
    wait_until(lambda: Refund.objects.filter(attempts=1).exists())
    time.sleep(0.5)  # the question is on its way

    worker.kill()
    os.kill(till.pid, signal.SIGCONT)
    wait_until(lambda: len(refunds_in(site)) == 1)
    # What the gateway did, nobody here knows; its webhook finds no web server either.
    assert Refund.objects.get().state == "waiting"
    assert CashOut.objects.get() == taken

    again = serving.start_worker(site)
    tasks.send_refunds.delay()
    time.sleep(1)
    assert Refund.objects.get().attempts == 1, "the dead worker's lease still runs"
    clock.set_offset(timedelta(minutes=2))
    tasks.send_refunds.delay()
    wait_until(lambda: Refund.objects.get().state == "refunded")

    refund = Refund.objects.get()
    assert refunds_in(site) == [(str(refund.id), 1_000)]
    assert refund.attempts == 2
    # And what the webhook would have said changes nothing.
    topups.pull(since=clock.now() - timedelta(days=1), now=clock.now())
    assert GatewayEvent.objects.filter(refund=refund, type="refund.paid").count() == 1
    assert cast.wallet(lena).balance_micros == 0
    assert cast.entries_sum(lena) == (0, 0)
    assert again.is_running()


def test_refusals_and_old_payments_are_the_gateways_word(site: Site) -> None:
    """The demo's till can be told to refuse, or to find a payment too old; the signed webhook brings it."""
    lena = cast.person("lena")
    site.open_till()
    top_up = bought(site, lena, 1_000)
    assert site.ask("POST", f"{top_up.checkout_url}/refunds-refused").status_code == 303
    cashouts.take(person_id=lena.id, amount_micros=4_000_000, key="one")
    cashouts.send_waiting(now=clock.now())
    topups.pull(since=clock.now() - timedelta(minutes=5), now=clock.now())
    assert Refund.objects.get().state == "returned"
    assert cast.wallet(lena).balance_micros == 8_400_000

    assert site.ask("POST", f"{top_up.checkout_url}/refunds-too-old").status_code == 303
    taken, _ = cashouts.take(person_id=lena.id, amount_micros=4_000_000, key="two")
    cashouts.send_waiting(now=clock.now())
    assert [one.state for one in cashouts.parts_of(taken)] == ["transfer"]
    # Never more than was paid, whoever asks.
    beyond = {"reference": "x", "checkout": top_up.checkout_id, "amount_cents": 1_001}
    key = {"Authorization": f"Bearer {os.environ.get('REFRAIN_GATEWAY_KEY', 'play-money-key-for-throw-away-tests')}"}
    assert site.ask("POST", f"{site.gateway_url}/refunds", json=beyond, headers=key).status_code == 409
    assert site.ask("POST", f"{site.gateway_url}/refunds", json=beyond).status_code == 401
