"""How pages name the version of a policy that bound something: a link to where it is read, with the vote behind it."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from members import policies

register = template.Library()


@register.simple_tag
def policy_link(key: str, seq: int, words: str = "") -> SafeString:
    """Print a version as a link: `pricing 3`, or other words for it."""
    return format_html('<a href="{}">{}</a>', policies.href(key, seq), words or f"{key} {seq}")
