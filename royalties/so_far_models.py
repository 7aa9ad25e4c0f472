"""Rows of the month so far: what the run would write of an open month, made anew each night and sealed never.

Nothing depends on them but pages; what they say is made from charges, split sheets and policies, and may be deleted and
made again at any time. Their columns are those of the run's rows, so that the run's own statements fill them.
"""

from django.conf import settings
from django.db import models


class SoFarWork(models.Model):
    """Until when a work's charges of a month are told. `is_over`: the month has ended, and waits for its run."""

    pk = models.CompositePrimaryKey("month", "work_id")
    month = models.DateField()
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    begins_at = models.DateTimeField()
    until_at = models.DateTimeField()
    is_over = models.BooleanField()


class SoFarGroup(models.Model):
    """What a work was paid so far under one split sheet and one version of `revenue`, in micros; as `Group`."""

    month = models.DateField()
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    sheet_id = models.UUIDField(null=True)
    sheet_version = models.PositiveIntegerField(null=True)
    revenue_seq = models.PositiveIntegerField()
    since = models.DateTimeField()
    gross_micros = models.BigIntegerField()
    promo_micros = models.BigIntegerField()
    creators_micros = models.BigIntegerField()
    coop_micros = models.BigIntegerField()
    released_in = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["work", "month", "sheet_id", "revenue_seq"], nulls_distinct=False, name="so_far_group_once"
            ),
        ]


class SoFarLine(models.Model):
    """What a payee would earn of one group, in micros; as `Line`."""

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
        indexes = [models.Index(fields=["payee", "month"], name="so_far_line_by_payee")]


class SoFarCounted(models.Model):
    """Up to which day's end a month's charges were counted, and when."""

    month = models.DateField(primary_key=True)
    counted_until = models.DateField()
    counted_at = models.DateTimeField()
    is_over = models.BooleanField()
