"""What a creator says of a work: each field cleaned or refused, and what a published work may not become."""

from uuid import UUID, uuid4

import pytest

from catalog import arranging, content, publishing
from catalog.content import CannotPublish
from catalog.models import Creator, Release, Upload, Work
from members import clock, policies
from members.models import Person
from members.problems import Invalid, NotFound
from tests import cast

pytestmark = pytest.mark.django_db
RECORDING = UUID("8f3471b5-7e6a-48da-86a9-c1c07a0f47ae")


@pytest.fixture(autouse=True)
def _fresh_policies():
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def draft(band: Creator) -> Work:
    return cast.track(band, state="draft")


def change(work: Work, by: Person, **changes: object) -> Work:
    publishing.change(work_id=work.id, person_id=by.id, now=clock.now(), **changes)
    return Work.objects.get(id=work.id)


class TestFields:
    @pytest.mark.parametrize(
        ("field", "typed", "kept"),
        [
            ("title", " Ne\u202ebel \t– 霧 ", "Nebel – 霧"),
            ("isrc", "qz-es7-12-00074", "QZES71200074"),
            ("isrc", "QZ ES7 12 00074", "QZES71200074"),
            ("isrc", "", ""),
            ("language", "PT_br", "pt-BR"),
            ("language", "zh-hant", "zh-Hant"),
            ("language", "sr-latn-rs", "sr-Latn-RS"),
            ("language", "es-419", "es-419"),
            ("language", "zxx", "zxx"),
            ("language", "", ""),
            ("tags", ["#Ambient", " ambient ", "Field  Recording", ""], ["ambient", "field recording"]),
            ("alternative_text", "A pier\nin fog", "A pier in fog"),
            ("musicbrainz_recording", str(RECORDING), RECORDING),
            ("musicbrainz_recording", f"https://musicbrainz.org/recording/{RECORDING}", RECORDING),
            ("musicbrainz_recording", "", None),
            ("explicit", True, True),
            (
                "credits",
                [{"role": " mix ", "name": "Ben\x00"}, {"role": "", "name": ""}],
                [{"role": "mix", "name": "Ben"}],
            ),
        ],
    )
    def test_what_is_kept(self, draft: Work, ana: Person, field: str, typed: object, kept: object) -> None:
        assert getattr(change(draft, ana, **{field: typed}), field) == kept

    @pytest.mark.parametrize(
        ("field", "typed", "words"),
        [
            ("title", " \u200b ", "needs a title"),
            ("title", "x" * 301, "at most 300"),
            ("isrc", "QZ-ES7-12-0074", "it has 11 characters after the hyphens are taken out, an ISRC has 12"),
            ("isrc", "AA-ES7-12-00074", "first two letters"),
            ("isrc", "QZ-ES7-12-0007X", "two letters, three letters or digits"),
            ("language", "german", "BCP 47"),
            ("language", "d", "BCP 47"),
            ("language", "de-DE-", "BCP 47"),
            ("language", "de<script>", "BCP 47"),
            ("tags", [f"tag {n}" for n in range(13)], "at most 12 tags; these are 13"),
            ("tags", ["x" * 41], "at most 40"),
            ("alternative_text", "x" * 1_001, "at most 1000"),
            ("musicbrainz_recording", "8f3471b5", "Not a MusicBrainz id"),
            ("credits", [{"role": "mix", "name": " "}], "needs a name"),
            ("credits", [{"role": "", "name": "x"}] * 41, "at most 40"),
            ("licence", "cc-by-nc-4.0", "The licence is one of"),
            ("origin", "gods", "The origin is one of"),
            ("price_micros", 199_999, "€0.20 to €50.00"),
            ("position", 0, "whole number from 1"),
            ("release_id", uuid4(), "no such release"),
        ],
    )
    def test_what_is_refused_and_why(self, draft: Work, ana: Person, field: str, typed: object, words: str) -> None:
        before = Work.objects.filter(id=draft.id).values().get()
        with pytest.raises(Invalid) as refused:
            change(draft, ana, **{field: typed})
        assert words in refused.value.extra["fields"][field][0]
        assert Work.objects.filter(id=draft.id).values().get() == before

    def test_all_that_is_wrong_is_said_at_once_and_nothing_is_kept(self, draft: Work, ana: Person) -> None:
        with pytest.raises(Invalid) as refused:
            change(draft, ana, title="New", isrc="x", language="german", price_micros=1)
        assert set(refused.value.extra["fields"]) == {"isrc", "language", "price_micros"}
        draft.refresh_from_db()
        assert draft.title != "New"


