"""How counts, lengths and addresses are said on the pages: `0:45`, `nine`, `fifth`, `5th`."""

import re

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

_NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_ORDINALS = (
    *("", "first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)


@register.filter
def clock_time(seconds: float | None) -> str:
    """Print a length or place in a track: `2:31`, `1:02:07`."""
    whole = max(0, int(seconds or 0))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def in_words(number: int) -> str:
    """Say a small number: `nine`; a larger one in figures."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number)


@register.filter
def ordinal_word(number: int) -> str:
    """Say which one it is: `fifth`; a later one as `13th`."""
    return _ORDINALS[number] if 0 < number < len(_ORDINALS) else nth(number)


@register.filter
def nth(number: int) -> str:
    """Print which one it is: `5th`."""
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


@register.filter
def breakable(address: str) -> SafeString:
    """Print an e-mail address that goes on in another line behind its @ and its dots, where it is too long for one."""
    return format_html_join(SafeString("<wbr>"), "{}", [(part,) for part in re.split(r"(?<=[@.])", address)])
