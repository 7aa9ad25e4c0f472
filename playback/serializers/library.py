"""Libraries, downloads, certificates and exports, field by field."""

from rest_framework import serializers

from members.api import StrictSerializer
from playback.library import Sort, State
from playback.library_models import LibraryExport

KINDS = ("track", "photo")


class LibraryQuery(serializers.Serializer):
    """What is asked of a library."""

    state = serializers.ChoiceField(choices=[one.value for one in State], required=False)
    q = serializers.CharField(required=False, allow_blank=True, max_length=200, help_text="Words, in any order.")
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    sort = serializers.ChoiceField(
        choices=[one.value for one in Sort],
        required=False,
        help_text="recent (the default), title, creator, or nearest: the least left to pay first.",
    )
    cursor = serializers.CharField(required=False, max_length=2_000, help_text="From `next`.")


class ShelvedSerializer(serializers.Serializer):
    """A work in one's library. `price_micros` of the next play is null where nothing is asked or sold."""

    work = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=KINDS)
    title = serializers.CharField()
    creator = serializers.CharField()
    release = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=["draft", "published", "off", "suspended"])
    owned = serializers.BooleanField()
    owned_since = serializers.DateTimeField(allow_null=True)
    kept_free = serializers.BooleanField()
    paid_micros = serializers.IntegerField()
    cap_micros = serializers.IntegerField()
    remaining_micros = serializers.IntegerField()
    currency = serializers.CharField()
    plays = serializers.IntegerField()
    paid_plays = serializers.ListField(child=serializers.IntegerField())
    play_number = serializers.IntegerField(allow_null=True)
    price_micros = serializers.IntegerField(allow_null=True)
    until = serializers.DateTimeField(
        allow_null=True, help_text="Where it was taken off: until when it can be gone on with."
    )
    cover_url = serializers.CharField(allow_null=True)


class LibrarySerializer(serializers.Serializer):
    """A page of one's library."""

    results = ShelvedSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class BeingMadeSerializer(serializers.Serializer):
    """A file that a worker makes; ask again."""

    state = serializers.ChoiceField(choices=["waiting"])
    percent = serializers.IntegerField()


class DownloadSerializer(serializers.Serializer):
    """A file to keep. The address holds for an hour."""

    url = serializers.CharField()
    filename = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    content_type = serializers.CharField()


class CertificateSerializer(serializers.Serializer):
    """A certificate: what it says, the SHA-256 of its canonical JSON (RFC 8785), and who signed that (Ed25519)."""

    certificate = serializers.DictField(child=serializers.JSONField())
    sha256 = serializers.CharField()
    key = serializers.CharField()
    signature = serializers.CharField()


class StandingWorkSerializer(serializers.Serializer):
    """The work that a certificate is of."""

    id = serializers.UUIDField(source="work_id")
    kind = serializers.ChoiceField(choices=KINDS)
    title = serializers.CharField()
    creator = serializers.CharField()


class StandingSerializer(serializers.Serializer):
    """What anybody may know of a certificate; not whose it is."""

    id = serializers.UUIDField()
    work = StandingWorkSerializer()
    as_of = serializers.DateTimeField()
    sha256 = serializers.CharField()
    key = serializers.CharField()
    holds = serializers.BooleanField()
    ended_at = serializers.DateTimeField(allow_null=True)
    checked_at = serializers.DateTimeField()


class ExportBody(StrictSerializer):
    """In which format tracks are packed; photos have their own."""

    format = serializers.ChoiceField(choices=["original", "flac", "mp3", "opus"])


class MissingSerializer(serializers.Serializer):
    """A work whose file could not be made."""

    work = serializers.UUIDField()
    title = serializers.CharField()
    reason = serializers.CharField()


class ExportSerializer(serializers.Serializer):
    """A zip of what one owns: how far it is, and once it is ready where it lies."""

    id = serializers.UUIDField()
    format = serializers.CharField()
    state = serializers.ChoiceField(choices=LibraryExport.State.choices)
    percent = serializers.IntegerField()
    works = serializers.IntegerField()
    packed = serializers.IntegerField()
    missing = MissingSerializer(many=True)
    reason = serializers.CharField(allow_blank=True)
    size_bytes = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_blank=True)
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField(allow_null=True)
