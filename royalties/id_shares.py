"""Shares of work by ids: people and works have ids drawn at random, so equal ranges of them are as much work each."""

from dataclasses import dataclass
from uuid import UUID

_ALL = 2**128


@dataclass(frozen=True, kw_only=True)
class IdShare:
    """A range of ids, both ends in it, of anything that is known by a UUID."""

    first: UUID
    last: UUID

    @classmethod
    def of(cls, number: int, *, shares: int) -> "IdShare":
        """Return one of so many equal shares; the first is number 0."""
        first, following = (place * _ALL // shares for place in (number, number + 1))
        return cls(first=UUID(int=first), last=UUID(int=following - 1))

    @classmethod
    def one(cls, whose: UUID) -> "IdShare":
        """Return the share of one id alone."""
        return cls(first=whose, last=whose)


EVERYTHING = IdShare.of(0, shares=1)
