"""Rows of dues that were paid from wallets."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class DuesTaken(models.Model):
    """A member's dues, taken from their bought credit. Append-only; `id` is the payment's id among the members."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="dues_taken")
    amount_micros = models.BigIntegerField()
    taken_at = models.DateTimeField()
    balance_after_micros = models.BigIntegerField()
    promo_after_micros = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_micros__gt=0), name="dues_taken_are_something")]
        indexes = [models.Index(fields=["taken_at"], name="dues_taken_by_moment")]
