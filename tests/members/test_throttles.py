"""Throttles: every route counts, whoever asks and whatever comes of it; and Valkey may be gone."""

import importlib
import socket
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, RequestFactory

from infra.parts.child import free_port
from members import throttles
from members.throttles import TooManyRequests
from tests import callers, cast
from tests.callers import Caller, slug
from tests.site import Site, committing


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    callers.forget_counts()
    yield
    callers.forget_counts()


def _application_made_anew() -> Any:
    """Return the application as a server that starts now would make it."""
    return importlib.reload(importlib.import_module("infra.wsgi")).application


class TestCounting:
    def test_up_to_the_limit_and_not_beyond(self) -> None:
        for _ in range(3):
            throttles.check("lena", limit=3)
        with pytest.raises(TooManyRequests) as refused:
            throttles.check("lena", limit=3)
        assert refused.value.extra == {"retry_after_seconds": 60}
        throttles.check("lars", limit=3)

    def test_it_begins_again_after_its_window(self) -> None:
        assert [throttles.count("k", seconds=2) for _ in range(3)] == [1, 2, 3]
        time.sleep(2.1)
        assert throttles.count("k", seconds=2) == 1

    def test_by_more_than_one(self) -> None:
        assert throttles.count("bytes", by=700) == 700
        assert throttles.count("bytes", by=1) == 701

    def test_the_window_runs_from_the_first_use(self) -> None:
        """Somebody who never pauses is let in again after it."""
        throttles.count("k", seconds=100)
        left = throttles._connection().pttl("throttle:k")
        time.sleep(0.05)
        throttles.count("k", seconds=100)
        assert 0 < throttles._connection().pttl("throttle:k") < left <= 100_000


class TestWithoutValkey:
    def test_the_process_counts_by_itself(self) -> None:
        with callers.valkey_gone():
            for _ in range(3):
                throttles.check("lena", limit=3)
            with pytest.raises(TooManyRequests):
                throttles.check("lena", limit=3)
            throttles.check("lars", limit=3)

    def test_one_that_never_answers_is_left_alone_for_a_while(self) -> None:
        """It takes the connection and says nothing: only one request in five seconds waits for it."""
        with socket.create_server(("127.0.0.1", 0)) as deaf, callers.valkey_gone(deaf.getsockname()[1]):
            began = time.monotonic()
            for number in range(1, 200):
                assert throttles.count("k") == number
            waited = time.monotonic() - began
        assert 0.2 < waited < 10

    def test_valkey_is_asked_again_when_it_is_back(self) -> None:
        with callers.valkey_gone():
            assert throttles.count("k", by=40) == 40
        assert throttles.count("k") == 1

    def test_its_own_counters_have_a_bound(self) -> None:
        with callers.valkey_gone():
            for number in range(throttles.COUNTERS_MOST + 10):
                throttles.count(str(number))
            assert len(throttles._own.counts) <= throttles.COUNTERS_MOST + 1


def ask(path: str, address: str = "198.51.100.1", method: str = "GET", **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).generic(method, path, headers=headers)


PATHS = [
    "/",
    "/problems",
    "/problems/insufficient-funds",
    "/accounts/login/",
    "/wallet",
    "/nowhere",
    "/api/v1/works",
    "/api/v1/wallet",
    "/api/v1/nowhere",
    "/api/v1/schema",
    "/play/abc.m3u8",
    "/files/1/ab/c.m4s",
    "/.well-known/refrain-keys.json",
]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_is_counted_wherever_they_ask(path: str, settings) -> None:
    settings.THROTTLE_PER_MINUTE = 3
    assert 429 not in [ask(path).status_code for _ in range(3)]
    refused = ask(path)
    assert slug(refused) == "too-many-requests"
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    # The same address elsewhere, and another address here.
    assert ask("/problems").status_code == 429
    assert ask(path, "198.51.100.2").status_code != 429


