"""A year with a surplus, made, closed, voted on and divided: for tests, and for whoever needs a year that is over.

`worked_year` makes the one of the contract in the real database. `close` closes a year whose months are sealed and
locked, `finish` takes all turns at it, and `accept` takes its motion through a vote.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from catalog.models import Work
from members import clock, months, policies
from members.belonging.models import ClassPlace, WorkedTime
from members.models import Person
from members.voting.proposal_models import Proposal
from royalties import accounts, ledger
from royalties.ledger import Entry
from royalties.year import closing, motion, work
from royalties.year.models import FinancialYear
from tests import cast
from tests.members import assembly, belonging
from tests.royalties import counting, running, treasury

YEAR = 2026
# The co-op's first financial year is short: it began in September.
SEPTEMBER, DECEMBER = date(YEAR, 9, 1), date(YEAR, 12, 1)
EURO = 1_000_000
# So much was charged for each one's work that the creators' part of it, once divided, is the royalties of the contract.
CHARGED = {"ana": 44_285_714_286, "ben": 29_286_428_571, "cleo": 55_714_642_857, "nora": 10_713_214_286}
LISTENED = {"lars": 61_234_100_000, "lena": 48_765_900_000, "nils": 30_000_000_000}
WORKED_HOURS = {"wen": 1_200, "wim": 700}
SIX = ("lars", "lena", "liv", "lou", "leo", "lin")
COSTS = 30_000 * EURO


@dataclass(frozen=True, kw_only=True)
class WorkedYear:
    """The people of a year by their names, and its two treasurers, who are members."""

    people: dict[str, Person]
    tess: Person
    tom: Person

    @property
    def voters(self) -> list[Person]:
        """Return five members: the treasurers, Lars, Lena and Ana."""
        return [self.tess, self.tom, *(self.people[name] for name in ("lars", "lena", "ana"))]


def worked_year(*, costs: int = COSTS) -> WorkedYear:
    """Make the year of the contract, its months sealed and its books locked; stand in January after it."""
    policies.forget()
    cast.set_clock(at(6, 1))
    people = {name: cast.person(name) for name in ("nora", "nils")}
    for name in ("ana", "ben", "cleo"):
        people[name] = joined(cast.person(name), "creator")
    for name in LISTENED.keys() - {"nils"}:
        people[name] = joined(cast.person(name))
    for name, hours in WORKED_HOURS.items():
        people[name] = joined(cast.person(name), "worker")
        worked(people[name], hours * 60)
    tess, tom = (joined(cast.treasurer(name)) for name in ("tess", "tom"))
    left = dict(LISTENED)
    for month, (name, charged) in enumerate(CHARGED.items(), start=9):
        made, missing = counting.work([(people[name], 1_000_000)], since=at(6, 1)), charged
        while missing:
            listener = next(one for one, rest in left.items() if rest)
            amount = min(missing, left[listener])
            counting.charge(people[listener], made, amount, at=at(month, 10))
            left[listener], missing = left[listener] - amount, missing - amount
    fund(SEPTEMBER, sum(LISTENED.values()))
    if costs:
        spend(SEPTEMBER, costs)
    seal_months(SEPTEMBER, DECEMBER, tess, tom)
    return WorkedYear(people=people, tess=tess, tom=tom)


def small_year(*, extra: Callable[[dict[str, Person], Work], None] | None = None) -> WorkedYear:
    """Make a year of two months, its months sealed: six listeners of a work of Ana, a member, and of Ben, who is none.

    The n-th pays n euros and n micros in November, a hundredth of it with promo credit. `extra` adds what a test wants
    to happen before.
    """
    policies.forget()
    cast.set_clock(at(6, 1))
    tess, tom = (joined(cast.treasurer(name)) for name in ("tess", "tom"))
    people = {"ana": joined(cast.person("ana"), "creator"), "ben": cast.person("ben")}
    made = counting.work([(people["ana"], 666_667), (people["ben"], 333_333)], since=at(6, 1))
    for place, name in enumerate(SIX, start=1):
        people[name] = joined(cast.person(name))
        counting.charge(people[name], made, EURO * place + place, at=at(11, place), promo=10_000 * place)
    if extra:
        extra(people, made)
    fund(date(YEAR, 11, 1), 100 * EURO)
    fund_promo(date(YEAR, 11, 1), 100 * EURO)
    seal_months(date(YEAR, 11, 1), DECEMBER, tess, tom)
    return WorkedYear(people=people, tess=tess, tom=tom)


def joined(who: Person, *classes: str) -> Person:
    """Let somebody become a listener now, and hold places in further classes from now on."""
    now = clock.now()
    membership = belonging.approved(who, now=now)
    belonging.pay(membership, now=now)
    for one in classes:
        ClassPlace.objects.create(
            membership=membership,
            member_class=one,
            asked_at=now,
            approved_at=now,
            approved_by=belonging.secretary(),
            since=now,
            met_by="A test says so.",
        )
    return who


def worked(who: Person, minutes: int) -> None:
    """Let somebody have worked so many minutes in the year, approved by another."""
    day, approved = 24 * 60, {"decided_at": clock.now(), "decided_by": cast.person("boss"), "approved": True}
    parts = [day] * (minutes // day) + ([minutes % day] if minutes % day else [])
    WorkedTime.objects.bulk_create(
        WorkedTime(person=who, worked_on=at(2, 1).date(), minutes=part, words="Work", recorded_at=at(2, 2), **approved)
        for part in parts
    )


def fund(month: date, micros: int) -> None:
    """Let listeners have bought credit."""
    _book(month, "credit", debit=accounts.BANK, credit=accounts.WALLETS, micros=micros)


def fund_promo(month: date, micros: int) -> None:
    """Let listeners have been given promo credit."""
    _book(month, "promo", debit=accounts.PROMO_COMMITTED, credit=accounts.PROMO_WALLETS, micros=micros)


def spend(month: date, micros: int) -> None:
    """Let the co-op have had costs."""
    _book(month, "costs", debit=accounts.COSTS, credit=accounts.BANK, micros=micros)


def earn(month: date, micros: int) -> None:
    """Let the co-op have had a grant."""
    _book(month, "grant", debit=accounts.BANK, credit=accounts.OTHER_INCOME, micros=micros)


def seal_months(first: date, last: date, tess: Person, tom: Person) -> None:
    """Close, run, seal and lock the months from the first to the last; stand on the fourth of the month after it."""
    month = first
    while month <= last:
        running.start_of_next(month)
        running.close(month)
        treasury.agree(month, tess, tom)
        month = months.after(month)
    cast.set_clock(clock.start_of(month) + timedelta(days=3, hours=9))


def close(staff: Person, *, year: int = YEAR) -> FinancialYear:
    """Close a year and draw and publish its figures."""
    closing.close(year=year, staff_id=staff.id, now=clock.now())
    return finish(year)


def finish(year: int = YEAR) -> FinancialYear:
    """Take turns at a year until there are none."""
    while work.advance(year=year, now=clock.now()):
        pass
    return FinancialYear.objects.get(year=year)


def put(staff: Person, *, year: int = YEAR) -> Proposal:
    """Put a year's motion before the members."""
    return motion.put(year=year, staff_id=staff.id, now=clock.now())


def decide(proposal: Proposal, people: list[Person], choices: str) -> Proposal:
    """Take a motion through its life: the first three stand behind it, all vote, a letter each, nobody contests."""
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    for _ in range(2):
        assembly.go_on(proposal)
    assembly.vote(proposal, choices, people)
    assembly.go_on(proposal)
    return assembly.go_on(proposal)


def accept(made: WorkedYear, *, year: int = YEAR) -> FinancialYear:
    """Close the year, let its members accept the motion, and divide it."""
    close(made.tess, year=year)
    decide(put(made.tess, year=year), made.voters, "yyyyy")
    return finish(year)


def at(month: int, day: int) -> datetime:
    """Return noon (UTC) of a day of the year."""
    return datetime(YEAR, month, day, 12, tzinfo=UTC)


def _book(month: date, name: str, *, debit: str, credit: str, micros: int) -> None:
    entry = Entry(
        debit=debit,
        credit=credit,
        amount_micros=micros,
        kind=f"test-{name}",
        key=f"test-{name}-{month}",
        happened_at=clock.start_of(month),
        month=month,
    )
    ledger.book([entry], now=clock.now())
