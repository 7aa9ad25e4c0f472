"""`manage.py turn_month`: moves the demo's clock to the first of the next month, so that this one can be closed.

Needs the owner's rights (REFRAIN_AS_OWNER=1). The clock goes on from there; it is never moved back.
"""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from members import clock, months
from members.problems import Problem

# In the morning of the first: a month closes by itself on the third.
HOUR = timedelta(hours=9)


class Command(BaseCommand):
    """Lets a month end."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Move the clock and say so."""
        now = clock.now()
        month = clock.month(now)
        turned = clock.start_of(months.after(month)) + HOUR
        try:
            clock.set_offset(clock.offset() + (turned - now))
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self.stdout.write(f"It is {turned:%-d %B %Y, %H:%M} now. {month:%B %Y} can be closed at /treasury/months.")
