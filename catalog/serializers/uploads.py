"""What the API reads and writes of files on their way into the catalogue, field by field."""

from rest_framework import serializers

from catalog.models import Transfer, Upload
from members.api import StrictSerializer

MODIFIED_MS_MOST = 2**53 - 1


class UploadSerializer(serializers.ModelSerializer):
    """How far a file has come: its state, percent, and the reason when it was rejected."""

    work = serializers.UUIDField(source="work_id", read_only=True, allow_null=True)

    class Meta:
        model = Upload
        fields = ["id", "state", "percent", "reason", "work"]
        read_only_fields = fields


class UploadFormSerializer(StrictSerializer):
    """One file; `creator` is the slug of a profile one runs, needed when there are several."""

    file = serializers.FileField(allow_empty_file=True, max_length=1_000)
    creator = serializers.SlugField(required=False, allow_blank=True)
    replaces = serializers.UUIDField(required=False, help_text="The work of yours whose file this is from now on.")


class MetadataSerializer(serializers.Serializer):
    """What Upload-Metadata says of a file; what else a program writes there is passed over."""

    filename = serializers.CharField(max_length=1_000)
    creator = serializers.SlugField(required=False, allow_blank=True)
    folder = serializers.CharField(required=False, allow_blank=True, max_length=4_000)
    modified = serializers.IntegerField(required=False, min_value=0, max_value=MODIFIED_MS_MOST)
    replaces = serializers.UUIDField(required=False)


class TransferSerializer(serializers.ModelSerializer):
    """A file on its way: how much of it has arrived, and what became of it.

    `work` names the work that this very file is already, when it was refused for that.
    """

    creator: serializers.SlugRelatedField = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    work = serializers.UUIDField(source="work_id", read_only=True, allow_null=True)
    upload = UploadSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Transfer
        fields = [
            "id",
            "state",
            "creator",
            "filename",
            "folder",
            "modified_ms",
            "size_bytes",
            "offset_bytes",
            "reason",
            "work",
            "upload",
            "created_at",
            "expires_at",
        ]
        read_only_fields = fields


class OriginalSerializer(serializers.Serializer):
    """The untouched file that its creator sent, and the address it can be fetched from for about an hour."""

    work = serializers.UUIDField()
    filename = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.CharField()
