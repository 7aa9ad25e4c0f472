"""The Celery application. The row is the queue: a lost message delays work, and the beat sweep finds it."""

import os
from importlib import import_module

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "infra.settings")
celery_app = Celery("refrain")
celery_app.config_from_object("django.conf:settings", namespace="CELERY")
celery_app.autodiscover_tasks()


@worker_init.connect
def look_at_start(**_: object) -> None:
    """Look whether the database was restored before any task is taken."""
    # The models are there once the application is.
    import_module("royalties.highwater").look_at_start()
