"""The whole of Refrain on one machine, with pretend people and pretend money, until somebody stops it.

    infra/demo [--port PORT] [--data DIR] [--works DIR]

What is in DIR is kept and continued by the next run. While it runs, `REFRAIN_DATA=DIR .venv/bin/python manage.py ...`
talks to it.
"""

import argparse
import http.client
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from infra import serving
from infra.demonstration.people import PASSWORD, PEOPLE
from infra.parts.child import Child, PartFailedError, is_free
from infra.stack import Stack, StackInUseError

ROOT = Path(__file__).resolve().parents[2]
USUAL_PORT = 8000
PORT_MOST = 65_535


class StopAsked(BaseException):
    """Somebody pressed Ctrl-C or sent SIGTERM."""


def main() -> None:
    """Run the demo; exit with 0 when it was asked to stop, with 1 when something failed."""
    chosen = read_arguments()
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, _ask_to_stop)
    stack = Stack(chosen.data, mode="demo")
    try:
        run(stack, port=chosen.port, works=chosen.works)
    except StopAsked:
        say("Stopping ...")
    except (PartFailedError, StackInUseError) as error:
        say(f"The demo stops: {error}")
        sys.exit(1)
    finally:
        # From here on nothing may interrupt: the database is written to disk in order.
        for asked in (signal.SIGINT, signal.SIGTERM):
            signal.signal(asked, signal.SIG_IGN)
        stack.stop()
    say(f"Stopped. Everything is kept in {stack.folder}")


def read_arguments() -> argparse.Namespace:
    """Return what was asked for on the command line."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    arguments = argparse.ArgumentParser(prog="infra/demo", description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--port", type=int, help=f"serve on this port (usually {USUAL_PORT}, or a free one)")
    arguments.add_argument("--data", type=Path, default=cache / "refrain", help="keep everything in this folder")
    arguments.add_argument("--works", type=Path, help="take in your own music and photos from this folder")
    chosen = arguments.parse_args()
    if chosen.port is not None and not 1 <= chosen.port <= PORT_MOST:
        arguments.error(f"--port: {chosen.port} is no port to serve on; it is from 1 to {PORT_MOST}")
    if chosen.works is not None:
        chosen.works = chosen.works.resolve()
        if not chosen.works.is_dir():
            arguments.error(f"--works: {chosen.works} is not a folder")
    return chosen


def run(stack: Stack, *, port: int | None, works: Path | None) -> None:
    """Start everything in its order, fill it, say that it is ready, and watch it until somebody stops it."""
    stack.take_folder()
    stack.web_port = _choose_port(stack, port)
    say(f"Everything is kept in {stack.folder}")
    say("Starting PostgreSQL and Valkey ...")
    stack.start()
    say("Bringing the database up to date ...")
    _manage(stack, "migrate", "--verbosity", "0", as_owner=True)
    _manage(stack, "grant_web_role", as_owner=True)
    say("Collecting the static files ...")
    _manage(stack, "collectstatic", "--no-input", "--verbosity", "0")
    say("Starting the payment gateway (play money), the web server and the worker ...")
    state = stack.folder / "play-money.sqlite3"
    gateway = ["-m", "infra.play_money", "--port", str(stack.gateway_port), "--state", str(state)]
    stack.run("Payment gateway", [sys.executable, *gateway])
    web = serving.start_web(stack)
    serving.start_worker(stack)
    web.wait_until(lambda: _answers(stack.web_port))
    say("Making the people and the catalogue ...")
    _manage(stack, "build_demo", as_owner=True)
    if works is not None:
        say(f"Taking in what is in {works} ...")
        own = ["--by-artist", "--person", "cleo@demo.example", "--publish"]
        _manage(stack, "import_works", str(works), *own, as_owner=True)
    serving.start_beat(stack)
    _welcome(stack)
    while True:
        _check_children(stack)
        time.sleep(0.3)


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def _ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
    # Once is enough; a second press must not break into the stopping.
    for asked in (signal.SIGINT, signal.SIGTERM):
        signal.signal(asked, signal.SIG_IGN)
    raise StopAsked


def _choose_port(stack: Stack, wanted: int | None) -> int:
    if wanted is not None:
        if not is_free(wanted):
            raise PartFailedError(f"port {wanted} is taken; choose another with --port")
        return wanted
    # An address that somebody kept should work again: the last one, then the usual one, then any.
    kept = stack.folder / "web_port"
    last = [int(kept.read_text())] if kept.exists() else []
    port = next((port for port in (*last, USUAL_PORT) if is_free(port)), stack.web_port)
    kept.write_text(str(port))
    return port


def _manage(stack: Stack, *words: str, as_owner: bool = False) -> None:
    command = stack.run(
        f"manage.py {words[0]}",
        [sys.executable, ROOT / "manage.py", *words],
        env={"REFRAIN_AS_OWNER": "1" if as_owner else "0"},
        shown=True,
    )
    while command.is_running():
        _check_children(stack, but=command)
        time.sleep(0.05)
    stack.children.remove(command)
    if command.exit_code:
        raise PartFailedError(f"{command.name} ended with {command.exit_code}")


def _check_children(stack: Stack, *, but: Child | None = None) -> None:
    dead = next((child for child in stack.dead_children() if child is not but), None)
    if dead is not None:
        raise PartFailedError(f"{dead.name} ended unexpectedly, with {dead.exit_code}.\n{dead.last_words()}")


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(stack: Stack) -> None:
    say(f"\nready {stack.base_url}\n")
    say(f"Sign in as NAME@demo.example with the password {PASSWORD}:")
    for member in PEOPLE:
        say(f"  {member.name.lower():<6} {member.part}")
    say(f"Mail that was sent: {stack.base_url}/outbox")
    say(f"The bank's statements are among what treasurers see: {stack.base_url}/treasury/journal")
    say(f"Commands: REFRAIN_DATA={stack.folder} {sys.executable} {ROOT / 'manage.py'} help")
    say("To close this month as a treasurer does, let it end: the same with REFRAIN_AS_OWNER=1 and turn_month.")
    say("Stop with Ctrl-C.")


if __name__ == "__main__":
    main()
