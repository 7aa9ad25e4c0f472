"""Signed addresses of files, held against boto3's and against a real S3; and where segments lie."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
import requests
from botocore.config import Config
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import delivery
from catalog.delivery import Meter
from infra.parts.seaweedfs import SeaweedFS
from members import clock
from members.problems import NotFound
from tests import cast

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def on_s3(settings) -> Iterator[Any]:
    """Give a function that lets settings speak of an S3 with these keys."""

    def choose(*, endpoint: str, access_key: str, secret_key: str, region: str = "us-east-1") -> None:
        settings.STORE, settings.S3_ENDPOINT, settings.S3_REGION = "s3", endpoint, region
        settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY = access_key, secret_key
        delivery._day_key.cache_clear()

    yield choose
    delivery._day_key.cache_clear()


def boto(*, endpoint: str, access_key: str, secret_key: str, region: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name=region,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


@pytest.mark.parametrize(
    "key",
    [
        "renditions/2e6e/81c0/0001.m4s",
        "originals/9b2308ec-05f5-4caf-91e6-368296670477",
        "odd names/Übung & Co+1=2?.m4s",
        "a//b/../c~d-e_f.g",
        "日本語/曲.mp4",
        "percent%20sign/%2e%2e",
    ],
)
@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("http://127.0.0.1:8333", "us-east-1"),
        ("https://s3.store.example", "eu-central-3"),
        ("https://store.example:9000", "auto"),
    ],
)
def test_our_addresses_are_botos_byte_for_byte(on_s3: Any, key: str, endpoint: str, region: str) -> None:
    keys = {
        "access_key": "AKIA+/EXAMPLE=",
        "secret_key": "secret/with+odd=signs",
        "endpoint": endpoint,
        "region": region,
    }
    on_s3(**keys)
    theirs = boto(**keys).generate_presigned_url(
        "get_object", Params={"Bucket": "refrain", "Key": key}, ExpiresIn=delivery.STEP_SECONDS + 3_600
    )
    # boto3 takes the moment from its own clock: ours is asked to sign for the same one.
    written = parse_qs(urlsplit(theirs).query)["X-Amz-Date"][0]
    stamp = int(datetime.strptime(written, "%Y%m%dT%H%M%S%z").timestamp())
    assert delivery._sign_s3(key, stamp) == theirs


def test_addresses_of_the_same_ten_minutes_are_the_same(on_s3: Any) -> None:
    for choose in (lambda: None, lambda: on_s3(endpoint="http://s3.example", access_key="a", secret_key="s")):
        choose()
        first = delivery.sign("r/1.m4s", now=NOON)
        assert delivery.sign("r/1.m4s", now=NOON + timedelta(minutes=9, seconds=59)) == first
        assert delivery.sign("r/1.m4s", now=NOON + timedelta(minutes=10)) != first
        assert delivery.sign("r/2.m4s", now=NOON) != first


def test_a_key_of_one_day_signs_that_day_alone(on_s3: Any) -> None:
    on_s3(endpoint="http://s3.example", access_key="a", secret_key="s")
    assert delivery._day_key("20261122") != delivery._day_key("20261123")
    before = delivery.sign("r/1.m4s", now=NOON.replace(hour=23, minute=59))
    after = delivery.sign("r/1.m4s", now=NOON.replace(day=23, hour=0))
    assert "X-Amz-Date=20261122T235000Z" in before
    assert "20261122%2Fus-east-1%2Fs3%2Faws4_request" in before
    assert "20261123%2Fus-east-1%2Fs3%2Faws4_request" in after


@pytest.fixture
def kept(s3: SeaweedFS, on_s3: Any) -> bytes:
    """Give the content of `kept/sound.m4s` in a real S3."""
    content = bytes(range(256)) * 40
    s3.client().put_object(Bucket=s3.bucket, Key="kept/sound.m4s", Body=content, ContentType="audio/mp4")
    on_s3(endpoint=s3.endpoint, access_key=s3.access_key, secret_key=s3.secret_key)
    return content


def test_a_real_s3_takes_our_addresses(kept: bytes) -> None:
    now = datetime.now(UTC)
    answer = requests.get(delivery.sign("kept/sound.m4s", now=now), timeout=10)
    assert (answer.status_code, answer.content) == (200, kept)
    assert answer.headers["Content-Type"] == "audio/mp4"
    part = requests.get(delivery.sign("kept/sound.m4s", now=now), headers={"Range": "bytes=256-511"}, timeout=10)
    assert (part.status_code, part.content) == (206, bytes(range(256)))


def test_a_real_s3_refuses_what_we_did_not_sign(s3: SeaweedFS, on_s3: Any, kept: bytes) -> None:
    now = datetime.now(UTC)
    good = delivery.sign("kept/sound.m4s", now=now)
    expired = delivery.sign("kept/sound.m4s", now=now - timedelta(minutes=70))
    on_s3(endpoint=s3.endpoint, access_key=s3.access_key, secret_key="another secret")
    another = delivery.sign("kept/sound.m4s", now=now)
    for address in (
        expired,
        another,
        good.replace("kept/sound", "kept/other"),
        good.replace("X-Amz-Expires=4200", "X-Amz-Expires=9000"),
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good.partition("&X-Amz-Signature")[0],
        good.partition("?")[0],
    ):
        answer = requests.get(address, timeout=10)
        assert answer.status_code in (400, 403), address
        assert kept[:64] not in answer.content
    # An address to read is no address to write, to delete or to list.
    for method in ("PUT", "DELETE", "POST"):
        assert requests.request(method, good, data=b"x", timeout=10).status_code in (400, 403, 405)
    assert requests.get(good, timeout=10).content == kept


def test_a_local_address_is_signed_over_key_moment_and_meter(settings) -> None:
    settings.BASE_URL = "https://refrain.example"
    expires = int((NOON + timedelta(minutes=70)).timestamp())
    mac = delivery.local_mac(key="r/ü b.m4s", expires=expires)
    plain = delivery.sign("r/ü b.m4s", now=NOON)
    assert plain == f"https://refrain.example/files/{expires}/{mac}/r/%C3%BC%20b.m4s"
    metered = delivery.sign("r/1.m4s", now=NOON, meter=Meter(name="abc", bytes_most=30))
    assert metered.endswith("/r/1.m4s?meter=abc.30")
    macs = {
        delivery.local_mac(key=key, expires=expires + more, metered=meter)
        for key in ("r/1", "r/2")
        for more in (0, 1)
        for meter in ("", "abc.30", "abc.31", "abd.30")
    }
    assert len(macs) == 16
    assert {len(mac) for mac in macs} == {40}


@pytest.mark.django_db
def test_the_layout_of_a_rendition_is_read_once() -> None:
    work = cast.track(cast.creator(cast.person()), seconds=12)
    found = delivery.layout(work_id=work.id, kind=delivery.SOUND)
    assert [segment.micros for segment in found.segments] == [2_000_000] * 6
    assert found.target_seconds == 2
    assert found.init_key.endswith("/init.mp4")
    assert all(segment.whole_file for segment in found.segments)
    with CaptureQueriesContext(connection) as asked:
        assert delivery.layout(work_id=work.id, kind=delivery.SOUND) is found
    assert len(asked) == 1
    with pytest.raises(NotFound):
        delivery.layout(work_id=work.id, kind="preview")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("seconds", "at_least", "boundary"),
    [(180, 50_000, 50_000), (180, 50_001, 55_000), (180, 0, 5_000), (180, 179_999, 180_000), (12.5, 11_000, 12_500)],
)
def test_the_boundary_at_or_after_a_moment(seconds: float, at_least: int, boundary: int) -> None:
    work = cast.track(cast.creator(cast.person()), seconds=seconds)
    assert delivery.boundary_ms(work_id=work.id, at_least_ms=at_least) == boundary


@pytest.mark.django_db
def test_beyond_the_end_the_boundary_is_the_end() -> None:
    work = cast.track(cast.creator(cast.person()), seconds=30)
    assert delivery.boundary_ms(work_id=work.id, at_least_ms=99_000) == 30_000
    assert clock.now()
