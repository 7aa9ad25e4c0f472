"""Rows of erasures: who asked to be forgotten, how far it has come, and the digest of the code that claims their money.

The row stays: it says that an empty person is one who was erased, and lets their claim code be known again.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Erasure(models.Model):
    """A person's way out. `ends_at` is until when it can be taken back; `waits_for` says in words what holds it up."""

    class State(models.TextChoices):
        ASKED = "asked"
        SETTLING = "settling"
        ERASED = "erased"
        TAKEN_BACK = "taken-back"

    LIVE = (State.ASKED, State.SETTLING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="erasures")
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField()
    # Whoever of the staff began it, on the person's word; none where the person did.
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    ends_at = models.DateTimeField()
    waits_for = models.JSONField(default=list)
    erased_at = models.DateTimeField(null=True)
    code_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=~Q(state="taken-back"), name="erasure_one_of_a_person"
            ),
            models.UniqueConstraint(
                fields=["code_sha256"], condition=~Q(code_sha256=""), name="erasure_code_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(state="erased", erased_at__isnull=False) | ~Q(state="erased") & Q(erased_at=None),
                name="erasure_done_has_its_moment",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("asked_at")), name="erasure_can_be_taken_back"),
            models.CheckConstraint(
                condition=Q(begun_by=None) | ~Q(begun_by=F("person")), name="erasure_is_begun_by_another"
            ),
        ]
        indexes = [models.Index(fields=["state", "ends_at"], name="erasure_by_state")]
