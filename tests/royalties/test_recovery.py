"""What a restored backup lost comes back once, by the gateway's ids and the bank's names, and nothing is paid twice."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from members import clock, lineage
from members.models import Closing
from playback import cashouts, topups
from playback.cashout_models import CashOut, Refund
from playback.models import TopUp
from royalties import (
    accounts,
    adopting,
    bank,
    highwater,
    journal,
    ledger,
    payouts,
    posting,
    reconciliation,
    recovery,
    settling,
)
from royalties.adopting import FileLost
from royalties.payout_models import Payout, PayoutBatch
from royalties.payouts import BatchStands
from tests import cast
from tests.royalties import treasury
from tests.royalties.treasury import SEPTEMBER

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _outside(settings, tmp_path):
    """Keep the mark in a store of the test's own."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }


@pytest.fixture
def lena():
    """Give a listener."""
    return cast.person("lena")


# What the gateway knows.


def paid(by, cents=1_000, **other):
    """Return the event of a payment whose top-up is lost."""
    return {
        "id": str(uuid4()),
        "type": "checkout.paid",
        "created": 1_790_000_000,
        "checkout": {
            "id": str(uuid4()),
            "reference": str(uuid4()),
            "person": str(by),
            "amount_cents": cents,
            "currency": "EUR",
            "country": "DE",
            **other,
        },
    }


def refunded(checkout_id, cents, kind="refund.paid"):
    """Return the event of a refund that is lost."""
    said = {"id": str(uuid4()), "reference": str(uuid4()), "checkout": checkout_id}
    return {"id": str(uuid4()), "type": kind, "refund": {**said, "amount_cents": cents, "currency": "EUR"}}


def take_in(event):
    return topups.take_in(event=event, now=clock.now())


def test_a_lost_top_up_is_made_anew_under_its_id_for_who_paid_it(lena):
    event = paid(lena.id)
    assert take_in(event)
    made = TopUp.objects.get()
    assert str(made.id) == event["checkout"]["reference"]
    assert (made.listener_id, made.state, made.net_cents, made.vat_cents) == (lena.id, "settled", 840, 160)
    assert made.created_at == datetime.fromtimestamp(event["created"], UTC) + clock.offset()
    assert not take_in(event)
    assert take_in({**event, "id": "told again"})
    assert cast.wallet(lena).balance_micros == 8_400_000
    assert list(topups.unplaced()) == []


@pytest.mark.parametrize(
    "wrong",
    [{"person": str(uuid4())}, {"person": "x"}, {"reference": "x"}, {"country": ""}, {"currency": "USD"}],
)
def test_what_is_nobodys_brings_no_credit_and_waits_in_the_books_once(lena, wrong):
    event = paid(lena.id, **wrong)
    take_in(event)
    assert not TopUp.objects.exists()
    waits = 0 if "currency" in wrong else 10_000_000
    for _ in range(2):
        recovery.place(now=clock.now())
        assert (ledger.balance(accounts.SUSPENSE), ledger.balance(accounts.PROVIDER)) == (-waits, waits)
    assert reconciliation.check(now=clock.now()) == []


@pytest.mark.parametrize(("net", "vat"), [(1, 0), (100, 19), (420, 80), (839, 160), (840, 160)])
def test_a_lost_refund_is_made_anew_and_its_credit_taken_out(lena, net, vat):
    payment = cast.top_up(lena, 1_000, vat_ppm=190_000)
    event = refunded(payment.checkout_id, net + vat)
    assert take_in(event)
    assert not take_in(event)
    made = Refund.objects.get()
    assert str(made.id) == event["refund"]["reference"]
    assert (made.state, made.net_cents, made.vat_cents, made.gateway_id) == (
        "refunded",
        net,
        vat,
        event["refund"]["id"],
    )
    assert cast.wallet(lena).balance_micros == (840 - net) * 10_000
    posting.post(now=clock.now())
    assert reconciliation.check(now=clock.now()) == []


