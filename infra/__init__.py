"""Assembly: settings, addresses, the worker, the embedded stack. Imports every app and is imported by none."""

from infra.celery import celery_app

__all__ = ["celery_app"]
