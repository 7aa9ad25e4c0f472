"""Sessions, charges and openings, field by field."""

from rest_framework import serializers

from members.api import ProblemSerializer, Seconds, StrictSerializer, WholeMicros
from playback.models import Session


class SessionBody(StrictSerializer):
    """Which work, and from where one came to it."""

    work = serializers.UUIDField()
    source = serializers.ChoiceField(choices=Session.Source.values, required=False)  # type: ignore[assignment]  # ours


class PriceBody(StrictSerializer):
    """The most that may be charged."""

    price_micros = WholeMicros()


class ProgressBody(StrictSerializer):
    """How far it was heard."""

    position_seconds = Seconds(min_value=0, max_value=86_400)
    state = serializers.ChoiceField(choices=["playing", "stopped", "completed"])


class SessionSerializer(serializers.Serializer):
    """A session and its quote. Money in micros of `currency`."""

    id = serializers.UUIDField()
    work = serializers.UUIDField()
    kind = serializers.CharField()
    owned = serializers.BooleanField()
    own = serializers.BooleanField()
    free = serializers.BooleanField()
    charged = serializers.BooleanField()
    play_number = serializers.IntegerField(allow_null=True)
    price_micros = serializers.IntegerField()
    paid_micros = serializers.IntegerField()
    cap_micros = serializers.IntegerField()
    remaining_micros = serializers.IntegerField()
    currency = serializers.CharField()
    pricing_version = serializers.IntegerField(help_text="By which one plays: for who has begun, the one of then.")
    pricing_href = serializers.CharField(help_text="Where that version of the policy is read.")
    opening_version = serializers.IntegerField()
    opening_href = serializers.CharField()
    free_seconds = serializers.FloatField()
    open_seconds = serializers.FloatField()
    duration_seconds = serializers.FloatField()
    blocked = ProblemSerializer(allow_null=True)
    expires_at = serializers.DateTimeField()
    playlist_url = serializers.CharField(required=False, help_text="Of a track.")
    view_url = serializers.CharField(
        required=False, allow_null=True, help_text="Of a photo: its preview, or all of it; null once it was suspended."
    )
    position_seconds = serializers.FloatField(help_text="How far it was heard, for who goes on where they stopped.")


class ChargedSerializer(serializers.Serializer):
    """What was charged, the same however often it is asked."""

    charged_micros = serializers.IntegerField()
    play_number = serializers.IntegerField(allow_null=True)
    paid_micros = serializers.IntegerField()
    remaining_micros = serializers.IntegerField()
    owned = serializers.BooleanField()
    balance_micros = serializers.IntegerField()
    promo_micros = serializers.IntegerField()
    playlist_url = serializers.CharField(required=False)
    view_url = serializers.CharField(required=False, allow_null=True)


class OpeningSerializer(serializers.Serializer):
    """Where the opening of a track is heard, or the preview of a photo seen."""

    playlist_url = serializers.CharField(required=False)
    free_seconds = serializers.FloatField(required=False)
    open_seconds = serializers.FloatField(required=False)
    view_url = serializers.CharField(required=False)
