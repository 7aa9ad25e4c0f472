"""Places in ordered lists: where a page ended, told so that the next one begins right there.

A place carries what the list is ordered by and the id of the last row, not a count of rows: what is published or taken
off meanwhile moves nothing, and rows that are equal at a page's edge are neither skipped nor shown twice. Places are
sealed; one that was not given out here is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.core import signing
from django.db.models import Q, QuerySet

from members.problems import Invalid

PLACE_LENGTH_MOST = 1_000
Row = TypeVar("Row")
NOT_OURS = "The cursor is not one of ours; begin again without it."


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """Rows of a list, and the place after them: empty at the list's end."""

    rows: list[Row]
    after: str = ""


@cache
def _signer() -> signing.Signer:
    return signing.Signer(salt="catalog.places")


def write(listed: str, *values: datetime | UUID | int | str) -> str:
    """Return the place after the row with these values in the list of that name."""
    return _signer().sign_object([listed, *(v if isinstance(v, int) else _text(v) for v in values)], compress=False)


def read(place: str, listed: str, *kinds: Callable[[Any], Any]) -> list[Any]:
    """Return the values of a place, each made by its kind. Raises Invalid for a place of another list, or of nobody's.

    `kinds` are `int`, `str`, `UUID` and `datetime.fromisoformat`.
    """
    if len(place) > PLACE_LENGTH_MOST:
        raise Invalid(NOT_OURS)
    try:
        name, *values = _signer().unsign_object(place)
        if name != listed or len(values) != len(kinds):
            raise Invalid(NOT_OURS)
        return [kind(value) for kind, value in zip(kinds, values, strict=True)]
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        raise Invalid(NOT_OURS) from None


def newest(rows: QuerySet[Any], *, by: str, listed: str, after: str, limit: int) -> Page[Any]:
    """Return a page of rows, latest in the column `by` first, equal ones by their id. One query."""
    if after:
        moment, last = read(after, listed, datetime.fromisoformat, UUID)
        rows = rows.filter(Q(**{f"{by}__lte": moment}) & (Q(**{f"{by}__lt": moment}) | Q(id__lt=last)))
    found = list(rows.order_by(f"-{by}", "-id")[: limit + 1])
    shown = found[:limit]
    more = len(found) > limit
    return Page(rows=shown, after=write(listed, getattr(shown[-1], by), shown[-1].id) if more else "")


def _text(value: datetime | UUID | str) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
