"""`manage.py token EMAIL [--scope ...]`: makes a token at the server's shell and prints it once."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import clock, tokens
from members.models import Person
from members.problems import Problem


class Command(BaseCommand):
    """Makes a token. Long-lived tokens for votes and the treasury exist in demo and tests alone."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Read whose token, for what, for how long."""
        parser.add_argument("email")
        parser.add_argument("--scope", action="append", choices=list(tokens.Scope), help="may be given several times")
        parser.add_argument("--days", type=int, default=90)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it and print it."""
        person = Person.objects.filter(email=options["email"].lower()).first()
        if person is None:
            raise CommandError(f"nobody signs in as {options['email']}")
        try:
            _, plain = tokens.mint(
                person_id=person.id,
                scopes=set(options["scope"] or [tokens.Scope.LISTEN, tokens.Scope.SPEND]),
                name="made at the server's shell",
                now=clock.now(),
                lifetime=timedelta(days=options["days"]),
                by_shell=True,
            )
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self.stdout.write(plain)