class TestOncePublished:
    def test_it_does_not_become_what_the_rules_in_force_refuse(self, draft: Work, ana: Person) -> None:
        publishing.publish(work_id=draft.id, person_id=ana.id, now=clock.now())
        assert change(draft, ana, origin="ai-generated").origin == "ai-generated"
        change(draft, ana, origin="human")
        cast.set_clock(cast.vote("content", ai_generated="forbidden"))
        with pytest.raises(CannotPublish) as refused:
            change(draft, ana, origin="ai-generated", title="New")
        assert (refused.value.extra["rule"], refused.value.extra["policy_version"]) == ("ai_generated", 2)
        draft.refresh_from_db()
        assert (draft.origin, draft.title != "New") == ("human", True)

    def test_a_rule_that_came_later_does_not_keep_it_from_being_corrected(self, draft: Work, ana: Person) -> None:
        change(draft, ana, origin="ai-generated")
        publishing.publish(work_id=draft.id, person_id=ana.id, now=clock.now())
        cast.set_clock(cast.vote("content", ai_generated="forbidden"))
        assert change(draft, ana, origin="ai-generated", title="Corrected").title == "Corrected"
        assert change(draft, ana, origin="human").origin == "human"

    def test_a_low_rate_stays_marked_historic(self, draft: Work, ana: Person) -> None:
        Upload.objects.filter(work=draft).update(found={"sample_rate": 8_000})
        change(draft, ana, historic=True)
        publishing.publish(work_id=draft.id, person_id=ana.id, now=clock.now())
        with pytest.raises(CannotPublish):
            change(draft, ana, historic=False)

    def test_a_draft_may_be_anything_until_it_is_published(self, draft: Work, ana: Person) -> None:
        cast.set_clock(cast.vote("content", ai_generated="forbidden"))
        assert change(draft, ana, origin="ai-generated").origin == "ai-generated"
        with pytest.raises(CannotPublish):
            publishing.publish(work_id=draft.id, person_id=ana.id, now=clock.now())


class TestFindings:
    def found(self, work: Work) -> dict[str, tuple[bool, bool]]:
        return {one.rule: (one.refused, one.wanted) for one in content.findings(work, now=clock.now())}

    def test_a_track_in_order(self, draft: Work) -> None:
        nothing = (False, False)
        assert self.found(draft) == {"ai_generated": nothing, "lossless": nothing, "sample_rate_min": nothing}

    def test_a_lossy_one_is_wished_otherwise_and_not_refused(self, draft: Work) -> None:
        draft.lossless = False
        assert self.found(draft)["lossless"] == (False, True)

    def test_a_small_photo_is_refused_by_its_longer_edge(self, draft: Work) -> None:
        draft.kind = Work.Kind.PHOTO
        for edges, refused in (((1_600, 900), False), ((900, 1_600), False), ((1_599, 1_599), True)):
            draft.width, draft.height = edges
            assert self.found(draft)["photo_edge_min"] == (refused, False)

    def test_without_a_file(self, draft: Work) -> None:
        Upload.objects.filter(work=draft).delete()
        assert self.found(draft) == {"file": (True, False)}


class TestReleases:
    @pytest.fixture
    def album(self, ana: Person, band: Creator) -> Release:
        return arranging.found(creator_id=band.id, person_id=ana.id, title=" Dunst ")

    def arrange(self, album: Release, by: Person, *works: Work) -> None:
        arranging.arrange(release_id=album.id, person_id=by.id, work_ids=[work.id for work in works])

    def order(self, album: Release) -> list[tuple[UUID, int | None]]:
        return list(Work.objects.filter(release=album).order_by("position").values_list("id", "position"))

    def test_works_stand_in_the_order_given_and_leave_when_left_out(
        self, album: Release, ana: Person, band: Creator
    ) -> None:
        one, two, three = (cast.track(band) for _ in range(3))
        self.arrange(album, ana, three, one, two)
        assert self.order(album) == [(three.id, 1), (one.id, 2), (two.id, 3)]
        self.arrange(album, ana, two, three)
        assert self.order(album) == [(two.id, 1), (three.id, 2)]
        one.refresh_from_db()
        assert (one.release_id, one.position, one.state) == (None, None, "published")

    def test_only_works_of_the_same_profile_once(self, album: Release, ana: Person, band: Creator) -> None:
        own, other = cast.track(band), cast.track(cast.creator(cast.person("ben")))
        for works in ((own, other), (own, own)):
            with pytest.raises(Invalid):
                self.arrange(album, ana, *works)
        assert self.order(album) == []

    def test_a_work_that_is_put_on_a_release_comes_last(self, album: Release, ana: Person, band: Creator) -> None:
        one, two = cast.track(band), cast.track(band)
        assert change(one, ana, release_id=album.id).position == 1
        assert change(two, ana, release_id=album.id).position == 2
        assert change(one, ana, release_id=album.id, title="Same place").position == 1
        changed = change(two, ana, release_id=None)
        assert (changed.release_id, changed.position) == (None, None)

    def test_drafts_are_published_together_each_with_its_answer(
        self, album: Release, ana: Person, band: Creator
    ) -> None:
        good, low, done = cast.track(band, state="draft"), cast.track(band, state="draft"), cast.track(band)
        Upload.objects.filter(work=low).update(found={"sample_rate": 8_000})
        self.arrange(album, ana, low, good, done)
        answers = arranging.publish_drafts(release_id=album.id, person_id=ana.id, now=clock.now())
        assert [answer.work_id for answer in answers] == [low.id, good.id]
        assert [answer.refusal.slug if answer.refusal else None for answer in answers] == ["cannot-publish", None]
        states = dict(Work.objects.values_list("id", "state"))
        assert states == {low.id: "draft", good.id: "published", done.id: "published"}

    def test_strangers_and_viewers_arrange_nothing(self, ana: Person) -> None:
        viv = cast.person("viv")
        band = cast.creator(ana, viewers=(viv,))
        album = arranging.found(creator_id=band.id, person_id=ana.id, title="Dunst")
        for person in (viv, cast.person("lars")):
            with pytest.raises(NotFound):
                self.arrange(album, person)
            with pytest.raises(NotFound):
                arranging.found(creator_id=band.id, person_id=person.id, title="Mine")
            with pytest.raises(NotFound):
                arranging.publish_drafts(release_id=album.id, person_id=person.id, now=clock.now())
            with pytest.raises(NotFound):
                arranging.describe(release_id=album.id, person_id=person.id, title="Mine", kind="ep", released_on=None)
