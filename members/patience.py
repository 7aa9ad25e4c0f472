"""Patience: pages give up after seconds, and so do workers unless they say here that their work takes longer."""

from django.db import connection

TAKE_TIME = """
SELECT set_config('statement_timeout', %(each)s, true), set_config('transaction_timeout', '0', true),
       set_config('idle_in_transaction_session_timeout', %(each)s, true),
       set_config('client_connection_check_interval', '1s', true), set_config('work_mem', %(memory)s, true)
"""


def take_time(*, minutes: int, megabytes: int = 64) -> None:
    """Let each statement of this transaction take so long, and each of its sorts so much memory. One query.

    The transaction as a whole then has no limit: the timer that began with it can only be switched off. What a killed
    worker had asked for ends within a second of it.
    """
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TIME, {"each": f"{minutes}min", "memory": f"{megabytes}MB"})
