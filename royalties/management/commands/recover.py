"""`manage.py recover [FILES]`: takes in what a restored backup lost, compares the books, and opens the co-op again.

FILES are the bank's since the backup: camt.053, camt.054, pain.002 or CSV. It may be run again, and after it was
killed: what was taken in is known by its id and is not taken in twice.
"""

import sys
from argparse import ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog import store
from members import admission, clock, lineage, money
from members.admission import Staff
from members.problems import Problem
from royalties import bank, highwater, recovery
from royalties.management.commands.close_for_recovery import moment
from royalties.recovery import Found

STEPS = 5
ERASED_SINCE = (
    "Whoever was erased since the backup is known here again: take the secretary's newest list of erasures and run"
    " `manage.py erase --from LIST`."
)


class Command(BaseCommand):
    """Recovers a restored co-op."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Read the bank's files, who brings them, and what to do about differences."""
        parser.add_argument("files", nargs="*", type=_file, help="the bank's files since the backup, the oldest first")
        parser.add_argument("--treasurer", help="the address of the treasurer who brings the files")
        parser.add_argument("--since", help="from when on to ask the gateway; default: two days before the backup")
        parser.add_argument("--open-with-differences", metavar="REASON", default="", help="open although books differ")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do each step, and open."""
        treasurer_id = self._treasurer(options["treasurer"]) if options["files"] else None
        standing = highwater.look()
        self.stdout.write(f"Closed: {standing.why}" if standing else "The co-op is open; what is missing is taken in.")
        try:
            with lineage.recovering():
                found = self._recover(options, treasurer_id)
        except Problem as problem:
            raise CommandError(f"{problem.title}: {problem.detail} Nothing was opened; run it again.") from problem
        for difference in found.differences:
            self.stdout.write(f"DIFFERS  {difference.words}")
        if found.differences and not options["open_with_differences"]:
            raise CommandError(f"{len(found.differences)} differences; the co-op stays as it is", returncode=1)
        try:
            opened = recovery.reopen(found=found, reason=options["open_with_differences"])
        except store.FAULTS as error:
            raise CommandError(f"The store of files is away, so the co-op stays closed: {error}") from error
        self.stdout.write("The co-op is open." if opened else "The co-op was open, and is.")
        if standing:
            self.stdout.write(ERASED_SINCE)

    def _recover(self, options: dict[str, Any], treasurer_id: UUID | None) -> Found:
        now = clock.now()
        self._pull(moment(options["since"]) or recovery.since())
        for number, path in enumerate(options["files"], start=1):
            assert treasurer_id is not None
            taken = bank.take_in(content=path.read_bytes(), staff_id=treasurer_id, now=now)
            self._show(2, f"bank's file {number} of {len(options['files'])}: {path.name}")
            self._say(
                f"{taken.new_lines} new lines of {taken.lines}: {taken.booked} payouts booked, {taken.came_back} came"
                f" back, {taken.unexplained} lines in all wait to be explained"
            )
        if not options["files"]:
            self._show(2, "no files of the bank were given")
        self._show(3, "booking what is known now")
        found = recovery.settle(now=now)
        self._say(f"{found.posted} rows posted, {found.adopted} payouts that the bank had, {found.placed} to be placed")
        for file in found.unknown_files:
            self._say(
                f"The bank paid {money.show_cents(file.cents)} of payouts for {file.month:%B %Y}, file {file.sequence},"
                " that is lost here. Prepare and release that month's payouts again: they are booked and not sent."
            )
        self._show(4, "what nobody knows")
        self._tell_gap()
        self._show(5, "compared the books with what happened")
        return found

    def _pull(self, since: datetime) -> None:
        day = clock.day(since)
        self._show(1, f"asking the payment gateway for everything since {day}")
        if settings.GATEWAY == "none":
            self._say("there is no payment gateway here")
            return
        taken = recovery.pull(since=since, now=clock.now(), tell=self._count)
        self._say(f"{taken} events were new")

    def _tell_gap(self) -> None:
        gap = recovery.gap()
        if gap is None:
            self._say("from when on charges are missing is not known")
            return
        since, until = (one.astimezone(clock.zone()) for one in (gap.since, gap.until))
        self._say(
            f"Charges between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} are lost, and nobody knows"
            f" them. As in the {recovery.USUAL_DAYS} days before, it would have been about {gap.usual_charges} of"
            f" {money.show(gap.usual_micros)}. They are the co-op's loss."
        )

    def _treasurer(self, email: str | None) -> UUID:
        found = admission.person_of(email) if email else None
        if found is None or not admission.has_role(person_id=found, roles=(Staff.TREASURER,)):
            raise CommandError("--treasurer names who brings the bank's files, by the address they sign in with")
        return found

    def _count(self, taken: int) -> None:
        if sys.stdout.isatty():
            self.stdout.write(f"\r      {taken} events", ending="")
            self.stdout.flush()

    def _show(self, step: int, words: str) -> None:
        self.stdout.write(f"[{'#' * step}{'.' * (STEPS - step)}] {words}")
        self.stdout.flush()

    def _say(self, words: str) -> None:
        start = "\r" if sys.stdout.isatty() else ""
        self.stdout.write(f"{start}        {words}")


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(f"{text} is not a file")
    return path
