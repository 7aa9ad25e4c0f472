"""Files on their way into the catalogue, over HTTP. A view translates and makes one call into the core."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import tasks
from catalog.copies import downloads
from catalog.intake import receiving
from catalog.models import Creator, Upload
from catalog.serializers.uploads import OriginalSerializer, UploadFormSerializer, UploadSerializer
from members import clock
from members.access import person_id
from members.api import ProblemSerializer, read
from members.problems import Invalid, NotFound
from members.tokens import Scope


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
        creator_id = profile_of(person_id(request), form.get("creator"))
        upload = receiving.receive(
            person_id=person_id(request),
            creator_id=creator_id,
            filename=form["file"].name,
            chunks=form["file"].chunks(),
            now=clock.now(),
            replaces=form.get("replaces"),
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


class Original(APIView):
    """The untouched original of one's own work."""

    scope = Scope.PUBLISH

    @extend_schema(responses={200: OriginalSerializer, 404: ProblemSerializer})
    def get(self, request: Request, work_id: UUID) -> Response:
        """Return the address of the file as it was sent, byte for byte."""
        found = downloads.original(work_id=work_id, person_id=person_id(request), now=clock.now())
        return Response(OriginalSerializer(found).data)


def profile_of(person: UUID, slug: str | None) -> UUID:
    """Return the profile an upload goes to: the one named, or the only one they run. Raises Invalid, NotFound."""
    runs = Creator.objects.filter(roles__person=person, roles__role__in=["owner", "editor"], closed_at=None)
    if slug:
        found = runs.filter(slug=slug).first()
        if found is None:
            raise NotFound("you run no profile of that name")
        return found.id
    ids: list[UUID] = list(runs.values_list("id", flat=True)[:2])
    if len(ids) != 1:
        raise Invalid("Say which creator profile it is for." if ids else "You run no creator profile yet.")
    return ids[0]
