"""`manage.py close_for_recovery`: closes the co-op by hand, for backups that do not show that they are one.

That is a copy of database and store of files together, as a snapshot of a whole machine is.
"""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import lineage


class Command(BaseCommand):
    """Closes the co-op until `recover` has run."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Read why, and of when the backup is."""
        parser.add_argument("why", help="what was restored, for whoever reads it later")
        parser.add_argument("--backup-of", help="when the backup was made, as in 2026-11-20T03:00+01:00")

    def handle(self, *args: Any, **options: Any) -> None:
        """Close it."""
        lost_since = moment(options["backup_of"])
        found = lineage.close(why=options["why"], lost_since=lost_since)
        self.stdout.write(f"Closed: {found.why}\nMoney moves again after `manage.py recover`.")


def moment(text: str | None) -> datetime | None:
    """Return the moment that somebody wrote, or None for none. Raises CommandError."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError("a moment is written like 2026-11-20T03:00+01:00") from None
    if found.tzinfo is None:
        raise CommandError("a moment has a time zone, as in 2026-11-20T03:00+01:00")
    return found
