"""A visitor follows every euro of a month: sees where it went, takes the bundle along, checks it here and there."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings
from playwright.sync_api import Browser, Page, Route, expect

from members import wellknown
from royalties.publication_models import Publication
from tests import cast
from tests.journeys.browser.reach import is_sound
from tests.journeys.browser.visitor import Visitor
from tests.royalties import counting
from tests.royalties.counting import noon
from tests.site import Site, committing


@dataclass(frozen=True)
class Told:
    """A site with three sealed months, the key that signed them, and a listener's cookie."""

    site: Site
    public_key: str
    cookie: str


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let the whole module commit, and forget it all at its end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


@pytest.fixture(scope="module")
def told(transactional_db: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Serve a site on which three months are sealed. All rows are written before a browser starts."""
    folder = tmp_path_factory.mktemp("period")
    stored = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder / "store")}}
    with override_settings(STORE_DIR=folder / "store", STORAGES={**settings.STORAGES, "default": stored}):
        lena = _listen()
        client = Client()
        client.force_login(lena)
        keys = wellknown.keys()
        site = Site(folder)
        site.serve()
        yield Told(
            site=site,
            public_key=keys["keys"][keys["present"]],
            cookie=client.cookies[settings.SESSION_COOKIE_NAME].value,
        )
        site.stop()


def _listen() -> Any:
    """Let people listen for three months, with shares, held money and something given back; return one of them."""
    lena, lars, ana, ben, cleo = (cast.person(name) for name in ("lena", "lars", "ana", "ben", "cleo"))
    shared = counting.work([(ana, 600_000), (ben, 400_000)], since=noon(1, 7))
    alone = counting.work([(cleo, 1_000_000)], since=noon(1, 7))
    held = counting.work([], since=noon(1, 7))
    for month in (8, 9, 10):
        for day in range(1, 10):
            counting.charge(lena, shared, 64_000 << day % 5, at=noon(day, month), number=day + 9 * (month - 8))
        counting.charge(lars, alone, 1_020_000 + month, at=noon(11, month), number=month)
        given = counting.charge(lars, shared, 32_000, at=noon(12, month), number=month)
        counting.give_back(given, at=noon(13, month))
        counting.charge(lena, held, 204_007, at=noon(14, month), number=month)
    counting.charge(lars, shared, 2_044_000, at=noon(15, 10))
    counting.put_in_force(held, [(ana, 1_000_000)], since=noon(20, 10))
    for month in (8, 9, 10):
        counting.seal(date(2026, month, 1))
    assert Publication.objects.count() == 3
    return lena


@pytest.fixture
def visitor(told: Told, browser: Browser) -> Iterator[Visitor]:
    """Give somebody who came to look."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = Visitor.arriving(base_url=told.site.base_url, context=context)
    yield found
    context.close()
    found.assert_nothing_went_wrong()


def october(visitor: Visitor) -> Page:
    visitor.page.goto(f"{visitor.base_url}/periods/2026-10")
    expect(visitor.page.get_by_role("heading", name="Where every euro went")).to_be_visible()
    return visitor.page


def test_a_visitor_follows_the_euros_and_finds_the_months(visitor: Visitor) -> None:
    page = visitor.page
    page.goto(visitor.base_url)
    page.get_by_role("contentinfo").get_by_role("link", name="Where every euro went").click()
    expect(page.get_by_role("heading", name="Every euro, month by month")).to_be_visible()
    is_sound(page, "months")
    page.get_by_role("link", name="October 2026").click()
    expect(page.get_by_role("heading", name="Where every euro went")).to_be_visible()
    picture = page.get_by_role("img", name="Flow of the month’s euros")
    expect(picture).to_be_visible()
    expect(picture).to_contain_text("Charged €7.172017")
    expect(page.get_by_role("row", name="Together")).to_contain_text("€7.172017")
    is_sound(page, "a month")
    page.get_by_role("link", name="September 2026").click()
    expect(page.get_by_text("September 2026, sealed on")).to_be_visible()


def test_a_visitor_takes_the_bundle_along_and_recomputes_it(visitor: Visitor, told: Told, tmp_path: Path) -> None:
    page = october(visitor)
    for name in ("Bundle,", "verify_bundle.py"):
        with page.expect_download() as begun:
            page.get_by_role("link", name=name).click()
        begun.value.save_as(tmp_path / begun.value.suggested_filename)
    assert {file.name for file in tmp_path.iterdir()} == {"refrain-2026-10.zip", "verify_bundle.py"}
    command = [sys.executable, "-I", "-S", "verify_bundle.py", "refrain-2026-10.zip", "--key", told.public_key]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.endswith("2026-10: every line agrees\n")
    # What the page says the program will say, it says.
    shown = page.get_by_role("region", name="Command").inner_text()
    for line in said.stdout.splitlines()[1:4]:
        assert " ".join(line.split()) in " ".join(shown.split())


def test_a_visitor_checks_hash_and_signature_in_the_browser(visitor: Visitor) -> None:
    page = october(visitor)
    page.get_by_role("button", name="Check hash and signature here").click()
    found = page.locator(".check__found li")
    expect(found).to_have_count(4)
    expect(found.nth(0)).to_have_text("The bundle has the SHA-256 that stands on this page.")
    expect(found.nth(1)).to_contain_text("The manifest is signed with the key ")
    expect(found.nth(2)).to_have_text("All 9 files are as the manifest says.")
    expect(page.locator(".check__found .is-wrong")).to_have_count(0)


def put_for_the_bundle(visitor: Visitor, page: Page, name: str, change: Any) -> None:
    """Let the site give another zip than the published one, and a page that names that zip's hash."""
    content = visitor.context.request.get(f"{visitor.base_url}/api/v1/periods/2026-10/bundle.zip").body()
    written = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as source, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as copy:
        for entry in source.infolist():
            here = source.read(entry.filename)
            copy.writestr(entry, change(here) if entry.filename == name else here)

    def give(route: Route) -> None:
        route.fulfill(body=written.getvalue(), content_type="application/zip")

    page.route("**/bundle.zip", give)


def test_a_changed_bundle_is_seen_in_the_browser(visitor: Visitor) -> None:
    page = october(visitor)
    put_for_the_bundle(visitor, page, "lines.csv", lambda content: content.replace(b",1000000,", b",1000001,"))
    button, wrong = page.get_by_role("button", name="Check hash and signature here"), page.locator(".is-wrong")
    button.click()
    expect(wrong).to_have_text("The bundle has another SHA-256 than this page says.")
    # A site that lies on its page too is found by the manifest.
    page.evaluate(
        """async () => {
            const zip = await (await fetch("/api/v1/periods/2026-10/bundle.zip")).arrayBuffer();
            const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", zip));
            const words = [...sum].map((byte) => byte.toString(16).padStart(2, "0")).join("");
            document.querySelector("[data-behaviour=period]").dataset.sha256 = words;
        }"""
    )
    button.click()
    expect(wrong).to_have_text("Not as the manifest says: lines.csv.")


def test_a_listener_saves_the_proof_of_their_month(visitor: Visitor, told: Told, tmp_path: Path) -> None:
    page = october(visitor)
    page.get_by_role("link", name="Proof of my own month").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    visitor.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": told.cookie, "url": visitor.base_url}])
    page = october(visitor)
    for name in ("Bundle,", "verify_bundle.py", "Proof of my own month"):
        with page.expect_download() as begun:
            page.get_by_role("link", name=name).click()
        begun.value.save_as(tmp_path / begun.value.suggested_filename)
    command = [sys.executable, "-I", "-S", "verify_bundle.py", "refrain-2026-10.zip", "--key", told.public_key]
    command += ["--proof", "refrain-2026-10-my-proof.json"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "2026-10: counted in, as listener " in said.stdout
    assert "  plays                10\n" in said.stdout
