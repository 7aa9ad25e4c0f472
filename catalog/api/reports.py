"""Reports, decisions and appeals over HTTP. A view translates and makes one call into the core."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import report_numbers, reports
from catalog.report_models import Appeal
from catalog.serializers.reports import (
    AppealBody,
    AppealDecisionBody,
    AppealDecisionSerializer,
    AppealSerializer,
    AppealsSerializer,
    DecisionSerializer,
    FiledSerializer,
    LiftingSerializer,
    QueueSerializer,
    ReasonsBody,
    ReportBody,
    SuspendBody,
    SuspensionSerializer,
    YearsSerializer,
)
from members import clock, throttles
from members.access import CursorPage, address, person_id
from members.api import ProblemSerializer, read
from members.tokens import Scope

REFUSALS = {
    400: ProblemSerializer,
    401: ProblemSerializer,
    403: ProblemSerializer,
    404: ProblemSerializer,
    409: ProblemSerializer,
}


# Nobody finds more than this in an hour by listening.
REPORTS_AN_HOUR = 20


def check_patience(request: HttpRequest) -> None:
    """Count a report of whoever asks, signed in or not. Raises TooManyRequests."""
    who = request.user.pk if request.user.is_authenticated else address(request)
    throttles.check(f"report:{who}", limit=REPORTS_AN_HOUR, seconds=3600)


class ReportWork(APIView):
    """Say that something is wrong with a work; signing in is not needed."""

    scope = None

    @extend_schema(request=ReportBody, responses={201: FiledSerializer, 400: ProblemSerializer, 404: ProblemSerializer})
    def post(self, request: Request, work_id: UUID) -> Response:
        """Take it in. With an address, or signed in, one hears what was decided."""
        body = read(ReportBody, request.data)
        check_patience(request._request)
        filed = reports.file(work_id=work_id, person_id=request.user.pk, now=clock.now(), **body)
        return Response(FiledSerializer(filed).data, status=201)


class Numbers(APIView):
    """The yearly numbers of reports."""

    scope = None

    @extend_schema(responses={200: YearsSerializer})
    def get(self, request: Request) -> Response:
        """Return every year, newest first."""
        return Response(YearsSerializer({"results": report_numbers.years(now=clock.now())}).data)


class Queue(APIView):
    """Reports that wait; staff of the catalogue only."""

    scope = Scope.PUBLISH

    @extend_schema(responses={200: QueueSerializer, 401: ProblemSerializer, 403: ProblemSerializer})
    def get(self, request: Request) -> Response:
        """Return them by work, the longest waiting first."""
        return Response(QueueSerializer({"results": reports.queue(staff_id=person_id(request))}).data)


class Dismiss(APIView):
    """Dismiss the open reports of a work; staff of the catalogue only."""

    scope = Scope.PUBLISH

    @extend_schema(request=ReasonsBody, responses={200: DecisionSerializer, **REFUSALS})
    def post(self, request: Request, work_id: UUID) -> Response:
        """Dismiss them, with reasons."""
        body = read(ReasonsBody, request.data)
        made = reports.dismiss(work_id=work_id, staff_id=person_id(request), reasons=body["reasons"], now=clock.now())
        return Response(DecisionSerializer(made).data)


class Suspend(APIView):
    """Suspend a work after reports; staff of the catalogue only."""

    scope = Scope.PUBLISH

    @extend_schema(request=SuspendBody, responses={200: SuspensionSerializer, **REFUSALS})
    def post(self, request: Request, work_id: UUID) -> Response:
        """Suspend it; the statement of reasons goes to its people."""
        body = read(SuspendBody, request.data)
        made = reports.suspend(work_id=work_id, staff_id=person_id(request), now=clock.now(), **body)
        return Response(SuspensionSerializer(made).data)


class Lift(APIView):
    """Lift a suspension without an appeal; staff of the catalogue only."""

    scope = Scope.PUBLISH

    @extend_schema(request=ReasonsBody, responses={200: LiftingSerializer, **REFUSALS})
    def post(self, request: Request, work_id: UUID) -> Response:
        """Lift it, with reasons."""
        body = read(ReasonsBody, request.data)
        made = reports.lift(work_id=work_id, staff_id=person_id(request), reasons=body["reasons"], now=clock.now())
        return Response(LiftingSerializer(made).data)


class Appeals(ListAPIView):
    """Appeals against suspensions of one's own works."""

    serializer_class = AppealSerializer
    scope = Scope.PUBLISH

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-filed_at", "-id")  # type: ignore[assignment]

    @extend_schema(responses={200: AppealSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List those of the profiles one runs."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=AppealBody, responses={201: AppealSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Appeal. There is one appeal against a suspension."""
        body = read(AppealBody, request.data)
        filed = reports.appeal(work_id=body["work"], person_id=person_id(request), text=body["text"], now=clock.now())
        return Response(AppealSerializer(filed).data, status=201)

    def get_queryset(self) -> QuerySet[Appeal]:
        """Return the appeals of profiles that the person runs."""
        runs = {
            "suspension__work__creator__roles__person": person_id(self.request),
            "suspension__work__creator__roles__role__in": ["owner", "editor"],
        }
        return Appeal.objects.filter(**runs).select_related("suspension", "decision")


class AppealsWaiting(APIView):
    """Appeals that wait; staff of the catalogue only."""

    scope = Scope.PUBLISH

    @extend_schema(responses={200: AppealsSerializer, 401: ProblemSerializer, 403: ProblemSerializer})
    def get(self, request: Request) -> Response:
        """Return them, oldest first."""
        return Response(AppealsSerializer({"results": reports.appeals_waiting(staff_id=person_id(request))}).data)


class DecideAppeal(APIView):
    """Decide an appeal; by other staff than who suspended the work."""

    scope = Scope.PUBLISH

    @extend_schema(request=AppealDecisionBody, responses={200: AppealDecisionSerializer, **REFUSALS})
    def post(self, request: Request, appeal_id: UUID) -> Response:
        """Lift the suspension or let it stand, with reasons."""
        body = read(AppealDecisionBody, request.data)
        made = reports.decide_appeal(appeal_id=appeal_id, staff_id=person_id(request), now=clock.now(), **body)
        return Response(AppealDecisionSerializer(made).data)
