"""Chargebacks: what a bank takes back, what of it the wallet bears and what the co-op, and who lets the wallet move."""

from contextlib import suppress
from itertools import count

import pytest
from django.db import transaction
from django.db.utils import DatabaseError, IntegrityError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members import clock
from members.models import Notice
from members.problems import Invalid, NotAllowed, NotFound
from playback import cashouts, chargebacks, charging, holdings, sessions, topups
from playback.cashouts import CannotCashOut
from playback.chargeback_models import Chargeback
from playback.models import GatewayEvent
from playback.wallets import WalletFrozen
from tests import cast
from tests.playback.till import refunds_of, send, take, tell

pytestmark = pytest.mark.django_db
_numbers = count(1)


def said(top_up, kind=chargebacks.OPENED, *, name="dispute-1", cents=None, **wrong):
    """Return what the gateway tells of a chargeback."""
    return {
        "id": f"dispute-event-{next(_numbers)}",
        "type": kind,
        "created": 0,
        "chargeback": {
            "id": name,
            "reference": str(top_up.id),
            "checkout": top_up.checkout_id,
            "amount_cents": top_up.gross_cents if cents is None else cents,
            "currency": "EUR",
            **wrong,
        },
    }


def figures(name="dispute-1"):
    """Return what a chargeback took from the wallet and what the co-op bears."""
    row = Chargeback.objects.get(gateway_id=name)
    return row.taken_micros, row.disputed_micros


def adds_up(person):
    assert cast.entries_sum(person) == (cast.wallet(person).balance_micros, cast.wallet(person).promo_micros)


def spend(person, micros):
    work = cast.track(cast.creator(cast.person("ana")), price_micros=micros)
    return cast.buy(person, work, price_micros=micros), work


# The figures of the rules.


def test_what_was_spent_and_cashed_out_is_the_coop_s_loss(lena, till):
    top_up = cast.top_up(lena, 1_000, vat_ppm=210_000)
    assert (top_up.net_cents, top_up.vat_cents) == (826, 174)
    spend(lena, 3_000_000)
    assert cast.wallet(lena).balance_micros == 5_260_000
    taken = take(lena, 526)
    assert refunds_of(taken) == [(526, 111, "waiting")]
    assert sum(one.gross_cents for one in cashouts.parts_of(taken)) == 637
    send()
    assert tell(said(top_up))
    assert figures() == (0, 10_000_000)
    assert cast.wallet(lena).balance_micros == 0
    assert cast.wallet(lena).frozen_at is not None
    adds_up(lena)


def test_credit_that_lies_there_is_taken_and_the_vat_is_the_coop_s_loss(lena):
    top_up = cast.top_up(lena, 1_000, vat_ppm=210_000)
    tell(said(top_up))
    assert figures() == (8_260_000, 1_740_000)
    assert cast.wallet(lena).balance_micros == 0
    adds_up(lena)


@pytest.mark.parametrize(
    ("spent", "cashed", "borne"),
    [
        (3_000_000, 0, (5_260_000, 4_740_000)),
        (3_000_000, 226, (3_000_000, 7_000_000)),
        (8_260_000, 0, (0, 10_000_000)),
        (1_234_567, 0, (7_025_433, 2_974_567)),
        (0, 800, (260_000, 9_740_000)),
        (0, 1, (8_250_000, 1_750_000)),
        (0, 0, (8_260_000, 1_740_000)),
    ],
)
def test_never_more_than_the_payment_s_rest_and_never_below_zero(lena, till, spent, cashed, borne):
    top_up = cast.top_up(lena, 1_000, vat_ppm=210_000)
    if spent:
        spend(lena, spent)
    if cashed:
        take(lena, cashed)
    tell(said(top_up))
    assert figures() == borne
    assert cast.wallet(lena).balance_micros == 8_260_000 - spent - cashed * 10_000 - borne[0]
    adds_up(lena)


