"""The service with the address of a ballot by its election (ballot_urls.py), as the production server loads it."""

import os

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
settings.ROOT_URLCONF = "infra.bench.ballot_urls"

from infra.wsgi import application  # noqa: E402  (it reads the settings)

__all__ = ["application"]