def test_lost_refunds_of_one_payment_part_it_as_cashing_out_did(lena):
    payment, like = cast.top_up(lena, 1_000, vat_ppm=190_000), cast.person("like")
    cast.top_up(like, 1_000, vat_ppm=190_000)
    for cents in (333, 333, 174):
        taken, _ = cashouts.take(person_id=like.id, amount_micros=cents * 10_000, key=str(cents) + str(uuid4()))
        (expected,) = taken.refunds.all()
        take_in(refunded(payment.checkout_id, expected.gross_cents))
        made = Refund.objects.filter(listener=lena).latest("cash_out__taken_at")
        assert (made.net_cents, made.vat_cents) == (expected.net_cents, expected.vat_cents)
    assert cast.wallet(lena).balance_micros == 0


def test_a_refund_of_credit_that_was_spent_anew_waits_in_the_books(lena):
    payment = cast.top_up(lena, 1_000)
    cast.buy(lena, cast.track(cast.creator(cast.person("maker")), price_micros=5_000_000), price_micros=5_000_000)
    take_in(refunded(payment.checkout_id, 600))
    take_in(refunded("unknown", 100))
    take_in(refunded(payment.checkout_id, 100, kind="refund.failed"))
    assert not CashOut.objects.exists()
    recovery.place(now=clock.now())
    assert ledger.balance(accounts.SUSPENSE) == 7_000_000
    assert cast.wallet(lena).balance_micros == 5_000_000


def test_one_event_that_cannot_be_read_stops_none_behind_it(lena, monkeypatch):
    good = paid(lena.id)
    told = [{"id": "x", "type": "checkout.paid"}, good, {"nothing": 1}, good]
    monkeypatch.setattr(topups, "gateway", lambda: SimpleNamespace(events=lambda **_: told))
    assert topups.pull(since=clock.now(), now=clock.now()) == 1
    assert topups.pull(since=clock.now(), now=clock.now()) == 0
    assert cast.wallet(lena).balance_micros == 8_400_000


# What the bank knows.


@pytest.fixture
def treasurers():
    """Give two treasurers on the fourth of October, when September is sealed."""
    treasury.seal(SEPTEMBER)
    return cast.treasurer("tess"), cast.treasurer("tom")


def lost(person, cents, *, month=SEPTEMBER, sequence=1):
    """Return a payout of a file that is lost, as the bank's lines name it."""
    return Payout(end_to_end=settling.end_to_end(payee_id=person.id, month=month, sequence=sequence), cents=cents)


def take(by, *entries):
    return bank.take_in(content=treasury.statement(*entries), staff_id=by.id, now=clock.now())


def line(*found, back=""):
    size = sum(one.cents for one in found)
    return treasury.entry(size if back else -size, details="".join(treasury.one(one, back=back) for one in found))


def on_accounts():
    return {code: ledger.balance(code) for code in (accounts.BANK, accounts.PAYOUTS, accounts.LOST, accounts.SUSPENSE)}


def payout_differences():
    return [one for one in reconciliation.check(now=clock.now()) if one.key.startswith("payouts:")]


def test_a_lost_file_is_prepared_again_under_its_number_with_the_banks_sums(treasurers):
    tess, tom = treasurers
    ana, ben, cleo = (treasury.payee(name, 20_000_000) for name in ("ana", "ben", "cleo"))
    # The second file of September is lost; what was due then was 15.00 to Ana and 20.00 to Ben, in one sum.
    take(tess, line(lost(ana, 1_500, sequence=2), lost(ben, 2_000, sequence=2)))
    assert [(one.month, one.sequence, one.cents) for one in adopting.unknown()] == [(SEPTEMBER, 2, 3_500)]
    treasury.agree(SEPTEMBER, tess, tom)
    batch = treasury.pay(SEPTEMBER, tess, tom)
    assert batch.sequence == 2
    found = {one.person_id: (one.cents, one.bank_has_it, one.state) for one in batch.payouts.all()}
    assert found == {
        ana.id: (1_500, True, "booked"),
        ben.id: (2_000, True, "booked"),
        cleo.id: (2_000, False, "in-transit"),
    }
    content = payouts.bank_file(batch_id=batch.id, staff_id=tess.id).decode()
    assert content.count("<EndToEndId>") == 1
    assert treasury.owed(ana) == 5_000_000
    assert (bank.unexplained().count(), adopting.unknown(), payout_differences()) == (0, [], [])


