"""A passed policy begins with a month, or a day, of the co-op's zone: a second before and after it, in each app."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import content, publishing
from members import clock, policies
from members.problems import Invalid
from members.voting.proposal_models import Proposal
from playback import openings, sessions
from royalties import earning, payouts
from tests import cast
from tests.members import assembly
from tests.playback.story import Story, said

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _fresh_policies():
    """Forget versions that a test recorded and rolled back."""
    policies.forget()
    yield
    policies.forget()


def enacted(key, **figures):
    """Let six members vote figures into force by beat alone; return from when on they hold, a day before that."""
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    held = policies.versions(key, clock.now())[-1].params
    proposal = assembly.called(people, key=key, **{**held, **figures})
    assembly.vote(proposal, "yyyyyy", people)
    assembly.go_on(proposal)
    begins = assembly.go_on(proposal).effective_from
    cast.set_clock(begins - timedelta(hours=20))
    assembly.beat()
    assert assembly.seen(proposal).made_seq == 2
    return begins


def on_the_wall(moment):
    return f"{moment.astimezone(clock.zone()):%Y-%m-%d %H:%M:%S}"


def test_a_price_changes_at_midnight_of_the_zone_and_a_quote_shown_before_holds():
    begins = enacted("pricing", price_default_micros=3_066_000)
    # The contest ended on 8 September: the first month at least 14 days away.
    assert on_the_wall(begins) == "2026-10-01 00:00:00"
    story = Story()
    lars, mia = cast.person("lars"), cast.person("mia")
    before, _ = sessions.begin(person_id=lars.id, work_id=story.work.id, now=begins - SECOND)
    after, _ = sessions.begin(person_id=mia.id, work_id=story.work.id, now=begins + SECOND)
    assert [(one.price_micros, one.pricing_version) for one in (before, after)] == [(2_000, 1), (6_000, 2)]
    steps = [publishing.steps_now(figure=None, now=begins + late) for late in (-SECOND, timedelta(0), SECOND)]
    assert [(prices[0], seq) for prices, seq in steps] == [(2_000, 1), (6_000, 2), (6_000, 2)]
    cast.set_clock(begins - timedelta(minutes=5))
    quote = story.begin()
    assert (quote["price_micros"], quote["pricing_href"]) == (2_000, "/policies/pricing#v1")
    cast.set_clock(begins + SECOND)
    # What was shown is charged, and nothing above it, though the new price holds by now; the ladder is the old one.
    assert said(story.charge(quote))["charged_micros"] == 2_000
    ended = story.ask.post(f"sessions/{quote['id']}/progress", {"position_seconds": 180, "state": "completed"})
    assert ended.status_code == 204
    again = story.begin()
    assert (again["price_micros"], again["cap_micros"], again["pricing_version"]) == (4_000, 1_022_000, 1)
    other = cast.track(story.profile)
    fresh = story.begin(other)
    assert (fresh["price_micros"], fresh["cap_micros"], fresh["pricing_href"]) == (
        6_000,
        3_066_000,
        "/policies/pricing#v2",
    )
    assert said(story.charge(fresh))["charged_micros"] == 6_000
    entries = said(story.ask.get("wallet/entries"))["results"]
    assert [entry["pricing_href"] for entry in entries] == ["/policies/pricing#v2", "/policies/pricing#v1", None]


def test_what_is_heard_free_changes_with_the_month():
    begins = enacted("opening", seconds=30)
    story = Story()
    found = [
        openings.of_work(work_id=story.work.id, duration_ms=180_000, now=begins + late) for late in (-SECOND, SECOND)
    ]
    assert [(one.free_ms, one.version) for one in found] == [(45_000, 1), (30_000, 2)]


def test_what_is_admitted_changes_sixty_days_after_the_contest():
    begins = enacted("content", ai_generated="forbidden")
    work = cast.track(cast.creator(cast.person("ana")), state="draft")
    work.origin = work.Origin.AI_GENERATED
    refused = [
        [one.policy_version for one in content.findings(work, now=begins + late) if one.refused]
        for late in (-SECOND, SECOND)
    ]
    assert refused == [[], [2]]
    proposal = Proposal.objects.get()
    queued = proposal.parts.get(state="queued").began_at
    assert begins - queued >= timedelta(days=60)
    assert on_the_wall(begins).endswith("00:00:00")


def test_from_how_much_on_is_paid_changes_with_a_month():
    begins = enacted("payouts", least_cents=2_000)
    month = date(2026, 9, 1)
    assert [payouts.threshold(month=month, now=begins + late) for late in (-SECOND, SECOND)] == [1_000, 2_000]
    # Thirty days from 8 September on: October is too near, so it begins with November.
    assert on_the_wall(begins) == "2026-11-01 00:00:00"


def test_each_euro_is_divided_anew_from_the_next_period_on():
    begins = enacted("revenue", creators_ppm=750_000, coop_ppm=250_000)
    assert on_the_wall(begins) == "2026-11-01 00:00:00"
    parts = {
        month: [(one["seq"], one["creators"]) for one in earning._stretches(month, begins + timedelta(days=40))]
        for month in (date(2026, 10, 1), date(2026, 11, 1))
    }
    assert parts == {date(2026, 10, 1): [(1, 700_000)], date(2026, 11, 1): [(2, 750_000)]}


def test_a_price_out_of_bounds_is_refused_with_the_vote_that_drew_them():
    begins = enacted("pricing", price_max_micros=20_000_000)
    story = Story()
    publishing.check_figure(30_000_000, now=begins - SECOND)
    with pytest.raises(Invalid) as refused:
        publishing.check_figure(30_000_000, now=begins + SECOND)
    cited = {"key": "pricing", "seq": 2, "href": "/policies/pricing#v2"}
    assert refused.value.extra == {"policy": cited}
    cast.set_clock(begins + SECOND)
    ana = type(story.ask)(story.ana)
    answer = ana("PATCH", f"works/{story.work.id}", {"price_micros": 30_000_000})
    assert answer.status_code == 400
    assert answer.json()["policy"] == cited
    work = publishing.change(work_id=story.work.id, person_id=story.ana.id, now=clock.now(), title="Same")
    assert work.price_micros is None


def test_reading_the_policies_costs_a_charge_and_a_play_no_query_however_many_versions_there_are():
    story = Story()
    story.begin()

    def asked():
        work = cast.track(story.profile)
        with CaptureQueriesContext(connection) as begun:
            session = story.begin(work)
        with CaptureQueriesContext(connection) as charged:
            assert story.charge(session).status_code == 200
        return len(begun), len(charged)

    before = asked()
    for hours in range(2, 22):
        cast.vote("pricing", after=timedelta(hours=hours), price_default_micros=1_022_000 + hours)
        cast.vote("opening", after=timedelta(hours=hours), seconds=20 + hours)
    policies.policy_at("pricing", clock.now())
    assert asked() == before
