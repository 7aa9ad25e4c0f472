"""Splitting and printing money: nothing is made, nothing is lost, nothing is rounded."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from members import money

amounts = st.integers(min_value=-(10**15), max_value=10**15)
weights = st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=40).filter(any)


@given(amounts, weights)
def test_the_parts_sum_to_what_was_divided(total: int, shares: list[int]) -> None:
    assert sum(money.allocate(total, shares)) == total


@given(amounts, weights)
def test_no_part_is_a_whole_micro_away_from_its_exact_share(total: int, shares: list[int]) -> None:
    for part, weight in zip(money.allocate(total, shares), shares, strict=True):
        assert abs(Fraction(total * weight, sum(shares)) - part) < 1


@given(amounts, weights)
def test_a_zero_weight_gets_nothing(total: int, shares: list[int]) -> None:
    parts = money.allocate(total, [0, *shares, 0])
    assert (parts[0], parts[-1]) == (0, 0)
    assert parts[1:-1] == money.allocate(total, shares)


@given(amounts, weights)
def test_giving_back_is_giving_turned_round(total: int, shares: list[int]) -> None:
    assert money.allocate(-total, shares) == [-part for part in money.allocate(total, shares)]


@given(st.integers(min_value=0, max_value=10**15), weights)
def test_a_larger_weight_never_gets_less(total: int, shares: list[int]) -> None:
    parts = money.allocate(total, shares)
    by_weight = sorted(zip(shares, parts, strict=True))
    assert [part for _, part in by_weight] == sorted(parts)


@given(amounts, weights, st.integers(min_value=1, max_value=1000))
def test_only_the_proportion_of_the_weights_counts(total: int, shares: list[int], factor: int) -> None:
    assert money.allocate(total, [factor * weight for weight in shares]) == money.allocate(total, shares)


@given(st.integers(min_value=0, max_value=10**12), weights)
def test_the_remainder_goes_by_largest_part_then_larger_weight_then_earlier_place(
    total: int, shares: list[int]
) -> None:
    exact = [Fraction(total * weight, sum(shares)) for weight in shares]
    rest = total - sum(share.numerator // share.denominator for share in exact)
    order = sorted(range(len(shares)), key=lambda i: (-(exact[i] % 1), -shares[i], i))
    assert money.allocate(total, shares) == [
        exact[i].numerator // exact[i].denominator + (i in order[:rest]) for i in range(len(shares))
    ]


def test_a_tie_goes_to_the_earlier_place() -> None:
    assert money.allocate(1, [1, 1, 1]) == [1, 0, 0]
    assert money.allocate(-1, [1, 1, 1]) == [-1, 0, 0]
    assert money.allocate(2, [5, 5, 5]) == [1, 1, 0]


def test_a_tie_goes_to_the_larger_weight_before_the_earlier_place() -> None:
    # 1 : 3 of two is a half and one and a half: the remainders tie.
    assert money.allocate(2, [1, 3]) == [0, 2]


def test_vat_of_ten_euros() -> None:
    assert money.allocate(1000, [money.PPM, 190_000]) == [840, 160]
    assert money.allocate(1000, [money.PPM, 210_000]) == [826, 174]
    assert money.allocate(1000, [money.PPM, 0]) == [1000, 0]


@pytest.mark.parametrize("shares", [[], [0], [0, 0, 0], [1, -1], [3, -1]])
def test_nobody_to_give_to_is_refused(shares: list[int]) -> None:
    with pytest.raises(money.CannotAllocate):
        money.allocate(100, shares)


@pytest.mark.parametrize(
    ("micros", "printed"),
    [
        (700_000, "€0.70"),
        (32_000, "€0.032"),
        (1_430_800, "€1.4308"),
        (13_647, "€0.013647"),
        (4_000, "€0.004"),
        (0, "€0.00"),
        (1, "€0.000001"),
        (1_000_000, "€1.00"),
        (1_234_567_000_000, "€1,234,567.00"),
        (-1_430_800, "−€1.4308"),
        (-2_000, "−€0.002"),
    ],
)
def test_an_amount_is_printed_whole(micros: int, printed: str) -> None:
    assert money.show(micros) == printed


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_printing_never_rounds(micros: int) -> None:
    printed = money.show(micros).replace("€", "").replace(",", "").replace("−", "-")
    assert Fraction(printed) * money.MICROS == micros
    assert 2 <= len(printed.partition(".")[2]) <= 6


def test_a_plus_is_shown_when_asked_and_never_for_nothing() -> None:
    assert money.show(5_000_000, sign=True) == "+€5.00"
    assert money.show(-5_000_000, sign=True) == "−€5.00"
    assert money.show(0, sign=True) == "€0.00"


def test_a_column_has_the_decimals_that_its_longest_amount_needs() -> None:
    column = [30_000, 992_000, 1_000_000]
    places = money.places_needed(column)
    assert places == 3
    assert [money.show(micros, places=places) for micros in column] == ["€0.030", "€0.992", "€1.000"]
    assert money.places_needed([]) == 2
    assert money.places_needed([500_000, -13_647]) == 6
    assert money.show(13_647, places=3) == "€0.013647"


def test_the_steps_of_a_ladder_carry_digits_alone() -> None:
    assert money.show_digits(512_000) == "0.512"
    assert money.show_digits(-2_000) == "−0.002"


def test_cents_have_two_decimals() -> None:
    assert money.show_cents(840) == "€8.40"
    assert money.show_cents(1) == "€0.01"
    assert money.show_cents(-17_400) == "−€174.00"
    assert money.from_cents(840) == 8_400_000


def test_other_currencies_are_named() -> None:
    assert money.show(1_500_000, currency="GBP") == "£1.50"
    assert money.show(1_500_000, currency="CHF") == "CHF 1.50"
