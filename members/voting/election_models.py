"""Rows of elections: what was announced, how its roll was corrected, its checkpoints, and what came out.

The roll and the urn of an election that is not closed yet are no models: they lie in tables that only the functions of
sql/ballots.sql write, and of which nothing is left when it has closed.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from members.voting.tally import Kind

SMALL_CLASS = 5


class Election(models.Model):
    """A vote on one question. Announced once; after it has closed it is counted once (sql/ballots.sql).

    `rules` are those of `members.voting.tally` in JSON, as they stood then; `roll_members` says how many each class has
    on the roll; `votes` how they voted, by class: members, marks, yes, no, abstained.
    """

    class State(models.TextChoices):
        ANNOUNCED = "announced"
        CLOSED = "closed"
        # Its urn, its roll and its checkpoints did not agree: it is never counted.
        VOIDED = "voided"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    question_sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in Kind])
    rules = models.JSONField()
    is_second_call = models.BooleanField()
    announced_at = models.DateTimeField()
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    # The co-op's key that the election's own follows from, and the public half of that, in hexadecimal.
    signing_key = models.CharField(max_length=16)
    public_key = models.CharField(max_length=64)
    # What was announced, signed by the co-op, as anybody may have kept it.
    notice = models.JSONField()
    roll_root = models.CharField(max_length=64)
    roll_members = models.JSONField()
    state = models.CharField(max_length=9, choices=State, default=State.ANNOUNCED)
    closed_at = models.DateTimeField(null=True)
    votes = models.JSONField(null=True)
    # Written when the bundle lies in the store.
    result = models.JSONField(null=True)
    bundle_key = models.CharField(max_length=200, blank=True)
    bundle_bytes = models.BigIntegerField(null=True)
    bundle_sha256 = models.CharField(max_length=64, blank=True)
    manifest = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opens_at")), name="election_closes_after_it_opens"),
            models.CheckConstraint(condition=Q(opens_at__gt=F("announced_at")), name="election_is_announced_before"),
            models.CheckConstraint(
                condition=Q(state="announced", closed_at=None, votes=None, result=None)
                | Q(state="closed", closed_at__gte=F("closes_at"), votes__isnull=False)
                | Q(state="voided", closed_at__gte=F("closes_at"), votes=None, result=None),
                name="election_is_counted_when_closed",
            ),
            models.CheckConstraint(
                condition=Q(result=None, bundle_key="") | Q(result__isnull=False, bundle_bytes__gt=0),
                name="election_result_has_its_bundle",
            ),
        ]

    @property
    def small_classes(self) -> list[str]:
        """Return the classes with so few on the roll that the published count can show how they voted."""
        return sorted(name for name, members in self.roll_members.items() if 0 < members < SMALL_CLASS)


class RollCorrection(models.Model):
    """A person put on a roll after it was announced, into another class, or taken off it. No class is an empty one.

    The person is named as on the roll, and so stays named when they are erased.
    """

    election = models.ForeignKey(Election, models.PROTECT, related_name="corrections")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=32)
    class_before = models.CharField(max_length=16, blank=True)
    class_after = models.CharField(max_length=16, blank=True)
    reason = models.TextField()
    corrected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    corrected_at = models.DateTimeField()
    root_before = models.CharField(max_length=64)
    root_after = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["election", "number"], name="roll_correction_number_is_unique"),
            models.CheckConstraint(condition=~Q(class_before=F("class_after")), name="roll_correction_corrects"),
            models.CheckConstraint(condition=~Q(reason=""), name="roll_correction_says_why"),
        ]


class RollTree(models.Model):
    """What is kept of the tree over a roll's lines (roll_trees.py): of each 256 the first's name and their root.

    `names` are 16 bytes each, `roots` 32. It follows from the roll, and is written anew with each correction.
    """

    election = models.OneToOneField(Election, models.PROTECT, primary_key=True, related_name="+")
    names = models.BinaryField()
    roots = models.BinaryField()


class Checkpoint(models.Model):
    """What lay in an urn while the vote was open: the trackers alone, signed, each checkpoint naming the one before.

    `new_trackers` are those that no earlier one names, sorted, 32 bytes each.
    """

    election = models.ForeignKey(Election, models.PROTECT, related_name="checkpoints")
    number = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    new_trackers = models.BinaryField()
    document = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["election", "number"], name="checkpoint_number_is_unique"),
        ]


class Ballot(models.Model):
    """A ballot of an election that is closed, as it was published. Written by the closing, in the trackers' order."""

    tracker = models.BinaryField(primary_key=True, max_length=32)
    election = models.ForeignKey(Election, models.PROTECT, related_name="ballots")
    class_name = models.CharField(max_length=16, db_column="class")
    choice = models.CharField(max_length=7)
    nonce = models.BinaryField(max_length=16)


class RollLine(models.Model):
    """A line of a closed election's roll, written by the closing in the names' order. An erased person is None."""

    pk = models.CompositePrimaryKey("election", "name")
    election = models.ForeignKey(Election, models.PROTECT, related_name="roll_lines")
    name = models.CharField(max_length=32)
    person_id = models.UUIDField(null=True)
    class_name = models.CharField(max_length=16, db_column="class")
    voted = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["election", "person_id"], name="roll_line_once_per_person")]
