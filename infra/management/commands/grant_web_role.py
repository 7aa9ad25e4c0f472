"""`manage.py grant_web_role`: gives the web role its rights. Run it after `migrate`, as the owner."""

from django.conf import settings
from django.core.management.base import BaseCommand

from infra import grants


class Command(BaseCommand):
    """Gives the web role its rights."""

    help = __doc__

    def handle(self, *args: object, **options: object) -> None:
        """Grant and say so."""
        grants.grant(settings.DB_WEB_ROLE)
        self.stdout.write(f"{settings.DB_WEB_ROLE} may read and write rows; it owns none of the tables")
