"""Cash-outs and transfers over HTTP, field by field."""

import pytest

from tests import callers, cast
from tests.callers import Caller, slug
from tests.playback.till import send

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(till):
    callers.forget_counts()
    return till


def test_a_cash_out_over_http(till):
    lena = cast.person("lena")
    top_up = cast.top_up(lena, 1_000, vat_ppm=190_000)
    ask, body = Caller(lena), {"amount_micros": 4_200_000}
    planned = ask.get("wallet/cash-outs/plan?amount_micros=4200000").json()
    (part,) = planned["refunds"]
    assert (part["top_up"], part["net_micros"], part["vat_micros"]) == (str(top_up.id), 4_200_000, 800_000)
    assert (planned["available_micros"], planned["balance_after_micros"]) == (8_400_000, 4_200_000)
    body["plan_hash"] = planned["plan_hash"]
    made = ask.post("wallet/cash-outs", body, Idempotency_Key="k")
    again = ask.post("wallet/cash-outs", body, Idempotency_Key="k")
    assert (made.status_code, again.status_code, made.json() == again.json()) == (201, 201, True)
    assert made.json()["refunds"][0]["state"] == "waiting"
    send()
    found = ask.get(f"wallet/cash-outs/{made.json()['id']}").json()
    assert (found["refunds"][0]["state"], found["balance_after_micros"]) == ("refunded", 4_200_000)
    assert ask.get("wallet/cash-outs").json()["results"] == [found]
    refused = ask.post("wallet/cash-outs", {"amount_micros": 9_000_000}, Idempotency_Key="l")
    assert (refused.status_code, slug(refused), refused.json()["available_micros"]) == (
        409,
        "cash-out-refused",
        4_200_000,
    )
    for wrong in ("", "?amount_micros=", "?amount_micros=x", "?amount_micros=-1", "?amount_micros=5"):
        assert ask.get(f"wallet/cash-outs/plan{wrong}").status_code == 400
    assert ask.post("wallet/cash-outs", {"amount_micros": 10_000}).status_code == 400
    receipt = ask.get(f"wallet/top-ups/{top_up.id}").json()
    assert (receipt["gross_cents"], receipt["net_cents"], receipt["vat_cents"]) == (1_000, 840, 160)
    assert cast.wallet(lena).balance_micros == 4_200_000


def test_a_transfer_over_http_and_on_its_page(till, client):
    lena, tess, tom = cast.person("lena"), cast.treasurer("tess"), cast.treasurer("tom")
    cast.top_up(lena, 1_000)
    till.says = lambda _: "too-old"
    Caller(lena).post("wallet/cash-outs", {"amount_micros": 3_000_000}, Idempotency_Key="k")
    Caller(lena).post("wallet/cash-outs", {"amount_micros": 1_000_000}, Idempotency_Key="l")
    send()
    first, second = Caller(tess).get("staff/transfers").json()["results"]
    assert (first["gross_micros"], first["entry"], first["listener"]) == (3_000_000, None, str(lena.id))
    account = {"refund": first["refund"], "holder": "Lena", "iban": "DE89 3704 0044 0532 0130 00"}
    entry = Caller(tess).post("staff/transfers", account)
    assert (entry.status_code, entry.json()["released_at"]) == (201, None)
    path = f"staff/transfers/{first['refund']}/release/{entry.json()['id']}"
    assert slug(Caller(tess).post(path)) == "not-allowed"
    client.force_login(tom)
    page = client.get("/staff/transfers").content.decode()
    assert "DE •••• 3000" in page
    assert "0440532013" not in page.replace(" ", "")
    assert client.post(f"/{path}").status_code == 302
    assert Caller(tom).post(path).json()["released_at"]
    given = Caller(tom).post(f"staff/transfers/{second['refund']}/give-up", {"reason": "Kept."})
    assert (given.status_code, given.json()["state"]) == (200, "returned")
    assert Caller(tess).get("staff/transfers").json()["results"] == []
    assert cast.wallet(lena).balance_micros == 7_000_000
