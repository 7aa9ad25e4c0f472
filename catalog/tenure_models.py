"""Rows of who ran which profile, and when; the triggers of `catalog/sql/tenures.sql` write them, nothing else does."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class Tenure(models.Model):
    """A time in which a person owned a profile or edited its works. `until` is null while they do."""

    creator = models.ForeignKey("catalog.Creator", models.PROTECT, related_name="tenures")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        app_label = "catalog"
        constraints = [
            models.UniqueConstraint(fields=["creator", "person"], condition=Q(until=None), name="tenure_one_at_a_time")
        ]
        indexes = [models.Index(fields=["person", "creator"], name="tenure_by_person")]
