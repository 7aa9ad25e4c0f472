"""Many cash out at once: whoever comes first takes the credit, once, and each payment gets back its part once."""

from collections import Counter

import pytest

from playback import cashouts
from playback.cashout_models import CashOut, Refund
from tests import cast
from tests.playback.test_races import all_at_once
from tests.playback.till import send, take, tell

pytestmark = pytest.mark.usefixtures("committed")


def adds_up(person):
    assert cast.entries_sum(person) == (cast.wallet(person).balance_micros, 0)


def test_one_key_takes_once_however_many_ask(lena):
    cast.top_up(lena, 1_000)
    told = all_at_once(lambda _: take(lena, 700, key="same").id)
    assert len(set(told)) == 1
    assert CashOut.objects.count() == Refund.objects.count() == 1
    assert cast.wallet(lena).balance_micros == 3_000_000


def test_never_more_is_taken_than_is_there(lena):
    cast.top_up(lena, 1_000)
    told = all_at_once(lambda number: take(lena, 300, key=f"key-{number}").amount_micros)
    assert Counter(told) == {3_000_000: 3, "cash-out-refused": 29}
    assert cast.wallet(lena).balance_micros == 1_000_000
    adds_up(lena)


def test_many_workers_ask_for_each_refund_once(lena, till):
    for _ in range(6):
        cast.top_up(lena, 100)
    take(lena, 600)
    all_at_once(lambda _: send(), clients=8)
    assert len(till.asked) == len(till.made) == 6
    assert set(Refund.objects.values_list("state", flat=True)) == {"refunded"}


def test_a_webhook_and_the_answer_give_the_credit_back_once(lena, till):
    cast.top_up(lena, 500)
    refund = cashouts.parts_of(take(lena, 500))[0]
    till.says = lambda _: "refused"
    event = till.tells(refund, "refund.failed")
    all_at_once(lambda number: send() if number % 2 else tell({**event, "id": f"e-{number}"}), clients=8)
    assert cast.wallet(lena).balance_micros == 5_000_000
    adds_up(lena)
