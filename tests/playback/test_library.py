"""The library over HTTP and its pages: what is owned stays in every state, what is on the way shows how far it is."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.copies import downloads
from catalog.models import Creator, Download, Release, Upload, Work
from members import clock
from playback import library, takings
from playback.following_models import Favourite
from playback.models import Holding
from tests import callers, cast
from tests.callers import Caller, slug
from tests.playback.kept_files import give_cover, keep, own
from tests.playback.story import STEPS, WHOLE, Story, said

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>'


@pytest.fixture
def story(db: None) -> Story:
    callers.forget_counts()
    made = Story()
    cast.top_up(made.lena, 20_000)
    return made


@pytest.fixture
def page(story: Story) -> Client:
    """Give a browser in which Lena is signed in."""
    browser = Client()
    browser.force_login(story.lena)
    return browser


def titled(story: Story, *titles: str, **fields: Any) -> list[Work]:
    made = [cast.track(story.profile, **fields) for _ in titles]
    for work, title in zip(made, titles, strict=True):
        Work.objects.filter(id=work.id).update(title=title)
        work.title = title
    return made


def shown(found: dict[str, Any]) -> list[str]:
    return [work["title"] for work in found["results"]]


# The list.


def test_an_empty_library(story: Story, page: Client) -> None:
    assert said(story.ask.get("library")) == {"results": [], "next": None}
    text = page.get("/library").content.decode()
    assert "Nothing is yours yet" in text
    assert "Nothing is on the way" in text


def test_what_is_on_the_way_says_how_far_and_what_comes_next(story: Story) -> None:
    for _ in range(3):
        story.play()
    (found,) = said(story.ask.get("library"))["results"]
    assert found == {
        "work": str(story.work.id),
        "kind": "track",
        "title": story.work.title,
        "creator": "Ana",
        "release": "",
        "state": "published",
        "owned": False,
        "owned_since": None,
        "kept_free": False,
        "paid_micros": sum(STEPS[:3]),
        "cap_micros": WHOLE,
        "remaining_micros": WHOLE - sum(STEPS[:3]),
        "currency": "EUR",
        "plays": 9,
        "paid_plays": [1, 2, 3],
        "play_number": 4,
        "price_micros": 16_000,
        "until": None,
        "cover_url": None,
    }


def test_what_is_owned_asks_nothing_more(story: Story) -> None:
    own(story.lena, story.work)
    (found,) = said(story.ask.get("library?state=owned"))["results"]
    assert (found["owned"], found["price_micros"], found["play_number"], found["remaining_micros"]) == (
        True,
        None,
        None,
        0,
    )
    assert said(story.ask.get("library?state=begun"))["results"] == []


def test_a_charge_given_back_takes_the_work_out(story: Story) -> None:
    story.play()
    cast.give_back(cast.last_charge(story.lena))
    assert Holding.objects.exists()
    assert said(story.ask.get("library"))["results"] == []
    assert library.counts(person_id=story.lena.id) == library.Counts(owned=0, begun=0, paid_micros=0)


def test_the_library_is_ones_own(story: Story) -> None:
    own(story.lena, story.work)
    assert said(Caller(cast.person("lars")).get("library"))["results"] == []


def test_the_orders(story: Story) -> None:
    other = cast.creator(cast.person("zoe"))
    beta, alpha = titled(story, "beta", "Alpha")
    gamma = cast.track(other)
    Work.objects.filter(id=gamma.id).update(title="Gamma")
    own(story.lena, beta)
    for _ in range(2):
        story.play(alpha)
    story.play(gamma)
    for sort, titles in (
        ("recent", ["Gamma", "Alpha", "beta"]),
        ("title", ["Alpha", "beta", "Gamma"]),
        ("creator", ["Alpha", "beta", "Gamma"]),
        ("nearest", ["beta", "Alpha", "Gamma"]),
    ):
        assert shown(said(story.ask.get(f"library?sort={sort}"))) == titles, sort
    Creator.objects.filter(id=other.id).update(name="aaron")
    assert shown(said(story.ask.get("library?sort=creator"))) == ["Gamma", "Alpha", "beta"]


@pytest.mark.parametrize("sort", ["recent", "title", "creator", "nearest"])
def test_the_pages_follow_each_other_without_a_gap(story: Story, sort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    works = titled(story, *("the same" for _ in range(5)))
    for work in works:
        story.play(work)
    own(story.lena, works[0])
    own(story.lena, works[3])
    monkeypatch.setattr(library.shelf, "__kwdefaults__", {**library.shelf.__kwdefaults__, "limit": 2})
    ids, path = [], f"library?sort={sort}"
    while path:
        found = said(story.ask.get(path))
        assert len(found["results"]) <= 2
        ids += [work["work"] for work in found["results"]]
        path = found["next"].partition("/api/v1/")[2] if found["next"] else ""
    assert len(ids) == 5
    assert set(ids) == {str(work.id) for work in works}


def test_words_are_looked_for_in_title_creator_and_release(story: Story) -> None:
    one, two = titled(story, "Morning Coffee", "Evening Tea")
    release = Release.objects.create(creator=story.profile, title="Hot 100% drinks")
    Work.objects.filter(id=two.id).update(release=release)
    own(story.lena, one)
    own(story.lena, two)
    for words, titles in (
        ("coffee MORN", ["Morning Coffee"]),
        ("ana", ["Evening Tea", "Morning Coffee"]),
        ("drinks", ["Evening Tea"]),
        ("100%25", ["Evening Tea"]),
        ("100_", []),
        ("nothing", []),
        ("", ["Evening Tea", "Morning Coffee"]),
    ):
        assert shown(said(story.ask.get(f"library?sort=title&q={words}"))) == titles, words
    assert shown(said(story.ask.get("library?kind=photo"))) == []


@pytest.mark.parametrize(
    "query",
    [
        "state=mine",
        "sort=price",
        "kind=film",
        "cursor=x",
        "cursor=W10",
        "cursor=bnVsbA",
        "sort=nearest&cursor=WyJuZWFyZXN0Iiw5OTk5OTk5OTk5OTk5OTk5OTk5OTksIjAiXQ",
        "cursor=" + "W" * 1_500,
        "q=" + "x" * 201,
        "q=a%00b",
    ],
)
def test_what_cannot_be_asked(story: Story, query: str) -> None:
    answer = story.ask.get(f"library?{query}")
    assert (answer.status_code, slug(answer)) == (400, "invalid")


def test_a_cursor_of_one_order_is_none_of_another(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    for work in titled(story, "a", "b"):
        own(story.lena, work)
    monkeypatch.setattr(library.shelf, "__kwdefaults__", {**library.shelf.__kwdefaults__, "limit": 1})
    cursor = said(story.ask.get("library?sort=title"))["next"].rpartition("cursor=")[2]
    assert slug(story.ask.get(f"library?sort=recent&cursor={cursor}")) == "invalid"
    assert shown(said(story.ask.get(f"library?sort=title&cursor={cursor}"))) == ["b"]


def test_twelve_works_cost_as_many_queries_as_four(story: Story, page: Client) -> None:
    paths = [
        "/library",
        "/library?show=owned&q=a",
        "/library?show=begun",
        "/library?show=favourites",
        "/api/v1/library",
    ]

    def fill(*titles: str) -> None:
        for i, work in enumerate(titled(story, *titles)):
            story.play(work)
            if i % 2:
                own(story.lena, work)
            Favourite.objects.create(listener=story.lena, work=work, marked_at=clock.now())

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert page.get(path).status_code == 200
        return len(queries)

    fill(*(f"a{n}" for n in range(4)))
    for path in paths:
        asked(path)
    before = {path: asked(path) for path in paths}
    fill(*(f"a{n}" for n in range(4, 12)))
    assert {path: asked(path) for path in paths} == before
    assert before["/library"] <= 24


# Whatever becomes of the work.


def in_catalogue(work: Work, *, state: str) -> None:
    """Let the work come into a state, as its creator, staff or the end of a profile bring it there."""
    if state == "closed":
        Creator.objects.filter(id=work.creator_id).update(closed_at=clock.now())
        state = "off"
    Work.objects.filter(id=work.id).update(state=state, off_at=clock.now() if state == "off" else None)


@pytest.mark.parametrize("state", ["off", "suspended", "closed"])
def test_what_is_owned_plays_downloads_and_is_certified_whatever_becomes_of_it(
    story: Story, page: Client, store: Any, state: str
) -> None:
    own(story.lena, story.work)
    file = keep(store, story.work, format="mp3")
    Download.objects.filter(id=file.id).update(fingerprint=downloads._fingerprint(file.upload))
    earlier = said(story.ask.get(f"library/{story.work.id}/certificate"))
    in_catalogue(story.work, state=state)
    clock.set_offset(timedelta(days=400))
    story.ask = Caller(story.lena)

    found = said(story.ask.get("library"))["results"][0]
    assert (found["owned"], found["state"]) == (True, "suspended" if state == "suspended" else "off")
    session = said(story.ask.post("sessions", {"work": str(story.work.id)}), 201)
    assert (session["owned"], session["price_micros"]) == (True, 0)
    playlist = page.get("/" + session["playlist_url"].split("/", 3)[3])
    assert playlist.status_code == 200
    assert "#EXT-X-ENDLIST" in playlist.content.decode()
    assert playlist.content.decode().count("#EXTINF") == 36
    file_of = said(story.ask.get(f"library/{story.work.id}/download?format=mp3"))
    assert (file_of["sha256"], file_of["size_bytes"]) == (file.sha256, file.size_bytes)
    assert said(story.ask.get(f"library/{story.work.id}/certificate")) == earlier
    name = earlier["certificate"]["id"]
    assert said(Caller(None).get(f"certificates/{name}"))["holds"] is True
    for path in (
        "/library",
        f"/library/works/{story.work.id}",
        f"/library/works/{story.work.id}/certificate",
        f"/works/{story.work.id}",
    ):
        assert page.get(path).status_code == 200, path
    assert "still yours" in page.get("/library").content.decode()

    # Nobody else gets anything by it.
    lars = Caller(cast.person("lars"))
    assert slug(lars.post("sessions", {"work": str(story.work.id)})) in ("work-unavailable", "not-found")
    assert slug(lars.get(f"library/{story.work.id}/download?format=mp3")) == "not-found"


@pytest.mark.parametrize("state", ["off", "suspended", "closed"])
def test_the_file_of_an_owned_work_can_still_be_made(story: Story, store: Any, state: str) -> None:
    own(story.lena, story.work)
    in_catalogue(story.work, state=state)
    answer = story.ask.get(f"library/{story.work.id}/download?format=mp3")
    assert said(answer, 202) == {"state": "waiting", "percent": 0}
    assert answer.headers["Retry-After"] == "1"
    assert Download.objects.get().format == "mp3"


def test_what_is_on_the_way_can_be_gone_on_with_for_ninety_days(story: Story) -> None:
    story.play()
    in_catalogue(story.work, state="off")
    (found,) = said(story.ask.get("library"))["results"]
    assert (found["price_micros"], found["play_number"]) == (4_000, 2)
    until = Work.objects.get(id=story.work.id).off_at + timedelta(days=90)
    assert found["until"] == until.astimezone(clock.zone()).isoformat()
    clock.set_offset(timedelta(days=90, seconds=1))
    (found,) = said(Caller(story.lena).get("library"))["results"]
    assert (found["price_micros"], found["play_number"], found["paid_micros"]) == (None, None, 2_000)


# Downloads.


def test_the_formats_are_those_that_can_be_made(story: Story) -> None:
    lossy = cast.track(story.profile)
    Work.objects.filter(id=lossy.id).update(lossless=False)
    Upload.objects.filter(work=lossy).update(found={"lossless": False})
    Upload.objects.filter(work=story.work).update(found={"lossless": True})
    for work in (story.work, lossy):
        assert takings.formats(library.facts.of_one(work.id)) == downloads.formats_of(work.id)


def test_a_download_is_for_owners_alone(story: Story, store: Any) -> None:
    story.play()
    for ask in (story.ask, Caller(story.ana), Caller(cast.person("lars"))):
        answer = ask.get(f"library/{story.work.id}/download?format=mp3")
        assert (answer.status_code, slug(answer)) == (404, "not-found")
    assert slug(story.ask.get(f"library/{uuid4()}/download")) == "not-found"
    assert not Download.objects.exists()


@pytest.mark.parametrize("wanted", ["wav", "", "FLAC", "json"])
def test_a_format_that_is_none(story: Story, store: Any, wanted: str) -> None:
    own(story.lena, story.work)
    answer = story.ask.get(f"library/{story.work.id}/download?format={wanted}")
    assert (answer.status_code, slug(answer)) == (400, "invalid")
    assert not Download.objects.exists()


def test_a_file_is_waited_for_and_then_there(story: Story, page: Client, store: Any) -> None:
    own(story.lena, story.work)
    path = f"library/{story.work.id}/download?format=opus"
    assert said(story.ask.get(path), 202) == {"state": "waiting", "percent": 0}
    Download.objects.update(percent=40)
    assert said(story.ask.get(path), 202) == {"state": "waiting", "percent": 40}
    assert "40" in page.get(f"/library/works/{story.work.id}").content.decode()
    made = keep(store, cast.track(story.profile), format="opus", content=b"opus")
    columns = ("key", "filename", "content_type", "size_bytes", "sha256", "state")
    Download.objects.exclude(id=made.id).update(**{name: getattr(made, name) for name in columns})
    found = said(story.ask.get(path))
    address = found.pop("url")
    assert found == {
        "filename": made.filename,
        "size_bytes": 4,
        "sha256": made.sha256,
        "content_type": "audio/ogg",
    }
    answer = Client().get("/" + address.split("/", 3)[3])
    assert b"".join(answer.streaming_content) == b"opus"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    text = page.get(f"/library/works/{story.work.id}").content.decode()
    assert made.sha256 in text


def test_a_file_that_could_not_be_made_says_why_and_is_tried_again_later(story: Story, store: Any) -> None:
    own(story.lena, story.work)
    path = f"library/{story.work.id}/download?format=mp3"
    said(story.ask.get(path), 202)
    Download.objects.update(state="failed", reason="The sound ends in the middle.")
    answer = story.ask.get(path)
    assert (answer.status_code, slug(answer)) == (409, "download-failed")
    assert said(answer, 409)["detail"] == "The sound ends in the middle."
    clock.set_offset(timedelta(minutes=11))
    assert said(story.ask.get(path), 202)["state"] == "waiting"


def test_a_file_is_asked_for_on_the_page(story: Story, page: Client, store: Any) -> None:
    own(story.lena, story.work)
    address = f"/library/works/{story.work.id}"
    assert "Make it" in page.get(address).content.decode()
    answer = page.post(f"{address}/files", {"format": "mp3"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{address}#files")
    assert "A worker makes it" in page.get(address).content.decode()
    assert page.post(f"{address}/files", {"format": "wav"}).status_code == 400
    assert Download.objects.count() == 1


def test_a_replaced_file_can_be_had_in_both_versions(story: Story, page: Client, store: Any) -> None:
    own(story.lena, story.work)
    older = Upload.objects.get(work=story.work)
    clock.set_offset(timedelta(days=1))
    newer = Upload.objects.get(id=older.id)
    newer.id, newer.sha256, newer.finished_at = uuid4(), "f" * 64, clock.now()
    newer.save(force_insert=True)
    keep(store, story.work, upload=older, content=b"then")
    keep(store, story.work, upload=newer, content=b"now")
    for download in Download.objects.all():
        Download.objects.filter(id=download.id).update(fingerprint=downloads._fingerprint(download.upload))
    path = f"library/{story.work.id}/download?format=original"
    assert said(story.ask.get(path))["size_bytes"] == 3
    assert said(story.ask.get(f"{path}&version=bought"))["size_bytes"] == 4
    assert slug(story.ask.get(f"{path}&version=older")) == "invalid"
    text = page.get(f"/library/works/{story.work.id}").content.decode()
    assert "As it was when it became yours" in text
    assert text.count("SHA-256 <code>") == 2


# The pages.


def test_the_page_shows_both_parts_and_photos_whole(story: Story, page: Client, store: Any) -> None:
    own(story.lena, story.work)
    give_cover(store, story.work, SVG, ending="svg", content_type="image/svg+xml")
    (begun,) = titled(story, "Half way")
    story.play(begun)
    text = page.get("/library").content.decode()
    assert "1 yours · 1 on the way" in text
    assert 'class="ticks"' in text
    assert "€0.004" in text
    assert "Own it" in text
    assert 'width="64" height="64"' in text


def test_favourites_stand_there_begun_or_not(story: Story, page: Client) -> None:
    (work,) = titled(story, "At hand")
    Favourite.objects.create(listener=story.lena, work=work, marked_at=clock.now())
    text = page.get("/library?show=favourites").content.decode()
    assert "At hand" in text
    assert "€0.002" in text
    assert "At hand" not in page.get("/library").content.decode()


@pytest.mark.parametrize("query", ["show=x&sort=y&kind=z", "q=%00", "cursor="])
def test_senseless_questions_show_the_library(story: Story, page: Client, query: str) -> None:
    own(story.lena, story.work)
    assert page.get(f"/library?{query}").status_code == 200


def test_a_certificate_is_saved_from_its_page(story: Story, page: Client) -> None:
    own(story.lena, story.work)
    address = f"/library/works/{story.work.id}/certificate"
    text = page.get(address).content.decode()
    assert "With your name, Lena" in text
    assert "<b>Lena</b>" not in text
    assert "<b>Lena</b> owns" in page.get(f"{address}?named=1").content.decode()
    saved = page.get(f"{address}?save=1")
    assert saved.headers["Content-Type"] == "application/json"
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="certificate-')
    assert saved.json()["certificate"]["work"]["id"] == str(story.work.id)


def test_pages_of_what_is_not_owned_are_nowhere(story: Story, page: Client) -> None:
    story.play()
    for path in (f"/library/works/{story.work.id}", f"/library/works/{story.work.id}/certificate"):
        assert page.get(path).status_code == 404
    assert page.post(f"/library/works/{story.work.id}/files", {"format": "mp3"}).status_code == 404


def test_the_page_of_what_one_owns_leads_to_its_files(story: Story, page: Client) -> None:
    owned, begun = titled(story, "Owned", "Begun")
    cast.buy(story.lena, owned, price_micros=WHOLE)
    cast.play(story.lena, begun)
    for work, leads in ((owned, 1), (begun, 0)):
        shown = page.get(f"/works/{work.id}").content.decode()
        assert shown.count(f'href="/library/works/{work.id}"') == leads
