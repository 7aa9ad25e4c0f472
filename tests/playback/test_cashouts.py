"""Cashing out: taken at once, refunded newest payment first, net with its VAT, never more than was paid."""

import os
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from members import clock, ibans
from members.models import Notice
from members.problems import Invalid, NotAllowed, NotFound
from playback import cashouts, refunds, topups, transfers
from playback.cashout_models import CashOut, Refund, RefundTransfer
from playback.cashouts import CannotCashOut, PlanChanged
from playback.charging import KeyReused
from playback.models import GatewayEvent, TopUp, Wallet
from playback.transfers import EntryReplaced
from playback.wallets import WalletFrozen
from tests import cast
from tests.playback.till import refunds_of, send, take, tell

pytestmark = pytest.mark.django_db
IBAN, OTHER_IBAN = "DE89 3704 0044 0532 0130 00", "FR14 2004 1010 0505 0001 3M02 606"


def adds_up(person):
    """Check that the balance is the sum of its rows, and that no payment was refunded beyond what it was."""
    assert cast.entries_sum(person) == (cast.wallet(person).balance_micros, cast.wallet(person).promo_micros)
    left = 0
    for top_up in TopUp.objects.filter(listener=person, state="settled"):
        live = [one for one in top_up.refunds.all() if one.state != "returned"]
        net, vat = sum(one.net_cents for one in live), sum(one.vat_cents for one in live)
        assert net <= top_up.net_cents
        assert vat <= top_up.vat_cents
        if net == top_up.net_cents:
            assert vat == top_up.vat_cents
        left += top_up.net_cents - net
    assert cast.wallet(person).balance_micros <= left * 10_000


# What goes where.


def test_a_fresh_top_up_goes_back_whole_with_its_vat(lena, till):
    top_up = cast.top_up(lena, 1_000, vat_ppm=190_000)
    taken = take(lena, 840)
    assert cast.wallet(lena).balance_micros == 0
    assert (taken.amount_micros, taken.balance_after_micros) == (8_400_000, 0)
    assert refunds_of(taken) == [(840, 160, "waiting")]
    assert send() == 1
    assert refunds_of(taken) == [(840, 160, "refunded")]
    assert list(till.made.values()) == [(top_up.checkout_id, 1_000)]
    adds_up(lena)


def test_what_was_spent_came_off_the_oldest_so_the_newest_goes_back_first(lena, till):
    old, new = cast.top_up(lena, 1_000), cast.top_up(lena, 500)
    cast.buy(lena, cast.track(cast.creator(cast.person("ana")), price_micros=3_000_000), price_micros=3_000_000)
    assert cast.wallet(lena).balance_micros == 12_000_000
    taken = take(lena, 900)
    assert [(one.top_up_id, one.net_cents) for one in cashouts.parts_of(taken)] == [(new.id, 500), (old.id, 400)]
    taken = take(lena, 300)
    assert [(one.top_up_id, one.net_cents) for one in cashouts.parts_of(taken)] == [(old.id, 300)]
    assert cast.wallet(lena).balance_micros == 0
    # Three of the ten were spent and stay spent: there is nothing left that could go back.
    with pytest.raises(CannotCashOut):
        take(lena, 1)
    send()
    assert sorted(till.made.values()) == sorted(
        [(new.checkout_id, 500), (old.checkout_id, 400), (old.checkout_id, 300)]
    )
    adds_up(lena)


def test_what_was_added_after_a_cash_out_goes_back_before_the_rest_of_what_was_there(lena, till):
    first = cast.top_up(lena, 1_000)
    take(lena, 400)
    second = cast.top_up(lena, 200)
    taken = take(lena, 500)
    assert [(one.top_up_id, one.net_cents) for one in cashouts.parts_of(taken)] == [(second.id, 200), (first.id, 300)]


@pytest.mark.parametrize(
    ("steps", "vats"),
    [
        ([840], [160]),
        ([420, 420], [80, 80]),
        ([1, 839], [0, 160]),
        ([280, 280, 280], [53, 54, 53]),
        ([839, 1], [160, 0]),
        ([100, 700, 40], [19, 133, 8]),
    ],
)
def test_the_last_refund_of_a_payment_takes_the_vat_that_remains(lena, till, steps, vats):
    cast.top_up(lena, 1_000, vat_ppm=190_000)
    parts = [refunds_of(take(lena, cents))[0] for cents in steps]
    assert [(net, vat) for net, vat, _ in parts] == list(zip(steps, vats, strict=True))
    assert sum(vats) == 160


