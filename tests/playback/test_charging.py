"""Charging: never more than shown, once however often it is asked, in the order of the rules, promo first."""

from dataclasses import asdict
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Work
from catalog.publishing import WorkUnavailable
from members import clock
from members.models import Month
from members.problems import NotFound
from playback import charging, sessions, wallets
from playback.charging import AlreadyBought, KeyReused, OwnWork, PriceChanged
from playback.models import Charge, Holding, Session, Wallet
from playback.sessions import SessionExpired
from playback.wallets import InsufficientFunds, LimitReached, WalletFrozen
from tests import cast

pytestmark = pytest.mark.django_db

PRICE = 1_022_000


@pytest.fixture
def lena():
    """Give a listener with 20.00 of credit."""
    listener = cast.person("lena")
    cast.top_up(listener, 2_000)
    return listener


@pytest.fixture
def song():
    """Give a track at the default price."""
    return cast.track(cast.creator(cast.person("ana")))


def begin(listener, work):
    return sessions.begin(person_id=listener.id, work_id=work.id, now=clock.now())[0]


def charge(listener, sitting, price=None):
    price = sitting.price_micros if price is None else price
    return charging.charge_session(person_id=listener.id, session_id=sitting.id, price_micros=price)[0]


def all_rows(listener):
    """Return everything that money or a refusal could have changed."""
    return (
        list(Wallet.objects.filter(listener=listener).values()),
        list(Holding.objects.filter(listener=listener).values()),
        list(Session.objects.filter(listener=listener).values()),
        list(Charge.objects.filter(listener=listener).values()),
    )


def test_a_charge_moves_the_price_and_says_what_stands_afterwards(lena, song):
    charged = charge(lena, begin(lena, song))
    assert asdict(charged) == {
        "charged_micros": 2_000,
        "play_number": 1,
        "paid_micros": 2_000,
        "remaining_micros": 1_020_000,
        "owned": False,
        "balance_micros": 19_998_000,
        "promo_micros": 0,
    }
    row = Charge.objects.get(listener=lena)
    assert (row.amount_micros, row.promo_micros, row.kind, row.play_number) == (2_000, 0, "play", 1)
    assert (row.paid_after_micros, row.cap_after_micros, row.balance_after_micros) == (2_000, PRICE, 19_998_000)
    assert cast.entries_sum(lena) == (19_998_000, 0)


def test_a_charge_is_one_statement(lena, song):
    sitting = begin(lena, song)
    with CaptureQueriesContext(connection) as queries:
        charge(lena, sitting)
    assert len(queries) == 1


def test_asked_again_it_gives_the_same_answer_whatever_happened_since(lena, song):
    sitting = begin(lena, song)
    first = charge(lena, sitting)
    cast.play(lena, cast.track(song.creator))
    cast.set_clock(clock.now() + timedelta(days=2))
    wallets.set_limits(person_id=lena.id, day_limit_micros=0, month_limit_micros=0, now=clock.now())
    Work.objects.filter(id=song.id).update(state="suspended")
    before = all_rows(lena)
    assert charge(lena, sitting) == first
    assert charge(lena, sitting, 0) == first
    assert all_rows(lena) == before


def test_never_more_is_charged_than_the_request_says(lena, song):
    sitting = begin(lena, song)
    before = all_rows(lena)
    for price in (0, 1_999):
        with pytest.raises(PriceChanged):
            charge(lena, sitting, price)
    assert all_rows(lena) == before


def test_a_request_for_more_is_charged_the_quote(lena, song):
    assert charge(lena, begin(lena, song), 5_000_000).charged_micros == 2_000


def test_a_session_is_charged_by_its_own_listener_alone(lena, song):
    lars = cast.person("lars")
    cast.top_up(lars, 1_000)
    sitting = begin(lena, song)
    for session_id in (sitting.id, uuid4()):
        with pytest.raises(NotFound):
            charging.charge_session(person_id=lars.id, session_id=session_id, price_micros=2_000)
    assert not Charge.objects.exists()


def test_a_quote_lives_fifteen_minutes(lena, song):
    sitting = begin(lena, song)
    assert sitting.expires_at - clock.now() <= timedelta(minutes=15)
    cast.set_clock(sitting.expires_at + timedelta(milliseconds=1))
    before = all_rows(lena)
    with pytest.raises(SessionExpired):
        charge(lena, sitting)
    assert all_rows(lena) == before
    again = begin(lena, song)
    assert again.id == sitting.id
    assert charge(lena, again).charged_micros == 2_000


