"""Open books: what everybody sees of the co-op's income and costs, when it is told, and that it is the ledger's."""

import csv
import io

import pytest
from django.test import Client

from members import clock
from royalties import accounts, books_drawing, journal, ledger, open_books
from royalties.ledger import Entry
from tests import cast
from tests.royalties import running, treasury
from tests.royalties.treasury import OCTOBER, SEPTEMBER

pytestmark = pytest.mark.django_db


def spend(kind: str, cents: int, day: str, by, words: str = "?") -> None:
    """Let two treasurers book something."""
    tess, tom = by
    on = treasury.at(f"{day} 12:00").date()
    entry = journal.enter(
        staff_id=tess.id, kind=kind, amount_micros=cents * 10_000, happened_on=on, words=words, now=clock.now()
    )
    journal.confirm(entry_id=entry.id, staff_id=tom.id, now=clock.now())


def book(debit: str, credit: str, micros: int, key: str, month) -> None:
    entry = Entry(
        debit=debit, credit=credit, amount_micros=micros, kind=key, key=key, happened_at=clock.now(), month=month
    )
    ledger.book([entry], now=clock.now())


def live_two_months():
    """Let September be divided and its books locked, and October be divided; return the treasurers."""
    cast.set_clock(treasury.at("2026-09-05 12:00"))
    tess, tom, lena = cast.treasurer("tess"), cast.treasurer("tom"), cast.person("lena")
    creator = cast.creator(cast.person("ana"))
    first, second = (cast.track(creator, now=clock.now()) for _ in range(2))
    cast.top_up(lena, 1_000)
    cast.buy(lena, first, price_micros=1_022_000)
    cast.set_clock(treasury.at("2026-10-01 09:00"))
    running.close(SEPTEMBER)
    for kind, cents, words in (
        ("grant", 50_000, "The city"),
        ("rent", 10_000, "Two desks of Rosa Meier's"),
        ("hosting", 2_500, "Machines"),
        ("bank-fee", 290, "Account"),
        ("cost", 7_000, "Wages of Rosa Meier"),
        ("provider-fee", 120, "Cards"),
    ):
        spend(kind, cents, "2026-09-20", (tess, tom), words)
    book(accounts.REFUNDS_BORNE, accounts.WALLETS, 4_000, "given-back", SEPTEMBER)
    book(accounts.DISPUTES, accounts.PROVIDER, 1_740_000, "disputed", SEPTEMBER)
    book(accounts.PROMOTION, accounts.PROVIDER, 250_000, "promo", SEPTEMBER)
    treasury.agree(SEPTEMBER, tess, tom)
    cast.buy(lena, second, price_micros=1_022_000)
    cast.set_clock(treasury.at("2026-11-03 09:00"))
    running.close(OCTOBER)
    spend("rent", 10_000, "2026-10-20", (tess, tom))
    return tess, tom


@pytest.fixture
def two_months():
    """Give the treasurers of two months."""
    return live_two_months()


def shown(path: str = "/books", status: int = 200) -> str:
    answer = Client().get(path)
    assert answer.status_code == status, answer.content[:300]
    return " ".join(answer.content.decode().split())


def test_before_any_month_is_sealed_the_page_says_what_will_be_here():
    assert "No month is sealed yet" in shown()
    assert shown("/books.csv").split() == ["month,state,line,account,side,micros"]
    shown("/books?year=2026", 200)


def test_a_locked_month_is_told_line_by_line_and_adds_up(two_months):
    september, october = open_books.all_months(now=clock.now())
    assert september.state == "locked"
    assert september.micros == {
        "plays": 1_022_000,
        "dues": 0,
        "other-income": 500_000_000,
        # 700 000 ppm of the month's one group, as the run divides it.
        "royalties": 715_400,
        "promotion": 250_000,
        "provider-fees": 1_200_000,
        "rent": 100_000_000,
        "hosting": 25_000_000,
        "bank-fee": 2_900_000,
        "costs": 70_000_000,
        "refunds-borne": 4_000,
        "disputes": 1_740_000,
        "lost": 0,
    }
    assert september.came_in_micros == 501_022_000
    assert september.went_out_micros == 201_809_400
    assert september.result_micros == 299_212_600
    # October's plays and royalties are sealed; what it cost is told when its books met the bank.
    assert october.state == "sealed"
    told = {key for key, micros in october.micros.items() if micros is not None}
    assert told == {"plays", "royalties", "promotion", "refunds-borne", "disputes"}
    assert october.micros["plays"] == 1_022_000
    assert (october.came_in_micros, october.went_out_micros, october.result_micros) == (None, None, None)


