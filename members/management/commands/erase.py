"""`manage.py erase --from LIST`: runs again the erasures of a secretary's list that a restored backup does not know.

The list is the newest that was saved at `/secretary/erasures`. It may be run again; beat goes on with what it begins.
"""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import clock
from members.erasing import lists
from members.problems import Problem


class Command(BaseCommand):
    """Forgets again who was erased since a backup."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Read where the list is."""
        parser.add_argument("--from", dest="list", type=argparse.FileType(encoding="utf-8"), required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        """Begin each of them, and say how many there were."""
        with options["list"] as file:
            try:
                done = lists.run_again(listed=lists.read(file), now=clock.now())
            except Problem as problem:
                raise CommandError(problem.detail) from problem
        self.stdout.write(
            f"{done.begun} begun again, {done.known} known here already, {done.unknown} of people who are not here."
        )
        if done.with_roles:
            names = ", ".join(map(str, done.with_roles))
            raise CommandError(
                f"these have a role for the co-op; take it (manage.py staff), then run it again: {names}"
            )
