"""Serves the local store under signed addresses: in the demo by itself, behind nginx by X-Accel-Redirect.

Content types are fixed by the file's ending, never sniffed; ranges are answered as RFC 9110, section 14, says.
"""

import hmac
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from catalog import delivery
from members import clock
from members.problems import NotFound

CONTENT_TYPES = {
    ".mp4": "audio/mp4",
    ".m4s": "audio/mp4",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}
BLOCK_BYTES = 256 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class UnknownFile(NotFound):
    """The address is not one that we signed, or it has lapsed."""


@require_safe
def file(request: HttpRequest, expires: int, mac: str, key: str) -> HttpResponseBase:
    """Answer with the file, or the asked range of it, under an address that `delivery.sign` made."""
    try:
        path = _checked(expires=expires, mac=mac, key=key, now=clock.now())
    except UnknownFile:
        return HttpResponse("There is no such file.\n", status=404, content_type="text/plain")
    content_type = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
    if settings.X_ACCEL:
        answer: HttpResponseBase = HttpResponse(content_type=content_type)
        answer["X-Accel-Redirect"] = f"/internal-store/{key}"
    else:
        answer = _ranged(request, path, content_type)
    answer["Cache-Control"] = "private, max-age=3600"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return answer


def _checked(*, expires: int, mac: str, key: str, now: datetime) -> Path:
    if not hmac.compare_digest(delivery.local_mac(key=key, expires=expires).encode(), mac.encode()):
        raise UnknownFile
    path = (settings.STORE_DIR / key).resolve()
    if expires <= now.timestamp() or not path.is_relative_to(settings.STORE_DIR.resolve()) or not path.is_file():
        raise UnknownFile
    return path


def _ranged(request: HttpRequest, path: Path, content_type: str) -> HttpResponseBase:
    size = path.stat().st_size
    first, last, status = 0, size - 1, 200
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked and asked.group(0) != "bytes=-":
        begin, end = asked.groups()
        first = int(begin) if begin else max(0, size - int(end))
        last = min(int(end), size - 1) if begin and end else size - 1
        if first >= size or first > last:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        status = 206
    answer = StreamingHttpResponse(_blocks(path, first, last - first + 1), status=status, content_type=content_type)
    answer["Accept-Ranges"] = "bytes"
    answer["Content-Length"] = str(last - first + 1)
    if status == 206:
        answer["Content-Range"] = f"bytes {first}-{last}/{size}"
    return answer


def _blocks(path: Path, offset: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(offset)
        while length > 0 and (block := stream.read(min(BLOCK_BYTES, length))):
            length -= len(block)
            yield block
