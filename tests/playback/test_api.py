"""Listening and paying over HTTP, with exact answers: what a program that speaks with us may count on."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from catalog.models import CreatorRole, Work
from members import clock
from playback import reversals, wallets
from playback.models import Charge, FreePlay, KeptAnswer, OpeningCount, PromoGrant, Session, Wallet
from tests import callers, cast
from tests.callers import Caller, slug

STEPS = [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000]
WHOLE = sum(STEPS)
EURO = 1_000_000


class Story:
    """Lena listens to Ana's track of three minutes, with 20.00 in her wallet."""

    def __init__(self) -> None:
        self.lena, self.ana = cast.person("lena"), cast.person("ana")
        self.profile = cast.creator(self.ana)
        self.work = cast.track(self.profile)
        cast.top_up(self.lena, 2_000)
        self.ask = Caller(self.lena)

    def begin(self, work: Work | None = None) -> dict[str, Any]:
        return json.loads(self.ask.post("sessions", {"work": str((work or self.work).id)}).content)

    def charge(self, session: dict[str, Any], price: int | None = None) -> Any:
        asked = session["price_micros"] if price is None else price
        return self.ask.post(f"sessions/{session['id']}/charge", {"price_micros": asked})

    def play(self, work: Work | None = None) -> dict[str, Any]:
        """Hear a work to its end and pay for it."""
        session = self.begin(work)
        answer = self.charge(session)
        assert answer.status_code == 200, answer.content
        ended = self.ask.post(f"sessions/{session['id']}/progress", {"position_seconds": 180, "state": "completed"})
        assert ended.status_code == 204
        return json.loads(answer.content)


@pytest.fixture
def story(db: None) -> Story:
    callers.forget_counts()
    return Story()


