"""Rows of `catalog`: creators, releases, works, uploads, renditions, split sheets."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from catalog import (  # noqa: F401  (Django finds rows where models are)
    finding_models,
    objection_models,
    report_models,
    tenure_models,
)


class Creator(models.Model):
    """The profile a work appears under: a musician, a band, a photographer. Run by people in roles."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    about = models.TextField(blank=True)
    links = ArrayField(models.URLField(max_length=300), default=list, db_default=[], blank=True)
    created_at = models.DateTimeField(db_default=Now())
    # From then on nothing new happens under it: its works are off, who owns one keeps it.
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-id"], name="creator_new")]

    def __str__(self) -> str:
        return self.name


class CreatorRole(models.Model):
    """What a person may do with a profile: own it, edit its works, or look."""

    class Role(models.TextChoices):
        OWNER = "owner"
        EDITOR = "editor"
        VIEWER = "viewer"

    creator = models.ForeignKey(Creator, models.PROTECT, related_name="roles")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="creator_roles")
    role = models.CharField(max_length=6, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["creator", "person"], name="creator_role_once_per_person")]


class RoleInvitation(models.Model):
    """A role in a profile offered to an address: who signs in with it, verified, may accept."""

    class Answer(models.TextChoices):
        ACCEPTED = "accepted"
        DECLINED = "declined"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=6, choices=CreatorRole.Role)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    answer = models.CharField(max_length=9, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["creator", "email"], condition=Q(answered_at=None), name="role_invitation_waits_once"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None) | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="role_invitation_answer_has_its_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["email"], condition=Q(answered_at=None), name="role_invitation_waiting"),
        ]


class Release(models.Model):
    """An album, EP, single or photo series of one creator."""

    class Kind(models.TextChoices):
        ALBUM = "album"
        EP = "ep"
        SINGLE = "single"
        SERIES = "series"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="releases")
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.ALBUM)
    released_on = models.DateField(null=True)
    musicbrainz_release = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-id"], name="release_new")]


class Work(models.Model):
    """A track or a photo. Its price figure is null (the policy's default), 0 (free), or a number of micros."""

    class Kind(models.TextChoices):
        TRACK = "track"
        PHOTO = "photo"

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        OFF = "off"
        SUSPENDED = "suspended"

    class Origin(models.TextChoices):
        HUMAN = "human"
        AI_ASSISTED = "ai-assisted"
        AI_GENERATED = "ai-generated"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="works")
    kind = models.CharField(max_length=5, choices=Kind)
    title = models.CharField(max_length=300)
    release = models.ForeignKey(Release, models.PROTECT, null=True, related_name="works")
    position = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    state_reason = models.TextField(blank=True)
    price_micros = models.BigIntegerField(null=True)
    licence = models.CharField(max_length=24, default="all-rights-reserved")
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.HUMAN)
    explicit = models.BooleanField(default=False)
    historic = models.BooleanField(default=False)
    credits = models.JSONField(default=list)
    isrc = models.CharField(max_length=12, blank=True)
    language = models.CharField(max_length=12, blank=True)
    alternative_text = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list)
    musicbrainz_recording = models.UUIDField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    # Of a photo as it is looked at: upright, in pixels.
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    lossless = models.BooleanField(null=True)
    loudness_centilufs = models.IntegerField(null=True)
    created_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    off_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(price_micros=None) | Q(price_micros__gte=0), name="work_price_is_never_negative"
            ),
            models.CheckConstraint(
                condition=~Q(state="published") | Q(published_at__isnull=False), name="work_published_has_its_moment"
            ),
            models.CheckConstraint(condition=~Q(state="off") | Q(off_at__isnull=False), name="work_off_has_its_moment"),
            models.CheckConstraint(
                # A comparison with nothing is neither true nor false, and PostgreSQL would let it pass.
                condition=Q(width=None, height=None)
                | Q(width__isnull=False, height__isnull=False, width__gte=1, height__gte=1),
                name="work_has_both_edges_or_none",
            ),
        ]
        indexes = [
            models.Index(fields=["-published_at", "-id"], condition=Q(state="published"), name="work_new"),
            models.Index(fields=["creator", "-published_at"], name="work_by_creator"),
            models.Index(fields=["kind", "-published_at", "-id"], condition=Q(state="published"), name="work_of_kind"),
            models.Index(
                fields=["licence", "-published_at", "-id"], condition=Q(state="published"), name="work_of_licence"
            ),
            models.Index(
                fields=["-published_at", "-id"], condition=Q(state="published", price_micros=0), name="work_free"
            ),
            GinIndex(fields=["tags"], condition=Q(state="published"), name="work_tags"),
        ]

    def __str__(self) -> str:
        return self.title


