"""Rows of membership: who belongs and since when, in which classes, with which voice; dues, shares, hours, expulsions.

What was paid and which class one votes in are written once. Who left stays in the register, as the law wants.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from members.voting.panel_models import Appeal, Seat


class MemberClass(models.TextChoices):
    """The classes of members. Supporters have capital in the co-op and vote by head only."""

    CREATOR = "creator"
    LISTENER = "listener"
    WORKER = "worker"
    SUPPORTER = "supporter"


class Membership(models.Model):
    """One time of belonging, from the application on. Who comes back has another one, with another number."""

    class State(models.TextChoices):
        APPLIED = "applied"
        APPROVED = "approved"
        JOINED = "joined"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        LEFT = "left"
        EXPELLED = "expelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="memberships")
    state = models.CharField(max_length=9, choices=State, default=State.APPLIED)
    number = models.PositiveIntegerField(null=True, unique=True)
    # The register's name and address, which the law asks for; the site shows neither to anybody else.
    legal_name = models.CharField(max_length=120)
    postal_address = models.CharField(max_length=400)
    applied_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    words = models.CharField(max_length=1000, blank=True)
    joined_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(state__in=("applied", "approved", "joined")),
                name="membership_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("joined", "left", "expelled"), joined_at__isnull=False, number__isnull=False)
                | Q(state__in=("applied", "approved", "refused", "withdrawn"), joined_at=None, number=None),
                name="membership_joined_has_a_number",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("left", "expelled", "refused", "withdrawn"), ended_at__isnull=False)
                | Q(state__in=("applied", "approved", "joined"), ended_at=None),
                name="membership_ended_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(decided_at=None, decided_by=None) | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="membership_decision_has_its_secretary",
            ),
            models.CheckConstraint(
                condition=Q(state__in=("applied", "withdrawn")) | Q(decided_at__isnull=False),
                name="membership_was_decided",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("person")), name="membership_is_approved_by_another"
            ),
        ]
        indexes = [models.Index(fields=["state", "applied_at", "id"], name="membership_by_state")]


class ClassPlace(models.Model):
    """A place in a class: asked for, approved by the secretary, and held `since` the class's condition was met too."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="places")
    member_class = models.CharField(max_length=9, choices=MemberClass)
    asked_at = models.DateTimeField()
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    since = models.DateTimeField(null=True)
    # What the condition was met by, in words.
    met_by = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "member_class"], condition=Q(ended_at=None), name="class_place_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(approved_at=None, approved_by=None)
                | Q(approved_at__isnull=False, approved_by__isnull=False),
                name="class_place_approval_has_its_secretary",
            ),
            models.CheckConstraint(
                condition=Q(since=None) | Q(approved_at__isnull=False, since__gte=F("approved_at")) & ~Q(met_by=""),
                name="class_place_is_held_after_approval",
            ),
        ]


class VotingChoice(models.Model):
    """In which class a member votes, from a moment on. Append-only; the highest `seq` by a moment holds at it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="choices", db_index=False)
    seq = models.PositiveIntegerField()
    member_class = models.CharField(max_length=9, choices=MemberClass)
    chosen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "seq"], name="voting_choice_seq_is_unique")]


class Qualification(models.Model):
    """Something that qualifies a person for a class, told by an app that saw it. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="qualifications")
    member_class = models.CharField(max_length=9, choices=MemberClass)
    words = models.CharField(max_length=200)
    facts = models.JSONField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["person", "member_class", "-recorded_at"], name="qualification_by_person")]


class WorkerVoice(models.Model):
    """A worker's yes to somebody who wants a place among the workers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    place = models.ForeignKey(ClassPlace, models.PROTECT, related_name="voices")
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    given_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["place", "given_by"], name="worker_voice_once")]


class Instrument(models.Model):
    """A way of paying that carries a membership, as a digest: the same one carries no second membership."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="instruments")
    digest = models.CharField(max_length=64)
    noted_at = models.DateTimeField()
    freed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["digest"], condition=Q(freed_at=None), name="instrument_carries_one_membership"
            )
        ]