def test_credit_of_other_payments_stays(lena, till):
    cast.top_up(lena, 500)
    disputed = cast.top_up(lena, 1_000)
    tell(said(disputed))
    assert figures() == (10_000_000, 0)
    assert cast.wallet(lena).balance_micros == 5_000_000
    chargebacks.decide(
        chargeback_id=Chargeback.objects.get().id, staff_id=cast.treasurer().id, reason="Looked at.", now=clock.now()
    )
    # What is left is the rest of the payment that stands, and goes back to it alone.
    assert refunds_of(take(lena, 500)) == [(500, 0, "waiting")]
    with pytest.raises(CannotCashOut):
        take(lena, 1)


def test_promo_is_not_touched(lena):
    top_up = cast.top_up(lena, 200)
    cast.promo(lena, 5_000_000)
    tell(said(top_up))
    assert (cast.wallet(lena).balance_micros, cast.wallet(lena).promo_micros) == (0, 5_000_000)
    adds_up(lena)


# Once, and in any order.


def test_the_same_chargeback_told_twice_takes_once(lena):
    top_up = cast.top_up(lena, 1_000)
    first = said(top_up)
    assert tell(first) is True
    assert tell(first) is False
    assert tell(said(top_up)) is True
    assert Chargeback.objects.count() == 1
    assert cast.wallet(lena).balance_micros == 0
    cast.top_up(lena, 700)
    tell(said(top_up))
    assert cast.wallet(lena).balance_micros == 7_000_000


def test_two_chargebacks_of_one_payment_take_its_rest_once(lena):
    cast.top_up(lena, 900)
    top_up = cast.top_up(lena, 1_000)
    tell(said(top_up, name="half", cents=400))
    tell(said(top_up, name="whole"))
    assert figures("half") == (4_000_000, 0)
    assert figures("whole") == (6_000_000, 4_000_000)
    assert cast.wallet(lena).balance_micros == 9_000_000


def test_one_that_was_won_is_booked_back_the_same_way(lena, till):
    top_up = cast.top_up(lena, 1_000, vat_ppm=210_000)
    spend(lena, 3_000_000)
    tell(said(top_up))
    assert cast.wallet(lena).balance_micros == 0
    for _ in range(2):
        tell(said(top_up, chargebacks.WON))
    assert cast.wallet(lena).balance_micros == 5_260_000
    assert cast.wallet(lena).frozen_at is not None
    adds_up(lena)
    chargebacks.decide(
        chargeback_id=Chargeback.objects.get().id, staff_id=cast.treasurer().id, reason="It stands.", now=clock.now()
    )
    assert refunds_of(take(lena, 526)) == [(526, 111, "waiting")]


def test_a_win_may_be_told_before_the_chargeback_and_after_a_loss(lena):
    top_up = cast.top_up(lena, 1_000)
    tell(said(top_up, chargebacks.WON))
    tell(said(top_up))
    assert (Chargeback.objects.get().state, cast.wallet(lena).balance_micros) == ("won", 10_000_000)
    other = cast.top_up(lena, 500)
    tell(said(other, chargebacks.LOST, name="dispute-2"))
    assert cast.wallet(lena).balance_micros == 10_000_000
    tell(said(other, chargebacks.WON, name="dispute-2"))
    tell(said(other, chargebacks.LOST, name="dispute-2"))
    assert Chargeback.objects.get(gateway_id="dispute-2").state == "won"
    assert cast.wallet(lena).balance_micros == 15_000_000
    adds_up(lena)


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference": "nothing"},
        {"reference": "11111111-1111-4111-8111-111111111111"},
        {"currency": "USD"},
        {"amount_cents": 0},
    ],
)
def test_what_fits_no_payment_is_kept_and_does_nothing(lena, wrong):
    top_up = cast.top_up(lena, 1_000)
    assert tell(said(top_up, **wrong))
    assert GatewayEvent.objects.filter(type=chargebacks.OPENED).count() == 1
    assert not Chargeback.objects.exists()
    assert cast.wallet(lena).frozen_at is None


