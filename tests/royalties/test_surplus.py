"""The surplus: the worked year to the cent, the guard, and properties over random years."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members import money, policies
from members.policies import PolicyRefused
from royalties import surplus
from royalties.surplus import NoSurplus, Rates

RATES = Rates(
    reserve=300_000,
    common_good=50_000,
    classes={"creators": 450_000, "listeners": 350_000, "workers": 200_000},
    cash=300_000,
)
REVENUE = [(700_000, 300_000)]
EURO = money.MICROS
ROYALTIES, LISTENING = 98_000 * EURO, 140_000 * EURO


def year(result=12_000 * EURO, *, creators=ROYALTIES, listeners=LISTENING, revenue=REVENUE):
    """Divide a year's result, that of the worked example unless another is given."""
    return surplus.pools(
        result_micros=result, rates=RATES, bases={"creators": creators, "listeners": listeners}, revenue=revenue
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"reserve_ppm": 149_999},
        {"cash_ppm": 199_999},
        {"reserve_ppm": 700_000, "common_good_ppm": 300_000},
        {"creators_ppm": 450_001},
        {"workers_ppm": 999_999},
    ],
)
def test_the_policy_keeps_a_reserve_pays_some_cash_and_divides_the_whole(changed):
    founding = policies.registered("surplus").founding
    with pytest.raises(PolicyRefused):
        policies.check("surplus", {**founding, **changed})


def euros(text):
    """Return an amount with two decimals as micros."""
    whole, part = text.replace(" ", "").split(".")
    return money.from_cents(int(whole) * 100 + int(part))


def test_the_worked_year_is_divided_to_the_cent():
    found = year()
    assert (found.reserve_cents, found.common_good_cents) == (360_000, 60_000)
    assert dict(found.classes) == {"creators": 351_000, "listeners": 273_000, "workers": 156_000}


@pytest.mark.parametrize(
    ("pool", "patronage", "others", "cents", "left"),
    [
        (
            351_000,
            {"Ana": "31000.00", "Ben": "20500.50", "Cleo": "39000.25"},
            "7499.25",
            [111_031, 73_425, 139_685],
            26_859,
        ),
        (273_000, {"Lars": "61234.10", "Lena": "48765.90"}, "30000.00", [119_406, 95_094], 58_500),
    ],
)
def test_patronage_of_non_members_counts_and_stays_in_the_reserve(pool, patronage, others, cents, left):
    found = surplus.share(
        pool, patronage={name: euros(sum_) for name, sum_ in patronage.items()}, others=euros(others), cash_ppm=300_000
    )
    assert [part.cents for part in found.parts] == cents
    assert found.to_reserve_cents == left


def test_workers_share_by_the_minutes_they_worked():
    found = surplus.share(156_000, patronage={"Wen": 1_200 * 60, "Wim": 700 * 60}, others=0, cash_ppm=300_000)
    assert [part.cents for part in found.parts] == [98_526, 57_474]


def test_buying_one_s_own_record_in_the_worked_year_loses_most_of_it():
    guard = year().guard
    assert guard.comes_back == Fraction(7, 10) * Fraction(3_510, 98_000) + Fraction(2_730, 140_000)
    assert math.floor(guard.comes_back * 10_000) == 445
    assert (guard.kept, guard.scale_ppm) == (Fraction(3, 10), money.PPM)


def test_pools_that_would_pay_for_buying_one_s_own_record_are_cut_and_the_reserve_has_the_rest():
    found = year(creators=7_000 * EURO, listeners=10_000 * EURO, revenue=[*REVENUE, (650_000, 350_000)])
    assert (found.guard.creators_ppm, found.guard.coop_ppm) == (700_000, 300_000)
    scale = found.guard.scale_ppm
    assert found.guard.comes_back * Fraction(scale, money.PPM) < Fraction(3, 10)
    assert found.guard.comes_back * Fraction(scale + 1, money.PPM) >= Fraction(3, 10)
    assert found.classes["workers"] == 156_000
    assert found.classes["creators"] == 351_000 * scale // money.PPM
    assert found.reserve_cents + found.common_good_cents + sum(found.classes.values()) == 1_200_000


def test_a_guard_that_just_fails_is_met_by_a_single_part_in_a_million():
    # Exactly what the co-op kept comes back: that is already too much.
    found = year(creators=0, listeners=9_100 * EURO)
    assert found.guard.comes_back == Fraction(3, 10)
    assert found.guard.scale_ppm == 999_999


@pytest.mark.parametrize("result", [0, -1, 9_999, -12_000 * EURO])
def test_a_year_that_left_nothing_divides_nothing(result):
    with pytest.raises(NoSurplus):
        year(result)


def test_less_than_a_cent_is_not_divided():
    assert year(12_000 * EURO + 9_999).result_cents == 1_200_000


@pytest.mark.parametrize(("cents", "cash"), [(334, 101), (333, 100), (330, 0), (329, 0), (1, 0), (0, 0)])
def test_cash_is_rounded_up_and_waits_below_a_euro(cents, cash):
    (part,) = surplus.share(cents, patronage={"Ana": 1}, others=0, cash_ppm=300_000).parts
    assert (part.cash_cents, part.retained_cents) == (cash, cents - cash)


def test_a_class_to_which_nobody_brought_anything_leaves_its_pool_to_the_reserve():
    found = surplus.share(156_000, patronage={}, others=0, cash_ppm=300_000)
    assert (found.parts, found.to_reserve_cents) == ([], 156_000)


@given(
    result=st.integers(10_000, 10**13),
    creators=st.integers(0, 10**13),
    listeners=st.integers(0, 10**13),
    coop=st.lists(st.integers(100_000, 400_000), min_size=1, max_size=4),
)
def test_nothing_is_made_or_lost_and_the_guard_always_holds(result, creators, listeners, coop):
    found = year(result, creators=creators, listeners=listeners, revenue=[(money.PPM - kept, kept) for kept in coop])
    whole = found.reserve_cents + found.common_good_cents + sum(found.classes.values())
    assert whole == found.result_cents == result // money.MICROS_PER_CENT
    least = Fraction(min(coop), money.PPM)
    rates = [
        Fraction(money.from_cents(found.classes[name]), basis) if basis else Fraction(0)
        for name, basis in (("creators", creators), ("listeners", listeners))
    ]
    assert (1 - least) * rates[0] + rates[1] < least


@given(
    pool=st.integers(0, 10**9),
    weights=st.lists(st.integers(0, 10**12), max_size=8),
    others=st.integers(0, 10**12),
    cash=st.integers(200_000, 1_000_000),
)
def test_parts_are_the_pool_and_each_is_within_a_cent_of_exact(pool, weights, others, cash):
    found = surplus.share(pool, patronage=dict(enumerate(weights)), others=others, cash_ppm=cash)
    assert sum(part.cents for part in found.parts) + found.to_reserve_cents == pool
    whole = sum(weights) + others
    for part in found.parts:
        assert abs(part.cents - Fraction(pool * part.patronage, whole)) < 1
        assert 0 <= part.cash_cents <= part.cents