def test_promo_is_never_paid_out(lena, till):
    cast.top_up(lena, 200)
    cast.promo(lena, 5_000_000)
    with pytest.raises(CannotCashOut) as refused:
        take(lena, 201)
    assert refused.value.extra == {"available_micros": 2_000_000}
    taken = take(lena, 200)
    assert (taken.balance_after_micros, taken.promo_after_micros) == (0, 5_000_000)
    assert cast.wallet(lena).promo_micros == 5_000_000


def test_a_rest_below_a_cent_stays_as_credit(lena, till):
    cast.top_up(lena, 200)
    cast.play(lena, cast.track(cast.creator(cast.person("ana"))))
    assert cast.wallet(lena).balance_micros == 1_998_000
    assert cashouts.available(1_998_000) == 1_990_000
    with pytest.raises(CannotCashOut):
        take(lena, 200)
    take(lena, 199)
    assert cast.wallet(lena).balance_micros == 8_000
    with pytest.raises(CannotCashOut) as refused:
        take(lena, 1)
    assert refused.value.extra == {"available_micros": 0}
    adds_up(lena)


@pytest.mark.parametrize("micros", [0, -10_000, 1, 9_999, 15_000, 1_000_001])
def test_a_cash_out_is_some_whole_cents(lena, till, micros):
    cast.top_up(lena, 200)
    with pytest.raises(Invalid):
        cashouts.take(person_id=lena.id, amount_micros=micros, key="k")
    with pytest.raises(Invalid):
        cashouts.plan(person_id=lena.id, amount_micros=micros)
    assert not CashOut.objects.exists()


def test_who_has_no_wallet_has_nothing_to_cash_out(lena, till):
    with pytest.raises(CannotCashOut):
        take(lena, 1)
    assert not CashOut.objects.exists()


def test_a_frozen_wallet_pays_nothing_out(lena, till):
    cast.top_up(lena, 200)
    Wallet.objects.filter(listener=lena).update(frozen_at=clock.now())
    with pytest.raises(WalletFrozen):
        take(lena, 100)
    assert cast.wallet(lena).balance_micros == 2_000_000


# Two steps, keys, letters.


def test_the_confirmation_does_exactly_what_was_shown_or_nothing(lena, till):
    cast.top_up(lena, 1_000, vat_ppm=190_000)
    shown = cashouts.plan(person_id=lena.id, amount_micros=2_000_000)
    assert (shown.gross_cents, shown.vat_cents, shown.available_micros) == (238, 38, 8_400_000)
    cast.top_up(lena, 100)
    with pytest.raises(PlanChanged):
        cashouts.take(person_id=lena.id, amount_micros=2_000_000, key="k", plan_hash=shown.plan_hash)
    assert not CashOut.objects.exists()
    again = cashouts.plan(person_id=lena.id, amount_micros=2_000_000)
    assert again.plan_hash != shown.plan_hash
    cashouts.take(person_id=lena.id, amount_micros=2_000_000, key="k", plan_hash=again.plan_hash)
    assert cast.wallet(lena).balance_micros == 7_400_000


def test_the_same_key_is_the_same_cash_out_and_not_for_another_sum(lena, till):
    cast.top_up(lena, 1_000)
    first = take(lena, 300, key="one")
    assert cashouts.take(person_id=lena.id, amount_micros=3_000_000, key="one") == (first, False)
    with pytest.raises(KeyReused):
        take(lena, 400, key="one")
    assert cast.wallet(lena).balance_micros == 7_000_000
    assert CashOut.objects.count() == 1


def test_a_refused_cash_out_leaves_its_key_free(lena, till):
    cast.top_up(lena, 100)
    with pytest.raises(CannotCashOut):
        take(lena, 200, key="one")
    assert take(lena, 100, key="one").amount_micros == 1_000_000


def test_it_is_acknowledged_by_letter_in_text_and_html(lena, till):
    cast.top_up(lena, 1_000, vat_ppm=190_000)
    taken = take(lena, 420)
    told = Notice.objects.get(key=f"cash-out:{taken.id}")
    for text in (told.body, told.html):
        assert "€4.20" in text
        assert "€5.00 (credit €4.20, VAT €0.80)" in text
        assert f"/wallet/cash-outs/{taken.id}" in text
    assert told.person_id == lena.id


