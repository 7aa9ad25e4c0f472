"""Rows of `members`: people and their tokens, the co-op's clock and months, policy versions, notices."""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from members.belonging import models as membership_models  # noqa: F401  (Django finds rows where models are)
from members.erasing import models as erasure_models  # noqa: F401  (Django finds rows where models are)
from members.voting import election_models, proposal_models  # noqa: F401  (Django finds rows where models are)


class People(BaseUserManager):
    """Makes people; the e-mail is kept in lower case, so one mailbox is one person."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "Person":
        """Create a person who signs in with `email` and `password`."""
        person = Person(email=email.strip().lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "Person":
        """Create a person with every permission of the staff."""
        return self.create_user(email, password, is_superuser=True, is_staff=True, **fields)


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in: listener, creator, worker, supporter, or several of these."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=2, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(db_default=models.functions.Now())

    objects: ClassVar[People] = People()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="person_email_is_unique_in_any_case")]

    def __str__(self) -> str:
        return self.name or self.email.partition("@")[0]


class StaffRole(models.Model):
    """What a person may do for the co-op: every release of money needs two treasurers."""

    class Role(models.TextChoices):
        DIRECTOR = "director"
        TREASURER = "treasurer"
        SECRETARY = "secretary"
        CATALOGUE = "catalogue"

    person = models.ForeignKey(Person, models.PROTECT, related_name="staff_roles")
    role = models.CharField(max_length=12, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "role"], name="staff_role_once_per_person")]


class Token(models.Model):
    """A bearer token: only its SHA-256 is kept, so a stolen database signs nobody in."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, models.CASCADE, related_name="tokens")
    digest = models.BinaryField(max_length=32, unique=True)
    name = models.CharField(max_length=80, blank=True)
    scopes = ArrayField(models.CharField(max_length=12))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)


class Coop(models.Model):
    """The one row that says in which time zone the co-op's days are, and how far tests have moved its clock."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    time_zone = models.CharField(max_length=64)
    clock_offset = models.DurationField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="coop_is_one_row")]


class Month(models.Model):
    """A month of the co-op that is no longer open. A month without a row is open."""

    class State(models.TextChoices):
        CLOSING = "closing"
        SEALED = "sealed"

    starts_on = models.DateField(primary_key=True)
    state = models.CharField(max_length=8, choices=State)
    closed_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(starts_on__day=1), name="month_starts_on_its_first_day"),
            models.CheckConstraint(
                condition=Q(state="closing", sealed_at=None) | Q(state="sealed", sealed_at__isnull=False),
                name="month_sealed_has_its_moment",
            ),
        ]


class PolicyVersion(models.Model):
    """One version of a policy. Append-only: a trigger refuses change and deletion."""

    key = models.CharField(max_length=32)
    seq = models.PositiveIntegerField()
    params = models.JSONField()
    effective_from = models.DateTimeField()
    recorded_at = models.DateTimeField()
    proposal_id = models.UUIDField(null=True)
    base_seq = models.PositiveIntegerField(null=True)
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key", "seq"], name="policy_version_seq_is_unique"),
            models.CheckConstraint(
                condition=Q(seq=1, base_seq=None) | Q(seq__gt=1, base_seq__isnull=False),
                name="policy_version_has_a_base_unless_founding",
            ),
        ]


class Notice(models.Model):
    """A message to a person, or to an address that is nobody's yet; `html` is the same as `body`, laid out.

    The row is the queue: unsent rows are found by the sweep when nobody woke the worker.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="notices")
    address = models.EmailField(blank=True)
    key = models.CharField(max_length=200, unique=True)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    html = models.TextField(blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(person=None) ^ Q(address=""), name="notice_goes_to_a_person_or_an_address"
            )
        ]
        indexes = [models.Index(fields=["created_at"], condition=Q(sent_at=None), name="notice_unsent")]


class Lineage(models.Model):
    """Which life of the database this is, and how far it has come. At most one row (members/lineage.py).

    `life` and `number` stand in the store of files too, where a restored backup cannot take them back.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    identity = models.TextField()
    life = models.UUIDField(default=uuid.uuid4)
    number = models.BigIntegerField(default=0)
    # When it last was alive, by the clock on the wall: in a restored backup, about when that was made.
    lived_until = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="lineage_is_one_row")]


class Closing(models.Model):
    """A time in which money waited for what a backup had lost to be recovered. The one without an end is now.

    `lost_since` is from when on rows are missing, by the clock on the wall; nobody may know.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    why = models.TextField()
    lost_since = models.DateTimeField(null=True)
    closed_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    words = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["opened_at"],
                condition=Q(opened_at=None),
                nulls_distinct=False,
                name="closing_one_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(opened_at=None) | ~Q(words=""), name="closing_ended_says_what_was_found"
            ),
        ]
