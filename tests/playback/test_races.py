"""Many at once: whoever comes first is charged, exactly once, and everybody gets a right answer."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import pytest
from django.db import close_old_connections, connection, transaction

from catalog.models import Work
from members import clock
from members.models import Month, Person
from members.problems import Problem
from playback import charging, releases, reversals, sessions, topups, wallets
from playback.api import listening
from playback.models import Charge, GatewayEvent, Holding, PromoBudget, Reversal, Session, Wallet
from tests import cast

pytestmark = pytest.mark.usefixtures("committed")

CLIENTS = 32
Answer = TypeVar("Answer")


def all_at_once(do: Callable[[int], Answer], clients: int = CLIENTS) -> list[Answer | str]:
    """Let every client do it at the same moment, each on a connection of its own; a refusal is told by its slug."""
    told: list[Answer | str] = ["nothing"] * clients
    start = threading.Barrier(clients)

    def one(number: int) -> None:
        close_old_connections()
        try:
            connection.ensure_connection()
            start.wait(timeout=60)
            told[number] = do(number)
        except Problem as problem:
            told[number] = problem.slug
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert "nothing" not in told
    return told


@pytest.fixture
def lena() -> Person:
    """Return a listener without credit."""
    return cast.person("lena")


@pytest.fixture
def track() -> Work:
    """Return a track at the founding price."""
    return cast.track(cast.creator(cast.person("ana")))


def adds_up(listener: Person, *, bought_micros: int) -> None:
    """Check that what is left and what was charged is what was bought, and that holdings are the sums of charges."""
    charges = Charge.objects.filter(listener=listener, reversal_id=None)
    left = Wallet.objects.get(listener=listener)
    assert left.balance_micros + left.promo_micros + sum(charge.amount_micros for charge in charges) == bought_micros
    for holding in Holding.objects.filter(listener=listener):
        assert holding.paid_micros == sum(row.amount_micros for row in charges if row.work_id == holding.work_id)


def test_one_session_is_charged_once_however_many_ask(lena: Person, track: Work) -> None:
    cast.top_up(lena, 200)
    sitting, _ = sessions.begin(person_id=lena.id, work_id=track.id, now=clock.now())
    told = all_at_once(
        lambda _: charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=2_000)[0]
    )
    assert Charge.objects.count() == 1
    assert all(answer == told[0] for answer in told)
    assert told[0] == charging.Charged(
        charged_micros=2_000,
        play_number=1,
        paid_micros=2_000,
        remaining_micros=1_020_000,
        owned=False,
        balance_micros=1_998_000,
        promo_micros=0,
    )
    adds_up(lena, bought_micros=2_000_000)


def test_many_begin_at_once_and_have_one_session(lena: Person, track: Work) -> None:
    told = all_at_once(lambda _: sessions.begin(person_id=lena.id, work_id=track.id, now=clock.now()))
    assert Session.objects.filter(ended_at=None).count() == 1
    assert {answer[0].id for answer in told if not isinstance(answer, str)} == {Session.objects.get().id}
    assert Counter(new for _, new in told) == {True: 1, False: CLIENTS - 1}  # type: ignore[misc]


def test_many_play_the_last_step_and_one_owns(lena: Person, track: Work) -> None:
    """Eight plays are paid; 32 devices begin, charge whatever they were shown, and only one pays the ninth."""
    cast.top_up(lena, 300)
    for _ in range(8):
        cast.play(lena, track)

    def last_play(_: int) -> charging.Charged:
        sitting, _new = sessions.begin(person_id=lena.id, work_id=track.id, now=clock.now())
        return charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=sitting.price_micros)[0]

    told = all_at_once(last_play)
    assert Charge.objects.filter(play_number=9).count() == 1
    assert {answer.owned for answer in told if not isinstance(answer, str)} == {True}
    assert not [answer for answer in told if isinstance(answer, str)]
    assert Holding.objects.get().paid_micros == 1_022_000
    adds_up(lena, bought_micros=3_000_000)


def test_the_last_cent_is_spent_once(lena: Person) -> None:
    """0.01 is left, and 32 first plays of 0.002 are asked at once: five are paid, the others are told why not."""
    profile = cast.creator(cast.person("ana"))
    tracks = [cast.track(profile) for _ in range(CLIENTS)]
    cast.promo(lena, 10_000)
    sittings = [sessions.begin(person_id=lena.id, work_id=work.id, now=clock.now())[0] for work in tracks]
    told = all_at_once(
        lambda number: (
            charging.charge_session(person_id=lena.id, session_id=sittings[number].id, price_micros=2_000)[
                0
            ].charged_micros
        )
    )
    assert Counter(told) == {2_000: 5, "insufficient-funds": CLIENTS - 5}
    left = Wallet.objects.get(listener=lena)
    assert (left.balance_micros, left.promo_micros) == (0, 0)
    adds_up(lena, bought_micros=10_000)


def test_one_key_buys_once(lena: Person, track: Work) -> None:
    cast.top_up(lena, 500)
    told = all_at_once(lambda _: cast.buy(lena, track, price_micros=1_022_000, key="one key"))
    assert Charge.objects.count() == 1
    assert all(answer == told[0] for answer in told)
    adds_up(lena, bought_micros=5_000_000)


def test_one_key_for_different_works_buys_one_of_them(lena: Person) -> None:
    profile = cast.creator(cast.person("ana"))
    tracks = [cast.track(profile) for _ in range(CLIENTS)]
    cast.top_up(lena, 4_000)
    told = all_at_once(
        lambda number: cast.buy(lena, tracks[number], price_micros=1_022_000, key="one key").charged_micros
    )
    assert Counter(told) == {1_022_000: 1, "key-reused": CLIENTS - 1}
    adds_up(lena, bought_micros=40_000_000)


def test_a_play_and_a_purchase_at_once_never_pass_the_price(lena: Person, track: Work) -> None:
    cast.top_up(lena, 300)
    sitting, _ = sessions.begin(person_id=lena.id, work_id=track.id, now=clock.now())

    def either(number: int) -> int:
        if number % 2:
            return cast.buy(lena, track, price_micros=1_022_000, key=f"key {number}").charged_micros
        return charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=2_000)[0].charged_micros

    told = all_at_once(either)
    assert not [answer for answer in told if isinstance(answer, str)]
    assert Holding.objects.get().owned_at is not None
    assert sum(charge.amount_micros for charge in Charge.objects.all()) == 1_022_000
    adds_up(lena, bought_micros=3_000_000)


def test_one_webhook_delivered_by_many_credits_once(lena: Person) -> None:
    asked = cast.top_up(lena, 500)
    told = all_at_once(lambda _: topups.take_in(event=cast.event(asked, name="the second"), now=clock.now()))
    assert Counter(told) == {True: 1, False: CLIENTS - 1}
    assert GatewayEvent.objects.filter(id="the second").count() == 1
    adds_up(lena, bought_micros=5_000_000)


def test_a_quote_that_lapsed_is_written_anew_by_one_and_charged_by_another_and_nobody_is_sent_away(
    lena: Person, track: Work
) -> None:
    """The holding moved since the quote: some are told the fresh price, others are charged it, and that is all."""
    cast.top_up(lena, 200)
    cast.play(lena, track)
    cast.play(lena, track)
    sitting, _ = sessions.begin(person_id=lena.id, work_id=track.id, now=clock.now())
    cast.give_back(Charge.objects.get(play_number=1))
    told = all_at_once(lambda _: listening.charge_content(lena.id, sitting.id, 1_000_000)["play_number"])
    assert set(told) <= {1, "price-changed"}
    assert Charge.objects.filter(reversal_id=None).count() == 2
    assert listening.charge_content(lena.id, sitting.id, 2_000)["play_number"] == 1


def test_many_give_back_the_same_charge_and_it_comes_back_once(lena: Person, track: Work) -> None:
    cast.top_up(lena, 200)
    cast.play(lena, track)
    charge, staff = cast.last_charge(lena), [cast.treasurer(name) for name in ("tess", "tom")]
    told = all_at_once(lambda number: cast.give_back(charge, by=staff[number % 2]).reversal_id)
    assert len(set(told)) == 1
    assert Reversal.objects.count() == 1
    adds_up(lena, bought_micros=2_000_000)


def test_two_give_back_much_at_once_and_it_comes_back_once(lena: Person, track: Work) -> None:
    Work.objects.filter(id=track.id).update(price_micros=20_000_001)
    cast.top_up(lena, 5_000)
    cast.buy(lena, track, price_micros=20_000_001)
    charge, staff = cast.last_charge(lena), [cast.treasurer(name) for name in ("tess", "tom")]
    all_at_once(lambda number: cast.give_back(charge, by=staff[number % 2]))
    assert Reversal.objects.get().second_id in {person.id for person in staff}
    adds_up(lena, bought_micros=50_000_000)


def test_many_gifts_at_once_never_pass_the_budget() -> None:
    listeners, tess = [cast.person("lena") for _ in range(CLIENTS)], cast.treasurer()
    reversals.fund_budget(amount_micros=10_000)
    told = all_at_once(
        lambda number: (
            reversals.grant(
                listener_id=listeners[number].id,
                staff_id=tess.id,
                amount_micros=3_000,
                reason="Hi.",
                key=f"gift {number}",
            ).amount_micros
        )
    )
    assert Counter(told) == {3_000: 3, "promo-budget-spent": CLIENTS - 3}
    assert PromoBudget.objects.get().left_micros == 1_000


def test_the_last_of_a_limit_is_spent_once(lena: Person) -> None:
    profile = cast.creator(cast.person("ana"))
    tracks = [cast.track(profile) for _ in range(CLIENTS)]
    cast.top_up(lena, 5_000)
    wallets.set_limits(person_id=lena.id, day_limit_micros=5_000, month_limit_micros=None, now=clock.now())
    sittings = [sessions.begin(person_id=lena.id, work_id=work.id, now=clock.now())[0] for work in tracks]
    told = all_at_once(
        lambda number: (
            charging.charge_session(person_id=lena.id, session_id=sittings[number].id, price_micros=2_000)[
                0
            ].play_number
        )
    )
    assert Counter(told) == {1: 2, "spending-limit-reached": CLIENTS - 2}
    assert wallets.overview(person_id=lena.id, now=clock.now()).spent_today_micros == 4_000


def test_a_month_closes_between_charges_and_each_is_booked_on_one_side_of_it(track: Work) -> None:
    """Whoever closes waits for the charges under way, and those after it are booked in the next month."""
    listeners = [cast.person("lena") for _ in range(CLIENTS)]
    for listener in listeners:
        cast.promo(listener, 2_000)
    closing = clock.month(clock.now())
    opens = clock.start_of((closing + timedelta(days=32)).replace(day=1))

    def charge_or_close(number: int) -> str:
        if number == CLIENTS // 2:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(1919247969)")
                cursor.execute("SELECT array_agg(id) FROM playback_charge")
                before = cursor.fetchone()[0] or []
                Month.objects.create(starts_on=closing, state="closing", closed_at=clock.now())
            seen.extend(before)
            return "closed"
        cast.play(listeners[number], track)
        return "charged"

    seen: list[object] = []
    assert Counter(all_at_once(charge_or_close)) == {"charged": CLIENTS - 1, "closed": 1}
    for charge in Charge.objects.all():
        assert (charge.charged_at < opens) == (charge.id in seen)
        assert charge.charged_at < opens or charge.charged_at == opens


def test_a_first_visit_in_many_tabs_makes_one_wallet(lena: Person) -> None:
    profile = cast.creator(cast.person("ana"))
    tracks = [cast.track(profile) for _ in range(CLIENTS)]
    told = all_at_once(lambda number: sessions.begin(person_id=lena.id, work_id=tracks[number].id, now=clock.now())[1])
    assert Counter(told) == {True: CLIENTS}
    assert Wallet.objects.count() == 1


def album_of(number: int) -> tuple[UUID, list[Work]]:
    """Return a release of so many tracks, one of them free."""
    profile = cast.creator(cast.person("ana"))
    album = cast.release(profile)
    figures = [0, *[300_000] * (number - 1)]
    return album.id, [cast.track(profile, release=album, price_micros=figure) for figure in figures]


def buys(listener: Person, album: UUID, *, key: str) -> releases.Purchased:
    shown = releases.offer(person_id=listener.id, release_id=album, now=clock.now())
    return releases.purchase(
        person_id=listener.id,
        release_id=album,
        price_micros=shown.purchase_micros,
        list_hash=shown.list_hash,
        key=key,
        now=clock.now(),
    )


@pytest.mark.parametrize("keys", ["one", "each"])
def test_a_release_is_bought_once_however_many_ask(lena: Person, keys: str) -> None:
    """With one key all get one answer; with a key each, the others have bought nothing for nothing."""
    cast.top_up(lena, 500)
    album, works = album_of(4)
    shown = releases.offer(person_id=lena.id, release_id=album, now=clock.now())
    told = all_at_once(
        lambda number: (
            releases.purchase(
                person_id=lena.id,
                release_id=album,
                price_micros=shown.purchase_micros,
                list_hash=shown.list_hash,
                key="key" if keys == "one" else f"key-{number}",
                now=clock.now(),
            ).charged_micros
        )
    )
    assert Counter(told) == ({900_000: CLIENTS} if keys == "one" else {900_000: 1, 0: CLIENTS - 1})
    assert Charge.objects.count() == 3
    assert Holding.objects.filter(owned_at__isnull=False).count() == len(works)
    adds_up(lena, bought_micros=5_000_000)


def test_plays_purchases_and_a_release_at_once_never_take_more_than_the_price(lena: Person) -> None:
    cast.top_up(lena, 1_000)
    album, works = album_of(4)

    def something(number: int) -> object:
        work = works[1 + number % 3]
        if number % 4 == 0:
            return buys(lena, album, key=f"album-{number}")
        if number % 4 == 1:
            return cast.buy(lena, work, price_micros=300_000)
        return cast.play(lena, work)

    all_at_once(something)
    buys(lena, album, key="the-rest")
    for holding in Holding.objects.all():
        assert holding.owned_at is not None
        assert holding.paid_micros == holding.cap_micros == (0 if holding.work_id == works[0].id else 300_000)
    adds_up(lena, bought_micros=10_000_000)


def test_the_last_credit_buys_one_of_two_releases(lena: Person) -> None:
    cast.top_up(lena, 100)
    albums = [album_of(4)[0] for _ in range(2)]
    told = all_at_once(lambda number: buys(lena, albums[number % 2], key=f"key-{number}").charged_micros)
    assert Counter(told)[900_000] == 1
    assert Charge.objects.count() == 3
    assert cast.wallet(lena).balance_micros == 100_000
    adds_up(lena, bought_micros=1_000_000)
