"""Rows of chargebacks: payments that a listener's bank took back. Their money is written once (sql/chargebacks.sql)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

MICROS_PER_CENT = 10_000


class Chargeback(models.Model):
    """A payment taken back: what of it came out of the wallet, and what the co-op bears until it is won.

    `opened_at` is when it was booked, `ended_at` when the banks decided. That the wallet may move again is decided by
    a treasurer (`decided_at`), whatever the banks say.
    """

    class State(models.TextChoices):
        OPEN = "open"
        WON = "won"
        LOST = "lost"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gateway_id = models.CharField(max_length=80, unique=True)
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="chargebacks")
    top_up = models.ForeignKey("playback.TopUp", models.PROTECT, related_name="chargebacks")
    gross_cents = models.BigIntegerField()
    taken_micros = models.BigIntegerField()
    disputed_micros = models.BigIntegerField()
    opened_at = models.DateTimeField()
    balance_after_micros = models.BigIntegerField()
    promo_after_micros = models.BigIntegerField()
    state = models.CharField(max_length=4, choices=State, default=State.OPEN)
    ended_at = models.DateTimeField(null=True)
    # One that was won is booked back: what stood in the wallet afterwards.
    won_balance_after_micros = models.BigIntegerField(null=True)
    won_promo_after_micros = models.BigIntegerField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(gross_cents__gt=0, taken_micros__gte=0, disputed_micros__gte=0),
                name="chargeback_is_never_negative",
            ),
            models.CheckConstraint(
                condition=Q(disputed_micros=F("gross_cents") * MICROS_PER_CENT - F("taken_micros")),
                name="chargeback_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(state="open", ended_at=None) | Q(state__in=["won", "lost"], ended_at__isnull=False),
                name="chargeback_ended_has_its_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="won")
                | Q(won_balance_after_micros__isnull=False, won_promo_after_micros__isnull=False),
                name="chargeback_won_is_booked_back",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None, decided_at=None, reason="")
                | (Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(reason="")),
                name="chargeback_decided_says_why",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("listener")),
                name="chargeback_is_never_decided_for_oneself",
            ),
        ]
        indexes = [
            models.Index(fields=["opened_at"], condition=Q(decided_at=None), name="chargeback_undecided"),
        ]
