"""Ground to measure and to break things on: the whole service on a durable stack in a folder of its own."""

import http.client
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.parts.child import Child, PartFailedError
from infra.stack import Stack

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def laid(*, database: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Give a stack that keeps every promise on a crash, migrated, in a new folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="refrain-ground-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL may run as another user, who has to pass through here.
        with Stack(folder, mode="demo", database=database) as stack:
            manage(stack, "migrate", "--verbosity", "0", as_owner=True)
            manage(stack, "grant_web_role", as_owner=True)
            manage(stack, "collectstatic", "--no-input", "--verbosity", "0")
            yield stack


def manage(stack: Stack, *words: str, as_owner: bool = False) -> str:
    """Run a command of manage.py against the stack and return what it printed. Raises PartFailedError."""
    env = {**os.environ, **stack.env(), "REFRAIN_AS_OWNER": "1" if as_owner else "0"}
    ran = subprocess.run(
        [sys.executable, ROOT / "manage.py", *words],
        env=env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if ran.returncode:
        raise PartFailedError(f"manage.py {words[0]} ended with {ran.returncode}.\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def wait_for_answers(web: Child, *, port: int) -> None:
    """Return once the web server answers a whole page without an error of its own."""
    web.wait_until(lambda: _answers(port))


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/api/v1/works")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
