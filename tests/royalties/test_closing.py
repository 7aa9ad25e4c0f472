"""Closing a month: in order, after its end, between two charges; what races with it lands in one month, once."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.db.models import Count, Sum

from catalog import sharing
from catalog.sharing import Payee
from members import clock, months
from members.models import Month, Person
from playback.models import Charge
from royalties import ledger, periods, posting, tasks
from royalties.run_models import Group, Run, RunShard
from tests import cast
from tests.royalties import counting, running

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
BEFORE = datetime(2026, 9, 20, 12, tzinfo=UTC)
THE_TENTH = datetime(2026, 10, 10, 12, tzinfo=UTC)
OCTOBER_ENDS = clock.start_of(NOVEMBER)
BUY = "SELECT outcome FROM playback_charge_purchase(%s, %s, 200000, 200000, 9::smallint, 2, 1, 1, 200000)"


def earn() -> tuple[Person, Person]:
    """Let Lena buy a work of Ana's in October."""
    cast.set_clock(BEFORE)
    lena, ana = cast.person("lena"), cast.person("ana")
    work = cast.track(cast.creator(ana), now=BEFORE)
    cast.set_clock(THE_TENTH)
    cast.top_up(lena, 1_000)
    cast.buy(lena, work, price_micros=1_022_000)
    return lena, ana


