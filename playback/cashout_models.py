"""Rows of cashing out: what a listener took out, which payment each part goes back to, and transfers by hand.

The money in these rows is written once. What may change is how far a refund has come; sql/cashouts.sql says how.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class CashOut(models.Model):
    """Bought credit that a listener took out at one moment. Append-only: what became of it stands in its refunds."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="cash_outs")
    amount_micros = models.BigIntegerField()
    taken_at = models.DateTimeField()
    balance_after_micros = models.BigIntegerField()
    promo_after_micros = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount_micros__gt=0), name="cash_out_amount_is_positive")]
        indexes = [models.Index(fields=["listener", "-taken_at"], name="cash_out_by_listener")]


class Refund(models.Model):
    """The part of a cash-out that goes back to one payment. The row is the queue of what the gateway is to be asked."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        TRANSFER = "transfer"
        REFUNDED = "refunded"
        RETURNED = "returned"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cash_out = models.ForeignKey(CashOut, models.PROTECT, related_name="refunds", db_index=False)
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="refunds")
    top_up = models.ForeignKey("playback.TopUp", models.PROTECT, related_name="refunds")
    line_number = models.PositiveSmallIntegerField()
    net_cents = models.BigIntegerField()
    vat_cents = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    gateway_id = models.CharField(max_length=80, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    # Nobody asks the gateway before: the lease of who is asking, and the pause after it was silent.
    not_before = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Kept by the database: when it was made, also if a bank sent it back later.
    refunded_at = models.DateTimeField(null=True, editable=False)
    reason = models.TextField(blank=True)
    # When the credit came back: what stood afterwards.
    balance_after_micros = models.BigIntegerField(null=True)
    promo_after_micros = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cash_out", "line_number"], name="refund_line_number_is_unique"),
            models.UniqueConstraint(fields=["cash_out", "top_up"], name="refund_one_per_payment"),
            models.CheckConstraint(condition=Q(net_cents__gt=0, vat_cents__gte=0), name="refund_amount_is_positive"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sent", "transfer"], ended_at=None)
                | Q(state__in=["refunded", "returned"], ended_at__isnull=False),
                name="refund_ended_has_its_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="returned")
                | (Q(balance_after_micros__isnull=False, promo_after_micros__isnull=False) & ~Q(reason="")),
                name="refund_returned_says_why",
            ),
        ]
        indexes = [
            models.Index(fields=["not_before"], condition=Q(state__in=["waiting", "sent"]), name="refund_to_be_asked"),
            models.Index(fields=["line_number"], condition=Q(state="transfer"), name="refund_by_transfer"),
        ]

    @property
    def gross_cents(self) -> int:
        """Return what is paid back, with VAT."""
        return self.net_cents + self.vat_cents


class RefundTransfer(models.Model):
    """A refund paid by hand, entered by one treasurer and released by another. A newer entry replaces an older one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    refund = models.ForeignKey(Refund, models.PROTECT, related_name="transfers")
    holder = models.CharField(max_length=120)
    # Sealed for the listener (members/ibans.py); what may be shown of it is `mask`.
    sealed = models.TextField()
    mask = models.CharField(max_length=16)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(released_by=None, released_at=None)
                | Q(released_by__isnull=False, released_at__isnull=False),
                name="refund_transfer_released_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(released_by=None) | ~Q(released_by=F("entered_by")),
                name="refund_transfer_takes_two_people",
            ),
            models.CheckConstraint(condition=Q(sealed__startswith="v1."), name="refund_transfer_is_sealed"),
            models.UniqueConstraint(
                fields=["refund"], condition=Q(released_at__isnull=False), name="refund_transfer_is_released_once"
            ),
        ]
