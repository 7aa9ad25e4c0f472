"""`manage.py add_policy_version KEY JSON --from MOMENT`: records a version until voting does; not in production."""

import json
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from members import clock, policies
from members.problems import Problem


class Command(BaseCommand):
    """Records a version of a policy; figures left out stay as they are."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Read which policy, which figures, from when."""
        parser.add_argument("key")
        parser.add_argument("params", help='for instance {"price_default_micros": 400000}')
        parser.add_argument("--from", dest="moment", help="ISO 8601 with a time zone; default: in an hour")

    def handle(self, *args: Any, **options: Any) -> None:
        """Record it and say what it means."""
        if settings.IN_PRODUCTION:
            raise CommandError("in production a vote makes versions")
        now = clock.now()
        try:
            effective = datetime.fromisoformat(options["moment"]) if options["moment"] else now + policies.NOTICE_LEAST
            params = {**policies.policy_at(options["key"], now).params, **json.loads(options["params"])}
            version = policies.add_version(key=options["key"], params=params, effective_from=effective, now=now)
        except ValueError as error:
            raise CommandError(str(error)) from error
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self.stdout.write(f"{version.key} version {version.seq} holds from {version.effective_from.isoformat()}")
        for line in policies.registered(version.key).explain(version.params):
            self.stdout.write(f"  {line}")