# The frozen wallet.


def test_nothing_moves_in_a_frozen_wallet_and_what_is_owned_plays(lena, till):
    cast.top_up(lena, 2_000)
    top_up = cast.top_up(lena, 1_000)
    _, owned = spend(lena, 2_000_000)
    other = cast.track(cast.creator(cast.person("ben")))
    sitting, _ = sessions.begin(person_id=lena.id, work_id=other.id, now=clock.now())
    tell(said(top_up))
    before = cast.wallet(lena).balance_micros
    with pytest.raises(WalletFrozen):
        charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=sitting.price_micros)
    with pytest.raises(WalletFrozen):
        cast.buy(lena, other, price_micros=10_000_000)
    with pytest.raises(WalletFrozen):
        take(lena, 100)
    with pytest.raises(WalletFrozen):
        topups.start(
            person_id=lena.id,
            amount_cents=500,
            country="DE",
            evidence=[],
            idempotency_key="one-more",
            return_url="",
            now=clock.now(),
        )
    assert cast.wallet(lena).balance_micros == before
    assert holdings.Holding.objects.get(listener=lena, work=owned).owned_at is not None
    again, _ = sessions.begin(person_id=lena.id, work_id=owned.id, now=clock.now())
    assert again.basis == "owned"


def test_a_treasurer_decides_and_says_why(lena):
    top_up = cast.top_up(lena, 1_000)
    tell(said(top_up))
    found, tess = Chargeback.objects.get(), cast.treasurer()
    assert [(one.id, one.gross_cents, one.listener) for one in chargebacks.undecided()] == [(found.id, 1_000, "Lena")]
    for who, refusal in ((cast.person("lars"), NotAllowed), (cast.person("sam", staff=("secretary",)), NotAllowed)):
        with pytest.raises(refusal):
            chargebacks.decide(chargeback_id=found.id, staff_id=who.id, reason="Why not.", now=clock.now())
    with pytest.raises(Invalid):
        chargebacks.decide(chargeback_id=found.id, staff_id=tess.id, reason="  ", now=clock.now())
    with pytest.raises(NotFound):
        chargebacks.decide(chargeback_id=top_up.id, staff_id=tess.id, reason="Why not.", now=clock.now())
    assert cast.wallet(lena).frozen_at is not None
    chargebacks.decide(chargeback_id=found.id, staff_id=tess.id, reason="The card was stolen.", now=clock.now())
    assert cast.wallet(lena).frozen_at is None
    assert chargebacks.undecided() == []
    assert "The card was stolen." in Notice.objects.get(person=lena, subject="Your wallet moves again").body


def test_two_disputes_take_two_decisions(lena):
    for number in range(2):
        tell(said(cast.top_up(lena, 500), name=f"dispute-{number}"))
    tess = cast.treasurer()
    first, second = chargebacks.undecided()
    chargebacks.decide(chargeback_id=first.id, staff_id=tess.id, reason="One.", now=clock.now())
    assert cast.wallet(lena).frozen_at is not None
    chargebacks.decide(chargeback_id=second.id, staff_id=tess.id, reason="Two.", now=clock.now())
    assert cast.wallet(lena).frozen_at is None


