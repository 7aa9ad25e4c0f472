"""Deadlines: evenings of the co-op's zone, across changes of the clocks, and the moments at which policies begin."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from members import clock, deadlines
from members.deadlines import NoSuchMoment, Starts

BERLIN = ZoneInfo("Europe/Berlin")


def at(text):
    """Return a moment of Berlin's wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def test_seven_days_across_the_end_of_summer_time_end_at_the_same_hour():
    closes = deadlines.after(at("2026-10-21 20:00"), 7)
    assert closes == datetime(2026, 10, 28, 19, 0, tzinfo=UTC)
    assert (closes - at("2026-10-21 20:00").astimezone(UTC)).total_seconds() == (7 * 24 + 1) * 3600


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-10-01 08:00", "2026-10-08 20:00"),
        ("2026-10-01 20:00", "2026-10-08 20:00"),
        ("2026-10-01 20:01", "2026-10-09 20:00"),
        ("2026-03-25 23:59", "2026-04-02 20:00"),
    ],
)
def test_a_part_ends_in_the_first_evening_that_is_late_enough(moment, ends):
    assert deadlines.after(at(moment), 7) == at(ends)


@pytest.mark.parametrize(("day", "hour", "why"), [("2026-03-29", 2, "is skipped"), ("2026-10-25", 2, "comes twice")])
def test_a_time_that_is_missing_or_comes_twice_is_refused(day, hour, why):
    with pytest.raises(NoSuchMoment, match=why):
        deadlines.local(date.fromisoformat(day), time(hour, 30), zone=BERLIN)
    assert deadlines.local(date.fromisoformat(day), time(hour + 1, 30), zone=BERLIN).hour == hour + 1


@pytest.mark.parametrize(
    ("starts", "days", "moment", "begins"),
    [
        (Starts.MONTH, 14, "2026-11-16 20:00", "2026-12-01 00:00"),
        (Starts.MONTH, 14, "2026-11-17 00:00", "2026-12-01 00:00"),
        (Starts.MONTH, 14, "2026-11-17 00:01", "2027-01-01 00:00"),
        (Starts.MONTH, 30, "2026-11-01 00:00", "2026-12-01 00:00"),
        (Starts.MONTH, 30, "2026-11-01 20:00", "2027-01-01 00:00"),
        (Starts.YEAR, 0, "2026-01-01 00:00", "2027-01-01 00:00"),
        (Starts.YEAR, 0, "2026-12-31 23:59", "2027-01-01 00:00"),
        (Starts.DAY, 60, "2026-10-01 20:00", "2026-12-01 00:00"),
        (Starts.AT_ONCE, 0, "2026-10-01 20:00", "2026-10-01 20:00"),
    ],
)
def test_when_a_policy_may_begin(starts, days, moment, begins):
    assert deadlines.effect(starts=starts, days=days, moment=at(moment)) == at(begins)


def test_the_zone_is_the_co_op_s():
    assert clock.zone() == BERLIN
