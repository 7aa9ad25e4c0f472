"""The folder of pictures, those who walk through the pages, and what is wrong with a page as it stands."""

import email
import email.policy
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from infra.demonstration.people import PASSWORD
from infra.demonstration.run import ROOT

WIDTHS = (1280, 360)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
HEIGHT = 900
STATE_MS = 30_000
SERIOUS = ("serious", "critical")
ID, SLUG = "[0-9a-f-]{36}", "[-a-z0-9]+"
# A photo is never cropped; what stands wider than the window is reached by nobody on a phone.
LOOK_OVER = """() => {
  const faults = [];
  const wider = document.documentElement.scrollWidth - innerWidth;
  if (wider > 0) {
    const all = [...document.querySelectorAll("#page *")].filter((one) => !one.closest(".table-scroll, .tabs"));
    const out = all.filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
    faults.push(`${wider} px too wide: ${out.slice(-3).map((one) => one.outerHTML.slice(0, 90)).join(" | ")}`);
  }
  for (const image of document.images) {
    const { width, height } = image.getBoundingClientRect();
    if (image.complete && !image.naturalWidth && image.src) faults.push(`not there: ${image.src}`);
    if (!width || !image.naturalWidth) continue;
    const shape = Math.abs(Math.log((image.naturalWidth / image.naturalHeight) / (width / height)));
    const fit = getComputedStyle(image).objectFit;
    if (shape > 0.03 && fit !== "contain") faults.push(`${fit === "cover" ? "cropped" : "stretched"}: ${image.src}`);
  }
  return faults;
}"""
TABS = 40
# Whoever goes through a page by keyboard sees where they are: an outline around it, or around what holds it.
FOCUS_SEEN = """() => {
  const here = document.activeElement;
  if (!here || here === document.body) return "";
  for (let at = here; at && at !== document.body; at = at.parentElement) {
    const { outlineStyle, outlineWidth } = getComputedStyle(at);
    if (outlineStyle === "auto" || (outlineStyle !== "none" && parseFloat(outlineWidth) >= 2)) return "";
  }
  return here.outerHTML.slice(0, 120);
}"""


class Visit:
    """Somebody in front of a browser window."""

    def __init__(self, album: "Album", page: Page) -> None:
        """Take the album whose pictures are taken and the window."""
        self.album = album
        self.page = page

    def go(self, address: str) -> None:
        """Go to an address of the site and wait until it is quiet there."""
        self.page.goto(f"{self.album.site}{address}")
        self.page.wait_for_load_state("networkidle")

    def take(self, name: str, address: str = "") -> None:
        """Take the page as it stands, or the one at the address."""
        if address:
            self.go(address)
        self.album.take(self.page, name)

    def take_opened(self, name: str, address: str) -> None:
        """Take the page at the address with everything unfolded that can be."""
        self.go(address)
        self.page.evaluate("() => { for (const one of document.querySelectorAll('#main details')) one.open = true; }")
        self.album.take(self.page, name)

    def take_linked(self, name: str, pattern: str, *, at: str = "") -> str:
        """Take the first page that `at` (or the page shown) links to and that fits the pattern; return its address."""
        found = self.linked(pattern, at=at)
        if found:
            self.take(name, found)
        else:
            self.album.miss(name, f"nothing at {at or self.page.url} links to {pattern}")
        return found

    def linked(self, pattern: str, *, at: str = "") -> str:
        """Return the first address that fits the pattern among the links of the page."""
        if at:
            self.go(at)
        hrefs = self.page.locator("#page a[href]").evaluate_all(
            "links => links.map((link) => link.getAttribute('href'))"
        )
        return next((href for href in hrefs if re.fullmatch(pattern, href)), "")

    def send(self, address: str, **fields: str) -> str:
        """Send a form of the site's as its page would; return the address that it led to."""
        answer = self.page.context.request.post(
            f"{self.album.site}{address}",
            form={**fields, "csrfmiddlewaretoken": self._token()},
            headers={"Referer": f"{self.album.site}{address}"},
        )
        return answer.url.removeprefix(self.album.site)

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> Any:
        """Ask the API with the window's cookies; return what it said, whatever that is."""
        answer = self.page.context.request.fetch(
            f"{self.album.site}/api/v1/{path}",
            method=method,
            data=content,
            headers={"X-CSRFToken": self._token(), **headers},
        )
        return answer.json() if answer.text() else None

    def close(self) -> None:
        """Close the window."""
        self.page.context.close()

    def _token(self) -> str:
        cookies = self.page.context.cookies()
        return next((cookie["value"] for cookie in cookies if cookie.get("name") == "csrftoken"), "")


