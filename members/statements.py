"""Prepared statements: what the hottest requests ask of the database, by the shortest way.

A statement goes to the server once per connection and is then only named; its values travel beside it, binary. Django's
own cursors write them into the text each time. Nothing else differs: it is the request's connection, with its
transaction, its errors and its log.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connection


def ask(statement: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the first row of the answer, or None. One round trip."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    prepared: Any = psycopg.Cursor(connection.connection)
    prepared.format = psycopg.pq.Format.BINARY
    watched = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    with watched(prepared) as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row


def look_up(statement: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the first row of a read that is a request's first question.

    The connection may have died since the last request. Django would ask first whether it lives; here the read itself
    finds out, and is asked again on a new one.
    """
    if connection.in_atomic_block:
        return ask(statement, values)
    connection.health_check_done = True  # type: ignore[attr-defined]  # Django keeps it, its stubs do not
    try:
        return ask(statement, values)
    except (OperationalError, InterfaceError):
        connection.close()
        return ask(statement, values)
