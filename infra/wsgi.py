"""The WSGI entry point that the production server loads."""

import os
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

# What is left of a body up to here is read behind a proxy, though the answer is there already.
UNREAD_MOST = 16_000_000
BLOCK_BYTES = 256 * 1024


class Counted:
    """A request's body that counts what was read of it."""

    def __init__(self, body: Any) -> None:
        """Take the body as the server gives it."""
        self._body = body
        self.bytes_read = 0

    def read(self, *size: int) -> bytes:
        """Read so many bytes, or all."""
        return self._counted(self._body.read(*size))

    def readline(self, *size: int) -> bytes:
        """Read a line, or so many bytes of it."""
        return self._counted(self._body.readline(*size))

    def _counted(self, block: bytes) -> bytes:
        self.bytes_read += len(block)
        return block


def hear_to_the_end(answering: Any) -> Any:
    """Return a WSGI application that reads what is left of a body before its answer goes out.

    A proxy that still sends when the connection closes tells its client 502, and never what was said. Only behind one:
    it has taken the body in, so that no slow line keeps a process busy.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"] = Counted(environ["wsgi.input"])
        said: Iterable[bytes] = answering(environ, start_response)
        left = int(environ.get("CONTENT_LENGTH") or 0) - body.bytes_read
        if left <= UNREAD_MOST:
            while left > 0 and (block := body.read(min(BLOCK_BYTES, left))):
                left -= len(block)
        return said

    return answer


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
application = get_wsgi_application()
# The models are there once the application is.
import_module("royalties.highwater").look_at_start()
if settings.TRUSTED_PROXIES:
    application = hear_to_the_end(wrap_wsgi_with_proxy_headers(application, settings.TRUSTED_PROXIES))
