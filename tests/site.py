"""The production server on the database of this test run, for what must hold over real HTTP and in real processes."""

import http.client
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from django.conf import settings
from django.db import connection

from infra import serving
from infra.parts.child import Child, free_port
from tests import cast

ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def committing(blocker: Any) -> Iterator[None]:
    """Let tests commit, so that other processes see what they write; afterwards everything is forgotten."""
    with blocker.unblock():
        try:
            yield
        finally:
            cast.forget_everything()
            connection.close()


def on_disk(folder: Path) -> dict[str, Any]:
    """Return settings under which files are kept in a folder."""
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    return {"STORE_DIR": folder, "STORAGES": {**settings.STORAGES, "default": backend}}


class Site:
    """The web server, and what else runs beside it, with settings of its own in `env`; `folder` has logs and files."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.web_port = free_port()
        self.gateway_port = free_port(avoid=frozenset({self.web_port}))
        self.base_url = f"http://127.0.0.1:{self.web_port}"
        self.gateway_url = f"http://127.0.0.1:{self.gateway_port}"
        self.children: list[Child] = []
        self.env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "infra.settings",
            "REFRAIN_DB_NAME": connection.settings_dict["NAME"],
            "REFRAIN_BASE_URL": self.base_url,
            "REFRAIN_GATEWAY_URL": self.gateway_url,
            "REFRAIN_STORE_DIR": str(folder / "store"),
            **(env or {}),
        }

    def run(self, name: str, command: Sequence[str | Path]) -> Child:
        """Start a process that knows the site."""
        log = self.folder / "logs" / f"{name.lower().replace(' ', '-')}.log"
        child = Child(name, command, log=log, env=self.env)
        child.start()
        self.children.append(child)
        return child

    def serve(self, *, processes: int = 2) -> Child:
        """Start the web server as the demo and production start it, and wait until it answers."""
        web = serving.start_web(self, count=processes)
        web.wait_until(lambda: self.answers("/api/v1/works"))
        return web

    def open_till(self) -> Child:
        """Start the gateway that takes play money, and wait until it answers."""
        state = self.folder / "play-money.sqlite3"
        port = str(self.gateway_port)
        till = self.run("Gateway", [sys.executable, "-m", "infra.play_money", "--port", port, "--state", state])
        till.wait_until(lambda: self.answers("/events", port=self.gateway_port))
        return till

    def stop(self) -> None:
        """Stop everything."""
        for child in self.children:
            child.ask_to_stop()
        while self.children:
            self.children.pop().stop()

    def log_of(self, child: Child) -> str:
        """Return what a process wrote."""
        return child.log.read_text(errors="replace") if child.log and child.log.exists() else ""

    def ask(self, method: str, path: str, token: str = "", **options: Any) -> requests.Response:
        """Send a request to a path of ours, or to a whole address, with a token if there is one."""
        headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **options.pop("headers", {})}
        address = path if path.startswith("http") else self.base_url + path
        return requests.request(method, address, headers=headers, timeout=30, allow_redirects=False, **options)

    def answers(self, path: str, *, port: int | None = None) -> bool:
        """Return whether the web server, or what listens on `port`, answers at a path."""
        asked = http.client.HTTPConnection("127.0.0.1", port or self.web_port, timeout=20)
        try:
            asked.request("GET", path)
            return asked.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asked.close()
