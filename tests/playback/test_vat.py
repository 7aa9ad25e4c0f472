"""VAT by country and day; none outside the EU; and the rest of what the wallet's history promises."""

from datetime import date
from uuid import UUID

import pytest

from members import clock
from members.forms import COUNTRIES
from playback import reversals, topups, vat, wallets
from playback.charging import KeyReused
from playback.models import PromoGrant
from tests import callers, cast
from tests.callers import Caller
from tests.simulation.gateway import Gateway

EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"


@pytest.mark.parametrize(
    ("country", "on", "ppm"),
    [
        ("DE", date(2026, 11, 22), 190_000),
        ("FR", date(2026, 11, 22), 200_000),
        ("HU", date(2026, 11, 22), 270_000),
        ("FI", date(2024, 8, 31), 240_000),
        ("FI", date(2024, 9, 1), 255_000),
        ("SK", date(2024, 12, 31), 200_000),
        ("SK", date(2025, 1, 1), 230_000),
        ("EE", date(2025, 6, 30), 220_000),
        ("EE", date(2025, 7, 1), 240_000),
        ("RO", date(2025, 7, 31), 190_000),
        ("RO", date(2025, 8, 1), 210_000),
        ("LU", date(2000, 1, 1), 170_000),
        ("CH", date(2026, 11, 22), 0),
        ("ZZ", date(2026, 11, 22), 0),
    ],
)
def test_a_rate_is_of_a_country_and_a_day(country, on, ppm):
    assert vat.rate(country, on=on) == ppm
    assert vat.regime(country) == ("spv" if ppm else "none")


def test_every_country_of_the_eu_has_a_rate_within_the_directives_bounds():
    assert " ".join(sorted(vat.RATES)) == EU
    assert set(EU.split()) < {code for code, _ in COUNTRIES}
    for rates in vat.RATES.values():
        assert [since for since, _ in rates] == sorted({since for since, _ in rates})
        assert all(150_000 <= ppm <= 270_000 for _, ppm in rates)


def test_one_rate_for_all_where_it_is_set(settings):
    settings.VAT_PPM = 77_000
    assert [vat.rate(country, on=date(2026, 1, 1)) for country in ("DE", "CH")] == [77_000] * 2
    settings.VAT_PPM = 0
    assert (vat.rate("DE", on=date(2026, 1, 1)), vat.regime("DE")) == (0, "none")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "net", "tax", "regime"),
    [("DE", 840, 160, "spv"), ("HU", 787, 213, "spv"), ("FI", 797, 203, "spv"), ("CH", 1_000, 0, "none")],
)
def test_a_top_up_is_taxed_where_the_listener_lives(monkeypatch, country, net, tax, regime):
    monkeypatch.setattr(topups, "gateway", Gateway)
    top_up = topups.start(
        person_id=cast.person().id,
        amount_cents=1_000,
        country=country,
        evidence=["stated"],
        idempotency_key="k",
        return_url="https://refrain.example/wallet",
        now=clock.now(),
    )
    topups.take_in(event=cast.event(top_up), now=clock.now())
    top_up.refresh_from_db()
    assert (top_up.net_cents, top_up.vat_cents, top_up.regime) == (net, tax, regime)


# The history.


@pytest.mark.django_db
def test_lines_of_one_moment_at_the_edge_of_a_page_are_all_told():
    lena, tess, now = cast.person("lena"), cast.treasurer(), clock.now()
    ids = [UUID(int=number) for number in range(1, 121)]
    PromoGrant.objects.bulk_create(
        PromoGrant(
            id=name,
            listener=lena,
            staff=tess,
            reason="A gift",
            amount_micros=1,
            granted_at=now,
            balance_after_micros=0,
            promo_after_micros=1,
        )
        for name in ids
    )
    callers.forget_counts()
    ask, path, told = Caller(lena), "wallet/entries", []
    while path:
        page = ask.get(path).json()
        told += [UUID(line["id"]) for line in page["results"]]
        path = page["next"] and page["next"].partition("/api/v1/")[2]
    assert told == ids[::-1]
    seen, before, before_id = [], None, None
    while found := wallets.entries(person_id=lena.id, before=before, before_id=before_id, limit=7):
        seen += [line.row_id for line in found]
        before, before_id = found[-1].at, found[-1].row_id
    assert seen == ids[::-1]


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", ["before=x", "before_id=x", "before=2026-01-01T00:00:00Z&before_id=1"])
def test_a_place_in_the_history_that_is_none_is_refused(wrong):
    callers.forget_counts()
    assert Caller(cast.person()).get(f"wallet/entries?{wrong}").status_code == 400


@pytest.mark.django_db
def test_a_grants_key_covers_its_reason():
    lena, tess = cast.person("lena"), cast.treasurer()
    reversals.fund_budget(amount_micros=10)
    asked = {"listener_id": lena.id, "staff_id": tess.id, "amount_micros": 2, "key": "k"}
    first = reversals.grant(reason="Welcome", **asked)
    assert reversals.grant(reason=" Welcome ", **asked) == first
    with pytest.raises(KeyReused):
        reversals.grant(reason="Goodbye", **asked)
    assert cast.wallet(lena).promo_micros == 2


# The pages.


@pytest.mark.django_db
def test_the_pages_of_cashing_out(client):
    lena = cast.person("lena")
    client.force_login(lena)
    assert b"There is nothing to cash out" in client.get("/wallet/cash-out").content
    top_up = cast.top_up(lena, 1_000, vat_ppm=190_000)
    assert "€8.40".encode() in client.get("/wallet/cash-out").content
    assert client.get("/wallet/cash-out?amount_micros=9").status_code == 409
    assert client.get("/wallet/cash-out?amount_micros=nothing").status_code == 400
    shown = client.get("/wallet/cash-out?amount_micros=4.20")
    assert "€5.00".encode() in shown.content
    assert cast.wallet(lena).balance_micros == 8_400_000
    confirmed = shown.context["confirm_form"].initial
    cast.top_up(lena, 100)
    refused = client.post("/wallet/cash-out", confirmed)
    assert (refused.status_code, b"plan-changed" in refused.content) == (409, True)
    assert cast.wallet(lena).balance_micros == 9_400_000
    confirmed = refused.context["confirm_form"].initial
    for _ in range(2):
        done = client.post("/wallet/cash-out", confirmed)
        assert done.status_code == 302
    assert cast.wallet(lena).balance_micros == 5_200_000
    page = client.get(done.headers["Location"])
    assert b"waits for the payment gateway" in page.content
    receipt = client.get(f"/wallet/top-ups/{top_up.id}/receipt")
    assert "€1.60".encode() in receipt.content
    assert "€3.20".encode() in receipt.content
    history = client.get("/wallet").content
    assert f"/wallet/top-ups/{top_up.id}/receipt".encode() in history
    assert b"Cashed out" in history
