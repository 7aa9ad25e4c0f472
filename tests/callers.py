"""Programs that speak with the API in tests, and a digest of everything that is kept."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client, override_settings

from infra.parts.child import free_port
from members import clock, throttles, tokens
from members.models import Person

EVERY_SCOPE = frozenset(tokens.Scope)
ABSENT = object()


def token(of: Person, *scopes: str, lifetime: timedelta = tokens.LIFETIME) -> str:
    """Make a token of a person: for these scopes, or without any named for all of them."""
    _, plain = tokens.mint(
        person_id=of.id,
        scopes=set(scopes or EVERY_SCOPE),
        name="test",
        now=clock.now(),
        lifetime=lifetime,
        by_shell=True,
    )
    return plain


class Caller:
    """Somebody's program. Paths without a slash in front are under /api/v1/; bodies are JSON unless told otherwise."""

    def __init__(self, who: Person | None, *scopes: str, by_cookie: bool = False) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.headers: dict[str, str] = {}
        if who is not None and by_cookie:
            self.client.force_login(who)
        elif who is not None:
            self.headers["Authorization"] = f"Bearer {token(who, *scopes)}"

    def __call__(self, method: str, path: str, body: Any = ABSENT, **headers: str) -> Any:
        """Ask, and return the answer. Names of headers are written with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = {} if body is ABSENT else {"data": _encoded(body), "content_type": "application/json"}
        kind = named.pop("Content-Type", None)
        if kind is not None:
            content["content_type"] = kind
        address = path if path.startswith("/") else f"/api/v1/{path}"
        return self.client.generic(method, address, headers={**self.headers, **named}, **content)

    def get(self, path: str, **headers: str) -> Any:
        """Ask for something."""
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = ABSENT, **headers: str) -> Any:
        """Ask to do something."""
        return self("POST", path, body, **headers)


def _encoded(body: Any) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def slug(answer: HttpResponseBase) -> str:
    """Return the slug of a refusal, having checked that it is one as RFC 9457 writes it."""
    said = json.loads(answer.content)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert said["status"] == answer.status_code
    assert said["title"]
    assert said["detail"]
    head, _, name = said["type"].rpartition("/")
    assert head == "/problems"
    return str(name)


def digest(*, but: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return a digest of every table, so that two of them tell whether anything at all was changed in between."""
    with connection.cursor() as cursor:
        cursor.execute(_digesting(but))
        return dict(cursor.fetchall())


@cache
def _digesting(but: frozenset[str]) -> str:
    """Return the one statement that reads all tables: it is asked hundreds of times, and planned once."""
    return " UNION ALL ".join(
        f"SELECT '{table}', md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), ''))"  # noqa: S608
        f" FROM {connection.ops.quote_name(table)} t"
        for table in sorted(set(connection.introspection.table_names()) - but)
    )


class Standing:
    """How all tables stand at one moment, to be asked many times within one transaction what changed since.

    The tables are read only when a row was written since they were last asked: PostgreSQL counts rows written, also
    those that were taken back, so where its count stands still nothing can have changed.
    """

    def __init__(self) -> None:
        assert connection.in_atomic_block, "the count is one transaction's"
        self._digest, self._written, self._changed = digest(), _rows_written(), list[str]()

    def changed(self, *, but: str = "") -> list[str]:
        """Return the tables that hold something else by now."""
        written = _rows_written()
        if written != self._written:
            self._changed = [table for table, now in digest().items() if now != self._digest[table]]
            self._written = written
        return [table for table in self._changed if table != but]


def _rows_written() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)"
            " + pg_stat_get_xact_tuples_deleted(oid)) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        return int(cursor.fetchone()[0])


def forget_counts() -> None:
    """Empty the counters of the throttles, so that one test does not wear out the next."""
    forget_connection()
    # A patient one: a machine that is busy with tests must not look like a Valkey that is gone.
    throttles._valkey = _patient()
    throttles._valkey.flushdb()


@cache
def _patient() -> redis.Redis:
    return redis.Redis.from_url(f"{settings.VALKEY_URL}/0", socket_timeout=30, socket_connect_timeout=30)


@contextmanager
def valkey_gone(port: int | None = None) -> Iterator[None]:
    """Let the throttles look for Valkey where nobody listens, or on the port of somebody who never answers."""
    try:
        with override_settings(VALKEY_URL=f"redis://127.0.0.1:{port or free_port()}"):
            forget_connection()
            yield
    finally:
        forget_connection()


def forget_connection() -> None:
    """Let the throttles connect anew, and count nothing from before."""
    throttles._valkey = None
    throttles._own.counts.clear()
    throttles._own.silent_until = 0.0
