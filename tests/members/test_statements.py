"""Prepared statements on the request's connection: they come back from a connection that died."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from members import statements


@pytest.fixture(autouse=True)
def _own_connection(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Begin and end with a connection that nobody has killed, outside any transaction. Nothing here writes."""
    with django_db_blocker.unblock():
        connection.close()
        yield
        connection.close()


def kill_connection() -> None:
    """End the connection's other side, as a restart of PostgreSQL does."""
    pid = connection.connection.info.backend_pid
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_it_answers_with_a_row_or_none() -> None:
    assert statements.ask("SELECT %s::int + 1, %s::text", [1, "é"]) == (2, "é")
    assert statements.ask("SELECT 1 WHERE %s::bool", [False]) is None


def test_it_is_prepared_once_per_connection() -> None:
    for value in range(6):
        assert statements.ask("SELECT %s::int * 2", [value]) == (value * 2,)
    prepared = "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE statement LIKE %s"
    assert statements.ask(prepared, ["SELECT $1::int * 2"]) == (4,)


def test_a_first_question_finds_a_dead_connection_and_asks_again() -> None:
    assert statements.look_up("SELECT 1", []) == (1,)
    kill_connection()
    assert statements.look_up("SELECT 1", []) == (1,)


def test_a_later_question_is_never_asked_twice() -> None:
    statements.look_up("SELECT 1", [])
    kill_connection()
    with pytest.raises(OperationalError):
        statements.ask("SELECT 1", [])


def test_within_a_transaction_a_dead_connection_is_an_error() -> None:
    def ask() -> None:
        with transaction.atomic():
            statements.look_up("SELECT 1", [])
            kill_connection()
            statements.look_up("SELECT 1", [])

    with pytest.raises(OperationalError):
        ask()
