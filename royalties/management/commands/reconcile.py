"""`manage.py reconcile`: compares the books with what happened, and ends with 1 if anything differs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members import clock, money
from royalties import reconciliation


class Command(BaseCommand):
    """Proves that the books say what happened."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, and say what waits to be settled."""
        now = clock.now()
        differences = reconciliation.check(now=now)
        for difference in differences:
            self.stdout.write(f"DIFFERS  {difference.words}")
        for one in reconciliation.waiting(now=now):
            mark = "LATE   " if one.late else "waits  "
            self.stdout.write(f"{mark}  {money.show(one.open_micros)} on {one.code} since {one.days} days: {one.key}")
        if differences:
            raise CommandError(f"{len(differences)} differences", returncode=1)
        self.stdout.write("The books say what happened.")