class Upload(models.Model):
    """A file on its way to become a work. The row is the queue of the ingest, leased by the worker that holds it."""

    class State(models.TextChoices):
        RECEIVED = "received"
        INSPECTED = "inspected"
        RENDERED = "rendered"
        READY = "ready"
        REJECTED = "rejected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="uploads")
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="uploads")
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="uploads")
    state = models.CharField(max_length=9, choices=State, default=State.RECEIVED)
    percent = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(blank=True)
    filename = models.CharField(max_length=255)
    # Where it lay among the files it came with: photos of one folder become a series.
    folder = models.CharField(max_length=255, blank=True)
    replaces = models.ForeignKey(Work, models.PROTECT, null=True, related_name="replacements")
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=16, blank=True)
    found = models.JSONField(default=dict)
    original_key = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(percent__lte=100), name="upload_percent_is_at_most_100"),
            models.CheckConstraint(condition=~Q(state="rejected") | ~Q(reason=""), name="upload_rejected_has_a_reason"),
            # The artwork of a folder is no work of its own: those of its folder have it.
            models.CheckConstraint(
                condition=~Q(state="ready") | Q(work__isnull=False) | Q(found__artwork=True),
                name="upload_ready_has_a_work",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=~Q(state__in=["ready", "rejected"]), name="upload_unfinished"
            ),
            models.Index(fields=["creator", "sha256"], name="upload_same_file"),
        ]


class Transfer(models.Model):
    """A file while it is being sent, in pieces and perhaps over days; complete, it becomes an upload.

    `parts` names what has arrived, in order: `[[key in the store, bytes], ...]`, together `offset_bytes`.
    """

    class State(models.TextChoices):
        SENDING = "sending"
        COMPLETE = "complete"
        RECEIVED = "received"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="transfers")
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="transfers")
    filename = models.CharField(max_length=255)
    folder = models.CharField(max_length=255, blank=True)
    # What the sender's machine says of the file: it tells two of the same name and size apart when one goes on.
    modified_ms = models.BigIntegerField(null=True)
    replaces = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+")
    size_bytes = models.BigIntegerField()
    offset_bytes = models.BigIntegerField(default=0)
    parts = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=State, default=State.SENDING)
    reason = models.TextField(blank=True)
    upload = models.ForeignKey(Upload, models.PROTECT, null=True, related_name="transfers")
    # The work that this very file is already, when it was refused for that.
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(offset_bytes__gte=0, offset_bytes__lte=F("size_bytes")), name="transfer_offset_is_within"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["complete", "received"]) | Q(offset_bytes=F("size_bytes")),
                name="transfer_complete_has_all",
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(reason=""), name="transfer_refused_has_a_reason"),
            models.CheckConstraint(
                condition=~Q(state="received") | Q(upload__isnull=False), name="transfer_received_has_an_upload"
            ),
        ]
        indexes = [
            models.Index(fields=["person", "-created_at"], name="transfer_by_person"),
            models.Index(fields=["created_at"], condition=Q(state="complete"), name="transfer_waiting"),
            models.Index(fields=["expires_at"], name="transfer_expiring"),
        ]


class Rendition(models.Model):
    """What was made from an original: files under `prefix` in the store, described by `layout`.

    For `hls-128` and `hls-256` the layout is `{"init": {"file", "bytes"}, "segments": [{"file", "offset", "bytes",
    "micros"}, ...], "target_seconds"}`: `micros` are millionths of a second of sound, `file` is a name under `prefix`.
    For `waveform` it is `{"peaks": [0..100, ...]}`; for `cover` and `view` `{"file", "width", "height",
    "content_type"}`, where a cover may have a smaller one beside it, `"small": {"file", "width", "height"}`, and names
    the upload that it was, `"artwork"`, if it is that of a folder. For `preview` it is `{"sizes": [{"file", "width",
    "height", "bytes"}, ...], "content_type"}`, the smallest first.
    """

    class Kind(models.TextChoices):
        HLS_128 = "hls-128"
        HLS_256 = "hls-256"
        WAVEFORM = "waveform"
        COVER = "cover"
        PREVIEW = "preview"
        VIEW = "view"
        DOWNLOAD = "download"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    work = models.ForeignKey(Work, models.PROTECT, related_name="renditions")
    kind = models.CharField(max_length=8, choices=Kind)
    prefix = models.CharField(max_length=200)
    layout = models.JSONField()
    size_bytes = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["work", "kind"], name="rendition_one_of_a_kind")]