def test_a_cash_out_is_ones_own(lena, till):
    cast.top_up(lena, 200)
    taken = take(lena, 100)
    assert cashouts.get(person_id=lena.id, cash_out_id=taken.id) == taken
    with pytest.raises(NotFound):
        cashouts.get(person_id=cast.person("lars").id, cash_out_id=taken.id)


# The gateway's word.


def test_a_refund_the_gateway_refuses_gives_the_credit_back(lena, till):
    cast.top_up(lena, 1_000, vat_ppm=190_000)
    till.says = lambda _: "refused"
    taken = take(lena, 500)
    send()
    assert refunds_of(taken) == [(500, 95, "returned")]
    assert cast.wallet(lena).balance_micros == 8_400_000
    assert till.made == {}
    told = Notice.objects.get(key__startswith="refund-returned:")
    assert told.subject == "€5.00 are in your wallet again"
    assert "€5.95" in told.body
    adds_up(lena)
    # What came back can be cashed out again, with the same VAT.
    till.says = lambda _: "refunded"
    assert refunds_of(take(lena, 840)) == [(840, 160, "waiting")]


def test_part_of_a_cash_out_may_come_back_while_the_rest_is_paid(lena, till):
    old, new = cast.top_up(lena, 500), cast.top_up(lena, 300)
    taken = take(lena, 800)
    first, second = cashouts.parts_of(taken)
    till.says = {first.id: "refused", second.id: "refunded"}.__getitem__
    send()
    assert refunds_of(taken) == [(300, 0, "returned"), (500, 0, "refunded")]
    assert cast.wallet(lena).balance_micros == 3_000_000
    assert till.made == {second.id: (old.checkout_id, 500)}
    adds_up(lena)
    assert [one.top_up_id for one in cashouts.parts_of(take(lena, 300))] == [new.id]


@pytest.mark.parametrize("times", [1, 3])
def test_a_silent_gateway_is_asked_again_later_and_refunds_once(lena, till, times):
    cast.top_up(lena, 500)
    taken = take(lena, 500)
    till.silent = True
    assert send() == 0
    assert send() == 0
    assert len(till.asked) == 1
    till.silent = False
    cast.set_clock(clock.now() + timedelta(minutes=1))
    for _ in range(times):
        send()
    assert len(till.asked) == 2
    assert refunds_of(taken) == [(500, 0, "refunded")]
    assert len(till.made) == 1


def test_a_lost_answer_is_asked_for_again_and_refunds_once(lena, till):
    cast.top_up(lena, 500)
    taken = take(lena, 500)
    till.loses_answers = True
    for minutes in (1, 5, 30):
        send()
        cast.set_clock(clock.now() + timedelta(minutes=minutes))
    assert refunds_of(taken) == [(500, 0, "waiting")]
    assert (len(till.made), len(till.asked)) == (1, 3)
    till.loses_answers = False
    send()
    assert refunds_of(taken) == [(500, 0, "refunded")]
    assert len(till.made) == 1


def test_who_dies_while_asking_leaves_a_lease_that_runs_out(lena, till, monkeypatch):
    cast.top_up(lena, 500)
    taken = take(lena, 500)

    def dies(**_):
        raise SystemExit

    monkeypatch.setattr(till, "refund", dies, raising=True)
    with pytest.raises(SystemExit):
        send()
    monkeypatch.undo()
    monkeypatch.setattr(topups, "gateway", lambda: till)
    assert send() == 0
    cast.set_clock(clock.now() + cashouts.LEASE + timedelta(seconds=1))
    assert send() == 1
    assert refunds_of(taken) == [(500, 0, "refunded")]
    assert len(till.made) == 1


WEBHOOKS = {
    "paid": ("refund.paid",),
    "paid twice": ("refund.paid", "refund.paid"),
    "failed": ("refund.failed",),
    "paid, then it came back": ("refund.paid", "refund.failed"),
    "it came back, then paid": ("refund.failed", "refund.paid"),
    "failed twice": ("refund.failed", "refund.failed"),
}


@pytest.mark.parametrize("order", WEBHOOKS)
@pytest.mark.parametrize("before_the_answer", [True, False])
def test_webhooks_come_in_any_order_and_before_the_answer(lena, till, order, before_the_answer):
    cast.top_up(lena, 500)
    till.says = lambda _: "pending"
    taken = take(lena, 500)
    refund = cashouts.parts_of(taken)[0]
    if not before_the_answer:
        send()
        assert refunds_of(taken) == [(500, 0, "sent")]
    for kind in WEBHOOKS[order]:
        event = till.tells(refund, kind)
        assert tell(event)
        assert not tell(event)
    if before_the_answer:
        refunds.record(refund_id=refund.id, outcome="pending", gateway_id="late", now=clock.now())
    failed = "refund.failed" in WEBHOOKS[order]
    assert refunds_of(taken) == [(500, 0, "returned" if failed else "refunded")]
    assert cast.wallet(lena).balance_micros == (5_000_000 if failed else 0)
    adds_up(lena)


