"""Buying a release: all of it or nothing, each work at its own rest, never another list than was shown."""

import os
from dataclasses import asdict
from datetime import timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import SplitLine, SplitSheet, Work
from catalog.publishing import WorkUnavailable
from members import clock, policies
from members.problems import NotFound
from playback import charging, releases
from playback.api.releases import offer_content
from playback.charging import AlreadyBought, KeyReused, OwnWork, PriceChanged
from playback.models import Charge, Holding, KeptAnswer, Wallet
from playback.releases import Part
from playback.wallets import InsufficientFunds, LimitReached, WalletFrozen
from tests import callers, cast
from tests.callers import Caller, slug
from tests.playback.story import said

pytestmark = pytest.mark.django_db

PRICE = 1_022_000


@pytest.fixture
def lena():
    """Give a listener with 20.00 of credit."""
    listener = cast.person("lena")
    cast.top_up(listener, 2_000)
    return listener


@pytest.fixture
def ana():
    """Give a musician."""
    return cast.person("ana")


@pytest.fixture
def profile(ana):
    """Give her profile."""
    return cast.creator(ana)


@pytest.fixture
def album(profile):
    """Give a release without works."""
    return cast.release(profile)


def offered(listener, album):
    return releases.offer(person_id=listener and listener.id, release_id=album.id, now=clock.now())


def buy(listener, album, *, price=None, shown=None, key=None):
    offer = offered(listener, album)
    return releases.purchase(
        person_id=listener.id,
        release_id=album.id,
        price_micros=offer.purchase_micros if price is None else price,
        list_hash=shown or offer.list_hash,
        key=key or str(uuid4()),
        now=clock.now(),
    )


def parts(listener, album):
    return [line.part for line in offered(listener, album).lines]


def rows(listener):
    """Return everything that a purchase could have changed."""
    return [
        list(model.objects.filter(**{owner: listener}).order_by("pk").values())
        for model, owner in ((Wallet, "listener"), (Holding, "listener"), (Charge, "listener"), (KeptAnswer, "person"))
    ]


def test_all_of_it_is_bought_at_once(lena, profile, album):
    works = [cast.track(profile, release=album, position=n, price_micros=n * 300_000) for n in (1, 2)]
    works.append(cast.photo(profile, release=album, position=3))
    offer = offered(lena, album)
    assert [(line.work_id, line.part, line.price_micros) for line in offer.lines] == [
        (works[0].id, Part.BOUGHT, 300_000),
        (works[1].id, Part.BOUGHT, 600_000),
        (works[2].id, Part.BOUGHT, PRICE),
    ]
    assert (offer.purchase_micros, offer.blocked, offer.pricing_version) == (1_922_000, None, 1)
    assert asdict(buy(lena, album)) == {
        "charged_micros": 1_922_000,
        "bought": [str(work.id) for work in works],
        "kept": [],
        "balance_micros": 18_078_000,
        "promo_micros": 0,
    }
    charges = Charge.objects.filter(listener=lena)
    assert {
        (row.work_id, row.kind, row.amount_micros, row.paid_after_micros, row.cap_after_micros) for row in charges
    } == {
        (work.id, "purchase", price, price, price) for work, price in zip(works, (300_000, 600_000, PRICE), strict=True)
    }
    for holding in Holding.objects.filter(listener=lena):
        assert holding.owned_at is not None
        assert (holding.plays, holding.growth_num, holding.growth_den, holding.pricing_version) == (9, 2, 1, 1)
        assert (holding.price_micros, holding.paid_micros, holding.paid_plays) == (holding.cap_micros,) * 2 + (0,)
    wallet = cast.wallet(lena)
    assert (wallet.balance_micros, wallet.spent_day_micros, wallet.spent_month_micros) == (
        18_078_000,
        1_922_000,
        1_922_000,
    )
    assert cast.entries_sum(lena) == (18_078_000, 0)
    assert parts(lena, album) == [Part.OWNED] * 3


