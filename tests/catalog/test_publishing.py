"""Publishing: by who runs the profile, under the content rules in force, and how a work stands for somebody."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest

from catalog import publishing
from catalog.models import SplitLine, SplitSheet, Upload, Work
from catalog.publishing import CannotPublish
from members import clock, policies
from members.problems import Invalid, NotFound
from tests import cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_policies() -> Iterator[None]:
    """Forget versions that a test recorded and rolled back."""
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def draft(ana):
    """Give a draft of Ana's whose file is ready."""
    return cast.track(cast.creator(ana), state="draft")


def publish(work, person, *, now=None):
    return publishing.publish(work_id=work.id, person_id=person.id, now=now or clock.now())


def stands(work, person=None, *, after=timedelta(0)):
    return publishing.standing(work_id=work.id, person_id=person.id if person else None, now=clock.now() + after)


def test_publishing_puts_a_sheet_of_the_publisher_alone_in_force(ana, draft):
    now = clock.now()
    published = publish(draft, ana, now=now)
    assert (published.state, published.published_at, published.off_at) == ("published", now, None)
    sheet = SplitSheet.objects.get(work=draft)
    assert (sheet.version, sheet.in_force_from) == (1, now)
    line = SplitLine.objects.get(sheet=sheet)
    assert (line.person_id, line.email, line.share_ppm) == (ana.id, ana.email, 1_000_000)


def test_publishing_twice_changes_nothing(ana, draft):
    first = publish(draft, ana)
    again = publish(draft, ana, now=clock.now() + timedelta(days=1))
    assert again.published_at == first.published_at
    assert SplitSheet.objects.filter(work=draft).count() == 1


def test_an_editor_publishes_and_a_viewer_or_stranger_does_not(ana):
    ed, viv, lena = cast.person("ed"), cast.person("viv"), cast.person("lena")
    work = cast.track(cast.creator(ana, editors=(ed,), viewers=(viv,)), state="draft")
    for act in (publishing.publish, publishing.take_off, publishing.change):
        for person in (viv, lena):
            with pytest.raises(NotFound):
                act(work_id=work.id, person_id=person.id, now=clock.now())
        with pytest.raises(NotFound):
            act(work_id=uuid4(), person_id=ed.id, now=clock.now())
    work.refresh_from_db()
    assert work.state == "draft"
    assert publish(work, ed).state == "published"


def test_a_work_without_a_file_taken_in_is_not_published(ana, draft):
    Upload.objects.filter(work=draft).delete()
    with pytest.raises(CannotPublish) as refused:
        publish(draft, ana)
    assert refused.value.extra == {"rule": "file"}
    draft.refresh_from_db()
    assert (draft.state, draft.published_at, draft.split_sheets.count()) == ("draft", None, 0)


@pytest.mark.parametrize(
    ("voted", "work", "rule"),
    [
        ({"ai_generated": "forbidden"}, {"origin": "ai-generated"}, "ai_generated"),
        ({"lossless": "required"}, {"lossless": False}, "lossless"),
        ({"sample_rate_min": 48_000}, {}, "sample_rate_min"),
    ],
)
def test_a_vote_on_content_refuses_from_its_moment_and_names_itself(ana, draft, voted, work, rule):
    Work.objects.filter(id=draft.id).update(**work)
    effective = cast.vote("content", **voted)
    with pytest.raises(CannotPublish) as refused:
        publish(draft, ana, now=effective)
    named = {"key": "content", "seq": 2, "href": "/policies/content#v2"}
    assert refused.value.extra == {"rule": rule, "policy_version": 2, "policy": named}
    assert "content version 2" in refused.value.detail
    # A moment earlier the founding version admits it.
    assert publish(draft, ana, now=effective - timedelta(microseconds=1)).state == "published"


def test_a_historic_recording_may_have_a_low_sample_rate(ana, draft):
    Upload.objects.filter(work=draft).update(found={"sample_rate": 8_000})
    with pytest.raises(CannotPublish) as refused:
        publish(draft, ana)
    assert refused.value.extra == {
        "rule": "sample_rate_min",
        "policy_version": 1,
        "policy": {"key": "content", "seq": 1, "href": "/policies/content#v1"},
    }
    publishing.change(work_id=draft.id, person_id=ana.id, now=clock.now(), historic=True)
    assert publish(draft, ana).state == "published"


def test_a_suspended_work_is_not_published_by_its_maker(ana, draft):
    Work.objects.filter(id=draft.id).update(state="suspended")
    with pytest.raises(CannotPublish):
        publish(draft, ana)
    assert publishing.take_off(work_id=draft.id, person_id=ana.id, now=clock.now()).state == "suspended"
    assert publishing.is_suspended(draft.id)


