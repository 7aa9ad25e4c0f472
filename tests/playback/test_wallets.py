"""Wallets: limits by day and month, raises that wait a night, counters, and a history that explains every micro."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members import clock
from members.problems import Invalid
from playback import sessions, wallets
from playback.wallets import LimitReached
from tests import cast

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


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


def limit(listener, day=None, month=None, *, now=None):
    return wallets.set_limits(
        person_id=listener.id, day_limit_micros=day, month_limit_micros=month, now=now or clock.now()
    )


def overview(listener, *, after=timedelta(0)):
    return wallets.overview(person_id=listener.id, now=clock.now() + after)


def test_an_empty_wallet_is_shown_without_being_made():
    lars = cast.person("lars")
    found = overview(lars)
    assert (found.balance_micros, found.promo_micros, found.currency) == (0, 0, "EUR")
    assert (found.day_limit_micros, found.month_limit_micros, found.spent_today_micros) == (None, None, 0)
    assert cast.wallet(lars)._state.adding


def test_a_play_within_the_day_s_limit_passes_and_one_above_does_not(lena, song):
    limit(lena, day=6_000)
    cast.play(lena, song)
    cast.play(lena, song)
    assert overview(lena).spent_today_micros == 6_000
    with pytest.raises(LimitReached) as refused:
        cast.play(lena, song)
    assert refused.value.extra == {"limit": "day", "limit_micros": 6_000, "needed_micros": 8_000}
    assert overview(lena).balance_micros == 20_000_000 - 6_000


def test_plays_and_purchases_both_count(lena, song):
    limit(lena, day=1_000_000)
    cast.play(lena, song)
    with pytest.raises(LimitReached):
        cast.buy(lena, song, price_micros=1_022_000)
    assert cast.play(lena, song).charged_micros == 4_000


def test_the_day_s_limit_starts_again_at_the_co_op_s_midnight(lena, song):
    midnight = datetime(2027, 7, 14, 22, 0, tzinfo=UTC)
    cast.set_clock(midnight - timedelta(minutes=5))
    limit(lena, day=4_000)
    cast.play(lena, song)
    with pytest.raises(LimitReached):
        cast.play(lena, song)
    cast.set_clock(midnight)
    assert cast.play(lena, song).charged_micros == 4_000
    assert overview(lena).spent_today_micros == 4_000
    assert overview(lena).spent_this_month_micros == 6_000


def test_the_month_s_limit_starts_again_with_the_month(lena, song):
    midnight = datetime(2027, 7, 31, 22, 0, tzinfo=UTC)
    cast.set_clock(midnight - timedelta(days=3))
    limit(lena, month=4_000)
    cast.play(lena, song)
    cast.set_clock(midnight - timedelta(minutes=1))
    with pytest.raises(LimitReached) as refused:
        cast.play(lena, song)
    assert refused.value.extra["limit"] == "month"
    cast.set_clock(midnight)
    assert cast.play(lena, song).charged_micros == 4_000
    assert overview(lena).spent_this_month_micros == 4_000


def test_a_limit_may_lie_below_what_is_spent_and_zero_stops_everything(lena, song):
    cast.play(lena, song)
    for below in (1_000, 0):
        limit(lena, day=below)
        with pytest.raises(LimitReached):
            cast.play(lena, song)
    assert overview(lena).spent_today_micros == 2_000


def test_a_first_limit_and_a_lower_one_hold_at_once(lena):
    assert limit(lena, day=5_000).day_limit_micros == 5_000
    assert limit(lena, day=4_000).day_limit_micros == 4_000


def test_a_higher_limit_holds_after_a_night(lena, song):
    now = clock.now()
    limit(lena, day=3_000, now=now)
    found = limit(lena, day=9_000, now=now)
    assert (found.day_limit_micros, found.next_day_limit_micros, found.next_day_limit_at) == (3_000, 9_000, now + DAY)
    cast.play(lena, song)
    with pytest.raises(LimitReached):
        cast.play(lena, song)
    almost = wallets.overview(person_id=lena.id, now=now + DAY - timedelta(microseconds=1))
    assert almost.day_limit_micros == 3_000
    after = wallets.overview(person_id=lena.id, now=now + DAY)
    assert (after.day_limit_micros, after.next_day_limit_at) == (9_000, None)
    cast.set_clock(now + DAY + timedelta(seconds=1))
    assert cast.play(lena, song).charged_micros == 4_000


def test_no_limit_any_more_is_a_raise_too(lena):
    now = clock.now()
    limit(lena, day=3_000, month=9_000, now=now)
    found = limit(lena, now=now)
    assert (found.day_limit_micros, found.next_day_limit_at) == (3_000, now + DAY)
    after = wallets.overview(person_id=lena.id, now=now + DAY)
    assert (after.day_limit_micros, after.month_limit_micros) == (None, None)


def test_lowering_drops_a_raise_that_waits(lena):
    now = clock.now()
    limit(lena, day=3_000, now=now)
    limit(lena, day=9_000, now=now)
    found = limit(lena, day=2_000, now=now)
    assert (found.day_limit_micros, found.next_day_limit_micros, found.next_day_limit_at) == (2_000, None, None)
    assert wallets.overview(person_id=lena.id, now=now + 2 * DAY).day_limit_micros == 2_000


def test_asking_for_the_same_raise_again_keeps_its_moment_and_another_waits_anew(lena):
    now = clock.now()
    limit(lena, day=3_000, now=now)
    limit(lena, day=9_000, now=now)
    later = now + timedelta(hours=5)
    assert limit(lena, day=9_000, now=later).next_day_limit_at == now + DAY
    assert limit(lena, day=8_000, now=later).next_day_limit_at == later + DAY


def test_a_raise_in_force_is_the_limit_that_the_next_one_is_held_against(lena):
    now = clock.now()
    limit(lena, day=3_000, now=now)
    limit(lena, day=9_000, now=now)
    found = limit(lena, day=8_000, now=now + DAY)
    assert (found.day_limit_micros, found.next_day_limit_at) == (8_000, None)


def test_day_and_month_are_independent(lena):
    now = clock.now()
    limit(lena, day=3_000, month=9_000, now=now)
    found = limit(lena, day=2_000, month=20_000, now=now)
    assert (found.day_limit_micros, found.month_limit_micros) == (2_000, 9_000)
    assert (found.next_day_limit_at, found.next_month_limit_micros) == (None, 20_000)


@pytest.mark.parametrize("wrong", [-1, wallets.LIMIT_MOST_MICROS + 1, 2**63])
def test_a_senseless_limit_is_refused(lena, wrong):
    for figures in ({"day": wrong}, {"month": wrong}):
        with pytest.raises(Invalid):
            limit(lena, **figures)
    assert overview(lena).day_limit_micros is None


def test_a_reversal_gives_back_to_the_counters_of_the_same_day(lena, song):
    limit(lena, day=4_000, month=4_000)
    cast.play(lena, song)
    cast.give_back(cast.last_charge(lena))
    assert (overview(lena).spent_today_micros, overview(lena).spent_this_month_micros) == (0, 0)
    assert cast.play(lena, song).charged_micros == 2_000


def test_a_reversal_the_day_after_gives_back_to_the_month_alone(lena, song):
    cast.set_clock(datetime(2027, 7, 14, 12, 0, tzinfo=UTC))
    cast.play(lena, song)
    first = cast.last_charge(lena)
    cast.set_clock(datetime(2027, 7, 15, 12, 0, tzinfo=UTC))
    cast.play(lena, song)
    cast.give_back(first)
    assert overview(lena).spent_today_micros == 4_000
    assert overview(lena).spent_this_month_micros == 4_000


def test_a_reversal_the_month_after_gives_back_to_no_counter(lena, song):
    cast.set_clock(datetime(2027, 7, 14, 12, 0, tzinfo=UTC))
    cast.play(lena, song)
    first = cast.last_charge(lena)
    cast.set_clock(datetime(2027, 8, 14, 12, 0, tzinfo=UTC))
    cast.play(lena, song)
    cast.give_back(first)
    assert (overview(lena).spent_today_micros, overview(lena).spent_this_month_micros) == (4_000, 4_000)


def test_a_clock_that_stepped_back_over_midnight_hinders_no_reversal(lena, song):
    midnight = datetime(2027, 7, 14, 22, 0, tzinfo=UTC)
    cast.set_clock(midnight - timedelta(minutes=2))
    cast.play(lena, song)
    cast.play(lena, song)
    large = cast.last_charge(lena)
    cast.set_clock(midnight + timedelta(seconds=1))
    cast.play(lena, song)
    cast.set_clock(midnight - timedelta(minutes=1))
    cast.play(lena, cast.track(song.creator))
    cast.give_back(large)
    assert cast.wallet(lena).balance_micros == 20_000_000 - 2_000 - 8_000 - 2_000
    assert overview(lena).spent_today_micros == 0


def test_the_first_consent_stays_and_a_choice_can_be_changed(lena):
    now = clock.now()
    assert not overview(lena).consented
    wallets.record_consent(person_id=lena.id, version=1, now=now)
    wallets.record_consent(person_id=lena.id, version=2, now=now + DAY)
    row = cast.wallet(lena)
    assert (row.consented_at, row.consent_version) == (now, 1)
    for goes_on in (True, False):
        wallets.set_goes_on(person_id=lena.id, goes_on=goes_on)
        assert overview(lena).goes_on is goes_on


def test_the_history_explains_the_balance_line_by_line(lena, song):
    cast.promo(lena, 3_000)
    cast.play(lena, song)
    cast.play(lena, song)
    cast.give_back(cast.last_charge(lena))
    cast.buy(lena, song, price_micros=1_022_000)
    lines = wallets.entries(person_id=lena.id)
    assert [(line.kind, line.amount_micros, line.promo_part_micros) for line in lines] == [
        ("purchase", -1_020_000, -1_000),
        ("reversal", 4_000, 1_000),
        ("play", -4_000, -1_000),
        ("play", -2_000, -2_000),
        ("promo", 3_000, 3_000),
        ("top-up", 20_000_000, 0),
    ]
    after = [(line.balance_after_micros, line.promo_after_micros) for line in lines]
    assert after == [
        (18_981_000, 0),
        (20_000_000, 1_000),
        (19_997_000, 0),
        (20_000_000, 1_000),
        (20_000_000, 3_000),
        (20_000_000, 0),
    ]
    assert [line.work_title for line in lines] == [song.title] * 4 + [None] * 2
    assert [line.play_number for line in lines] == [None, 2, 2, 1, None, None]
    assert [line.reason for line in lines if line.reason] == ["A test gives it back.", "A gift for a test."]
    row = cast.wallet(lena)
    assert cast.entries_sum(lena) == (row.balance_micros, row.promo_micros) == (18_981_000, 0)


def test_the_history_is_read_in_pages_with_one_query_each(lena, song):
    for _ in range(5):
        cast.play(lena, song)
    with CaptureQueriesContext(connection) as queries:
        newest = wallets.entries(person_id=lena.id, limit=4)
    assert len(queries) == 1
    rest = wallets.entries(person_id=lena.id, before=newest[-1].at, limit=4)
    assert [line.play_number for line in (*newest, *rest)] == [5, 4, 3, 2, 1, None]


def test_a_history_is_ones_own(lena, song):
    cast.play(lena, song)
    assert wallets.entries(person_id=cast.person("lars").id) == []


def test_what_blocks_is_named_in_the_order_of_the_charge(lena, song):
    limit(lena, day=0, month=0)
    row = cast.wallet(lena)
    found = wallets.overview_of(row, now=clock.now())
    assert found.refusal(1).extra == {"limit": "day", "limit_micros": 0, "needed_micros": 1}
    row.day_limit_micros = None
    assert wallets.overview_of(row, now=clock.now()).refusal(1).extra["limit"] == "month"
    row.month_limit_micros = None
    assert wallets.overview_of(row, now=clock.now()).refusal(20_000_000) is None
    assert wallets.overview_of(row, now=clock.now()).refusal(20_000_001).slug == "insufficient-funds"
    row.frozen_at = clock.now()
    assert wallets.overview_of(row, now=clock.now()).refusal(1).slug == "wallet-frozen"
    assert (
        sessions.listening(person_id=lena.id, work_id=song.id, now=clock.now()).blocked.slug == "spending-limit-reached"
    )
