"""How the pages of an audience print places in a drawing and the days of a span."""

from typing import Any

from django import template

from playback import audience_drawing

register = template.Library()


@register.filter
def unlocalized(number: float) -> str:
    """Return a number of a drawing with a point and at most three decimals, whatever the language of the page."""
    return f"{number:.3f}".rstrip("0").rstrip(".")


@register.filter
def span_name(span: dict[str, Any]) -> str:
    """Return the days of a span in words."""
    return audience_drawing.span_name(span)
