"""The local store over its signed addresses: ranges, types, meters, and what is refused."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from catalog import delivery
from catalog.delivery import Meter
from members import clock
from tests import callers

CONTENT = bytes(range(256)) * 2_500
KEY = "renditions/w/r/0001.m4s"


@pytest.fixture
def address(db: None, store: Path) -> str:
    """Give the address of a file of 640 000 bytes."""
    callers.forget_counts()
    (store / KEY).parent.mkdir(parents=True)
    (store / KEY).write_bytes(CONTENT)
    return local(delivery.sign(KEY, now=clock.now()))


def local(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def get(path: str, *, asked: str = "", method: str = "GET") -> Any:
    return Client().generic(method, path, headers={"Range": asked} if asked else {})


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_whole_file(address: str) -> None:
    answer = get(address)
    assert answer.status_code == 200
    assert body(answer) == CONTENT
    assert answer.headers["Content-Length"] == "640000"
    assert answer.headers["Content-Type"] == "audio/mp4"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "private, max-age=3600"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 639_999),
        ("bytes=100-299999", 100, 299_999),
        ("bytes=639999-", 639_999, 639_999),
        ("bytes=639990-999999999999", 639_990, 639_999),
        ("bytes=-1", 639_999, 639_999),
        ("bytes=-640000", 0, 639_999),
        ("bytes=-999999999999", 0, 639_999),
    ],
)
def test_a_range(address: str, asked: str, first: int, last: int) -> None:
    answer = get(address, asked=asked)
    assert answer.status_code == 206
    assert body(answer) == CONTENT[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/640000"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("asked", ["bytes=640000-", "bytes=640000-640001", "bytes=-0"])
def test_a_range_beyond_the_end(address: str, asked: str) -> None:
    answer = get(address, asked=asked)
    assert (answer.status_code, body(answer)) == (416, b"")
    assert answer.headers["Content-Range"] == "bytes */640000"


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "bytes=-", "bytes=a-", "items=0-1", "bytes 0-1", "bytes=0-1,4-5", "bytes=" + "9" * 19 + "-"]
)
def test_a_range_that_is_not_understood_is_passed_over(address: str, asked: str) -> None:
    answer = get(address, asked=asked)
    assert answer.status_code == 200
    assert body(answer) == CONTENT


def test_an_empty_file(address: str, store: Path) -> None:
    (store / "empty.mp4").touch()
    path = local(delivery.sign("empty.mp4", now=clock.now()))
    answer = get(path)
    assert (answer.status_code, body(answer), answer.headers["Content-Length"]) == (200, b"", "0")
    assert get(path, asked="bytes=0-").status_code == 416


def test_only_reading(address: str) -> None:
    answer = get(address, method="HEAD")
    assert (answer.status_code, answer.headers["Content-Length"], body(answer)) == (200, "640000", b"")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert get(address, method=method).status_code in (403, 405)


@pytest.mark.parametrize(
    ("ending", "content_type"),
    [
        (".mp4", "audio/mp4"),
        (".jpg", "image/jpeg"),
        (".svg", "image/svg+xml"),
        (".json", "application/json"),
        (".html", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_types_are_fixed_by_the_ending(address: str, store: Path, ending: str, content_type: str) -> None:
    (store / f"f{ending}").write_text("<script>alert(1)</script>")
    answer = get(local(delivery.sign(f"f{ending}", now=clock.now())))
    assert answer.headers["Content-Type"] == content_type


def test_an_address_altered_anywhere_is_none(address: str) -> None:
    """Every character of moment, signature and name; none answers with a byte of the file."""
    assert get(address).status_code == 200
    for place in range(len("/files/"), len(address)):
        for other in "0a/":
            altered = address[:place] + other + address[place + 1 :]
            if altered != address:
                answer = get(altered)
                assert answer.status_code == 404, altered
                assert CONTENT[:32] not in body(answer)
    for altered in (
        address.upper(),
        address + "/",
        address + "?meter=a.1",
        address + "%00",
        address[:-1],
        address.replace("/files/", "/files/0", 1),
        address.replace("/files/", "/files/-", 1),
        "/files/" + "9" * 5_000 + address[len("/files/") :],
    ):
        answer = get(altered)
        assert answer.status_code in (200, 404)
        # A zero in front is the same number, and the signature is over the number.
        assert (answer.status_code == 200) == altered.startswith("/files/0")


def test_an_address_ends_after_an_hour_and_at_most_seventy_minutes(address: str) -> None:
    expires = int(address.split("/")[2])
    now: datetime = clock.now()
    assert 3_600 <= expires - now.timestamp() <= 4_200
    clock.set_offset(timedelta(seconds=expires - now.timestamp() - 20))
    assert get(address).status_code == 200
    clock.set_offset(timedelta(seconds=expires - now.timestamp()))
    assert get(address).status_code == 404


@pytest.mark.parametrize("key", ["../outside", "renditions/../../outside", "/etc/passwd", "renditions", ".", "link"])
def test_a_signature_of_ours_does_not_lead_out_of_the_store(address: str, store: Path, key: str) -> None:
    (store.parent / "outside").write_text("outside")
    (store / "link").symlink_to(store.parent / "outside")
    expires = int(address.split("/")[2])
    path = f"/files/{expires}/{delivery.local_mac(key=key, expires=expires)}/{key}"
    answer = get(path)
    assert answer.status_code in (403, 404)
    assert b"outside" not in body(answer)


def test_a_file_that_is_gone(address: str, store: Path) -> None:
    (store / KEY).unlink()
    assert get(address).status_code == 404


@pytest.mark.usefixtures("address")
class TestMeters:
    def signed(self, name: str, most: int) -> str:
        return local(delivery.sign(KEY, now=clock.now(), meter=Meter(name=name, bytes_most=most)))

    def test_what_is_asked_counts_until_the_meter_is_full(self, address: str) -> None:
        path = self.signed("a", 1_000_000)
        assert body(get(path)) == CONTENT
        assert body(get(path, asked="bytes=0-359999")) == CONTENT[:360_000]
        answer = get(path, asked="bytes=0-0")
        assert (answer.status_code, body(answer)) == (429, b"This was read too often.\n")
        assert answer.headers["Retry-After"] == "3600"
        assert answer.headers["Cache-Control"] == "no-store"
        assert body(get(self.signed("b", 1_000_000))) == CONTENT
        assert body(get(address)) == CONTENT

    def test_asking_for_the_length_or_beyond_the_end_is_free(self) -> None:
        path = self.signed("a", 640_000)
        for _ in range(3):
            assert get(path, method="HEAD").status_code == 200
            assert get(path, asked="bytes=640000-").status_code == 416
        assert get(path).status_code == 200
        assert get(path).status_code == 429

    def test_without_valkey_the_process_counts_itself(self) -> None:
        path = self.signed("a", 700_000)
        with callers.valkey_gone():
            assert get(path).status_code == 200
            assert get(path).status_code == 429

    def test_it_holds_behind_nginx(self, settings) -> None:
        settings.X_ACCEL = True
        path = self.signed("a", 700_000)
        answer = get(path)
        assert (answer.status_code, body(answer)) == (200, b"")
        assert answer.headers["X-Accel-Redirect"] == f"/internal-store/{KEY}"
        assert answer.headers["Content-Type"] == "audio/mp4"
        assert get(path).status_code == 429
        assert get(path.replace("meter=a.", "meter=b.")).status_code == 404
