"""Lineage: whether this database is the one that ran yesterday, or a backup of it that knows less than the world does.

What a restored backup lost, gateways and banks still know. Until that is taken in again (`manage.py recover`) the co-op
is closed: the database itself refuses whatever moves money. Two signs tell a restored database. A dump is another
database than the one it was made from, which the server can tell (sql/lineage.sql). A copy of a cluster's files is
not, but it is behind the mark that is kept outside, in the store of files (royalties/highwater.py).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from members import locks
from members.models import Closing, Lineage
from members.problems import Problem

# Who looks whether the database was restored, one at a time.
LINEAGE_LOCK = 1_919_247_981
RETRY_SECONDS = 120
# The SQLSTATE with which the database refuses to move money while the co-op is closed.
CLOSED = "RF503"


class Recovering(Problem):
    """A backup was restored; until what it lost is recovered, no money moves. What you own plays."""

    slug, status, title = "recovering", 503, "Nothing can be paid right now"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """How far a life of the database has come. A database behind the mark that it left outside was restored."""

    life: UUID
    number: int


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Why money waits, since when, and from when on rows are missing (None when nobody knows)."""

    why: str
    closed_at: datetime
    lost_since: datetime | None


def is_closed() -> bool:
    """Return whether money has to wait; never for whoever recovers. One query."""
    return bool(_ask("SELECT coop_is_closed()"))


def check_open() -> None:
    """Raise Recovering while money has to wait. One query."""
    if is_closed():
        raise refusal()


def refusal() -> Recovering:
    """Return the refusal of whatever has to wait, with when to ask again."""
    return Recovering("The records are being restored. Nothing was charged.", retry_after_seconds=RETRY_SECONDS)


def is_refusal(error: BaseException) -> bool:
    """Return whether an error is the database's word that the co-op is closed."""
    return getattr(error.__cause__, "sqlstate", None) == CLOSED


def standing() -> Standing | None:
    """Return why money waits, or None while it moves. One query."""
    found = Closing.objects.filter(opened_at=None).first()
    if found is None:
        return None
    return Standing(why=found.why, closed_at=found.closed_at, lost_since=found.lost_since)


def look(outside: Mark | None) -> Standing | None:
    """Close the co-op if its database was restored, as the server or the mark kept outside tells; return how it stands.

    `outside` is None where there is no mark or it cannot be read; that alone closes nothing.
    """
    with transaction.atomic():
        locks.wait_for(LINEAGE_LOCK)
        row = Lineage.objects.first()
        why = _why_restored(row, outside)
        if why and not Closing.objects.filter(opened_at=None).exists():
            _close(why, row.lived_until if row else None)
    return standing()


def live_on(outside: Mark | None) -> Mark | None:
    """Say that the database lives: return the mark to be kept outside once this is committed, None while it is closed.

    The first time, a database that has no mark outside gets its first; so a new installation is open.
    """
    with transaction.atomic():
        if look(outside) is not None:
            return None
        row = Lineage.objects.select_for_update().first()
        if row is None:
            row = Lineage(identity=_ask("SELECT coop_identity()"))
        row.number += 1
        row.lived_until = _wall()
        row.save()
    return Mark(life=row.life, number=row.number)


def close(*, why: str, lost_since: datetime | None = None) -> Standing:
    """Close the co-op until it has recovered; one that is closed stays so. `lost_since` is by the clock on the wall."""
    with transaction.atomic():
        locks.wait_for(LINEAGE_LOCK)
        if not Closing.objects.filter(opened_at=None).exists():
            _close(why, lost_since)
    found = standing()
    assert found is not None
    return found


def reopen(*, words: str) -> Mark:
    """Open the co-op after it recovered, as a new life of its own; return the mark to be kept outside.

    `words` say what was found. Older marks, and databases that still have them, are strangers from now on.
    """
    with transaction.atomic():
        locks.wait_for(LINEAGE_LOCK)
        moment = _wall()
        Closing.objects.filter(opened_at=None).update(opened_at=moment, words=words)
        row = Lineage.objects.first() or Lineage()
        row.identity, row.life, row.number, row.lived_until = _ask("SELECT coop_identity()"), uuid4(), 1, moment
        row.save()
    return Mark(life=row.life, number=row.number)


@contextmanager
def recovering() -> Iterator[None]:
    """Let money move on this connection although the co-op is closed, for whoever recovers it."""
    _ask("SELECT set_config('refrain.recovering', 'on', false)")
    try:
        yield
    finally:
        _ask("SELECT set_config('refrain.recovering', '', false)")


def _why_restored(row: Lineage | None, outside: Mark | None) -> str:
    if row is not None and row.identity != _ask("SELECT coop_identity()"):
        return "The database is not the one that last ran: it was restored from a dump, or a standby took over."
    if outside is None:
        return ""
    if row is None or row.life != outside.life:
        return "The database has another past than the mark in the store of files: another backup was restored."
    if row.number < outside.number:
        return "The database is older than the mark in the store of files: a copy of it was restored."
    return ""


def _close(why: str, lost_since: datetime | None) -> None:
    Closing.objects.create(why=why, lost_since=lost_since, closed_at=_wall())


def _wall() -> datetime:
    """Return the time as the world has it: gateways and backups know nothing of a clock that a demo moved."""
    moment: datetime = _ask("SELECT clock_timestamp()")
    return moment


def _ask(question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        found = cursor.fetchone()
    assert found is not None
    return found[0]
