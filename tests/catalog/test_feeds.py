"""Feeds of a creator, oEmbed, and the page that others may frame."""

import json
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.conf import settings
from django.test import Client

from catalog.models import Creator, Release, Rendition, Work
from members import clock
from tests import callers, cast

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"
COVER = {"file": "cover.svg", "width": 480, "height": 320, "content_type": "image/jpeg"}


@pytest.fixture(autouse=True)
def _fresh() -> None:
    callers.forget_counts()


@pytest.fixture
def works(band: Creator) -> list[Work]:
    """Give three published works, the newest first, with titles that try XML's patience."""
    Creator.objects.filter(id=band.id).update(name="Ana & <Co>", about="Slow\x0b music\nfrom the north.")
    album = Release.objects.create(creator=band, title="An “Album” ]]>")
    now, made = clock.now(), []
    for days, title in enumerate(("Nebula <b>", "夜に駆ける", "A\x0b \ufdd0 title & more")):
        work = cast.track(band, now=now - timedelta(days=days))
        Work.objects.filter(id=work.id).update(title=title, release=album, tags=["slow & dark"], licence="cc-by-4.0")
        made.append(work)
    cast.track(band, state="draft")
    cast.track(band, state="off")
    return made


def read(answer: Any) -> ET.Element:
    assert answer.status_code == 200, answer.content
    return ET.fromstring(answer.content.decode())  # noqa: S314  (our own)


class TestFeeds:
    def test_atom(self, band: Creator, works: list[Work]) -> None:
        answer = Client().get(f"/creators/{band.slug}/feed.atom")
        feed = read(answer)
        assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
        assert feed.tag == f"{ATOM}feed"
        # What RFC 4287 requires of a feed and of each entry.
        assert feed.findtext(f"{ATOM}id") == f"urn:uuid:{band.id}"
        assert feed.findtext(f"{ATOM}title") == "Ana & <Co> on Refrain"
        assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Ana & <Co>"
        links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
        assert links["self"] == f"{settings.BASE_URL}/creators/{band.slug}/feed.atom"
        entries = feed.findall(f"{ATOM}entry")
        assert [entry.findtext(f"{ATOM}id") for entry in entries] == [f"urn:uuid:{work.id}" for work in works]
        assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
            "Nebula <b>",
            "夜に駆ける",
            "A title & more",
        ]
        assert feed.findtext(f"{ATOM}updated") == entries[0].findtext(f"{ATOM}updated")
        first = entries[0]
        assert first.find(f"{ATOM}link").get("href") == f"{settings.BASE_URL}/works/{works[0].id}"  # type: ignore[union-attr]
        assert first.find(f"{ATOM}category").get("term") == "slow & dark"  # type: ignore[union-attr]
        assert first.findtext(f"{ATOM}summary") == "A track, 3:00 long, from An “Album” ]]>. Cc by 4.0."

    def test_rss(self, band: Creator, works: list[Work]) -> None:
        answer = Client().get(f"/creators/{band.slug}/feed.rss")
        rss = read(answer)
        assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
        assert (rss.tag, rss.get("version")) == ("rss", "2.0")
        channel = rss.find("channel")
        assert channel is not None
        for needed in ("title", "link", "description", "lastBuildDate"):
            assert channel.findtext(needed), needed
        items = channel.findall("item")
        assert [one.findtext("guid") for one in items] == [f"urn:uuid:{work.id}" for work in works]
        assert {one.find("guid").get("isPermaLink") for one in items} == {"false"}  # type: ignore[union-attr]
        assert items[0].findtext("pubDate") == channel.findtext("lastBuildDate")

    def test_a_reader_that_has_the_feed_is_told_so_and_one_without_works_is_a_feed_too(self, band: Creator) -> None:
        for form in ("atom", "rss"):
            first = Client().get(f"/creators/{band.slug}/feed.{form}")
            read(first)
            again = Client().get(f"/creators/{band.slug}/feed.{form}", headers={"If-None-Match": first.headers["ETag"]})
            assert again.status_code == 304
            assert "max-age=300" in first.headers["Cache-Control"]
            assert not first.cookies

    def test_the_page_names_its_feeds(self, band: Creator) -> None:
        page = Client().get(f"/creators/{band.slug}").content.decode()
        for form in ("atom", "rss"):
            address = f"{settings.BASE_URL}/creators/{band.slug}/feed.{form}"
            assert f'type="application/{form}+xml"' in page
            assert f'href="{address}"' in page


