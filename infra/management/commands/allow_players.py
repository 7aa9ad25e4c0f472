"""Let the players of this installation's pages read from its S3 bucket."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog import cross_origin


class Command(BaseCommand):
    help = (
        "Writes the bucket's CORS rule: pages of REFRAIN_BASE_URL may read files. Once, and when the address changes."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.STORE != "s3":
            raise CommandError("The store is a folder of this machine; its files come from the pages' own origin.")
        self.stdout.write(f"Pages of {cross_origin.allow_players()} may read from {settings.S3_BUCKET}.")
