"""Rows of panels: what somebody says against a decision, and the seats of the three members who hear it.

Both are abstract: a contested vote, an expulsion and a work that a voted rule takes off each keep rows of their own.
"""

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from django_stubs_ext.db.models.manager import RelatedManager


class Appeal(models.Model):
    """What somebody says against a decision. Without a ruling at `decide_until`, what was decided stands.

    Whoever inherits it says which rulings there are; its seats are its `panel`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField()
    filed_at = models.DateTimeField()
    decide_until = models.DateTimeField()
    ruling = models.CharField(max_length=9, blank=True)
    ruled_at = models.DateTimeField(null=True)

    if TYPE_CHECKING:
        panel: RelatedManager[Any]

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="%(class)s_says_something"),
            models.CheckConstraint(
                condition=Q(ruling="", ruled_at=None) | ~Q(ruling="") & Q(ruled_at__isnull=False),
                name="%(class)s_ruling_has_its_moment",
            ),
        ]


class Seat(models.Model):
    """One of the three members, none of them a director, who decide an `appeal`, and what they said."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    ruling = models.CharField(max_length=9, blank=True)
    reasons = models.TextField(blank=True)
    ruled_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["appeal", "person"], name="%(class)s_once"),
            models.CheckConstraint(
                condition=Q(ruling="", ruled_at=None) | ~Q(ruling="") & ~Q(reasons="") & Q(ruled_at__isnull=False),
                name="%(class)s_gives_reasons",
            ),
        ]