@pytest.mark.django_db
class TestOrder:
    """Each month after it ended, and after the one before was sealed."""

    @pytest.fixture(autouse=True)
    def _earned(self) -> None:
        self.lena, self.ana = earn()

    def test_not_before_its_end(self) -> None:
        cast.set_clock(OCTOBER_ENDS - timedelta(minutes=5))
        with pytest.raises(periods.MonthNotOver):
            periods.close(month=OCTOBER)
        assert not Month.objects.exists()
        cast.set_clock(OCTOBER_ENDS)
        assert periods.close(month=OCTOBER).state == months.CLOSING

    def test_not_before_the_one_before_it_is_sealed(self) -> None:
        running.start_of_next(NOVEMBER)
        with pytest.raises(periods.EarlierMonthOpen, match="2026-10"):
            periods.close(month=NOVEMBER)
        periods.close(month=OCTOBER)
        with pytest.raises(periods.EarlierMonthOpen, match="2026-10"):
            periods.close(month=NOVEMBER)
        running.close(OCTOBER)
        assert periods.close(month=NOVEMBER).starts_on == NOVEMBER

    def test_no_month_before_the_first(self) -> None:
        running.start_of_next(OCTOBER)
        running.close(OCTOBER)
        with pytest.raises(periods.EarlierMonthOpen):
            periods.close(month=date(2026, 9, 1))

    @pytest.mark.parametrize(
        ("moment", "due"),
        [
            (datetime(2026, 11, 3, 1, 59, tzinfo=UTC), None),
            (datetime(2026, 11, 3, 2, 0, tzinfo=UTC), OCTOBER),
            (datetime(2027, 2, 1, 0, 0, tzinfo=UTC), OCTOBER),
        ],
    )
    def test_by_itself_on_the_third_at_three_in_the_night(self, moment: datetime, due: date | None) -> None:
        """Three in the night in Berlin is two in UTC."""
        assert periods.due(moment) == due

    def test_beat_closes_it_and_a_worker_seals_it(self) -> None:
        cast.set_clock(datetime(2026, 11, 3, 1, 58, tzinfo=UTC))
        assert tasks.sweep_runs() == 0
        cast.set_clock(datetime(2026, 11, 3, 2, 1, tzinfo=UTC))
        assert tasks.sweep_runs() == 1
        assert Run.objects.get().state == Run.State.RUNNING
        tasks.work_on_run(OCTOBER.isoformat())
        assert Run.objects.get().state == Run.State.SEALED
        assert tasks.sweep_runs() == 0
        assert ledger.payable([self.ana.id])[self.ana.id] == 715_400

    def test_a_worker_that_died_between_the_close_and_its_run_is_no_matter(self) -> None:
        running.start_of_next(OCTOBER)
        periods.close(month=OCTOBER)
        assert not Run.objects.exists()
        assert tasks.sweep_runs() == 1
        assert running.finish(OCTOBER).state == Run.State.SEALED

    def test_the_rights_of_a_worker_suffice(self) -> None:
        """It signs in as the role that owns nothing and deletes nothing."""
        running.start_of_next(OCTOBER)
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {settings.DB_WEB_ROLE}")
            run = running.close(OCTOBER)
            cursor.execute("RESET ROLE")
        assert (run.state, run.gross_micros) == (Run.State.SEALED, 1_022_000)

    def test_the_command_shows_how_far_it_is_and_ends_with_the_sums(self) -> None:
        running.start_of_next(OCTOBER)
        said = StringIO()
        call_command("close_period", "2026-10", stdout=said)
        lines = said.getvalue().splitlines()
        assert lines[0] == "[..............................]   0 %  Posting what is not in the ledger yet"
        assert lines[-2] == "[##############################] 100 %  Sealed"
        sums = "€1.022 were paid, of which €0.7154 go to the creators (€0.00 held) and €0.3066 to the co-op."
        assert lines[-1] == f"2026-10: {sums}"
        again = StringIO()
        call_command("close_period", "2026-10", stdout=again)
        assert again.getvalue().splitlines() == lines[-2:]

    @pytest.mark.parametrize(
        ("name", "words"),
        [("2026-11", "The month is not over"), ("october", "written like"), ("2026-10-01", "written like")],
    )
    def test_the_command_says_what_it_cannot(self, name: str, words: str) -> None:
        running.start_of_next(OCTOBER)
        with pytest.raises(CommandError, match=words):
            call_command("close_period", name, stdout=StringIO())
        assert not RunShard.objects.exists()

    def test_a_reversal_after_the_clock_stepped_back_is_too_late_for_the_closed_month(self) -> None:
        running.start_of_next(OCTOBER)
        closed = periods.close(month=OCTOBER)
        cast.set_clock(OCTOBER_ENDS + timedelta(hours=1))
        cast.give_back(cast.last_charge(self.lena))
        assert running.close(OCTOBER).gross_micros == 1_022_000
        running.start_of_next(NOVEMBER)
        november = running.close(NOVEMBER)
        assert (november.gross_micros, november.refunds_borne_micros) == (0, 1_022_000)
        assert closed.closed_at == months.period(OCTOBER).closed_at  # type: ignore[union-attr]

    def test_a_reversal_before_the_clock_stepped_back_still_counts_in_the_month(self) -> None:
        cast.set_clock(OCTOBER_ENDS + timedelta(days=2))
        cast.give_back(cast.last_charge(self.lena))
        cast.set_clock(OCTOBER_ENDS + timedelta(days=1))
        run = running.close(OCTOBER)
        assert (run.gross_micros, run.refunds_borne_micros) == (0, 0)

    def test_a_sheet_never_begins_in_a_month_that_closed_meanwhile(self) -> None:
        """The request was sent before the close, and got to its transaction after it."""
        sent_at = OCTOBER_ENDS - timedelta(seconds=1)
        work = cast.track(cast.creator(self.ana), state="draft", now=BEFORE)
        running.start_of_next(OCTOBER)
        closed = periods.close(month=OCTOBER)
        alone = [Payee(email=self.ana.email, share_ppm=1_000_000)]
        sheet = sharing.propose(work_id=work.id, person_id=self.ana.id, payees=alone, now=sent_at)
        assert sheet.in_force_from == closed.closed_at


class Beside:
    """Something that happens in another thread, on a connection of its own."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.fault: BaseException | None = None
        self._act = act
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._act()
        except BaseException as fault:  # noqa: BLE001 - raised by whoever waits for it
            self.fault = fault
        finally:
            connection.close()

    def ended(self) -> None:
        """Wait for its end, and raise what went wrong."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self.fault is not None:
            raise self.fault


