"""What the API reads and writes of files on their way into the catalogue, field by field."""

from rest_framework import serializers

from catalog.models import Upload
from members.api import StrictSerializer


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
