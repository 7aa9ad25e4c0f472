"""What the API of playback reads and writes, field by field. Amounts are whole micros of `currency`."""

from rest_framework import serializers

from members.api import ProblemSerializer, Seconds, StrictSerializer, WholeMicros
from playback import wallets
from playback.models import TopUp


class SessionBody(StrictSerializer):
    """Which work."""

    work = serializers.UUIDField()


class PriceBody(StrictSerializer):
    """The most that may be charged."""

    price_micros = WholeMicros()


class ProgressBody(StrictSerializer):
    """How far it was heard."""

    position_seconds = Seconds(min_value=0, max_value=86_400)
    state = serializers.ChoiceField(choices=["playing", "stopped", "completed"])


class LimitsBody(StrictSerializer):
    """Both limits; null means none."""

    day_limit_micros = WholeMicros(allow_null=True, max_value=wallets.LIMIT_MOST_MICROS)
    month_limit_micros = WholeMicros(allow_null=True, max_value=wallets.LIMIT_MOST_MICROS)


class TopUpBody(StrictSerializer):
    """What is paid, gross, in whole cents; `country` decides the VAT."""

    amount_micros = WholeMicros()
    country = serializers.RegexField(r"^[A-Za-z]{2}$", required=False)


class ReversalBody(StrictSerializer):
    """Which charge of which listener, and why; the listener reads it."""

    listener = serializers.UUIDField()
    charge = serializers.UUIDField()
    reason = serializers.CharField(max_length=1_000)


class GrantBody(StrictSerializer):
    """To whom, how much promo, and why."""

    listener = serializers.UUIDField()
    amount_micros = WholeMicros(min_value=1)
    reason = serializers.CharField(max_length=1_000)


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
    pricing_version = serializers.IntegerField()
    free_seconds = serializers.FloatField()
    open_seconds = serializers.FloatField()
    duration_seconds = serializers.FloatField()
    blocked = ProblemSerializer(allow_null=True)
    playlist_url = serializers.CharField()
    expires_at = serializers.DateTimeField()


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


class OpeningSerializer(serializers.Serializer):
    """Where the opening is heard."""

    playlist_url = serializers.CharField()
    free_seconds = serializers.FloatField()
    open_seconds = serializers.FloatField()


class WalletSerializer(serializers.Serializer):
    """A wallet. Limits are those in force; a raise that waits stands beside them."""

    balance_micros = serializers.IntegerField()
    promo_micros = serializers.IntegerField()
    currency = serializers.CharField()
    day_limit_micros = serializers.IntegerField(allow_null=True)
    month_limit_micros = serializers.IntegerField(allow_null=True)
    next_day_limit_micros = serializers.IntegerField(allow_null=True)
    next_day_limit_at = serializers.DateTimeField(allow_null=True)
    next_month_limit_micros = serializers.IntegerField(allow_null=True)
    next_month_limit_at = serializers.DateTimeField(allow_null=True)
    spent_today_micros = serializers.IntegerField()
    spent_this_month_micros = serializers.IntegerField()
    frozen = serializers.BooleanField()


class EntrySerializer(serializers.Serializer):
    """One line of the wallet's history, both pockets together."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=["play", "purchase", "reversal", "top-up", "promo"])
    id = serializers.UUIDField(source="row_id")
    amount_micros = serializers.IntegerField()
    promo_part_micros = serializers.IntegerField()
    work = serializers.UUIDField(source="work_id", allow_null=True)
    work_title = serializers.CharField(allow_null=True)
    play_number = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    balance_after_micros = serializers.IntegerField()
    promo_after_micros = serializers.IntegerField()


class EntriesSerializer(serializers.Serializer):
    """A page of the history; `next` is the address of the earlier ones."""

    results = EntrySerializer(many=True)
    next = serializers.CharField(allow_null=True)


class TopUpSerializer(serializers.Serializer):
    """A top-up: where it is paid, and what became of it."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=TopUp.State.choices)
    checkout_url = serializers.CharField()


class GivenBackSerializer(serializers.Serializer):
    """What a reversal did; `waits` when a second person has to ask for the same."""

    charge_id = serializers.UUIDField()
    reversal_id = serializers.UUIDField(allow_null=True)
    amount_micros = serializers.IntegerField()
    waits = serializers.BooleanField()


class GrantSerializer(serializers.Serializer):
    """A grant of promo."""

    id = serializers.UUIDField()
    amount_micros = serializers.IntegerField()
