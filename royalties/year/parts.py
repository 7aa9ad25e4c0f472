"""What a member sees of the years' surpluses: their parts, under which name each is public, their capital account."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from royalties import accounts, ledger
from royalties.year import publication
from royalties.year.models import FinancialYear, Patronage, ReleasedLine

State = FinancialYear.State
# In these states a part is the member's; before, it is what the motion would give.
GIVEN = (State.DONE, State.REDEEMING, State.REDEEMED)
MINUTES = "workers"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A member's part of one class's pool in a year. `patronage` is in micros, of workers in minutes.

    `published_as` is the member's name on the public line, empty where the class is too small for public lines;
    `capital_is_paid` is whether what went to the capital account has left it, by the year's turn or because they left.
    """

    year: int
    state: str
    member_class: str
    patronage: int
    class_patronage: int
    pool_cents: int
    cents: int
    cash_cents: int
    published_as: str
    capital_is_paid: bool

    @property
    def retained_cents(self) -> int:
        """Return what went to the capital account."""
        return self.cents - self.cash_cents

    @property
    def is_given(self) -> bool:
        """Return whether members have accepted it and it is booked."""
        return self.state in GIVEN

    @property
    def in_minutes(self) -> bool:
        """Return whether the patronage is time that was worked."""
        return self.member_class == MINUTES


def of_person(person_id: UUID, *, year: int | None = None) -> list[Part]:
    """Return a person's parts of published years, the newest first. Two queries. Raises NoSealingKey."""
    released = ReleasedLine.objects.filter(year=OuterRef("year"), line=OuterRef("line"), release__state="confirmed")
    rows = Patronage.objects.filter(person_id=person_id).annotate(is_released=Exists(released))
    rows = rows.order_by("-year", "member_class") if year is None else rows.filter(year=year).order_by("member_class")
    found = list(rows)
    years = {
        one.year: one
        for one in FinancialYear.objects.filter(year__in={row.year for row in found}).exclude(manifest_sha256="")
    }
    return [_part(row, years[row.year]) for row in found if row.year in years]


def capital(person_id: UUID) -> int:
    """Return what lies in a member's capital account, in micros. One query."""
    return ledger.balance(accounts.capital(person_id))


def _part(row: Any, year: FinancialYear) -> Part:
    figures = year.figures or {}
    of_class = figures["classes"][row.member_class]
    is_told = row.member_class in publication.told(figures)
    return Part(
        year=row.year,
        state=year.state,
        member_class=row.member_class,
        patronage=row.patronage,
        class_patronage=of_class["patronage"],
        pool_cents=of_class["pool_cents"],
        cents=row.cents,
        cash_cents=row.cash_cents,
        published_as=publication.name_of(year, row.member_class, row.person_id) if is_told else "",
        capital_is_paid=year.state == State.REDEEMED or row.is_released,
    )