def test_whoever_was_paid_more_than_is_left_owes_nothing_back(treasurers):
    tess, tom = treasurers
    ana, ben, cleo = treasury.payee("ana", 12_345_678), treasury.payee("ben"), treasury.payee("cleo", 20_000_000)
    take(tess, line(lost(ana, 1_500), lost(ben, 1_000), lost(cleo, 2_000)))
    treasury.agree(SEPTEMBER, tess, tom)
    treasury.pay(SEPTEMBER, tess, tom)
    assert [treasury.owed(one) for one in (ana, ben, cleo)] == [5_678, 0, 0]
    lost_micros = 15_000_000 - 12_340_000 + 10_000_000
    assert on_accounts() == {
        accounts.BANK: -45_000_000,
        accounts.PAYOUTS: 0,
        accounts.LOST: lost_micros,
        accounts.SUSPENSE: 0,
    }
    assert (bank.unexplained().count(), payout_differences()) == (0, [])


def test_what_was_paid_for_an_earlier_month_is_booked_before_another_is_prepared(treasurers):
    tess, _ = treasurers
    ana, ben = treasury.payee("ana", 20_000_000), cast.person("ben")
    treasury.owe(ben, 30_000_000)
    stranger = cast.person("stranger")
    take(tess, line(lost(ana, 2_000), lost(ben, 3_000), lost(stranger, 500)))
    take(tess, line(lost(ana, 2_000), back="AC04"))
    treasury.seal(treasury.OCTOBER)
    for _ in range(2):
        recovery.settle(now=clock.now())
        assert (treasury.owed(ana), treasury.owed(ben)) == (20_000_000, 0)
        assert on_accounts() == {
            accounts.BANK: -35_000_000,
            accounts.PAYOUTS: 0,
            accounts.LOST: 0,
            accounts.SUSPENSE: 5_000_000,
        }
    batch = PayoutBatch.objects.get()
    assert (batch.state, batch.month, batch.total_cents, batch.prepared_by) == ("restored", SEPTEMBER, 5_000, tess)
    assert {one.person_id: (one.state, one.account is None) for one in batch.payouts.all()} == {
        ana.id: ("returned", False),
        ben.id: ("booked", True),
    }
    again = payouts.prepare(month=treasury.OCTOBER, staff_id=tess.id, now=clock.now())
    assert [(one.person_id, one.cents) for one in again.payouts.all()] == [(ana.id, 2_000)]
    assert (bank.unexplained().count(), payout_differences()) == (0, [])


def test_prepared_payouts_that_the_bank_has_are_not_dropped_and_not_sent(treasurers):
    tess, tom = treasurers
    ana = treasury.payee("ana", 20_000_000)
    treasury.agree(SEPTEMBER, tess, tom)
    batch = payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    take(tess, line(batch.payouts.get()))
    with pytest.raises(BatchStands):
        payouts.drop(batch_id=batch.id, staff_id=tess.id)
    payouts.release(batch_id=batch.id, plan_sha256=batch.plan_sha256, staff_id=tom.id, now=clock.now())
    assert payouts.bank_file(batch_id=batch.id, staff_id=tess.id) == b""
    assert (batch.payouts.get().state, treasury.owed(ana), bank.unexplained().count()) == ("booked", 0, 0)


