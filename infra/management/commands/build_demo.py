"""`manage.py build_demo`: fills the demo. Needs the worker, the web server and the play-money gateway running."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from infra.demonstration import builder
from members.problems import Problem


class Command(BaseCommand):
    """Fills the demo."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill it and say each step."""
        if settings.IN_PRODUCTION:
            raise CommandError("people of the demo have no place in production")
        try:
            builder.build(say=lambda line: print(line, flush=True))
        except Problem as problem:
            raise CommandError(problem.detail) from problem
