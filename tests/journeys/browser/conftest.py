"""The shop for journeys in a browser: the whole service as it runs for people, and real music from the real ingest."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from catalog import sandbox
from infra import serving, throwaway
from infra.bench import ground
from infra.stack import Stack
from tests.journeys.browser.visitor import PASSWORD, TRACK_SECONDS, Visitor, plain_token

MUSIC = Path(__file__).parents[3] / "infra" / "demonstration" / "works" / "maxstack-nebula.opus"
CREATOR = "ana@journey.example"
BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
]


# How long a busy machine takes to show something says nothing about the page.
expect.set_options(timeout=15_000)


# Where sound is played a processor mostly waits for it. The pages' journeys run beside these, in a shop of their own.
WITH_SOUND = ("test_listening.py", "test_interruptions.py", "test_queue.py", "test_photos.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let them share two shops where tests run in several processes, and one where they do not."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            group = "browser-sound" if item.path.name in WITH_SOUND else "browser-pages"
            item.add_marker(pytest.mark.xdist_group(group))


@dataclass(frozen=True)
class Shop:
    """What stands: the stack, and the works by what they are for."""

    stack: Stack
    nebula: str
    short: str
    free: str
    album: str
    rooms: tuple[str, ...]
    photo: str

    @property
    def url(self) -> str:
        """Return where the site is served."""
        return self.stack.base_url


def cut(
    folder: Path, name: str, *, start: int, seconds: int, album: str = "", number: int = 0, sleeve: Path | None = None
) -> Path:
    """Cut a piece out of real music and pack it as FLAC, with a title, perhaps a place on an album and a picture."""
    path = folder / f"{name}.flac"
    command = [sandbox.program("ffmpeg"), "-nostdin", "-v", "error", "-ss", str(start), "-t", str(seconds), "-i", MUSIC]
    if sleeve:
        command += ["-i", sleeve, "-map", "0:a", "-map", "1:v", "-c:v", "copy", "-disposition:v", "attached_pic"]
    tags = ["-metadata", f"title={name}", "-metadata", "artist=Maxstack"]
    if album:
        tags += ["-metadata", f"album={album}", "-metadata", f"track={number}"]
    subprocess.run([*command, "-map_metadata", "-1", *tags, "-sample_fmt", "s16", "-ar", "44100", path], check=True)
    return path


def found_profile(stack: Stack, email: str, profile: str) -> str:
    """Make an account, a creator's profile and a token to publish with by the forms of the pages; return the token."""
    with requests.Session() as person:

        def send(path: str, to: str = "", **fields: str) -> str:
            page = f"{stack.base_url}{path}"
            person.get(page, timeout=20).raise_for_status()
            fields["csrfmiddlewaretoken"] = person.cookies["csrftoken"]
            answer = person.post(f"{stack.base_url}{to or path}", fields, headers={"Referer": page}, timeout=20)
            assert answer.ok, answer.text[:500]
            return answer.text

        send("/accounts/signup/", name="Ana", email=email, password1=PASSWORD)
        send("/upload", name=profile)
        return plain_token(send("/account", to="/account/tokens", name="a program", scopes="publish"))


class Program:
    """A creator's program: talks to the API with a token."""

    def __init__(self, stack: Stack, token: str) -> None:
        self.stack = stack
        self.token = token

    def ask(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json", **headers: str
    ) -> Any:
        """Ask and return the answer's content."""
        connection = http.client.HTTPConnection("127.0.0.1", self.stack.web_port, timeout=30)
        said = {"Authorization": f"Bearer {self.token}", "Content-Type": kind, **headers}
        connection.request(method, f"/api/v1/{path}", body, said)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {content[:300]!r}"
        return json.loads(content) if content else None

    def upload(self, path: Path) -> str:
        """Upload a file and return the upload's id."""
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
        body = head.encode() + path.read_bytes() + f"\r\n--{edge}--\r\n".encode()
        return str(self.ask("POST", "uploads", body, f"multipart/form-data; boundary={edge}")["id"])

    def work_of(self, upload: str) -> str:
        """Wait until the worker has made a work of the upload; return the work's id."""
        give_up_at = time.monotonic() + 180
        while True:
            standing = self.ask("GET", f"uploads/{upload}")
            if standing["state"] == "ready":
                return str(standing["work"])
            assert standing["state"] != "rejected", standing["reason"]
            assert time.monotonic() < give_up_at, standing
            time.sleep(0.2)

    def add_credit(self, cents: int, *, key: str) -> None:
        """Top up through the gateway without its page, and wait until the credit is there."""
        asked = {"Idempotency-Key": key, "X-Play-Money": "settle"}
        self.ask("POST", "wallet/top-ups", json.dumps({"amount_micros": cents * 10_000}).encode(), **asked)
        give_up_at = time.monotonic() + 30
        while not self.ask("GET", "wallet")["balance_micros"]:
            assert time.monotonic() < give_up_at, "the gateway's webhook never came"
            time.sleep(0.05)

    def publish(self, work: str, **figures: Any) -> str:
        """Set figures of the work and publish it."""
        if figures:
            self.ask("PATCH", f"works/{work}", json.dumps(figures).encode())
        self.ask("POST", f"works/{work}/publish")
        return work


