"""The demo's gateway as its callers see it: a real process, real HTTP, a real listener for its webhooks."""

import hashlib
import hmac
import itertools
import json
import os
import queue
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.parts.child import Child, free_port

KEY = "key-of-this-test"
BEARER = {"Authorization": f"Bearer {KEY}"}
ROOT = Path(__file__).resolve().parents[2]


class Site(HTTPServer):
    """Stands where Refrain would: notes every webhook, and answers with the statuses it is told to, then 200."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Listener)
        self.statuses: list[int] = []
        self.heard: queue.Queue[tuple[float, str, str, bytes]] = queue.Queue()

    def next_webhook(self) -> tuple[float, str, str, bytes]:
        return self.heard.get(timeout=10)


class Listener(BaseHTTPRequestHandler):
    server: Site

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.put((time.monotonic(), self.path, self.headers["Refrain-Signature"], body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def site_port() -> int:
    return free_port()


@pytest.fixture
def site(site_port: int) -> Iterator[Site]:
    server = Site(site_port)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    yield server
    server.shutdown()
    server.server_close()
    serving.join()


@pytest.fixture
def gateway(site_port: int, tmp_path: Path) -> Iterator[Child]:
    """Give the running gateway; `gateway.url` is where it is."""
    port = free_port(avoid=frozenset({site_port}))
    gateway = Child(
        "play money",
        [sys.executable, "-m", "infra.play_money", "--port", str(port), "--state", str(tmp_path / "till.sqlite3")],
        log=tmp_path / "play-money.log",
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "REFRAIN_GATEWAY_KEY": KEY,
            "REFRAIN_BASE_URL": f"http://127.0.0.1:{site_port}",
        },
    )
    gateway.url = f"http://127.0.0.1:{port}"  # type: ignore[attr-defined]
    start(gateway)
    yield gateway
    gateway.stop()


def start(gateway: Child) -> None:
    gateway.start()
    gateway.wait_until(lambda: answers(gateway.url))  # type: ignore[attr-defined]


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/events", headers=BEARER, timeout=2).status_code == 200
    except requests.ConnectionError:
        return False


def order(**other: Any) -> dict[str, Any]:
    return {
        "reference": str(uuid.uuid4()),
        "person": "00000000-0000-4000-8000-000000000001",
        "amount_cents": 2_000,
        "currency": "EUR",
        "country": "DE",
        "return_url": "http://127.0.0.1:9/wallet?top-up=1",
    } | other


def post(gateway: Any, path: str, body: Any = None, headers: dict[str, str] = BEARER) -> requests.Response:
    return requests.post(gateway.url + path, data=json.dumps(body), headers=headers, timeout=10, allow_redirects=False)


def open_checkout(gateway: Any, **other: Any) -> str:
    made = post(gateway, "/checkouts", order(**other))
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def events(gateway: Any, since: int = 0) -> list[dict[str, Any]]:
    found = requests.get(f"{gateway.url}/events?since={since}", headers=BEARER, timeout=10).json()["events"]
    assert isinstance(found, list)
    return found


def test_the_same_reference_is_the_same_checkout(gateway: Any) -> None:
    wanted = order()
    first, again = post(gateway, "/checkouts", wanted), post(gateway, "/checkouts", wanted)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (
        first.json()
        == again.json()
        == {"id": first.json()["id"], "url": f"{gateway.url}/checkouts/{first.json()['id']}"}
    )
    dearer = post(gateway, "/checkouts", wanted | {"amount_cents": 2_001})
    assert dearer.status_code == 409
    assert events(gateway) == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer é"}])
def test_nobody_without_the_key_opens_settles_or_lists(gateway: Any, headers: dict[str, str]) -> None:
    sent = {name: value.encode() for name, value in headers.items()}
    checkout = open_checkout(gateway)
    assert post(gateway, "/checkouts", order(), sent).status_code == 401
    assert post(gateway, f"/checkouts/{checkout}/settle", None, sent).status_code == 401
    assert requests.get(f"{gateway.url}/events", headers=sent, timeout=10).status_code == 401
    assert events(gateway) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_cents": 0},
        {"amount_cents": -5},
        {"amount_cents": 20.0},
        {"amount_cents": True},
        {"amount_cents": "2000"},
        {"amount_cents": 10_000_001},
        {"person": 7},
        {"currency": ""},
        {"return_url": "javascript:alert(1)"},
        {"return_url": "http://127.0.0.1/\r\nSet-Cookie: a=b"},
        {"tip": 1},
    ],
)
def test_a_wrong_order_is_refused_with_a_sentence(gateway: Any, wrong: dict[str, Any]) -> None:
    refused = post(gateway, "/checkouts", order(**wrong))
    assert refused.status_code == 400
    assert "must" in refused.json()["error"]


def test_a_body_that_is_no_json_or_no_body_at_all_is_refused(gateway: Any) -> None:
    for body in (b"", b"{", b"[]", b"null", b"\xff"):
        refused = requests.post(f"{gateway.url}/checkouts", data=body, headers=BEARER, timeout=10)
        assert refused.status_code == 400
    large = requests.post(f"{gateway.url}/checkouts", data=b" " * 70_000, headers=BEARER, timeout=10)
    assert large.status_code == 413


def test_paying_on_the_page_sends_a_signed_webhook_and_goes_back(gateway: Any, site: Site) -> None:
    wanted = order()
    checkout = post(gateway, "/checkouts", wanted).json()
    page = requests.get(checkout["url"], timeout=10)
    assert page.status_code == 200
    assert 'data-state="open"' in page.text
    assert "Play money" in page.text
    assert "20.00 EUR" in page.text
    assert f'action="/checkouts/{checkout["id"]}/pay"' in page.text

    before = int(time.time())
    paid = post(gateway, f"/checkouts/{checkout['id']}/pay", headers={})
    assert (paid.status_code, paid.headers["Location"]) == (303, wanted["return_url"])

    _moment, path, signature, body = site.next_webhook()
    assert path == "/webhooks/gateway"
    stamp, seal = (part.partition("=")[2] for part in signature.split(","))
    assert before <= int(stamp) <= time.time()
    webhook_key = hmac.new(KEY.encode(), b"webhook", hashlib.sha256).hexdigest().encode()
    assert seal == hmac.new(webhook_key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    event = json.loads(body)
    assert event == {
        "id": str(uuid.UUID(event["id"])),
        "type": "checkout.paid",
        "created": event["created"],
        "checkout": {
            "id": checkout["id"],
            "reference": wanted["reference"],
            "person": wanted["person"],
            "amount_cents": 2_000,
            "currency": "EUR",
            "country": "DE",
            "instrument": event["checkout"]["instrument"],
        },
    }
    assert before <= event["created"] <= time.time()
    assert events(gateway) == [event]
    assert 'data-state="paid"' in requests.get(checkout["url"], timeout=10).text


def test_a_checkout_ends_once(gateway: Any, site: Site) -> None:
    paid, canceled = open_checkout(gateway), open_checkout(gateway)
    for _ in range(2):
        assert post(gateway, f"/checkouts/{paid}/pay", headers={}).status_code == 303
        assert post(gateway, f"/checkouts/{canceled}/cancel", headers={}).status_code == 303
    other_way = post(gateway, f"/checkouts/{paid}/cancel", headers={})
    assert (other_way.status_code, other_way.headers["Location"]) == (303, f"/checkouts/{paid}")
    assert post(gateway, f"/checkouts/{canceled}/settle").status_code == 409
    assert [(e["type"], e["checkout"]["id"]) for e in events(gateway)] == [
        ("checkout.paid", paid),
        ("checkout.canceled", canceled),
    ]
    sent = {json.loads(site.next_webhook()[3])["id"] for _ in range(2)}
    assert sent == {event["id"] for event in events(gateway)}
    time.sleep(0.3)
    assert site.heard.empty()


def test_settling_pays_without_a_person(gateway: Any, site: Site) -> None:
    checkout = open_checkout(gateway)
    for _ in range(2):
        settled = post(gateway, f"/checkouts/{checkout}/settle")
        assert (settled.status_code, settled.json()) == (200, {"id": checkout, "state": "paid"})
    assert json.loads(site.next_webhook()[3])["type"] == "checkout.paid"
    assert len(events(gateway)) == 1


def test_one_person_has_one_instrument(gateway: Any) -> None:
    other = "00000000-0000-4000-8000-000000000002"
    for person in ({}, {}, {"person": other}):
        post(gateway, f"/checkouts/{open_checkout(gateway, **person)}/settle")
    first, second, third = (event["checkout"]["instrument"] for event in events(gateway))
    assert first == second != third


def test_a_webhook_is_sent_again_until_it_is_taken_and_waits_longer_each_time(gateway: Any, site: Site) -> None:
    site.statuses[:] = [500, 302, 404]
    post(gateway, f"/checkouts/{open_checkout(gateway)}/settle")
    tries = [site.next_webhook() for _ in range(4)]
    assert len({body for *_, body in tries}) == 1
    waits = [later[0] - earlier[0] for earlier, later in itertools.pairwise(tries)]
    for wait, least in zip(waits, (0.2, 0.4, 0.8), strict=True):
        assert least - 0.05 <= wait < least + 1
    time.sleep(0.3)
    assert site.heard.empty()


def test_what_was_not_taken_before_a_kill_is_sent_after_it(gateway: Any, request: pytest.FixtureRequest) -> None:
    # Nobody listens yet: the first tries fail.
    checkout = open_checkout(gateway)
    post(gateway, f"/checkouts/{checkout}/settle")
    known = events(gateway)
    gateway.kill()
    site = request.getfixturevalue("site")
    start(gateway)
    assert json.loads(site.next_webhook()[3]) == known[0]
    assert events(gateway) == known
    assert post(gateway, f"/checkouts/{checkout}/settle").json()["state"] == "paid"


def test_events_are_listed_from_a_second_on(gateway: Any) -> None:
    post(gateway, f"/checkouts/{open_checkout(gateway)}/settle")
    (event,) = events(gateway)
    assert events(gateway, since=event["created"]) == [event]
    assert events(gateway, since=event["created"] + 1) == []
    for nonsense in ("yesterday", "-1", "1.5", "9" * 13):
        refused = requests.get(f"{gateway.url}/events?since={nonsense}", headers=BEARER, timeout=10)
        assert refused.status_code == 400


def test_an_unknown_address_is_not_found(gateway: Any) -> None:
    for path in ("/", f"/checkouts/{uuid.uuid4()}", "/checkouts/1"):
        assert requests.get(gateway.url + path, timeout=10).status_code == 404
    assert post(gateway, f"/checkouts/{uuid.uuid4()}/pay", headers={}).status_code == 404
    assert post(gateway, f"/checkouts/{uuid.uuid4()}/settle").status_code == 404


def test_what_the_page_shows_is_escaped(gateway: Any) -> None:
    checkout = open_checkout(gateway, reference="<script>alert(1)</script>[[path]]")
    page = requests.get(f"{gateway.url}/checkouts/{checkout}", timeout=10)
    assert "<script>" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;[[path]]" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_many_checkouts_at_once_cause_one_event_each(gateway: Any, site: Site) -> None:
    wanted = order()

    def on_every_thread(act: Callable[[], requests.Response]) -> list[requests.Response]:
        found: list[requests.Response] = []
        threads = [threading.Thread(target=lambda: found.append(act())) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    opened = on_every_thread(lambda: post(gateway, "/checkouts", wanted))
    assert sorted(answer.status_code for answer in opened) == [200] * 15 + [201]
    (checkout,) = {answer.json()["id"] for answer in opened}
    settled = on_every_thread(lambda: post(gateway, f"/checkouts/{checkout}/settle"))
    assert {answer.status_code for answer in settled} == {200}
    assert len(events(gateway)) == 1
    site.next_webhook()


def test_a_payment_is_taken_back_once_and_decided_once(gateway: Any) -> None:
    open_one, paid = open_checkout(gateway), open_checkout(gateway)
    post(gateway, f"/checkouts/{paid}/pay")
    assert post(gateway, f"/checkouts/{open_one}/chargeback-opened").status_code == 409
    assert post(gateway, f"/checkouts/{paid}/chargeback-won").status_code == 409
    for told in ("opened", "opened", "lost", "won", "won", "lost", "opened"):
        assert post(gateway, f"/checkouts/{paid}/chargeback-{told}").status_code == 303
    found = [event for event in events(gateway) if "chargeback" in event]
    assert [event["type"] for event in found] == ["chargeback.opened", "chargeback.lost", "chargeback.won"]
    assert {(event["chargeback"]["checkout"], event["chargeback"]["amount_cents"]) for event in found} == {
        (paid, 2_000)
    }
    assert len({event["chargeback"]["id"] for event in found}) == 1
