"""Rows of who listened, counted by day and month so that nobody can be told apart in them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class OpeningCount(models.Model):
    """Openings heard without signing in, counted by day; no row about who."""

    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="+")
    day = models.DateField()
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        app_label = "playback"
        constraints = [models.UniqueConstraint(fields=["work", "day"], name="opening_count_one_per_day")]


class AudienceDay(models.Model):
    """What happened to a work on one day, counted once its night was over. The rows of a settled month lose their ids.

    `payer_ids` and `unpaid_ids` name at most five listeners who paid that day, and who listened without paying: as many
    as the privacy floor must tell apart when days are joined, and never more.
    """

    pk = models.CompositePrimaryKey("work_id", "day")
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="audience_days", db_index=False)
    day = models.DateField()
    sessions = models.PositiveIntegerField(default=0)
    paid_micros = models.BigIntegerField(default=0)
    payer_ids = ArrayField(models.UUIDField(), default=list)
    unpaid_ids = ArrayField(models.UUIDField(), default=list)

    class Meta:
        app_label = "playback"


class AudienceMonth(models.Model):
    """The audience of a work in a month that is over: settled once, never changed."""

    pk = models.CompositePrimaryKey("work_id", "month")
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="audience_months", db_index=False)
    month = models.DateField()
    content = models.JSONField()

    class Meta:
        app_label = "playback"


class AudienceCounted(models.Model):
    """A day whose audience has been counted, and whether it was a month's last whose figures are settled."""

    day = models.DateField(primary_key=True)
    settled = models.BooleanField(default=False)

    class Meta:
        app_label = "playback"
