"""Delivery: signed addresses of files in the store, and where the segments of a work lie.

The app signs and the store carries the bytes: S3 checks a SigV4 query signature; the local store of the demo and of
tests is served by `catalog/files.py` under an HMAC of our own. A signed address opens one file for one hour.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.http import content_disposition_header

from catalog.models import Rendition
from members.problems import NotFound

LIVES = timedelta(hours=1)
# What a session hears, and what owners hear.
SOUND, BETTER_SOUND = "hls-128", "hls-256"
# Addresses made within the same ten minutes are the same, so that a reloaded playlist keeps a browser's cache.
STEP_SECONDS = 600
_LIVES_SECONDS = STEP_SECONDS + int(LIVES.total_seconds())
_EMPTY_SHA256 = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A piece of sound: a byte range of a file in the store, and its length in millionths of a second."""

    key: str
    offset: int
    length: int
    micros: int
    whole_file: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Where the pieces of an HLS rendition lie. Equal to itself alone: what is known of one is kept by it."""

    init_key: str
    segments: tuple[Segment, ...]
    target_seconds: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class Meter:
    """How many bytes may be read in all under the addresses that carry it; `name` has letters and digits alone."""

    name: str
    bytes_most: int


def layout(*, work_id: UUID, kind: str) -> Layout:
    """Return where the segments of a work lie. One small query; the layout of a rendition never changes, so it is kept.

    Raises NotFound when the work has no such rendition.
    """
    rendition_id = Rendition.objects.filter(work_id=work_id, kind=kind).values_list("id", flat=True).first()
    if rendition_id is None:
        raise NotFound("this work has no sound yet")
    return _layout(rendition_id)


@lru_cache(maxsize=2_000)
def _layout(rendition_id: UUID) -> Layout:
    row = Rendition.objects.get(id=rendition_id)
    found: dict[str, Any] = row.layout
    files = [segment["file"] for segment in found["segments"]]
    return Layout(
        init_key=row.prefix + found["init"]["file"],
        segments=tuple(
            Segment(
                key=row.prefix + segment["file"],
                offset=segment["offset"],
                length=segment["bytes"],
                micros=segment["micros"],
                whole_file=files.count(segment["file"]) == 1,
            )
            for segment in found["segments"]
        ),
        target_seconds=found["target_seconds"],
        size_bytes=row.size_bytes,
    )


def boundary_ms(*, work_id: UUID, at_least_ms: int) -> int:
    """Return the first end of a segment at or after `at_least_ms`, in thousandths of a second, rounded up."""
    total = 0
    for segment in layout(work_id=work_id, kind=SOUND).segments:
        total += segment.micros
        if total >= at_least_ms * 1000:
            break
    return -(-total // 1000)


def sign(key: str, *, now: datetime, meter: Meter | None = None) -> str:
    """Return an address under which the file `key` can be read for about an hour. No query; a few microseconds.

    What is read of the local store counts against the meter. S3 carries its bytes past us and has none
    (infra/decisions/0004).
    """
    stamp = int(now.timestamp()) // STEP_SECONDS * STEP_SECONDS
    return _sign(key, stamp, _LIVES_SECONDS, "" if meter is None else f"{meter.name}.{meter.bytes_most}")


def sign_all(keys: Iterable[str], *, now: datetime, meter: Meter | None = None) -> dict[str, str]:
    """Return the address of each of these files, as `sign` makes it; cheaper by half for the many of a playlist."""
    if settings.STORE != "s3":
        return {key: sign(key, now=now, meter=meter) for key in keys}
    common = _common(_site(), int(now.timestamp()) // STEP_SECONDS * STEP_SECONDS, _LIVES_SECONDS, "")
    day_key = _day_key(common.day)
    return {key: _signed(key, common, day_key) for key in keys}


def keep_url(key: str, *, now: datetime, filename: str) -> str:
    """Return an address under which the file `key` is saved as `filename`, for about an hour. No query."""
    return _sign(key, int(now.timestamp()) // STEP_SECONDS * STEP_SECONDS, _LIVES_SECONDS, filename=filename)


def _sign(key: str, stamp: int, lives: int, metered: str = "", filename: str = "") -> str:
    """Return an address that lives for so many seconds from a moment on, which is in seconds of the epoch."""
    if settings.STORE == "s3":
        return _sign_s3(key, stamp, lives, filename)
    expires = stamp + lives
    mac = local_mac(key=key, expires=expires, metered=metered, filename=filename)
    query = urlencode({name: value for name, value in (("meter", metered), ("name", filename)) if value})
    return f"{settings.BASE_URL}/files/{expires}/{mac}/{quote(key)}" + (query and f"?{query}")


def local_mac(*, key: str, expires: int, metered: str = "", filename: str = "") -> str:
    """Return the signature of a local address."""
    # No key and no name has a line end in it.
    said = f"{expires}/{metered}/{key}" + (filename and f"\n{filename}")
    return hmac.new(_local_key(), said.encode(), hashlib.sha256).hexdigest()[:40]


@lru_cache(maxsize=1)
def _local_key() -> bytes:
    return hmac.new(settings.SECRET_KEY.encode(), b"refrain files", hashlib.sha256).digest()


def cover_url(rendition: Rendition, *, now: datetime, small: bool = False) -> str:
    """Return the address of a cover; with `small` of the smaller one for cards, where there is one."""
    layout = rendition.layout.get("small", rendition.layout) if small else rendition.layout
    return sign(rendition.prefix + layout["file"], now=now)


def preview_url(work_id: UUID, *, now: datetime, width: int | None = None) -> str:
    """Return the address of a photo's watermarked preview: the smallest of at least `width`, or the largest there is.

    One small query. Raises NotFound when the work has none.
    """
    sizes = _pictures(work_id, Rendition.Kind.PREVIEW)
    wide_enough = [size for size in sizes if width is not None and size.width >= width]
    return sign((wide_enough or sizes[-1:])[0].key, now=now)


def preview_sources(work_id: UUID, *, now: datetime) -> list[tuple[str, int]]:
    """Return address and width in pixels of each preview, the smallest first. One small query. Raises NotFound."""
    return [(sign(size.key, now=now), size.width) for size in _pictures(work_id, Rendition.Kind.PREVIEW)]


def view_url(work_id: UUID, *, now: datetime, lives: timedelta) -> str:
    """Return the address of a photo's full-size view, which lives exactly so long from `now` on, in whole seconds.

    One small query. Raises NotFound when the work has none. It asks nobody whether they may.
    """
    (view,) = _pictures(work_id, Rendition.Kind.VIEW)
    return _sign(view.key, int(now.timestamp()), int(lives.total_seconds()))


@dataclass(frozen=True, kw_only=True)
class _Picture:
    key: str
    width: int


def _pictures(work_id: UUID, kind: str) -> tuple[_Picture, ...]:
    """Return the files of a photo's rendition, the smallest first. Raises NotFound."""
    row = Rendition.objects.filter(work_id=work_id, kind=kind).values_list("prefix", "layout").first()
    if row is None:
        raise NotFound("this photo has no picture yet")
    prefix, found = row
    sizes = [_Picture(key=prefix + size["file"], width=size["width"]) for size in found.get("sizes", [found])]
    return tuple(sorted(sizes, key=lambda size: size.width))