def test_a_payout_that_was_dropped_before_the_bank_told_of_it_is_not_paid_again(treasurers):
    tess, tom = treasurers
    ana, ben = treasury.payee("ana", 20_000_000), treasury.payee("ben", 15_000_000)
    treasury.agree(SEPTEMBER, tess, tom)
    batch = payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    payouts.drop(batch_id=batch.id, staff_id=tess.id)
    take(tess, line(lost(ana, 2_000)))
    again = treasury.pay(SEPTEMBER, tess, tom)
    assert [(one.person_id, one.cents) for one in again.payouts.all()] == [(ben.id, 1_500)]
    assert treasury.owed(ana) == 0
    assert (bank.unexplained().count(), payout_differences()) == (0, [])


def test_a_lost_file_in_one_sum_is_matched_by_its_total_or_asked_for(treasurers):
    tess, tom = treasurers
    ana, ben = treasury.payee("ana", 20_000_000), treasury.payee("ben", 15_000_000)
    treasury.agree(SEPTEMBER, tess, tom)
    whole = "<Btch><PmtInfId>RFR-202609-01</PmtInfId></Btch>"
    take(tess, treasury.entry(-3_400, day="2026-10-04", details=whole, reference="one"))
    with pytest.raises(BatchStands):
        payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    treasury.owe(ben, 1_000_000, month=treasury.OCTOBER)
    with pytest.raises(BatchStands):
        payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())
    (wrong,) = bank.unexplained()
    journal.enter(
        staff_id=tess.id, kind="unclear-out", amount_micros=0, happened_on=wrong.booked_on, words="Whose?",
        now=clock.now(), bank_line_id=wrong.id,
    )  # fmt: skip
    take(tess, treasury.entry(-3_600, details=whole, reference="two"))
    batch = treasury.pay(SEPTEMBER, tess, tom)
    assert payouts.bank_file(batch_id=batch.id, staff_id=tess.id) == b""
    assert (treasury.owed(ana), treasury.owed(ben), bank.unexplained().count()) == (0, 0, 0)
    take(tess, treasury.entry(-100, details=whole.replace("09-01", "08-01"), reference="three"))
    with pytest.raises(FileLost):
        payouts.prepare(month=SEPTEMBER, staff_id=tess.id, now=clock.now())


# The command.


def test_differences_keep_it_closed_unless_somebody_says_why(lena, settings, capsys):
    settings.GATEWAY = "none"
    cast.top_up(lena, 1_000)
    highwater.keep()
    lineage.close(why="for a test", lost_since=clock.now() - timedelta(days=3))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE playback_wallet SET balance_micros = balance_micros + 1")
    with pytest.raises(CommandError, match="differences") as refused:
        call_command("recover")
    assert refused.value.returncode == 1
    assert lineage.is_closed()
    call_command("recover", "--open-with-differences", "A micro too much for Lena, looked into.")
    assert not lineage.is_closed()
    assert "looked into" in Closing.objects.get().words
    assert "DIFFERS" in capsys.readouterr().out


def test_a_gateway_or_a_store_that_is_away_keeps_it_closed(lena, settings, tmp_path):
    highwater.keep()
    lineage.close(why="for a test")
    settings.GATEWAY = "play-money"
    with pytest.raises(CommandError, match="does not answer"):
        call_command("recover")
    settings.GATEWAY = "none"
    (tmp_path / highwater.KEY).unlink()
    (tmp_path / highwater.KEY / "in the way").mkdir(parents=True)
    with pytest.raises(CommandError, match="store"):
        call_command("recover")
    assert lineage.is_closed()


def test_somebody_closes_it_by_hand(capsys):
    call_command("close_for_recovery", "the machine was rolled back", "--backup-of", "2026-11-20T03:00+01:00")
    found = lineage.standing()
    assert (found.why, found.lost_since) == ("the machine was rolled back", datetime(2026, 11, 20, 2, tzinfo=UTC))
    assert recovery.since() == found.lost_since - timedelta(days=2)
    for wrong in ("yesterday", "2026-11-20T03:00"):
        with pytest.raises(CommandError):
            call_command("close_for_recovery", "again", "--backup-of", wrong)
