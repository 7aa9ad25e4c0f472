"""Listening and paying over HTTP, with exact answers: what a program that speaks with us may count on."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from catalog.models import Work
from members import clock
from playback import reversals
from playback.audience_models import OpeningCount
from playback.models import Charge, FreePlay, Session, Wallet
from tests import callers, cast
from tests.callers import Caller, slug
from tests.playback.story import EURO, STEPS, WHOLE, Story, said


@pytest.fixture
def story(db: None) -> Story:
    callers.forget_counts()
    return Story()


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
        "pricing_href": "/policies/pricing#v1",
        "opening_version": 1,
        "opening_href": "/policies/opening#v1",
        "free_seconds": 45.0,
        "open_seconds": 50.0,
        "duration_seconds": 180.0,
        "position_seconds": 0.0,
        "view_url": None,
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
