"""Top-ups: credit is the net of what the gateway says was paid, once, in whichever order its webhooks come."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members import clock, money
from members.models import Month, Notice
from members.problems import Invalid, NotFound
from playback import topups, wallets
from playback.charging import KeyReused
from playback.gateways import GatewaySilent
from playback.models import GatewayEvent, TopUp, Wallet
from playback.topups import SignatureRefused
from playback.wallets import WalletFrozen
from tests import cast
from tests.simulation.gateway import Gateway

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(monkeypatch):
    """Give a payment provider that answers, or does not."""
    provider = Gateway()
    monkeypatch.setattr(topups, "gateway", lambda: provider)
    return provider


def start(listener, cents=1_000, *, key="one", country="DE"):
    return topups.start(
        person_id=listener.id,
        amount_cents=cents,
        country=country,
        evidence=["account"],
        idempotency_key=key,
        return_url="https://refrain.example/wallet",
        now=clock.now(),
    )


def asked(listener, cents=1_000, *, vat_ppm=190_000):
    return TopUp.objects.create(
        listener=listener,
        asked_cents=cents,
        country="DE",
        vat_ppm=vat_ppm,
        created_at=clock.now(),
        checkout_id=str(uuid4()),
    )


def take_in(event):
    return topups.take_in(event=event, now=clock.now())


@pytest.mark.parametrize(
    ("gross", "vat_ppm", "net", "vat"),
    [
        (1_000, 190_000, 840, 160),
        (1_000, 210_000, 826, 174),
        (1_000, 0, 1_000, 0),
        (500, 190_000, 420, 80),
        (2_000, 190_000, 1_681, 319),
        (100, 190_000, 84, 16),
        (999, 190_000, 839, 160),
        (50_000, 255_000, 39_841, 10_159),
        (333, 77_000, 309, 24),
    ],
)
def test_credit_is_the_net_and_vat_the_rest_in_whole_cents(lena, gross, vat_ppm, net, vat):
    top_up = cast.top_up(lena, gross, vat_ppm=vat_ppm)
    assert (top_up.state, top_up.gross_cents, top_up.net_cents, top_up.vat_cents) == ("settled", gross, net, vat)
    assert cast.wallet(lena).balance_micros == net * 10_000
    assert top_up.balance_after_micros == net * 10_000
    assert cast.entries_sum(lena) == (net * 10_000, 0)
    told = Notice.objects.get(key=f"top-up:{top_up.id}")
    assert money.show_cents(gross) in told.body
    assert money.show_cents(vat) in told.body


@given(st.integers(min_value=1, max_value=10**9), st.integers(min_value=0, max_value=300_000))
def test_net_and_vat_are_the_gross_for_every_rate(gross, vat_ppm):
    net, vat = money.allocate(gross, [money.PPM, vat_ppm])
    assert net + vat == gross
    assert abs(vat * (money.PPM + vat_ppm) - gross * vat_ppm) <= money.PPM + vat_ppm


def test_the_amount_is_the_gateways_and_not_the_browsers(lena):
    top_up = asked(lena, 50_000)
    assert take_in(cast.event(top_up, cents=1_000))
    top_up.refresh_from_db()
    assert (top_up.asked_cents, top_up.gross_cents, top_up.net_cents) == (50_000, 1_000, 840)
    assert cast.wallet(lena).balance_micros == 8_400_000


def test_a_webhook_delivered_twice_credits_once(lena):
    top_up = asked(lena)
    event = cast.event(top_up)
    assert take_in(event)
    assert not take_in(event)
    assert not take_in({**event, "checkout": {**event["checkout"], "amount_cents": 99_999}})
    assert cast.wallet(lena).balance_micros == 8_400_000
    assert GatewayEvent.objects.count() == 1


def test_two_events_that_say_paid_credit_once(lena):
    top_up = asked(lena)
    assert take_in(cast.event(top_up))
    assert take_in(cast.event(top_up))
    assert cast.wallet(lena).balance_micros == 8_400_000
    assert GatewayEvent.objects.count() == 2


@pytest.mark.parametrize("order", [("paid", "canceled"), ("canceled", "paid"), ("canceled", "paid", "canceled")])
def test_paid_wins_over_canceled_in_whichever_order_they_come(lena, order):
    top_up = asked(lena)
    for kind in order:
        assert take_in(cast.event(top_up, kind=f"checkout.{kind}"))
    top_up.refresh_from_db()
    assert top_up.state == "settled"
    assert cast.wallet(lena).balance_micros == 8_400_000


def test_a_canceled_top_up_brings_no_credit(lena):
    top_up = asked(lena)
    take_in(cast.event(top_up, kind="checkout.canceled"))
    top_up.refresh_from_db()
    assert (top_up.state, top_up.gross_cents) == ("canceled", None)
    assert cast.wallet(lena).balance_micros == 0


def test_a_webhook_that_comes_days_late_is_credited_when_it_comes(lena):
    top_up = asked(lena)
    cast.set_clock(clock.now() + timedelta(days=20))
    take_in(cast.event(top_up))
    top_up.refresh_from_db()
    assert top_up.settled_at - top_up.created_at > timedelta(days=19)
    assert cast.wallet(lena).balance_micros == 8_400_000


def test_a_webhook_in_a_closed_month_is_booked_in_the_open_one(lena):
    this_month = clock.month(clock.now())
    Month.objects.create(starts_on=this_month, state="closing", closed_at=clock.now())
    top_up = cast.top_up(lena, 1_000)
    assert top_up.settled_at == clock.start_of((this_month + timedelta(days=32)).replace(day=1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference": "nobody"},
        {"reference": "00000000-0000-4000-8000-000000000000"},
        {"currency": "USD"},
        {"amount_cents": 0},
        {"amount_cents": -500},
    ],
)
def test_what_cannot_be_credited_is_kept_and_moves_nothing(lena, wrong):
    top_up = asked(lena)
    event = cast.event(top_up)
    assert take_in({**event, "checkout": {**event["checkout"], **wrong}})
    top_up.refresh_from_db()
    assert top_up.state == "started"
    assert GatewayEvent.objects.count() == 1
    assert cast.wallet(lena).balance_micros == 0


def test_an_event_of_another_kind_is_kept_and_moves_nothing(lena):
    top_up = asked(lena)
    assert take_in(cast.event(top_up, kind="checkout.expired"))
    assert cast.wallet(lena).balance_micros == 0


def test_a_dispute_does_not_swallow_what_was_paid(lena):
    top_up = asked(lena)
    wallets.set_goes_on(person_id=lena.id, goes_on=False)
    Wallet.objects.filter(listener=lena).update(frozen_at=clock.now())
    take_in(cast.event(top_up))
    assert cast.wallet(lena).balance_micros == 8_400_000


# Asking.


def test_a_top_up_opens_a_checkout_and_brings_nothing_yet(lena, gateway):
    top_up = start(lena, 1_000)
    assert (top_up.state, top_up.asked_cents, top_up.country, top_up.vat_ppm) == ("started", 1_000, "DE", 190_000)
    assert top_up.checkout_url == f"https://pay.example/checkout-{top_up.id}"
    assert cast.wallet(lena).balance_micros == 0


def test_the_same_key_is_the_same_top_up_and_not_for_another_sum(lena, gateway):
    first = start(lena, 1_000)
    assert start(lena, 1_000).id == first.id
    with pytest.raises(KeyReused):
        start(lena, 2_000)
    assert start(lena, 2_000, key="two").id != first.id
    assert start(cast.person("lars"), 2_000).id != first.id
    assert TopUp.objects.count() == 3


def test_a_silent_gateway_loses_nothing_and_the_same_request_goes_on(lena, gateway):
    gateway.silent = True
    with pytest.raises(GatewaySilent):
        start(lena)
    row = TopUp.objects.get()
    assert (row.state, row.checkout_id) == ("started", "")
    gateway.silent = False
    assert start(lena).id == row.id
    assert TopUp.objects.get().checkout_id == f"checkout-{row.id}"


@pytest.mark.parametrize("cents", [99, 50_001, 0, -1_000])
def test_a_top_up_is_between_one_and_five_hundred(lena, gateway, cents):
    with pytest.raises(Invalid):
        start(lena, cents)
    assert not TopUp.objects.exists()


@pytest.mark.parametrize("country", ["", "D", "DEU", "D1", "ÄÖ"])
def test_a_country_is_two_letters(lena, gateway, country):
    with pytest.raises(Invalid):
        start(lena, country=country)
    assert not TopUp.objects.exists()


def test_a_frozen_wallet_asks_for_nothing_new_but_a_kept_answer_stays(lena, gateway):
    first = start(lena)
    Wallet.objects.filter(listener=lena).update(frozen_at=clock.now())
    with pytest.raises(WalletFrozen):
        start(lena, key="two")
    assert start(lena).id == first.id


def test_a_top_up_is_ones_own(lena, gateway):
    top_up = start(lena)
    assert topups.get(person_id=lena.id, top_up_id=top_up.id).id == top_up.id
    for person, name in ((cast.person("lars"), top_up.id), (lena, uuid4())):
        with pytest.raises(NotFound):
            topups.get(person_id=person.id, top_up_id=name)


def test_what_no_webhook_told_is_pulled_once(lena, gateway):
    first, second = start(lena), start(lena, key="two")
    told = gateway.tell(first.id, "checkout.paid", 1_000)
    gateway.tell(second.id, "checkout.paid", 1_000)
    take_in(told)
    now = clock.now()
    assert topups.pull(since=now - timedelta(days=1), now=now) == 1
    assert topups.pull(since=now - timedelta(days=1), now=now) == 0
    assert cast.wallet(lena).balance_micros == 16_800_000


# Signatures.

ACTUAL = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def header(body, *, at=ACTUAL, key=None):
    stamp = str(int(at.timestamp()))
    mac = hmac.new(key or topups.webhook_key(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac}"


def test_the_gateways_signature_passes_for_five_minutes():
    for seconds in (-300, -1, 0, 299, 300):
        topups.check_signature(header=header(b"{}"), body=b"{}", actual=ACTUAL + timedelta(seconds=seconds))
    for seconds in (-301, 301, 10**6):
        with pytest.raises(SignatureRefused):
            topups.check_signature(header=header(b"{}"), body=b"{}", actual=ACTUAL + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "t=,v1=",
        "v1=00",
        "t=1777888800",
        "t=1777888800,v1=",
        "t=1777888800,v1=é",
        "t=-1,v1=00",
        "t=²,v1=00",
        "t=9999999999999999999,v1=00",
        "nonsense",
    ],
)
def test_what_the_gateway_did_not_sign_is_refused(wrong):
    with pytest.raises(SignatureRefused):
        topups.check_signature(header=wrong, body=b"{}", actual=ACTUAL)


def test_a_signature_is_for_one_message_one_moment_and_one_key():
    good = header(b'{"a": 1}')
    topups.check_signature(header=good, body=b'{"a": 1}', actual=ACTUAL)
    later = header(b'{"a": 1}', at=ACTUAL + timedelta(seconds=1)).partition(",")[0] + "," + good.partition(",")[2]
    for wrong, body in (
        (good, b'{"a": 2}'),
        (later, b'{"a": 1}'),
        (header(b'{"a": 1}', key=b"another"), b'{"a": 1}'),
    ):
        with pytest.raises(SignatureRefused):
            topups.check_signature(header=wrong, body=body, actual=ACTUAL)


def test_an_event_is_read_only_in_the_gateways_shape(lena):
    event = cast.event(asked(lena))
    assert topups.read_event(json.dumps(event).encode()) == event
    checkout = event["checkout"]
    for wrong in (
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        json.dumps({**event, "id": 1}).encode(),
        json.dumps({**event, "checkout": []}).encode(),
        json.dumps({**event, "checkout": {**checkout, "amount_cents": 10.0}}).encode(),
        json.dumps({**event, "checkout": {**checkout, "amount_cents": True}}).encode(),
        json.dumps({**event, "checkout": {**checkout, "amount_cents": "1000"}}).encode(),
        json.dumps({key: value for key, value in event.items() if key != "type"}).encode(),
    ):
        with pytest.raises(Invalid):
            topups.read_event(wrong)
