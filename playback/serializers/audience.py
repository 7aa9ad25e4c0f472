"""What the API says of an audience. Null stands for what is about too few listeners to be shown."""

from rest_framework import serializers


class CellSerializer(serializers.Serializer):
    """A line of a table; what was folded has the key `other` and stands last."""

    key = serializers.CharField()
    count = serializers.IntegerField()


class DaysSerializer(serializers.Serializer):
    """Days shown as one, at least five people on each side."""

    first = serializers.DateField()
    last = serializers.DateField()
    sessions = serializers.IntegerField()
    charged_micros = serializers.IntegerField()


class TablesSerializer(serializers.Serializer):
    """The tables of a month that is over. Money in micros of `currency`, before any split."""

    charged_micros = serializers.IntegerField()
    plays = serializers.IntegerField(allow_null=True)
    purchases = serializers.IntegerField(allow_null=True)
    unpaid_sessions = serializers.IntegerField(allow_null=True)
    sessions = serializers.IntegerField(allow_null=True)
    listeners = serializers.IntegerField(allow_null=True)
    new_owners = serializers.IntegerField(allow_null=True)
    paid = CellSerializer(many=True, allow_null=True)
    unpaid = CellSerializer(many=True, allow_null=True)
    numbers = CellSerializer(many=True, allow_null=True)
    sources = CellSerializer(many=True, allow_null=True)
    countries = CellSerializer(many=True, allow_null=True)


class AudienceMonthSerializer(serializers.Serializer):
    """A month; `tables` is null while it is not settled."""

    month = serializers.DateField(format="%Y-%m")
    tables = TablesSerializer(source="content", allow_null=True)
    days = DaysSerializer(many=True)
    openings_by_strangers = serializers.IntegerField(allow_null=True)


class AudienceSerializer(serializers.Serializer):
    """Who listened to a work, month by month, the newest first."""

    work = serializers.UUIDField(source="work_id")
    title = serializers.CharField()
    counted_until = serializers.DateField(allow_null=True)
    currency = serializers.CharField()
    months = AudienceMonthSerializer(many=True)
