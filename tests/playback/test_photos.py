"""Photos by the same protocol: the preview is the opening, a charge opens the whole for ten minutes, owners have it."""

import io
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from catalog import delivery
from catalog.models import Rendition, Work
from members import clock, policies
from playback import gate, sessions
from playback.audience_models import OpeningCount
from playback.models import Charge, FreePlay, Session
from tests import callers, cast
from tests.callers import Caller, slug
from tests.playback.story import STEPS, WHOLE, Story, said

pytestmark = pytest.mark.django_db


def jpeg(shade: int) -> bytes:
    """Return a small real JPEG."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, shade // 2, 90)).save(out, "JPEG")
    return out.getvalue()


PREVIEW, WHOLE_PICTURE = jpeg(20), jpeg(200)


def with_files(photo: Work) -> Work:
    """Put pictures into the store where the photo's renditions say they lie."""
    for row in photo.renditions.all():
        for name in [size["file"] for size in row.layout.get("sizes", [row.layout])]:
            content = WHOLE_PICTURE if row.kind == Rendition.Kind.VIEW else PREVIEW
            default_storage.save(row.prefix + name, ContentFile(content))
    return photo


@pytest.fixture
def story() -> Story:
    """Lena with 20.00, and a photo of Ana's whose pictures lie in the store."""
    callers.forget_counts()
    told = Story()
    told.work = with_files(cast.photo(told.profile))
    return told


def seen(address: str) -> bytes | int:
    """Look at an address without a cookie; return what is there, or the refusal's status."""
    parts = urlsplit(address)
    answer = Client().get(f"{parts.path}?{parts.query}" if parts.query else parts.path)
    if answer.status_code != 200:
        return int(answer.status_code)
    assert answer.headers["Content-Type"] == "image/jpeg"
    return b"".join(answer.streaming_content)


def look(story: Story) -> dict[str, Any]:
    """Charge a look, and return the answer."""
    return said(story.charge(story.begin()))


def test_a_session_shows_the_preview_and_what_a_look_costs(story: Story) -> None:
    found = said(story.ask.post("sessions", {"work": str(story.work.id)}), 201)
    assert (found["kind"], found["play_number"], found["price_micros"], found["cap_micros"]) == (
        "photo",
        1,
        2_000,
        WHOLE,
    )
    assert (found["free_seconds"], found["open_seconds"], found["duration_seconds"]) == (0, 0, 0)
    assert (found["charged"], found["blocked"], "playlist_url" in found) == (False, None, False)
    assert seen(found["view_url"]) == PREVIEW
    again = said(story.ask.post("sessions", {"work": str(story.work.id)}), 200)
    assert (again["id"], seen(again["view_url"])) == (found["id"], PREVIEW)
    assert not Charge.objects.exists()


def test_a_charge_opens_the_whole_for_exactly_ten_minutes(story: Story) -> None:
    session = story.begin()
    before = clock.now()
    answer = said(story.charge(session))
    address = answer.pop("view_url")
    assert answer == {
        "charged_micros": 2_000,
        "play_number": 1,
        "paid_micros": 2_000,
        "remaining_micros": WHOLE - 2_000,
        "owned": False,
        "balance_micros": 19_998_000,
        "promo_micros": 0,
    }
    assert seen(address) == WHOLE_PICTURE
    until = Session.objects.get().playlist_until
    assert timedelta(0) <= until - before - timedelta(minutes=10) < timedelta(seconds=5)
    assert int(urlsplit(address).path.split("/")[2]) == int(until.timestamp())
    cast.set_clock(until - timedelta(seconds=2))
    assert seen(address) == WHOLE_PICTURE
    cast.set_clock(until + timedelta(milliseconds=1))
    assert seen(address) == 404


def test_while_it_lives_nothing_is_asked_again_and_then_it_is_the_next_play(story: Story) -> None:
    session = story.begin()
    address = said(story.charge(session))["view_url"]
    until = Session.objects.get().playlist_until
    for minutes in (0, 3, 9):
        cast.set_clock(until - timedelta(minutes=10 - minutes, seconds=-1))
        again = said(story.ask.post("sessions", {"work": str(story.work.id)}), 200)
        assert (again["id"], again["charged"], again["price_micros"]) == (session["id"], True, 0)
        # The very same address: it gets no longer life, and a browser's cache still knows it.
        assert again["view_url"] == address
        assert said(story.ask.get(f"sessions/{session['id']}"))["view_url"] == address
        assert said(story.charge(session, 0))["view_url"] == address
    cast.set_clock(until)
    lapsed = said(story.ask.get(f"sessions/{session['id']}"))
    assert seen(lapsed["view_url"]) == PREVIEW
    # Charged again, it says what was recorded, and opens nothing any more.
    recorded = said(story.charge(session))
    assert (recorded["charged_micros"], recorded["play_number"], seen(recorded["view_url"])) == (2_000, 1, PREVIEW)
    following = said(story.ask.post("sessions", {"work": str(story.work.id)}), 201)
    assert (following["play_number"], following["price_micros"], seen(following["view_url"])) == (2, 4_000, PREVIEW)
    assert Charge.objects.count() == 1