class DuesPayment(models.Model):
    """A year's dues, paid: the days from `covers_from` to before `covers_until` are covered. Append-only."""

    class Way(models.TextChoices):
        WALLET = "wallet"
        BANK = "bank"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="dues", db_index=False)
    covers_from = models.DateField()
    covers_until = models.DateField()
    amount_micros = models.BigIntegerField()
    way = models.CharField(max_length=6, choices=Way)
    paid_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "covers_from"], name="dues_once_for_a_year"),
            models.CheckConstraint(condition=Q(amount_micros__gt=0), name="dues_amount_is_positive"),
            models.CheckConstraint(condition=Q(covers_until__gt=F("covers_from")), name="dues_cover_days"),
            models.CheckConstraint(
                condition=Q(way="wallet", confirmed_by=None) | Q(way="bank", confirmed_by__isnull=False),
                name="dues_by_bank_were_confirmed",
            ),
        ]


class ShareHolding(models.Model):
    """Shares asked for at one moment: paid in when a treasurer saw the money, paid back by two of them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="shares")
    count = models.PositiveIntegerField()
    amount_micros = models.BigIntegerField()
    asked_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    dropped_at = models.DateTimeField(null=True)
    repaying_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    repaid_at = models.DateTimeField(null=True)
    repaid_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(count__gt=0, amount_micros__gt=0), name="shares_are_some"),
            models.CheckConstraint(
                condition=Q(paid_at=None, confirmed_by=None)
                | Q(paid_at__isnull=False, confirmed_by__isnull=False, dropped_at=None),
                name="shares_paid_were_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(repaid_at=None, repaid_by=None)
                | Q(repaid_at__isnull=False, repaid_by__isnull=False, repaying_by__isnull=False, paid_at__isnull=False)
                & ~Q(repaid_by=F("repaying_by")),
                name="shares_are_paid_back_by_two",
            ),
            models.UniqueConstraint(
                fields=["membership"], condition=Q(paid_at=None, dropped_at=None), name="shares_asked_one_at_a_time"
            ),
        ]


class WorkedTime(models.Model):
    """Minutes that somebody worked for the co-op on a day. They count when another worker has approved them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="worked_times")
    worked_on = models.DateField()
    minutes = models.PositiveSmallIntegerField()
    words = models.CharField(max_length=200)
    recorded_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    approved = models.BooleanField(null=True)
    refused_because = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gt=0, minutes__lte=1440), name="worked_time_is_within_a_day"),
            models.CheckConstraint(
                condition=Q(decided_at=None, decided_by=None, approved=None)
                | Q(decided_at__isnull=False, decided_by__isnull=False, approved__isnull=False),
                name="worked_time_decision_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("person")), name="worked_time_is_approved_by_another"
            ),
        ]
        indexes = [models.Index(fields=["person", "worked_on"], name="worked_time_by_person")]


class Expulsion(models.Model):
    """The board's question whether a member must go, the member's answer, and what was decided."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="expulsions")
    reasons = models.CharField(max_length=4000)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    answer = models.CharField(max_length=4000, blank=True)
    expelled_at = models.DateTimeField(null=True)
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["membership"],
                condition=Q(expelled_at=None, dropped_at=None),
                name="expulsion_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(expelled_at=None) | Q(dropped_at=None), name="expulsion_is_decided_one_way"
            ),
        ]


class Voice(models.Model):
    """What a director says of an expulsion: yes is that the member goes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    expulsion = models.ForeignKey(Expulsion, models.PROTECT, related_name="voices")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    says_yes = models.BooleanField()
    given_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["expulsion", "person"], name="voice_once")]


class ExpulsionAppeal(Appeal):
    """What somebody says against their expulsion, once, and what the panel made of it. Silence upholds it."""

    class Ruling(models.TextChoices):
        UPHELD = "upheld", "The expulsion stands"
        LIFTED = "lifted", "Lift it"

    expulsion = models.OneToOneField(Expulsion, models.PROTECT, related_name="appeal")
    ruling = models.CharField(max_length=9, choices=Ruling, blank=True)
    # Set once its time is over without a ruling, and its person was told that nobody spoke.
    lapsed_at = models.DateTimeField(null=True)

    class Meta(Appeal.Meta):
        constraints = [
            *Appeal.Meta.constraints,
            models.CheckConstraint(condition=Q(ruling="") | Q(lapsed_at=None), name="expulsionappeal_ruled_or_lapsed"),
        ]


class ExpulsionSeat(Seat):
    """A seat on the panel of an appeal against an expulsion."""

    appeal = models.ForeignKey(ExpulsionAppeal, models.PROTECT, related_name="panel")
    ruling = models.CharField(max_length=9, choices=ExpulsionAppeal.Ruling, blank=True)
