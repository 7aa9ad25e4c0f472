"""The auditor is audited: exact figures of the design, and that none of our code is in it."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.simulation import auditor as rules
from tests.simulation.rulings import Auditor, Refused

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PRICING = {
    "plays": 9,
    "growth_num": 2,
    "growth_den": 1,
    "price_default_micros": 1_022_000,
    "price_min_micros": 200_000,
    "price_max_micros": 50_000_000,
}


@pytest.fixture
def books():
    """Give an auditor who knows one work, and Lena with 20.00 of promo."""
    auditor = Auditor(
        zone="Europe/Berlin", policies={"pricing": [(LONG_AGO, PRICING)], "opening": [(LONG_AGO, {"seconds": 45})]}
    )
    auditor.works["song"] = rules.Work(
        managers={"ana"}, payees=[(LONG_AGO, {"ana"})], figure=None, duration_ms=180_000, pieces_ms=[5_000] * 36
    )
    auditor.enter("lena", "promo", 0, 20_000_000)
    return auditor


def play(auditor):
    session = auditor.begin("lena", "song", NOW)["session"]
    answer = auditor.charge("lena", session, session.price, NOW)
    auditor.progress("lena", session, 180_000, completed=True)
    return answer


def test_it_imports_nothing_of_ours():
    for name in ("auditor.py", "rulings.py"):
        tree = ast.parse((Path(__file__).parent / name).read_text())
        roots = {
            (node.module if isinstance(node, ast.ImportFrom) else alias.name).partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert roots <= {"dataclasses", "datetime", "fractions", "typing", "zoneinfo", "tests"}


def test_its_ladder_and_its_split():
    assert rules.ladder(1_022_000, 9, 2, 1) == [2_000 * 2**n for n in range(9)]
    assert rules.split(1_000, [1_000_000, 190_000]) == [840, 160]
    assert rules.split(1_000, [1_000_000, 210_000]) == [826, 174]
    assert rules.split(1, [1, 1, 1]) == [1, 0, 0]
    assert rules.split(2, [1, 3]) == [0, 2]


def test_it_knows_nine_plays_and_the_tenth(books):
    assert [play(books)["charged_micros"] for _ in range(10)] == [2_000 * 2**n for n in range(9)] + [0]
    assert books.wallet("lena").promo == 20_000_000 - 1_022_000


def test_it_knows_the_price_that_fell_after_six(books):
    for _ in range(6):
        play(books)
    books.works["song"].figure = 400_000
    assert [play(books)["charged_micros"] for _ in range(4)] == [50_098, 100_196, 123_706, 0]


def test_it_knows_what_lapses_and_what_is_dear(books):
    session = books.begin("lena", "song", NOW)["session"]
    assert books.charge("lena", session, 1_999, NOW) == Refused("price-changed")
    assert books.charge("lena", session, 2_000, NOW + timedelta(minutes=15)) == Refused("session-expired")
    assert books.charge("lars", session, 2_000, NOW) == Refused("not-found")
    assert books.charge("lena", session, 2_000, NOW)["play_number"] == 1
    assert books.charge("lena", session, 0, NOW + timedelta(days=9))["play_number"] == 1
