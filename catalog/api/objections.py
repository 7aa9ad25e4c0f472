"""Objections over HTTP: what voted rules mean for one's works, the appeal, and why a work went off."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import objections, publishing
from catalog.objection_models import Objection
from catalog.serializers.objections import (
    ObjectionAppealBody,
    ObjectionAppealSerializer,
    ObjectionSerializer,
    SentOffListSerializer,
)
from members import clock
from members.access import CursorPage, person_id
from members.api import ProblemSerializer, read
from members.tokens import Scope


class Objections(ListAPIView):
    """Voted rules that objected, or object, to works of one's own."""

    serializer_class = ObjectionSerializer
    scope = Scope.PUBLISH

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-made_at", "-id")  # type: ignore[assignment]

    @extend_schema(responses={200: ObjectionSerializer(many=True)})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List those to the works of the profiles one runs, each with its appeal."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Objection]:
        """Return them."""
        return objections.of_person(person_id(self.request))


class AppealObjection(APIView):
    """Saying why a work should stay."""

    scope = Scope.PUBLISH

    @extend_schema(
        request=ObjectionAppealBody,
        responses={201: ObjectionAppealSerializer, 404: ProblemSerializer, 409: ProblemSerializer},
    )
    def post(self, request: Request, objection_id: UUID) -> Response:
        """Appeal, once. Three members drawn by lot decide; the work stays till then."""
        body = read(ObjectionAppealBody, request.data)
        filed = objections.appeal(
            objection_id=objection_id, person_id=person_id(request), text=body["text"], now=clock.now()
        )
        return Response(ObjectionAppealSerializer(filed).data, status=201)


class WorkObjections(APIView):
    """Why a work went off by a vote."""

    scope = None

    @extend_schema(responses={200: SentOffListSerializer, 404: ProblemSerializer})
    def get(self, request: Request, work_id: UUID) -> Response:
        """Return the voted rules by which it went off, as everybody reads them on its page."""
        publishing.standing(work_id=work_id, person_id=request.user.pk, now=clock.now())
        return Response(SentOffListSerializer({"results": objections.by_which_it_went(work_id)}).data)
