"""The catalogue over HTTP: works, ladders, creators, uploads, and what a creator does with a work."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Creator, Release, SplitLine, Upload, Work
from members import clock
from members.models import Person
from tests import callers, cast, media
from tests.callers import Caller, slug
from tests.catalog.conftest import finish

pytestmark = pytest.mark.django_db
STEPS = [2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000]


@pytest.fixture(autouse=True)
def _fresh() -> None:
    callers.forget_counts()


@pytest.fixture
def ask(ana: Person) -> Caller:
    return Caller(ana, "publish")


def said(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.content
    return json.loads(answer.content)


def ids(answer: Any) -> list[str]:
    return [work["id"] for work in said(answer)["results"]]


class TestWorks:
    def test_a_work_as_everyone_sees_it(self, band: Creator) -> None:
        album = Release.objects.create(creator=band, title="Nebula")
        work = cast.track(band, price_micros=500_000)
        Work.objects.filter(id=work.id).update(release=album, position=3)
        published_at = work.published_at
        assert published_at is not None
        expected = {
            "id": str(work.id),
            "kind": "track",
            "title": work.title,
            "creator": band.slug,
            "creator_name": "Ana",
            "release": str(album.id),
            "position": 3,
            "state": "published",
            "price_micros": 500_000,
            "currency": "EUR",
            "licence": "all-rights-reserved",
            "origin": "human",
            "explicit": False,
            "historic": False,
            "credits": [],
            "isrc": "",
            "language": "",
            "tags": [],
            "alternative_text": "",
            "musicbrainz_recording": None,
            "duration_ms": 180_000,
            "width": None,
            "height": None,
            "lossless": True,
            "published_at": published_at.astimezone(clock.zone()).isoformat(),
        }
        stranger = Caller(None)
        assert said(stranger.get(f"works/{work.id}")) == expected
        assert said(stranger.get("works")) == {"results": [expected], "next": None}

    def test_the_list_page_by_page_costs_the_same_however_long_it_is(self, band: Creator) -> None:
        stranger, now = Caller(None), clock.now()
        costs = []
        for more in (3, 57):
            for number in range(more):
                cast.track(band, now=now + timedelta(seconds=number + more))
            with CaptureQueriesContext(connection) as asked:
                first = said(stranger.get("works"))
            costs.append(len(asked))
        assert costs == [2, 2]
        assert len(first["results"]) == 50
        second = said(stranger.get(first["next"].partition("/api/v1/")[2]))
        assert (len(second["results"]), second["next"]) == (10, None)
        every = [work["id"] for work in first["results"] + second["results"]]
        newest_first = [str(work) for work in Work.objects.order_by("-created_at", "-id").values_list("id", flat=True)]
        assert every == newest_first

    def test_works_that_came_between_two_pages_shift_nothing(self, band: Creator) -> None:
        for _ in range(4):
            cast.track(band)
        first = said(Caller(None).get("works?page_size=2"))
        cast.track(band)
        second = said(Caller(None).get(first["next"].partition("/api/v1/")[2]))
        assert not {work["id"] for work in first["results"]} & {work["id"] for work in second["results"]}
        assert len(second["results"]) == 2

    def test_asking_for_some_of_them(self, band: Creator) -> None:
        bens = cast.creator(cast.person("ben"))
        album = Release.objects.create(creator=band, title="Nebula")
        one, two, three = cast.track(band), cast.track(band), cast.track(bens)
        Work.objects.filter(id=one.id).update(title="Die Übung", release=album)
        Work.objects.filter(id=two.id).update(title="100% _under_ [a] \\slash")
        stranger = Caller(None)
        for query, found in (
            ("q=%C3%BCBUNG", [one]),
            ("q=ben", [three]),
            ("q=100%25", [two]),
            ("q=_under_", [two]),
            ("q=%5Cslash", [two]),
            ("q=%25", []),  # a sign alone is no word
            ("q=nothing+of+the+kind", []),
            ("q=", [three, two, one]),
            (f"creator={bens.slug}", [three]),
            ("creator=nobody", []),
            (f"release={album.id}", [one]),
            (f"release={uuid4()}", []),
            ("kind=track", [three, two, one]),
            ("kind=photo", []),
            (f"kind=track&creator={band.slug}&q=slash", [two]),
            ("unknown=1", [three, two, one]),
        ):
            assert ids(stranger.get(f"works?{query}")) == [str(work.id) for work in found], query

    @pytest.mark.parametrize(
        "query",
        ["kind=song", "kind=", "release=1", "release=", "mine=perhaps", "q=%00", "creator=%00", f"q={'x' * 201}"],
    )
    def test_asking_for_what_cannot_be(self, query: str) -> None:
        answer = Caller(None).get(f"works?{query}")
        assert (answer.status_code, slug(answer)) == (400, "invalid")

    def test_only_published_works_are_for_everyone_and_ones_own_are_all_there(self, band: Creator, ana: Person) -> None:
        works = {state: cast.track(band, state=state) for state in ("published", "draft", "off", "suspended")}
        shown = [str(works["published"].id)]
        assert ids(Caller(None).get("works")) == shown
        assert ids(Caller(cast.person()).get("works")) == shown
        assert ids(Caller(ana).get("works")) == shown
        assert set(ids(Caller(ana).get("works?mine=true"))) == {str(work.id) for work in works.values()}
        assert ids(Caller(None).get("works?mine=1")) == []
        assert ids(Caller(cast.person()).get("works?mine=1")) == []

    def test_a_draft_is_nowhere_but_for_its_people(self, band: Creator, ana: Person) -> None:
        draft = cast.track(band, state="draft")
        assert said(Caller(ana).get(f"works/{draft.id}"))["state"] == "draft"
        for ask in (Caller(None), Caller(cast.person())):
            for path in (f"works/{draft.id}", f"works/{draft.id}/ladder", f"works/{uuid4()}"):
                assert slug(ask.get(path)) == "not-found"

    def test_what_was_taken_off_or_suspended_says_so(self, band: Creator) -> None:
        for state in ("off", "suspended"):
            work = cast.track(band, state=state)
            assert said(Caller(None).get(f"works/{work.id}"))["state"] == state

    def test_the_ladder(self, band: Creator) -> None:
        follows, own, gift = cast.track(band), cast.track(band, price_micros=400_000), cast.track(band, price_micros=0)
        stranger = Caller(None)
        assert said(stranger.get(f"works/{follows.id}/ladder")) == {
            "work": str(follows.id),
            "currency": "EUR",
            "pricing_version": 1,
            "pricing_href": "/policies/pricing#v1",
            "price_micros": 1_022_000,
            "steps_micros": STEPS,
        }
        found = said(stranger.get(f"works/{own.id}/ladder"))
        assert (found["price_micros"], sum(found["steps_micros"]), len(found["steps_micros"])) == (400_000, 400_000, 9)
        found = said(stranger.get(f"works/{gift.id}/ladder"))
        assert (found["price_micros"], found["steps_micros"]) == (0, [])


class TestPublishing:
    @pytest.fixture
    def draft(self, band: Creator) -> Work:
        return cast.track(band, state="draft")

    def test_a_draft_comes_before_the_public_with_a_sheet_for_its_publisher(
        self, draft: Work, ask: Caller, ana: Person
    ) -> None:
        found = said(ask.post(f"works/{draft.id}/publish"))
        assert found["state"] == "published"
        assert found["published_at"] is not None
        line = SplitLine.objects.get()
        assert (line.person_id, line.share_ppm, line.sheet.work_id) == (ana.id, 1_000_000, draft.id)
        assert said(ask.post(f"works/{draft.id}/publish")) == found
        assert ids(Caller(None).get("works")) == [str(draft.id)]

    def test_the_content_rule_refuses_with_its_version(self, draft: Work, ask: Caller) -> None:
        Upload.objects.filter(work=draft).update(found={"sample_rate": 8_000})
        answer = ask.post(f"works/{draft.id}/publish")
        assert (answer.status_code, slug(answer)) == (409, "cannot-publish")
        content = json.loads(answer.content)
        assert (content["rule"], content["policy_version"]) == ("sample_rate_min", 1)
        assert said(ask.get(f"works/{draft.id}"))["state"] == "draft"
        said(ask("PATCH", f"works/{draft.id}", {"historic": True}))
        assert said(ask.post(f"works/{draft.id}/publish"))["state"] == "published"

    def test_taken_off_and_published_again_keeps_its_day(self, draft: Work, ask: Caller) -> None:
        first = said(ask.post(f"works/{draft.id}/publish"))
        off = said(ask.post(f"works/{draft.id}/take-off"))
        assert (off["state"], off["published_at"]) == ("off", first["published_at"])
        assert said(ask.post(f"works/{draft.id}/take-off")) == off
        clock.set_offset(timedelta(days=3))
        assert said(ask.post(f"works/{draft.id}/publish")) == first

    def test_a_suspended_work_is_published_by_an_appeal_alone(self, draft: Work, ask: Caller) -> None:
        Work.objects.filter(id=draft.id).update(state="suspended")
        assert slug(ask.post(f"works/{draft.id}/publish")) == "cannot-publish"
        assert said(ask.post(f"works/{draft.id}/take-off"))["state"] == "suspended"

    def test_what_may_be_changed(self, draft: Work, ask: Caller) -> None:
        change = {
            "title": "Nebel – 霧",
            "price_micros": 333_333,
            "licence": "cc-by-4.0",
            "origin": "ai-assisted",
            "explicit": True,
            "historic": True,
        }
        found = said(ask("PATCH", f"works/{draft.id}", change))
        assert {name: found[name] for name in change} == change
        assert said(ask("PATCH", f"works/{draft.id}", {"price_micros": None}))["price_micros"] is None
        assert said(ask("PATCH", f"works/{draft.id}", {}))["title"] == "Nebel – 霧"

    @pytest.mark.parametrize(
        "change",
        [
            {"title": ""},
            {"title": "   "},
            {"title": "x" * 301},
            {"title": "a\x00b"},
            {"title": None},
            {"title": 7},
            {"price_micros": -1},
            {"price_micros": 199_999},
            {"price_micros": 50_000_001},
            {"price_micros": 1e6},
            {"price_micros": True},
            {"price_micros": "1022000"},
            {"licence": "mine"},
            {"licence": None},
            {"origin": "god"},
            {"explicit": "yes"},
            {"explicit": 1},
            {"explicit": None},
            {"state": "published"},
            {"creator": "another"},
            {"id": str(uuid4())},
            {"title": "New", "price_micros": 1},
            [],
        ],
    )
    def test_what_may_not(self, draft: Work, ask: Caller, change: Any) -> None:
        before = callers.digest()
        answer = ask("PATCH", f"works/{draft.id}", change)
        assert (answer.status_code, slug(answer)) == (400, "invalid")
        assert callers.digest() == before

    def test_who_runs_the_profile(self, band: Creator, draft: Work) -> None:
        """Owners and editors change and publish; who may look may look."""
        roles = {name: cast.person(name) for name in ("editor", "viewer", "payee")}
        band.roles.create(person=roles["editor"], role="editor")
        band.roles.create(person=roles["viewer"], role="viewer")
        for name, status in (("viewer", 404), ("payee", 404), ("editor", 200)):
            ask = Caller(roles[name], "publish")
            assert ask("PATCH", f"works/{draft.id}", {"title": name}).status_code == status
            assert ask.post(f"works/{draft.id}/publish").status_code == status
            assert ask.post(f"works/{draft.id}/take-off").status_code == status


@pytest.mark.usefixtures("band", "store")
class TestUploads:
    def send(self, ask: Caller, content: bytes, name: str = "song.flac", **fields: Any) -> Any:
        file = SimpleUploadedFile(name, content, content_type="audio/flac")
        return ask.client.post("/api/v1/uploads", {"file": file, **fields}, headers=ask.headers)

    def test_from_a_file_to_a_work_that_is_heard(self, ask: Caller, band: Creator, store: Path) -> None:
        content = media.make("flac", seconds=24, tags=(("title", "Nebel"), ("album", "Dunst"))).read_bytes()
        sent = said(self.send(ask, content), 202)
        assert sent == {"id": sent["id"], "state": "received", "percent": 0, "reason": "", "work": None}
        assert said(ask.get(f"uploads/{sent['id']}")) == sent
        upload = Upload.objects.get(id=sent["id"])
        assert (upload.size_bytes, upload.filename) == (len(content), "song.flac")
        assert (store / upload.original_key).read_bytes() == content
        finish(upload)
        done = said(ask.get(f"uploads/{sent['id']}"))
        assert done == {**sent, "state": "ready", "percent": 100, "work": done["work"]}
        work = said(ask.get(f"works/{done['work']}"))
        assert (work["title"], work["state"], work["creator"], work["lossless"]) == ("Nebel", "draft", band.slug, True)
        assert said(ask.post(f"works/{done['work']}/publish"))["state"] == "published"
        opening = said(Caller(None).get(f"works/{done['work']}/opening"))
        playlist = Client().get(opening["playlist_url"].partition("://")[2].partition("/")[2].join(["/", ""]))
        assert playlist.status_code == 200
        assert playlist.content.count(b"#EXTINF") == 9

    def test_the_same_file_again(self, ask: Caller) -> None:
        content = media.make("flac", seconds=4).read_bytes()
        first = said(self.send(ask, content), 202)
        assert said(self.send(ask, content, "another name.flac"), 202)["id"] == first["id"]
        finish(Upload.objects.get(id=first["id"]))
        answer = self.send(ask, content)
        assert slug(answer) == "already-uploaded"
        work = said(ask.get(f"uploads/{first['id']}"))["work"]
        assert said(answer, 409)["work"] == work

    def test_a_file_that_is_refused_says_why(self, ask: Caller, store: Path) -> None:
        sent = said(self.send(ask, b"This is a text and not a song.", "song.flac"), 202)
        finish(Upload.objects.get(id=sent["id"]))
        refused = said(ask.get(f"uploads/{sent['id']}"))
        assert (refused["state"], refused["work"]) == ("rejected", None)
        assert len(refused["reason"]) > 20
        assert not list((store / "originals").iterdir())

    def test_an_empty_file(self, ask: Caller) -> None:
        answer = self.send(ask, b"")
        assert slug(answer) == "invalid"
        assert "empty" in said(answer, 400)["detail"]
        assert not Upload.objects.exists()

    def test_a_file_that_is_too_large(self, ask: Caller, store: Path, settings: Any) -> None:
        settings.UPLOAD_BYTES_MAX = 10_000
        before = callers.digest()
        answer = self.send(ask, b"x" * 10_001)
        assert slug(answer) == "file-too-large"
        assert said(answer, 413)["bytes_most"] == 10_000
        assert callers.digest() == before
        assert not list(store.iterdir())
        assert said(self.send(ask, b"x" * 10_000), 202)["state"] == "received"

    def test_which_profile(self, ask: Caller, ana: Person) -> None:
        second = cast.creator(ana)
        answer = self.send(ask, b"one")
        assert "which creator profile" in said(answer, 400)["detail"]
        sent = said(self.send(ask, b"one", creator=second.slug), 202)
        assert Upload.objects.get(id=sent["id"]).creator_id == second.id
        for other in (cast.creator(cast.person("ben")).slug, "nobody"):
            assert slug(self.send(ask, b"two", creator=other)) == "not-found"
        nobody = Caller(cast.person("lars"), "publish")
        assert "no creator profile" in said(self.send(nobody, b"three"), 400)["detail"]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"--x--\r\n",
            b"--x\r\n",
            b"no parts at all",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nnot a file\r\n--x--\r\n',
            b'--x\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nx\r\n--x--\r\n',
            b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\nx\r\n--x--\r\n',
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="'
            + b"n" * 2_000
            + b'"\r\n\r\nx\r\n--x--\r\n',
            b"--x\r\n" + b"A: b\r\n" * 5_000 + b"\r\nx\r\n--x--\r\n",
        ],
    )
    def test_a_form_without_a_file(self, ask: Caller, body: bytes) -> None:
        before = callers.digest()
        answer = ask.post("uploads", body, **{"Content-Type": "multipart/form-data; boundary=x"})
        assert (answer.status_code, slug(answer)) == (400, "invalid")
        assert callers.digest() == before

    @pytest.mark.parametrize("kind", ["application/json", "audio/flac", "application/x-www-form-urlencoded", ""])
    def test_what_is_no_form(self, ask: Caller, kind: str) -> None:
        answer = ask.post("uploads", b"fLaC", **{"Content-Type": kind})
        assert (answer.status_code, slug(answer)) == (415, "unsupported-media-type")

    @pytest.mark.parametrize(
        "kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\xff"]
    )
    def test_a_form_without_its_boundary(self, ask: Caller, kind: str) -> None:
        answer = ask.post("uploads", b"--x\r\n", **{"Content-Type": kind})
        assert (answer.status_code, slug(answer)) == (400, "invalid")

    @pytest.mark.parametrize(
        "name",
        ["../../etc/passwd", "a/b.flac", "\u202eflac.exe", "Übung – 霧.flac", "c\x01d.flac", "x" * 900 + ".flac"],
    )
    def test_names_are_kept_harmless(self, ask: Caller, name: str) -> None:
        sent = said(self.send(ask, b"not a song", name), 202)
        kept = Upload.objects.get(id=sent["id"])
        assert len(kept.filename) <= 255
        assert "/" not in kept.filename
        assert kept.original_key == f"originals/{kept.id}"

    def test_another_persons_upload_is_nowhere(self, ask: Caller) -> None:
        sent = said(self.send(ask, b"not a song"), 202)
        for path in (f"uploads/{sent['id']}", f"uploads/{uuid4()}"):
            assert slug(Caller(cast.person()).get(path)) == "not-found"


class TestCreators:
    def test_profiles_newest_first(self) -> None:
        profiles = [cast.creator(cast.person(name)) for name in ("ana", "ben")]
        Creator.objects.filter(id=profiles[1].id).update(created_at=clock.now() + timedelta(minutes=1))
        found = said(Caller(None).get("creators"))
        assert found == {
            "results": [
                {"slug": profiles[1].slug, "name": "Ben", "about": ""},
                {"slug": profiles[0].slug, "name": "Ana", "about": ""},
            ],
            "next": None,
        }
        assert said(Caller(None).get(f"creators/{profiles[0].slug}")) == found["results"][1]
        assert slug(Caller(None).get("creators/nobody")) == "not-found"


def test_ids_are_random(band: Creator) -> None:
    assert {UUID(str(cast.track(band).id)).version for _ in range(3)} == {4}
