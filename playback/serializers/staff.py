"""What staff give back and give, field by field."""

from rest_framework import serializers

from members.api import StrictSerializer, WholeMicros


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