class Download(models.Model):
    """A file for somebody to keep, made from an original on demand. The row is the queue, and says what was made.

    `fingerprint` is the SHA-256 of what was written into the file's tags: another one asks for another file.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        READY = "ready"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    work = models.ForeignKey(Work, models.PROTECT, related_name="downloads")
    # The version of the work that it is made from.
    upload = models.ForeignKey(Upload, models.PROTECT, related_name="downloads")
    format = models.CharField(max_length=8)
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    percent = models.PositiveSmallIntegerField(default=0)
    reason = models.TextField(blank=True)
    key = models.CharField(max_length=400, blank=True)
    filename = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=80, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["upload", "format"], name="download_one_of_a_format"),
            models.CheckConstraint(
                condition=~Q(state="ready") | (~Q(key="") & ~Q(sha256="") & Q(size_bytes__isnull=False)),
                name="download_ready_has_a_file",
            ),
            models.CheckConstraint(condition=~Q(state="failed") | ~Q(reason=""), name="download_failed_has_a_reason"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="download_percent_is_at_most_100"),
        ]
        indexes = [models.Index(fields=["asked_at"], condition=Q(state="waiting"), name="download_waiting")]


class Leftover(models.Model):
    """Files that nothing names any more, kept until the last address that was signed for them has lapsed."""

    prefix = models.CharField(max_length=200, unique=True)
    remove_after = models.DateTimeField()


class SplitSheet(models.Model):
    """A dated list of payees with shares. In force from its moment until a newer one is.

    Without `in_force_from` and `ended_at` it waits for answers. It is written once: changing shares is a newer sheet.
    """

    class Ending(models.TextChoices):
        DECLINED = "declined"
        REPLACED = "replaced"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    work = models.ForeignKey(Work, models.PROTECT, related_name="split_sheets")
    version = models.PositiveIntegerField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    in_force_from = models.DateTimeField(null=True)
    ending = models.CharField(max_length=8, choices=Ending, blank=True)
    ended_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["work", "version"], name="split_sheet_version_is_unique"),
            models.UniqueConstraint(
                fields=["work"], condition=Q(in_force_from=None, ended_at=None), name="split_sheet_waits_alone"
            ),
            models.CheckConstraint(
                condition=Q(in_force_from=None) | Q(ended_at=None), name="split_sheet_in_force_has_no_ending"
            ),
            models.CheckConstraint(
                condition=Q(ending="", ended_at=None) | (~Q(ending="") & Q(ended_at__isnull=False)),
                name="split_sheet_ending_has_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(in_force_from=None) | Q(in_force_from__gte=F("created_at")),
                name="split_sheet_is_never_backdated",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(in_force_from=None, ended_at=None), name="split_sheet_waiting"
            )
        ]


class SplitLine(models.Model):
    """One payee's share of a sheet, in ppm; the shares of a sheet sum to 1 000 000."""

    sheet = models.ForeignKey(SplitSheet, models.PROTECT, related_name="lines")
    line_number = models.PositiveIntegerField()
    email = models.EmailField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="split_lines")
    part = models.CharField(max_length=80, blank=True, help_text="What the share is for, in the publisher's words.")
    share_ppm = models.PositiveIntegerField()
    accepted_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sheet", "line_number"], name="split_line_number_is_unique"),
            models.CheckConstraint(
                condition=Q(share_ppm__gte=1, share_ppm__lte=1_000_000), name="split_share_is_within_the_whole"
            ),
            models.UniqueConstraint(fields=["sheet", "email"], name="split_payee_stands_once_on_a_sheet"),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(declined_at=None), name="split_line_has_one_answer"
            ),
        ]
        indexes = [models.Index(fields=["email"], condition=Q(accepted_at=None), name="split_line_unanswered")]
