"""Buying, the wallet, its limits and its history, and what staff give back, over HTTP and to the micro."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from catalog.models import CreatorRole
from members import clock
from playback import reversals, wallets
from playback.models import Charge, KeptAnswer, PromoGrant
from tests import callers, cast
from tests.callers import Caller, slug
from tests.playback.story import EURO, WHOLE, Story, said


@pytest.fixture
def story(db: None) -> Story:
    callers.forget_counts()
    return Story()


def test_a_purchase_pays_the_rest_and_is_the_same_when_repeated(story: Story) -> None:
    story.play()
    story.play()
    path, body, key = f"works/{story.work.id}/purchase", {"price_micros": WHOLE - 6_000}, str(uuid4())
    answer = story.ask.post(path, body, Idempotency_Key=key)
    assert said(answer) == {
        "charged_micros": WHOLE - 6_000,
        "play_number": None,
        "paid_micros": WHOLE,
        "remaining_micros": 0,
        "owned": True,
        "balance_micros": 20 * EURO - WHOLE,
        "promo_micros": 0,
    }
    again = story.ask.post(path, body, Idempotency_Key=key)
    assert (again.status_code, again.content) == (200, answer.content)
    reused = story.ask.post(path, {"price_micros": WHOLE}, Idempotency_Key=key)
    assert (reused.status_code, slug(reused)) == (409, "key-reused")
    other = cast.track(story.profile)
    reused = story.ask.post(f"works/{other.id}/purchase", body, Idempotency_Key=key)
    assert (reused.status_code, slug(reused)) == (409, "key-reused")
    # Another key for what is owned: nothing is charged.
    assert said(story.ask.post(path, body, Idempotency_Key="another"))["charged_micros"] == 0
    assert Charge.objects.filter(kind="purchase").count() == 1


@pytest.mark.parametrize("key", [None, "", " " * 0, "x" * 129, "tab\there", "\x7f"])
def test_a_purchase_without_a_key_buys_nothing(story: Story, key: str | None) -> None:
    before = callers.digest()
    named = {} if key is None else {"Idempotency_Key": key}
    answer = story.ask.post(f"works/{story.work.id}/purchase", {"price_micros": WHOLE}, **named)
    assert (answer.status_code, slug(answer)) == (400, "invalid")
    assert callers.digest() == before


def test_a_refused_purchase_leaves_its_key_free(story: Story) -> None:
    lars = cast.person("lars")
    ask, path = Caller(lars), f"works/{story.work.id}/purchase"
    answer = ask.post(path, {"price_micros": WHOLE}, Idempotency_Key="k")
    assert (answer.status_code, slug(answer)) == (402, "insufficient-funds")
    answer = ask.post(path, {"price_micros": WHOLE - 1}, Idempotency_Key="k")
    assert slug(answer) == "price-changed"
    assert said(answer, 409)["price_micros"] == WHOLE
    assert not KeptAnswer.objects.filter(person=lars).exists()
    cast.top_up(lars, 200)
    assert said(ask.post(path, {"price_micros": WHOLE}, Idempotency_Key="k"))["balance_micros"] == 2 * EURO - WHOLE


def test_two_people_may_use_the_same_key(story: Story) -> None:
    lars = cast.person("lars")
    cast.top_up(lars, 200)
    for ask in (story.ask, Caller(lars)):
        answer = ask.post(f"works/{story.work.id}/purchase", {"price_micros": WHOLE}, Idempotency_Key="same")
        assert said(answer)["charged_micros"] == WHOLE


def test_ones_own_work_is_not_for_sale_to_oneself(story: Story) -> None:
    answer = Caller(story.ana).post(f"works/{story.work.id}/purchase", {"price_micros": WHOLE}, Idempotency_Key="k")
    assert (answer.status_code, slug(answer)) == (409, "own-work")


def test_a_free_work_is_kept_for_nothing(story: Story) -> None:
    gift = cast.track(story.profile, price_micros=0)
    session = story.begin(gift)
    assert (session["free"], session["price_micros"], session["cap_micros"]) == (True, 0, 0)
    found = said(story.ask.post(f"works/{gift.id}/purchase", {"price_micros": 0}, Idempotency_Key="k"))
    assert (found["charged_micros"], found["owned"], found["balance_micros"]) == (0, True, 20 * EURO)


def test_the_wallet(story: Story) -> None:
    cast.promo(story.lena, 3_000)
    story.play()
    assert said(story.ask.get("wallet")) == {
        "balance_micros": 20 * EURO,
        "promo_micros": 1_000,
        "currency": "EUR",
        "day_limit_micros": None,
        "month_limit_micros": None,
        "next_day_limit_micros": None,
        "next_day_limit_at": None,
        "next_month_limit_micros": None,
        "next_month_limit_at": None,
        "spent_today_micros": 2_000,
        "spent_this_month_micros": 2_000,
        "frozen": False,
    }


def test_the_wallet_of_who_has_none_is_empty(story: Story) -> None:
    found = said(Caller(cast.person()).get("wallet"))
    assert (found["balance_micros"], found["promo_micros"], found["frozen"]) == (0, 0, False)


def test_a_raised_limit_waits_for_a_day(story: Story) -> None:
    said(story.ask("PUT", "wallet/limits", {"day_limit_micros": 5_000, "month_limit_micros": 10_000}))
    found = said(story.ask("PUT", "wallet/limits", {"day_limit_micros": 6_000, "month_limit_micros": None}))
    assert (found["day_limit_micros"], found["next_day_limit_micros"]) == (5_000, 6_000)
    assert (found["month_limit_micros"], found["next_month_limit_micros"]) == (10_000, None)
    assert found["next_month_limit_at"] == found["next_day_limit_at"] is not None
    clock.set_offset(timedelta(hours=24, seconds=1))
    found = said(story.ask.get("wallet"))
    assert (found["day_limit_micros"], found["month_limit_micros"], found["next_day_limit_at"]) == (6_000, None, None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"day_limit_micros": 1},
        {"day_limit_micros": 1, "month_limit_micros": 1.5},
        {"day_limit_micros": True, "month_limit_micros": None},
        {"day_limit_micros": -1, "month_limit_micros": None},
        {"day_limit_micros": "1", "month_limit_micros": None},
        {"day_limit_micros": 10**12 + 1, "month_limit_micros": None},
        {"day_limit_micros": 2**63, "month_limit_micros": None},
        {"day_limit_micros": 1, "month_limit_micros": 1, "balance_micros": 10**9},
    ],
)
def test_what_is_no_limit_changes_none(story: Story, body: dict[str, Any]) -> None:
    before = callers.digest()
    answer = story.ask("PUT", "wallet/limits", body)
    assert (answer.status_code, slug(answer)) == (400, "invalid")
    assert callers.digest() == before


def test_the_history_page_by_page(story: Story) -> None:
    played = [story.play(cast.track(story.profile)) for _ in range(52)]
    first = said(story.ask.get("wallet/entries"))
    assert len(first["results"]) == 50
    newest = first["results"][0]
    assert newest | {"at": "", "id": "", "work": "", "work_title": ""} == {
        "at": "",
        "kind": "play",
        "id": "",
        "amount_micros": -2_000,
        "promo_part_micros": 0,
        "work": "",
        "work_title": "",
        "play_number": 1,
        "reason": None,
        "balance_after_micros": played[-1]["balance_micros"],
        "promo_after_micros": 0,
        "pricing_version": 1,
        "pricing_href": "/policies/pricing#v1",
    }
    assert UUID(newest["work"])
    last = said(story.ask.get(first["next"].removeprefix("http://127.0.0.1:8000").partition("/api/v1/")[2]))
    assert last["next"] is None
    kinds = [entry["kind"] for entry in last["results"]]
    assert kinds == ["play", "play", "top-up"]
    assert last["results"][-1]["amount_micros"] == 20 * EURO
    every = first["results"] + last["results"]
    assert len({entry["id"] for entry in every}) == 53
    assert sum(entry["amount_micros"] for entry in every) == 20 * EURO - 52 * 2_000
    assert said(Caller(cast.person("lars")).get("wallet/entries")) == {"results": [], "next": None}


@pytest.mark.parametrize(
    "before", ["yesterday", "2026-13-01", "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59Z", "%00", "9" * 500]
)
def test_a_moment_that_is_none_is_refused(story: Story, before: str) -> None:
    answer = story.ask.get(f"wallet/entries?before={before}")
    assert (answer.status_code, slug(answer)) == (400, "invalid")


@pytest.mark.parametrize("before", ["0001-01-01T00:00:00Z", "9998-12-31T23:59:59Z"])
def test_the_first_and_the_last_moment_are_moments(story: Story, before: str) -> None:
    assert len(said(story.ask.get(f"wallet/entries?before={before}"))["results"]) == (before[0] == "9")


class TestStaff:
    def test_a_reversal_gives_back_and_is_the_same_when_repeated(self, story: Story) -> None:
        story.play()
        charge = Charge.objects.get()
        tess = Caller(cast.treasurer(), "treasury")
        body = {"listener": str(story.lena.id), "charge": str(charge.id), "reason": "The sound broke off."}
        found = said(tess.post("staff/reversals", body))
        assert found == {
            "charge_id": str(charge.id),
            "reversal_id": found["reversal_id"],
            "amount_micros": 2_000,
            "waits": False,
        }
        assert said(tess.post("staff/reversals", body)) == found
        assert cast.wallet(story.lena).balance_micros == 20 * EURO
        entry = said(story.ask.get("wallet/entries"))["results"][0]
        assert (entry["kind"], entry["amount_micros"], entry["reason"]) == ("reversal", 2_000, "The sound broke off.")

    def test_above_twenty_a_second_person_asks_for_the_same(self, story: Story) -> None:
        dear = cast.track(story.profile, price_micros=21 * EURO)
        cast.top_up(story.lena, 2_000)
        said(story.ask.post(f"works/{dear.id}/purchase", {"price_micros": 21 * EURO}, Idempotency_Key="k"))
        charge = Charge.objects.get()
        body = {"listener": str(story.lena.id), "charge": str(charge.id), "reason": "Bought twice."}
        tess, tom = Caller(cast.treasurer("tess")), Caller(cast.treasurer("tom"))
        waits = {"charge_id": str(charge.id), "reversal_id": None, "amount_micros": 21 * EURO, "waits": True}
        assert said(tess.post("staff/reversals", body), 202) == waits
        assert said(tess.post("staff/reversals", body), 202) == waits
        assert cast.wallet(story.lena).balance_micros == 19 * EURO
        assert said(tom.post("staff/reversals", body))["waits"] is False
        assert cast.wallet(story.lena).balance_micros == 40 * EURO

    def test_a_grant_comes_from_the_budget_once(self, story: Story) -> None:
        reversals.fund_budget(amount_micros=5_000)
        tess = Caller(cast.treasurer())
        body = {"listener": str(story.lena.id), "amount_micros": 4_000, "reason": "Welcome."}
        found = said(tess.post("staff/grants", body, Idempotency_Key="w"), 201)
        assert found == {"id": found["id"], "amount_micros": 4_000}
        assert said(tess.post("staff/grants", body, Idempotency_Key="w"), 201) == found
        spent = tess.post("staff/grants", body, Idempotency_Key="x")
        assert (spent.status_code, slug(spent)) == (409, "promo-budget-spent")
        assert PromoGrant.objects.count() == 1
        assert cast.wallet(story.lena).promo_micros == 4_000

    @pytest.mark.parametrize("amount", [0, -1, 1.5, True, "4000", None, 2**53])
    def test_a_grant_of_no_amount(self, story: Story, amount: Any) -> None:
        reversals.fund_budget(amount_micros=5_000)
        body = {"listener": str(story.lena.id), "amount_micros": amount, "reason": "Welcome."}
        tess = Caller(cast.treasurer())
        before = callers.digest()
        answer = tess.post("staff/grants", body, Idempotency_Key="w")
        assert (answer.status_code, slug(answer)) == (400, "invalid")
        assert callers.digest() == before

    def test_nobody_gives_to_themselves_or_without_the_role(self, story: Story) -> None:
        reversals.fund_budget(amount_micros=5_000)
        story.play()
        charge = Charge.objects.get()
        tess = cast.treasurer()
        CreatorRole.objects.create(creator=story.profile, person=tess, role="editor")
        gift = {"listener": str(tess.id), "amount_micros": 1, "reason": "Me."}
        back = {"listener": str(story.lena.id), "charge": str(charge.id), "reason": "Mine."}
        asks = [
            (Caller(tess), "staff/grants", gift),
            (Caller(tess), "staff/reversals", back),
            (Caller(story.lena), "staff/reversals", back),
            (Caller(cast.person("cat", staff=("catalogue",))), "staff/reversals", back),
        ]
        before = callers.digest()
        for ask, path, body in asks:
            answer = ask.post(path, body, Idempotency_Key="k")
            assert (answer.status_code, slug(answer)) == (403, "not-allowed")
        assert callers.digest() == before

    def test_a_charge_that_is_not_there(self, story: Story) -> None:
        body = {"listener": str(story.lena.id), "charge": str(uuid4()), "reason": "?"}
        answer = Caller(cast.treasurer()).post("staff/reversals", body)
        assert (answer.status_code, slug(answer)) == (404, "not-found")


def test_the_limits_of_the_day_hold_for_purchases_too(story: Story) -> None:
    wallets.set_limits(person_id=story.lena.id, day_limit_micros=EURO, month_limit_micros=None, now=clock.now())
    answer = story.ask.post(f"works/{story.work.id}/purchase", {"price_micros": WHOLE}, Idempotency_Key="k")
    assert (answer.status_code, slug(answer)) == (402, "spending-limit-reached")
