"""Rows of reports: what somebody objected to, what was decided and why, suspensions, appeals, liftings.

All of it is the record of decisions about people's work, so nothing is changed or deleted: a decision is a new row.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q


class Report(models.Model):
    """What somebody says is wrong with a work. Answered by a decision, once."""

    class Category(models.TextChoices):
        RIGHTS = "rights", "It is somebody else's work"
        ILLEGAL = "illegal", "It is against the law"
        HARM = "harm", "It threatens, harasses or shows somebody without their consent"
        MINORS = "minors", "It harms children"
        ORIGIN = "origin", "Its origin is stated wrongly (made by a machine, not by people)"
        DETAILS = "details", "Its title, credits or licence are wrong"
        OTHER = "other", "Something else"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="reports")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="reports")
    contact = models.EmailField(blank=True)
    category = models.CharField(max_length=8, choices=Category)
    text = models.TextField()
    filed_at = models.DateTimeField()
    decision = models.ForeignKey("catalog.ReportDecision", models.PROTECT, null=True, related_name="reports")

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="report_says_something")]
        indexes = [
            models.Index(fields=["filed_at", "id"], condition=Q(decision=None), name="report_open"),
            models.Index(fields=["filed_at"], name="report_by_time"),
        ]


class ReportDecision(models.Model):
    """What was decided about the open reports of a work, by whom and why."""

    class Outcome(models.TextChoices):
        DISMISSED = "dismissed"
        SUSPENDED = "suspended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="report_decisions")
    outcome = models.CharField(max_length=9, choices=Outcome)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reasons = models.TextField()
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reasons=""), name="report_decision_has_reasons")]


class Suspension(models.Model):
    """A work suspended: the statement of reasons, and what it was before. Earnings from this moment on are held."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="suspensions")
    decision = models.OneToOneField(ReportDecision, models.PROTECT, related_name="suspension")
    state_before = models.CharField(max_length=9)
    facts = models.TextField()
    rule = models.TextField()
    scope = models.TextField()
    suspended_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(facts="") & ~Q(rule="") & ~Q(scope=""), name="suspension_states_its_reasons"
            ),
            models.CheckConstraint(
                condition=Q(state_before__in=["published", "off"]), name="suspension_knows_what_was_before"
            ),
        ]


class Appeal(models.Model):
    """What the people of a suspended work say against it. One for each suspension."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    suspension = models.OneToOneField(Suspension, models.PROTECT, related_name="appeal")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="appeals")
    text = models.TextField()
    filed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="appeal_says_something")]


class AppealDecision(models.Model):
    """What became of an appeal, decided by somebody else than who suspended the work."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld"
        LIFTED = "lifted"

    appeal = models.OneToOneField(Appeal, models.PROTECT, primary_key=True, related_name="decision")
    outcome = models.CharField(max_length=6, choices=Outcome)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reasons = models.TextField()
    decided_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reasons=""), name="appeal_decision_has_reasons")]


class Lifting(models.Model):
    """The end of a suspension: the work is again what it was before."""

    suspension = models.OneToOneField(Suspension, models.PROTECT, primary_key=True, related_name="lifting")
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reasons = models.TextField()
    lifted_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(reasons=""), name="lifting_has_reasons")]
