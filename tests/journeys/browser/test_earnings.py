"""A creator looks after their money: what is owed, the month so far, charts, a statement on paper, a year."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from members.models import Person
from tests import cast
from tests.journeys.browser.reach import is_sound
from tests.journeys.browser.visitor import PASSWORD, Visitor
from tests.royalties.earning import Summer
from tests.site import Site, committing


@dataclass(frozen=True)
class Told:
    """A site with Ana's summer, her address, and the cookie of somebody who never earned anything."""

    site: Site
    email: str
    nobody: str


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def told(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Serve a site with three sealed months and one that runs. All rows are written before a browser starts."""
    folder = tmp_path_factory.mktemp("earnings")
    stored = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder / "store")}}
    with override_settings(STORE_DIR=folder / "store", STORAGES={**settings.STORAGES, "default": stored}):
        summer = Summer()
        summer.ana.set_password(PASSWORD)
        summer.ana.save()
        cast.confirm(summer.ana)
        client = Client()
        client.force_login(cast.person("nobody"))
        email = Person.objects.get(id=summer.ana.id).email
        site = Site(folder)
        site.serve()
        yield Told(site=site, email=email, nobody=client.cookies[settings.SESSION_COOKIE_NAME].value)
        site.stop()


@pytest.fixture
def visitor(told: Told, browser: Browser) -> Iterator[Visitor]:
    """Give somebody who came for their money."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = Visitor.arriving(base_url=told.site.base_url, context=context)
    yield found
    context.close()
    found.assert_nothing_went_wrong()


def heading(page: Page, name: str) -> None:
    """Wait for the page with that heading."""
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def saved(page: Page, link: str, folder: Path) -> bytes:
    """Press a link to a file, and return what was saved."""
    with page.expect_download() as begun:
        page.get_by_role("link", name=link, exact=True).click()
    file = folder / begun.value.suggested_filename
    begun.value.save_as(file)
    return file.read_bytes()


def test_a_creator_sees_what_they_earned_and_takes_it_along(visitor: Visitor, told: Told, tmp_path: Path) -> None:
    page = visitor.page
    page.goto(f"{visitor.base_url}/earnings")
    heading(page, "Sign in")
    page.get_by_label("Email").fill(told.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    heading(page, "Your earnings")
    # What is owed, the month so far, and the charts with what they show.
    expect(page.get_by_text("€0.717160").first).to_be_visible()
    so_far = page.get_by_role("region", name="October so far")
    expect(so_far.get_by_role("row", name="Ñandú & Größe")).to_contain_text("€0.070000")
    expect(so_far.get_by_role("row", name="Nobody’s yet")).to_contain_text("held")
    expect(page.get_by_text("Counted to the end of 6 October")).to_be_visible()
    expect(page.get_by_role("img", name="Earnings by month")).to_be_visible()
    expect(page.get_by_role("img", name="Plays by number")).to_be_visible()
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("row", name="July 2026")).to_contain_text("€10.301760")
    is_sound(page, "earnings")
    # Last month's statement, and the paper of it.
    page.get_by_role("link", name="September 2026", exact=True).click()
    heading(page, "What September 2026 earned you")
    expect(page.get_by_role("region", name="Statement", exact=True)).to_contain_text("€0.715400")
    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(saved(page, "PDF", tmp_path))).pages)
    sha256 = page.locator(".statement-hash").inner_text()
    for words in ("Statement, September 2026", "€0.717160", sha256):
        assert words in text, words
    assert (tmp_path / "refrain-statement-2026-09.pdf").exists()
    is_sound(page, "a statement")
    # The year, for the tax return.
    page.goto(f"{visitor.base_url}/earnings")
    heading(page, "Your earnings")
    page.get_by_role("link", name="2026", exact=True).click()
    heading(page, "Royalties of 2026")
    expect(page.get_by_text("This is not tax advice.")).to_be_visible()
    expect(page.get_by_role("region", name="Payouts of 2026")).to_contain_text("€10.30")
    assert b"closing" in saved(page, "CSV", tmp_path)
    assert saved(page, "PDF", tmp_path).startswith(b"%PDF")
    is_sound(page, "a year")


def test_it_can_all_be_reached_by_keyboard(visitor: Visitor, told: Told) -> None:
    page = visitor.page
    page.goto(f"{visitor.base_url}/accounts/login/?next=/earnings")
    page.get_by_label("Email").fill(told.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    heading(page, "Your earnings")
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.ariaLabel || document.activeElement.innerText || ''"))
        if reached[-1] == "2026":
            break
    assert {"Statements", "Payouts", "Account", "October so far", "September 2026", "2026"} <= set(reached)
    page.keyboard.press("Enter")
    heading(page, "Royalties of 2026")


def test_who_never_earned_anything_reads_how_one_does(visitor: Visitor, told: Told) -> None:
    visitor.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": told.nobody, "url": visitor.base_url}])
    page = visitor.page
    page.goto(f"{visitor.base_url}/earnings")
    expect(page.get_by_role("heading", name="No month is divided for you yet")).to_be_visible()
    is_sound(page, "no earnings")
    assert visitor.context.request.get(f"{visitor.base_url}/statements/2026-09.pdf").status == 404
