"""Posting and booking while others do: every row lands in the ledger exactly once, in its own day and month."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum

from catalog.models import Work
from members import clock, months
from members.models import Person
from playback.models import Charge
from royalties import accounts, ledger, posting, reconciliation
from royalties.ledger import Entry
from royalties.ledger_models import PostingMark, Transfer
from tests import cast

pytestmark = pytest.mark.usefixtures("committed")

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
PRICE = 200_000
PURCHASE = """
SELECT outcome FROM playback_charge_purchase(%s, %s, %s, %s, 9::smallint, 2, 1, 1, %s)
"""


def post() -> int:
    return posting.post(now=clock.now())


def reconciled() -> None:
    assert reconciliation.check(now=clock.now()) == []


def all_at_once(*jobs: Callable[[], object]) -> list[object]:
    """Let each job begin at the same moment on a connection of its own, and return what they answer."""
    start = threading.Barrier(len(jobs))

    def one(job: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            start.wait(timeout=60)
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [answer.result(timeout=120) for answer in [pool.submit(one, job) for job in jobs]]


@contextmanager
def held_open(job: Callable[[], object]) -> Iterator[None]:
    """Do a job in a transaction of its own that stays open for as long as the block does, and is then committed."""
    done, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                job()
                done.set()
                assert go_on.wait(timeout=60)
        finally:
            done.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert done.wait(timeout=60)
        try:
            yield
        finally:
            go_on.set()
            holding.result(timeout=60)


@pytest.fixture
def lena() -> Person:
    """Give a listener with 10.00 of credit, posted."""
    cast.set_clock(datetime(2026, 10, 20, 10, 0, tzinfo=UTC))
    lena = cast.person("lena")
    cast.top_up(lena, 1_000)
    post()
    return lena


@pytest.fixture
def work() -> Work:
    """Give a track at the founding price."""
    return cast.track(cast.creator(cast.person("ana")))


def test_posters_at_once_post_each_row_once(lena: Person, work: Work) -> None:
    for _ in range(5):
        cast.play(lena, work)
    assert sorted(all_at_once(*[post] * 6)) == [0, 0, 0, 0, 0, 5]
    assert PostingMark.objects.filter(source="charge").count() == 5
    assert ledger.balance(accounts.PLAYS) == 2_000 + 4_000 + 8_000 + 16_000 + 32_000
    reconciled()


def test_a_charge_that_stays_open_over_midnight_is_the_next_postings_on_its_own_day(lena: Person, work: Work) -> None:
    cast.play(lena, work)
    cast.set_clock(clock.start_of(date(2026, 10, 24)) - timedelta(seconds=30))
    with held_open(lambda: cast.play(lena, work)):
        cast.set_clock(clock.start_of(date(2026, 10, 24)) + timedelta(hours=1, minutes=30))
        assert post() == 1
        reconciled()
    assert post() == 1
    assert list(Transfer.objects.filter(kind="play").order_by("id").values_list("amount_micros", "month")) == [
        (2_000, OCTOBER),
        (4_000, OCTOBER),
    ]
    assert [
        one.split(":")[2] for one in Transfer.objects.filter(kind="play").order_by("id").values_list("key", flat=True)
    ] == [
        "2026-10-20",
        "2026-10-23",
    ]
    assert post() == 0
    reconciled()


def test_a_charge_that_stays_open_over_the_months_end_keeps_the_month_open_and_counts_in_it(
    lena: Person, work: Work
) -> None:
    def close() -> None:
        with transaction.atomic():
            months.hold_all()
            months.close(month=OCTOBER)

    cast.set_clock(clock.start_of(NOVEMBER) - timedelta(seconds=30))
    with held_open(lambda: cast.play(lena, work)):
        cast.set_clock(clock.start_of(NOVEMBER) + timedelta(days=2, hours=3))
        assert post() == 0
        with pytest.raises(OperationalError, match="lock timeout"):
            close()
        assert months.period(OCTOBER) is None
    close()
    # From now on a charge is November's, though the clock steps back behind the month's end.
    cast.set_clock(clock.start_of(NOVEMBER) - timedelta(seconds=10))
    cast.play(lena, work)
    assert post() == 2
    assert sorted(Transfer.objects.filter(kind="play").values_list("amount_micros", "month")) == [
        (2_000, OCTOBER),
        (4_000, NOVEMBER),
    ]
    reconciled()


def test_a_thousand_charges_racing_with_the_poster_land_exactly_once(work: Work) -> None:
    """Eight connections buy as fast as they can while two post; no micro is lost or doubled."""
    cast.set_clock(datetime(2026, 10, 20, 10, 0, tzinfo=UTC))
    works = [cast.track(cast.creator(cast.person("ben"))) for _ in range(25)]
    listeners = [cast.person("ear") for _ in range(40)]
    for listener in listeners:
        cast.top_up(listener, 500)
    bought = threading.Event()

    def buy(mine: list[Person]) -> int:
        told = 0
        for one in works:
            for listener in mine:
                with connection.cursor() as cursor:
                    cursor.execute(PURCHASE, [listener.id, one.id, PRICE, PRICE, PRICE])
                    told += cursor.fetchone() == ("charged",)
        return told

    def keep_posting() -> int:
        posted = 0
        while not bought.is_set():
            posted += post()
        return posted

    with ThreadPoolExecutor(2) as posters:

        def poster() -> int:
            try:
                return keep_posting()
            finally:
                connection.close()

        posting_now = [posters.submit(poster) for _ in range(2)]
        try:
            charged = all_at_once(*[lambda mine=listeners[n::8]: buy(mine) for n in range(8)])
        finally:
            bought.set()
        posted = sum(one.result(timeout=120) for one in posting_now)
    posted += post()
    assert charged == [125] * 8
    assert posted == 1_000 + len(listeners)
    assert PostingMark.objects.filter(source="charge").count() == Charge.objects.count() == 1_000
    assert ledger.balance(accounts.PLAYS) == 1_000 * PRICE
    assert Transfer.objects.filter(kind="purchase").aggregate(all=Sum("amount_micros"))["all"] == 1_000 * PRICE
    assert ledger.balance(accounts.WALLETS) == 40 * 5_000_000 - 1_000 * PRICE
    reconciled()


def test_a_poster_whose_connection_is_cut_leaves_nothing_behind(lena: Person, work: Work) -> None:
    cast.play(lena, work)
    cast.play(lena, work)
    told: list[int] = []
    posted, cut = threading.Event(), threading.Event()

    def post_and_hang() -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    told.append(cursor.fetchone()[0])
                assert post() == 2
                posted.set()
                assert cut.wait(timeout=60)
        finally:
            posted.set()
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(post_and_hang)
        assert posted.wait(timeout=60)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", told)
            assert cursor.fetchone() == (True,)
        cut.set()
        with pytest.raises(OperationalError):
            hanging.result(timeout=60)
    assert not Transfer.objects.filter(kind="play").exists()
    reconciled()
    assert post() == 2
    assert ledger.balance(accounts.PLAYS) == 6_000
    reconciled()


# The ledger itself.


def entry(debit: str, credit: str, key: str) -> Entry:
    now = datetime(2026, 10, 20, 10, 0, tzinfo=UTC)
    return Entry(
        debit=debit, credit=credit, amount_micros=1, kind="test", key=key, happened_at=now, month=OCTOBER, reason=""
    )


def test_bookers_at_once_of_one_key_book_it_once() -> None:
    cast.set_clock(datetime(2026, 10, 20, 10, 0, tzinfo=UTC))
    now = clock.now()

    def book() -> int:
        return ledger.book([entry(accounts.BANK, accounts.PROVIDER, f"key {n}") for n in range(20)], now=now)

    assert sorted(all_at_once(*[book] * 6)) == [0, 0, 0, 0, 0, 20]
    assert ledger.balance(accounts.BANK) == 20
    told = all_at_once(*[lambda: ledger.reverse(key="key 7", reason="Wrong.", now=now)] * 6)
    assert sorted(told) == [0, 0, 0, 0, 0, 1]
    assert ledger.balance(accounts.BANK) == 19


def test_bookers_of_the_same_accounts_in_any_order_never_lock_each_other_out() -> None:
    """Each books twice in one transaction, half of them the other way round."""
    cast.set_clock(datetime(2026, 10, 20, 10, 0, tzinfo=UTC))
    now = clock.now()
    pair = (accounts.BANK, accounts.PROVIDER, accounts.COSTS)

    def book(number: int) -> int:
        codes = pair if number % 2 else pair[::-1]
        for turn in range(10):
            with transaction.atomic():
                ledger.book([entry(codes[0], codes[1], f"{number}:{turn}:first")], now=now)
                ledger.book([entry(codes[1], codes[2], f"{number}:{turn}:second")], now=now)
        return 20

    assert all_at_once(*[lambda number=number: book(number) for number in range(6)]) == [20] * 6
    assert Transfer.objects.count() == 120
    numbers = list(Transfer.objects.order_by("id").values_list("key", flat=True))
    # The pen was with one at a time: what a transaction booked stands together.
    assert all(numbers[n].endswith("first") and numbers[n + 1].endswith("second") for n in range(0, 120, 2))
    assert {code: ledger.balance(code) for code in pair} == dict.fromkeys(pair, 0)


def test_a_month_that_is_being_locked_takes_nothing_more() -> None:
    cast.set_clock(datetime(2026, 10, 20, 10, 0, tzinfo=UTC))
    now = clock.now()
    told: list[str] = []

    def book() -> None:
        try:
            ledger.book([entry(accounts.BANK, accounts.PROVIDER, "late")], now=now)
        except accounts.LedgerRefused as refused:
            told.append(refused.detail)
        finally:
            connection.close()

    ledger.open_accounts([accounts.BANK, accounts.PROVIDER])
    with ThreadPoolExecutor(1) as pool:
        with held_open(lambda: ledger.lock_month(OCTOBER, now=now)):
            booking = pool.submit(book)
            with pytest.raises(TimeoutError):
                booking.result(timeout=0.5)
        booking.result(timeout=60)
    assert told == ["The books of 2026-10 are locked. Nothing was booked."]
    assert not Transfer.objects.exists()