def test_a_quote_whose_holding_moved_is_refused_and_written_anew(lena, song):
    cast.play(lena, song)
    cast.play(lena, song)
    sitting = begin(lena, song)
    assert (sitting.play_number, sitting.price_micros) == (3, 8_000)
    cast.give_back(Charge.objects.get(listener=lena, play_number=1))
    with pytest.raises(PriceChanged):
        charge(lena, sitting)
    fresh = sessions.requote(person_id=lena.id, session_id=sitting.id, now=clock.now())
    assert (fresh.id, fresh.play_number, fresh.price_micros) == (sitting.id, 1, 2_000)
    assert (fresh.free_seconds, fresh.open_seconds) == (sitting.free_seconds, sitting.open_seconds)
    assert charge(lena, fresh).play_number == 1


def test_a_work_bought_meanwhile_costs_nothing_more(lena, song):
    sitting = begin(lena, song)
    cast.buy(lena, song, price_micros=PRICE)
    before = all_rows(lena)
    charged = charge(lena, sitting)
    assert (charged.charged_micros, charged.owned, charged.play_number) == (0, True, None)
    assert all_rows(lena) == before


def test_too_little_credit_is_refused_with_the_figures(song):
    lars = cast.person("lars")
    cast.promo(lars, 1_999)
    sitting = begin(lars, song)
    assert sitting.blocked is not None
    assert sitting.blocked.slug == "insufficient-funds"
    before = all_rows(lars)
    with pytest.raises(InsufficientFunds) as refused:
        charge(lars, sitting)
    assert refused.value.extra == {"needed_micros": 2_000, "available_micros": 1_999}
    assert "€0.002" in refused.value.detail
    assert "€0.001999" in refused.value.detail
    assert all_rows(lars) == before


def test_the_last_micro_can_be_spent(song):
    lars = cast.person("lars")
    cast.promo(lars, 2_000)
    assert charge(lars, begin(lars, song)).promo_micros == 0
    assert cast.entries_sum(lars) == (0, 0)


@pytest.mark.parametrize(
    ("promo", "from_promo", "balance_after", "promo_after"),
    [
        (0, 0, 19_998_000, 0),
        (1_500, 1_500, 19_999_500, 0),
        (2_000, 2_000, 20_000_000, 0),
        (9_000, 2_000, 20_000_000, 7_000),
    ],
)
def test_promo_is_spent_first_and_both_parts_are_kept(  # noqa: PLR0917
    lena, song, promo, from_promo, balance_after, promo_after
):
    if promo:
        cast.promo(lena, promo)
    charged = charge(lena, begin(lena, song))
    assert (charged.balance_micros, charged.promo_micros) == (balance_after, promo_after)
    row = Charge.objects.get(listener=lena)
    assert (row.amount_micros, row.promo_micros) == (2_000, from_promo)
    assert cast.entries_sum(lena) == (balance_after, promo_after)


def test_a_frozen_wallet_pays_nothing_and_what_is_owned_still_plays(lena, song):
    owned = cast.track(song.creator, price_micros=200_000)
    cast.buy(lena, owned, price_micros=200_000)
    sitting = begin(lena, song)
    Wallet.objects.filter(listener=lena).update(frozen_at=clock.now())
    before = all_rows(lena)
    with pytest.raises(WalletFrozen):
        charge(lena, sitting)
    with pytest.raises(WalletFrozen):
        cast.buy(lena, song, price_micros=PRICE)
    assert all_rows(lena) == before
    assert cast.play(lena, owned).charged_micros == 0


def test_a_limit_is_named_before_the_want_of_credit(song):
    lars = cast.person("lars")
    sitting = begin(lars, song)
    wallets.set_limits(person_id=lars.id, day_limit_micros=1_000, month_limit_micros=None, now=clock.now())
    with pytest.raises(LimitReached):
        charge(lars, sitting)


def test_a_suspended_work_is_not_charged(lena, song):
    sitting = begin(lena, song)
    Work.objects.filter(id=song.id).update(state="suspended")
    before = all_rows(lena)
    with pytest.raises(WorkUnavailable):
        charge(lena, sitting)
    with pytest.raises(WorkUnavailable):
        cast.buy(lena, song, price_micros=PRICE)
    assert all_rows(lena) == before


def test_a_quote_already_written_is_charged_after_the_work_was_taken_off(lena, song):
    sitting = begin(lena, song)
    Work.objects.filter(id=song.id).update(state="off", off_at=clock.now())
    assert charge(lena, sitting).charged_micros == 2_000


def test_money_after_a_closed_month_is_booked_in_the_open_one(lena, song):
    sitting = begin(lena, song)
    this_month = clock.month(clock.now())
    Month.objects.create(starts_on=this_month, state="closing", closed_at=clock.now())
    charge(lena, sitting)
    next_month = (this_month + timedelta(days=32)).replace(day=1)
    assert Charge.objects.get(listener=lena).charged_at == clock.start_of(next_month)
    wallet = cast.wallet(lena)
    assert (wallet.spent_day, wallet.spent_month) == (next_month, next_month)


