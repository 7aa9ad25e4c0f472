"""Rows of what is published: one for each month, naming its bundle, its seal and the month before."""

from django.db import models
from django.db.models import Q


class Publication(models.Model):
    """What of a month is public. Written again until the month is sealed, and never after (sql/publications.sql).

    `document` is the signed manifest as it lies in the bundle; `totals` the month's sums, in micros where they say so.
    """

    month = models.DateField(primary_key=True)
    # Where the bundle and the tree of listeners lie in the store.
    key = models.CharField(max_length=200)
    tree_key = models.CharField(max_length=200)
    size_bytes = models.BigIntegerField()
    zip_sha256 = models.CharField(max_length=64)
    manifest_sha256 = models.CharField(max_length=64)
    signing_key = models.CharField(max_length=16)
    signature = models.CharField(max_length=128)
    # Over the listeners' months (RFC 6962), and how many there are.
    root = models.CharField(max_length=64)
    listeners = models.BigIntegerField()
    previous_manifest_sha256 = models.CharField(max_length=64, blank=True)
    document = models.JSONField()
    totals = models.JSONField()
    # Until when what came back of the month's charges came back in it: the moment at which it was closed.
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="publication_month_is_a_first_day"),
            models.CheckConstraint(condition=Q(size_bytes__gt=0), name="publication_has_a_bundle"),
        ]
