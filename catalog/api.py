"""The catalogue over HTTP: works, creators, uploads, publishing. A view translates and makes one call into the core."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import publishing, receiving, tasks
from catalog.models import Creator, Upload, Work
from catalog.serializers import (
    ChangeSerializer,
    CreatorSerializer,
    LadderSerializer,
    UploadFormSerializer,
    UploadSerializer,
    WorksAskedSerializer,
    WorkSerializer,
)
from members import clock
from members.access import CursorPage, person_id
from members.api import ProblemSerializer, read
from members.problems import Invalid, NotFound
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


class Uploads(APIView):
    """Send in a file."""

    scope = Scope.PUBLISH
    parser_classes = [MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": UploadFormSerializer},
        responses={
            202: UploadSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
            413: ProblemSerializer,
            503: ProblemSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Take the file in; a worker makes a work of it."""
        form = read(UploadFormSerializer, request.data)
        creator_id = _profile_of(person_id(request), form.get("creator"))
        upload = receiving.receive(
            person_id=person_id(request),
            creator_id=creator_id,
            filename=form["file"].name,
            chunks=form["file"].chunks(),
            now=clock.now(),
        )
        tasks.wake(upload.id)
        return Response(UploadSerializer(upload).data, status=202)


class OneUpload(APIView):
    """How far an upload has come."""

    scope = Scope.PUBLISH

    @extend_schema(
        responses={200: UploadSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}
    )
    def get(self, request: Request, upload_id: UUID) -> Response:
        """Return its state."""
        upload = Upload.objects.filter(id=upload_id, creator__roles__person=person_id(request)).first()
        if upload is None:
            raise NotFound("there is no such upload of yours")
        return Response(UploadSerializer(upload).data)


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


def _profile_of(person: UUID, slug: str | None) -> UUID:
    """Return the profile an upload goes to: the one named, or the only one they run. Raises Invalid, NotFound."""
    runs = Creator.objects.filter(roles__person=person, roles__role__in=["owner", "editor"])
    if slug:
        found = runs.filter(slug=slug).first()
        if found is None:
            raise NotFound("you run no profile of that name")
        return found.id
    ids: list[UUID] = list(runs.values_list("id", flat=True)[:2])
    if len(ids) != 1:
        raise Invalid("Say which creator profile it is for." if ids else "You run no creator profile yet.")
    return ids[0]
