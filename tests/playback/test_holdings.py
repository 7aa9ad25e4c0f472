"""Holdings: what nine plays cost, what is kept when prices move, and that a work is always owned in the end."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.ladder import Terms
from members import clock
from playback import charging, holdings, sessions
from playback.holdings import Held
from playback.models import Charge, Holding, Session
from tests import cast

LADDER = [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000]
PRICE = 1_022_000

pytestmark = pytest.mark.django_db


@pytest.fixture
def lena():
    """Give a listener with 20.00 of credit."""
    listener = cast.person("lena")
    cast.top_up(listener, 2_000)
    return listener


@pytest.fixture
def ana():
    """Give a musician."""
    return cast.person("ana")


@pytest.fixture
def song(ana):
    """Give a track at the default price."""
    return cast.track(cast.creator(ana))


def test_nine_plays_cost_the_price_and_own(lena, song):
    for number, price in enumerate(LADDER, 1):
        charged = cast.play(lena, song)
        assert (charged.charged_micros, charged.play_number) == (price, number)
        assert charged.paid_micros == sum(LADDER[:number])
        assert charged.remaining_micros == PRICE - sum(LADDER[:number])
        assert charged.owned == (number == 9)
    assert charged.paid_micros == PRICE
    assert cast.wallet(lena).balance_micros == 20_000_000 - PRICE


def test_the_tenth_play_is_free(lena, song):
    for _ in range(9):
        cast.play(lena, song)
    sitting, new = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
    assert new
    assert (sitting.basis, sitting.price_micros, sitting.play_number, sitting.whole) == ("owned", 0, None, True)
    charged = cast.play(lena, song)
    assert (charged.charged_micros, charged.play_number, charged.owned) == (0, None, True)
    assert Charge.objects.filter(listener=lena).count() == 9
    assert cast.wallet(lena).balance_micros == 20_000_000 - PRICE


@pytest.mark.parametrize("plays", range(9))
def test_some_plays_and_a_purchase_of_the_rest_cost_the_price(lena, song, plays):
    for _ in range(plays):
        cast.play(lena, song)
    charged = cast.buy(lena, song, price_micros=PRICE)
    assert charged.charged_micros == PRICE - sum(LADDER[:plays])
    assert (charged.paid_micros, charged.remaining_micros, charged.owned) == (PRICE, 0, True)
    assert cast.wallet(lena).balance_micros == 20_000_000 - PRICE
    assert cast.play(lena, song).charged_micros == 0


def test_a_price_that_falls_makes_the_remaining_plays_cheaper_and_the_ninth_still_owns(lena, song):
    for _ in range(6):
        cast.play(lena, song)
    song.price_micros = 400_000
    song.save()
    charged = [cast.play(lena, song) for _ in range(3)]
    assert [one.charged_micros for one in charged] == [50_098, 100_196, 123_706]
    assert [one.owned for one in charged] == [False, False, True]
    assert charged[-1].paid_micros == 400_000


def test_a_price_that_rises_changes_nothing_for_who_has_begun(lena, song):
    cast.play(lena, song)
    song.price_micros = 9_000_000
    song.save()
    assert [cast.play(lena, song).charged_micros for _ in range(8)] == LADDER[1:]


def test_a_price_that_rose_is_the_price_of_who_begins_now(lena, song):
    song.price_micros = 9_000_000
    song.save()
    sitting, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
    assert sitting.price_micros == 17_613
    assert sitting.cap_micros == 9_000_000


def test_a_fallen_price_is_kept_when_it_rises_again(lena, song):
    for _ in range(6):
        cast.play(lena, song)
    song.price_micros = 400_000
    song.save()
    sitting, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
    assert (sitting.price_micros, sitting.cap_micros) == (50_098, 400_000)
    song.price_micros = 5_000_000
    song.save()
    assert [cast.play(lena, song).charged_micros for _ in range(3)] == [50_098, 100_196, 123_706]


def test_a_price_that_falls_below_what_is_paid_gives_the_work_without_a_charge(lena, song):
    for _ in range(8):
        cast.play(lena, song)
    song.price_micros = 300_000
    song.save()
    sitting, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
    assert (sitting.basis, sitting.price_micros) == ("owned", 0)
    held = Holding.objects.get(listener=lena, work=song)
    assert (held.paid_micros, held.cap_micros, held.owned_at is not None) == (510_000, 510_000, True)
    song.price_micros = 9_000_000
    song.save()
    assert cast.play(lena, song).charged_micros == 0


def test_a_vote_binds_only_who_begins_after_it(lena, song):
    for _ in range(3):
        cast.play(lena, song)
    effective = cast.vote("pricing", plays=3, growth_num=3, growth_den=1, price_default_micros=2_600_000)
    cast.set_clock(effective + timedelta(seconds=1))
    assert [cast.play(lena, song).charged_micros for _ in range(6)] == LADDER[3:]
    held = Holding.objects.get(listener=lena, work=song)
    assert (held.price_micros, held.plays, held.growth_num, held.growth_den, held.pricing_version) == (
        PRICE,
        9,
        2,
        1,
        1,
    )
    lars = cast.person("lars")
    cast.top_up(lars, 2_000)
    assert [cast.play(lars, song).charged_micros for _ in range(3)] == [200_000, 600_000, 1_800_000]
    assert Holding.objects.get(listener=lars, work=song).pricing_version == 2


def test_a_vote_below_the_price_makes_begun_works_cheaper_at_their_own_shape(lena, song):
    for _ in range(6):
        cast.play(lena, song)
    effective = cast.vote("pricing", plays=30, growth_num=1, growth_den=1, price_default_micros=400_000)
    cast.set_clock(effective + timedelta(seconds=1))
    assert [cast.play(lena, song).charged_micros for _ in range(3)] == [50_098, 100_196, 123_706]


def test_a_vote_binds_the_figure_of_a_published_work(lena, ana):
    song = cast.track(cast.creator(ana), price_micros=30_000_000)
    effective = cast.vote("pricing", price_max_micros=10_220_000)
    cast.set_clock(effective + timedelta(seconds=1))
    sitting, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
    assert (sitting.price_micros, sitting.cap_micros, sitting.pricing_version) == (20_000, 10_220_000, 2)


def test_a_quote_decides_and_a_price_that_fell_since_it_was_written_is_for_the_next(lena, song):
    sitting, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
    song.price_micros = 200_000
    song.save()
    charged = charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=2_000)[0]
    assert (charged.charged_micros, charged.remaining_micros) == (2_000, 1_020_000)
    sessions.report_progress(
        person_id=lena.id, session_id=sitting.id, position_ms=180_000, completed=True, now=clock.now()
    )
    assert cast.play(lena, song).charged_micros == 783


def test_what_is_given_back_frees_its_number_and_the_lowest_comes_first(lena, song):
    for _ in range(3):
        cast.play(lena, song)
    first = Charge.objects.get(listener=lena, play_number=1)
    third = Charge.objects.get(listener=lena, play_number=3)
    cast.give_back(third)
    cast.give_back(first)
    again = cast.play(lena, song)
    assert (again.play_number, again.charged_micros) == (1, 2_000)
    again = cast.play(lena, song)
    assert (again.play_number, again.charged_micros) == (3, 8_000)
    assert again.paid_micros == 14_000


def test_with_the_last_live_charge_the_terms_go(lena, song):
    cast.play(lena, song)
    cast.give_back(cast.last_charge(lena))
    held = Holding.objects.get(listener=lena, work=song)
    assert (held.price_micros, held.plays, held.cap_micros, held.paid_micros, held.paid_plays) == (
        None,
        None,
        None,
        0,
        0,
    )
    song.price_micros = 2_044_000
    song.save()
    assert cast.play(lena, song).charged_micros == 4_000


def test_nine_plays_own_even_when_the_purchase_between_them_was_given_back(lena, ana):
    """The price falls to a rest that is bought; every play is given back and paid anew; then the purchase goes back."""
    song = cast.track(cast.creator(ana), price_micros=300_000)
    effective = cast.vote("pricing", plays=3, growth_num=1, growth_den=1)
    cast.set_clock(effective + timedelta(seconds=1))
    first = [cast.play(lena, song).charged_micros for _ in range(2)]
    assert first == [100_000, 100_000]
    song.price_micros = 210_000
    song.save()
    bought = cast.buy(lena, song, price_micros=10_000)
    assert (bought.charged_micros, bought.owned) == (10_000, True)
    for charge in Charge.objects.filter(listener=lena, kind="play"):
        cast.give_back(charge)
    assert [cast.play(lena, song).charged_micros for _ in range(3)] == [70_000, 70_000, 60_000]
    cast.give_back(Charge.objects.get(listener=lena, kind="purchase"))
    # All three plays are paid and no number is left: what was paid is the price.
    sitting, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
    assert (sitting.basis, sitting.price_micros) == ("owned", 0)
    held = Holding.objects.get(listener=lena, work=song)
    assert (held.paid_micros, held.cap_micros) == (200_000, 200_000)


def test_a_work_bought_and_given_back_in_part_is_owned_again_by_plays(lena, song):
    for _ in range(2):
        cast.play(lena, song)
    cast.buy(lena, song, price_micros=PRICE)
    cast.give_back(Charge.objects.get(listener=lena, play_number=1))
    with pytest.raises(charging.AlreadyBought):
        cast.buy(lena, song, price_micros=PRICE)
    again = cast.play(lena, song)
    assert (again.play_number, again.charged_micros, again.owned) == (1, 2_000, True)


def test_a_free_work_is_kept_for_nothing_and_stays_when_it_gets_a_price(lena, ana):
    song = cast.track(cast.creator(ana), price_micros=0)
    kept = cast.buy(lena, song, price_micros=0)
    assert (kept.charged_micros, kept.owned) == (0, True)
    assert not Charge.objects.filter(listener=lena).exists()
    held = Holding.objects.get(listener=lena, work=song)
    assert (held.cap_micros, held.paid_micros, held.price_micros, held.owned_at is not None) == (0, 0, None, True)
    song.price_micros = 1_000_000
    song.save()
    assert cast.play(lena, song).charged_micros == 0
    assert sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())[0].basis == "owned"


def test_a_free_work_that_was_only_heard_is_not_kept(lena, ana):
    song = cast.track(cast.creator(ana), price_micros=0)
    assert sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())[0].basis == "free"
    assert not Holding.objects.filter(listener=lena).exists()


def test_who_has_begun_a_work_that_becomes_free_owns_it_for_ever(lena, song):
    cast.play(lena, song)
    song.price_micros = 0
    song.save()
    sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now() + timedelta(hours=13))
    song.price_micros = 5_000_000
    song.save()
    held = Holding.objects.get(listener=lena, work=song)
    assert (held.cap_micros, held.paid_micros, held.owned_at is not None) == (2_000, 2_000, True)


def test_the_price_of_the_smallest_ladder_is_at_least_a_micro(lena, song):
    """A cap that fell almost to what is paid leaves steps of nothing; a play costs a micro all the same."""
    for _ in range(8):
        cast.play(lena, song)
    Holding.objects.filter(listener=lena).update(cap_micros=510_001)
    sitting, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now() + timedelta(hours=13))
    assert sitting.price_micros == 1


def test_numbers_are_the_bits_of_a_holding():
    assert holdings.numbers(0) == frozenset()
    assert holdings.numbers(0b101) == {1, 3}
    assert holdings.numbers(1 << 29) == {30}


terms = st.builds(
    Terms,
    price_micros=st.integers(200_000, 50_000_000),
    plays=st.integers(3, 30),
    growth_num=st.integers(100, 300),
    growth_den=st.just(100),
    pricing_version=st.integers(1, 9),
)


@given(terms, st.lists(st.tuples(terms, st.booleans()), max_size=40), st.data())
def test_whatever_is_voted_between_two_plays_a_holding_keeps_its_terms_and_is_owned(first, later, draw):
    """The pure rule, without rows: the cap only falls, nothing is dearer than quoted, the last number owns."""
    held = Held()
    for now, bought in [(first, False), *later, *[(first, False)] * 31]:
        asked = holdings.quote(held=held, now=now)
        if held.terms is not None:
            assert asked.terms == first
            assert asked.cap_micros == max(held.paid_micros, min(held.cap_micros, now.price_micros))
        assert held.paid_micros <= asked.cap_micros <= first.price_micros
        if asked.remaining_micros == 0:
            return
        price = asked.remaining_micros if bought else asked.price_micros
        assert 1 <= price <= asked.remaining_micros
        held = Held(
            terms=asked.terms,
            cap_micros=asked.cap_micros,
            paid_micros=held.paid_micros + price,
            paid_plays=held.paid_plays if bought else held.paid_plays | {asked.play_number},
        )
    raise AssertionError("thirty-one plays did not own it")


def test_a_quote_writes_nothing_into_a_session_that_is_charged(lena, song):
    sitting, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
    charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=2_000)
    before = Session.objects.values().get(listener=lena)
    song.price_micros = 400_000
    song.save()
    again, new = sessions.begin(person_id=lena.id, work_id=song.id, now=clock.now())
    assert (again.id, again.charged, new) == (sitting.id, True, False)
    assert Session.objects.values().get(listener=lena) == before
