"""Rows of the ledger: accounts and transfers, which of playback's rows were posted, locked months, alarms.

A transfer takes an amount from one account (`credit`) and gives it to another (`debit`), so that an entry which does
not balance cannot be written. What is refused whoever asks stands in sql/ledger.sql.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from royalties.accounts import GROWS_BY_DEBIT, Kind

_DEBIT_KINDS = sorted(GROWS_BY_DEBIT)


class Account(models.Model):
    """A drawer of the books. Its balance is kept by the database, the sum of debits less that of credits."""

    code = models.CharField(primary_key=True, max_length=80)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=9, choices=[(kind.value, kind.value) for kind in Kind])
    floor = models.BooleanField(default=False)
    person_id = models.UUIDField(null=True)
    balance_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(floor=False)
                | Q(kind__in=_DEBIT_KINDS, balance_micros__gte=0)
                | (~Q(kind__in=_DEBIT_KINDS) & Q(balance_micros__lte=0)),
                name="account_never_goes_below_its_floor",
            ),
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in Kind]), name="account_kind_is_known"),
        ]


class Transfer(models.Model):
    """One entry: so much, from this account to that one, for this reason. Never changed; a reversal corrects it.

    `happened_at` is when the thing itself happened, `recorded_at` when it was booked, `month` (its first day) the
    period it counts in. Transfers that were booked for one cause have the same `group`.
    """

    debit = models.ForeignKey(Account, models.PROTECT, related_name="+", db_column="debit")
    credit = models.ForeignKey(Account, models.PROTECT, related_name="+", db_column="credit")
    amount_micros = models.BigIntegerField()
    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=200, unique=True)
    group = models.CharField(max_length=120, blank=True, db_column="together")
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    month = models.DateField(db_index=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="transfer_amount_is_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="transfer_has_two_accounts"),
            models.CheckConstraint(condition=Q(month__day=1), name="transfer_month_is_its_first_day"),
            models.CheckConstraint(condition=~Q(key="") & ~Q(kind=""), name="transfer_has_a_key_and_a_kind"),
            models.CheckConstraint(
                condition=Q(reverses=None) | ~Q(reason=""), name="transfer_that_reverses_has_a_reason"
            ),
        ]


class LockedMonth(models.Model):
    """A month whose books are locked: it was compared with the bank, and nothing is booked in it any more."""

    month = models.DateField(primary_key=True)
    locked_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(month__day=1), name="locked_month_is_its_first_day")]


class Posting(models.Model):
    """One walk through playback's rows that were in no transfer yet."""

    posted_at = models.DateTimeField()
    rows = models.BigIntegerField(default=0)


class PostingMark(models.Model):
    """A row of playback that was posted, and by which posting. It names the row itself, so it survives a restore."""

    pk = models.CompositePrimaryKey("source", "row_id")
    source = models.CharField(max_length=20)
    row_id = models.UUIDField()
    # Without a constraint: millions are written at once by the posting itself, which looks after it.
    posting = models.ForeignKey(Posting, models.PROTECT, related_name="marks", db_index=False, db_constraint=False)
    day = models.DateField()


class PostedWork(models.Model):
    """What of a work's charges of one day a posting took, in micros, less what it took of what came back of them.

    `day` is the charges' own, also of what came back later. Refunds that the co-op bears are not among them. Forgotten
    with the marks, once the month is sealed.
    """

    pk = models.CompositePrimaryKey("posting_id", "day", "work_id")
    posting = models.ForeignKey(Posting, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    day = models.DateField()
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    amount_micros = models.BigIntegerField()
    promo_micros = models.BigIntegerField()

    class Meta:
        indexes = [BrinIndex(fields=["day"], name="posted_work_by_day")]


class Alarm(models.Model):
    """Something that a treasurer has to look at, until it is over."""

    key = models.CharField(max_length=200)
    words = models.TextField()
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=Q(cleared_at=None), name="alarm_rings_once_at_a_time")
        ]