@pytest.mark.parametrize(
    "wrong",
    [
        {"reference": "nobody"},
        {"reference": "00000000-0000-4000-8000-000000000000"},
        {"amount_cents": 499},
        {"currency": "USD"},
    ],
)
def test_an_event_that_fits_no_refund_is_kept_and_moves_nothing(lena, till, wrong):
    cast.top_up(lena, 500)
    taken = take(lena, 500)
    before = GatewayEvent.objects.count()
    assert tell(till.tells(cashouts.parts_of(taken)[0], "refund.failed", **wrong))
    assert refunds_of(taken) == [(500, 0, "waiting")]
    assert (cast.wallet(lena).balance_micros, GatewayEvent.objects.count()) == (0, before + 1)


def test_a_refund_nobody_ended_is_asked_about_again_after_an_hour(lena, till):
    cast.top_up(lena, 500)
    taken = take(lena, 500)
    till.says = lambda _: "pending"
    send()
    assert send() == 0
    till.says = lambda _: "refunded"
    cast.set_clock(clock.now() + refunds.ASK_AGAIN + timedelta(seconds=1))
    assert send() == 1
    assert refunds_of(taken) == [(500, 0, "refunded")]


# Too old: by transfer, by two people.


@pytest.fixture
def old_refund(lena, till):
    """Give a refund of a payment that the gateway finds too old."""
    cast.top_up(lena, 500, vat_ppm=190_000)
    till.says = lambda _: "too-old"
    taken = take(lena, 420)
    send()
    refund = cashouts.parts_of(taken)[0]
    assert refund.state == "transfer"
    return refund


def enter(refund, by, iban=IBAN):
    return transfers.enter(refund_id=refund.id, staff_id=by.id, holder="Lena Listener", iban=iban, now=clock.now())


def release(refund, entry, by):
    return transfers.release(refund_id=refund.id, transfer_id=entry.id, staff_id=by.id, now=clock.now())


def state_of(refund):
    return Refund.objects.get(id=refund.id).state


def test_a_payment_too_old_is_paid_by_transfer_which_two_treasurers_make(lena, old_refund):
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    assert [one.id for one in transfers.waiting(staff_id=tess.id)] == [old_refund.id]
    entry = enter(old_refund, tess)
    assert entry.mask == "DE •••• 3000"
    assert "37040044" not in entry.sealed
    assert ibans.unseal(entry.sealed, owner_id=old_refund.listener_id) == "DE89370400440532013000"
    with pytest.raises(NotAllowed):
        release(old_refund, entry, tess)
    assert state_of(old_refund) == "transfer"
    assert release(old_refund, entry, tom).released_by_id == tom.id
    assert release(old_refund, entry, tom).released_by_id == tom.id
    assert state_of(old_refund) == "refunded"
    assert transfers.waiting(staff_id=tess.id) == []
    assert cast.wallet(lena).balance_micros == 0
    assert Notice.objects.filter(person=lena, key=f"refund-transferred:{old_refund.id}").count() == 1
    adds_up(lena)


def test_who_releases_pays_the_account_they_looked_at(old_refund):
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    looked_at = enter(old_refund, tess)
    entered_since = enter(old_refund, tess, OTHER_IBAN)
    with pytest.raises(EntryReplaced):
        release(old_refund, looked_at, tom)
    assert state_of(old_refund) == "transfer"
    release(old_refund, entered_since, tom)
    with pytest.raises(EntryReplaced):
        enter(old_refund, tess)
    assert RefundTransfer.objects.filter(released_at__isnull=False).count() == 1


