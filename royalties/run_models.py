"""Rows of a royalty run: the month that is run, its groups, the payees' lines, and their statements.

A run writes them again and again until its month is sealed; then triggers refuse any change but that a held group is
marked as released, once. Lines and groups name works and payees without the database's foreign keys: they are written
by the hundred thousand from rows that were just joined, and nothing they name is ever deleted.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Run(models.Model):
    """The run of one month, and once it is past `checking` the month's figures, in micros.

    `gross = creators + coop`, and of the creators' part `held` waits for a split sheet; `released` are lines of earlier
    months that this run pays. `gross - refunds_borne` is the sum of the month's charge and reversal rows.
    """

    class State(models.TextChoices):
        RUNNING = "running"
        STUCK = "stuck"
        SEALED = "sealed"

    class Step(models.TextChoices):
        POSTING = "posting"
        GATHERING = "gathering"
        LINING = "lining"
        COUNTING = "counting"
        CHECKING = "checking"
        BOOKING = "booking"
        STATING = "stating"
        PUBLISHING = "publishing"
        SEALING = "sealing"

    month = models.DateField(primary_key=True)
    state = models.CharField(max_length=7, choices=State, default=State.RUNNING)
    step = models.CharField(max_length=10, choices=Step, default=Step.POSTING)
    percent = models.PositiveSmallIntegerField(default=0)
    words = models.CharField(max_length=200, blank=True)
    begun_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True)
    gross_micros = models.BigIntegerField(default=0)
    creators_micros = models.BigIntegerField(default=0)
    coop_micros = models.BigIntegerField(default=0)
    held_micros = models.BigIntegerField(default=0)
    released_micros = models.BigIntegerField(default=0)
    refunds_borne_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="run_month_is_a_first_day"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="run_percent_is_at_most_100"),
            models.CheckConstraint(
                condition=~Q(state="sealed") | Q(sealed_at__isnull=False), name="run_sealed_has_its_moment"
            ),
            models.CheckConstraint(
                condition=Q(gross_micros=F("creators_micros") + F("coop_micros")), name="run_parts_are_the_whole"
            ),
        ]


class RunShard(models.Model):
    """A share of a run's works, and of its payees, by ranges of their ids. Whoever works on it holds its row."""

    class State(models.TextChoices):
        WAITING = "waiting"
        LINED = "lined"
        COUNTED = "counted"
        STATED = "stated"

    run = models.ForeignKey(Run, models.PROTECT, related_name="shards")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="run_shard_once")]


class Group(models.Model):
    """What one work earned in a month under one split sheet and one version of `revenue`, in micros.

    Live charges: those of the month without what was given back before it closed. A group without a sheet is held, its
    whole `creators_micros`, until the run of `released_in`. A group in which nothing is left has no row.
    """

    month = models.DateField()
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    sheet_id = models.UUIDField(null=True)
    sheet_version = models.PositiveIntegerField(null=True)
    revenue_seq = models.PositiveIntegerField()
    # Its charges came at this moment or later: the month's first, or the one at which sheet or version changed in it.
    since = models.DateTimeField()
    gross_micros = models.BigIntegerField()
    promo_micros = models.BigIntegerField()
    creators_micros = models.BigIntegerField(default=0)
    coop_micros = models.BigIntegerField(default=0)
    # Live plays, those of play number 1 first; these four are null until they are counted.
    plays_by_number = ArrayField(models.BigIntegerField(), null=True)
    purchases = models.BigIntegerField(null=True)
    listeners = models.BigIntegerField(null=True)
    refunded_micros = models.BigIntegerField(null=True)
    released_in = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["month", "work", "sheet_id", "revenue_seq"], nulls_distinct=False, name="group_once"
            ),
            models.CheckConstraint(
                condition=Q(gross_micros__gt=0, promo_micros__gte=0, promo_micros__lte=F("gross_micros")),
                name="group_has_something",
            ),
            models.CheckConstraint(
                condition=Q(creators_micros__gte=0, coop_micros__gte=0)
                & Q(gross_micros=F("creators_micros") + F("coop_micros")),
                name="group_parts_are_the_whole",
            ),
            models.CheckConstraint(
                condition=Q(released_in=None) | Q(sheet_id=None, released_in__gt=F("month")),
                name="group_released_was_held",
            ),
        ]
        indexes = [
            models.Index(fields=["month"], condition=Q(sheet_id=None, released_in=None), name="group_held"),
        ]


class Line(models.Model):
    """What a payee earned of one group: `month` is the run that pays it; `of_month` is earlier if it was held.

    Its group is that of `of_month`, work, sheet and revenue version; a released one's group has no sheet.
    """

    pk = models.CompositePrimaryKey("month", "work_id", "of_month", "sheet_id", "revenue_seq", "line_number")
    month = models.DateField()
    of_month = models.DateField()
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    sheet_id = models.UUIDField()
    revenue_seq = models.PositiveIntegerField()
    line_number = models.PositiveIntegerField()
    payee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    share_ppm = models.PositiveIntegerField()
    net_micros = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(net_micros__gte=0, of_month__lte=F("month")), name="line_is_earned_before_it_is_paid"
            ),
        ]
        indexes = [models.Index(fields=["payee", "month"], name="line_by_payee")]


class Statement(models.Model):
    """What a payee is told of a month, in micros; `content` is the whole of it, `sha256` that of its canonical JSON."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="statements", db_index=False)
    month = models.DateField()
    opening_micros = models.BigIntegerField()
    earned_micros = models.BigIntegerField()
    released_micros = models.BigIntegerField()
    paid_out_micros = models.BigIntegerField()
    returned_micros = models.BigIntegerField()
    closing_micros = models.BigIntegerField()
    content = models.JSONField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "month"], name="statement_once_a_month"),
            models.CheckConstraint(
                condition=Q(
                    closing_micros=F("opening_micros")
                    + F("earned_micros")
                    + F("released_micros")
                    + F("returned_micros")
                    - F("paid_out_micros")
                ),
                name="statement_adds_up",
            ),
        ]

    @property
    def added_micros(self) -> int:
        """Return what the month added: earned in it, and released that was held before."""
        return self.earned_micros + self.released_micros