@pytest.fixture(scope="session")
def shop() -> Iterator[Shop]:
    """Give the whole service, as `infra/demo` runs it, with three works of a creator."""
    with (
        ground.laid(database=throwaway.HURRIED) as stack,
        tempfile.TemporaryDirectory(prefix="refrain-music-") as music,
    ):
        state = stack.folder / "play-money.sqlite3"
        gateway = ["-m", "infra.play_money", "--port", str(stack.gateway_port), "--state", str(state)]
        stack.run("Payment gateway", [sys.executable, *gateway])
        web = serving.start_web(stack, count=2)
        serving.start_worker(stack)
        ground.wait_for_answers(web, port=stack.web_port)
        ana = Program(stack, found_profile(stack, CREATOR, "Maxstack"))
        folder = Path(music)
        uploads = [
            ana.upload(cut(folder, "Nebula", start=0, seconds=TRACK_SECONDS)),
            ana.upload(cut(folder, "Spark", start=30, seconds=8)),
            ana.upload(cut(folder, "Gift", start=50, seconds=TRACK_SECONDS)),
            *(
                ana.upload(cut(folder, name, start=start, seconds=TRACK_SECONDS, album="Three Rooms", number=number))
                for number, (name, start) in enumerate((("Hall", 8), ("Stairs", 34), ("Attic", 60)), start=1)
            ),
            ana.upload(MUSIC.parent / "trevor-freespace-fig.jpg"),
        ]
        nebula, short, free, *rooms, photo = (ana.work_of(upload) for upload in uploads)
        for work in (nebula, short, *rooms):
            ana.publish(work)
        ana.publish(free, price_micros=0)
        ana.publish(photo, title="Fig, halved", alternative_text="Half a fig in a red bowl")
        album = ana.ask("GET", f"works/{rooms[0]}")["release"]
        yield Shop(stack=stack, nebula=nebula, short=short, free=free, album=album, rooms=tuple(rooms), photo=photo)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return where Chromium is; without one the browser's journeys do not run, which is wrong in CI."""
    found = os.environ.get("REFRAIN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        assert os.environ.get("CI") != "true", "there is no Chromium"
        pytest.skip("there is no Chromium here")
    return found


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Give Playwright, stopped after each file: while it runs, its loop would disturb tests that ask the database."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    """Give a headless Chromium."""
    launched = playwright.chromium.launch(executable_path=chromium_path, args=BROWSER_OPTIONS)
    yield launched
    launched.close()


def forget_sign_ups(stack: Stack) -> None:
    """Forget who signed up from this machine: of one household's address, so many in a minute would be refused."""
    with redis.Redis.from_url(stack.valkey.url) as counters:
        for key in counters.scan_iter("*allauth:rl:*"):
            counters.delete(key)


@pytest.fixture
def arrive(shop: Shop, browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Give a function by which somebody arrives with a browser of their own; afterwards nothing may have gone wrong."""
    visitors: list[Visitor] = []
    forget_sign_ups(shop.stack)

    def arriving(**options: Any) -> Visitor:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        visitors.append(Visitor.arriving(base_url=shop.url, context=context))
        return visitors[-1]

    yield arriving
    for visitor in visitors:
        visitor.context.close()
    if any("500" in fault for visitor in visitors for fault in visitor.faults):
        print((shop.stack.logs / "web-server.log").read_text()[-4_000:])
    for visitor in visitors:
        visitor.assert_nothing_went_wrong()


@pytest.fixture
def stranger(arrive: Callable[..., Visitor]) -> Visitor:
    """Give somebody who has no account."""
    return arrive()


@pytest.fixture
def lena(arrive: Callable[..., Visitor]) -> Visitor:
    """Give a new listener with 4.20 of credit: 5.00 paid, VAT taken out."""
    visitor = arrive()
    visitor.sign_up()
    assert visitor.add_credit(500) == 4_200_000
    return visitor