class Album:
    """The folder of pictures of a demo."""

    def __init__(self, folder: Path, demo: Path, browser: Browser, *, with_axe: bool) -> None:
        """Take the folder for the pictures, the folder of the running demo, and whether axe looks at each page too."""
        self.folder = folder
        self.demo = demo
        self.browser = browser
        self.site: str = json.loads((demo / "stack.json").read_text())["REFRAIN_BASE_URL"].rstrip("/")
        self.axe = Axe() if with_axe else None
        self.taken: list[str] = []
        self.faults: list[str] = []
        self._works: dict[str, str] = {}

    def visit(self, *, who: str | None = None) -> Visit:
        """Return somebody with a new browser window, signed in as one of the demo's people if one is named."""
        page = self.browser.new_context().new_page()
        page.set_default_timeout(STATE_MS)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda line: (
                self.faults.append(f"{page.url}: {line.text}")
                if line.type == "error" and "the server responded with a status of" not in line.text
                else None
            ),
        )
        visit = Visit(self, page)
        if who:
            visit.go("/accounts/login/")
            page.get_by_label("Email").fill(f"{who}@demo.example")
            page.get_by_label("Password").fill(PASSWORD)
            page.locator("main form button[type=submit]").click()
            page.locator(".credit").wait_for()
        return visit

    def newcomer(self, name: str) -> Visit:
        """Return somebody who has just made an account by its page."""
        visit = self.visit()
        visit.go("/accounts/signup/")
        visit.page.get_by_label("Name").fill(name)
        visit.page.get_by_label("Email").fill(f"{name.lower()}-{os.getpid()}@demo.example")
        visit.page.get_by_label("Password").fill(PASSWORD)
        visit.page.get_by_role("button", name="Make the account").click()
        visit.page.locator(".credit").wait_for()
        return visit

    def work(self, title: str) -> str:
        """Return the id of a work of the demo by its title."""
        if not self._works:
            visit = self.visit()
            visit.go("/problems")
            path = "works"
            while path:
                shown = visit.ask("GET", path)
                self._works |= {work["title"]: work["id"] for work in shown["results"]}
                path = (shown["next"] or "").partition("/api/v1/")[2]
            visit.close()
        return self._works[title]

    def take(self, page: Page, name: str) -> None:
        """Take the page as it stands at every width, in every scheme, whole, and look it over."""
        for width in WIDTHS:
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                page.set_viewport_size({"width": width, "height": HEIGHT})
                # As tall as the page, so that the bar at the foot stands where it ends and every picture is loaded.
                height = page.evaluate("() => document.documentElement.scrollHeight")
                page.set_viewport_size({"width": width, "height": max(HEIGHT, height)})
                page.wait_for_function("() => [...document.images].every((image) => image.complete)")
                page.wait_for_timeout(120)
                page.screenshot(path=self.folder / f"{name}-{width}-{scheme}.png")
                place = f"{name} {width} {scheme}"
                self.faults += [f"{place}: {fault}" for fault in page.evaluate(LOOK_OVER)]
                # Each width and each scheme once: what is hidden depends on the one, contrast on the other.
                if self.axe and (width == WIDTHS[0]) == (scheme == SCHEMES[0]):
                    self.faults += [f"{place}: {fault}" for fault in _faults_of_access(self.axe, page)]
        if self.axe:
            self.faults += [f"{name}: the focus is not seen on {place}" for place in _unseen_by_keyboard(page)]
        page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
        self.taken.append(name)
        print(name, flush=True)

    def miss(self, name: str, why: str) -> None:
        """Say that a picture could not be taken."""
        self.faults.append(f"{name} is missing: {why}")
        print(f"{name} is missing: {why}", flush=True)

    def letters(self) -> list[tuple[str, str]]:
        """Return the subject and the HTML of each mail the demo would have sent, one of each subject."""
        found: dict[str, str] = {}
        for file in sorted((self.demo / "outbox").glob("*.log")):
            for text in file.read_text().split("\n" + "-" * 79 + "\n"):
                message = email.message_from_bytes(text.lstrip("\n").encode(), policy=email.policy.default)
                body = message.get_body(preferencelist=("html",)) if text.strip() else None
                if body is not None:
                    found[str(message["Subject"])] = body.get_content()
        return list(found.items())

    def rendered(self, template: str) -> str:
        """Return a template that only a fault would show, made by the demo's own settings."""
        said = {"reference": "5ca1ab1e"}
        program = f"from django.template.loader import render_to_string as r; print(r({template!r}, {said!r}))"
        command = [sys.executable, str(ROOT / "manage.py"), "shell", "--verbosity", "0", "-c", program]
        env = {**os.environ, "REFRAIN_DATA": str(self.demo)}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def ignoring(act: Callable[[], None], album: Album, name: str) -> None:
    """Do one part of the walk; what fails there is said and keeps no other picture from being taken."""
    try:
        act()
    except Exception as error:  # noqa: BLE001 - whatever it was, the other pages are looked at
        album.miss(name, str(error).splitlines()[0] if str(error) else repr(error))


def _faults_of_access(axe: Axe, page: Page) -> list[str]:
    found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{fault['impact']} {fault['id']}: {fault['help']} {[node['html'][:140] for node in fault['nodes'][:3]]}"
        for fault in found
        if fault["impact"] in SERIOUS
    ]


def _unseen_by_keyboard(page: Page) -> list[str]:
    unseen = []
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if place := page.evaluate(FOCUS_SEEN):
            unseen.append(place)
    page.evaluate("() => document.activeElement?.blur()")
    return list(dict.fromkeys(unseen))
