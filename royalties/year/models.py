"""Rows of a financial year: what it left, what members brought to it and took from it, and each one's part.

Parts and what they follow from are written while the year is drawn, and stand from then on (sql/years.sql).
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class FinancialYear(models.Model):
    """A closed year. `figures` say how its result is divided; its bundle, by the manifest's hash, is the motion.

    `result_micros` is income less costs, negative for a loss; `shortfall_micros` of it make good what earlier
    years lost. `through` is up to which line the present step has come.
    """

    class State(models.TextChoices):
        DRAWING = "drawing"
        PUBLISHING = "publishing"
        READY = "ready"
        NOTHING = "nothing"
        BOOKING = "booking"
        DONE = "done"
        REDEEMING = "redeeming"
        REDEEMED = "redeemed"

    year = models.PositiveSmallIntegerField(primary_key=True)
    state = models.CharField(max_length=10, choices=State, default=State.DRAWING)
    percent = models.PositiveSmallIntegerField(default=0)
    words = models.CharField(max_length=200)
    through = models.PositiveIntegerField(default=0)
    closed_at = models.DateTimeField()
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    result_micros = models.BigIntegerField()
    shortfall_micros = models.BigIntegerField()
    figures = models.JSONField(null=True)
    lines = models.PositiveIntegerField(default=0)
    # The bundle, as months have one (publication_models.py); `document` is its signed manifest.
    key = models.CharField(max_length=200, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    zip_sha256 = models.CharField(max_length=64, blank=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    previous_manifest_sha256 = models.CharField(max_length=64, blank=True)
    document = models.JSONField(null=True)
    accepted_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    redeeming_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    redeeming_at = models.DateTimeField(null=True)
    redeemed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    redeemed_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(condition=Q(percent__lte=100), name="year_percent_is_at_most_100"),
            models.CheckConstraint(condition=Q(shortfall_micros__gte=0), name="year_shortfall_is_none_or_some"),
            models.CheckConstraint(
                condition=Q(state__in=["drawing", "nothing"]) | Q(figures__isnull=False), name="year_drawn_has_figures"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["drawing", "nothing", "publishing"]) | ~Q(manifest_sha256=""),
                name="year_ready_is_published",
            ),
            models.CheckConstraint(
                condition=Q(redeemed_by=None) | Q(redeeming_by__isnull=False) & ~Q(redeemed_by=F("redeeming_by")),
                name="year_is_redeemed_by_two",
            ),
        ]

    @property
    def is_under_way(self) -> bool:
        """Whether a step of it is being done, `percent` of the way."""
        return self.state in {self.State.DRAWING, self.State.PUBLISHING, self.State.BOOKING, self.State.REDEEMING}


class Eligible(models.Model):
    """What of a group (a work, a month, a sheet, a version of `revenue`) counts as patronage, in micros.

    The bought part of charges that stand and whose listener neither ran nor was paid for the work within the year;
    `creators_micros` is the creators' part of it. A group nothing of which counts has no row.
    """

    year = models.PositiveSmallIntegerField()
    month = models.DateField()
    work_id = models.UUIDField()
    sheet_id = models.UUIDField(null=True)
    sheet_version = models.PositiveIntegerField(null=True)
    revenue_seq = models.PositiveIntegerField()
    eligible_micros = models.BigIntegerField()
    creators_micros = models.BigIntegerField()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["year", "month", "work_id", "sheet_id", "revenue_seq"],
                nulls_distinct=False,
                name="eligible_once",
            ),
            models.CheckConstraint(
                condition=Q(eligible_micros__gt=0, creators_micros__gte=0, creators_micros__lte=F("eligible_micros")),
                name="eligible_is_some",
            ),
        ]


class Patronage(models.Model):
    """A member's part of a class's pool: micros or minutes brought, cents for it, and of these what is paid at once.

    `line` numbers a year's lines, by class and then by the member's number in the register.
    """

    class Of(models.TextChoices):
        CREATORS = "creators"
        LISTENERS = "listeners"
        WORKERS = "workers"

    pk = models.CompositePrimaryKey("year", "line")
    year = models.PositiveSmallIntegerField()
    line = models.PositiveIntegerField()
    member_class = models.CharField(max_length=9, choices=Of)
    number = models.PositiveIntegerField()
    # Without the database's foreign key: a million are written at once, from rows that were just joined.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    patronage = models.BigIntegerField()
    cents = models.BigIntegerField()
    cash_cents = models.BigIntegerField()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(
                condition=Q(patronage__gt=0, cash_cents__gte=0, cash_cents__lte=F("cents")), name="patronage_is_some"
            ),
        ]
        indexes = [models.Index(fields=["person", "year"], name="patronage_by_person")]

    @property
    def retained_cents(self) -> int:
        """Return what goes to the capital account."""
        return self.cents - self.cash_cents


class CapitalRelease(models.Model):
    """Capital of members who left by the end of the year `left_by`, paid before its years' turn, by two treasurers."""

    class State(models.TextChoices):
        BEGUN = "begun"
        CONFIRMED = "confirmed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=9, choices=State, default=State.BEGUN)
    left_by = models.PositiveSmallIntegerField()
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(F("state"), condition=Q(state="begun"), name="capital_release_one_at_a_time"),
            models.CheckConstraint(
                condition=Q(state="begun", confirmed_by=None, confirmed_at=None)
                | Q(state="confirmed", confirmed_by__isnull=False, confirmed_at__isnull=False)
                & ~Q(confirmed_by=F("begun_by")),
                name="capital_release_is_by_two",
            ),
        ]


class ReleasedLine(models.Model):
    """A line of a year (`Patronage`) whose capital is in a release: each is in one at most."""

    pk = models.CompositePrimaryKey("year", "line")
    year = models.PositiveSmallIntegerField()
    line = models.PositiveIntegerField()
    release = models.ForeignKey(CapitalRelease, models.PROTECT, related_name="lines")

    class Meta:
        app_label = "royalties"
