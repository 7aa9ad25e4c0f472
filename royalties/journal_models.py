"""Rows of the treasurer's journal: entries by one and confirmed by another, and what the bank said at a month's end."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class JournalEntry(models.Model):
    """Something that the books learn from people: a cost, a fee, a grant, a settlement. Booked once it is confirmed."""

    class State(models.TextChoices):
        WAITING = "waiting"
        CONFIRMED = "confirmed"
        DROPPED = "dropped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=24)
    amount_micros = models.BigIntegerField()
    happened_on = models.DateField()
    words = models.CharField(max_length=200)
    bank_line = models.ForeignKey("royalties.BankLine", models.PROTECT, null=True, related_name="entries")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    dropped_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="journal_amount_is_positive"),
            models.CheckConstraint(condition=~Q(words=""), name="journal_entry_says_what_for"),
            models.CheckConstraint(
                condition=Q(state="confirmed", confirmed_by__isnull=False, confirmed_at__isnull=False)
                | (~Q(state="confirmed") & Q(confirmed_by=None, confirmed_at=None)),
                name="journal_confirmed_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("entered_by")), name="journal_takes_two_people"
            ),
            models.UniqueConstraint(
                fields=["bank_line"],
                condition=~Q(state="dropped") & Q(bank_line__isnull=False),
                name="journal_explains_a_line_once",
            ),
        ]
        indexes = [models.Index(fields=["-entered_at", "-id"], name="journal_by_moment")]


class BankBalance(models.Model):
    """What the bank says at a month's end, in cents. Confirmed by another and equal to the books, it locks them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    month = models.DateField()
    cents = models.BigIntegerField()
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="bank_balance_month_is_a_first_day"),
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="bank_balance_confirmed_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("entered_by")), name="bank_balance_takes_two_people"
            ),
            models.UniqueConstraint(
                fields=["month"], condition=Q(confirmed_at__isnull=False), name="bank_balance_confirmed_once"
            ),
        ]