@contextmanager
def held_open(act: Callable[[], object]) -> Iterator[None]:
    """Do something in a transaction that stays open while the block runs, and commits after it."""
    done, may_end = threading.Event(), threading.Event()

    def stay() -> None:
        with transaction.atomic():
            act()
            done.set()
            assert may_end.wait(60)

    beside = Beside(stay)
    assert done.wait(60)
    try:
        yield
    finally:
        may_end.set()
        beside.ended()


@pytest.mark.usefixtures("committed")
class TestRaces:
    """What is on its way while a month ends."""

    def test_a_charge_that_stays_open_across_the_months_end_lands_in_it_once(self) -> None:
        lena, ana = earn()
        other = cast.track(cast.creator(ana), now=BEFORE)
        cast.set_clock(OCTOBER_ENDS - timedelta(seconds=30))
        with held_open(lambda: cast.buy(lena, other, price_micros=1_022_000)):
            running.start_of_next(OCTOBER)
            closing = Beside(lambda: periods.close(month=OCTOBER))
            time.sleep(1.3)
            assert months.period(OCTOBER) is None, "it waits for the charge, and lets others charge between its tries"
        closing.ended()
        run = running.close(OCTOBER)
        assert (run.gross_micros, run.creators_micros) == (2_044_000, 1_430_800)
        running.start_of_next(NOVEMBER)
        assert running.close(NOVEMBER).gross_micros == 0
        assert ledger.payable([ana.id])[ana.id] == 1_430_800

    def test_a_charge_that_stays_open_across_midnight_is_posted_once_on_its_day(self) -> None:
        lena, ana = earn()
        other = cast.track(cast.creator(ana), now=BEFORE)
        cast.set_clock(THE_TENTH.replace(hour=21, minute=59))
        with held_open(lambda: cast.buy(lena, other, price_micros=1_022_000)):
            cast.set_clock(THE_TENTH.replace(hour=23))
            posting.post(now=clock.now())
        posting.post(now=clock.now())
        running.start_of_next(OCTOBER)
        running.close(OCTOBER)
        assert ledger.balance("income.plays") == 2_044_000
        assert ledger.payable([ana.id])[ana.id] == 1_430_800

    def test_a_thousand_charges_racing_with_the_seal_land_in_one_month_each(self) -> None:
        cast.set_clock(BEFORE)
        ana = cast.person("ana")
        works = [cast.track(cast.creator(ana), price_micros=200_000, now=BEFORE) for _ in range(10)]
        listeners = [cast.person() for _ in range(100)]
        cast.set_clock(THE_TENTH)
        for listener in listeners:
            cast.top_up(listener, 500)
        counting.charge(listeners[0], cast.track(cast.creator(ana), now=BEFORE), 1, at=THE_TENTH)
        cast.set_clock(OCTOBER_ENDS - timedelta(seconds=1))

        def buy(some: list[Person]) -> None:
            for work in works:
                for listener in some:
                    with connection.cursor() as cursor:
                        cursor.execute(BUY, [listener.id, work.id])
                        assert cursor.fetchone()[0] == "charged"
                    # So that it takes longer than the month has left.
                    time.sleep(0.003)

        crowd = [Beside(lambda some=listeners[place::4]: buy(some)) for place in range(4)]  # type: ignore[misc]
        while clock.now() < OCTOBER_ENDS:
            time.sleep(0.05)
        october = running.close(OCTOBER)
        for one in crowd:
            one.ended()
        running.start_of_next(NOVEMBER)
        november = running.close(NOVEMBER)
        assert Charge.objects.aggregate(n=Count("id"), all=Sum("amount_micros")) == {"n": 1_001, "all": 200_000_001}
        for run in (october, november):
            begins, ends = periods.bounds(run.month)
            rows = Charge.objects.filter(charged_at__gte=begins, charged_at__lt=ends)
            assert run.gross_micros == rows.aggregate(all=Sum("amount_micros"))["all"]
            assert run.gross_micros == Group.objects.filter(month=run.month).aggregate(all=Sum("gross_micros"))["all"]
        assert october.gross_micros + november.gross_micros == 200_000_001
        assert november.gross_micros > 0, "some came after the end, or there was no race"