class TestOEmbed:
    def ask(self, work: Work, **said: object) -> Any:
        return Client().get("/oembed", {"url": f"{settings.BASE_URL}/works/{work.id}", **said})

    def test_what_a_consumer_is_told(self, band: Creator) -> None:
        work = cast.track(band)
        answer = self.ask(work)
        told = json.loads(answer.content)
        assert {name: told[name] for name in ("version", "type", "provider_name", "title", "author_name")} == {
            "version": "1.0",
            "type": "rich",
            "provider_name": "Refrain",
            "title": work.title,
            "author_name": "Ana",
        }
        assert told["author_url"] == f"{settings.BASE_URL}/creators/{band.slug}"
        assert (told["width"], told["height"]) == (480, 152)
        assert f'src="{settings.BASE_URL}/embed/{work.id}"' in told["html"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        xml = read(self.ask(work, format="xml"))
        assert xml.tag == "oembed"
        assert {one.tag: one.text for one in xml} == {name: str(value) for name, value in told.items()}

    def test_it_keeps_within_the_room_there_is(self, band: Creator) -> None:
        work = cast.track(band)
        assert json.loads(self.ask(work, maxwidth=300).content)["width"] == 300
        for nonsense in ("-1", "x", "9" * 30, ""):
            assert json.loads(self.ask(work, maxwidth=nonsense, maxheight=nonsense).content)["width"] == 480

    def test_titles_are_text_in_the_frames_markup(self, band: Creator) -> None:
        work = cast.track(band)
        Work.objects.filter(id=work.id).update(title='"><script>alert(1)</script>\x0b')
        told = json.loads(self.ask(work).content)
        assert "<script>" not in told["html"]
        assert "&quot;&gt;&lt;script&gt;" in told["html"]
        read(self.ask(work, format="xml"))

    def test_what_is_not_ours_or_not_public_is_not_found(self, band: Creator) -> None:
        draft, work = cast.track(band, state="draft"), cast.track(band)
        assert self.ask(draft).status_code == 404
        for address in (
            "",
            "x",
            f"http://evil.example/works/{work.id}",
            f"{settings.BASE_URL}.evil.example/works/{work.id}",
            f"{settings.BASE_URL}/works/{'-' * 36}",
            f"{settings.BASE_URL}/wallet",
            "http://[::1",
        ):
            assert Client().get("/oembed", {"url": address}).status_code == 404, address
        assert self.ask(work, format="yaml").status_code == 501


class TestEmbedding:
    def test_any_site_may_frame_the_opening_and_nothing_else(self, band: Creator) -> None:
        work = cast.track(band)
        answer = Client().get(f"/embed/{work.id}")
        assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in answer.headers
        for path in ("/", "/browse", f"/works/{work.id}", f"/creators/{band.slug}"):
            other = Client().get(path)
            if other.status_code == 200:
                assert "frame-ancestors 'none'" in other.headers["Content-Security-Policy"], path
                assert other.headers["X-Frame-Options"] == "DENY", path

    def test_it_uses_no_cookie_and_is_the_same_for_everybody(self, band: Creator) -> None:
        work, lena = cast.track(band), cast.person("lena")
        stranger, signed_in = Client(), Client()
        signed_in.force_login(lena)
        answers = [browser.get(f"/embed/{work.id}") for browser in (stranger, signed_in)]
        assert answers[0].content == answers[1].content
        for answer in answers:
            assert not answer.cookies
            assert answer.headers["Cache-Control"] == "public, max-age=300"
        page = answers[0].content.decode()
        assert f'data-opening="/api/v1/works/{work.id}/opening"' in page
        assert f'href="{settings.BASE_URL}/works/{work.id}"' in page

    def test_a_photo_shows_its_watermarked_preview(self, band: Creator) -> None:
        photo = cast.track(band)
        Work.objects.filter(id=photo.id).update(kind="photo", width=3_000, height=2_000, alternative_text="A bird")
        sizes = [{"file": "p960.jpg", "width": 960, "height": 640, "bytes": 1}]
        Rendition.objects.create(
            work=photo,
            kind="preview",
            prefix=f"renditions/{photo.id}/p/",
            layout={"sizes": sizes, "content_type": "image/jpeg"},
            size_bytes=1,
            created_at=clock.now(),
        )
        page = Client().get(f"/embed/{photo.id}").content.decode()
        assert "p960.jpg" in page
        assert 'alt="A bird"' in page
        assert "data-opening" not in page
        told = json.loads(Client().get("/oembed", {"url": f"{settings.BASE_URL}/works/{photo.id}"}).content)
        assert (told["width"], told["height"]) == (480, 408)

    def test_a_work_that_is_not_published_is_not_there(self, band: Creator) -> None:
        for state in ("draft", "off"):
            assert Client().get(f"/embed/{cast.track(band, state=state).id}").status_code == 404
