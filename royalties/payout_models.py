"""Rows of payouts: where payees are paid to, batches made by one and released by another, what the bank made of them.

The money in these rows is written once; what may change is how far a payout has come (sql/payouts.sql).
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class PayoutAccount(models.Model):
    """Whose account a payee's royalties go to, sealed (members/ibans.py). A newer one ends the one before."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="payout_accounts")
    holder = models.CharField(max_length=70)
    sealed = models.TextField()
    mask = models.CharField(max_length=16)
    entered_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(ended_at=None), name="payout_account_one_at_a_time"),
            models.CheckConstraint(condition=Q(sealed__startswith="v1."), name="payout_account_is_sealed"),
        ]


class PayoutBatch(models.Model):
    """What is paid for a month in one file. `sequence` counts a month's batches, those that were dropped too."""

    class State(models.TextChoices):
        PREPARED = "prepared"
        RELEASED = "released"
        DROPPED = "dropped"
        # Paid before a backup was restored, for a month that is not paid out any more; nobody releases it again.
        RESTORED = "restored"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    month = models.DateField()
    sequence = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.PREPARED)
    total_cents = models.BigIntegerField()
    plan_sha256 = models.CharField(max_length=64)
    file_sha256 = models.CharField(max_length=64, blank=True)
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField()
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)
    dropped_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["month", "sequence"], name="payout_batch_sequence_is_unique"),
            models.UniqueConstraint(
                F("state"), condition=Q(state="prepared"), name="payout_batch_one_prepared_at_a_time"
            ),
            models.CheckConstraint(condition=Q(month__day=1, total_cents__gt=0), name="payout_batch_pays_a_month"),
            models.CheckConstraint(
                condition=Q(state="released", released_by__isnull=False, released_at__isnull=False)
                | Q(state="restored", released_by=None, released_at__isnull=False)
                | (~Q(state__in=["released", "restored"]) & Q(released_by=None, released_at=None)),
                name="payout_batch_released_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(released_by=None) | ~Q(released_by=F("prepared_by")), name="payout_batch_takes_two_people"
            ),
        ]

    @property
    def message_id(self) -> str:
        """Return the name under which the bank knows the file."""
        return f"RFR-{self.month:%Y%m}-{self.sequence:02d}"


class Payout(models.Model):
    """Whole cents of what a payee is owed, on their way to one account. `end_to_end` is its name at the bank."""

    class State(models.TextChoices):
        PREPARED = "prepared"
        IN_TRANSIT = "in-transit"
        BOOKED = "booked"
        REJECTED = "rejected"
        RETURNED = "returned"
        DROPPED = "dropped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(PayoutBatch, models.PROTECT, related_name="payouts")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="payouts")
    # Of what was paid before a backup was restored, the account may be lost.
    account = models.ForeignKey(PayoutAccount, models.PROTECT, null=True, related_name="payouts")
    cents = models.BigIntegerField()
    end_to_end = models.CharField(max_length=35, unique=True)
    # The bank had it before we knew of it: paid before a backup was restored. It is booked, and not sent again.
    bank_has_it = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.PREPARED)
    booked_on = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "person"], name="payout_one_per_payee"),
            models.CheckConstraint(condition=Q(cents__gt=0), name="payout_is_positive"),
            models.CheckConstraint(
                condition=Q(account__isnull=False) | Q(bank_has_it=True), name="payout_to_be_sent_has_an_account"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["rejected", "returned"]) | (Q(ended_at__isnull=False) & ~Q(reason="")),
                name="payout_that_came_back_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["booked", "returned"]) | Q(booked_on__isnull=False),
                name="payout_booked_has_its_day",
            ),
        ]
        indexes = [models.Index(fields=["person", "-id"], name="payout_by_person")]

    @property
    def mask(self) -> str:
        """Return what may be shown of the account; nothing where that was lost with a backup."""
        return self.account.mask if self.account is not None else ""


class BankFile(models.Model):
    """A file of the bank that was taken in, known by its bytes: the same one again does nothing."""

    sha256 = models.CharField(primary_key=True, max_length=64)
    kind = models.CharField(max_length=8)
    taken_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    taken_at = models.DateTimeField()
    lines = models.PositiveIntegerField()


class BankLine(models.Model):
    """A line of the bank's statement: cents in (positive) or out. `reference` is the bank's name for it, once for all.

    It is explained by a payout (`payouts`) or by an entry of the journal. No account number is kept in `words`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=200, unique=True)
    file = models.ForeignKey(BankFile, models.PROTECT, related_name="bank_lines")
    booked_on = models.DateField()
    cents = models.BigIntegerField()
    words = models.CharField(max_length=300, blank=True)
    end_to_end = models.CharField(max_length=35, blank=True)
    payouts = models.PositiveIntegerField(default=0)
    # Of payouts that the bank booked as one sum: the name of their file.
    file_name = models.CharField(max_length=35, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(cents=0), name="bank_line_moves_something")]
        indexes = [
            models.Index(fields=["end_to_end"], condition=~Q(end_to_end=""), name="bank_line_by_end_to_end"),
            models.Index(fields=["-booked_on", "-id"], name="bank_line_by_day"),
        ]


class BankPart(models.Model):
    """A payment of a line that named no payout we knew: perhaps one lost with a backup. Cents as the line's."""

    line = models.ForeignKey(BankLine, models.PROTECT, related_name="parts")
    end_to_end = models.CharField(max_length=35)
    cents = models.BigIntegerField()
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(cents=0), name="bank_part_moves_something")]
        indexes = [models.Index(fields=["end_to_end"], name="bank_part_by_end_to_end")]
