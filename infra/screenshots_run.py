"""Takes pictures of the pages in light and dark, wide and narrow, for people to look at.

    infra/screenshots DIR [--site URL] [--only WHO]

Without --site it runs a demo of its own for as long as it takes. With one, it listens and pays there as the demo's
people do, so give it nothing but a demo.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, sync_playwright

from infra.demo_run import PASSWORD

ROOT = Path(__file__).resolve().parent.parent
WIDTHS = (1280, 360)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
HEIGHT = 900
BROWSER_OPTIONS = ["--no-sandbox", "--disable-gpu", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]
STATE_MS = 30_000
ID, SLUG = "[0-9a-f-]{36}", "[-a-z0-9]+"


class Album:
    """The folder of pictures."""

    def __init__(self, folder: Path, site: str, browser: Browser) -> None:
        self.folder = folder
        self.site = site
        self.browser = browser

    def visit(self, *, who: str | None = None) -> Page:
        """Return a page of a new browser window, signed in as somebody of the demo if one is named."""
        page = self.browser.new_context().new_page()
        page.set_default_timeout(STATE_MS)
        if who:
            page.goto(f"{self.site}/accounts/login/")
            page.get_by_label("Email").fill(f"{who}@demo.example")
            page.get_by_label("Password").fill(PASSWORD)
            page.locator("main form button[type=submit]").click()
            page.locator(".credit").wait_for()
        return page

    def take(self, page: Page, name: str) -> None:
        """Take the page as it stands at every width, in every scheme, whole."""
        for width in WIDTHS:
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.set_viewport_size({"width": width, "height": HEIGHT})
                # As tall as the page, so that the bar at the foot stands where it ends.
                height = page.evaluate("() => document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": max(HEIGHT, height)})
                page.wait_for_timeout(150)
                page.screenshot(path=self.folder / f"{name}-{width}-{scheme}.png")
        page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
        print(name, flush=True)

    def take_linked(self, page: Page, name: str, pattern: str, *, at: str = "") -> str:
        """Take the first page that `at` (or the page shown) links to and that fits the pattern; return its address."""
        if at:
            page.goto(f"{self.site}{at}")
        hrefs = page.locator("#page a[href]").evaluate_all("links => links.map((link) => link.getAttribute('href'))")
        found = next((href for href in hrefs if re.fullmatch(pattern, href)), "")
        if found:
            self.take_addresses(page, (name, found))
        else:
            print(f"{name}: nothing at {at or page.url} links to {pattern}", flush=True)
        return found

    def take_addresses(self, page: Page, *addresses: tuple[str, str]) -> None:
        """Go to each address and take it under its name."""
        for name, address in addresses:
            page.goto(f"{self.site}{address}")
            page.wait_for_load_state("networkidle")
            self.take(page, name)


def main() -> None:
    """Take all pictures into the folder."""
    arguments = argparse.ArgumentParser(prog="infra/screenshots", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--site", help="the address of a demo that runs already")
    parts = [part.__name__.removeprefix("for_") for part in PARTS]
    arguments.add_argument("--only", action="append", choices=parts, help="only what somebody sees; may be repeated")
    chosen = arguments.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("REFRAIN_CHROMIUM") or shutil.which("chromium")
    if not chromium:
        sys.exit("There is no Chromium here.")
    with _demo(chosen.site) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_OPTIONS)
        album = Album(chosen.folder, site, browser)
        chosen_parts = [part for part in PARTS if not chosen.only or part.__name__.removeprefix("for_") in chosen.only]
        for part in chosen_parts:
            part(album)
        browser.close()
    print(f"Look at them: {chosen.folder}")


@contextmanager
def _demo(site: str | None) -> Iterator[str]:
    if site:
        yield site.rstrip("/")
        return
    with tempfile.TemporaryDirectory(prefix="refrain-pictures-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL may run as another user, who has to pass through here.
        command = [sys.executable, "-m", "infra.demo_run", "--data", folder]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
            assert demo.stdout is not None
            try:
                ready = next((line for line in demo.stdout if line.startswith("ready ")), None)
                if ready is None:
                    sys.exit("The demo did not come up.")
                yield ready.split()[1]
            finally:
                demo.terminate()
                demo.wait(60)


def for_strangers(album: Album) -> None:
    """Take what somebody sees who is not signed in."""
    page = album.visit()
    album.take_addresses(
        page,
        ("01-front", "/"),
        ("05-sign-in", "/accounts/login/"),
        ("06-sign-up", "/accounts/signup/"),
        ("08-problems", "/problems"),
        ("09-nothing-here", "/no-such-page"),
        ("10-browse", "/browse"),
        ("10-browse-found", "/browse?q=nebla"),
        ("10-browse-nothing", "/browse?q=qqqqxyzzy"),
        ("11-photos", "/photos"),
        ("12-creators", "/creators"),
        ("13-reports", "/reports"),
    )
    album.take_linked(page, "12-creator", f"/creators/{SLUG}", at="/creators")
    album.take_linked(page, "14-photo-stranger", f"/works/{ID}", at="/photos")
    album.take_linked(page, "15-report", f"/works/{ID}/report")
    page.goto(f"{album.site}/browse?kind=track")
    page.locator(".card__title").last.click()
    page.locator(".playbox[data-shows]").wait_for()
    release = album.take_linked(page, "16-release-stranger", f"/releases/{ID}")
    if release:
        page.goto(f"{album.site}{release}")
        page.locator("#play-all").click()
        page.locator("#player .player__next").wait_for()
        page.locator("#player .player__next").click()
        album.take(page, "16-release-queue")
    page.goto(f"{album.site}/")
    page.locator(".card__title").first.click()
    page.locator(".playbox[data-shows]").wait_for()
    album.take(page, "02-work-stranger")
    page.context.close()


def for_a_listener(album: Album) -> None:
    """Take the player's states one after the other, as a listener with credit goes through them."""
    page = album.visit(who="lena")
    album.take_addresses(page, ("01-front-listener", "/"))
    owned = page.locator(".card", has_text="yours").locator(".card__title").first.get_attribute("href")
    # Begun, or to be begun, and not so far that the play to come makes it owned.
    begun = page.locator(".card", has_text=re.compile(r"[1-7] of 9 paid|first play")).locator(".card__title")
    album.take_addresses(
        page, ("02-work-owned", owned or "/"), ("02-work-idle", begun.first.get_attribute("href") or "/")
    )
    page.locator("#play").click()
    _wait_for(page, "opening", "playing")
    if page.locator(".playbox[data-shows=playing]").count():  # paid in an earlier run and not heard out
        _seek(page, int(_fact(page, "duration_seconds")))
        _wait_for(page, "ended")
        page.locator("#play").click()
        _wait_for(page, "opening")
    page.wait_for_timeout(4_000)
    album.take(page, "02-work-opening")
    free = _fact(page, "free_seconds")
    _seek(page, int(free) - 6)
    _wait_for(page, "asks", "going")
    album.take(page, "02-work-asks")
    _wait_for(page, "stopped", "playing")
    album.take(page, "02-work-opening-over")
    if page.locator("#go-on").count():
        page.locator("#go-on").click()
    _wait_for(page, "playing")
    page.wait_for_timeout(2_000)
    album.take(page, "02-work-playing")
    page.locator("#own-here").click()
    album.take(page, "02-work-own-it")
    page.get_by_role("button", name="Not now").click()
    page.locator(".credit").click()
    page.locator(".balance").wait_for()
    album.take(page, "03-wallet")
    page.locator("#player [data-act=toggle]").click()
    album.take_addresses(
        page,
        ("04-account", "/account"),
        ("04-second-factor", "/accounts/2fa/"),
        ("03-cash-out", "/wallet/cash-out"),
        ("20-library", "/library"),
        ("20-library-begun", "/library?show=begun"),
        ("20-library-favourites", "/library?show=favourites"),
        ("21-export", "/library/export"),
        ("22-feed", "/feed"),
    )
    album.take_linked(page, "03-receipt", f"/wallet/top-ups/{ID}/receipt", at="/wallet")
    if album.take_linked(page, "20-library-work", f"/library/works/{ID}", at="/library"):
        album.take_linked(page, "20-certificate", f"/library/works/{ID}/certificate")
    page.context.close()