def test_a_work_taken_off_comes_back_with_its_first_date(ana, draft):
    first = publish(draft, ana).published_at
    off_at = clock.now()
    assert publishing.take_off(work_id=draft.id, person_id=ana.id, now=off_at).off_at == off_at
    later = publishing.take_off(work_id=draft.id, person_id=ana.id, now=off_at + timedelta(days=9))
    assert later.off_at == off_at
    back = publish(draft, ana)
    assert (back.state, back.off_at, back.published_at) == ("published", None, first)


@pytest.mark.parametrize("figure", [None, 0, 200_000, 50_000_000])
def test_a_figure_is_none_free_or_within_the_bounds(ana, draft, figure):
    changed = publishing.change(work_id=draft.id, person_id=ana.id, now=clock.now(), price_micros=figure)
    assert changed.price_micros == figure


@pytest.mark.parametrize("figure", [-1, 1, 199_999, 50_000_001, 10**12])
def test_a_figure_outside_the_bounds_is_refused(ana, draft, figure):
    with pytest.raises(Invalid) as refused:
        publishing.change(work_id=draft.id, person_id=ana.id, now=clock.now(), price_micros=figure)
    assert "€0.20 to €50.00" in refused.value.detail
    draft.refresh_from_db()
    assert draft.price_micros is None


def test_a_figure_is_held_against_the_bounds_of_the_moment(ana, draft):
    effective = cast.vote("pricing", price_min_micros=300_000)
    publishing.change(work_id=draft.id, person_id=ana.id, now=clock.now(), price_micros=200_000)
    with pytest.raises(Invalid):
        publishing.change(work_id=draft.id, person_id=ana.id, now=effective, price_micros=200_000)
    assert publishing.steps_now(figure=200_000, now=effective)[0][-1] == 150_294


def test_a_licence_is_one_that_is_admitted(ana, draft):
    changed = publishing.change(work_id=draft.id, person_id=ana.id, now=clock.now(), licence="cc-by-4.0")
    assert changed.licence == "cc-by-4.0"
    with pytest.raises(Invalid):
        publishing.change(work_id=draft.id, person_id=ana.id, now=clock.now(), licence="cc-by-nc-4.0")


def test_the_ladder_of_now():
    assert publishing.steps_now(figure=None, now=clock.now()) == (
        [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000],
        1,
    )
    assert publishing.steps_now(figure=0, now=clock.now()) == ([], 1)
    effective = cast.vote("pricing", plays=3, growth_num=1, growth_den=1, price_default_micros=300_000)
    assert publishing.steps_now(figure=None, now=effective) == ([100_000] * 3, 2)


def test_a_draft_stands_for_its_profile_alone(ana, draft):
    assert stands(draft, ana).own
    for person in (None, cast.person("lena")):
        with pytest.raises(NotFound):
            stands(draft, person)


def test_a_work_is_own_to_managers_and_to_the_payees_in_force(ana, draft):
    publish(draft, ana)
    pia, lena = cast.person("pia"), cast.person("lena")
    tomorrow = clock.now() + timedelta(days=1)
    sheet = SplitSheet.objects.create(work=draft, version=2, created_at=clock.now(), in_force_from=tomorrow)
    SplitLine.objects.create(
        sheet=sheet, line_number=1, email=pia.email, person=pia, share_ppm=1_000_000, accepted_at=clock.now()
    )
    never = SplitSheet.objects.create(work=draft, version=3, created_at=clock.now(), in_force_from=None)
    SplitLine.objects.create(sheet=never, line_number=1, email=lena.email, person=lena, share_ppm=1_000_000)
    assert [stands(draft, person).own for person in (ana, pia, lena, None)] == [True, False, False, False]
    later = [stands(draft, person, after=timedelta(days=2)).own for person in (ana, pia, lena, None)]
    assert later == [True, True, False, False]


def test_who_may_begin_and_who_may_play_on(ana, draft):
    publish(draft, ana)
    now = clock.now()
    on = stands(draft)
    assert (on.may_begin(), on.may_play_on(now)) == (True, True)
    Work.objects.filter(id=draft.id).update(state="off", off_at=now)
    off = stands(draft)
    ninety = now + timedelta(days=90)
    assert not off.may_begin()
    assert [off.may_play_on(moment) for moment in (now, ninety - timedelta(microseconds=1), ninety)] == [
        True,
        True,
        False,
    ]
    Work.objects.filter(id=draft.id).update(state="suspended")
    assert (stands(draft).may_begin(), stands(draft).may_play_on(now)) == (False, False)
