"""Leaving for good in a browser: the password, the code that is shown once, thinking again; and the claims page."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tests import cast
from tests.journeys.browser.reach import is_sound
from tests.site import Site, committing

PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def told(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Serve a site with Lena; return its address and her cookie. All is written before a browser starts."""
    lena = cast.person("lena")
    lena.set_password(PASSWORD)
    lena.save()
    client = Client()
    client.force_login(lena)
    site = Site(tmp_path_factory.mktemp("leaving"))
    try:
        site.serve()
        yield site.base_url, client.cookies["sessionid"].value
    finally:
        site.stop()


@pytest.fixture
def hers(told: tuple[str, str], browser: Browser) -> Iterator[Page]:
    """Seat Lena before a browser, signed in, on a narrow screen."""
    url, cookie = told
    context = browser.new_context(base_url=url, viewport={"width": 360, "height": 800})
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
    yield context.new_page()
    context.close()


def test_she_asks_reads_her_code_once_and_stays(hers: Page) -> None:
    hers.goto("/account")
    hers.get_by_role("link", name="leave for good").click()
    expect(hers.get_by_role("heading", name="Leave for good", level=1)).to_be_visible()
    is_sound(hers, "before it is asked for")
    hers.get_by_label("Your password").fill(PASSWORD)
    hers.get_by_role("button", name="Erase me in 7 days").click()
    expect(hers.get_by_role("heading", name="Your claim code")).to_be_visible()
    code = hers.locator("#claim-code").inner_text()
    assert len(code.replace("-", "")) == 20
    is_sound(hers, "asked for")
    hers.goto("/account/leaving")
    expect(hers.get_by_role("heading", name="You leave on")).to_be_visible()
    expect(hers.get_by_text(code)).to_have_count(0)
    # Nobody is paid with a code before its person is gone, and nothing typed comes back.
    hers.goto("/claim")
    hers.get_by_label("Claim code").fill(code)
    hers.get_by_label("Holder of the account").fill("A. Heir")
    hers.get_by_label("IBAN").fill("DE89370400440532013000")
    hers.get_by_role("button", name="Claim it").click()
    expect(hers.get_by_text("Nobody was told this code.")).to_be_visible()
    expect(hers.get_by_label("IBAN")).to_have_value("")
    is_sound(hers, "a claim refused")
    hers.goto("/account/leaving")
    hers.get_by_role("button", name="Stay").click()
    expect(hers.get_by_role("button", name="Erase me in 7 days")).to_be_visible()