def for_who_looks(album: Album) -> None:
    """Take a photo before it is paid, open, and asked to be one's own; a release and its purchase."""
    page = album.visit(who="lars")
    page.goto(f"{album.site}/photos")
    page.locator(".light-table__photo", has_text=re.compile(r"(first|next) view")).locator("a").first.click()
    page.locator(".strip").wait_for()
    album.take(page, "14-photo")
    if page.locator("#open").count():
        page.locator("#open").click()
        page.locator("#size").wait_for()
        album.take(page, "14-photo-open")
    if page.locator("#own-now").count():
        page.locator("#own-now").click()
        album.take(page, "14-photo-own-it")
    page.goto(f"{album.site}/browse?kind=track")
    page.locator(".card__title").last.click()
    page.locator(".playbox[data-shows]").wait_for()
    if album.take_linked(page, "16-release", f"/releases/{ID}") and page.locator("#own-all").count():
        page.locator("#own-all").click()
        album.take(page, "16-release-own-it")
    page.context.close()


def for_who_has_no_credit(album: Album) -> None:
    """Take what a new listener sees without credit: told before the play, and at the gate."""
    page = album.visit()
    page.goto(f"{album.site}/accounts/signup/")
    page.get_by_label("Name").fill("Nora")
    page.get_by_label("Email").fill(f"nora-{os.getpid()}@demo.example")
    page.get_by_label("Password").fill("a-phrase-for-pictures")
    page.get_by_role("button", name="Make the account").click()
    page.locator(".card__title").first.click()
    page.locator(".playbox[data-shows]").wait_for()
    album.take(page, "02-work-no-credit")
    page.locator("#play").click()
    _wait_for(page, "opening")
    free = _fact(page, "free_seconds")
    _seek(page, int(free) - 6)
    _wait_for(page, "refused")
    album.take(page, "02-work-out-of-credit")
    album.take_addresses(page, ("03-wallet-empty", "/wallet"), ("07-upload-first", "/upload"))
    page.context.close()


