"""The high-water mark: how far this database has come, kept in the store of files where no backup of it reaches.

A database that is behind its mark, or has another past than the mark, was restored and is closed until it has recovered
(members/lineage.py). The mark is written each minute, after the database said so itself: a crash in between, or a store
that is away, leaves it behind the database, which closes nothing.
"""

import json
import logging
import tempfile
from pathlib import Path
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection, transaction

from catalog import store
from members import lineage
from members.lineage import Mark, Standing

KEY = "lineage.json"
logger = logging.getLogger(__name__)


def look() -> Standing | None:
    """Close the co-op if its database was restored; return how it stands. Three queries."""
    return lineage.look(_outside())


def look_at_start() -> None:
    """Look before a process serves anybody. A database that is away is looked at by the first beat after it."""
    try:
        found = look()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("whether the database was restored is not known yet: %s", error)
        return
    finally:
        # Whoever is forked from here opens a connection of its own.
        connection.close()
    if found is not None:
        logger.error("money waits until `manage.py recover` has run: %s", found.why)


def keep() -> bool:
    """Move the mark on, in the database and then outside; return False while the co-op is closed."""
    mark = lineage.live_on(_outside())
    if mark is None:
        return False
    write(mark)
    return True


def reopen(*, words: str) -> None:
    """Open the co-op as a new life; `words` say what was found. Raises what a store that is away raises (FAULTS).

    The mark is outside before the database says that it is open: killed in between, it is closed and recovers again.
    """
    with transaction.atomic():
        _put(lineage.reopen(words=words))


def write(mark: Mark) -> None:
    """Keep a mark outside. A store that is away gets the next one."""
    try:
        _put(mark)
    except store.FAULTS as error:
        logger.warning("the high-water mark was not written: %s", error)


def _put(mark: Mark) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / KEY
        path.write_text(json.dumps({"life": str(mark.life), "number": mark.number}))
        store.put(key=KEY, path=path, content_type="application/json")


def _outside() -> Mark | None:
    try:
        said = json.loads(b"".join(store.pieces(KEY)))
        return Mark(life=UUID(said["life"]), number=int(said["number"]))
    except FileNotFoundError:
        return None
    except (*store.FAULTS, ValueError, KeyError, TypeError) as error:
        logger.warning("the high-water mark cannot be read: %s", error)
        return None
