"""A year that is over, in browsers: everybody reads where its surplus goes, a member their part, a treasurer asks."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser.reach import is_sound
from tests.royalties import years
from tests.royalties.years import YEAR
from tests.site import Site, committing


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def cookies(transactional_db: None) -> dict[str, str]:
    """Make the year of the contract, closed and drawn, and sign in Ana and Tess. Before a browser starts."""
    made = years.worked_year()
    years.close(made.tess)
    found = {}
    for name, person in (("ana", made.people["ana"]), ("tess", made.tess)):
        client = Client()
        client.force_login(person)
        found[name] = client.cookies["sessionid"].value
    return found


@pytest.fixture(scope="module")
def site(cookies: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve the site."""
    served = Site(tmp_path_factory.mktemp("years"))
    try:
        served.serve()
        yield served
    finally:
        served.stop()


def sit(browser: Browser, site: Site, cookie: str = "", *, width: int = 1280, scheme: Any = "light") -> Page:
    """Give somebody a browser of their own."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=site.base_url)
    if cookie:
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": site.base_url}])
    return context.new_page()


def test_from_the_public_page_to_the_motion(site: Site, cookies: dict[str, str], browser: Browser) -> None:
    for width, scheme in ((1280, "light"), (360, "dark")):
        page = sit(browser, site, width=width, scheme=scheme)
        page.goto(f"/books/years/{YEAR}")
        expect(page.get_by_role("heading", name=f"The surplus of {YEAR}")).to_be_visible()
        expect(page.get_by_text("€12,000.00 to divide")).to_be_visible()
        expect(page.get_by_role("img", name="How the result is divided")).to_be_visible()
        expect(page.get_by_role("row", name="Creators")).to_contain_text("€3,241.41")
        expect(page.get_by_text("4.46 would come back")).to_be_visible()
        is_sound(page, f"a year, {width}, {scheme}")
        page.context.close()

    ana = sit(browser, site, cookies["ana"], width=360)
    ana.goto("/membership")
    expect(ana.get_by_role("heading", name="Capital account and patronage")).to_be_visible()
    mine = ana.get_by_role("row", name=f"{YEAR}, creators")
    expect(mine).to_contain_text("€1,110.31")
    expect(mine).to_contain_text("if members accept the motion")
    is_sound(ana, "a member's part")
    ana.get_by_role("link", name=str(YEAR), exact=True).click()
    expect(ana.get_by_role("heading", name="Your part")).to_be_visible()
    ana.context.close()

    tess = sit(browser, site, cookies["tess"])
    tess.goto("/treasury")
    tess.get_by_role("navigation", name="Treasury").get_by_role("link", name="Years").click()
    expect(tess.get_by_role("heading", name="Years", exact=True)).to_be_visible()
    is_sound(tess, "the treasurers' years")
    tess.get_by_role("button", name="Put the motion").click()
    expect(tess.get_by_role("heading", name=f"Divide the surplus of {YEAR}")).to_be_visible()
    expect(tess.get_by_role("heading", name="What the motion divides")).to_be_visible()
    is_sound(tess, "a motion")
    tess.get_by_role("link", name=f"The year {YEAR} in lines").click()
    expect(tess.get_by_role("link", name=f"Proposal 1: Divide the surplus of {YEAR}")).to_be_visible()
    tess.context.close()