def for_a_creator(album: Album) -> None:
    """Take what a creator sees."""
    page = album.visit(who="ana")
    album.take_addresses(page, ("30-studio", "/studio"))
    album.take_linked(page, "31-studio-profile", f"/studio/creators/{SLUG}")
    if album.take_linked(page, "32-studio-work", f"/studio/works/{ID}"):
        album.take_linked(page, "33-audience", f"/studio/works/{ID}/audience")
    album.take_linked(page, "34-studio-release", f"/studio/releases/{ID}", at="/studio/creators/maxstack")
    album.take_addresses(page, ("07-upload", "/upload"), ("07-creator", "/creators/maxstack"))
    page.locator(".card__title").first.click()
    page.locator(".playbox[data-shows]").wait_for()
    album.take(page, "02-work-own")
    page.context.close()


def for_staff(album: Album) -> None:
    """Take what those see who look after the house."""
    for who, name, address in (("wen", "40-reports", "/staff/reports"), ("tess", "41-transfers", "/staff/transfers")):
        page = album.visit(who=who)
        album.take_addresses(page, (name, address))
        page.context.close()


PARTS = (for_strangers, for_a_listener, for_who_looks, for_who_has_no_credit, for_a_creator, for_staff)


def _wait_for(page: Page, *states: str) -> None:
    page.locator(", ".join(f".playbox[data-shows={state}]" for state in states)).wait_for()


def _fact(page: Page, name: str) -> float:
    facts = "() => JSON.parse(document.querySelector('[data-listening]').dataset.listening)"
    return float(page.evaluate(facts)[name])


def _seek(page: Page, seconds: int) -> None:
    page.locator("[data-seek]").evaluate(
        "(range, to) => { range.value = to;"
        " for (const name of ['input', 'change']) range.dispatchEvent(new Event(name, { bubbles: true })); }",
        seconds,
    )


if __name__ == "__main__":
    main()