def said(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return json.loads(answer.content)


def test_a_session_says_what_a_play_costs_and_charges_nothing(story: Story) -> None:
    before = clock.now()
    answer = story.ask.post("sessions", {"work": str(story.work.id)})
    found = said(answer, 201)
    expires_at = found.pop("expires_at")
    playlist = found.pop("playlist_url")
    session_id = found.pop("id")
    assert found == {
        "work": str(story.work.id),
        "kind": "track",
        "owned": False,
        "own": False,
        "free": False,
        "charged": False,
        "play_number": 1,
        "price_micros": 2_000,
        "paid_micros": 0,
        "cap_micros": WHOLE,
        "remaining_micros": WHOLE,
        "currency": "EUR",
        "pricing_version": 1,
        "free_seconds": 45.0,
        "open_seconds": 50.0,
        "duration_seconds": 180.0,
        "blocked": None,
    }
    session = Session.objects.get(id=session_id)
    assert session.expires_at.astimezone(clock.zone()).isoformat() == expires_at
    assert timedelta(0) <= session.expires_at - before - timedelta(minutes=15) < timedelta(seconds=20)
    assert playlist.endswith(".m3u8")
    assert cast.wallet(story.lena).balance_micros == 20 * EURO
    assert not Charge.objects.exists()


def test_asking_again_resumes_the_same_session(story: Story) -> None:
    first = said(story.ask.post("sessions", {"work": str(story.work.id)}), 201)
    again = said(story.ask.post("sessions", {"work": str(story.work.id)}), 200)
    assert again["id"] == first["id"]
    assert said(story.ask.get(f"sessions/{first['id']}"))["id"] == first["id"]
    assert Session.objects.count() == 1


def test_a_charged_session_is_resumed_and_asks_nothing(story: Story) -> None:
    first = story.begin()
    said(story.charge(first))
    again = said(story.ask.post("sessions", {"work": str(story.work.id)}), 200)
    assert (again["id"], again["charged"], again["price_micros"], again["blocked"]) == (first["id"], True, 0, None)
    assert (again["paid_micros"], again["remaining_micros"]) == (2_000, WHOLE - 2_000)


def test_after_four_hours_a_new_session_begins(story: Story) -> None:
    first = story.begin()
    clock.set_offset(timedelta(hours=4, seconds=1))
    assert said(story.ask.post("sessions", {"work": str(story.work.id)}), 201)["id"] != first["id"]


def test_a_charge_and_its_repetition(story: Story) -> None:
    session = story.begin()
    answer = story.charge(session)
    found = said(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert found.pop("playlist_url").endswith(".m3u8")
    assert found == {
        "charged_micros": 2_000,
        "play_number": 1,
        "paid_micros": 2_000,
        "remaining_micros": WHOLE - 2_000,
        "owned": False,
        "balance_micros": 20 * EURO - 2_000,
        "promo_micros": 0,
    }
    # Later, with another price in the body and much else paid meanwhile: the recorded answer, byte for byte.
    story.play(cast.track(story.profile))
    clock.set_offset(timedelta(days=40))
    for price in (2_000, 0, 9_999_999):
        again = story.charge(session, price)
        assert (again.status_code, again.content) == (200, answer.content)
    assert Charge.objects.count() == 2


def test_a_charge_by_cookie_is_the_same_as_by_token(story: Story) -> None:
    session = story.begin()
    page = Caller(story.lena, by_cookie=True)
    page.client.get("/wallet")
    cross = page.client.cookies["csrftoken"].value
    answer = page.post(f"sessions/{session['id']}/charge", {"price_micros": 2_000}, X_CSRFToken=cross)
    assert answer.headers["Cache-Control"] == "no-store"
    assert said(answer) == said(story.charge(session))


def test_nine_plays_over_http_own_it_and_the_tenth_is_free(story: Story) -> None:
    paid = 0
    for number, step in enumerate(STEPS, start=1):
        found = story.play()
        paid += step
        assert (found["charged_micros"], found["play_number"], found["paid_micros"]) == (step, number, paid)
        assert (found["remaining_micros"], found["owned"]) == (WHOLE - paid, number == 9)
    tenth = story.begin()
    assert (tenth["owned"], tenth["price_micros"], tenth["play_number"]) == (True, 0, None)
    assert said(story.charge(tenth)) | {"playlist_url": ""} == {
        "charged_micros": 0,
        "play_number": None,
        "paid_micros": WHOLE,
        "remaining_micros": 0,
        "owned": True,
        "balance_micros": 20 * EURO - WHOLE,
        "promo_micros": 0,
        "playlist_url": "",
    }


def test_a_price_below_the_quote_is_answered_with_a_fresh_quote(story: Story) -> None:
    session = story.begin()
    answer = story.charge(session, 1_999)
    assert slug(answer) == "price-changed"
    found = said(answer, 409)
    quote = found["quote"]
    assert (quote["id"], quote["price_micros"], quote["play_number"]) == (session["id"], 2_000, 1)
    assert found["detail"] == "The price moved since it was shown; nothing was charged."
    assert not Charge.objects.exists()
    assert said(story.charge(quote))["charged_micros"] == 2_000


def test_a_holding_that_moved_meanwhile_is_answered_with_a_fresh_quote(story: Story) -> None:
    """The session's play was given back and another device went on: the quote is for a play that is no longer next."""
    story.play()
    session = story.begin()
    charge = Charge.objects.get()
    reversals.reverse(
        listener_id=story.lena.id, charge_id=charge.id, staff_id=cast.treasurer().id, reason="A test.", now=clock.now()
    )
    found = said(story.charge(session), 409)
    assert (found["quote"]["play_number"], found["quote"]["price_micros"]) == (1, 2_000)
    assert said(story.charge(found["quote"], 2_000))["play_number"] == 1


def test_a_quote_lapses_after_fifteen_minutes(story: Story) -> None:
    session = story.begin()
    clock.set_offset(timedelta(minutes=15, seconds=1))
    answer = story.charge(session)
    assert (answer.status_code, slug(answer)) == (410, "session-expired")
    fresh = story.begin()
    assert fresh["id"] == session["id"]
    assert said(story.charge(fresh))["charged_micros"] == 2_000


def test_without_credit_the_session_says_so_before_and_the_charge_refuses(story: Story) -> None:
    lars = cast.person("lars")
    ask = Caller(lars)
    session = said(ask.post("sessions", {"work": str(story.work.id)}), 201)
    refused = {
        "type": "/problems/insufficient-funds",
        "title": "There is not enough credit",
        "status": 402,
        "detail": "This costs €0.002; the wallet holds €0.00.",
        "needed_micros": 2_000,
        "available_micros": 0,
    }
    assert session["blocked"] == refused
    answer = ask.post(f"sessions/{session['id']}/charge", {"price_micros": 2_000})
    assert slug(answer) == "insufficient-funds"
    assert said(answer, 402) == refused


def test_a_limit_refuses_and_says_which(story: Story) -> None:
    answer = story.ask("PUT", "wallet/limits", {"day_limit_micros": 1_999, "month_limit_micros": None})
    assert said(answer)["day_limit_micros"] == 1_999
    session = story.begin()
    answer = story.charge(session)
    assert slug(answer) == "spending-limit-reached"
    found = said(answer, 402)
    assert found == session["blocked"]
    assert (found["limit"], found["limit_micros"], found["needed_micros"]) == ("day", 1_999, 2_000)


def test_a_frozen_wallet_refuses(story: Story) -> None:
    session = story.begin()
    Wallet.objects.filter(listener=story.lena).update(frozen_at=clock.now())
    answer = story.charge(session)
    assert (answer.status_code, slug(answer)) == (403, "wallet-frozen")


def test_a_suspended_work_is_not_charged(story: Story) -> None:
    session = story.begin()
    Work.objects.filter(id=story.work.id).update(state="suspended")
    answer = story.charge(session)
    assert (answer.status_code, slug(answer)) == (409, "work-unavailable")
    assert slug(story.ask.post("sessions", {"work": str(story.work.id)})) == "work-unavailable"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"2000",
        b"null",
        b'{"price_micros": 2000.0}',
        b'{"price_micros": 2e3}',
        b'{"price_micros": "2000"}',
        b'{"price_micros": true}',
        b'{"price_micros": null}',
        b'{"price_micros": -1}',
        b'{"price_micros": NaN}',
        b'{"price_micros": Infinity}',
        b'{"price_micros": 9007199254740992}',
        b'{"price_micros": ' + b"9" * 5_000 + b"}",
        b'{"price_micros": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"price_micros": 2000, "tip_micros": 1}',
        b'{"PRICE_MICROS": 2000}',
        b'{"price_micros": 2000',
        b'{"price_micros": 2000}{"price_micros": 1}',
        b'\xef\xbb\xbf{"price_micros": 2000}',
        b'{"price_micros": 2000, "\xff": 1}',
        b'{"price_micros": 2000, "\\ud800": 1}',
        b"price_micros=2000",
    ],
)
@pytest.mark.parametrize("by_cookie", [False, True])
def test_what_is_no_price_charges_nothing(story: Story, body: bytes, *, by_cookie: bool) -> None:
    session = story.begin()
    ask = Caller(story.lena, by_cookie=by_cookie)
    headers = {}
    if by_cookie:
        ask.client.get("/wallet")
        headers["X_CSRFToken"] = ask.client.cookies["csrftoken"].value
    before = callers.digest()
    answer = ask.post(f"sessions/{session['id']}/charge", body, **headers)
    assert (answer.status_code, slug(answer)) == (400, "invalid")
    assert callers.digest() == before


