"""Rows of what a listener takes home: certificates of what they own, and zips of their library."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Certificate(models.Model):
    """A signed statement of what a listener owned at a moment. Its id is public; `content` is the whole document."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="certificates", db_index=False)
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="certificates")
    # It holds while the holding is owned since this very moment: a reversal ends it for good.
    owned_at = models.DateTimeField()
    as_of = models.DateTimeField()
    # Of what it says beside its id and its moment: the same is not said twice.
    said_sha256 = models.CharField(max_length=64)
    content = models.JSONField()

    class Meta:
        app_label = "playback"
        constraints = [
            models.UniqueConstraint(
                fields=["listener", "work", "owned_at", "said_sha256"], name="certificate_says_a_thing_once"
            ),
        ]


class LibraryExport(models.Model):
    """A zip of what a listener owns. The row is the queue, leased by the worker that packs it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        PACKING = "packing"
        READY = "ready"
        FAILED = "failed"
        EXPIRED = "expired"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listener = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="library_exports", db_index=False
    )
    format = models.CharField(max_length=16)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    percent = models.PositiveSmallIntegerField(default=0)
    works = models.PositiveIntegerField(default=0)
    packed = models.PositiveIntegerField(default=0)
    # Works whose file could not be made, each with its reason; the zip names them too.
    missing = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    key = models.CharField(max_length=200, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        app_label = "playback"
        constraints = [
            models.CheckConstraint(condition=Q(percent__lte=100), name="library_export_percent_is_at_most_100"),
            models.CheckConstraint(
                condition=~Q(state="ready")
                | Q(size_bytes__isnull=False, finished_at__isnull=False, expires_at__isnull=False)
                & ~Q(key="")
                & ~Q(sha256=""),
                name="library_export_ready_has_its_file",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(reason=""), name="library_export_failed_has_a_reason"
            ),
            models.UniqueConstraint(
                fields=["listener"],
                condition=Q(state__in=["waiting", "packing"]),
                name="library_export_one_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["listener", "-asked_at"], name="library_export_by_listener"),
            models.Index(
                fields=["asked_at"],
                condition=Q(state__in=["waiting", "packing", "ready"]),
                name="library_export_on_hand",
            ),
        ]