def test_promo_is_spent_first_work_by_work_and_the_history_has_an_order(lena, profile, album):
    for n in range(3):
        cast.track(profile, release=album, position=n, price_micros=400_000)
    cast.promo(lena, 500_000)
    buy(lena, album)
    charges = list(Charge.objects.filter(listener=lena).order_by("charged_at"))
    assert [row.promo_micros for row in charges] == [400_000, 100_000, 0]
    assert [(row.balance_after_micros, row.promo_after_micros) for row in charges] == [
        (20_000_000, 100_000),
        (19_700_000, 0),
        (19_300_000, 0),
    ]
    assert [row.work_id for row in charges] == sorted(row.work_id for row in charges)
    apart = {later.charged_at - one.charged_at for one, later in pairwise(charges)}
    assert apart == {timedelta(microseconds=1)}
    assert cast.entries_sum(lena) == (19_300_000, 0)


def test_each_work_at_its_own_rest(lena, ana, profile, album):
    """One begun, one owned, one free, one taken off, one suspended, one that is Lena's too, one a draft."""
    begun, owned, free, off, gone, shared = (cast.track(profile, release=album, position=n) for n in range(6))
    cast.track(profile, release=album, position=6, state="draft")
    cast.play(lena, begun)
    cast.play(lena, begun)
    cast.buy(lena, owned, price_micros=PRICE)
    Work.objects.filter(id=free.id).update(price_micros=0)
    Work.objects.filter(id=off.id).update(state="off", off_at=clock.now())
    Work.objects.filter(id=gone.id).update(state="suspended")
    now = clock.now()
    sheet = SplitSheet.objects.create(work=shared, version=2, created_at=now, in_force_from=now)
    for line, (who, ppm) in enumerate(((ana, 600_000), (lena, 400_000)), 1):
        SplitLine.objects.create(
            sheet=sheet, line_number=line, email=who.email, person=who, share_ppm=ppm, accepted_at=now
        )
    assert parts(lena, album) == [
        Part.BOUGHT,
        Part.OWNED,
        Part.KEPT,
        Part.UNAVAILABLE,
        Part.UNAVAILABLE,
        Part.OWN,
    ]
    purchased = buy(lena, album)
    assert purchased.charged_micros == PRICE - 6_000
    assert (purchased.bought, purchased.kept) == ([str(begun.id)], [str(free.id)])
    kept = Holding.objects.get(listener=lena, work=free)
    assert (kept.cap_micros, kept.paid_micros, kept.price_micros, kept.owned_at is None) == (0, 0, None, False)
    assert not Holding.objects.filter(listener=lena, work__in=[off, gone, shared]).exists()
    assert Holding.objects.get(listener=lena, work=begun).paid_plays == 0b11
    # To her, who made it, all of it is her own.
    assert set(parts(ana, album)) == {Part.OWN}
    with pytest.raises(OwnWork):
        buy(ana, album)
    assert len(offered(ana, album).lines) == 7


def test_what_was_begun_before_it_was_taken_off_is_sold_for_ninety_days(lena, profile, album):
    song = cast.track(profile, release=album)
    cast.play(lena, song)
    Work.objects.filter(id=song.id).update(state="off", off_at=clock.now())
    assert parts(lena, album) == [Part.BOUGHT]
    clock.set_offset(timedelta(days=90, minutes=1))
    assert parts(lena, album) == [Part.UNAVAILABLE]
    before = rows(lena)
    with pytest.raises(WorkUnavailable):
        buy(lena, album)
    assert rows(lena) == before


def test_terms_are_held_and_caps_fall_as_at_a_quote(lena, profile, album):
    dearer, cheaper, below = (cast.track(profile, release=album, position=n) for n in range(3))
    for work in (dearer, cheaper, below):
        cast.play(lena, work)
    for _ in range(7):
        cast.play(lena, below)
    Work.objects.filter(id=dearer.id).update(price_micros=5_000_000)
    Work.objects.filter(id=cheaper.id).update(price_micros=400_000)
    Work.objects.filter(id=below.id).update(price_micros=300_000)
    offer = offered(lena, album)
    # Eight plays of the third were 0.51, more than it costs now: it is hers with the next quote.
    assert [(line.part, line.price_micros) for line in offer.lines] == [
        (Part.BOUGHT, PRICE - 2_000),
        (Part.BOUGHT, 398_000),
        (Part.OWNED, 0),
    ]
    assert Holding.objects.get(listener=lena, work=cheaper).cap_micros == PRICE
    with pytest.raises(PriceChanged):
        buy(lena, album, price=1)
    # Refused, and yet a quote was written: what has fallen stays fallen when the price rises again.
    assert Holding.objects.get(listener=lena, work=cheaper).cap_micros == 400_000
    assert Holding.objects.get(listener=lena, work=below).owned_at is not None
    Work.objects.filter(id=cheaper.id).update(price_micros=900_000)
    assert offered(lena, album).purchase_micros == offer.purchase_micros
    assert offered(lena, album).list_hash == offer.list_hash
    assert buy(lena, album).charged_micros == PRICE - 2_000 + 398_000
    assert not Holding.objects.filter(listener=lena, owned_at=None).exists()


