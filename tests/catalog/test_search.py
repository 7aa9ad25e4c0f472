"""Search: words in every script, mistyped words, filters, and pages that skip and double nothing."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog import places, questions, ranking, search
from catalog.finding_models import Finding, Word
from catalog.models import Creator, Release, Work
from catalog.search import Asked
from members import clock
from members.problems import Invalid, NotFound
from tests import callers, cast
from tests.callers import Caller, slug

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> None:
    callers.forget_counts()


def named(by: Creator, title: str, **columns: Any) -> Work:
    """Make a published track with this title."""
    work = cast.track(by)
    Work.objects.filter(id=work.id).update(title=title, **columns)
    work.refresh_from_db()
    return work


def titles(words: str, **asked: Any) -> list[str]:
    found = search.works(
        asked=Asked(words=words, **asked), rows=Work.objects.all(), after="", limit=50, now=clock.now()
    )
    return [work.title for work in found.rows]


def meant(words: str) -> str:
    found = search.works(asked=Asked(words=words), rows=Work.objects.all(), after="", limit=50, now=clock.now())
    return found.question.meant if found.question else ""


def near_words(word: str) -> str:
    """Return the question that a mistyped word becomes."""
    return (questions.near(word)[0].tsquery or "").replace("'", "")


class TestWords:
    @pytest.mark.parametrize(
        ("title", "words"),
        [
            ("Nebula", "nebula"),
            ("Nebula", "NEBULA"),
            ("Nebula", "neb"),
            ("Through Space", "space through"),
            ("Crème brûlée", "creme brulee"),
            ("Creme", "crème"),
            ("Ærø", "aero"),
            ("Straße", "strasse"),
            ("Полночь в Москве", "полночь"),
            ("Полночь в Москве", "ПОЛНОЧЬ МОСКВЕ"),  # noqa: RUF001
            ("Ёлка", "елка"),
            ("夜に駆ける", "夜に駆ける"),
            ("夜に駆ける", "駆ける"),
            ("夜に駆ける", "夜"),
            ("ＡＢＣ", "abc"),  # noqa: RUF001
            ("Café del Mar", "cafe\u0301"),
            ("नमस्ते दुनिया", "दुनिया"),
            ("서울의 밤", "서울"),
            ("ليل طويل", "طويل"),
            ("What's-up: a.b/c", "what's up a.b"),
            ("Track_07", "07"),
        ],
    )
    def test_a_title_is_found_in_every_script(self, band: Creator, title: str, words: str) -> None:
        named(band, title)
        named(band, "Quite Another")
        assert titles(words) == [title]

    def test_creator_release_and_tags_are_searched_too_and_the_title_stands_first(self, band: Creator) -> None:
        album = Release.objects.create(creator=band, title="Comet")
        named(band, "On an album", release=album)
        named(band, "By its tag", tags=["comet", "slow"])
        named(band, "Comet")
        named(band, "Comet Rising")
        assert titles("comet") == ["Comet", "Comet Rising", "On an album", "By its tag"]
        assert set(titles("ana comet")) == {"Comet", "Comet Rising", "On an album", "By its tag"}
        assert titles("slow comet") == ["By its tag"]

    def test_an_old_work_of_exactly_that_title_is_found_among_more_newer_ones_than_are_ranked(
        self, band: Creator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ranking, "RANKED_MOST", 3)
        first = named(band, "Blue")
        Work.objects.filter(id=first.id).update(published_at=clock.now() - timedelta(days=900))
        for number in range(5):
            named(band, f"Blue No {number}")
        assert titles("blue")[0] == "Blue"
        assert len(titles("blue")) == 4

    @pytest.mark.parametrize(
        ("words", "right"),
        [
            ("nebulla", "nebula"),
            ("nebual", "nebula"),
            ("enbula", "nebula"),
            ("nebla", "nebula"),
            ("nebola", "nebula"),
            ("awakning nebula", "awakening nebula"),
            ("awakenign", "awakening"),
            ("маскве", "москве"),
        ],
    )
    def test_a_mistyped_word_finds_what_was_meant_and_says_so(self, band: Creator, words: str, right: str) -> None:
        named(band, "Nebula")
        named(band, "Awakening Nebula")
        named(band, "Полночь в Москве")
        assert meant(words) == right
        assert titles(words) == titles(right) != []
        assert meant(right) == ""

    @pytest.mark.parametrize("words", ["kichten", "ktichen", "kicthen", "kitchne"])
    def test_letters_that_changed_places_are_put_back_among_words_that_are_likelier(
        self, band: Creator, words: str
    ) -> None:
        """More words than are looked at share more trigrams with what was typed than the one that was meant does."""
        named(band, "Kitchen")
        ends = [f"{one}{other}{one}" for one in "bdfgjlm" for other in "pqrsvwxyzb"]
        Word.objects.bulk_create(Word(word=f"kicht{end}") for end in ends)
        assert len(ends) > questions.NEAR_WORDS_LOOKED_AT
        assert "kitchen" in near_words(words)

    @pytest.mark.parametrize(("words", "right"), [("hwat", "what"), ("teh", "the"), ("nad", "and"), ("ocld", "cold")])
    def test_a_swap_in_a_short_word_leaves_nothing_alike_and_is_found(
        self, band: Creator, words: str, right: str
    ) -> None:
        named(band, right.title())
        assert (meant(words), titles(words)) == (right, [right.title()])

    def test_where_no_work_has_all_words_any_will_do(self, band: Creator) -> None:
        named(band, "Nebula")
        named(band, "Awakening")
        assert meant("nebula awakening") == "nebula or awakening"
        assert set(titles("nebula awakening")) == {"Nebula", "Awakening"}

    def test_what_is_like_nothing_finds_nothing(self, band: Creator) -> None:
        named(band, "Nebula")
        assert titles("xyzzyq") == []
        assert titles("!!! ... ''") == []
        assert titles("neb") == ["Nebula"]
        assert titles("nx") == []

    def test_letters_apart_counts_a_swap_once(self) -> None:
        assert questions.letters_apart("nebual", "nebula") == 1
        assert questions.letters_apart("nebula", "nebula") == 0
        assert questions.letters_apart("", "abc") == 3
        assert questions.letters_apart("kitten", "sitting") == 3

    @settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(words=st.text(max_size=60))
    @example(words="\x00")
    @example(words="'' | & ! <-> :*")
    @example(words="\\ ':* \\'")
    @example(words="a" * 200)
    @example(words="夜" * 60)
    @example(words="%_\u200d\ufeff")
    @example(words="((((")
    def test_whatever_is_asked_is_answered(self, band: Creator, words: str) -> None:
        callers.forget_counts()
        if not Work.objects.exists():  # the examples share one database
            named(band, "Nebula 夜")
        for path in ("/browse", "/photos", "/creators"):
            assert Client().get(path, {"q": words, "tag": words}).status_code == 200
        for path in ("works", "creators", "releases"):
            assert Client().get(f"/api/v1/{path}", {"q": words}).status_code in (200, 400)
        assert isinstance(titles(words), list)


class TestWhatIsFound:
    def test_only_what_is_published_and_as_it_is_called_now(self, band: Creator) -> None:
        work = named(band, "Nebula")
        draft = cast.track(band, state="draft")
        Work.objects.filter(id=draft.id).update(title="Nebula in the works")
        assert titles("nebula") == ["Nebula"]
        assert not Word.objects.filter(word="works").exists()
        Work.objects.filter(id=work.id).update(title="Comet", tags=["slow"])
        assert (titles("nebula"), titles("comet"), titles("slow")) == ([], ["Comet"], ["Comet"])
        Work.objects.filter(id=work.id).update(state="off", off_at=clock.now())
        assert titles("comet") == []
        assert Finding.objects.count() == 0
        Work.objects.filter(id=work.id).update(state="published")
        assert titles("comet") == ["Comet"]
        Work.objects.filter(id=work.id).update(state="suspended")
        assert titles("comet") == []

    def test_a_renamed_creator_and_release_are_found_by_their_new_names_alone(self, band: Creator) -> None:
        album = Release.objects.create(creator=band, title="First Light")
        named(band, "Nebula", release=album)
        Creator.objects.filter(id=band.id).update(name="Maxstack")
        Release.objects.filter(id=album.id).update(title="Second Dawn")
        assert titles("maxstack") == titles("second dawn") == ["Nebula"]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT vector @@ 'ana', vector @@ 'light', vector @@ 'maxstack & dawn' FROM catalog_finding"
            )
            assert cursor.fetchone() == (False, False, True)

    def test_filters(self, band: Creator) -> None:
        other = cast.creator(cast.person("ben"))
        album = Release.objects.create(creator=band, title="Album")
        named(band, "Free Nebula", price_micros=0, licence="cc0-1.0", lossless=False)
        named(band, "Nebula on it", release=album, tags=["slow", "dark"], price_micros=500_000)
        named(other, "Their Nebula")
        named(band, "Nebula seen", kind="photo")
        for words in ("", "nebula"):
            assert set(titles(words, free=True)) == {"Free Nebula"}
            assert "Free Nebula" not in titles(words, free=False)
            assert len(titles(words, free=False)) == 3
            assert titles(words, licence="cc0-1.0") == ["Free Nebula"]
            assert titles(words, lossless=False) == ["Free Nebula"]
            assert titles(words, release=album.id) == ["Nebula on it"]
            assert titles(words, tag="dark") == ["Nebula on it"]
            assert titles(words, creator=other.slug) == ["Their Nebula"]
            assert titles(words, kind="photo") == ["Nebula seen"]
            assert len(titles(words)) == 4


class TestPages:
    @pytest.mark.parametrize("words", ["", "nebula", "nebulla"])
    def test_equal_works_at_a_pages_edge_are_neither_skipped_nor_doubled(self, band: Creator, words: str) -> None:
        moment = clock.now() - timedelta(days=1)
        for _ in range(23):
            named(band, "Nebula", published_at=moment)
        seen: list[UUID] = []
        after = ""
        for page in range(6):
            found = search.works(
                asked=Asked(words=words), rows=Work.objects.all(), after=after, limit=4, now=clock.now()
            )
            seen += [work.id for work in found.rows]
            after = found.after
            if page == 1:  # what is published meanwhile, and taken off, moves nothing
                named(band, "Nebula")
                gone = Work.objects.exclude(id__in=seen).filter(published_at=moment).order_by("-id").first()
                assert gone is not None
                Work.objects.filter(id=gone.id).update(state="off", off_at=moment)
        assert after == ""
        assert len(seen) == len(set(seen)) == 22

    def test_a_place_of_another_list_or_of_nobody_is_refused(self, band: Creator) -> None:
        stranger = Caller(None)
        for cursor in ("x", "!", "a" * 2_000, "%00", places.write("creators", clock.now(), band.id)):
            assert slug(stranger.get(f"works?cursor={cursor}")) == "invalid"
            assert slug(stranger.get(f"works?q=nebula&cursor={cursor}")) == "invalid"
        with pytest.raises(Invalid):
            places.read(places.write("works", 1), "works", UUID)
        assert Client().get("/browse?after=x").status_code == 400

    def test_the_pages_of_the_api_lead_to_each_other(self, band: Creator) -> None:
        for number in range(5):
            named(band, f"Nebula {number}")
        address, seen = "/api/v1/works?q=nebula&page_size=2", []
        while address:
            said = json.loads(Client().get(address).content)
            seen += [work["title"] for work in said["results"]]
            address = (said["next"] or "").removeprefix("http://testserver")
        assert sorted(seen) == [f"Nebula {number}" for number in range(5)]

    @pytest.mark.parametrize(
        "path",
        ["works", "works?q=nebula", "works?q=nebulla", "creators", "creators?q=ana", "releases", "releases?q=album"],
    )
    def test_a_list_of_the_api_costs_the_same_however_long_it_is(self, path: str) -> None:
        assert len(self._costs(f"/api/v1/{path}", None)) == 1

    @pytest.mark.parametrize("path", ["/", "/browse", "/browse?q=nebula", "/browse?q=nebulla", "/photos", "/creators"])
    @pytest.mark.parametrize("signed_in", [False, True])
    def test_a_page_costs_the_same_however_long_it_is(self, path: str, signed_in: bool) -> None:  # noqa: FBT001
        assert len(self._costs(path, cast.person("lena") if signed_in else None)) == 1

    @staticmethod
    def _costs(path: str, person: Any) -> set[int]:
        browser, costs = Client(), set()
        if person:
            browser.force_login(person)
        for more in (2, 7):
            for number in range(more):
                band = cast.creator(cast.person("ana"))
                album = Release.objects.create(creator=band, title="Album")
                named(band, "Nebula", release=album, kind="photo" if number % 2 else "track")
            browser.get(path)  # what is remembered in the process is looked up once
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert browser.get(path).status_code == 200
            costs.add(len(queries))
        return costs


class TestCreatorsAndReleases:
    def test_creators_are_found_by_name_and_mistyped_name_the_exact_one_first(self) -> None:
        for name in ("Maxstack", "Maxstack Orchestra", "Ana"):
            profile = cast.creator(cast.person())
            Creator.objects.filter(id=profile.id).update(name=name)
            profile.refresh_from_db()
            named(profile, "Something")
        asked = Caller(None)
        found = [one["name"] for one in json.loads(asked.get("creators?q=maxstack").content)["results"]]
        assert found == ["Maxstack", "Maxstack Orchestra"]
        found = [one["name"] for one in json.loads(asked.get("creators?q=makstack").content)["results"]]
        assert found == ["Maxstack", "Maxstack Orchestra"]
        assert len(json.loads(asked.get("creators").content)["results"]) == 3

    def test_names_in_pages_skip_and_double_nothing_and_the_exact_ones_come_first(self) -> None:
        moment = clock.now() - timedelta(days=1)
        for number in range(11):
            profile = cast.creator(cast.person())
            called = "Maxstack" if number % 2 else f"Maxstack {number}"
            Creator.objects.filter(id=profile.id).update(name=called, created_at=moment)
            Release.objects.create(creator=profile, title=called)
            named(profile, "Something", release=Release.objects.get(creator=profile))
        for path in ("creators?q=maxstack", "releases?q=maxstack", "creators?q=makstack"):
            address, seen = f"/api/v1/{path}&page_size=3", []
            while address:
                said = json.loads(Client().get(address).content)
                seen += said["results"]
                address = (said["next"] or "").removeprefix("http://testserver")
            names = [one.get("name") or one.get("title") for one in seen]
            assert names[:5] == ["Maxstack"] * 5, path
            assert set(names[5:]) == {f"Maxstack {number}" for number in range(0, 11, 2)}
            assert len({one.get("slug") or one["id"] for one in seen}) == 11

    def test_a_closed_profile_is_in_no_list(self, band: Creator) -> None:
        named(band, "Nebula")
        Creator.objects.filter(id=band.id).update(closed_at=clock.now())
        assert json.loads(Caller(None).get("creators").content)["results"] == []
        assert Caller(None).get(f"creators/{band.slug}").status_code == 404
        assert Client().get(f"/creators/{band.slug}").status_code == 404
        with pytest.raises(NotFound):
            search.creator_of(band.slug)

    def test_a_release_is_listed_from_its_first_published_work_on_and_shows_them_in_order(self, band: Creator) -> None:
        album = Release.objects.create(creator=band, title="Nebula Suite", kind="ep")
        asked = Caller(None)
        assert json.loads(asked.get("releases").content)["results"] == []
        assert asked.get(f"releases/{album.id}").status_code == 404
        second = named(band, "Two", release=album, position=2, price_micros=500_000)
        first = named(band, "One", release=album, position=1, price_micros=500_000)
        draft = cast.track(band, state="draft")
        Work.objects.filter(id=draft.id).update(release=album, position=3)
        expected = {
            "id": str(album.id),
            "kind": "ep",
            "title": "Nebula Suite",
            "creator": band.slug,
            "creator_name": "Ana",
            "released_on": None,
            "published": 2,
        }
        assert json.loads(asked.get("releases?q=nebula").content)["results"] == [expected]
        assert json.loads(asked.get(f"releases?creator={band.slug}").content)["results"] == [expected]
        assert json.loads(asked.get("releases?creator=nobody").content)["results"] == []
        said = json.loads(asked.get(f"releases/{album.id}").content)
        assert {name: said[name] for name in expected} == expected
        assert [work["id"] for work in said["works"]] == [str(first.id), str(second.id)]
        assert said["purchase_micros"] == 1_000_000
        assert len(said["list_hash"]) == 64


class TestPagesForPeople:
    def test_a_page_says_what_a_mistyped_word_was_taken_for(self, band: Creator) -> None:
        named(band, "Nebula")
        page = Client().get("/browse?q=nebulla").content.decode()
        assert "<b>nebula</b>" in page
        assert ">Nebula</a>" in page
        page = Client().get("/browse?q=xyzzyq").content.decode()
        assert "Nothing has “xyzzyq”" in page

    def test_what_is_no_filter_narrows_nothing(self, band: Creator) -> None:
        named(band, "Nebula")
        page = Client().get("/browse?kind=film&licence=none&release=7&free=maybe").content.decode()
        assert ">Nebula</a>" in page

    def test_filters_are_links_that_keep_the_others(self, band: Creator) -> None:
        named(band, "Nebula", tags=["dark"], price_micros=0)
        page = Client().get("/browse?q=nebula&tag=dark&free=1").content.decode()
        assert 'href="/browse?q=nebula&amp;tag=dark&amp;free=1&amp;kind=photo"' in page
        assert 'href="/browse?q=nebula&amp;free=1"' in page
        assert '<input type="hidden" name="tag" value="dark">' in page

    def test_words_come_back_as_text(self) -> None:
        page = Client().get("/browse", {"q": '"><script>alert(1)</script>'}).content.decode()
        assert "<script>alert" not in page
