"""Somebody owns things and takes them along: downloads, certificates, a zip that opens from a disk."""

import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser.conftest import Shop
from tests.journeys.browser.reach import faults_of_access, sideways
from tests.journeys.browser.visitor import Visitor

# A file is made by ffmpeg, on a machine that does other things as well.
MADE_WITHIN_MS = 90_000
PHONE, DARK = {"width": 360, "height": 740}, "dark"


@pytest.fixture
def owner(lena: Visitor, shop: Shop) -> Visitor:
    """Give Lena, who owns a track and a photo, kept another track for nothing, and has begun a fourth work."""
    for work, price in ((shop.nebula, 1_022_000), (shop.photo, 1_022_000), (shop.free, 0)):
        key = {"Idempotency-Key": f"library-{work}"}
        lena.ask("POST", f"works/{work}/purchase", {"price_micros": price}, **key)
    session = lena.ask("POST", "sessions", {"work": shop.short})
    lena.ask("POST", f"sessions/{session['id']}/charge", {"price_micros": session["price_micros"]})
    return lena


def saved(page: Page, name: str, folder: Path) -> Path:
    """Press what saves a file and return where it lies."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_file_is_made_saved_and_whole_and_its_certificate_is_genuine(
    owner: Visitor, shop: Shop, tmp_path: Path
) -> None:
    page = owner.page
    page.goto(f"{owner.base_url}/library")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your library")
    expect(page.get_by_text("3 yours · 1 on the way")).to_be_visible()
    page.get_by_role("link", name="Files, certificate of Nebula").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nebula")
    page.get_by_role("button", name="Make it as FLAC").click()
    expect(page.get_by_role("link", name="Save it as FLAC")).to_be_visible(timeout=MADE_WITHIN_MS)
    file = saved(page, "Save it as FLAC", tmp_path)
    shown = page.locator(".file", has=page.get_by_role("link", name="Save it as FLAC")).locator("code").inner_text()
    assert hashlib.sha256(file.read_bytes()).hexdigest() == shown
    assert (file.suffix, file.read_bytes()[:4]) == (".flac", b"fLaC")
    assert faults_of_access(page) == []

    page.get_by_role("link", name="Certificate", exact=True).click()
    expect(page.locator(".certificate")).to_contain_text("Nebula")
    assert faults_of_access(page) == []
    certificate = saved(page, "Save as JSON", tmp_path)
    keys, program = saved(page, "the keys", tmp_path), saved(page, "the program", tmp_path)
    assert (keys.name, program.name) == ("refrain-keys.json", "verify_certificate.py")
    command = [sys.executable, "-I", "-S", program, certificate, file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "byte for byte" in done.stdout
    certificate.write_text(certificate.read_text().replace("Nebula", "Nebulb"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "NOT GENUINE" in done.stdout) == (1, True)

    page.locator(".certificate").get_by_role("link", name="/certificates/").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This certificate holds")
    assert faults_of_access(page) == []


def test_everything_is_packed_and_opens_from_a_disk_without_a_network(
    owner: Visitor, browser: Browser, tmp_path: Path
) -> None:
    page = owner.page
    page.goto(f"{owner.base_url}/library/export")
    assert faults_of_access(page) == []
    page.get_by_role("button", name="Pack a zip").click()
    expect(page.get_by_role("link", name="Save the zip")).to_be_visible(timeout=MADE_WITHIN_MS)
    assert faults_of_access(page) == []
    archive = saved(page, "Save the zip", tmp_path)
    assert archive.name == "refrain-library.zip"
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == page.locator(".file__sum code").inner_text()
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(tmp_path)
    folder = tmp_path / "refrain-library"
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert len(json.loads((folder / "library.json").read_text())["library"]) == 4

    for size, scheme in (({"width": 1280, "height": 900}, "light"), (PHONE, DARK)):
        try_from_disk(browser, folder / "index.html", viewport=size, color_scheme=scheme)


class Opened:
    """A page opened from a disk, in a browser that may go nowhere."""

    def __init__(self, browser: Browser, path: Path, **options: Any) -> None:
        self.wrong: list[str] = []
        self.context = browser.new_context(offline=True, **options)
        self.page = self.context.new_page()
        self.page.on(
            "console", lambda line: self.wrong.append(line.text) if line.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", lambda request: self.wrong.append(f"missing: {request.url}"))
        self.page.on("request", lambda asked: None if is_local(asked.url) else self.wrong.append(f"asked: {asked.url}"))
        self.page.goto(path.as_uri())

    def close(self) -> None:
        self.context.close()


def is_local(address: str) -> bool:
    return urlsplit(address).scheme in ("file", "data")


def until(page: Page, words: str) -> None:
    """Wait until something is true on a page whose policy lets nobody evaluate a text, Playwright's own waiting too."""
    for _ in range(200):
        if page.evaluate(words):
            return
        page.wait_for_timeout(100)
    raise AssertionError(words)


def try_from_disk(browser: Browser, path: Path, **options: Any) -> None:
    """Open the page, hear a track of it, see its photo and find things: without a fault, and without asking anybody."""
    opened = Opened(browser, path, **options)
    page = opened.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Your library")
    expect(page.locator("audio")).to_have_count(2)
    heard = page.locator("audio").first
    heard.evaluate("sound => { sound.muted = true; return sound.play(); }")
    until(page, "document.querySelector('audio').currentTime > 0.3")
    page.locator("audio").nth(1).evaluate("sound => { sound.muted = true; return sound.play(); }")
    until(page, "document.querySelector('audio').paused")
    photo = page.locator(".keep-photo img")
    photo.scroll_into_view_if_needed()
    until(page, "document.querySelector('.keep-photo img').naturalWidth > 1000")
    box = photo.bounding_box()
    natural = photo.evaluate("img => img.naturalWidth / img.naturalHeight")
    assert box is not None
    assert abs(box["width"] / box["height"] - natural) < 0.02
    assert page.evaluate("document.fonts.check('20px Besley') && document.fonts.check('20px \"Familjen Grotesk\"')")
    assert sideways(page) <= 0
    page.get_by_label("Find in this page").fill("nebu")
    expect(page.locator("[data-work]:visible")).to_have_count(1)
    page.get_by_label("Find in this page").fill("")
    # The checker reads style sheets by requests of its own, which the page's policy refuses: it comes last.
    assert opened.wrong == []
    assert faults_of_access(page) == []
    opened.close()


def test_the_library_on_a_phone_in_the_dark(owner: Visitor, shop: Shop, arrive: Callable[..., Visitor]) -> None:
    phone = arrive(viewport=PHONE, color_scheme=DARK)
    phone.context.add_cookies(owner.context.cookies())
    page = phone.page
    for path in (
        "/library",
        "/library?show=begun",
        "/library?show=favourites",
        f"/library/works/{shop.photo}",
        f"/library/works/{shop.nebula}/certificate?named=1",
        "/library/export",
    ):
        page.goto(f"{owner.base_url}{path}")
        assert sideways(page) <= 0, path
        assert faults_of_access(page) == [], path
    page.goto(f"{owner.base_url}/library")
    page.get_by_label("Words").fill("spark")
    page.get_by_label("Words").press("Enter")
    expect(page.get_by_text("Nothing of yours fits")).to_be_visible()
    expect(page.locator(".way")).to_have_count(1)
