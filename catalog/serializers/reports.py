"""Reports, decisions and appeals, field by field."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog import reports
from catalog.report_models import Appeal, AppealDecision, Report, ReportDecision, Suspension
from members.api import StrictSerializer


class ReportBody(StrictSerializer):
    """What is wrong with a work. An address is only needed by who wants to hear what was decided."""

    category = serializers.ChoiceField(choices=Report.Category.choices)
    text = serializers.CharField(max_length=reports.TEXT_MOST)
    contact = serializers.EmailField(required=False, allow_blank=True, max_length=254)


class ReasonsBody(StrictSerializer):
    """Why; who is concerned reads it."""

    reasons = serializers.CharField(max_length=reports.TEXT_MOST)


class SuspendBody(StrictSerializer):
    """The statement of reasons: what was found, under which rule or law, and what the decision covers."""

    facts = serializers.CharField(max_length=reports.TEXT_MOST)
    rule = serializers.CharField(max_length=reports.TEXT_MOST)
    scope = serializers.CharField(max_length=reports.TEXT_MOST)


class AppealBody(StrictSerializer):
    """What one says against the suspension of one's own work."""

    work = serializers.UUIDField()
    text = serializers.CharField(max_length=reports.TEXT_MOST)


class AppealDecisionBody(StrictSerializer):
    """Whether the suspension is lifted, and why."""

    lifts = serializers.BooleanField()
    reasons = serializers.CharField(max_length=reports.TEXT_MOST)


class FiledSerializer(serializers.Serializer):
    """A report that was taken in."""

    id = serializers.UUIDField()
    filed_at = serializers.DateTimeField()


class ReportSerializer(serializers.ModelSerializer):
    """A report as staff sees it; who reported is not said."""

    class Meta:
        model = Report
        fields = ["id", "category", "text", "filed_at"]
        read_only_fields = fields


class CaseSerializer(serializers.Serializer):
    """A work with open reports; one's own is for somebody else to decide."""

    work = serializers.UUIDField(source="work.id")
    title = serializers.CharField(source="work.title")
    state = serializers.CharField(source="work.state")
    own = serializers.BooleanField()
    reports = ReportSerializer(many=True)


class QueueSerializer(serializers.Serializer):
    """Works with open reports, the longest waiting first."""

    results = CaseSerializer(many=True)


class DecisionSerializer(serializers.ModelSerializer):
    """A decision about the reports of a work."""

    work = serializers.UUIDField(source="work_id")

    class Meta:
        model = ReportDecision
        fields = ["id", "work", "outcome", "reasons", "decided_at"]
        read_only_fields = fields


class SuspensionSerializer(serializers.ModelSerializer):
    """A suspension and its statement of reasons."""

    work = serializers.UUIDField(source="work_id")

    class Meta:
        model = Suspension
        fields = ["id", "work", "facts", "rule", "scope", "suspended_at"]
        read_only_fields = fields


class AppealDecisionSerializer(serializers.ModelSerializer):
    """What became of an appeal."""

    class Meta:
        model = AppealDecision
        fields = ["outcome", "reasons", "decided_at"]
        read_only_fields = fields


class AppealSerializer(serializers.ModelSerializer):
    """An appeal, and what became of it."""

    suspension = SuspensionSerializer()
    decision = serializers.SerializerMethodField()

    class Meta:
        model = Appeal
        fields = ["id", "suspension", "text", "filed_at", "decision"]
        read_only_fields = fields

    @extend_schema_field(AppealDecisionSerializer(allow_null=True))
    def get_decision(self, appeal: Appeal) -> dict[str, object] | None:
        """Return the decision, or null while it waits."""
        found = getattr(appeal, "decision", None)
        return None if found is None else AppealDecisionSerializer(found).data


class AppealsSerializer(serializers.Serializer):
    """Appeals that wait for a decision, oldest first."""

    results = AppealSerializer(many=True)


class LiftingSerializer(serializers.Serializer):
    """The end of a suspension."""

    suspension = serializers.UUIDField(source="suspension_id")
    reasons = serializers.CharField()
    lifted_at = serializers.DateTimeField()


class CategorySerializer(serializers.Serializer):
    """How many reports were about one thing."""

    key = serializers.CharField()
    name = serializers.CharField()
    reports = serializers.IntegerField()


class YearSerializer(serializers.Serializer):
    """The numbers of a year."""

    year = serializers.IntegerField()
    categories = CategorySerializer(many=True)
    reports = serializers.IntegerField()
    open = serializers.IntegerField()
    dismissed = serializers.IntegerField()
    suspended = serializers.IntegerField()
    median_days = serializers.IntegerField(allow_null=True)
    appeals = serializers.IntegerField()
    appeals_upheld = serializers.IntegerField()
    appeals_lifted = serializers.IntegerField()
    liftings = serializers.IntegerField()


class YearsSerializer(serializers.Serializer):
    """The numbers of every year, newest first."""

    results = YearSerializer(many=True)
