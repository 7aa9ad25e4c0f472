"""A royalty run, told as a story: who listened, what each play cost, and what everyone is owed to the millionth."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from catalog.models import Work
from members import clock, months
from members.models import Notice, Person
from royalties import accounts, earning, ledger, runs, statements
from royalties.run_models import Group, Line, Run, Statement
from tests import cast
from tests.royalties import counting, running

pytestmark = pytest.mark.django_db
OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1)
BEFORE = datetime(2026, 9, 20, 12, tzinfo=UTC)
LINE_99 = """
INSERT INTO royalties_line SELECT (jsonb_populate_record(l, '{"line_number": 99}')).* FROM royalties_line AS l
"""
# What nobody may do to a sealed month, however they are connected.
REFUSED = (
    "UPDATE royalties_line SET net_micros = net_micros + 1",
    "DELETE FROM royalties_line",
    "TRUNCATE royalties_line",
    "UPDATE royalties_group SET promo_micros = 0, listeners = 9",
    "UPDATE royalties_group SET released_in = '2026-11-01'",
    "DELETE FROM royalties_group",
    "TRUNCATE royalties_group",
    "UPDATE royalties_statement SET sha256 = ''",
    "DELETE FROM royalties_statement",
    "UPDATE royalties_run SET held_micros = 1",
    "DELETE FROM royalties_run",
    "SELECT royalties_start_over('2026-10-01')",
    LINE_99,
)
THE_TENTH = datetime(2026, 10, 10, 12, tzinfo=UTC)


class Month:
    """The worked example: Lena and Lars listen in October to works of Ana, Ben and Cleo."""

    def __init__(self) -> None:
        cast.set_clock(BEFORE)
        self.lena, self.lars = cast.person("lena"), cast.person("lars")
        self.ana, self.ben, self.cleo = (cast.person(name) for name in ("ana", "ben", "cleo"))
        label = cast.creator(cast.person("label"))
        self.first, self.second, self.third = (cast.track(label, now=BEFORE) for _ in range(3))
        since = BEFORE + timedelta(hours=1)
        counting.put_in_force(self.first, [(self.ana, 600_000), (self.ben, 400_000)], since=since)
        counting.put_in_force(self.second, [(self.cleo, 1_000_000)], since=since)
        shares = [(self.ana, 333_334), (self.ben, 333_333), (self.cleo, 333_333)]
        counting.put_in_force(self.third, shares, since=since)
        cast.set_clock(THE_TENTH)
        cast.top_up(self.lena, 500)
        cast.top_up(self.lars, 500)
        self._listen(self.lena, self.first, 9)
        self._listen(self.lena, self.second, 3)
        cast.buy(self.lena, self.second, price_micros=1_022_000)
        self._listen(self.lars, self.first, 5)
        fifth = cast.last_charge(self.lars)
        self._listen(self.lars, self.third, 4)
        cast.give_back(fifth)

    def _listen(self, by: Person, to: Work, times: int) -> None:
        for _ in range(times):
            cast.play(by, to)


@pytest.fixture
def october() -> Month:
    told = Month()
    running.start_of_next(OCTOBER)
    return told


def test_the_worked_example_to_the_millionth(october: Month) -> None:
    run = running.close(OCTOBER)
    assert run.state == Run.State.SEALED
    sums = {group.work_id: (group.gross_micros, group.creators_micros) for group in Group.objects.filter(month=OCTOBER)}
    assert sums == {
        october.first.id: (1_052_000, 736_400),
        october.second.id: (1_022_000, 715_400),
        october.third.id: (30_000, 21_000),
    }
    people = (october.ana, october.ben, october.cleo)
    assert list(ledger.payable(person.id for person in people).values()) == [448_840, 301_560, 722_400]
    assert (run.gross_micros, run.coop_micros) == (2_104_000, 631_200)
    assert run.coop_micros * 1_000_000 == run.gross_micros * 300_000
    assert (run.held_micros, run.released_micros, run.refunds_borne_micros) == (0, 0, 0)
    assert ledger.balance(accounts.ROYALTIES) == 1_472_800


def test_what_was_heard_is_counted_by_number(october: Month) -> None:
    running.close(OCTOBER)
    found = {
        group.work_id: (group.plays_by_number, group.purchases, group.listeners, group.refunded_micros)
        for group in Group.objects.filter(month=OCTOBER)
    }
    assert found == {
        october.first.id: ([2, 2, 2, 2, 1, 1, 1, 1, 1], 0, 2, 32_000),
        october.second.id: ([1, 1, 1], 1, 1, 0),
        october.third.id: ([1, 1, 1, 1], 0, 1, 0),
    }


def test_statements_say_what_the_lines_say_and_carry_forward(october: Month) -> None:
    running.close(OCTOBER)
    found = statements.of_month(person_id=october.ana.id, month=OCTOBER)
    assert (found.opening_micros, found.earned_micros, found.closing_micros) == (0, 448_840, 448_840)
    told = {line["work"]: line for line in found.content["lines"]}
    assert told[str(october.first.id)]["net_micros"] == 441_840
    assert told[str(october.first.id)]["plays_by_number"] == [2, 2, 2, 2, 1, 1, 1, 1, 1]
    assert told[str(october.first.id)]["listeners"] is None
    assert told[str(october.third.id)]["net_micros"] == 7_000
    assert told[str(october.first.id)]["published_as"] != told[str(october.third.id)]["published_as"]
    assert found.content["payout"] == {"cents": 0, "why_not": "below-threshold", "held_micros": 448_840}
    # Nobody listens in November, and what was earned is still owed.
    running.start_of_next(NOVEMBER)
    running.close(NOVEMBER)
    carried = statements.of_month(person_id=october.ana.id, month=NOVEMBER)
    assert (carried.opening_micros, carried.earned_micros, carried.closing_micros) == (448_840, 0, 448_840)
    assert carried.content["lines"] == []


def test_a_letter_tells_of_a_statement_without_a_figure_and_once(october: Month) -> None:
    running.close(OCTOBER)
    written = Notice.objects.filter(key__startswith="statement:2026-10:")
    assert set(written.values_list("person_id", flat=True)) == {october.ana.id, october.ben.id, october.cleo.id}
    assert {row.subject for row in written} == {"Your statement for October 2026 is ready"}
    for row in written:
        assert "/statements/2026-10" in row.body
        assert "448" not in row.body
        assert "0.44" not in row.body
    running.start_of_next(NOVEMBER)
    running.close(NOVEMBER)
    assert not Notice.objects.filter(key__startswith="statement:2026-11:").exists()


def test_a_refund_after_the_close_is_borne_and_changes_no_line(october: Month) -> None:
    charge = cast.last_charge(october.lena)
    running.close(OCTOBER)
    before = running.everything_of(OCTOBER)
    cast.give_back(charge)
    assert running.everything_of(OCTOBER) == before
    running.start_of_next(NOVEMBER)
    november = running.close(NOVEMBER)
    assert (november.gross_micros, november.refunds_borne_micros) == (0, charge.amount_micros)
    assert running.everything_of(OCTOBER) == before


def test_a_refund_before_the_close_counts_in_the_charges_month_though_it_came_in_the_next(october: Month) -> None:
    charge = cast.last_charge(october.lars)
    cast.set_clock(clock.start_of(NOVEMBER) + timedelta(days=1))
    cast.give_back(charge)
    running.start_of_next(OCTOBER)
    run = running.close(OCTOBER)
    assert run.gross_micros == 2_104_000 - 16_000
    running.start_of_next(NOVEMBER)
    assert running.close(NOVEMBER).refunds_borne_micros == 0


def test_a_promo_part_is_gross_like_a_bought_part() -> None:
    cast.set_clock(BEFORE)
    lena, ana = cast.person("lena"), cast.person("ana")
    work = cast.track(cast.creator(ana), now=BEFORE)
    cast.set_clock(THE_TENTH)
    cast.promo(lena, 6_000)
    cast.play(lena, work)
    cast.play(lena, work)
    running.start_of_next(OCTOBER)
    running.close(OCTOBER)
    group = Group.objects.get(month=OCTOBER)
    assert (group.gross_micros, group.promo_micros, group.creators_micros, group.coop_micros) == (
        6_000,
        6_000,
        4_200,
        1_800,
    )


class TestHeld:
    """A work without a sheet in force earns, and what it earns waits."""

    @pytest.fixture
    def held(self) -> Month:
        told = Month()
        self.work = cast.track(cast.creator(cast.person("new")), state=Work.State.DRAFT, now=BEFORE)
        self.charged = counting.charge(told.lena, self.work, 10_001, at=THE_TENTH, number=1)
        running.start_of_next(OCTOBER)
        return told

    def test_it_is_held_and_released_once_by_the_first_sheet_in_force(self, held: Month) -> None:
        run = running.close(OCTOBER)
        # 0.7 of 10 001 is 7 000.7: the creators have the larger remainder.
        assert run.held_micros == 7_001
        assert ledger.balance(accounts.ROYALTIES_HELD) == 7_001
        assert not Line.objects.filter(work_id=self.work.id).exists()
        counting.put_in_force(self.work, [(held.ana, 500_000), (held.ben, 500_000)], since=clock.now())
        counting.put_in_force(self.work, [(held.cleo, 1_000_000)], since=clock.now() + timedelta(days=2))
        running.start_of_next(NOVEMBER)
        november = running.close(NOVEMBER)
        assert (november.gross_micros, november.released_micros) == (0, 7_001)
        paid = (
            Line.objects.filter(month=NOVEMBER)
            .order_by("line_number")
            .values_list("payee_id", "of_month", "net_micros")
        )
        assert list(paid) == [(held.ana.id, OCTOBER, 3_501), (held.ben.id, OCTOBER, 3_500)]
        assert ledger.balance(accounts.ROYALTIES_HELD) == 0
        assert ledger.payable([held.ana.id])[held.ana.id] == 448_840 + 3_501
        told = statements.of_month(person_id=held.ana.id, month=NOVEMBER)
        assert (told.released_micros, told.content["lines"][0]["of_month"]) == (3_501, "2026-10")
        running.start_of_next(DECEMBER)
        assert running.close(DECEMBER).released_micros == 0

    def test_a_sheet_from_the_middle_of_a_month_divides_what_came_after_it(self, held: Month) -> None:
        counting.put_in_force(self.work, [(held.ana, 1_000_000)], since=THE_TENTH + timedelta(days=2))
        counting.charge(held.lars, self.work, 3_000, at=THE_TENTH + timedelta(days=3), number=1)
        run = running.close(OCTOBER)
        assert run.held_micros == 7_001
        assert Line.objects.get(work_id=self.work.id).net_micros == 2_100
        running.start_of_next(NOVEMBER)
        assert running.close(NOVEMBER).released_micros == 7_001


def test_nothing_in_a_sealed_month_changes_whoever_asks(october: Month) -> None:
    running.close(OCTOBER)
    before = running.everything_of(OCTOBER)
    for statement in REFUSED:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert not runs.advance(month=OCTOBER, now=clock.now()).took
    assert runs.begin(month=OCTOBER, now=clock.now()).state == Run.State.SEALED
    assert running.everything_of(OCTOBER) == before


def test_a_wrong_line_stops_the_run_and_a_person_lets_it_begin_again(october: Month) -> None:
    runs.begin(month=OCTOBER, now=clock.now())
    while Run.objects.get(month=OCTOBER).step != Run.Step.CHECKING:
        runs.advance(month=OCTOBER, now=clock.now())
    Line.objects.filter(month=OCTOBER, payee_id=october.ana.id, work_id=october.first.id).update(net_micros=441_841)
    stuck = running.finish(OCTOBER)
    assert stuck.state == Run.State.STUCK
    assert str(october.first.id) in stuck.words
    assert months.latest() == months.period(OCTOBER)
    assert months.latest().state == months.CLOSING
    assert not Statement.objects.exists()
    runs.start_over(month=OCTOBER)
    assert running.finish(OCTOBER).state == Run.State.SEALED
    assert ledger.payable([october.ana.id])[october.ana.id] == 448_840


def test_groups_that_are_not_the_charges_stop_the_run(october: Month) -> None:
    runs.begin(month=OCTOBER, now=clock.now())
    while Run.objects.get(month=OCTOBER).step != Run.Step.CHECKING:
        runs.advance(month=OCTOBER, now=clock.now())
    Line.objects.filter(month=OCTOBER, work_id=october.third.id).delete()
    Group.objects.filter(month=OCTOBER, work_id=october.third.id).delete()
    with pytest.raises(
        earning.NotEqual, match="the groups sum to 2074000, the month's charges and reversals to 2104000"
    ):
        earning.check(OCTOBER)


@pytest.mark.parametrize("wrong", ["amount_micros = amount_micros + 1", "work_id = gen_random_uuid()"])
def test_sums_of_postings_that_are_not_the_charges_stop_the_run(october: Month, wrong: str) -> None:
    runs.begin(month=OCTOBER, now=clock.now())
    while Run.objects.get(month=OCTOBER).step != Run.Step.GATHERING:
        runs.advance(month=OCTOBER, now=clock.now())
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE royalties_postedwork SET {wrong} WHERE work_id = %s", [october.third.id])  # noqa: S608
        assert cursor.rowcount
    stuck = running.finish(OCTOBER)
    assert stuck.state == Run.State.STUCK
    assert "charge" in stuck.words
    assert not Statement.objects.exists()


def test_lines_sum_to_the_creators_part(october: Month) -> None:
    run = running.close(OCTOBER)
    assert Line.objects.filter(month=OCTOBER).aggregate(all=Sum("net_micros"))["all"] == run.creators_micros
