"""`manage.py close_period YYYY-MM`: closes a month and runs it to its seal, with a progress bar.

Workers may take turns at the same run meanwhile; killed, it goes on where it stopped when it is called again.
"""

import sys
import time
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import clock, lineage, money
from members.problems import Problem
from royalties import runs
from royalties.run_models import Run

WIDTH = 30
# Others hold what is left of the run: look again after this.
PAUSE_SECONDS = 0.2


class Command(BaseCommand):
    """Closes a month."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Read which month, and whether one that is stuck is begun again."""
        parser.add_argument("month", help="the month, as in 2026-10")
        parser.add_argument(
            "--start-over", action="store_true", help="begin a stuck run again, once you have looked why it is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it."""
        try:
            month = date.fromisoformat(f"{options['month']}-01")
        except ValueError:
            raise CommandError("a month is written like 2026-10") from None
        try:
            lineage.check_open()
            if options["start_over"]:
                runs.start_over(month=month)
            run = runs.begin(month=month, now=clock.now())
            while run.state == Run.State.RUNNING:
                self._show(run)
                if not runs.advance(month=month, now=clock.now()).took:
                    time.sleep(PAUSE_SECONDS)
                run.refresh_from_db()
        except Problem as problem:
            raise CommandError(f"{problem.title}: {problem.detail}") from problem
        self._show(run, end="\n")
        if run.state == Run.State.STUCK:
            raise CommandError(f"the run is stuck, and the month is not sealed: {run.words}")
        self.stdout.write(
            f"{month:%Y-%m}: {money.show(run.gross_micros)} were paid, of which {money.show(run.creators_micros)} go"
            f" to the creators ({money.show(run.held_micros)} held) and {money.show(run.coop_micros)} to the co-op."
        )

    def _show(self, run: Run, end: str = "") -> None:
        done = WIDTH * run.percent // 100
        bar = "#" * done + "." * (WIDTH - done)
        if sys.stdout.isatty():
            self.stdout.write(f"\r[{bar}] {run.percent:3} %  {run.words:60}", ending=end)
        else:
            self.stdout.write(f"[{bar}] {run.percent:3} %  {run.words}")
        self.stdout.flush()