def test_the_books_are_the_ledger_s(two_months):
    """Every account of income and costs stands in a heading, and the headings sum to the accounts' balances."""
    tess, tom = two_months
    treasury.agree(OCTOBER, tess, tom)
    found = open_books.all_months(now=clock.now())
    for one in accounts.CHART:
        if one.kind in (accounts.Kind.INCOME, accounts.Kind.EXPENSE):
            headings = [heading for heading in open_books.HEADINGS if heading.account == one.code]
            assert headings, one.code
            assert sum(month.micros[heading.key] for month in found for heading in headings) == ledger.balance(one.code)


def test_the_page_shows_the_year_and_nobody(two_months):
    page = shown()
    assert "€501.022000" in page
    assert "€299.212600" in page
    assert "sealed, costs not told yet" in page
    assert "came in" in page
    assert "not yet" in page
    # A treasurer's own words name people; they stay in the journal.
    assert "Rosa" not in page
    assert "Rosa" not in shown("/books.csv")
    shown("/books?year=2025", 404)
    for wrong in ("x", "20261", "²026", "-026"):
        shown(f"/books?year={wrong}", 404)


def test_a_running_month_is_not_told(two_months):
    tess, tom = two_months
    spend("rent", 10_000, "2026-11-02", (tess, tom))
    assert [month.first for month in open_books.all_months(now=clock.now())] == [SEPTEMBER, OCTOBER]
    assert "November" not in shown().partition('<main id="main"')[2].partition("</main>")[0]


def test_the_table_has_a_line_for_everything_told(two_months):
    rows = list(csv.DictReader(io.StringIO(Client().get("/books.csv").content.decode())))
    assert len(rows) == len(open_books.HEADINGS) + 5
    assert rows[0] == {
        "month": "2026-09",
        "state": "locked",
        "line": "plays",
        "account": "income.plays",
        "side": "in",
        "micros": "1022000",
    }
    assert [row["micros"] for row in rows if row["line"] == "royalties"] == ["715400", "715400"]


def test_as_many_queries_for_many_months_as_for_one(two_months, django_assert_num_queries):
    tess, tom = two_months
    with django_assert_num_queries(5):
        Client().get("/books")
    treasury.agree(OCTOBER, tess, tom)
    with django_assert_num_queries(5):
        Client().get("/books")


def test_a_reversal_is_taken_off_where_it_was_booked(two_months):
    tess, tom = two_months
    spend("hosting", 999, "2026-10-21", (tess, tom))
    entry = journal.entries().first()
    ledger.reverse(key=f"journal:{entry.id}", reason="Twice", now=clock.now())
    treasury.agree(OCTOBER, tess, tom)
    october = open_books.all_months(now=clock.now())[1]
    assert (october.micros["hosting"], october.micros["rent"]) == (0, 100_000_000)
    assert october.result_micros == 1_022_000 - 715_400 - 100_000_000


def test_the_picture_has_a_pair_for_each_locked_month_and_bars_in_proportion(two_months):
    found = open_books.all_months(now=clock.now())
    drawn = books_drawing.picture(found)
    assert [pair.month.first for pair in drawn.pairs] == [SEPTEMBER]
    (pair,) = drawn.pairs
    assert pair.came_in / (pair.creators + pair.coop) == pytest.approx(501_022_000 / 201_809_400)
    assert [tick.words for tick in drawn.ticks] == ["€200", "€400", "€600"]
    assert books_drawing.picture(found[1:]) is None
