"""Rows of objections: a public work that a new version of `content` refuses, the appeal, and the panel's word on it."""

import uuid

from django.db import models
from django.db.models import F, Q

from members.voting.panel_models import Appeal, Seat


class Objection(models.Model):
    """A work that was public when a version of `content` was recorded that would not admit it. It leaves at a moment.

    `words` say the rule as it was told to its people. Without an outcome it is open.
    """

    class Outcome(models.TextChoices):
        OFF = "off"
        KEPT = "kept"
        # It fits by now, or its own people took it off before.
        MENDED = "mended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="objections")
    policy_seq = models.PositiveIntegerField()
    rule = models.CharField(max_length=20)
    words = models.TextField()
    made_at = models.DateTimeField()
    leaves_at = models.DateTimeField()
    outcome = models.CharField(max_length=6, choices=Outcome, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work", "policy_seq"], name="objection_once_per_version"),
            models.CheckConstraint(condition=Q(leaves_at__gt=F("made_at")), name="objection_leaves_time"),
            models.CheckConstraint(
                condition=Q(outcome="", ended_at=None) | ~Q(outcome="") & Q(ended_at__isnull=False),
                name="objection_outcome_has_its_moment",
            ),
        ]
        indexes = [models.Index(fields=["leaves_at"], condition=Q(outcome=""), name="objection_open")]


class ObjectionAppeal(Appeal):
    """What the people of a work say against an objection; the work stays while a panel looks at it."""

    class Ruling(models.TextChoices):
        STAYS = "stays", "It stays"
        GOES = "goes", "It goes"

    objection = models.OneToOneField(Objection, models.PROTECT, related_name="appeal")
    ruling = models.CharField(max_length=9, choices=Ruling, blank=True)


class ObjectionSeat(Seat):
    """A seat on the panel of an appeal for a work."""

    appeal = models.ForeignKey(ObjectionAppeal, models.PROTECT, related_name="panel")
    ruling = models.CharField(max_length=9, choices=ObjectionAppeal.Ruling, blank=True)


class ContentLook(models.Model):
    """A version of `content` for which all works were looked at, also those that came while it was still to come."""

    policy_seq = models.PositiveIntegerField(primary_key=True)
    done_at = models.DateTimeField()