@pytest.mark.django_db
def test_somebody_in_a_browser_reads_a_sentence(settings) -> None:
    settings.THROTTLE_PER_MINUTE = 0
    answer = ask("/", Accept="text/html,application/xhtml+xml")
    assert answer.status_code == 429
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Retry-After"] == "60"
    assert answer.content.decode() == (
        "Too many requests: more than 0 requests in 60 seconds; wait a little and try again\n"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("by_cookie", [False, True])
def test_who_is_signed_in_is_counted_by_person_and_not_by_address(settings, *, by_cookie: bool) -> None:
    lena, lars = (Caller(cast.person(), by_cookie=by_cookie) for _ in range(2))
    settings.THROTTLE_PER_MINUTE = 3
    assert [lena.get("wallet").status_code for _ in range(4)] == [200, 200, 200, 429]
    lena.client.defaults["REMOTE_ADDR"] = "198.51.100.3"
    assert lena.get("wallet").status_code == 429
    assert lars.get("wallet").status_code == 200


@pytest.mark.django_db
def test_tokens_and_pages_of_one_person_count_together(settings) -> None:
    lena = cast.person()
    token, page = Caller(lena), Caller(lena, by_cookie=True)
    settings.THROTTLE_PER_MINUTE = 2
    assert [token.get("wallet").status_code, page.get("/problems").status_code] == [200, 200]
    assert [token.get("wallet").status_code, page.get("/problems").status_code] == [429, 429]


@pytest.mark.django_db
def test_a_refused_request_counts_too(settings) -> None:
    lena = Caller(cast.person(), "publish")
    page = Caller(cast.person(), by_cookie=True)
    settings.THROTTLE_PER_MINUTE = 2
    charge = f"sessions/{uuid4()}/charge"
    assert [slug(lena.post(charge, {"price_micros": 1})) for _ in range(3)] == [
        "scope-missing",
        "scope-missing",
        "too-many-requests",
    ]
    assert [slug(page.post(charge, {"price_micros": 1})) for _ in range(3)] == [
        "csrf-refused",
        "csrf-refused",
        "too-many-requests",
    ]


@pytest.mark.django_db
def test_guessing_tokens_is_slow() -> None:
    answers = [ask("/api/v1/wallet", Authorization=f"Bearer refrain_{n}").status_code for n in range(62)]
    assert answers == [401] * 60 + [429] * 2
    assert ask("/api/v1/wallet", "198.51.100.9", Authorization="Bearer refrain_x").status_code == 401
    # A good token from the same address is not held up by it.
    good = callers.token(cast.person())
    assert ask("/api/v1/wallet", Authorization=f"Bearer {good}").status_code == 200


@pytest.mark.django_db
def test_behind_a_proxy_clients_count_and_not_the_proxy(settings) -> None:
    """A proxy that we trust says who asks; anybody else's word for it is passed over."""
    settings.THROTTLE_PER_MINUTE, settings.TRUSTED_PROXIES = 2, "203.0.113.7, 203.0.113.8"
    application = _application_made_anew()

    def statuses(proxy: str, *forwarded: str) -> list[str]:
        found: list[str] = []
        for line in forwarded:
            environ = RequestFactory(REMOTE_ADDR=proxy).get("/problems", headers={"X-Forwarded-For": line}).environ
            application(environ, lambda status, _headers: found.append(status[:3])).close()
        return found

    assert statuses("203.0.113.7", *["198.51.100.1"] * 3, "198.51.100.2") == ["200", "200", "429", "200"]
    # What a client writes there itself stands before what the proxy adds.
    assert statuses("203.0.113.8", "192.0.2.1, 198.51.100.1", "198.51.100.2, 203.0.113.7") == ["429", "200"]
    assert statuses("198.51.100.9", "192.0.2.1", "192.0.2.2", "192.0.2.3") == ["200", "200", "429"]
    settings.TRUSTED_PROXIES = ""
    _application_made_anew()


@pytest.mark.django_db
def test_a_token_on_a_page_hides_nobody(settings) -> None:
    """Pages know no tokens, so a header there must not lead past the counting."""
    settings.THROTTLE_PER_MINUTE = 2
    assert [ask("/problems", Authorization=f"Bearer {n}").status_code for n in range(3)] == [200, 200, 429]
    assert [ask("/api/v1/works", "198.51.100.4", Authorization="Basic eDp5").status_code for _ in range(3)] == [
        200,
        200,
        429,
    ]


@pytest.mark.django_db
def test_without_valkey_all_of_it_holds_in_each_process(settings) -> None:
    lena = Caller(cast.person())
    settings.THROTTLE_PER_MINUTE = 2
    with callers.valkey_gone():
        assert [lena.get("wallet").status_code for _ in range(3)] == [200, 200, 429]
        assert [ask("/problems").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.django_db
def test_without_valkey_one_can_sign_in(settings) -> None:
    lena = cast.person()
    lena.set_password("a long enough password")
    lena.save()
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{free_port()}/0"},
    }
    with callers.valkey_gone():
        fields = {"login": lena.email, "password": "a long enough password"}
        answer = Client().post("/accounts/login/", fields)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert Client().post("/accounts/login/", {**fields, "password": "wrong"}).status_code == 200


@pytest.fixture(scope="module")
def transactional_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let what asks for it commit, and forget it all at the end (instead of pytest-django's way, after each test)."""
    with committing(django_db_blocker):
        yield


def test_every_process_without_valkey(transactional_db: None, tmp_path) -> None:
    """Each lets the limit pass and no more, and charging goes on all the while."""
    limit, processes, window = 5, 2, 60
    env = {"REFRAIN_VALKEY_URL": f"redis://127.0.0.1:{free_port()}", "REFRAIN_THROTTLE_PER_MINUTE": str(limit)}
    site = Site(tmp_path, env=env)
    try:
        site.serve(processes=processes)
        work = cast.track(cast.creator(cast.person("ana")))
        lena = cast.person("lena")
        cast.top_up(lena, 500)
        token = callers.token(lena)
        session = site.ask("POST", "/api/v1/sessions", token, json={"work": str(work.id)}).json()
        path = f"/api/v1/sessions/{session['id']}/charge"
        paid = site.ask("POST", path, token, json={"price_micros": session["price_micros"]})
        assert (paid.status_code, paid.json()["charged_micros"]) == (200, 2_000)
        other = callers.token(cast.person("lars"))
        began = time.monotonic()
        statuses = [site.ask("GET", "/api/v1/wallet", other).status_code for _ in range(6 * limit)]
        windows = 1 + int((time.monotonic() - began) // window)  # a busy machine may need more than one
        assert set(statuses) <= {200, 429}
        assert limit <= statuses.count(200) <= processes * limit * windows
        # Over so long a time that there was more than one window, none need have refused.
        assert windows > 1 or statuses.count(429) >= 6 * limit - processes * limit
    finally:
        site.stop()
