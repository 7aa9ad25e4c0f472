"""Sessions: one live one per work, the opening, what is free, and what a page says."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import SplitLine, SplitSheet, Work
from catalog.publishing import WorkUnavailable
from members import clock
from members.problems import NotFound
from playback import charging, openings, sessions
from playback.audience_models import OpeningCount
from playback.models import FreePlay, Holding, Session
from tests import cast

pytestmark = pytest.mark.django_db


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
def song(ana):
    """Give a track at the default price."""
    return cast.track(cast.creator(ana))


def begin(listener, work, *, after=timedelta(0)):
    return sessions.begin(person_id=listener.id, work_id=work.id, now=clock.now() + after)


def progress(listener, sitting, seconds, *, completed=False):
    sessions.report_progress(
        person_id=listener.id, session_id=sitting.id, position_ms=seconds * 1000, completed=completed, now=clock.now()
    )


def test_a_session_says_everything_before_it_costs_anything(lena, song):
    sitting, new = begin(lena, song)
    assert new
    assert (sitting.basis, sitting.charged, sitting.whole) == ("paid", False, False)
    assert (sitting.play_number, sitting.price_micros, sitting.paid_micros) == (1, 2_000, 0)
    assert (sitting.cap_micros, sitting.pricing_version) == (1_022_000, 1)
    assert (sitting.free_seconds, sitting.open_seconds, sitting.duration_seconds) == (45, 50, 180)
    assert sitting.blocked is None
    assert cast.wallet(lena).balance_micros == 20_000_000
    assert not Holding.objects.exists()


def test_a_reload_is_the_same_session_with_a_fresh_quote(lena, song):
    first, _ = begin(lena, song)
    again, new = begin(lena, song, after=timedelta(minutes=14))
    assert (again.id, new) == (first.id, False)
    assert again.expires_at - first.expires_at >= timedelta(minutes=14)
    assert Session.objects.count() == 1


def test_after_four_hours_it_is_another_session(lena, song):
    first, _ = begin(lena, song)
    second, new = begin(lena, song, after=timedelta(hours=4))
    assert new
    assert second.id != first.id
    assert Session.objects.filter(ended_at=None).count() == 1


def test_a_charged_session_is_resumed_and_asks_for_nothing(lena, song):
    first, _ = begin(lena, song)
    charging.charge_session(person_id=lena.id, session_id=first.id, price_micros=2_000)
    progress(lena, first, 90)
    again, new = begin(lena, song, after=timedelta(minutes=65))
    assert (again.id, again.charged, again.whole, again.price_micros, new) == (first.id, True, True, 0, False)


@pytest.mark.parametrize(("seconds", "lives"), [(180, 3_960), (30, 3_660), (6 * 3600, 43_200)])
def test_its_playlist_lives_for_twice_the_work_and_an_hour_at_most_twelve(lena, ana, seconds, lives):
    work = cast.track(cast.creator(ana), seconds=seconds)
    now = clock.now()
    sitting, _ = sessions.begin(person_id=lena.id, work_id=work.id, now=now)
    assert sitting.playlist_until == now + timedelta(seconds=lives)
    charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=2_000)
    last_moment = now + timedelta(seconds=lives) - timedelta(microseconds=1)
    assert sessions.begin(person_id=lena.id, work_id=work.id, now=last_moment)[0].id == sitting.id
    ended = now + timedelta(seconds=lives)
    assert sessions.begin(person_id=lena.id, work_id=work.id, now=ended)[0].id != sitting.id


def test_heard_to_the_end_the_next_is_another_play(lena, song):
    first, _ = begin(lena, song)
    charging.charge_session(person_id=lena.id, session_id=first.id, price_micros=2_000)
    progress(lena, first, 180, completed=True)
    second, new = begin(lena, song)
    assert (new, second.play_number, second.price_micros) == (True, 2, 4_000)


def test_the_end_of_a_play_that_was_not_paid_is_no_end(lena, song):
    first, _ = begin(lena, song)
    progress(lena, first, 50, completed=True)
    assert begin(lena, song)[0].id == first.id
    assert Session.objects.get().completed_at is None


def test_a_session_given_back_is_over(lena, song):
    first, _ = begin(lena, song)
    charging.charge_session(person_id=lena.id, session_id=first.id, price_micros=2_000)
    cast.give_back(cast.last_charge(lena))
    found = sessions.get(person_id=lena.id, session_id=first.id, now=clock.now())
    assert (found.reversed, found.whole) == (True, False)
    second, new = begin(lena, song)
    assert (new, second.play_number) == (True, 1)


@pytest.mark.parametrize(
    ("seconds", "free", "opened"),
    [
        (19.999, 0, 0),
        (20, 10, 16),
        (30, 15, 20),
        (59, 29.5, 36),
        (60, 30, 35),
        (88, 44, 50),
        (91, 45, 50),
        (47, 23.5, 30),
        (21, 10.5, 16),
        (3_600, 45, 50),
    ],
)
def test_the_opening_is_at_most_half_and_the_gate_a_boundary_five_seconds_later(lena, ana, seconds, free, opened):
    sitting, _ = begin(lena, cast.track(cast.creator(ana), seconds=seconds))
    assert (sitting.free_seconds, sitting.open_seconds) == (free, opened)


def test_a_vote_on_the_opening_holds_for_the_quotes_after_it(lena, song):
    sitting, _ = begin(lena, song)
    effective = cast.vote("opening", seconds=20)
    assert sitting.free_seconds == 45
    sitting, _ = sessions.begin(person_id=lena.id, work_id=song.id, now=effective)
    assert (sitting.free_seconds, sitting.open_seconds) == (20, 25)


def test_ones_own_work_plays_free_to_its_managers_and_payees(ana):
    ed, viv, pia = cast.person("ed"), cast.person("viv"), cast.person("pia")
    song = cast.track(cast.creator(ana, editors=(ed,), viewers=(viv,)))
    sheet = SplitSheet.objects.create(work=song, version=2, created_at=clock.now(), in_force_from=clock.now())
    for line, (who, ppm) in enumerate(((ana, 500_000), (pia, 500_000)), 1):
        SplitLine.objects.create(
            sheet=sheet, line_number=line, email=who.email, person=who, share_ppm=ppm, accepted_at=clock.now()
        )
    for who, basis in ((ana, "own"), (ed, "own"), (pia, "own"), (viv, "paid")):
        sitting, _ = begin(who, song)
        assert (sitting.basis, sitting.whole, sitting.price_micros == 0) == (basis, basis == "own", basis == "own")


def test_a_sheet_that_is_not_in_force_yet_makes_nobody_a_payee(ana, song):
    pia = cast.person("pia")
    later = clock.now() + timedelta(days=1)
    sheet = SplitSheet.objects.create(work=song, version=2, created_at=clock.now(), in_force_from=later)
    SplitLine.objects.create(
        sheet=sheet, line_number=1, email=pia.email, person=pia, share_ppm=1_000_000, accepted_at=clock.now()
    )
    assert begin(pia, song)[0].basis == "paid"
    assert begin(pia, song, after=timedelta(days=2))[0].basis == "own"
    # Whom a newer sheet leaves out pays again, unless they run the profile.
    assert begin(ana, song, after=timedelta(days=2))[0].basis == "own"


def test_a_free_work_is_whole_at_once(lena, ana):
    work = cast.track(cast.creator(ana), price_micros=0)
    sitting, _ = begin(lena, work)
    assert (sitting.basis, sitting.whole, sitting.price_micros, sitting.blocked) == ("free", True, 0, None)
    charged, _ = charging.charge_session(person_id=lena.id, session_id=sitting.id, price_micros=0)
    assert charged.charged_micros == 0


@pytest.mark.parametrize("basis", ["owned", "own", "free"])
def test_past_its_opening_what_costs_nothing_is_one_play(lena, ana, basis):
    work = cast.track(cast.creator(lena if basis == "own" else ana), price_micros=0 if basis == "free" else None)
    if basis == "owned":
        cast.buy(lena, work, price_micros=1_022_000)
    sitting, _ = begin(lena, work)
    progress(lena, sitting, 44)
    assert not FreePlay.objects.exists()
    for seconds in (45, 90, 180):
        progress(lena, sitting, seconds)
    assert list(FreePlay.objects.values_list("listener", "work", "basis")) == [(lena.id, work.id, basis)]
    assert cast.entries_sum(lena)[0] == cast.wallet(lena).balance_micros


def test_a_work_bought_in_another_tab_is_heard_as_owned(lena, song):
    sitting, _ = begin(lena, song)
    cast.buy(lena, song, price_micros=1_022_000)
    progress(lena, sitting, 180, completed=True)
    assert FreePlay.objects.get().basis == "owned"


def test_a_paid_play_is_no_free_one(lena, song):
    cast.play(lena, song)
    assert not FreePlay.objects.exists()


def test_progress_is_ones_own(lena, song):
    sitting, _ = begin(lena, song)
    with pytest.raises(NotFound):
        progress(cast.person("lars"), sitting, 10)
    with pytest.raises(NotFound):
        sessions.report_progress(person_id=lena.id, session_id=uuid4(), position_ms=0, completed=False, now=clock.now())
    for act in (sessions.get, sessions.requote):
        with pytest.raises(NotFound):
            act(person_id=cast.person("lars").id, session_id=sitting.id, now=clock.now())
    assert Session.objects.get().position_ms == 0


def test_nobody_begins_what_was_taken_off_but_who_has_begun_plays_on(lena, song):
    cast.play(lena, song)
    off_at = clock.now()
    Work.objects.filter(id=song.id).update(state="off", off_at=off_at)
    with pytest.raises(WorkUnavailable):
        begin(cast.person("lars"), song)
    almost = off_at + timedelta(days=90) - timedelta(microseconds=1)
    assert sessions.begin(person_id=lena.id, work_id=song.id, now=almost)[0].play_number == 2
    with pytest.raises(WorkUnavailable):
        sessions.begin(person_id=lena.id, work_id=song.id, now=off_at + timedelta(days=90))


@pytest.mark.parametrize("state", ["off", "suspended"])
def test_owners_keep_what_is_off_or_suspended(lena, song, state):
    cast.buy(lena, song, price_micros=1_022_000)
    Work.objects.filter(id=song.id).update(state=state, off_at=clock.now())
    sitting, _ = begin(lena, song, after=timedelta(days=400))
    assert (sitting.basis, sitting.whole) == ("owned", True)


def test_a_suspended_work_is_begun_by_nobody_else(lena, song):
    cast.play(lena, song)
    Work.objects.filter(id=song.id).update(state="suspended")
    for who in (lena, cast.person("lars")):
        with pytest.raises(WorkUnavailable):
            begin(who, song)


def test_a_draft_is_there_for_its_profile_alone(lena, ana):
    draft = cast.track(cast.creator(ana), state="draft")
    with pytest.raises(NotFound):
        begin(lena, draft)
    assert begin(ana, draft)[0].basis == "own"
    with pytest.raises(NotFound):
        begin(lena, cast.track(cast.creator(ana), state="draft"))
    with pytest.raises(NotFound):
        sessions.begin(person_id=lena.id, work_id=uuid4(), now=clock.now())


def test_what_stands_in_the_way_is_said_before_the_play(song):
    lars = cast.person("lars")
    sitting, _ = begin(lars, song)
    assert sitting.blocked is not None
    assert sitting.blocked.content() == {
        "type": "/problems/insufficient-funds",
        "title": "There is not enough credit",
        "status": 402,
        "detail": "This costs €0.002; the wallet holds €0.00.",
        "needed_micros": 2_000,
        "available_micros": 0,
    }


def test_a_page_says_what_a_play_costs_and_how_far_one_is(lena, song):
    for _ in range(4):
        cast.play(lena, song)
    before = list(Session.objects.values())
    page = sessions.listening(person_id=lena.id, work_id=song.id, now=clock.now())
    assert (page.basis, page.owned, page.available, page.signed_in) == ("paid", False, True, True)
    assert (page.play_number, page.price_micros, page.plays, page.paid_plays) == (5, 32_000, 9, (1, 2, 3, 4))
    assert (page.paid_micros, page.remaining_micros, page.cap_micros) == (30_000, 992_000, 1_022_000)
    assert page.ladder == (2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000)
    assert list(Session.objects.values()) == before


def test_a_page_shows_a_fallen_price_beside_what_was_paid(lena, song):
    for _ in range(6):
        cast.play(lena, song)
    Work.objects.filter(id=song.id).update(price_micros=400_000)
    page = sessions.listening(person_id=lena.id, work_id=song.id, now=clock.now())
    assert page.ladder == (2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 50_098, 100_196, 123_706)
    assert sum(page.ladder) == page.cap_micros == 400_000
    assert Holding.objects.get(listener=lena).cap_micros == 1_022_000


def test_a_stranger_sees_the_ladder_and_an_opening_that_is_counted_by_day(song):
    page = sessions.listening(person_id=None, work_id=song.id, now=clock.now())
    assert (page.price_micros, page.signed_in, page.blocked, page.ladder[8]) == (2_000, False, None, 512_000)
    for _ in range(3):
        assert openings.for_anyone(work_id=song.id, now=clock.now()).open_ms == 50_000
    openings.for_anyone(work_id=song.id, now=clock.now() + timedelta(days=1))
    assert list(OpeningCount.objects.order_by("day").values_list("count", flat=True)) == [3, 1]
    assert not Session.objects.exists()


def test_sessions_never_charged_go_after_thirty_days(lena, song):
    begin(lena, song, after=timedelta(days=-31))
    begin(lena, cast.track(song.creator), after=timedelta(days=-29))
    cast.play(lena, cast.track(song.creator))
    Session.objects.filter(charge_id__isnull=False).update(began_at=clock.now() - timedelta(days=99))
    assert sessions.forget_uncharged(now=clock.now()) == 1
    assert Session.objects.count() == 2
    assert sessions.forget_uncharged(now=clock.now()) == 0


def test_beginning_costs_few_queries(lena, song):
    begin(lena, song)
    with CaptureQueriesContext(connection) as queries:
        begin(lena, song)
    assert len(queries) <= 12