@pytest.mark.parametrize("least", [1, PRICE, 2 * PRICE - 1])
def test_never_more_than_was_said(lena, profile, album, least):
    for n in range(2):
        cast.track(profile, release=album, position=n)
    before = rows(lena)
    with pytest.raises(PriceChanged) as refused:
        buy(lena, album, price=2 * PRICE - least)
    assert refused.value.extra == {
        "price_micros": 2 * PRICE,
        "list_hash": offered(lena, album).list_hash,
        "pricing_version": 1,
        "policy": {"key": "pricing", "seq": 1, "href": "/policies/pricing#v1"},
    }
    assert rows(lena) == before


def another_work(profile, album, _):
    cast.track(profile, release=album, price_micros=0)


def one_taken_off(_, album, works):
    Work.objects.filter(id=works[0].id).update(state="off", off_at=clock.now())


def one_suspended(_, album, works):
    Work.objects.filter(id=works[0].id).update(state="suspended")


def one_made_free(_, album, works):
    Work.objects.filter(id=works[0].id).update(price_micros=0)


@pytest.mark.parametrize("change", [another_work, one_taken_off, one_suspended, one_made_free])
def test_never_another_list_than_was_shown(lena, profile, album, change):
    works = [cast.track(profile, release=album, position=n) for n in range(2)]
    shown = offered(lena, album)
    change(profile, album, works)
    before = rows(lena)
    with pytest.raises(PriceChanged) as refused:
        buy(lena, album, price=shown.purchase_micros, shown=shown.list_hash)
    assert refused.value.extra["list_hash"] == offered(lena, album).list_hash != shown.list_hash
    assert rows(lena) == before


def test_a_work_suspended_in_the_very_moment_is_not_sold(lena, profile, album):
    """The function that charges looks again, under the wallet's lock."""
    songs = [cast.track(profile, release=album, position=n) for n in range(2)]
    found = releases._find(lena.id, album.id, clock.now())
    Work.objects.filter(id=songs[1].id).update(state="suspended")
    before = rows(lena)
    assert releases._take_all(lena.id, 9 * PRICE, [song.id for song in songs], found).outcome == "price-changed"
    assert rows(lena) == before
    terms = found.fresh[songs[1].id]
    asked = charging.holdings.quote(held=charging.holdings.NOTHING, now=terms)
    assert charging._take_the_rest(lena.id, songs[1].id, PRICE, asked).outcome == "work-unavailable"
    assert rows(lena) == before


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"day_limit_micros": 2 * PRICE - 1}, (LimitReached, {"limit": "day", "limit_micros": 2 * PRICE - 1})),
        ({"month_limit_micros": 2 * PRICE - 1}, (LimitReached, {"limit": "month", "limit_micros": 2 * PRICE - 1})),
        ({"balance_micros": 2 * PRICE - 1}, (InsufficientFunds, {"available_micros": 2 * PRICE - 1})),
        ({"frozen_at": "2026-01-01T00:00Z"}, (WalletFrozen, None)),
    ],
)
def test_the_wallet_and_its_limits_speak_of_the_whole_sum(lena, profile, album, change, refusal):
    """Each work alone would pass; not one of them is bought."""
    problem, figures = refusal
    for n in range(2):
        cast.track(profile, release=album, position=n)
    Wallet.objects.filter(listener=lena).update(**change)
    blocked = offered(lena, album).blocked
    assert isinstance(blocked, problem)
    before = rows(lena)
    with pytest.raises(problem) as refused:
        buy(lena, album, key="the-key")
    assert rows(lena) == before
    expected = {} if figures is None else {**figures, "needed_micros": 2 * PRICE}
    assert refused.value.extra == blocked.extra == expected
    # One micro more, and it is paid, under the key that the refusal left free.
    Wallet.objects.filter(listener=lena).update(
        balance_micros=2 * PRICE, frozen_at=None, day_limit_micros=2 * PRICE, month_limit_micros=2 * PRICE
    )
    assert buy(lena, album, key="the-key").charged_micros == 2 * PRICE
    assert cast.wallet(lena).balance_micros == 0