def _sign_s3(key: str, stamp: int, lives: int = _LIVES_SECONDS, filename: str = "") -> str:
    """Return a presigned GET (AWS Signature Version 4, query parameters).

    boto3 makes the same address at some 290 microseconds each, which a playlist of three hours cannot afford; a test
    holds the two against each other. The signing key of a day is derived once, and what all addresses of a moment have
    in common is written once.
    """
    common = _common(_site(), stamp, lives, filename)
    return _signed(key, common, _day_key(common.day))


def _site() -> tuple[str, str, str, str]:
    return settings.S3_ENDPOINT, settings.S3_REGION, settings.S3_BUCKET, settings.S3_ACCESS_KEY


def _signed(key: str, common: "_Common", day_key: bytes) -> str:
    path = f"{common.bucket_path}{quote(key)}"
    request = hashlib.sha256(f"GET\n{path}{common.rest_of_request}".encode()).hexdigest()
    signature = hmac.digest(day_key, f"{common.to_sign}{request}".encode(), "sha256").hex()
    return f"{common.origin}{path}?{common.query}&X-Amz-Signature={signature}"


@dataclass(frozen=True, kw_only=True)
class _Common:
    """What all addresses that are signed for a moment have in common."""

    origin: str
    bucket_path: str
    query: str
    rest_of_request: str
    to_sign: str
    day: str


@lru_cache(maxsize=64)
def _common(site: tuple[str, str, str, str], stamp: int, lives: int, filename: str) -> _Common:
    endpoint, region, bucket, access_key = site
    moment = datetime.fromtimestamp(stamp, UTC)
    day, amz_date = moment.strftime("%Y%m%d"), moment.strftime("%Y%m%dT%H%M%SZ")
    where = urlsplit(endpoint or f"https://s3.{region}.amazonaws.com")
    scope = f"{day}/{region}/s3/aws4_request"
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={quote(f'{access_key}/{scope}', safe='')}"
        f"&X-Amz-Date={amz_date}&X-Amz-Expires={lives}&X-Amz-SignedHeaders=host"
    )
    if disposition := content_disposition_header(as_attachment=bool(filename), filename=filename):
        query += f"&response-content-disposition={quote(disposition, safe='')}"
    return _Common(
        origin=f"{where.scheme}://{where.netloc}",
        bucket_path=f"/{bucket}/",
        query=query,
        rest_of_request=f"\n{query}\nhost:{where.netloc}\n\nhost\n{_EMPTY_SHA256}",
        to_sign=f"AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n",
        day=day,
    )


@lru_cache(maxsize=4)
def _day_key(day: str) -> bytes:
    key = f"AWS4{settings.S3_SECRET_KEY}".encode()
    for part in (day, settings.S3_REGION, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
