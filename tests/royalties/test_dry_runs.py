"""Dry runs of what money goes by, each against an October that was computed by hand."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members import clock, months, policies
from members.models import Person
from members.voting import dry_runs
from members.voting.dry_runs import Preview, Row
from members.voting.proposal_models import Proposal
from royalties.dry_runs import pricing
from royalties.run_models import Statement
from tests import cast
from tests.callers import Caller
from tests.members import assembly, belonging
from tests.playback.story import said
from tests.royalties import counting, running, treasury
from tests.royalties.counting import noon

pytestmark = pytest.mark.django_db
SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
STEPS = [1_000 << number for number in range(1, 10)]
SHARES = (400_000, 250_000, 200_000, 100_000, 50_000)
EVEN = {"plays": 10, "growth_num": 1, "growth_den": 1}


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Forget months of another test's database."""
    cache.clear()
    yield
    cache.clear()


class World:
    """Five creators share one work that names no price; in October seven people go up its ladder, and one buys it."""

    def __init__(self, *, creators: int = 5, month: int = 10) -> None:
        cast.set_clock(noon(1, 6))
        self.creators = [cast.person(f"creator {number}") for number in range(creators)]
        others = [100_000] * (creators - 1)
        shares = SHARES if creators == len(SHARES) else (1_000_000 - sum(others), *others)
        self.work = counting.work(list(zip(self.creators, shares, strict=True)), since=noon(1, 6))
        self.listeners = [cast.person(f"listener {number}") for number in range(7)]
        cast.set_clock(noon(1, month))
        for who in self.listeners:
            cast.top_up(who, 2_000)

    def play(self, who: Person, *numbers: int, month: int = 10) -> None:
        for number in numbers:
            counting.charge(who, self.work, STEPS[number - 1], at=noon(5, month), number=number)

    def october(self, people: int = 7) -> None:
        """Let the first play once, the second twice and so on; the seventh buys. One play is given back in time."""
        for place, who in enumerate(self.listeners[: min(people, 6)], start=1):
            self.play(who, *range(1, place + 1))
        if people == len(self.listeners):
            counting.charge(self.listeners[6], self.work, 1_022_000, at=noon(6))
        given = counting.charge(self.listeners[0], self.work, 32_000, at=noon(6), number=5)
        counting.give_back(given, at=noon(7))
        self.close(OCTOBER)

    def close(self, month: date) -> None:
        running.start_of_next(month)
        assert running.close(month).state == "sealed"


def tried(key: str, person: Person | None = None, month: date | None = None, **changed: int) -> Preview:
    now = clock.now()
    params = {**policies.policy_at(key, now).params, **changed}
    return dry_runs.preview(key, params, now=now, person_id=person.id if person else None, month=month)


def _held(key: str, **changed: int) -> dict[str, Any]:
    return {**policies.policy_at(key, clock.now()).params, **changed}


def rows(found: Preview) -> list[tuple[object, object]]:
    return [(row.before, row.after) for row in found.rows]


def own(found: Preview) -> list[tuple[str, object, object]]:
    return [(row.label, row.before, row.after) for row in found.own]