def test_the_same_key_gives_the_same_answer_and_stands_for_one_intent(lena, profile, album):
    cast.track(profile, release=album)
    shown = offered(lena, album)
    first = buy(lena, album, key="k", price=PRICE, shown=shown.list_hash)
    before = rows(lena)
    assert buy(lena, album, key="k", price=PRICE, shown=shown.list_hash) == first
    for other in ({"price": PRICE + 1, "shown": shown.list_hash}, {"price": PRICE, "shown": "0" * 64}):
        with pytest.raises(KeyReused):
            buy(lena, album, key="k", **other)
    assert rows(lena) == before


def test_what_is_owned_costs_nothing_and_what_is_free_is_kept(lena, profile, album):
    owned, free = cast.track(profile, release=album), cast.track(profile, release=album, price_micros=0)
    cast.buy(lena, owned, price_micros=PRICE)
    kept = buy(lena, album, key="k")
    assert (kept.charged_micros, kept.bought, kept.kept) == (0, [], [str(free.id)])
    assert kept.balance_micros == 20_000_000 - PRICE
    before = rows(lena)
    again = buy(lena, album, key="k")
    assert (again.charged_micros, again.bought, again.kept) == (0, [], [])
    assert rows(lena) == before
    assert not KeptAnswer.objects.filter(route="release").exists()


def test_a_work_bought_before_is_left_to_its_plays(lena, profile, album):
    song = cast.track(profile, release=album)
    cast.play(lena, song)
    played = cast.last_charge(lena)
    cast.buy(lena, song, price_micros=PRICE)
    cast.give_back(played)
    assert parts(lena, album) == [Part.BY_PLAYS]
    before = rows(lena)
    with pytest.raises(AlreadyBought):
        buy(lena, album)
    assert rows(lena) == before
    cast.track(profile, release=album)
    assert buy(lena, album).charged_micros == PRICE


def test_what_was_given_back_begins_anew(lena, profile, album):
    """A holding without a live charge has no terms; the next purchase brings those of its moment."""
    song = cast.track(profile, release=album)
    cast.play(lena, song)
    cast.give_back(cast.last_charge(lena))
    Work.objects.filter(id=song.id).update(price_micros=3_000_000)
    assert buy(lena, album).charged_micros == 3_000_000
    holding = Holding.objects.get(listener=lena)
    assert (holding.price_micros, holding.cap_micros, holding.paid_micros, holding.revision) == (3_000_000,) * 3 + (3,)


def test_a_release_is_its_visible_works(lena, ana, profile, album):
    with pytest.raises(NotFound):
        offered(lena, album)
    cast.track(profile, release=album, state="draft")
    for who in (lena, None):
        with pytest.raises(NotFound):
            offered(who, album)
    with pytest.raises(NotFound):
        releases.purchase(
            person_id=lena.id, release_id=uuid4(), price_micros=1, list_hash="0" * 64, key="k", now=clock.now()
        )
    assert parts(ana, album) == [Part.OWN]


def test_a_stranger_sees_what_a_new_listener_would_pay(lena, profile, album):
    begun = cast.track(profile, release=album)
    cast.track(profile, release=album, price_micros=0)
    cast.play(lena, begun)
    assert offered(None, album).purchase_micros == PRICE
    assert offered(None, album).blocked is None
    assert offered(lena, album).purchase_micros == PRICE - 2_000


def many(profile, album, number):
    """Make a release of many works, by rows alone."""
    now = clock.now()
    Work.objects.bulk_create(
        Work(
            creator=profile,
            kind="track",
            title=f"{n}",
            release=album,
            position=n,
            state="published",
            price_micros=200_000 if n % 10 else 0,
            duration_ms=180_000,
            created_at=now,
            published_at=now,
        )
        for n in range(number)
    )