def test_reporting_it_completed_does_not_end_the_look(story: Story) -> None:
    session = story.begin()
    address = said(story.charge(session))["view_url"]
    body = {"position_seconds": 0, "state": "completed"}
    assert story.ask.post(f"sessions/{session['id']}/progress", body).status_code == 204
    again = said(story.ask.post("sessions", {"work": str(story.work.id)}), 200)
    assert (again["id"], again["view_url"]) == (session["id"], address)
    assert not FreePlay.objects.exists()


def test_the_ninth_look_owns_it_and_then_it_is_there_at_once(story: Story) -> None:
    for step in STEPS:
        assert look(story)["charged_micros"] == step
        clock.set_offset(clock.offset() + timedelta(minutes=11))
    owned = said(story.ask.post("sessions", {"work": str(story.work.id)}), 201)
    assert (owned["owned"], owned["price_micros"], owned["play_number"]) == (True, 0, None)
    assert seen(owned["view_url"]) == WHOLE_PICTURE
    clock.set_offset(clock.offset() + timedelta(minutes=11))
    # A session that is over still shows its owner all of it.
    assert seen(said(story.ask.get(f"sessions/{owned['id']}"))["view_url"]) == WHOLE_PICTURE
    assert Charge.objects.count() == 9


def free(story: Story) -> None:
    Work.objects.filter(id=story.work.id).update(price_micros=0)


def owned(story: Story) -> None:
    cast.buy(story.lena, story.work, price_micros=WHOLE)


def own(story: Story) -> None:
    story.ask = Caller(story.ana)


@pytest.mark.parametrize("made", [free, owned, own])
def test_what_costs_nothing_is_seen_at_once_and_counts_one_view(story: Story, made: Any) -> None:
    made(story)
    session = story.begin()
    assert seen(session["view_url"]) == WHOLE_PICTURE
    assert (session["owned"], session["own"], session["free"]) == tuple(made is way for way in (owned, own, free))
    assert said(story.charge(session, 0))["charged_micros"] == 0
    for state in ("playing", "stopped", "completed"):
        body = {"position_seconds": 0, "state": state}
        assert story.ask.post(f"sessions/{session['id']}/progress", body).status_code == 204
    assert [(row.basis, row.work_id) for row in FreePlay.objects.all()] == [(made.__name__, story.work.id)]


def test_a_purchase_in_another_tab_opens_it(story: Story) -> None:
    session = story.begin()
    owned(story)
    assert seen(said(story.ask.get(f"sessions/{session['id']}"))["view_url"]) == WHOLE_PICTURE


def test_without_signing_in_there_is_the_preview_counted_by_day(story: Story) -> None:
    free(story)
    for _ in range(2):
        found = said(Caller(None).get(f"works/{story.work.id}/opening"))
        assert list(found) == ["view_url"]
        assert seen(found["view_url"]) == PREVIEW
    assert OpeningCount.objects.get(work=story.work).count == 2
    assert not Session.objects.exists()


def test_a_change_of_price_comes_with_a_fresh_quote_and_the_preview(story: Story) -> None:
    session = story.begin()
    refused = said(story.charge(session, 1_999), 409)
    assert seen(refused["quote"]["view_url"]) == PREVIEW
    assert "playlist_url" not in refused["quote"]


def test_no_address_of_the_whole_before_the_charge(story: Story) -> None:
    """Altered, guessed, old, another's: what opens is what was signed, and nothing else was."""
    session, other = story.begin(), Caller(cast.person("lars"))
    preview = session["view_url"]
    view = story.work.renditions.get(kind="view")
    key = view.prefix + "view.jpg"
    head, expires, mac, name = urlsplit(preview).path.removeprefix("/").split("/", 3)
    for path in (
        f"/{head}/{expires}/{mac}/{key}",
        f"/{head}/{expires}/{mac}/{name}/../../{key}",
        f"/{head}/{int(expires) + 1}/{mac}/{name}",
        f"/{head}/9999999999/{'0' * 40}/{key}",
        f"/{head}/{expires}/{delivery.local_mac(key=name, expires=int(expires))}/{key}",
        f"/{key}",
        f"/static/{key}",
    ):
        assert seen(path) == 404, path
    for ask, status in ((other, 404), (Caller(None), 401)):
        assert ask.get(f"sessions/{session['id']}").status_code == status
        assert ask.post(f"sessions/{session['id']}/charge", {"price_micros": 2_000}).status_code == status
    answer = Client().get(urlsplit(preview).path, headers={"Range": "bytes=0-999999"})
    assert b"".join(answer.streaming_content) == PREVIEW
    # A photo has no playlist, whoever signs for one.
    until = clock.now() + timedelta(hours=1)
    for listener in (story.lena.id, None):
        session_id = story.work.id if listener is None else Session.objects.get().id
        playlist = gate.address(listener_id=listener, session_id=session_id, until=until)
        assert Client().get(urlsplit(playlist).path).status_code == 404


