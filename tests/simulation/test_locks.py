"""The two locks of charging are taken away in turn: two things at once must then go wrong, and visibly so."""

import re
import threading
from contextlib import suppress

import pytest
from django.db import connection, transaction

from members import clock
from members.models import Month
from members.problems import Problem
from playback import charging, sessions
from playback.models import Charge
from tests import cast
from tests.simulation.removal import CHARGING_SQL, MONTHS_SQL, sql_changed

pytestmark = pytest.mark.usefixtures("committed")

WALLETS_LOCK = re.compile(r" FOR NO KEY UPDATE(?=;\n    SELECT \* INTO s FROM playback_session)")
PERIODS_LOCK = re.compile(r".*pg_advisory_xact_lock_shared.*\n")
MEANWHILE_SECONDS = 0.5


def meanwhile(first, second) -> bool:
    """Do the first in a transaction, the second on another connection before its commit; return whether that waited."""

    def on_another_connection():
        with suppress(Problem):
            second()
        connection.close()

    other = threading.Thread(target=on_another_connection)
    with transaction.atomic():
        first()
        other.start()
        other.join(MEANWHILE_SECONDS)
        waited = other.is_alive()
    other.join()
    return waited


@pytest.fixture
def two_plays_of_one():
    """Give two ways to spend the same 0.002, and who spends it."""
    lena, profile = cast.person("lena"), cast.creator(cast.person("ana"))
    cast.promo(lena, 2_000)
    begun = [sessions.begin(person_id=lena.id, work_id=cast.track(profile).id, now=clock.now())[0].id for _ in range(2)]
    return lena, [
        lambda name=name: charging.charge_session(person_id=lena.id, session_id=name, price_micros=2_000)
        for name in begun
    ]


def test_with_the_wallets_lock_the_last_credit_is_spent_once(two_plays_of_one):
    lena, (first, second) = two_plays_of_one
    assert meanwhile(first, second)
    assert Charge.objects.count() == 1
    assert cast.entries_sum(lena) == (0, 0)


def test_without_the_wallets_lock_it_would_be_spent_twice(two_plays_of_one):
    lena, (first, second) = two_plays_of_one
    with sql_changed(CHARGING_SQL, WALLETS_LOCK, ""):
        meanwhile(first, second)
    assert Charge.objects.count() == 2
    assert cast.wallet(lena).promo_micros == 0
    assert cast.entries_sum(lena) == (0, -2_000)


def close_this_month():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1919247969)")
        Month.objects.create(starts_on=clock.month(clock.now()), state="closing", closed_at=clock.now())


def test_with_the_periods_lock_a_month_closes_after_the_charges_under_way(two_plays_of_one):
    assert meanwhile(two_plays_of_one[1][0], close_this_month)
    assert Month.objects.count() == 1


def test_without_the_periods_lock_a_charge_would_slip_into_a_closed_month(two_plays_of_one):
    with sql_changed(MONTHS_SQL, PERIODS_LOCK, ""):
        assert not meanwhile(two_plays_of_one[1][0], close_this_month)
    assert clock.month(Charge.objects.get().charged_at) == Month.objects.get().starts_on
