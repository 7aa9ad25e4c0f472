"""The WSGI entry point that the production server loads."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
application = get_wsgi_application()
# The models are there once the application is.
import_module("royalties.highwater").look_at_start()
if settings.TRUSTED_PROXIES:
    application = wrap_wsgi_with_proxy_headers(application, settings.TRUSTED_PROXIES)