def test_one_persons_charge_opens_nothing_for_another(story: Story) -> None:
    lars = Caller(cast.person("lars"))
    theirs = said(lars.post("sessions", {"work": str(story.work.id)}), 201)
    look(story)
    assert seen(said(lars.get(f"sessions/{theirs['id']}"))["view_url"]) == PREVIEW


def test_a_look_that_was_given_back_is_over(story: Story) -> None:
    session = story.begin()
    said(story.charge(session))
    cast.give_back(cast.last_charge(story.lena))
    assert seen(said(story.ask.get(f"sessions/{session['id']}"))["view_url"]) == PREVIEW
    assert seen(said(story.charge(session))["view_url"]) == PREVIEW
    again = said(story.ask.post("sessions", {"work": str(story.work.id)}), 201)
    assert (again["play_number"], again["price_micros"], seen(again["view_url"])) == (1, 2_000, PREVIEW)


def test_suspended_it_is_shown_to_its_owner_and_its_people_alone(story: Story) -> None:
    work = {"work": str(story.work.id)}
    carl, olga = cast.person("carl"), cast.person("olga")
    looker, keeper = Caller(carl), Caller(olga)
    for who in (carl, olga):
        cast.top_up(who, 500)
    begun, paid, kept = (said(ask.post("sessions", work), 201) for ask in (story.ask, looker, keeper))
    said(looker.post(f"sessions/{paid['id']}/charge", {"price_micros": 2_000}))
    cast.buy(olga, story.work, price_micros=WHOLE)
    Work.objects.filter(id=story.work.id).update(state="suspended")
    assert slug(story.charge(begun)) == "work-unavailable"
    assert slug(Caller(None).get(f"works/{story.work.id}/opening")) == "work-unavailable"
    for ask in (story.ask, looker):
        assert slug(ask.post("sessions", work)) == "work-unavailable"
    # What is already known of a session is told, but no address is renewed.
    assert said(looker.get(f"sessions/{paid['id']}"))["view_url"] is None
    recorded = said(looker.post(f"sessions/{paid['id']}/charge", {"price_micros": 2_000}))
    assert (recorded["charged_micros"], recorded["view_url"]) == (2_000, None)
    assert seen(said(keeper.get(f"sessions/{kept['id']}"))["view_url"]) == WHOLE_PICTURE
    for ask, status in ((keeper, 200), (Caller(story.ana), 201)):
        assert seen(said(ask.post("sessions", work), status)["view_url"]) == WHOLE_PICTURE
    # The report was wrong: the look that was paid goes on where it was.
    Work.objects.filter(id=story.work.id).update(state="published")
    again = said(looker.post("sessions", work), 200)
    assert (again["id"], seen(again["view_url"])) == (paid["id"], WHOLE_PICTURE)


def test_taken_off_a_quote_holds_and_who_has_begun_looks_on_for_ninety_days(story: Story) -> None:
    session, lars = story.begin(), Caller(cast.person("lars"))
    Work.objects.filter(id=story.work.id).update(state="off", off_at=clock.now())
    assert seen(said(story.charge(session))["view_url"]) == WHOLE_PICTURE
    assert slug(lars.post("sessions", {"work": str(story.work.id)})) == "work-unavailable"
    clock.set_offset(timedelta(days=89))
    assert look(story)["play_number"] == 2
    clock.set_offset(timedelta(days=90, minutes=1))
    story.ask = Caller(story.lena)
    assert slug(story.ask.post("sessions", {"work": str(story.work.id)})) == "work-unavailable"


def test_beginning_is_one_query_for_how_the_work_stands(story: Story) -> None:
    for key in ("pricing", "opening"):
        policies.policy_at(key, clock.now())
    with CaptureQueriesContext(connection) as asked:
        sessions.begin(person_id=story.lena.id, work_id=story.work.id, now=clock.now())
    assert len([query for query in asked if "catalog_creatorrole" in query["sql"]]) == 1
    assert len(asked) == 8  # the clock, a savepoint and its end, wallet, work, holding, live session, the new one


def test_previews_by_width(story: Story) -> None:
    now = clock.now()
    sources = delivery.preview_sources(story.work.id, now=now)
    assert [width for _, width in sources] == [400, 1_200]
    for asked, expected in ((None, 1_200), (1, 400), (400, 400), (401, 1_200), (9_999, 1_200)):
        assert delivery.preview_url(story.work.id, now=now, width=asked) == dict(map(reversed, sources))[expected]
