"""The catalogue over HTTP: works, creators, publishing. A view translates and makes one call into the core."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import publishing
from catalog.models import Creator, Work
from catalog.serializers.works import (
    ChangeSerializer,
    CreatorSerializer,
    LadderSerializer,
    WorksAskedSerializer,
    WorkSerializer,
)
from members import clock
from members.access import CursorPage, person_id
from members.api import ProblemSerializer, read
from members.problems import NotFound
from members.tokens import Scope


class Works(ListAPIView):
    """Published works, newest first; with `mine=1` one's own in every state."""

    serializer_class = WorkSerializer
    scope = None

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-created_at", "-id")  # type: ignore[assignment]

    @extend_schema(parameters=[WorksAskedSerializer], responses={200: WorkSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List works."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Work]:
        """Return what was asked for."""
        asked = read(WorksAskedSerializer, self.request.query_params.dict())
        works = Work.objects.select_related("creator")
        if asked.get("mine"):
            works = works.filter(creator__roles__person=self.request.user.pk or UUID(int=0))
        else:
            works = works.filter(state=Work.State.PUBLISHED)
        if words := asked.get("q"):
            works = works.filter(Q(title__icontains=words) | Q(creator__name__icontains=words))
        for name, column in (("kind", "kind"), ("creator", "creator__slug"), ("release", "release_id")):
            if name in asked:
                works = works.filter(**{column: asked[name]})
        return works


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
        },
    )
    def patch(self, request: Request, work_id: UUID) -> Response:
        """Change one's own work."""
        figures = read(ChangeSerializer, request.data)
        publishing.change(work_id=work_id, person_id=person_id(request), now=clock.now(), **figures)
        return Response(WorkSerializer(Work.objects.select_related("creator").get(id=work_id)).data)


class Ladder(APIView):
    """What each play of a work costs somebody who begins now."""

    scope = None

    @extend_schema(responses={200: LadderSerializer, 404: ProblemSerializer})
    def get(self, request: Request, work_id: UUID) -> Response:
        """Return the ladder."""
        now = clock.now()
        standing = publishing.standing(work_id=work_id, person_id=request.user.pk, now=now)
        steps, version = publishing.steps_now(figure=standing.figure, now=now)
        return Response(
            {
                "work": work_id,
                "currency": settings.CURRENCY,
                "pricing_version": version,
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


class Creators(ListAPIView):
    """Profiles, newest first."""

    serializer_class = CreatorSerializer
    scope = None
    queryset = Creator.objects.all()

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-created_at", "-id")  # type: ignore[assignment]


class OneCreator(APIView):
    """A profile."""

    scope = None

    @extend_schema(responses={200: CreatorSerializer, 404: ProblemSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """Return the profile."""
        creator = Creator.objects.filter(slug=slug).first()
        if creator is None:
            raise NotFound("there is no such creator")
        return Response(CreatorSerializer(creator).data)
