"""The audience of a work over HTTP, for its own people."""

from dataclasses import asdict
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from members import clock
from members.access import person_id
from members.api import ProblemSerializer
from members.tokens import Scope
from playback import audience
from playback.serializers.audience import AudienceSerializer


class Audience(APIView):
    """Who listened, without a word about anyone."""

    scope = Scope.PUBLISH

    @extend_schema(
        responses={200: AudienceSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}
    )
    def get(self, request: Request, work_id: UUID) -> Response:
        """Return the months of one's own work's audience. Nothing is about one to four listeners."""
        found = audience.of(work_id=work_id, person_id=person_id(request), now=clock.now())
        return Response(AudienceSerializer({**asdict(found), "currency": settings.CURRENCY}).data)
