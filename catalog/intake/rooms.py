"""Rooms: folders for temporary files on this machine, and what processes that were killed left in them."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

PREFIX = "refrain-"
# One untouched for a day belongs to nobody who still works.
ABANDONED_SECONDS = 86_400


def sweep(*, names: tuple[str, ...]) -> int:
    """Remove rooms of these names that nothing has touched for a day, and return how many there were.

    Their age is measured by the clock of the file system, on a file made for it.
    """
    removed = 0
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}sweep-") as here:
        oldest = Path(here).stat().st_mtime - ABANDONED_SECONDS
        for name in names:
            for room in Path(here).parent.glob(f"{PREFIX}{name}-*"):
                with suppress(FileNotFoundError):
                    if room.stat().st_mtime < oldest:
                        shutil.rmtree(room, ignore_errors=True)
                        removed += 1
    return removed