def test_a_month_is_priced_again_by_play_number() -> None:
    world = World()
    world.october()
    found = tried("pricing", **EVEN)
    # 2 000, 6 000, 14 000, 30 000, 62 000, 126 000 and 1 022 000 were paid: 21 plays and a purchase. Ten even steps of
    # the price are 102 200 each. The middle are those who played two to six times; creators got 70 % in all.
    assert found.month == OCTOBER
    assert rows(found) == [
        (1_262_000, 21 * 102_200 + 1_022_000),
        (238_000 // 5, 20 * 102_200 // 5),
        (883_400 // 5, 3_168_200 * 7 // 10 // 5),
    ]
    assert own(tried("pricing", world.listeners[2], **EVEN)) == [("You paid", 14_000, 306_600)]
    assert own(tried("pricing", world.creators[0], **EVEN)) == [("You got", 353_360, 887_096)]
    assert own(tried("pricing", cast.person("nobody"), **EVEN)) == []


def test_plays_beyond_a_shorter_ladder_are_of_an_owned_work() -> None:
    world = World()
    world.october()
    # Three even steps: 340 666, 340 667, 340 667. The fourth play and later ones cost nothing.
    assert own(tried("pricing", world.listeners[5], plays=3, growth_num=1)) == [("You paid", 126_000, 1_022_000)]
    assert own(tried("pricing", world.listeners[1], plays=3, growth_num=1)) == [("You paid", 6_000, 681_333)]


def test_a_price_outside_the_asked_bounds_moves_into_them() -> None:
    world = World()
    world.work.price_micros = 511_000
    world.work.save()
    counting.charge(world.listeners[0], world.work, 511_000, at=noon(6))
    world.close(OCTOBER)
    assert own(tried("pricing", world.listeners[0], price_min_micros=1_022_000)) == [("You paid", 511_000, 1_022_000)]
    assert own(tried("pricing", world.listeners[0], price_default_micros=2_000_000)) == [("You paid", 511_000, 511_000)]


def test_both_ladders_are_drawn_on_one_scale() -> None:
    World().october()
    stairs = tried("pricing", **EVEN).stairs
    assert stairs is not None
    assert [micros for micros, _ in stairs.before] == STEPS
    assert [micros for micros, _ in stairs.after] == [102_200] * 10
    assert (stairs.before[0][1], stairs.before[-1][1]) == (0, 100)


def test_the_ladders_compare_with_what_holds_now_and_not_in_the_month() -> None:
    World().october()
    cast.set_clock(cast.vote("pricing", price_default_micros=2_044_000))
    stairs = tried("pricing", **EVEN).stairs
    assert stairs is not None
    assert [micros for micros, _ in stairs.before] == [2 * step for step in STEPS]


def test_of_fewer_than_five_nothing_is_told_but_the_sum_that_is_public() -> None:
    world = World(creators=4)
    world.october(people=4)
    assert rows(tried("pricing", **EVEN)) == [(52_000, 1_022_000), (None, None), (None, None)]
    divided = tried("revenue", creators_ppm=800_000, coop_ppm=200_000)
    assert rows(divided) == [(36_400, 41_600), (15_600, 10_400), (None, None)]
    assert rows(tried("payouts", least_cents=500)) == [(None, None)] * 3
    # One's own is told all the same.
    assert own(tried("pricing", world.listeners[1], **EVEN)) == [("You paid", 6_000, 204_400)]


def test_no_dry_runs_differ_by_one_persons_figure() -> None:
    # Two months in which the five in the middle played the same together, and each of them something else.
    world = World(month=9)
    first, second, *others, sixth, buyer = world.listeners
    played = {9: ((1, 2, 3), (1, 2, 3, 4), (1, 2, 3, 4, 5)), 10: ((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3, 5))}
    for month, three in played.items():
        if month != 9:
            world.work = counting.work(list(zip(world.creators, SHARES, strict=True)), since=noon(1, 6))
        world.play(first, 1, month=month)
        world.play(second, 1, 2, month=month)
        for who, numbers in zip(others, three, strict=True):
            world.play(who, *numbers, month=month)
        world.play(sixth, 1, 2, 3, 4, 5, 6, month=month)
        counting.charge(buyer, world.work, 1_022_000, at=noon(6, month))
        world.close(date(2026, month, 1))
    held = policies.policy_at("pricing", clock.now()).params
    for plays in (3, 4, 5, 6, 9, 12, 30):
        for num in (1, 2, 3):
            asked = {**held, "plays": plays, "growth_num": num, "price_min_micros": 200_000}
            found = [pricing.replay(asked, month, clock.now()).rows for month in (SEPTEMBER, OCTOBER)]
            assert found[0] == found[1], asked


def test_a_month_is_divided_again() -> None:
    world = World()
    world.october()
    found = tried("revenue", world.creators[1], creators_ppm=750_000, coop_ppm=250_000)
    assert rows(found) == [(883_400, 946_500), (378_600, 315_500), (176_680, 189_300)]
    assert own(found) == [("You got", 220_850, 236_625)]


def test_payees_are_counted_in_groups_of_five() -> None:
    cast.set_clock(noon(1, 10))
    people = [cast.person(f"payee {number}") for number in range(11)]
    # Cents: five who are owed 1.00 to 5.00 (mean 3.00), six who are owed 6.00 to 30.00 (mean 15.00).
    owed = [100, 200, 300, 400, 500, 600, 900, 1_200, 1_500, 1_800, 3_000]

    # In October others are owed otherwise, and the groups have the same means.
    otherwise = [290, 295, 300, 305, 310, 1_000, 1_400, 1_500, 1_600, 1_700, 1_800]
    Statement.objects.bulk_create(
        Statement(
            person=person,
            month=month,
            opening_micros=0,
            earned_micros=cents * 10_000,
            released_micros=0,
            paid_out_micros=0,
            returned_micros=0,
            closing_micros=cents * 10_000,
            content={},
            sha256="0" * 64,
        )
        for month, each in ((SEPTEMBER, owed), (OCTOBER, otherwise))
        for person, cents in zip(people, each, strict=True)
    )
    treasury.seal(SEPTEMBER)
    assert rows(tried("payouts", least_cents=300, yearly_least_cents=100)) == [(6, 11), (5, 0), (11, 11)]
    assert rows(tried("payouts", least_cents=301, yearly_least_cents=301)) == [(6, 6), (5, 5), (11, 6)]
    assert own(tried("payouts", people[4], least_cents=500, yearly_least_cents=200)) == [
        ("Your €5.00, in an ordinary month", "waits", "paid"),
        ("Your €5.00, with December’s", "paid", "paid"),
    ]
    # Whatever threshold is asked, nothing else comes out of it.
    for cents in (100, 150, 200, 299, 300, 301, 500, 1_000, 1_499, 1_500, 1_501, 2_500):
        asked = {"least_cents": cents, "yearly_least_cents": 100}
        found = [rows(tried("payouts", None, month, **asked)) for month in (SEPTEMBER, OCTOBER)]
        assert found[0] == found[1], cents


def test_a_result_is_divided_again() -> None:
    world = World()
    world.october()
    words = tried("surplus", reserve_ppm=400_000).words
    assert words == "No month’s books are locked yet, so there is no result to divide."
    treasury.agree(OCTOBER, cast.treasurer("tess"), cast.treasurer("tom"))
    cache.clear()
    found = tried("surplus", reserve_ppm=400_000, cash_ppm=500_000)
    # 1.262 came in, 0.8834 went to creators: 0.3786, which is 37 whole cents. The policy's parts of 37 are 11.1 and
    # 1.85, and of 24.05: 10.8, 8.4, 4.8; the asked ones 14.8 and 1.85, and of 20.35: 9, 7, 4.
    assert found.words.startswith("The result of 2026 so far, 1 of its months: €0.3786")
    before, after = zip(*rows(found), strict=True)
    assert (sum(before[:5]), sum(after[:5])) == (37, 37)
    assert (before[1], after[1]) == (2, 2)
    assert before[0] < after[0]


@pytest.mark.parametrize("key", ["pricing", "revenue", "payouts", "surplus"])
def test_trying_writes_nothing_and_costs_a_few_questions(key: str) -> None:
    world = World()
    world.october()
    changed: dict[str, dict[str, int]] = {
        "pricing": EVEN,
        "revenue": {"creators_ppm": 650_000, "coop_ppm": 350_000},
        "payouts": {"least_cents": 500},
        "surplus": {"reserve_ppm": 350_000},
    }
    with CaptureQueriesContext(connection) as asking:
        tried(key, world.creators[0], **changed[key])
    asked = [str(one["sql"]).lstrip() for one in asking.captured_queries]
    assert all(sql.startswith(("SELECT", "WITH", "SAVEPOINT", "RELEASE")) for sql in asked), asked
    assert 0 < len(asked) <= 14


def test_before_any_month_is_sealed_it_says_so() -> None:
    world = World()
    for key in ("pricing", "revenue", "payouts"):
        found = tried(key, world.creators[0])
        assert found.words.startswith("No month is sealed yet"), key
        assert (found.rows, found.own) == ((), ())


def test_a_month_that_is_only_closed_is_not_tried() -> None:
    cast.set_clock(noon(1, 9))
    treasury.seal(SEPTEMBER)
    running.start_of_next(OCTOBER)
    months.close(month=OCTOBER)
    assert dry_runs.last_sealed() == SEPTEMBER


def test_what_stays_with_a_proposal_holds_nobodys_own_figures() -> None:
    mine = Row(label="You paid", before=1, after=2, unit="micros")
    assert dry_runs.as_content(Preview(words="Tried.", own=(mine,)))["own"] == ()


def test_what_the_night_counts_is_found_there(django_assert_num_queries: Callable[..., object]) -> None:
    World().october()
    assert dry_runs.gather() == 2
    now = clock.now()
    held = policies.policy_at("pricing", now).params
    with django_assert_num_queries(0):
        pricing.replay({**held, **EVEN}, OCTOBER, now)


def test_the_api_tells_whoever_asks_their_own_figures_and_both_ladders() -> None:
    world = World()
    world.october()
    lena, maker = world.listeners[2], world.creators[0]
    proposal = assembly.submitted(belonging.member("mia", now=clock.now()), key="pricing", **_held("pricing", **EVEN))
    path = f"proposals/{proposal.id}/preview"

    def told(who: Person | None, *scopes: str, by_cookie: bool = False) -> dict[str, Any]:
        answer = Caller(who, *scopes, by_cookie=by_cookie).get(path)
        assert answer["Cache-Control"] == "no-store"
        return dict(said(answer))

    def own_of(found: dict[str, Any]) -> list[tuple[str, int, int, str]]:
        return [(row["label"], row["before"], row["after"], row["unit"]) for row in found["own"]]

    hers = told(lena, "listen", "earnings")
    assert own_of(hers) == own_of(told(lena, by_cookie=True)) == [("You paid", 14_000, 306_600, "micros")]
    assert own_of(told(maker, "listen", "earnings")) == [("You got", 353_360, 887_096, "micros")]
    # A token for one half of it is told neither, and so is who has nothing, and nobody.
    for found in (told(lena, "listen"), told(maker, "earnings"), told(cast.person(), by_cookie=True), told(None)):
        assert found["own"] == []
        assert found | {"own": hers["own"]} == hers
    ladder = hers["ladder"]
    assert (ladder["before_micros"], ladder["after_micros"]) == (STEPS, [102_200] * 10)
    assert ladder["words"] == "A work whose creator names no price"
    # Frozen, what it tells of others stays, without anybody's own; those are made anew for whoever looks.
    frozen = dry_runs.frozen(proposal, now=clock.now())
    assert frozen is not None
    assert frozen["own"] == ()
    Proposal.objects.filter(id=proposal.id).update(dry_run=frozen)
    cache.clear()
    assert told(lena, by_cookie=True) == hers
    assert told(None)["own"] == []