def test_nobody_decides_about_their_own_wallet():
    tess = cast.treasurer()
    tell(said(cast.top_up(tess, 500)))
    found = Chargeback.objects.get()
    with pytest.raises(NotAllowed):
        chargebacks.decide(chargeback_id=found.id, staff_id=tess.id, reason="Mine.", now=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Chargeback.objects.filter(id=found.id).update(decided_by=tess, decided_at=clock.now(), reason="Mine.")


# What the database refuses whoever asks.


@pytest.mark.parametrize(
    "change", [{"taken_micros": 1, "disputed_micros": 9_999_999}, {"gross_cents": 1}, {"gateway_id": "x"}]
)
def test_the_database_refuses_to_change_its_money(lena, change):
    tell(said(cast.top_up(lena, 1_000)))
    with pytest.raises(DatabaseError), transaction.atomic():
        Chargeback.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        Chargeback.objects.all().delete()


def test_the_database_refuses_a_refund_of_a_payment_that_was_taken_back(lena, till):
    cast.top_up(lena, 300)
    top_up = cast.top_up(lena, 1_000)
    tell(said(top_up))
    taken = cast.top_up(cast.person("lars"), 300)
    assert taken.state == "settled"
    with pytest.raises(DatabaseError), transaction.atomic():
        cashouts.Refund.objects.create(
            cash_out=cashouts.CashOut.objects.create(
                listener=lena, amount_micros=10_000, taken_at=clock.now(), balance_after_micros=0, promo_after_micros=0
            ),
            listener=lena,
            top_up=top_up,
            line_number=1,
            net_cents=1,
            vat_cents=0,
        )


def test_credit_that_comes_back_from_a_refund_after_the_chargeback_buys_but_does_not_go_out(lena, till):
    top_up = cast.top_up(lena, 1_000)
    taken = take(lena, 400)
    send()
    tell(said(top_up))
    assert figures() == (6_000_000, 4_000_000)
    tell(till.tells(cashouts.parts_of(taken)[0], "refund.failed"))
    assert cast.wallet(lena).balance_micros == 4_000_000
    adds_up(lena)
    chargebacks.decide(
        chargeback_id=Chargeback.objects.get().id, staff_id=cast.treasurer().id, reason="Looked at.", now=clock.now()
    )
    with pytest.raises(CannotCashOut):
        take(lena, 400)
    spend(lena, 4_000_000)
    assert cast.wallet(lena).balance_micros == 0


def act(person, payments, disputes, data):
    """Do one thing that may happen to a wallet."""
    chosen, wallet = (
        data.draw(st.sampled_from(["pay", "spend", "out", "dispute", "won", "decide"])),
        cast.wallet(person),
    )
    moves = wallet.frozen_at is None
    if chosen == "pay":
        cents, vat = data.draw(st.integers(1, 2_000)), data.draw(st.sampled_from([0, 190_000]))
        payments.append(cast.top_up(person, cents, vat_ppm=vat))
    elif chosen == "spend" and wallet.balance_micros >= 400_000 and moves:
        spend(person, min(wallet.balance_micros // 2, 9_000_000))
    elif chosen == "out" and wallet.balance_micros >= 10_000 and moves:
        with suppress(CannotCashOut):
            take(person, data.draw(st.integers(1, wallet.balance_micros // 10_000)))
    elif chosen == "dispute" and payments:
        disputes.append((data.draw(st.sampled_from(payments)), f"dispute-{next(_numbers)}"))
        tell(said(disputes[-1][0], name=disputes[-1][1]))
    elif chosen == "won" and disputes:
        top_up, name = data.draw(st.sampled_from(disputes))
        tell(said(top_up, chargebacks.WON, name=name))
    elif chosen == "decide":
        for one in chargebacks.undecided():
            chargebacks.decide(chargeback_id=one.id, staff_id=cast.treasurer().id, reason="So.", now=clock.now())


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_happens_the_wallet_is_the_sum_of_its_rows_and_never_negative(till, data):
    lena = cast.person("lena")
    payments, disputes = [], []
    for _ in range(data.draw(st.integers(3, 12))):
        act(lena, payments, disputes, data)
        adds_up(lena)
        assert cast.wallet(lena).balance_micros >= 0
    for row in Chargeback.objects.filter(listener=lena):
        assert row.taken_micros + row.disputed_micros == row.gross_cents * 10_000
    for top_up in payments:
        taken = sum(row.taken_micros for row in top_up.chargebacks.exclude(state="won"))
        cashed = sum(one.net_cents for one in top_up.refunds.exclude(state="returned"))
        assert taken + cashed * 10_000 <= top_up.net_cents * 10_000
