"""The catalogue over HTTP: works, their prices, publishing. A view translates and makes one call into the core."""

from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import publishing
from catalog.models import Work
from catalog.serializers.works import (
    ChangeSerializer,
    LadderAskedSerializer,
    LadderSerializer,
    WorkSerializer,
)
from members import clock, policies
from members.access import person_id
from members.api import ProblemSerializer, read
from members.tokens import Scope


class OneWork(APIView):
    """A work."""

    def scope_for(self, method: str) -> str | None:
        """Everyone reads; its people change."""
        return Scope.PUBLISH if method == "PATCH" else None

    @extend_schema(responses={200: WorkSerializer, 404: ProblemSerializer})
    def get(self, request: Request, work_id: UUID) -> Response:
        """Return the work; a draft only to its people."""
        publishing.standing(work_id=work_id, person_id=request.user.pk, now=clock.now())
        return Response(WorkSerializer(Work.objects.select_related("creator").get(id=work_id)).data)

    @extend_schema(
        request=ChangeSerializer,
        responses={
            200: WorkSerializer,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    def patch(self, request: Request, work_id: UUID) -> Response:
        """Change one's own work. Who states its origin attests it."""
        figures = read(ChangeSerializer, request.data)
        publishing.change(work_id=work_id, person_id=person_id(request), now=clock.now(), **figures)
        return Response(WorkSerializer(Work.objects.select_related("creator").get(id=work_id)).data)


class Ladder(APIView):
    """What each play of a work costs somebody who begins now."""

    scope = None

    @extend_schema(
        parameters=[LadderAskedSerializer],
        responses={200: LadderSerializer, 400: ProblemSerializer, 404: ProblemSerializer},
    )
    def get(self, request: Request, work_id: UUID) -> Response:
        """Return the ladder of its price, or with `price_micros` the one it would have at another."""
        now = clock.now()
        standing = publishing.standing(work_id=work_id, person_id=request.user.pk, now=now)
        figure = read(LadderAskedSerializer, request.query_params.dict()).get("price_micros", standing.figure)
        if figure != standing.figure:
            publishing.check_figure(figure, now=now)
        steps, version = publishing.steps_now(figure=figure, now=now)
        return Response(
            {
                "work": work_id,
                "currency": settings.CURRENCY,
                "pricing_version": version,
                "pricing_href": policies.href("pricing", version),
                "price_micros": sum(steps),
                "steps_micros": steps,
            }
        )


class Publish(APIView):
    """Bring one's own work before the public."""

    scope = Scope.PUBLISH

    @extend_schema(
        request=None,
        responses={
            200: WorkSerializer,
            401: ProblemSerializer,
            403: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    def post(self, request: Request, work_id: UUID) -> Response:
        """Publish it, or say which rule refuses."""
        publishing.publish(work_id=work_id, person_id=person_id(request), now=clock.now())
        return Response(WorkSerializer(Work.objects.select_related("creator").get(id=work_id)).data)


class TakeOff(APIView):
    """Take one's own work off."""

    scope = Scope.PUBLISH

    @extend_schema(
        request=None,
        responses={200: WorkSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer},
    )
    def post(self, request: Request, work_id: UUID) -> Response:
        """Take it off; owners keep it."""
        publishing.take_off(work_id=work_id, person_id=person_id(request), now=clock.now())
        return Response(WorkSerializer(Work.objects.select_related("creator").get(id=work_id)).data)
