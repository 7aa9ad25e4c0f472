"""`manage.py export_ledger FORMAT [FILE]`: writes the whole ledger as beancount, csv or jsonl."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from royalties import ledger_exports


class Command(BaseCommand):
    """Writes the ledger, a line at a time."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Read the format, and where to write."""
        parser.add_argument("format", choices=sorted(ledger_exports.FORMATS))
        parser.add_argument("file", nargs="?", help="default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        lines = ledger_exports.FORMATS[options["format"]]()
        if options["file"] is None:
            # Not self.stdout, which ends each piece with a line break of its own.
            sys.stdout.writelines(lines)
            return
        with Path(options["file"]).open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