def test_nobody_pays_a_transfer_to_themselves(till):
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    cast.top_up(tess, 500)
    till.says = lambda _: "too-old"
    taken = take(tess, 500)
    send()
    refund = cashouts.parts_of(taken)[0]
    with pytest.raises(NotAllowed):
        enter(refund, tess)
    entry = enter(refund, tom)
    with pytest.raises(NotAllowed):
        release(refund, entry, tess)
    with pytest.raises(NotAllowed):
        transfers.give_up(refund_id=refund.id, staff_id=tess.id, reason="I want it back")
    values = {"refund": refund, "holder": "x", "sealed": "v1.y", "mask": "y"}
    values |= {"entered_by": tom, "entered_at": clock.now()}
    for wrong in ({"entered_by": tess}, {"released_by": tess, "released_at": clock.now()}):
        with pytest.raises(DatabaseError), transaction.atomic():
            RefundTransfer.objects.create(**{**values, **wrong})
    assert state_of(refund) == "transfer"


@pytest.mark.parametrize("roles", [(), ("director",), ("catalogue",), ("secretary",)])
def test_only_treasurers_pay_by_transfer(old_refund, roles):
    other = cast.person("sam", staff=roles)
    entry = enter(old_refund, cast.treasurer())
    for attempt in (
        lambda: transfers.waiting(staff_id=other.id),
        lambda: enter(old_refund, other),
        lambda: release(old_refund, entry, other),
        lambda: transfers.give_up(refund_id=old_refund.id, staff_id=other.id, reason="because"),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert state_of(old_refund) == "transfer"


@pytest.mark.parametrize("iban", ["", "DE00 3704 0044 0532 0130 00", "not an account", "DE893704004405320130"])
def test_an_account_that_is_none_is_refused(old_refund, iban):
    with pytest.raises(Invalid):
        enter(old_refund, cast.treasurer(), iban)
    assert not RefundTransfer.objects.exists()


def test_a_treasurer_may_give_the_credit_back_instead(lena, old_refund):
    tess = cast.treasurer("tess")
    with pytest.raises(Invalid):
        transfers.give_up(refund_id=old_refund.id, staff_id=tess.id, reason=" ")
    transfers.give_up(refund_id=old_refund.id, staff_id=tess.id, reason="You wrote that you would rather keep it.")
    assert (state_of(old_refund), cast.wallet(lena).balance_micros) == ("returned", 4_200_000)
    with pytest.raises(EntryReplaced):
        enter(old_refund, tess)
    adds_up(lena)


def test_a_transfer_that_was_paid_is_not_paid_again_by_a_late_webhook(lena, till, old_refund):
    for kind in ("refund.failed", "refund.too_old", "refund.paid"):
        tell(till.tells(old_refund, kind))
        assert state_of(old_refund) == "transfer"
    release(old_refund, enter(old_refund, cast.treasurer("tess")), cast.treasurer("tom"))
    for kind in ("refund.failed", "refund.too_old"):
        tell(till.tells(old_refund, kind))
    assert (state_of(old_refund), cast.wallet(lena).balance_micros) == ("refunded", 0)


# What the database refuses whoever asks.


def refused_by_the_database(sql, *arguments):
    def ask():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    with pytest.raises(DatabaseError):
        ask()


def test_never_more_is_refunded_than_was_paid(lena, till):
    cast.top_up(lena, 1_000, vat_ppm=190_000)
    other = cast.top_up(cast.person("lars"), 1_000)
    taken = take(lena, 800)
    refund = cashouts.parts_of(taken)[0]
    insert = (
        "INSERT INTO playback_refund (id, cash_out_id, listener_id, top_up_id, line_number, net_cents, vat_cents,"
        " state, gateway_id, attempts, reason) VALUES (gen_random_uuid(), %s, %s, %s, 2, %s, %s, 'waiting', '', 0, '')"
    )
    second = CashOut(listener=lena, amount_micros=410_000, taken_at=clock.now())
    second.balance_after_micros = second.promo_after_micros = 0
    with transaction.atomic():
        second.save()
        for top_up, net, vat in ((refund.top_up_id, 41, 0), (refund.top_up_id, 1, 9), (other.id, 1, 0)):
            refused_by_the_database(insert, second.id, lena.id, top_up, net, vat)
        transaction.set_rollback(True)
    # One more to the old cash-out would make it another sum than was taken.
    refused_by_the_database(insert, taken.id, lena.id, refund.top_up_id, 1, 0)


def test_a_cash_out_is_the_sum_of_its_refunds(lena, till):
    refused_by_the_database(
        "INSERT INTO playback_cashout (id, listener_id, amount_micros, taken_at, balance_after_micros,"
        " promo_after_micros) VALUES (gen_random_uuid(), %s, 10000, now(), 0, 0)",
        lena.id,
    )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE playback_refund SET net_cents = net_cents + 1",
        "UPDATE playback_refund SET vat_cents = 0",
        "UPDATE playback_refund SET top_up_id = gen_random_uuid()",
        "UPDATE playback_refund SET state = 'waiting', ended_at = NULL",
        "UPDATE playback_refund SET state = 'sent', ended_at = NULL",
        "DELETE FROM playback_refund",
        "TRUNCATE playback_refund CASCADE",
        "UPDATE playback_cashout SET amount_micros = 1",
        "DELETE FROM playback_cashout",
        "UPDATE playback_wallet SET balance_micros = -1",
    ],
)
def test_rows_of_the_past_stay_as_they_were_written(lena, till, change):
    cast.top_up(lena, 1_000, vat_ppm=190_000)
    taken = take(lena, 800)
    send()
    refused_by_the_database(change)
    assert refunds_of(taken) == [(800, 152, "refunded")]


