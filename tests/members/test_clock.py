"""The clock: one for SQL and Python, the co-op's days and months, and the moment at which money is booked."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import override_settings

from members import clock
from members.models import Month
from members.problems import NotAllowed

pytestmark = pytest.mark.django_db

BERLIN_MIDNIGHT = datetime(2026, 7, 31, 22, 0, tzinfo=UTC)
A_MOMENT = timedelta(seconds=20)


def ask(sql: str, *arguments: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", arguments)
        return cursor.fetchone()[0]


def move_to(moment: datetime) -> None:
    clock.set_offset(moment - datetime.now(UTC))


def test_now_is_the_databases_clock_and_moves_with_the_offset() -> None:
    assert timedelta(0) <= clock.now() - datetime.now(UTC) + A_MOMENT < 2 * A_MOMENT
    move_to(BERLIN_MIDNIGHT)
    assert timedelta(0) <= clock.now() - BERLIN_MIDNIGHT < A_MOMENT
    assert clock.now() < clock.now()


def test_the_clock_of_production_cannot_be_moved() -> None:
    with override_settings(CLOCK_MAY_MOVE=False), pytest.raises(NotAllowed):
        clock.set_offset(timedelta(days=1))
    assert clock.offset() == timedelta(0)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (BERLIN_MIDNIGHT, date(2026, 8, 1)),
        (BERLIN_MIDNIGHT - timedelta(microseconds=1), date(2026, 7, 31)),
        (datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1)),
        (datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), date(2026, 12, 31)),
        # The days on which the clocks change.
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30)),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 26)),
    ],
)
def test_days_are_the_coops_in_python_and_in_sql(moment: datetime, day: date) -> None:
    assert clock.day(moment) == day
    assert ask("coop_day(%s)", moment) == day
    assert clock.month(moment) == day.replace(day=1)


@pytest.mark.parametrize("first", [date(2026, 8, 1), date(2026, 3, 30), date(2026, 10, 26), date(2028, 2, 29)])
def test_a_day_begins_where_the_last_one_ended(first: date) -> None:
    start = clock.start_of(first)
    assert clock.day(start) == first
    assert clock.day(start - timedelta(microseconds=1)) == first - timedelta(days=1)


def test_money_is_booked_now_while_the_month_is_open() -> None:
    move_to(BERLIN_MIDNIGHT + timedelta(days=3))
    booked = ask("coop_money_moment()")
    assert isinstance(booked, datetime)
    assert timedelta(0) <= booked - BERLIN_MIDNIGHT - timedelta(days=3) < A_MOMENT


@pytest.mark.parametrize("back", [timedelta(seconds=30), timedelta(days=20)])
def test_money_after_the_clock_stepped_back_is_booked_at_the_first_moment_of_the_open_month(back: timedelta) -> None:
    Month.objects.create(
        starts_on=date(2026, 6, 1), state="sealed", closed_at=BERLIN_MIDNIGHT, sealed_at=BERLIN_MIDNIGHT
    )
    Month.objects.create(starts_on=date(2026, 7, 1), state="closing", closed_at=BERLIN_MIDNIGHT)
    move_to(BERLIN_MIDNIGHT - back)
    assert ask("coop_money_moment()") == BERLIN_MIDNIGHT
    move_to(BERLIN_MIDNIGHT + timedelta(hours=1))
    booked = ask("coop_money_moment()")
    assert isinstance(booked, datetime)
    assert booked > BERLIN_MIDNIGHT + timedelta(minutes=59)
