"""Amounts as pages print and read them: exact both ways."""

import pytest
from django import forms

from members.forms import MoneyField
from members.templatetags import money as filters
from members.templatetags import words


@pytest.mark.parametrize(
    ("typed", "micros"),
    [
        ("2", 2_000_000),
        ("2.50", 2_500_000),
        ("2,50", 2_500_000),
        ("€ 0.001", 1_000),
        (".5", 500_000),
        ("0.000001", 1),
        ("999999999.999999", 999_999_999_999_999),
        ("1,000.00", 1_000_000_000),
        ("1.000,00", 1_000_000_000),
        ("1 000", 1_000_000_000),
        ("", None),
        ("   ", None),
    ],
)
def test_what_is_typed_is_read_exactly(typed: str, micros: int | None) -> None:
    assert MoneyField(required=False).clean(typed) == micros


@pytest.mark.parametrize(
    "typed", ["nonsense", "1e3", "-2", "2.0000001", "1,00.00", "٣", "0x10", "1.2.3", "∞", "1000000000"]
)
def test_what_is_no_amount_is_refused(typed: str) -> None:
    with pytest.raises(forms.ValidationError):
        MoneyField(required=False).clean(typed)


def test_a_field_shows_again_what_it_read() -> None:
    field = MoneyField(required=False)
    for micros in (0, 1, 500_000, 2_500_000, 1_234_567_890_123):
        assert field.clean(field.prepare_value(micros)) == micros


@pytest.mark.parametrize(
    ("micros", "said"),
    [
        (0, "nothing"),
        (1_000, "a tenth of a cent"),
        (1_250, "an eighth of a cent"),
        (2_000, "a fifth of a cent"),
        (5_000, "a half of a cent"),
        (4_000, "less than a cent"),
        (10_000, "one cent"),
        (32_000, "between 3 and 4 cents"),
        (50_000, "5 cents"),
    ],
)
def test_a_small_amount_is_said_in_words(micros: int, said: str) -> None:
    assert filters.in_cents(micros) == said


def test_an_address_goes_on_in_another_line_and_is_never_markup() -> None:
    assert words.breakable("a.b@c.example") == "a.<wbr>b@<wbr>c.<wbr>example"
    assert words.breakable('"<b>"@x.example') == "&quot;&lt;b&gt;&quot;@<wbr>x.<wbr>example"
