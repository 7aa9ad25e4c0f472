"""The month so far: divided as the run would, told only to where five people stand between any two figures."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members import clock
from playback import audience_counting
from royalties import periods, runs, so_far, tasks
from royalties.run_models import Group, Line
from royalties.so_far_models import SoFarCounted, SoFarGroup, SoFarLine, SoFarWork
from tests import cast
from tests.royalties import counting, running
from tests.royalties.counting import noon

pytestmark = pytest.mark.django_db
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
GROUP = ("month", "work_id", "sheet_id", "sheet_version", "revenue_seq", "since", "gross_micros", "promo_micros")
PARTS = ("creators_micros", "coop_micros")
LINE = ("of_month", "work_id", "sheet_id", "revenue_seq", "line_number", "payee_id", "share_ppm", "net_micros")


def night_after(day: int, month: int = 10) -> datetime:
    """Move the clock to the morning after a day of 2026, when that day is counted, and count it."""
    now = noon(day, month) + timedelta(hours=20)
    cast.set_clock(now)
    audience_counting.count_all(now=clock.now())
    so_far.count(now=clock.now())
    return now


def test_when_the_month_is_over_it_is_what_the_run_then_writes() -> None:
    fate = random.Random(26)  # the same month each time
    cast.set_clock(noon(20, 9))
    ana, ben, cleo = (cast.person(name) for name in ("ana", "ben", "cleo"))
    listeners = [cast.person() for _ in range(7)]
    for listener in listeners:
        cast.top_up(listener, 10_000)
    shared = counting.work([(ana, 333_334), (ben, 333_333), (cleo, 333_333)], since=noon(20, 9))
    changed = counting.work([(ana, 1_000_000)], since=noon(20, 9))
    counting.put_in_force(changed, [(ben, 700_001), (ana, 299_999)], since=noon(15))
    held = counting.work([], since=noon(20, 9))
    twice = counting.work([(ana, 500_001), (cleo, 250_000), (ben, 249_999)], since=noon(20, 9))
    given = []
    for day in range(1, 32):
        for work in (shared, changed, held, twice):
            micros = fate.randrange(1, 900_000)
            charge = counting.charge(fate.choice(listeners), work, micros, at=noon(day), number=day)
            if fate.random() < 0.1:
                given.append(charge)
    for charge in given:
        counting.give_back(charge, at=noon(31) + timedelta(hours=1))
    night_after(31)
    counted = SoFarCounted.objects.get(month=OCTOBER)
    assert (counted.counted_until, counted.is_over) == (date(2026, 10, 31), True)
    groups = sorted(SoFarGroup.objects.filter(month=OCTOBER).values_list(*GROUP, *PARTS), key=repr)
    lines = sorted(SoFarLine.objects.filter(month=OCTOBER).values_list(*LINE), key=repr)
    assert len(given) > 5
    running.start_of_next(OCTOBER)
    running.close(OCTOBER)
    assert groups == sorted(Group.objects.filter(month=OCTOBER).values_list(*GROUP, *PARTS), key=repr)
    assert lines == sorted(Line.objects.filter(month=OCTOBER).values_list(*LINE), key=repr)
    assert len(groups) == 5
    assert len(lines) == 3 + 1 + 2 + 3, "nobody has a line of what is held"
    # The month is divided: its statement tells of it now.
    audience_counting.count_all(now=clock.now())
    so_far.count(now=clock.now())
    assert not SoFarGroup.objects.filter(month=OCTOBER).exists()
    assert not SoFarCounted.objects.filter(month=OCTOBER).exists()


def test_a_running_month_is_told_to_where_five_paid_and_five_more_will_be_between() -> None:
    cast.set_clock(noon(20, 9))
    ana = cast.person("ana")
    busy, quiet, held = (
        counting.work([(ana, 1_000_000)], since=noon(20, 9)),
        counting.work([(ana, 1_000_000)], since=noon(20, 9)),
        counting.work([], since=noon(20, 9)),
    )
    listeners = [cast.person() for _ in range(10)]
    for day in (1, 2, 3):
        for listener in listeners[:6]:
            given = counting.charge(listener, busy, 10_000, at=noon(day), number=day)
            counting.charge(listener, held, 1_001, at=noon(day), number=day)
    for day, listener in enumerate(listeners[:4], start=1):
        counting.charge(listener, quiet, 500_000, at=noon(day), number=1)
    counting.give_back(given, at=noon(3) + timedelta(hours=2))

    def told() -> dict[object, tuple[int, int, date]]:
        until = {row.work_id: clock.day(row.until_at) - timedelta(days=1) for row in SoFarWork.objects.all()}
        return {
            row.work_id: (row.gross_micros, row.creators_micros, until[row.work_id])
            for row in SoFarGroup.objects.filter(month=OCTOBER)
        }

    night_after(1)
    assert told() == {}, "five more have to come first"
    night_after(3)
    assert told() == {
        busy.id: (120_000, 84_000, date(2026, 10, 2)),
        # A half is nobody's: 12 012 * 0.7 is 8 408.4.
        held.id: (12_012, 8_408, date(2026, 10, 2)),
    }
    assert list(SoFarLine.objects.values_list("payee_id", "work_id", "net_micros")) == [(ana.id, busy.id, 84_000)]
    # The fifth who pays for the quiet work does not tell of the four: the month has to end, or five more to come.
    counting.charge(listeners[4], quiet, 500_000, at=noon(4), number=1)
    night_after(4)
    assert quiet.id not in told()
    for listener in listeners[5:]:
        counting.charge(listener, quiet, 1_000, at=noon(5), number=1)
    night_after(5)
    assert told()[quiet.id] == (2_500_000, 1_750_000, date(2026, 10, 4))
    # A new month begins, and the old one waits for its run: all of it is told, and what was given back is off.
    counting.charge(listeners[0], busy, 7, at=noon(1, 11), number=9)
    night_after(1, 11)
    assert told()[busy.id] == (170_000, 119_000, date(2026, 10, 31))
    assert told()[quiet.id][0] == 2_505_000
    assert not SoFarGroup.objects.filter(month=NOVEMBER).exists()
    assert [(row.month.month, row.is_over) for row in SoFarCounted.objects.order_by("month")] == [
        (10, True),
        (11, False),
    ]


def test_counting_again_asks_little_and_changes_nothing() -> None:
    cast.set_clock(noon(20, 9))
    work = counting.work([(cast.person("ana"), 1_000_000)], since=noon(20, 9))
    for day in (1, 2):
        for _ in range(5):
            counting.charge(cast.person(), work, 3, at=noon(day), number=1)
    now = night_after(2)
    before = list(SoFarLine.objects.values_list(*LINE))
    assert [row[-1] for row in before] == [11], "15 * 0.7 is 10.5, and the creators get the half"
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert so_far.count(now=now) == 0
    assert len(asked) <= 12
    assert list(SoFarLine.objects.values_list(*LINE)) == before
    cast.set_clock(noon(3) + timedelta(hours=20))
    assert tasks.count_so_far() == 0, "the third was not counted yet"
    audience_counting.count_all(now=clock.now())
    assert tasks.count_so_far() == 1


def test_before_anything_was_counted_there_is_nothing() -> None:
    cast.set_clock(datetime(2026, 10, 1, 12, tzinfo=UTC))
    assert so_far.count(now=clock.now()) == 0
    assert not SoFarCounted.objects.exists()
    assert list(periods.ended(clock.now())) == runs.running() == []