# Purchases.


def test_a_purchase_is_kept_under_its_key_for_ever(lena, song):
    first = cast.buy(lena, song, price_micros=PRICE, key="mine")
    cast.give_back(cast.last_charge(lena))
    before = all_rows(lena)
    assert cast.buy(lena, song, price_micros=PRICE, key="mine") == first
    assert all_rows(lena) == before


def test_a_key_stands_for_one_request_of_one_person(lena, song):
    lars = cast.person("lars")
    cast.top_up(lars, 1_000)
    cast.buy(lena, song, price_micros=PRICE, key="mine")
    for work, price in ((song, PRICE + 1), (cast.track(song.creator), PRICE)):
        with pytest.raises(KeyReused):
            cast.buy(lena, work, price_micros=price, key="mine")
    assert cast.buy(lars, song, price_micros=PRICE, key="mine").charged_micros == PRICE
    assert Charge.objects.count() == 2


def test_a_refused_purchase_leaves_its_key_free(lena, song):
    with pytest.raises(PriceChanged) as refused:
        cast.buy(lena, song, price_micros=PRICE - 1, key="mine")
    assert refused.value.extra == {
        "price_micros": PRICE,
        "pricing_version": 1,
        "policy": {"key": "pricing", "seq": 1, "href": "/policies/pricing#v1"},
    }
    wallets.set_limits(person_id=lena.id, day_limit_micros=PRICE - 1, month_limit_micros=None, now=clock.now())
    with pytest.raises(LimitReached):
        cast.buy(lena, song, price_micros=PRICE, key="mine")
    Wallet.objects.filter(listener=lena).update(day_limit_micros=None)
    assert cast.buy(lena, song, price_micros=PRICE, key="mine").charged_micros == PRICE


def test_a_purchase_that_is_refused_keeps_the_cap_that_fell(lena, song):
    cast.play(lena, song)
    Work.objects.filter(id=song.id).update(price_micros=400_000)
    wallets.set_limits(person_id=lena.id, day_limit_micros=0, month_limit_micros=None, now=clock.now())
    with pytest.raises(LimitReached):
        cast.buy(lena, song, price_micros=PRICE)
    Work.objects.filter(id=song.id).update(price_micros=900_000)
    Wallet.objects.filter(listener=lena).update(day_limit_micros=None)
    assert cast.buy(lena, song, price_micros=PRICE).charged_micros == 398_000


def test_ones_own_work_is_not_bought(song):
    ana = song.creator.roles.get().person
    cast.top_up(ana, 1_000)
    before = all_rows(ana)
    with pytest.raises(OwnWork):
        cast.buy(ana, song, price_micros=PRICE)
    assert all_rows(ana) == before


def test_nobody_begins_by_buying_what_was_taken_off_but_the_rest_can_be_bought(lena, song):
    lars = cast.person("lars")
    cast.top_up(lars, 1_000)
    cast.play(lena, song)
    Work.objects.filter(id=song.id).update(state="off", off_at=clock.now())
    with pytest.raises(WorkUnavailable):
        cast.buy(lars, song, price_micros=PRICE)
    cast.set_clock(clock.now() + timedelta(days=89))
    assert cast.buy(lena, song, price_micros=PRICE).charged_micros == 1_020_000


def test_after_ninety_days_the_rest_cannot_be_bought(lena, song):
    cast.play(lena, song)
    Work.objects.filter(id=song.id).update(state="off", off_at=clock.now())
    cast.set_clock(clock.now() + timedelta(days=90, seconds=1))
    with pytest.raises(WorkUnavailable):
        cast.buy(lena, song, price_micros=PRICE)


def test_a_second_purchase_beside_a_live_one_is_refused_in_words(lena, song):
    cast.play(lena, song)
    cast.buy(lena, song, price_micros=PRICE)
    cast.give_back(Charge.objects.get(listener=lena, kind="play"))
    with pytest.raises(AlreadyBought) as refused:
        cast.buy(lena, song, price_micros=PRICE)
    assert refused.value.extra == {"price_micros": 2_000}


def test_an_unknown_work_and_a_draft_are_not_there(lena, song):
    draft = cast.track(song.creator, state="draft")
    with pytest.raises(NotFound):
        cast.buy(lena, draft, price_micros=PRICE)
    with pytest.raises(NotFound):
        charging.purchase(person_id=lena.id, work_id=uuid4(), price_micros=PRICE, key="k", now=clock.now())
