"""Credit is bought: the demo's gateway as it runs there, a process of its own that tells us by signed webhooks."""

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from members import clock
from playback.models import TopUp, Wallet
from tests import callers, cast
from tests.site import Site, committing

pytestmark = pytest.mark.xdist_group("topping-up")
EURO = 1_000_000


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, transactional_db: None) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    try:
        site.serve()
        site.open_till()
        yield site
    finally:
        site.stop()


@pytest.fixture
def lena(site: Site) -> str:
    callers.forget_counts()
    return callers.token(cast.person("lena"), "listen", "spend")


def settled(site: Site, token: str, path: str) -> dict[str, Any]:
    """Ask until the gateway's word has come."""
    for _ in range(200):
        found = site.ask("GET", path, token).json()
        if found["state"] == "settled":
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def top_up(site: Site, token: str, body: dict[str, Any], key: str = "", **headers: str) -> Any:
    named = {"Idempotency-Key": key or str(uuid4()), **headers}
    return site.ask("POST", "/api/v1/wallet/top-ups", token, json=body, headers=named)


def test_play_money_settles_it_without_a_person(site: Site, lena: str) -> None:
    answer = top_up(site, lena, {"amount_micros": 20 * EURO}, **{"X-Play-Money": "settle"})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert set(made) == {"id", "state", "checkout_url"}
    assert made["checkout_url"].startswith(f"{site.gateway_url}/checkouts/")
    found = settled(site, lena, f"/api/v1/wallet/top-ups/{made['id']}")
    assert {name: found[name] for name in made} == {**made, "state": "settled"}
    assert (found["gross_cents"], found["net_cents"], found["vat_cents"], found["country"]) == (2_000, 1_681, 319, "DE")
    # 19 per cent of VAT are in it: 20.00 are 16.81 and 3.19.
    wallet = site.ask("GET", "/api/v1/wallet", lena).json()
    assert (wallet["balance_micros"], wallet["promo_micros"]) == (16_810_000, 0)
    entry = site.ask("GET", "/api/v1/wallet/entries", lena).json()["results"]
    assert [(line["kind"], line["amount_micros"], line["id"]) for line in entry] == [("top-up", 16_810_000, made["id"])]


def test_without_the_header_it_waits_for_a_person(site: Site, lena: str) -> None:
    made = top_up(site, lena, {"amount_micros": 5 * EURO}).json()
    assert made["state"] == "started"
    page = site.ask("GET", made["checkout_url"])
    assert "5.00 EUR" in page.text
    paid = site.ask("POST", f"{made['checkout_url']}/pay")
    assert (paid.status_code, paid.headers["Location"]) == (303, f"{site.base_url}/wallet")
    settled(site, lena, f"/api/v1/wallet/top-ups/{made['id']}")
    assert site.ask("GET", "/api/v1/wallet", lena).json()["balance_micros"] == 4_200_000


def test_one_key_is_one_top_up(site: Site, lena: str) -> None:
    body = {"amount_micros": 10 * EURO}
    first = top_up(site, lena, body, "once", **{"X-Play-Money": "settle"})
    settled(site, lena, f"/api/v1/wallet/top-ups/{first.json()['id']}")
    again = top_up(site, lena, body, "once", **{"X-Play-Money": "settle"})
    assert (again.status_code, again.json()) == (201, {**first.json(), "state": "settled"})
    for other in ({"amount_micros": 11 * EURO}, {"amount_micros": 10 * EURO, "country": "FR"}):
        answer = top_up(site, lena, other, "once")
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/key-reused")
    assert site.ask("GET", "/api/v1/wallet", lena).json()["balance_micros"] == 8_400_000


@pytest.mark.parametrize(
    "body",
    [
        {"amount_micros": 20 * EURO + 1},
        {"amount_micros": 990_000},
        {"amount_micros": 500_010_000},
        {"amount_micros": 0},
        {"amount_micros": -EURO},
        {"amount_micros": 20.0 * EURO},
        {"amount_micros": "20000000"},
        {"amount_micros": True},
        {"amount_micros": 2**53},
        {"amount_micros": 20 * EURO, "country": "DEU"},
        {"amount_micros": 20 * EURO, "country": "D1"},
        {"amount_micros": 20 * EURO, "country": None},
        {"amount_micros": 20 * EURO, "vat_ppm": 0},
        {},
    ],
)
def test_what_is_no_top_up(site: Site, lena: str, body: dict[str, Any]) -> None:
    before = callers.digest()
    answer = top_up(site, lena, body)
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid")
    assert callers.digest() == before


def test_another_persons_top_up_is_nowhere(site: Site, lena: str) -> None:
    made = top_up(site, lena, {"amount_micros": 5 * EURO}).json()
    lars = callers.token(cast.person("lars"))
    answer = site.ask("GET", f"/api/v1/wallet/top-ups/{made['id']}", lars)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def test_a_frozen_wallet_takes_no_top_up(site: Site) -> None:
    lars = cast.person("lars")
    Wallet.objects.create(listener=lars, frozen_at=clock.now())
    answer = top_up(site, callers.token(lars), {"amount_micros": 5 * EURO})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/wallet-frozen")
    assert not TopUp.objects.filter(listener=lars).exists()


def test_a_silent_gateway_costs_nothing_and_the_same_key_goes_on_later(site: Site, lena: str) -> None:
    till = next(child for child in site.children if child.name == "Gateway")
    till.stop()
    site.children.remove(till)
    body = {"amount_micros": 10 * EURO}
    answer = top_up(site, lena, body, "patient", **{"X-Play-Money": "settle"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/gateway-unreachable")
    site.open_till()
    answer = top_up(site, lena, body, "patient", **{"X-Play-Money": "settle"})
    assert answer.status_code == 201
    settled(site, lena, f"/api/v1/wallet/top-ups/{answer.json()['id']}")
    assert site.ask("GET", "/api/v1/wallet", lena).json()["balance_micros"] == 8_400_000


def test_a_webhook_that_is_not_the_gateways_changes_nothing(site: Site, lena: str) -> None:
    made = top_up(site, lena, {"amount_micros": 5 * EURO}).json()
    event = cast.event(TopUp.objects.get(id=made["id"]))
    before = callers.digest()
    for header in ("", "t=1,v1=ab", f"t={int(time.time())},v1={'0' * 64}", "t=1e9,v1=é", "t=" + "9" * 40 + ",v1=x"):
        named = {"Refrain-Signature": header.encode()} if header else {}
        answer = site.ask("POST", "/webhooks/gateway", json=event, headers=named)
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/signature-refused")
    assert site.ask("GET", "/webhooks/gateway").status_code == 405
    assert callers.digest() == before
