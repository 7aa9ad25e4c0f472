"""Ground to measure and to break things on: the whole service on a durable stack in a folder of its own."""

import http.client
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra import throwaway
from infra.parts.child import Child
from infra.stack import Stack


@contextmanager
def laid(*, database: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Give a stack that keeps every promise on a crash, migrated, in a new folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="refrain-ground-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL may run as another user, who has to pass through here.
        stack = Stack(folder, mode="demo", database=database)
        throwaway.furnish(stack)
        with stack:
            throwaway.collect_static(stack)
            yield stack


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
