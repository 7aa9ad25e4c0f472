"""Random months: whatever was charged and given back, nothing is missing, nothing too much, and nobody's place matters.

A patient bookkeeper (counting.py) goes through the same rows one by one; the run's SQL must come to what they come to.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from catalog.models import Work
from members import clock, money, months, policies
from members.models import Month, Person
from royalties import earning, periods, posting
from royalties.id_shares import IdShare
from royalties.run_models import Group, Line
from tests import cast
from tests.royalties import counting

pytestmark = pytest.mark.django_db
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
BEGINS, ENDS = (clock.start_of(month) for month in (OCTOBER, NOVEMBER))
CLOSED = ENDS + timedelta(days=2, hours=3)
SHARDS = 3
HOURS = 31 * 24

# A millionth, the ninth play, and sums that no bigint holds once they are multiplied by a million.
amounts = st.one_of(st.integers(1, 40), st.integers(1, 2_000_000), st.integers(1, 10**15))
hours = st.one_of(st.sampled_from([0, HOURS - 1]), st.integers(0, HOURS - 1))


@st.composite
def shares(draw: st.DrawFn) -> list[int]:
    """Draw the shares of a sheet: they sum to a million."""
    cuts = sorted(draw(st.sets(st.integers(1, money.PPM - 1), max_size=4)))
    return [after - before for before, after in zip([0, *cuts], [*cuts, money.PPM], strict=True)]


@dataclass(frozen=True)
class Charged:
    """A charge as drawn: its hour in the month, whose, of what; `back` hours after the close it was given back."""

    work: int
    listener: int
    micros: int
    promo_ppm: int
    hour: int
    number: int | None
    back: int | None


charges = st.builds(
    Charged,
    work=st.integers(0, 2),
    listener=st.integers(0, 3),
    micros=amounts,
    promo_ppm=st.sampled_from([0, 0, 333_333, money.PPM]),
    hour=hours,
    number=st.one_of(st.none(), st.integers(1, 9)),
    back=st.one_of(st.none(), st.none(), st.sampled_from([-40, -1, 0, 1, 300])),
)


@dataclass
class Told:
    """A month as drawn: for each work its sheets by the hour from which they hold, the charges, and the revenue cut."""

    sheets: list[list[tuple[int, list[int]]]]
    charges: list[Charged]
    # From this hour on creators have 650 000.
    cut: int | None = None


sheets = st.lists(
    st.tuples(st.sampled_from([-500, -500, 0, 100, 400]), shares()), max_size=2, unique_by=lambda one: one[0]
)
told = st.builds(
    Told,
    sheets=st.lists(sheets, min_size=3, max_size=3),
    charges=st.lists(charges, max_size=14),
    cut=st.one_of(st.none(), st.integers(1, HOURS - 1)),
)


@contextmanager
def undone() -> Iterator[None]:
    """Undo what happens inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    policies.forget()


def hour(number: int) -> datetime:
    return BEGINS + timedelta(hours=number, minutes=11)


def write(month: Told, *, seed: int = 0) -> tuple[list[Work], list[Person]]:
    """Write a month's rows, in the order and under the names that the seed gives."""
    chance = random.Random(seed)
    if month.cut is not None:
        cut = {"creators_ppm": 650_000, "coop_ppm": 350_000}
        policies.add_version(key="revenue", params=cut, effective_from=hour(month.cut), now=BEGINS - timedelta(days=30))
    listeners = [cast.person(f"listener{chance.random()}") for _ in range(4)]
    payees = [cast.person(f"payee{chance.random()}") for _ in range(5)]
    works = [counting.work([], since=BEGINS - timedelta(days=30)) for _ in month.sheets]
    for work, written in zip(works, month.sheets, strict=True):
        for since, ppm in sorted(written):
            counting.put_in_force(work, list(zip(payees, ppm, strict=False)), since=hour(since))
    kept = {(one.work, one.listener, one.number): one for one in month.charges if one.back is None}
    order = [one for one in month.charges if one.back is not None] + list(kept.values())
    chance.shuffle(order)
    # Of one play number only one charge is live at a time: what was given back comes first.
    for drawn in sorted(order, key=lambda one: one.back is None):
        charged = counting.charge(
            listeners[drawn.listener],
            works[drawn.work],
            drawn.micros,
            at=hour(drawn.hour),
            number=drawn.number,
            promo=drawn.micros * drawn.promo_ppm // money.PPM,
        )
        if drawn.back is not None:
            counting.give_back(charged, at=max(CLOSED + timedelta(hours=drawn.back), hour(drawn.hour)))
    return works, payees


def run(month: date, *, closed_at: datetime) -> earning.Figures:
    """Close a month and divide it as the run does, in shares by works."""
    Month.objects.create(starts_on=month, state=Month.State.CLOSING, closed_at=closed_at)
    with transaction.atomic(), connection.cursor() as cursor:
        posting.take_rows(cursor)
        cursor.execute("DROP TABLE IF EXISTS taken")
    earning.gather(month)
    for shard in range(SHARDS):
        works = IdShare.of(shard, shares=SHARDS)
        earning.line(month, works)
        earning.count(month, works)
    return earning.check(month)


