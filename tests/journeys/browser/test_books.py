"""A visitor looks into the co-op's books: what came in, what it was spent on, and takes the table along."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.journeys.browser.reach import is_sound
from tests.journeys.browser.visitor import Visitor
from tests.royalties.test_open_books import live_two_months
from tests.site import Site, committing


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def site(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve a site with a locked month and a sealed one. All is written before a browser starts."""
    live_two_months()
    served = Site(tmp_path_factory.mktemp("books"))
    try:
        served.serve()
        yield served
    finally:
        served.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_visitor_reads_the_books(site: Site, browser: Browser, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    visitor = Visitor.arriving(base_url=site.base_url, context=context)
    page = visitor.page
    page.goto(site.base_url)
    page.get_by_role("contentinfo").get_by_role("link", name="Open books").click()
    expect(page.get_by_role("heading", name="Open books")).to_be_visible()
    expect(page.get_by_text("€501.022 came in, €201.8094 went out")).to_be_visible()
    expect(page.get_by_role("img", name="What came in and went out by month")).to_be_visible()
    expect(page.get_by_role("row", name="Rent and rooms")).to_contain_text("€100.000000")
    expect(page.get_by_role("row", name="Left to the year’s result")).to_contain_text("€299.212600")
    is_sound(page, f"open books, {scheme}")
    with page.expect_download() as saved:
        page.get_by_role("link", name="CSV of all months").click()
    rows = list(csv.DictReader(Path(saved.value.path()).read_text().splitlines()))
    locked = [row for row in rows if row["state"] == "locked"]
    together = {side: sum(int(row["micros"]) for row in locked if row["side"] == side) for side in ("in", "out")}
    assert together == {"in": 501_022_000, "out": 201_809_400}
    page.get_by_role("columnheader", name="September").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Where every euro went")).to_be_visible()
    context.close()
    visitor.assert_nothing_went_wrong()