def test_another_persons_session_is_nowhere(story: Story) -> None:
    session = story.begin()
    lars = Caller(cast.person("lars"))
    for answer in (
        lars.get(f"sessions/{session['id']}"),
        lars.post(f"sessions/{session['id']}/charge", {"price_micros": 2_000}),
        lars.post(f"sessions/{session['id']}/progress", {"position_seconds": 1, "state": "playing"}),
        lars.get(f"sessions/{uuid4()}"),
    ):
        assert (answer.status_code, slug(answer)) == (404, "not-found")


def test_a_draft_is_nowhere_for_others_and_plays_for_its_people(story: Story) -> None:
    draft = cast.track(story.profile, state="draft")
    answer = story.ask.post("sessions", {"work": str(draft.id)})
    assert (answer.status_code, slug(answer)) == (404, "not-found")
    found = said(Caller(story.ana).post("sessions", {"work": str(draft.id)}), 201)
    assert (found["own"], found["price_micros"], found["play_number"], found["blocked"]) == (True, 0, None, None)


def test_progress_notes_and_moves_no_money(story: Story) -> None:
    session = story.begin()
    path = f"sessions/{session['id']}/progress"
    for position, state in ((0, "playing"), (12.5, "playing"), (44, "stopped"), (180, "completed")):
        answer = story.ask.post(path, {"position_seconds": position, "state": state})
        assert (answer.status_code, answer.content) == (204, b"")
    row = Session.objects.get(id=session["id"])
    # Not charged, it was not heard to the end, whatever the program says.
    assert (row.position_ms, row.completed_at, row.charge_id) == (180_000, None, None)
    assert cast.wallet(story.lena).balance_micros == 20 * EURO
    assert not FreePlay.objects.exists()


