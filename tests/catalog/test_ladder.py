"""The ladder: all plays together cost the price, each return a little more, the last one owns."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import ladder, rules
from catalog.ladder import LadderRefused
from members import policies
from members.policies import PolicyRefused

FOUNDING = [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000]

Shape = tuple[int, int, int]
prices = st.integers(min_value=1, max_value=1_000_000_000)


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    den = draw(st.integers(min_value=1, max_value=100))
    return draw(st.integers(min_value=3, max_value=30)), draw(st.integers(min_value=den, max_value=3 * den)), den


def founding(**changed: object) -> dict[str, object]:
    return {**rules.PRICING.founding, **changed}


def test_the_founding_ladder() -> None:
    assert ladder.ladder(1_022_000, 9, 2, 1) == FOUNDING
    assert sum(FOUNDING) == 1_022_000


@given(prices, shapes())
def test_all_plays_cost_the_price_and_none_less_than_the_one_before(price: int, shape: Shape) -> None:
    steps = ladder.ladder(price, *shape)
    assert len(steps) == shape[0]
    assert sum(steps) == price
    assert steps == sorted(steps)
    assert steps[0] >= 0


@given(prices, shapes())
def test_each_step_is_within_a_micro_of_its_exact_share(price: int, shape: Shape) -> None:
    plays, num, den = shape
    growth = Fraction(num, den)
    whole = sum(growth**k for k in range(plays))
    for k, step in enumerate(ladder.ladder(price, *shape)):
        assert abs(price * growth**k / whole - step) <= 1


@given(st.integers(min_value=1, max_value=50_000_000), shapes())
def test_bounds_admit_only_shapes_whose_plays_all_cost_something(price_min: int, shape: Shape) -> None:
    plays, num, den = shape
    try:
        ladder.check_shape(plays=plays, num=num, den=den, price_min=price_min)
    except LadderRefused:
        # The only bound such a shape can break is the first step's.
        assert ladder.ladder(price_min, *shape)[0] < 100
        return
    # A larger price may cost the first step one micro: that is how largest remainders are (the Alabama paradox).
    for price in (price_min, price_min + 1, 7 * price_min, 50_000_000 + price_min):
        assert ladder.ladder(price, *shape)[0] >= 99


@pytest.mark.parametrize(
    ("plays", "num", "den", "price_min"),
    [
        (2, 2, 1, 200_000),
        (31, 2, 1, 10**12),
        (9, 2, 0, 200_000),
        (9, 101, 101, 200_000),
        (9, 99, 100, 200_000),
        (9, 301, 100, 200_000),
        (9, 4, 1, 200_000),
        (9, 2, 1, 50_800),
        (30, 3, 1, 50_000_000),
        (30, 1, 1, 2_999),
    ],
)
def test_shapes_that_break_a_bound_are_refused(plays: int, num: int, den: int, price_min: int) -> None:
    with pytest.raises(LadderRefused):
        ladder.check_shape(plays=plays, num=num, den=den, price_min=price_min)
    with pytest.raises(PolicyRefused):
        policies.check(
            "pricing",
            founding(
                plays=plays,
                growth_num=num,
                growth_den=den,
                price_min_micros=price_min,
                price_default_micros=price_min,
                price_max_micros=price_min,
            ),
        )


@pytest.mark.parametrize(
    ("plays", "num", "den", "price_min"),
    [
        (3, 1, 1, 300),
        (3, 3, 1, 1_300),
        (9, 2, 1, 51_100),
        (30, 1, 1, 3_000),
        (30, 100, 100, 3_000),
        (9, 300, 100, 984_100),
    ],
)
def test_shapes_just_within_their_bounds_are_admitted(plays: int, num: int, den: int, price_min: int) -> None:
    ladder.check_shape(plays=plays, num=num, den=den, price_min=price_min)
    assert ladder.ladder(price_min, plays, num, den)[0] == 100


@pytest.mark.parametrize(
    "changed",
    [
        {"price_default_micros": 199_999},
        {"price_default_micros": 50_000_001},
        {"price_min_micros": 60_000_000},
        {"price_max_micros": 100_000},
        {"price_max_micros": 1_000_000_001},
        {"plays": 9.0},
        {"plays": True},
        {"plays": "9"},
        {"growth_num": None},
        {"another": 1},
    ],
)
def test_a_pricing_policy_that_breaks_a_bound_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(PolicyRefused):
        policies.check("pricing", founding(**changed))


def test_a_pricing_policy_names_all_its_figures() -> None:
    for name in rules.PRICING.founding:
        with pytest.raises(PolicyRefused):
            policies.check("pricing", {key: value for key, value in founding().items() if key != name})
    policies.check("pricing", founding())


@pytest.mark.parametrize(
    ("figure", "price"),
    [(None, 1_022_000), (0, 0), (1, 200_000), (200_000, 200_000), (7_000_000, 7_000_000), (60_000_000, 50_000_000)],
)
def test_the_price_now(figure: int | None, price: int) -> None:
    assert ladder.price_now(figure, default=1_022_000, price_min=200_000, price_max=50_000_000) == price


def test_nine_plays_from_the_lowest_number_up() -> None:
    paid, numbers = 0, set()
    for number, price in enumerate(FOUNDING, 1):
        assert ladder.next_play(cap=1_022_000, paid=paid, paid_plays=numbers, plays=9, num=2, den=1) == (number, price)
        paid, numbers = paid + price, numbers | {number}
    with pytest.raises(LadderRefused):
        ladder.next_play(cap=1_022_000, paid=paid, paid_plays=numbers, plays=9, num=2, den=1)


def test_a_fallen_price_makes_the_remaining_plays_cheaper_and_the_ninth_still_owns() -> None:
    paid, numbers = sum(FOUNDING[:6]), set(range(1, 7))
    asked = []
    while len(numbers) < 9:
        number, price = ladder.next_play(cap=400_000, paid=paid, paid_plays=numbers, plays=9, num=2, den=1)
        asked.append((number, price))
        paid, numbers = paid + price, numbers | {number}
    assert asked == [(7, 50_098), (8, 100_196), (9, 123_706)]
    assert paid == 400_000


@given(shapes(), st.data())
def test_whatever_falls_between_plays_never_stuck_never_dearer_and_owned_by_the_last(
    shape: Shape, draw: st.DataObject
) -> None:
    """A price falls at will, plays are given back at will: the sum is the cap all the same."""
    plays, num, den = shape
    cap, paid, live = 50_000_000, 0, {}
    for _ in range(4 * plays):
        if live and draw.draw(st.integers(0, 4)) == 0:
            paid -= live.pop(draw.draw(st.sampled_from(sorted(live))))
        if draw.draw(st.booleans()):
            cap = max(paid, min(cap, draw.draw(st.integers(200_000, 60_000_000))))
        if paid == cap:
            return
        number, price = ladder.next_play(cap=cap, paid=paid, paid_plays=set(live), plays=plays, num=num, den=den)
        assert number == min(set(range(1, plays + 1)) - live.keys())
        assert 1 <= price <= cap - paid
        assert price == cap - paid or price == max(1, ladder.ladder(cap, plays, num, den)[number - 1])
        live[number], paid = price, paid + price
        if len(live) == plays:
            assert paid == cap


@given(st.integers(min_value=3, max_value=30), st.integers(min_value=1, max_value=29))
def test_a_cap_of_few_micros_still_asks_at_least_one_of_them(plays: int, cap: int) -> None:
    paid, numbers = 0, set()
    while paid < cap:
        number, price = ladder.next_play(cap=cap, paid=paid, paid_plays=numbers, plays=plays, num=3, den=1)
        assert price >= 1
        paid, numbers = paid + price, numbers | {number}
    assert paid == cap
    assert len(numbers) <= plays


def test_nothing_left_has_no_next_play() -> None:
    with pytest.raises(LadderRefused):
        ladder.next_play(cap=10, paid=10, paid_plays={1}, plays=9, num=2, den=1)
    with pytest.raises(LadderRefused):
        ladder.next_play(cap=10, paid=4, paid_plays=set(range(1, 10)), plays=9, num=2, den=1)