@pytest.mark.parametrize("number", [3, 2_000 if os.environ.get("REFRAIN_LONG") else 100])
def test_however_many_works_there_are_the_statements_are_as_many(profile, album, number):
    many(profile, album, number)
    lena = cast.person("lena")
    cast.top_up(lena, 50_000)
    begun = list(Work.objects.filter(release=album, price_micros=200_000).order_by("position")[: number // 2])
    Holding.objects.bulk_create(
        Holding(
            listener=lena,
            work=work,
            price_micros=300_000,
            plays=9,
            growth_num=2,
            growth_den=1,
            pricing_version=1,
            cap_micros=300_000,
            paid_micros=100_000,
            paid_plays=1,
            revision=1,
        )
        for work in begun
    )
    sold = number - -(-number // 10)
    total = sold * 200_000 - len(begun) * 100_000
    policies.policy_at("pricing", clock.now())
    with CaptureQueriesContext(connection) as asked:
        offer = offered(lena, album)
    assert len(asked) == 5  # the clock, works, holdings, purchases before, the wallet
    assert offer.purchase_micros == total
    with CaptureQueriesContext(connection) as asked:
        purchased = releases.purchase(
            person_id=lena.id,
            release_id=album.id,
            price_micros=total,
            list_hash=offer.list_hash,
            key="k",
            now=clock.now(),
        )
    # Clock, savepoint and its end, lock, key, works, holdings, bought before, fallen caps, charge, free ones, answer.
    assert len(asked) == 12
    assert (purchased.charged_micros, len(purchased.bought), len(purchased.kept)) == (total, sold, number - sold)
    assert Charge.objects.filter(listener=lena).count() == sold
    assert Holding.objects.filter(listener=lena, owned_at__isnull=False).count() == number
    assert cast.entries_sum(lena) == (500_000_000 - total, 0)


# Over HTTP.


def test_a_program_buys_a_release(lena, profile, album):
    callers.forget_counts()
    song, free = cast.track(profile, release=album), cast.track(profile, release=album, price_micros=0)
    offer, ask = offered(lena, album), Caller(lena)
    body = {"price_micros": offer.purchase_micros, "list_hash": offer.list_hash}
    path = f"releases/{album.id}/purchase"
    assert slug(ask.post(path, {**body, "price_micros": PRICE - 1}, Idempotency_Key="k")) == "price-changed"
    refused = said(ask.post(path, {**body, "list_hash": "f" * 64}, Idempotency_Key="k"), 409)
    assert (refused["price_micros"], refused["list_hash"]) == (PRICE, offer.list_hash)
    assert not Charge.objects.exists()
    expected = {
        "charged_micros": PRICE,
        "bought": [str(song.id)],
        "kept": [str(free.id)],
        "balance_micros": 20_000_000 - PRICE,
        "promo_micros": 0,
    }
    for _ in range(2):
        assert said(ask.post(path, body, Idempotency_Key="k")) == expected
    assert Charge.objects.count() == 1
    assert slug(ask.post(path, {**body, "price_micros": 1}, Idempotency_Key="k")) == "key-reused"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"price_micros": PRICE, "list_hash": "0" * 64}, ""),
        ({"price_micros": PRICE}, "k"),
        ({"price_micros": -1, "list_hash": "0" * 64}, "k"),
        ({"price_micros": 1.5, "list_hash": "0" * 64}, "k"),
        ({"price_micros": PRICE, "list_hash": "0" * 63}, "k"),
        ({"price_micros": PRICE, "list_hash": "0" * 64, "more": 1}, "k"),
    ],
)
def test_what_is_not_said_properly_buys_nothing(lena, profile, album, body, key):
    callers.forget_counts()
    cast.track(profile, release=album)
    headers = {"Idempotency_Key": key} if key else {}
    answer = Caller(lena).post(f"releases/{album.id}/purchase", body, **headers)
    assert (answer.status_code, slug(answer)) == (400, "invalid")
    assert not Charge.objects.exists()


def test_the_offer_as_the_api_shows_it(lena, profile, album):
    song = cast.track(profile, release=album)
    Wallet.objects.filter(listener=lena).update(day_limit_micros=5)
    content = offer_content(person_id=lena.id, release_id=album.id, now=clock.now())
    blocked = content.pop("blocked")
    assert content == {
        "purchase_micros": PRICE,
        "list_hash": offered(lena, album).list_hash,
        "currency": "EUR",
        "pricing_version": 1,
        "pricing_href": "/policies/pricing#v1",
        "lines": [
            {
                "work": str(song.id),
                "kind": "track",
                "title": song.title,
                "part": "bought",
                "price_micros": PRICE,
                "paid_micros": 0,
                "cap_micros": PRICE,
            }
        ],
    }
    assert blocked["type"] == "/problems/spending-limit-reached"
