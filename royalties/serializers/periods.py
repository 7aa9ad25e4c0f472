"""What is public of a month, field by field. Money is in whole micros."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from royalties.publication_models import Publication
from royalties.serializers.statements import MonthField


class PeriodSerializer(serializers.ModelSerializer):
    """A sealed month: `gross = creators + coop`, and of the creators' part `held` waits for split sheets."""

    month = MonthField()
    sealed_at = serializers.DateTimeField()
    currency = serializers.SerializerMethodField()
    gross_micros = serializers.IntegerField(source="totals.gross_micros")
    creators_micros = serializers.IntegerField(source="totals.creators_micros")
    coop_micros = serializers.IntegerField(source="totals.coop_micros")
    held_micros = serializers.IntegerField(source="totals.held_micros")
    released_micros = serializers.IntegerField(
        source="totals.released_micros", help_text="Held in earlier months, and paid in this one."
    )
    refunds_borne_micros = serializers.IntegerField(
        source="totals.late_micros", help_text="Given back of months that were closed; the co-op bears it."
    )
    bundle_url = serializers.SerializerMethodField()
    bundle_bytes = serializers.IntegerField(source="size_bytes")
    bundle_sha256 = serializers.CharField(source="zip_sha256")

    class Meta:
        model = Publication
        fields = [
            "month",
            "sealed_at",
            "currency",
            "gross_micros",
            "creators_micros",
            "coop_micros",
            "held_micros",
            "released_micros",
            "refunds_borne_micros",
            "bundle_url",
            "bundle_bytes",
            "bundle_sha256",
            "manifest_sha256",
        ]

    def get_currency(self, _of: Publication) -> str:
        """Return the co-op's currency."""
        return settings.CURRENCY

    def get_bundle_url(self, of: Publication) -> str:
        """Return the address that leads to the bundle."""
        return f"{settings.BASE_URL}/api/v1/periods/{of.month:%Y-%m}/bundle.zip"


class SignedFileSerializer(serializers.Serializer):
    """A file of the bundle."""

    name = serializers.CharField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField()


class TreeSerializer(serializers.Serializer):
    """The tree over listeners' months (RFC 6962)."""

    count = serializers.IntegerField()
    root = serializers.CharField()  # type: ignore[assignment]  # a field, where the framework has a property


class PreviousSerializer(serializers.Serializer):
    """The month before."""

    month = serializers.CharField()
    manifest_sha256 = serializers.CharField()


class ManifestSerializer(serializers.Serializer):
    """What is signed."""

    format = serializers.CharField()
    month = serializers.CharField()
    issuer = serializers.CharField()
    currency = serializers.CharField()
    files = SignedFileSerializer(many=True)
    listeners = TreeSerializer()
    previous = PreviousSerializer(allow_null=True)


class SignedManifestSerializer(serializers.Serializer):
    """The manifest in the bundle; `signature` is Ed25519 over the canonical JSON (RFC 8785) of `manifest`."""

    manifest = ManifestSerializer()
    sha256 = serializers.CharField()
    key = serializers.CharField(help_text="Which of /.well-known/refrain-keys.json.")
    signature = serializers.CharField()


class OnePeriodSerializer(PeriodSerializer):
    """A sealed month with all its sums and the signed manifest of its bundle."""

    totals = serializers.DictField(child=serializers.IntegerField(), help_text="README.txt in the bundle names each.")
    signed = SignedManifestSerializer(source="document")

    class Meta(PeriodSerializer.Meta):
        fields = [*PeriodSerializer.Meta.fields, "totals", "signed"]


class LeafSerializer(serializers.Serializer):
    """A listener's month. Its canonical JSON is the leaf of the tree; `late` came back of months that were closed."""

    month = serializers.CharField()
    listener = serializers.UUIDField()
    salt = serializers.CharField()
    plays = serializers.IntegerField()
    plays_micros = serializers.IntegerField()
    purchases = serializers.IntegerField()
    purchases_micros = serializers.IntegerField()
    promo_micros = serializers.IntegerField()
    given_back = serializers.IntegerField()
    given_back_micros = serializers.IntegerField()
    late = serializers.IntegerField()
    late_micros = serializers.IntegerField()


class ProofSerializer(serializers.Serializer):
    """The way from a listener's month to the root (RFC 6962, 2.1.1), lowest first."""

    leaf = LeafSerializer()
    index = serializers.IntegerField()
    count = serializers.IntegerField()
    path = serializers.ListField(child=serializers.CharField())
    root = serializers.CharField()  # type: ignore[assignment]  # a field, where the framework has a property
    manifest_sha256 = serializers.CharField()

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        """Return the proof as it is: its leaf was hashed so."""
        return instance
