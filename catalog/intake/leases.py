"""Leases: which worker holds a row that is a queue (an upload, a transfer, a download, an export), and until when.

A worker that dies stops renewing, and when its lease has run out another may take over. Everything a worker writes
about a row is written under its lease, so one that was slow and lost it cannot undo what its successor did.
"""

import hashlib
import logging
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import F, Q, QuerySet

from catalog.models import Upload
from members import clock, locks

logger = logging.getLogger(__name__)

FINISHED = (Upload.State.READY, Upload.State.REJECTED)
LEASE = timedelta(seconds=120)
BEAT_SECONDS = 2.0
# After a fault an upload rests this long, so that the next attempt comes soon but not at once.
PAUSE = timedelta(seconds=30)


class LeaseLost(Exception):
    """Another worker has taken the row over; this one must write nothing more about it."""


@dataclass
class Hold:
    """A worker's lease on a row of `queue`. `began` is the co-op's moment at which it was taken."""

    queue: QuerySet[Any]
    row_id: uuid.UUID
    until: datetime
    began: datetime
    ticks: float = field(default_factory=clock.ticks)
    beaten: float = field(default_factory=clock.ticks)

    def moment(self) -> datetime:
        """Return the present moment: when the lease was taken, plus what has passed since."""
        return self.began + timedelta(seconds=clock.ticks() - self.ticks)

    def write(self, *, release: bool = False, **columns: object) -> None:
        """Write columns of the row and renew the lease, or let go of it with `release`. Raises LeaseLost."""
        until = None if release else self.moment() + LEASE
        if self.queue.filter(id=self.row_id, leased_until=self.until).update(leased_until=until, **columns) != 1:
            raise LeaseLost(str(self.row_id))
        if until is not None:
            self.until = until
        self.beaten = clock.ticks()

    def beat(self, percent: int | None = None, **columns: Any) -> None:
        """Renew the lease, and show how far the work is, unless that was done a moment ago. Raises LeaseLost."""
        if clock.ticks() - self.beaten >= BEAT_SECONDS:
            self.write(**columns if percent is None else {**columns, "percent": percent})

    def pause(self, lasts: timedelta, **columns: Any) -> None:
        """Write columns, and let nobody take the row for so long. Raises LeaseLost."""
        self.write(**columns)
        self.queue.filter(id=self.row_id, leased_until=self.until).update(leased_until=self.moment() + lasts)

    def rest(self, *, counts: bool, **columns: object) -> None:
        """Let the row rest after a fault, and write these columns. `counts` says whether the attempt counts."""
        given_back: dict[str, Any] = columns if counts else {**columns, "attempts": F("attempts") - 1}
        try:
            self.pause(PAUSE, **given_back)
        except LeaseLost:
            return
        except (OperationalError, InterfaceError):
            logger.warning("row %s keeps its lease: the database is away", self.row_id)


def free(now: datetime) -> Q:
    """Return the condition under which nobody holds a row."""
    return Q(leased_until=None) | Q(leased_until__lt=now)


def uploads() -> QuerySet[Upload]:
    """Return the queue of the ingest."""
    return Upload.objects.exclude(state__in=FINISHED)


def claim(*, upload_id: uuid.UUID, now: datetime) -> Hold | None:
    """Take the lease of an upload that is unfinished and free and count the attempt; else return None."""
    return claim_row(uploads(), row_id=upload_id, now=now)


def claim_row(queue: QuerySet[Any], *, row_id: uuid.UUID, now: datetime) -> Hold | None:
    """Take the lease of a row that is in `queue` and free, and count the attempt; else return None."""
    until = now + LEASE
    taken = queue.filter(free(now), id=row_id).update(leased_until=until, attempts=F("attempts") + 1)
    return Hold(queue=queue, row_id=row_id, until=until, began=now) if taken else None


def lock(words: str) -> None:
    """Hold a lock named by `words` until the transaction ends. Everybody else who asks for it waits."""
    number = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], signed=True)
    locks.wait_for(number)
