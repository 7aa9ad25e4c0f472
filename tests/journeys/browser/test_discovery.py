"""Finding things: a mistyped search, following, the feed, the light-table, and an opening on somebody else's page."""

from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import Shop
from tests.journeys.browser.reach import NARROW, faults_of_access, sideways
from tests.journeys.browser.visitor import Visitor


def test_a_new_listener_mistypes_finds_follows_and_reads_the_feed_while_the_sound_goes_on(
    shop: Shop, arrive: Callable[..., Visitor]
) -> None:
    lena = arrive()
    lena.sign_up()
    page = lena.page
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.wait_until_heard(1)
    page.get_by_role("link", name="Browse").first.click()
    page.get_by_role("searchbox").fill("nebual")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_text("Nothing has “nebual” as it is written")).to_be_visible()
    expect(page.locator(".card__title", has_text="Nebula").first).to_be_visible()
    expect(page.locator("#main")).to_be_focused()
    assert lena.is_sounding()

    page.locator(".card", has_text="Nebula").first.get_by_role("link").click()
    expect(page.locator(".playbox[data-shows]")).to_be_visible()
    page.get_by_role("link", name="Maxstack").first.click()
    expect(page.get_by_role("heading", name="Maxstack", level=1)).to_be_visible()
    page.get_by_role("button", name="Follow").click()
    expect(page.get_by_role("button", name="Stop following")).to_be_visible()
    expect(page.get_by_text("You follow Maxstack.")).to_be_visible()
    page.get_by_role("link", name="Feed").first.click()
    expect(page.get_by_role("heading", name="Feed", level=1)).to_be_visible()
    expect(page.locator(".card").first).to_be_visible()
    assert lena.ask("GET", "feed")["results"]


def test_following_works_without_a_script(shop: Shop, arrive: Callable[..., Visitor]) -> None:
    lena = arrive(java_script_enabled=False)
    lena.sign_up()
    lena.page.goto(f"{shop.url}/creators/maxstack")
    lena.page.get_by_role("button", name="Follow").click()
    expect(lena.page.get_by_role("button", name="Stop following")).to_be_visible()
    lena.page.goto(f"{shop.url}/browse")
    lena.page.get_by_role("searchbox").fill("nebula")
    lena.page.get_by_role("button", name="Search").click()
    expect(lena.page.locator(".card__title", has_text="Nebula").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_use_the_pages_on_which_works_are_found(
    shop: Shop, arrive: Callable[..., Visitor], scheme: str
) -> None:
    lena = arrive(color_scheme=scheme, viewport=NARROW)
    paths = ["/", "/browse", "/browse?q=nebual&licence=cc-by-4.0", "/browse?q=xyzzyq", "/photos", "/creators"]
    for signed_in in (False, True):
        if signed_in:
            lena.sign_up()
        for path in [*paths, "/creators/maxstack", *(["/feed"] if signed_in else [])]:
            lena.page.goto(f"{shop.url}{path}")
            assert sideways(lena.page) <= 0, path
            assert lena.page.locator("h1").count() == 1, path
            assert faults_of_access(lena.page) == [], path
    lena.page.goto(f"{shop.url}/embed/{shop.nebula}")
    assert faults_of_access(lena.page) == []


def test_photos_lie_whole_on_the_light_table_and_nothing_moves_when_they_come(shop: Shop, stranger: Visitor) -> None:
    stranger.page.goto(f"{shop.url}/photos")
    picture = stranger.page.locator(".light-table img").first
    expect(picture).to_be_visible()
    stranger.page.wait_for_function("() => document.querySelector('.light-table img').complete")
    frame, real = picture.evaluate("img => [img.clientWidth / img.clientHeight, img.naturalWidth / img.naturalHeight]")
    assert frame == pytest.approx(real, rel=0.02)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """Give the address of another site, which serves what lies in the test's folder."""
    answering = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), answering) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_opening_is_heard_on_somebody_elses_page(
    shop: Shop, stranger: Visitor, elsewhere: str, tmp_path: Path
) -> None:
    page = stranger.page
    framing = f'<iframe src="{shop.url}/embed/{shop.nebula}" width="480" height="152" allow="autoplay"></iframe>'
    (tmp_path / "blog.html").write_text(f"<!doctype html><title>Else</title><link rel=icon href=data:,>{framing}")
    page.goto(f"{elsewhere}/blog.html")
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Play the opening of").click()
    expect(frame.get_by_role("button", name="Pause the opening of")).to_be_visible()
    expect(frame.get_by_role("progressbar")).not_to_have_js_property("value", 0, timeout=15_000)
    assert stranger.context.cookies() == []
    told = stranger.context.request.get(f"{shop.url}/oembed", params={"url": f"{shop.url}/works/{shop.nebula}"}).json()
    assert f"{shop.url}/embed/{shop.nebula}" in told["html"]
