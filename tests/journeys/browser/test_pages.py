"""The pages themselves: everyone can use them, on a phone and in the dark; links lead somewhere, forms work."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from members import money
from tests import media
from tests.journeys.browser.conftest import Shop
from tests.journeys.browser.reach import NARROW, faults_of_access, sideways
from tests.journeys.browser.visitor import Visitor


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_use_the_work_and_the_wallet(shop: Shop, arrive: Callable[..., Visitor], scheme: str) -> None:
    lena = arrive(color_scheme=scheme)
    lena.sign_up()
    lena.open_work(shop.nebula)
    assert "Add credit" in lena.says()
    assert faults_of_access(lena.page) == []
    lena.add_credit(500)
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    lena.seek(14)
    lena.expect_state("stopped")
    assert faults_of_access(lena.page) == []
    lena.page.locator("#go-on").click()
    lena.expect_state("playing")
    lena.page.wait_for_timeout(800)  # the ring has turned
    assert faults_of_access(lena.page) == []
    lena.page.goto(f"{shop.url}/wallet")
    lena.page.get_by_text("Set a limit").click()
    assert faults_of_access(lena.page) == []


def test_everyone_can_use_what_a_stranger_sees_and_the_dialog(
    shop: Shop, stranger: Visitor, arrive: Callable[..., Visitor]
) -> None:
    for path in (
        *("/", f"/works/{shop.nebula}", f"/works/{shop.photo}", f"/releases/{shop.album}"),
        *("/accounts/login/", "/accounts/signup/"),
    ):
        stranger.page.goto(f"{shop.url}{path}")
        assert faults_of_access(stranger.page) == [], path
    lena = arrive()
    lena.sign_up()
    for path in ("/account", "/upload"):
        lena.page.goto(f"{shop.url}{path}")
        assert faults_of_access(lena.page) == [], path
    lena.open_work(shop.nebula)
    lena.page.locator("#own-now").click()
    assert faults_of_access(lena.page) == []
    lena.page.goto(f"{shop.url}/releases/{shop.album}")
    lena.page.get_by_role("button", name="Play the album").click()
    lena.bar_says("Opening, free.")
    lena.page.locator("#player .player__next").click()
    expect(lena.page.locator("#queue")).to_be_visible()
    assert faults_of_access(lena.page) == []
    lena.page.locator("#player .player__next").click()
    lena.page.locator("#own-all").click()
    assert faults_of_access(lena.page) == []


def test_no_page_scrolls_sideways_on_a_phone(shop: Shop, arrive: Callable[..., Visitor]) -> None:
    lena = arrive(viewport=NARROW)
    for path in (
        "/",
        "/accounts/login/",
        "/accounts/signup/",
        "/problems",
        "/problems/price-changed",
        "/outbox",
        "/no",
    ):
        lena.page.goto(f"{shop.url}{path}")
        assert sideways(lena.page) <= 0, path
    lena.sign_up()
    lena.add_credit(500)
    lena.open_work(shop.nebula)
    lena.press_play()
    lena.expect_state("opening")
    assert sideways(lena.page) <= 0
    lena.seek(14)
    lena.expect_state("stopped")
    assert sideways(lena.page) <= 0
    lena.page.locator("#go-on").click()
    lena.expect_state("playing")
    assert sideways(lena.page) <= 0
    lena.page.locator("#own-here").click()
    assert sideways(lena.page) <= 0
    lena.page.get_by_role("button", name="Not now").click()
    for path in ("/", "/wallet", "/account", "/upload", "/creators/maxstack"):
        lena.page.goto(f"{shop.url}{path}")
        assert sideways(lena.page) <= 0, path
    for path in (f"/works/{shop.photo}", f"/releases/{shop.album}"):
        lena.page.goto(f"{shop.url}{path}")
        assert sideways(lena.page) <= 0, path
    lena.page.get_by_role("button", name="Play the album").click()
    lena.bar_says("Opening, free.")
    lena.page.locator("#player .player__next").click()
    expect(lena.page.locator("#queue")).to_be_visible()
    assert sideways(lena.page) <= 0
    lena.page.get_by_text("Menu").click()
    expect(lena.page.get_by_role("navigation", name="Main, small screens")).to_be_visible()
    lena.expected.append("404 (Not Found)")


def test_no_link_is_dead(shop: Shop, lena: Visitor) -> None:
    seen: set[str] = set()
    waiting = ["/", f"/works/{shop.nebula}", "/wallet", "/account", "/upload"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = lena.context.request.get(f"{shop.url}{path}")
        assert answer.ok, f"{path}: {answer.status}"
        if "text/html" not in answer.headers["content-type"] or path.startswith("/api/"):
            continue
        for href in re.findall(r'<a (?:[^>]* )?href="([^"]+)"', answer.text()):
            local = href.replace("&amp;", "&").split("#")[0]
            if local.startswith("/") and local not in seen:
                waiting.append(local)
    assert {"/", "/wallet", "/problems", "/accounts/2fa/", "/api/v1/docs", "/creators/maxstack"} <= seen


def test_nothing_on_a_page_is_called_from_elsewhere_and_the_policy_holds(shop: Shop, stranger: Visitor) -> None:
    answer = stranger.context.request.get(f"{shop.url}/works/{shop.nebula}")
    policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert policy["form-action"] == f"'self' {shop.stack.gateway_url}"
    assert policy["frame-ancestors"] == "'none'"
    stranger.page.goto(f"{shop.url}/api/v1/docs")
    expect(stranger.page.get_by_text("/api/v1/sessions").first).to_be_visible()


def test_the_script_prints_amounts_as_the_server_does(shop: Shop, stranger: Visitor) -> None:
    stranger.page.goto(f"{shop.url}/")
    amounts = [0, 1, 13_647, 2_000, 32_000, 700_000, 1_430_800, 1_022_000, -4_000, 999_999, 10**9, 123_456_789_012_345]
    printed = stranger.page.evaluate(
        "async (amounts) => {"
        "  const { show } = await import(document.querySelector('link[rel=modulepreload][href*=\"/money\"]').href);"
        "  return amounts.map((amount) => show(amount));"
        "}",
        amounts,
    )
    assert printed == [money.show(amount) for amount in amounts]


def test_a_creator_founds_a_profile_uploads_and_publishes(shop: Shop, arrive: Callable[..., Visitor]) -> None:
    ben = arrive()
    ben.sign_up("ben")
    page = ben.page
    page.goto(f"{shop.url}/upload")
    page.get_by_label("Name of the profile").fill("Ben & the Beats")
    page.get_by_role("button", name="Make the profile").click()
    expect(page.get_by_text("The profile “Ben & the Beats” is yours.")).to_be_visible()

    page.get_by_label("Choose files").set_input_files(
        {"name": "not-music.flac", "mimeType": "audio/flac", "buffer": b"This is no music at all." * 40}
    )
    expect(page.locator("[data-part=said]", has_text="Not taken in.")).to_be_visible(timeout=30_000)

    recording = media.make("flac", seconds=22, tags=(("title", "Second Try"), ("artist", "Ben")))
    page.get_by_label("Choose files").set_input_files(Path(recording))
    expect(page.get_by_text("It is a draft now.")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("1 of 2 are drafts, 1 not taken in.")).to_be_visible()
    page.get_by_role("link", name="Look at the draft").click()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Second Try")
    page.reload()
    page.goto(f"{shop.url}/upload")
    expect(page.get_by_text("1 of 2 are drafts, 1 not taken in.")).to_be_visible()


def test_a_token_is_made_shown_once_and_revoked(shop: Shop, lena: Visitor) -> None:
    page = lena.page
    page.goto(f"{shop.url}/account")
    page.get_by_text("Make a token").click()
    page.get_by_label("What is it for?").fill("my player")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("Choose at least one thing it may do.")).to_be_visible()
    page.get_by_label("Listen: sessions").check()
    page.get_by_role("button", name="Make it").click()
    plain = page.locator("#plain-token").inner_text()
    headers = {"Authorization": f"Bearer {plain}", "Cookie": ""}
    assert lena.context.request.get(f"{shop.url}/api/v1/wallet", headers=headers).status == 200
    page.goto(f"{shop.url}/account")
    expect(page.locator("#plain-token")).to_have_count(0)
    page.get_by_role("button", name="Revoke my player").click()
    expect(page.get_by_text("The token is revoked.")).to_be_visible()
    assert lena.context.request.get(f"{shop.url}/api/v1/wallet", headers=headers).status == 401
    lena.expected.append("400 (Bad Request)")


def test_a_forgotten_password_is_set_anew_by_the_mail(shop: Shop, arrive: Callable[..., Visitor]) -> None:
    lena = arrive()
    email = lena.sign_up_by_the_page("lena")
    page = lena.page
    page.goto(f"{shop.url}/account")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.locator("main form").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="Password forgotten").click()
    expect(page.get_by_role("heading", name="Password forgotten")).to_be_visible()  # both pages ask for an e-mail
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_role("heading", name="Look at your mail")).to_be_visible()
    page.get_by_role("link", name="Outbox of this demo").first.click()
    mail = page.locator(".mails li", has_text="A new password").filter(has_text=email)
    mail.locator("a[href*='/accounts/password/reset/key/']").click()
    page.get_by_label("New Password", exact=True).fill("another-long-phrase")
    if page.get_by_label("New Password (again)").count():
        page.get_by_label("New Password (again)").fill("another-long-phrase")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("heading", name="The new password is set")).to_be_visible()
    page.get_by_role("link", name="Sign in").last.click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill("another-long-phrase")
    page.locator("main form").get_by_role("button", name="Sign in").click()
    expect(page.locator(".credit")).to_be_visible()
