"""Somebody in front of a browser: what they do, what they see, and whether anything went wrong behind the page."""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page, Request, Route, expect

WATCH = (Path(__file__).parent / "watch.js").read_text()
PASSWORD = "a-long-enough-phrase"
# Half of the track is free: 12 s; the gate is the first end of a 2 s segment at least 5 s later: 18 s.
TRACK_SECONDS, FREE_SECONDS, OPEN_SECONDS = 24, 12, 18
_numbers = count(1)


@dataclass
class Visitor:
    """One person with one browser. Further tabs are further pages of the same context."""

    base_url: str
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    @classmethod
    def arriving(cls, *, base_url: str, context: BrowserContext) -> "Visitor":
        """Return a visitor whose every page is watched."""
        context.add_init_script(WATCH)
        context.set_default_timeout(15_000)
        visitor = cls(base_url=base_url, context=context, page=context.new_page())
        visitor.watch(visitor.page)
        return visitor

    def watch(self, page: Page) -> None:
        """Note errors on the console, exceptions, answers that are faults, and requests to anybody else."""

        def requested(request: Request) -> None:
            if request.url.startswith(("data:", "blob:")):
                return
            if urlsplit(request.url).hostname != "127.0.0.1":
                self.faults.append(f"a third party was called: {request.url}")

        page.on("console", lambda line: self.faults.append(f"console: {line.text}") if line.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        page.on("request", requested)

    def new_tab(self) -> Page:
        """Open another tab."""
        page = self.context.new_page()
        self.watch(page)
        return page

    def assert_nothing_went_wrong(self) -> None:
        """Check that there was no fault but those the test said it would cause."""
        left = [fault for fault in self.faults if not any(words in fault for words in self.expected)]
        assert left == []

    # Who they are, and what they hold.

    def sign_up(self, name: str = "lena") -> str:
        """Make an account by the form, sent without showing it; return the e-mail."""
        email = f"{name}-{next(_numbers)}@journey.example"
        address = f"{self.base_url}/accounts/signup/"
        self.context.request.get(address)
        fields = {"name": name.capitalize(), "email": email, "password1": PASSWORD}
        fields["csrfmiddlewaretoken"] = self.cookie("csrftoken")
        answer = self.context.request.post(address, form=fields, headers={"Referer": address}, max_redirects=0)
        assert answer.status == 302, answer.text()
        return email

    def sign_up_by_the_page(self, name: str) -> str:
        """Make an account as people do; return the e-mail."""
        email = f"{name}-{next(_numbers)}@journey.example"
        self.page.goto(f"{self.base_url}/accounts/signup/")
        self.page.get_by_label("Name").fill(name.capitalize())
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Make the account").click()
        expect(self.page.locator(".credit")).to_be_visible()
        return email

    def send(self, path: str, **fields: str) -> str:
        """Send a form of the pages without showing it; return the page that came of it."""
        answer = self.context.request.post(
            f"{self.base_url}{path}",
            form={"csrfmiddlewaretoken": self.cookie("csrftoken"), **fields},
            headers={"Referer": f"{self.base_url}{path}"},
        )
        assert answer.ok, f"{answer.status} {answer.text()[:300]}"
        return answer.text()

    def found_profile(self, name: str) -> None:
        """Found a creator's profile by the form of the upload's page."""
        assert f"The profile “{name}” is yours." in self.send("/upload", name=name)

    def token(self, scope: str) -> str:
        """Make a token for a program by the form of the account's page."""
        return plain_token(self.send("/account/tokens", name="a program", scopes=scope))

    def cookie(self, name: str) -> str:
        """Return a cookie of the site."""
        return next((cookie["value"] for cookie in self.context.cookies() if cookie["name"] == name), "")

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> Any:
        """Ask the API as the page would, with its cookies, and return what it said."""
        answer = self.context.request.fetch(
            f"{self.base_url}/api/v1/{path}",
            method=method,
            data=content,
            headers={"X-CSRFToken": self.cookie("csrftoken"), **headers},
        )
        assert answer.ok, f"{answer.status} {answer.text()[:300]}"
        return answer.json() if answer.text() else None

    def add_credit(self, cents: int) -> int:
        """Top up through the gateway without its page; return the credit that came of it, in micros."""
        before = self.wallet["balance_micros"]
        self.ask(
            "POST",
            "wallet/top-ups",
            {"amount_micros": cents * 10_000},
            **{"Idempotency-Key": f"journey-{next(_numbers)}", "X-Play-Money": "settle"},
        )
        for _ in range(100):
            credit = self.wallet["balance_micros"] - before
            if credit:
                return int(credit)
            self.page.wait_for_timeout(50)
        raise AssertionError("the gateway's webhook never came")

    @property
    def wallet(self) -> Any:
        """Return the wallet as the API has it."""
        return self.ask("GET", "wallet")

    @property
    def charges(self) -> list[tuple[str, int | None, int]]:
        """Return what was charged, newest first: kind, play number, amount in micros."""
        entries = self.ask("GET", "wallet/entries")["results"]
        return [
            (entry["kind"], entry["play_number"], -entry["amount_micros"])
            for entry in entries
            if entry["kind"] in ("play", "purchase")
        ]

    # The player.

    def open_work(self, work: str, page: Page | None = None) -> None:
        """Go to a work's page."""
        page = page or self.page
        page.goto(f"{self.base_url}/works/{work}")
        expect(page.locator(".playbox[data-shows]")).to_be_visible()

    def press_play(self, page: Page | None = None) -> None:
        """Press the round button."""
        (page or self.page).locator("#play").click()

    def expect_state(self, state: str, page: Page | None = None, *, seconds: float = 15) -> None:
        """Wait until the player's box shows the state."""
        box = (page or self.page).locator(".playbox")
        expect(box).to_have_attribute("data-shows", state, timeout=seconds * 1000)

    def says(self, page: Page | None = None) -> str:
        """Return the words in the player's box, on one line."""
        return " ".join((page or self.page).locator(".playbox").inner_text().split())

    def seek(self, seconds: float, page: Page | None = None) -> None:
        """Move the slider there, as a pointer that lets go of it does."""
        (page or self.page).locator("[data-seek]").evaluate(
            "(range, to) => { range.value = to;"
            " for (const name of ['input', 'change']) range.dispatchEvent(new Event(name, { bubbles: true })); }",
            seconds,
        )

    def position(self, page: Page | None = None) -> float:
        """Return where the sound stands, in seconds."""
        return float((page or self.page).evaluate("window.watched.audio.currentTime"))

    def is_sounding(self, page: Page | None = None) -> bool:
        """Return whether the sound moves."""
        page = page or self.page
        at = self.position(page)
        # A busy machine takes its time to play what is not stopped.
        for _ in range(12):
            page.wait_for_timeout(400)
            if self.position(page) > at:
                return True
            if page.evaluate("window.watched.audio.paused"):
                return False
        return False

    def wait_until_heard(self, seconds: float, page: Page | None = None) -> None:
        """Wait until the sound has reached a place."""
        (page or self.page).wait_for_function(
            "seconds => window.watched.audio.currentTime >= seconds", arg=seconds, timeout=30_000
        )

    def events(self, name: str, page: Page | None = None) -> list[dict[str, Any]]:
        """Return what the sound did of that name."""
        return [event for event in (page or self.page).evaluate("window.watched.events") if event["name"] == name]

    def stops_at_the_gate(self, page: Page | None = None) -> list[dict[str, Any]]:
        """Return where the sound paused, or waited for want of more, from the opening's end to a second past the gate.

        Since it was last moved: what somebody stopped before is another story. With sound in store it waits only for a
        machine that is too busy to play it, which is not the gate's doing.
        """
        since = max((event["when"] for event in self.events("seeking", page)), default=0)
        stops = self.events("pause", page) + [one for one in self.events("waiting", page) if one["ahead"] < 0.5]
        return [stop for stop in stops if stop["when"] > since and FREE_SECONDS - 0.5 <= stop["at"] <= OPEN_SECONDS + 1]

    def hurry(self, page: Page | None = None, *, times: int = 2) -> None:
        """Let the sound run at twice its speed, or at another, where nothing depends on it."""
        (page or self.page).evaluate(
            "times => { window.watched.audio.playbackRate = window.watched.audio.defaultPlaybackRate = times }", times
        )

    def hurry_until(self, seconds: float, page: Page | None = None) -> None:
        """Let the sound run at four times its speed to a place, and from there as it should, however slow we are."""
        (page or self.page).evaluate(
            "until => { const { audio } = window.watched; audio.playbackRate = 4; const watch = setInterval(() => {"
            " if (audio.currentTime >= until) { audio.playbackRate = 1; clearInterval(watch); } }, 10); }",
            seconds,
        )

    # The bar at the foot, and the queue.

    def bar_says(self, words: str | re.Pattern[str], *, seconds: float = 15) -> None:
        """Wait until the bar says so of what is heard and what it costs."""
        expect(self.page.locator("#player .player__cost")).to_contain_text(words, timeout=seconds * 1000)

    def expect_heard(self, title: str) -> None:
        """Wait until the bar names the work."""
        expect(self.page.locator("#player [data-place=title]")).to_have_text(title)

    def expect_next(self, words: str) -> None:
        """Wait until the bar names what comes next, with its price."""
        expect(self.page.locator("#player .player__next")).to_contain_text(words, use_inner_text=True)

    def press_on_system(self, name: str, **details: Any) -> None:
        """Press a button of the system: of a headset, a keyboard, a phone's lock screen."""
        self.page.evaluate("([name, details]) => window.watched.system[name](details)", [name, details])

    def set_going_on(self) -> None:
        """Have asked for supply at once and chosen that plays go on by themselves, as after a first play."""
        for path, fields in (("consent", {"version": "1"}), ("going-on", {"goes_on": "1"})):
            answer = self.context.request.post(
                f"{self.base_url}/wallet/{path}",
                form=fields,
                headers={
                    "X-CSRFToken": self.cookie("csrftoken"),
                    "Referer": self.base_url,
                    "Accept": "application/json",
                },
            )
            assert answer.status == 204, answer.text()

    def answers(self, ending: str, page: Page | None = None) -> list[dict[str, Any]]:
        """Return the answers to what the page's script asked of addresses with that ending."""
        found = (page or self.page).evaluate("window.watched.answers")
        return [answer for answer in found if urlsplit(answer["url"]).path.endswith(ending)]

    def ring(self, page: Page | None = None) -> str:
        """Return what stands in the ring."""
        return " ".join((page or self.page).locator(".ring__text").inner_text().split())

    @property
    def credit_shown(self) -> int:
        """Return the credit in the page's head, in micros."""
        text = self.page.locator(".credit .money").inner_text().removeprefix("€").replace(",", "")
        return int(Decimal(text) * 1_000_000)


def plain_token(page: str) -> str:
    """Return the token that the account's page shows, this once."""
    shown = re.search(r'id="plain-token">([^<]+)<', page)
    assert shown is not None, page[:500]
    return shown.group(1)


def lose_answers(route: Route, *, lost: list[int], times: int) -> None:
    """Let the server carry out a request and lose its answer on the way, `times` times."""
    if len(lost) < times:
        lost.append(route.fetch().status)
        route.abort("connectionreset")
    else:
        route.continue_()
