"""The auditor is audited: exact figures of the design, and that none of our code is in it."""

import ast
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from tests.simulation import auditor as rules
from tests.simulation.accounts_by_hand import Bookkeeper
from tests.simulation.rulings import Auditor, Refused
from tests.simulation.rulings_of_beat import Beat
from tests.simulation.tally_by_hand import Said, support, verdict

# Of the standard library, and what the other parts of the auditor are.
PLAIN = {"abc", "collections", "dataclasses", "datetime", "fractions", "hashlib", "itertools", "json", "math"}
PLAIN |= {"tests", "typing", "zoneinfo"}
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
        managers={"ana"},
        sheets=[rules.Sheet(1, LONG_AGO, [("ana", 1_000_000)])],
        figure=None,
        duration_ms=180_000,
        pieces_ms=[5_000] * 36,
    )
    auditor.enter("lena", "promo", 0, 20_000_000, NOW)
    return auditor


def play(auditor):
    session = auditor.begin("lena", "song", NOW)["session"]
    answer = auditor.charge("lena", session, session.price, NOW)
    auditor.progress("lena", session, 180_000, completed=True)
    return answer


def test_it_imports_nothing_of_ours():
    parts = (
        "auditor.py",
        "accounts_by_hand.py",
        "tally_by_hand.py",
        *(path.name for path in Path(__file__).parent.glob("rulings*.py")),
    )
    for name in parts:
        tree = ast.parse((Path(__file__).parent / name).read_text())
        roots = {
            (node.module if isinstance(node, ast.ImportFrom) else alias.name).partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert roots <= PLAIN


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


@pytest.fixture
def keeper():
    """Give an auditor who keeps books, and knows what was earned in May: the contract's worked example."""
    auditor = Bookkeeper(
        zone="Europe/Berlin",
        policies={
            "revenue": [(LONG_AGO, {"creators_ppm": 700_000, "coop_ppm": 300_000})],
            "payouts": [(LONG_AGO, {"least_cents": 1_000, "yearly_least_cents": 200})],
        },
    )
    shares = {
        "first": [("ana", 600_000), ("ben", 400_000)],
        "second": [("cleo", 1_000_000)],
        "third": [("ana", 333_334), ("ben", 333_333), ("cleo", 333_333)],
    }
    for name, lines in shares.items():
        auditor.works[name] = rules.Work(set(), [rules.Sheet(1, LONG_AGO, lines)], None, 180_000, [])
    for listener, work, times in (
        ("lena", "first", 9),
        ("lena", "second", 3),
        ("lars", "first", 5),
        ("lars", "third", 4),
    ):
        for number in range(1, times + 1):
            auditor.charges.append(charged(listener, work, number, 2_000 << (number - 1)))
    auditor.charges.append(charged("lena", "second", None, 1_022_000 - 14_000))
    fifth = next(one for one in auditor.charges if (one.listener, one.work, one.number) == ("lars", "first", 5))
    fifth.reversed, fifth.reversed_at = True, NOW
    assert auditor.close(date(2026, 5, 1), datetime(2026, 6, 3, 1, 0, tzinfo=UTC)) is None
    auditor.divide(date(2026, 5, 1))
    return auditor


def charged(listener, work, number, amount):
    return rules.Charge(listener, work, number, amount, 0, NOW, 1, {}, None)


def test_it_knows_the_worked_example(keeper):
    may = keeper.closed[date(2026, 5, 1)]
    found = {work: (group.gross, group.creators) for (work, _, _), group in may.groups.items()}
    assert found == {"first": (1_052_000, 736_400), "second": (1_022_000, 715_400), "third": (30_000, 21_000)}
    may.booked = True
    assert keeper.payable() == {"ana": 448_840, "ben": 301_560, "cleo": 722_400}
    assert sum(group.coop for group in may.groups.values()) == 631_200
    assert keeper.state(may.month) == {payee: (0, owed, 0, 0, 0, owed) for payee, owed in keeper.payable().items()}


def test_it_carries_what_is_less_than_a_cent_and_takes_back_what_comes_back(keeper):
    may = keeper.closed[date(2026, 5, 1)]
    may.booked = may.sealed = True
    july = datetime(2026, 7, 20, 10, 0, tzinfo=UTC)
    keeper.policies["payouts"][0][1]["least_cents"] = 1
    keeper.bank_accounts, keeper.treasurers = {"ana"}, {"tess", "tom"}
    assert keeper.prepare(may.month, "tess", july) == {"payouts": {"ana": 44}}
    assert keeper.release(keeper.batches[0], "tess", july) == Refused("not-allowed")
    assert keeper.release(keeper.batches[0], "tom", july) == Refused("books-open")
    keeper.locked.add(may.month)
    assert keeper.release(keeper.batches[0], "tom", july) is None
    assert keeper.payable()["ana"] == 8_840
    assert keeper.hear_that_it_came_back(keeper.batches[0].payouts[0], july.date(), july) == 1
    assert keeper.payable()["ana"] == 448_840
    assert keeper.hear_that_it_came_back(keeper.batches[0].payouts[0], july.date(), july) == 0


def test_it_knows_the_contracts_chargebacks():
    """10.00 at 21 %; 3.00 spent, 5.26 cashed out: the wallet gives nothing, the co-op 10.00."""
    for out, expected in ((0, (5_260_000, 4_740_000)), (5_260_000, (0, 10_000_000))):
        auditor = Bookkeeper(zone="Europe/Berlin", policies={})
        top_up = rules.TopUp("lena", 1_000, 210_000, id="paid")
        auditor.top_ups.append(top_up)
        auditor.take_in("event", "checkout.paid", top_up, 1_000, "EUR", NOW)
        auditor.enter("lena", "purchase", -3_000_000, 0, NOW)
        if out:
            taken = auditor.cash_out("lena", out, "key", NOW)
            assert taken["parts"] == [("paid", 526, 111)]
        auditor.hear_of_chargeback("dispute-event", "chargeback.opened", "dispute", top_up, 1_000, NOW)
        (chargeback,) = auditor.chargebacks
        assert (chargeback.taken, chargeback.borne) == expected
        assert auditor.wallet("lena").frozen


RULES = {
    "head_quorum_num": 1,
    "head_quorum_den": 10,
    "head_quorum_least": 5,
    "head_quorum_most": 300,
    "support_ordinary_num": 1,
    "support_ordinary_den": 2,
    "heads_ordinary_num": 1,
    "heads_ordinary_den": 3,
    "support_special_num": 2,
    "support_special_den": 3,
    "heads_special_num": 1,
    "heads_special_den": 2,
    "support_constitutional_num": 3,
    "support_constitutional_den": 4,
    "heads_constitutional_num": 2,
    "heads_constitutional_den": 3,
    "weight_creator_ppm": 450_000,
    "weight_listener_ppm": 350_000,
    "weight_worker_ppm": 200_000,
}


@pytest.mark.parametrize(
    ("worker", "expected", "ordinary"),
    [
        ((1, 0), Fraction(7679, 12480), "passed"),
        ((0, 0), Fraction(2421, 4160), "passed"),
        ((0, 1), Fraction(6847, 12480), "passed"),
    ],
)
def test_it_counts_the_contracts_vote(worker, expected, ordinary):
    said = {"creator": Said(120, 38, 14, 3), "listener": Said(800, 20, 30, 5), "worker": Said(10, *worker)}
    assert support(said, RULES, constitutional=False) == expected
    assert verdict("ordinary", said, RULES, second=False) == ordinary
    assert verdict("special", said, RULES, second=False) == "defeated"
    assert verdict("constitutional", said, RULES, second=False) == "defeated"


def test_it_lets_few_not_outvote_many():
    said = {"creator": Said(3, 3), "listener": Said(97, 0, 97)}
    assert verdict("ordinary", said, RULES, second=False) == "defeated"
    assert verdict("ordinary", {"creator": Said(3, 2)}, RULES, second=False) == "inquorate"
    assert verdict("ordinary", {"creator": Said(3, 3)}, RULES, second=False) == "passed"


def test_it_knows_evenings_and_when_a_policy_begins():
    counter = Beat(zone="Europe/Berlin", policies={})
    october = datetime(2026, 10, 21, 18, 0, tzinfo=UTC)
    assert counter.evening(october, 7) == datetime(2026, 10, 28, 19, 0, tzinfo=UTC)
    assert counter.evening(october + timedelta(minutes=1), 7) == datetime(2026, 10, 29, 19, 0, tzinfo=UTC)
    assert counter.effect("pricing", october) == datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert counter.effect("revenue", october - timedelta(days=20)) == datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
    assert counter.effect("surplus", october) == datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
    assert counter.effect("governance", october) == october + timedelta(days=1)
