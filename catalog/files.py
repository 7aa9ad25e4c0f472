"""Serves the local store under signed addresses: in the demo by itself, behind nginx by X-Accel-Redirect.

Content types are fixed by the file's ending, never sniffed; ranges are answered as RFC 9110, section 14, says.
"""

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from catalog import delivery
from members import clock, throttles
from members.problems import NotFound

CONTENT_TYPES = {
    ".mp4": "audio/mp4",
    ".m4s": "audio/mp4",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".opus": "audio/ogg",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
    ".wav": "audio/wav",
    ".aiff": "audio/aiff",
}
BLOCK_BYTES = 256 * 1024
# No playlist lives longer than this.
METER_SECONDS = 12 * 3600
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class UnknownFile(NotFound):
    """The address is not one that we signed, or it has lapsed."""


@require_safe
def file(request: HttpRequest, expires: int, mac: str, key: str) -> HttpResponseBase:
    """Answer with the file, or the asked range of it, under an address that `delivery.sign` made."""
    metered, filename = request.GET.get("meter", ""), request.GET.get("name", "")
    try:
        path = _checked(expires=expires, mac=mac, key=key, metered=metered, filename=filename, now=clock.now())
    except UnknownFile:
        return HttpResponse("There is no such file.\n", status=404, content_type="text/plain")
    asked = _asked(request.headers.get("Range", ""), path.stat().st_size)
    if asked.length and request.method == "GET" and _is_used_up(metered, asked.length):
        headers = {"Retry-After": "3600", "Cache-Control": "no-store"}
        return HttpResponse("This was read too often.\n", status=429, headers=headers, content_type="text/plain")
    content_type = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
    if settings.X_ACCEL:
        answer: HttpResponseBase = HttpResponse(content_type=content_type)
        answer["X-Accel-Redirect"] = f"/internal-store/{key}"
    else:
        answer = _ranged(path, asked, content_type)
    if disposition := content_disposition_header(as_attachment=bool(filename), filename=filename):
        answer["Content-Disposition"] = disposition
    answer["Cache-Control"] = "private, max-age=3600"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return answer


def _checked(*, expires: int, mac: str, key: str, metered: str, filename: str, now: datetime) -> Path:
    expected = delivery.local_mac(key=key, expires=expires, metered=metered, filename=filename)
    if not hmac.compare_digest(expected.encode(), mac.encode()):
        raise UnknownFile
    path = (settings.STORE_DIR / key).resolve()
    if expires <= now.timestamp() or not path.is_relative_to(settings.STORE_DIR.resolve()) or not path.is_file():
        raise UnknownFile
    return path


def _is_used_up(metered: str, length: int) -> bool:
    """Count `length` against the meter that the signature vouches for, and return whether it is beyond it now."""
    if not metered:
        return False
    name, _, most = metered.partition(".")
    return throttles.count(f"bytes:{name}", by=length, seconds=METER_SECONDS) > int(most)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is asked of a file: `length` bytes from `first` on; none of it (`length` 0) for a range beyond its end."""

    first: int
    length: int
    size: int
    is_range: bool


def _asked(header: str, size: int) -> _Asked:
    """Return what the header Range asks of a file. One that is not understood is passed over, as RFC 9110 has it."""
    found = _RANGE.fullmatch(header)
    if found is None:
        return _Asked(first=0, length=size, size=size, is_range=False)
    begin, end = found.groups()
    if (not begin and not end) or (begin and end and int(begin) > int(end)):
        return _Asked(first=0, length=size, size=size, is_range=False)
    first = int(begin) if begin else max(0, size - int(end))
    last = min(int(end), size - 1) if begin and end else size - 1
    return _Asked(first=first, length=max(0, last - first + 1), size=size, is_range=True)


def _ranged(path: Path, asked: _Asked, content_type: str) -> HttpResponseBase:
    if asked.is_range and not asked.length:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{asked.size}"})
    blocks = _blocks(path, asked.first, asked.length)
    answer = StreamingHttpResponse(blocks, status=206 if asked.is_range else 200, content_type=content_type)
    answer["Accept-Ranges"] = "bytes"
    answer["Content-Length"] = str(asked.length)
    if asked.is_range:
        answer["Content-Range"] = f"bytes {asked.first}-{asked.first + asked.length - 1}/{asked.size}"
    return answer


def _blocks(path: Path, offset: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(offset)
        while length > 0 and (block := stream.read(min(BLOCK_BYTES, length))):
            length -= len(block)
            yield block
