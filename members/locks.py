"""Advisory locks: work that only one process does at a time, whichever comes first."""

from django.db import connection


def is_ours(lock: int) -> bool:
    """Take a lock until the transaction ends, and return whether nobody else has it. One query; never waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock])
        taken: bool = cursor.fetchone()[0]
    return taken


def wait_for(lock: int) -> None:
    """Take a lock until the transaction ends, after whoever has it. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