def groups_of(month: date) -> list[tuple[object, ...]]:
    rows = Group.objects.filter(month=month).values_list(
        "work_id", "sheet_id", "sheet_version", "revenue_seq", "gross_micros", "promo_micros", "creators_micros",
        "coop_micros", "plays_by_number", "purchases", "listeners", "released_in",
    )  # fmt: skip
    return sorted(rows, key=repr)


def lines_of(month: date) -> list[tuple[object, ...]]:
    rows = Line.objects.filter(month=month).values_list(
        "work_id", "of_month", "sheet_id", "revenue_seq", "line_number", "payee_id", "share_ppm", "net_micros"
    )
    return sorted(rows, key=repr)


# Both halves of a micro left over, one payee with nothing, and a play that was given back as the month closed.
EDGES = Told(
    sheets=[[(-500, [500_000, 500_000])], [(-500, [1, 999_999]), (100, [999_999, 1])], []],
    charges=[
        Charged(work=0, listener=0, micros=15, promo_ppm=0, hour=0, number=1, back=None),
        Charged(work=1, listener=0, micros=1, promo_ppm=money.PPM, hour=99, number=1, back=None),
        Charged(work=1, listener=1, micros=10**15 + 1, promo_ppm=333_333, hour=HOURS - 1, number=None, back=None),
        Charged(work=2, listener=1, micros=3, promo_ppm=0, hour=5, number=2, back=None),
        Charged(work=2, listener=2, micros=3, promo_ppm=0, hour=5, number=2, back=0),
        Charged(work=0, listener=2, micros=3, promo_ppm=0, hour=5, number=2, back=-1),
    ],
    cut=300,
)


@settings(max_examples=25)
@given(told)
@example(EDGES)
def test_the_run_comes_to_what_a_patient_bookkeeper_comes_to(month: Told) -> None:
    """So SQL divides as `allocate` does, versions of sheets and of `revenue` never mix, what was held is released."""
    with undone():
        write(month)
        with undone():
            counted = counting.run(OCTOBER, closed_at=CLOSED)
            by_hand = groups_of(OCTOBER), lines_of(OCTOBER)
            sums = (counted.gross_micros, counted.creators_micros, counted.held_micros, counted.refunds_borne_micros)
            next_counted = counting.run(NOVEMBER)
            next_by_hand = groups_of(OCTOBER), lines_of(NOVEMBER), next_counted.released_micros
        figures = run(OCTOBER, closed_at=CLOSED)
        assert (groups_of(OCTOBER), lines_of(OCTOBER)) == by_hand
        found = (figures.gross_micros, figures.creators_micros, figures.held_micros, figures.refunds_borne_micros)
        assert found == sums
        following = run(NOVEMBER, closed_at=clock.start_of(date(2026, 12, 3)))
        assert (groups_of(OCTOBER), lines_of(NOVEMBER), following.released_micros) == next_by_hand
        check_equations(OCTOBER)


def check_equations(month: date) -> None:
    """Check the seal's equation per group and in all, and that each part is within a micro of the exact one."""
    begins, ends = periods.bounds(month)
    closed = months.period(month)
    assert closed is not None
    for group in Group.objects.filter(month=month):
        revenue = next(one for one in policies.versions("revenue", begins) if one.seq == group.revenue_seq)
        own = Line.objects.filter(
            month=month, work_id=group.work_id, sheet_id=group.sheet_id, revenue_seq=group.revenue_seq
        )
        lines = list(own) if group.sheet_id else []
        held = 0 if group.sheet_id else group.creators_micros
        assert group.gross_micros == sum(line.net_micros for line in lines) + held + group.coop_micros
        exact = group.gross_micros * int(revenue.params["creators_ppm"])
        assert abs(group.creators_micros * money.PPM - exact) < money.PPM
        for line in lines:
            assert abs(line.net_micros * money.PPM - group.creators_micros * line.share_ppm) < money.PPM
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(amount_micros), 0) FROM playback_charge_facts"
            " WHERE charged_at >= %s AND charged_at < %s AND (reversed_at IS NULL OR reversed_at < %s)",
            [begins, ends, closed.closed_at],
        )
        moved = cursor.fetchone()[0]
    assert moved == sum(group.gross_micros for group in Group.objects.filter(month=month))


@settings(max_examples=8)
@given(told, st.integers(1, 99))
@example(EDGES, 7)
def test_neither_the_order_of_rows_nor_anybodys_name_matters(month: Told, seed: int) -> None:
    assert places_of(month, seed=0) == places_of(month, seed=seed)


def places_of(month: Told, *, seed: int) -> tuple[list[object], list[object]]:
    """Run a month, and return what each place of it came to: works and payees by their numbers, not their ids."""
    with undone():
        works, payees = write(month, seed=seed)
        run(OCTOBER, closed_at=CLOSED)
        place = {one.id: number for number, one in enumerate(works)} | {
            one.id: number for number, one in enumerate(payees)
        }
        groups = Group.objects.values_list("work_id", "since", "revenue_seq", "creators_micros", "listeners")
        lines = Line.objects.values_list("work_id", "revenue_seq", "payee_id", "line_number", "net_micros", "sheet_id")
        versions = {row.sheet_id: row.sheet_version for row in Group.objects.exclude(sheet_id=None)}
        return (
            sorted((place[work], *rest) for work, *rest in groups),
            sorted(
                (place[work], seq, place[payee], number, net, versions[sheet])
                for work, seq, payee, number, net, sheet in lines
            ),
        )
