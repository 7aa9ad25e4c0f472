"""Rows of proposals: what is asked, its numbered versions, who stands behind it, what was said, who contested it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from members.voting.panel_models import Appeal, Seat
from members.voting.tally import Kind


class Proposal(models.Model):
    """Something members are asked to decide: new figures for the policy `key`, or words alone (advisory, no key).

    A motion has no key either: it asks to carry out what is published under the hash `motion_sha256`, word for word.
    `ends_at` is when its present part ends; beat moves it on. Title, reasons and params are those of `version`.
    """

    class State(models.TextChoices):
        DRAFT = "draft"
        SPONSORING = "sponsoring"
        DELIBERATION = "deliberation"
        NOTICE = "notice"
        VOTING = "voting"
        COUNTING = "counting"
        CONTEST = "contest"
        QUEUED = "queued"
        ENACTED = "enacted"
        RETRACTED = "retracted"
        LAPSED = "lapsed"
        DEFEATED = "defeated"
        INQUORATE = "inquorate"
        VOIDED = "voided"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(null=True, unique=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="proposals")
    key = models.CharField(max_length=32, blank=True)
    kind = models.CharField(max_length=16, choices=[(kind.value, kind.value) for kind in Kind])
    title = models.CharField(max_length=120)
    reasons = models.TextField()
    params = models.JSONField(null=True)
    # The version of the policy that was compared with; another one in between makes the proposal fail.
    base_seq = models.PositiveIntegerField(null=True)
    motion_sha256 = models.CharField(max_length=64, blank=True)
    version = models.PositiveIntegerField(default=1)
    # The version in which the figures are as they are now: who sponsored an earlier one is asked again.
    params_version = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    frozen_sha256 = models.CharField(max_length=64, blank=True)
    # The dry run of what is asked, as it was found when that was frozen (members/voting/dry_runs.py).
    dry_run = models.JSONField(null=True)
    # The version of `governance` by which it is voted on, from the notice on.
    governance_seq = models.PositiveIntegerField(null=True)
    election = models.ForeignKey("members.Election", models.PROTECT, null=True, related_name="+")
    is_second_call = models.BooleanField(default=False)
    reruns = models.PositiveSmallIntegerField(default=0)
    effective_from = models.DateTimeField(null=True)
    made_seq = models.PositiveIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Why it ended where it did, in a sentence.
    why = models.CharField(max_length=500, blank=True)

    LIVE = (
        State.SPONSORING,
        State.DELIBERATION,
        State.NOTICE,
        State.VOTING,
        State.COUNTING,
        State.CONTEST,
        State.QUEUED,
    )
    FROZEN = (State.NOTICE, State.VOTING, State.COUNTING, State.CONTEST, State.QUEUED)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(
                    state__in=["sponsoring", "deliberation", "notice", "voting", "counting", "contest", "queued"]
                )
                & ~Q(key=""),
                name="proposal_one_live_per_policy",
            ),
            models.UniqueConstraint(
                fields=["motion_sha256"],
                condition=Q(
                    state__in=["sponsoring", "deliberation", "notice", "voting", "counting", "contest", "queued"]
                )
                & ~Q(motion_sha256=""),
                name="proposal_one_live_per_motion",
            ),
            models.CheckConstraint(
                condition=Q(key="", params=None, base_seq=None, kind=Kind.ADVISORY, motion_sha256="")
                | Q(key="", params=None, base_seq=None, kind=Kind.ORDINARY) & ~Q(motion_sha256="")
                | ~Q(key="")
                & Q(params__isnull=False, base_seq__isnull=False, motion_sha256="")
                & ~Q(kind=Kind.ADVISORY),
                name="proposal_has_figures_unless_advisory",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", number=None, submitted_at=None)
                | ~Q(state="draft") & Q(number__isnull=False, submitted_at__isnull=False)
                | Q(state="retracted"),
                name="proposal_submitted_has_a_number",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["notice", "voting", "counting", "contest", "queued", "enacted"])
                | ~Q(frozen_sha256="") & Q(election__isnull=False, governance_seq__isnull=False),
                name="proposal_voted_on_is_frozen",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["queued"]) | Q(effective_from__isnull=False), name="proposal_queued_has_a_date"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft",
                        "sponsoring",
                        "deliberation",
                        "notice",
                        "voting",
                        "counting",
                        "contest",
                        "queued",
                    ],
                    ended_at=None,
                )
                | Q(
                    state__in=["enacted", "retracted", "lapsed", "defeated", "inquorate", "voided", "failed"],
                    ended_at__isnull=False,
                ),
                name="proposal_ended_has_its_moment",
            ),
            models.CheckConstraint(condition=Q(params_version__lte=F("version")), name="proposal_figures_are_older"),
        ]
        indexes = [
            models.Index(fields=["state", "ends_at"], name="proposal_by_state"),
            models.Index(fields=["-submitted_at", "-id"], name="proposal_by_time"),
        ]


class ProposalVersion(models.Model):
    """A numbered version of a proposal, the first one its author's; later ones are amendments. Written once.

    It is the proposal's once it is accepted; what nobody accepted until the freeze is declined.
    """

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    title = models.CharField(max_length=120)
    reasons = models.TextField()
    params = models.JSONField(null=True)
    written_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["proposal", "number"], name="proposal_version_number_is_unique"),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(declined_at=None), name="proposal_version_accepted_or_declined"
            ),
        ]


class Sponsorship(models.Model):
    """A member who stands behind a proposal, in a class, as it was in one version."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="sponsorships")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    class_name = models.CharField(max_length=16, db_column="class")
    version = models.PositiveIntegerField()
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["proposal", "person", "version"], condition=Q(withdrawn_at=None), name="sponsorship_once"
            )
        ]


class Remark(models.Model):
    """Something a member said about a proposal before it was frozen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="remarks")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField()
    said_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="remark_says_something")]
        indexes = [models.Index(fields=["proposal", "said_at", "id"], name="remark_by_time")]


class Part(models.Model):
    """A part of a proposal's life that began: written once, so that everybody can read its way."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="parts")
    state = models.CharField(max_length=12, choices=Proposal.State)
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    words = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = [models.Index(fields=["proposal", "began_at", "id"], name="proposal_part_by_time")]


class Contest(Appeal):
    """A member's objection to how a vote was held, and what the panel made of it. Silence upholds the vote."""

    class Ruling(models.TextChoices):
        UPHELD = "upheld", "The vote stands"
        RECOUNTED = "recounted", "Count it again"
        VOIDED = "voided", "Hold it again"

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="contests")
    election = models.ForeignKey("members.Election", models.PROTECT, related_name="+")
    ruling = models.CharField(max_length=9, choices=Ruling, blank=True)

    class Meta(Appeal.Meta):
        constraints = [
            *Appeal.Meta.constraints,
            models.UniqueConstraint(fields=["election", "person"], name="contest_once_per_member"),
        ]


class ContestSeat(Seat):
    """A seat on the panel of a contest."""

    appeal = models.ForeignKey(Contest, models.PROTECT, related_name="panel")
    ruling = models.CharField(max_length=9, choices=Contest.Ruling, blank=True)