def test_a_play_of_an_own_work_is_recorded_once(story: Story) -> None:
    ana = Caller(story.ana)
    session = said(ana.post("sessions", {"work": str(story.work.id)}), 201)
    for position in (44.9, 45, 60, 180):
        ana.post(f"sessions/{session['id']}/progress", {"position_seconds": position, "state": "playing"})
    play = FreePlay.objects.get()
    assert (play.listener_id, play.basis, str(play.session_id)) == (story.ana.id, "own", session["id"])


@pytest.mark.parametrize(
    "body",
    [
        {"position_seconds": "nan", "state": "playing"},
        {"position_seconds": "12", "state": "playing"},
        {"position_seconds": True, "state": "playing"},
        {"position_seconds": -0.1, "state": "playing"},
        {"position_seconds": 86_400.5, "state": "playing"},
        {"position_seconds": 10**400, "state": "playing"},
        {"position_seconds": None, "state": "playing"},
        {"position_seconds": 1, "state": "paused"},
        {"position_seconds": 1, "state": ["playing"]},
        {"position_seconds": 1},
        {"position_seconds": 1, "state": "playing", "charge": True},
    ],
)
def test_progress_that_is_none(story: Story, body: dict[str, Any]) -> None:
    session = story.begin()
    before = callers.digest()
    answer = story.ask.post(f"sessions/{session['id']}/progress", body)
    assert (answer.status_code, slug(answer)) == (400, "invalid")
    assert callers.digest() == before


def test_the_opening_needs_no_sign_in_and_is_counted_by_day(story: Story) -> None:
    stranger = Caller(None)
    found = said(stranger.get(f"works/{story.work.id}/opening"))
    assert found.pop("playlist_url").endswith(".m3u8")
    assert found == {"free_seconds": 45.0, "open_seconds": 50.0}
    said(stranger.get(f"works/{story.work.id}/opening"))
    counted = OpeningCount.objects.get()
    assert (counted.work_id, counted.day, counted.count) == (story.work.id, clock.day(clock.now()), 2)
    for work, status, refusal in (
        (cast.track(story.profile, state="draft"), 404, "not-found"),
        (cast.track(story.profile, state="off"), 409, "work-unavailable"),
        (cast.track(story.profile, state="suspended"), 409, "work-unavailable"),
    ):
        answer = stranger.get(f"works/{work.id}/opening")
        assert (answer.status_code, slug(answer)) == (status, refusal)


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
