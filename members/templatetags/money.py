"""Amounts in templates: every figure of money on a page is printed by `members.money`, through these filters."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from members import money as amounts

register = template.Library()

_PARTS = {2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth", 10: "tenth"}


def _kept_together(text: str) -> SafeString:
    # The digits and signs come from members.money alone, so there is nothing to escape.
    return mark_safe(f'<span class="money">{text}</span>')  # noqa: S308


@register.filter
def money(micros: int) -> str:
    """Print an amount: `€0.032`."""
    return amounts.show(micros)


@register.filter
def money_signed(micros: int) -> str:
    """Print an amount that moved, with its sign: `+€5.00`, `−€0.032`."""
    return amounts.show(micros, sign=True)


@register.filter
def money_places(micros: int, places: int) -> str:
    """Print an amount with at least `places` decimals, as its column needs."""
    return amounts.show(micros, places=places)


@register.filter
def money_signed_places(micros: int, places: int) -> str:
    """Print an amount that moved, with at least `places` decimals."""
    return amounts.show(micros, places=places, sign=True)


@register.filter
def money_digits(micros: int) -> str:
    """Print an amount without the currency, for the steps of a ladder whose label names it."""
    return amounts.show_digits(micros)


@register.filter
def money_cents(cents: int) -> str:
    """Print whole cents with two decimals: `€5.95`."""
    return amounts.show_cents(cents)


@register.filter
def sum_of_money(micros: int) -> SafeString:
    """Print an amount that no line break may part."""
    return _kept_together(amounts.show(micros))


@register.filter
def in_cents(micros: int) -> str:
    """Say a small amount in words: `a fifth of a cent`, `2 cents`, `between 3 and 4 cents`."""
    per_cent = amounts.MICROS_PER_CENT
    whole, rest = divmod(micros, per_cent)
    if micros <= 0:
        return "nothing"
    if rest == 0:
        return "one cent" if whole == 1 else f"{whole} cents"
    if whole:
        return f"between {whole} and {whole + 1} cents"
    if per_cent % micros == 0 and per_cent // micros in _PARTS:
        part = _PARTS[per_cent // micros]
        return f"{'an' if part == 'eighth' else 'a'} {part} of a cent"
    return "less than a cent"
