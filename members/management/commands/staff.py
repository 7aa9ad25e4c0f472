"""`manage.py staff [give|take ROLE EMAIL]`: shows who does what for the co-op, gives a role, or takes one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import admission
from members.admission import Staff
from members.problems import Problem


class Command(BaseCommand):
    """Roles are given at the server's shell alone: no page can make somebody a treasurer."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Read what to do, which role, and whose."""
        parser.add_argument("act", nargs="?", choices=["give", "take"])
        parser.add_argument("role", nargs="?", choices=[str(role) for role in Staff])
        parser.add_argument("email", nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, then print everybody who has a role."""
        if options["act"]:
            self._change(options)
        for role in Staff:
            names = sorted(admission.names_of(admission.people_in(role)).values())
            self.stdout.write(f"{role}: {', '.join(names) or 'nobody'}")

    def _change(self, options: dict[str, Any]) -> None:
        if not options["role"] or not options["email"]:
            raise CommandError("say which role, and who by the address they sign in with")
        person_id = admission.person_of(options["email"])
        if person_id is None:
            raise CommandError(f"nobody signs in as {options['email']}")
        change = admission.give_role if options["act"] == "give" else admission.take_role
        try:
            change(person_id=person_id, role=Staff(options["role"]))
        except Problem as problem:
            raise CommandError(problem.detail) from problem