def test_a_returned_refund_never_becomes_anything_else(lena, till):
    cast.top_up(lena, 1_000)
    till.says = lambda _: "refused"
    taken = take(lena, 800)
    send()
    for state in ("waiting", "sent", "transfer", "refunded"):
        refused_by_the_database("UPDATE playback_refund SET state = %s", state)
    assert refunds_of(taken) == [(800, 0, "returned")]


def test_a_transfer_is_released_once_and_by_another(old_refund):
    tess, tom = cast.treasurer("tess"), cast.treasurer("tom")
    entry = enter(old_refund, tess)
    with pytest.raises(IntegrityError), transaction.atomic():
        RefundTransfer.objects.filter(id=entry.id).update(released_by=tess, released_at=clock.now())
    release(old_refund, entry, tom)
    for change in ("sealed = 'v1.x'", "released_at = now()", "released_by_id = NULL, released_at = NULL"):
        refused_by_the_database(f"UPDATE playback_refundtransfer SET {change}")  # noqa: S608
    refused_by_the_database("DELETE FROM playback_refundtransfer")


# Lives: random, and checked after every step.

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("top-up"), st.integers(100, 2_000), st.sampled_from([0, 190_000, 255_000, 77_000])),
        st.tuples(st.just("spend"), st.integers(200_000, 6_000_000), st.just(0)),
        st.tuples(st.just("cash-out"), st.integers(1, 2_500), st.just(0)),
        st.tuples(st.just("send"), st.sampled_from(["refunded", "refused", "pending", "too-old"]), st.just(0)),
        st.tuples(st.just("reverse"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("webhook"), st.sampled_from(["refund.paid", "refund.failed"]), st.integers(0, 5)),
    ),
    min_size=4,
    max_size=12,
)


@settings(
    max_examples=300 if os.environ.get("REFRAIN_LONG") else 8,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=STEPS)
def test_a_life_of_cash_outs_adds_up_after_every_step(till, steps):
    with transaction.atomic():
        till.made.clear()
        lena, ana = cast.person("lena"), cast.creator(cast.person("ana"))
        for what, how, other in steps:
            _live(lena, ana, till, (what, how, other))
            adds_up(lena)
        came_back = set(Refund.objects.filter(listener=lena, state="returned").values_list("id", flat=True))
        paid_back = sum(cents for refund, (_, cents) in till.made.items() if refund not in came_back)
        assert paid_back <= sum(top_up.gross_cents for top_up in lena.top_ups.all())
        transaction.set_rollback(True)


def _live(lena, ana, till, step):
    what, how, other = step
    if what == "top-up":
        cast.top_up(lena, how, vat_ppm=other)
    elif what == "spend" and cast.wallet(lena).balance_micros >= how:
        cast.buy(lena, cast.track(ana, price_micros=how), price_micros=how)
    elif what == "cash-out":
        cents = min(how, cast.wallet(lena).balance_micros // 10_000)
        if cents:
            assert sum(net for net, _, _ in refunds_of(take(lena, cents))) == cents
    elif what == "send":
        till.says = lambda _: how
        send()
    elif what == "reverse":
        charges = list(lena.charges.filter(reversal_id=None).order_by("charged_at"))
        if charges:
            cast.give_back(charges[how % len(charges)])
    elif what == "webhook":
        found = list(Refund.objects.filter(listener=lena).order_by("cash_out__taken_at", "line_number"))
        # A provider speaks of what it made, or refuses what it took; of nothing else.
        told = [one for one in found if one.state in ("sent", "refunded")]
        if told:
            tell(till.tells(told[other % len(told)], how))
