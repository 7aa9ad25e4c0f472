"""Many at once: a year is paid once, numbers are all different, and one card lets one of many in."""

import pytest

from members import clock
from members.belonging import dues, memberships
from members.belonging.models import DuesPayment, Instrument, Membership
from playback.dues_models import DuesTaken
from tests import cast
from tests.members import belonging
from tests.playback.test_races import all_at_once

pytestmark = pytest.mark.usefixtures("committed")


def test_a_year_is_paid_once_however_often_it_is_pressed_at_once():
    lena = cast.person("lena")
    cast.top_up(lena, 5_000)
    found = belonging.approved(lena, now=clock.now())
    due = dues.due_from(found, now=clock.now())
    told = all_at_once(
        lambda _: dues.pay_from_wallet(person_id=lena.id, covers_from=due, now=clock.now()).id, clients=12
    )
    assert len(set(told)) == 1
    assert (DuesPayment.objects.count(), DuesTaken.objects.count()) == (1, 1)
    assert cast.wallet(lena).balance_micros == 40_000_000
    assert Membership.objects.get().number == 1


def test_who_joins_at_once_gets_numbers_of_their_own():
    waiting = [belonging.approved(cast.person(f"lena{number}"), now=clock.now()) for number in range(8)]
    all_at_once(lambda number: belonging.pay(waiting[number], now=clock.now()), clients=8)
    assert sorted(Membership.objects.values_list("number", flat=True)) == list(range(1, 9))


def test_one_account_lets_one_of_many_in():
    iban, tess = belonging.iban(), cast.treasurer("tess")
    waiting = [belonging.approved(cast.person(f"lena{number}"), now=clock.now()) for number in range(6)]
    due = dues.due_from(waiting[0], now=clock.now())

    def pay(number):
        dues.confirm_by_bank(
            membership_id=waiting[number].id, staff_id=tess.id, covers_from=due, iban=iban, now=clock.now()
        )
        return "joined"

    told = all_at_once(pay, clients=6)
    assert sorted(told) == ["instrument-taken"] * 5 + ["joined"]
    assert (memberships.count(), Instrument.objects.count(), DuesPayment.objects.count()) == (1, 1, 1)
