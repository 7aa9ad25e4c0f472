"""Libraries over HTTP: what one owns and has begun, downloads, certificates, zips of everything."""

from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import delivery
from catalog.tasks import wake_download
from members import clock
from members.access import person_id
from members.api import ProblemSerializer, read
from members.problems import Invalid
from members.tokens import Scope
from playback import certificates, exports, library, takings, tasks
from playback.api.answers import REFUSALS
from playback.library import Shelved, Sort, State
from playback.library_models import LibraryExport
from playback.serializers.library import (
    BeingMadeSerializer,
    CertificateSerializer,
    DownloadSerializer,
    ExportBody,
    ExportSerializer,
    LibraryQuery,
    LibrarySerializer,
    StandingSerializer,
)

_FOR_THE_SIGNED_IN = {
    401: ProblemSerializer,
    403: ProblemSerializer,
}
# What a worker makes is there after a few of these.
_LOOK_AGAIN_SECONDS = "1"
_VERSIONS = ["now", "bought"]


def shelved_content(work: Shelved, *, now: Any) -> dict[str, Any]:
    """Return a work in a library as the API speaks of it."""
    known = work.facts
    return {
        "work": known.work_id,
        "kind": known.kind,
        "title": known.title,
        "creator": known.creator,
        "release": known.release,
        "state": known.state,
        "owned": work.owned_at is not None,
        "owned_since": work.owned_at,
        "kept_free": work.kept_free,
        "paid_micros": work.paid_micros,
        "cap_micros": work.cap_micros,
        "remaining_micros": work.remaining_micros,
        "currency": settings.CURRENCY,
        "plays": work.plays,
        "paid_plays": sorted(work.paid_plays),
        "play_number": work.play_number,
        "price_micros": work.price_micros,
        "until": work.until,
        "cover_url": known.cover.url(now) if known.cover else None,
    }


class Library(APIView):
    """One's library."""

    scope = Scope.LISTEN

    @extend_schema(parameters=[LibraryQuery], responses={200: LibrarySerializer, **_FOR_THE_SIGNED_IN})
    def get(self, request: Request) -> Response:
        """Return a page of what one owns and has begun."""
        asked = read(LibraryQuery, request.query_params.dict())
        now = clock.now()
        found = library.shelf(
            person_id=person_id(request),
            now=now,
            state=State(asked["state"]) if "state" in asked else None,
            query=asked.get("q", ""),
            kind=asked.get("kind"),
            sort=Sort(asked.get("sort", Sort.RECENT)),
            cursor=asked.get("cursor"),
        )
        query = request.query_params.copy()
        query["cursor"] = found.next_cursor or ""
        more = f"{settings.BASE_URL}{request.path}?{query.urlencode()}" if found.next_cursor else None
        results = [shelved_content(work, now=now) for work in found.works]
        return Response(LibrarySerializer({"results": results, "next": more}).data)


class Download(APIView):
    """A file to keep."""

    scope = Scope.LISTEN

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "format",
                str,
                enum=list(takings.FORMATS),
                description="In which; photos have `original` alone. FLAC is made of lossless originals only.",
            ),
            OpenApiParameter(
                "version",
                str,
                enum=_VERSIONS,
                description="Of a work whose file was replaced: as it is now, or as it was when it became yours.",
            ),
        ],
        responses={200: DownloadSerializer, 202: BeingMadeSerializer, **REFUSALS},
    )
    def get(self, request: Request, work_id: UUID) -> Response:
        """Return where the file lies; while a worker makes it, how far it is."""
        now, version = clock.now(), request.query_params.get("version", "now")
        if version not in _VERSIONS:
            raise Invalid(f"The version is one of {', '.join(_VERSIONS)}.")
        file = takings.take_or_refuse(
            person_id=person_id(request),
            work_id=work_id,
            format=request.query_params.get("format", "original"),
            bought=version == "bought",
            now=now,
        )
        if not file.is_ready:
            wake_download(file.id)
            content = {"state": "waiting", "percent": file.percent}
            return Response(content, status=202, headers={"Retry-After": _LOOK_AGAIN_SECONDS})
        return Response(DownloadSerializer({**vars(file), "url": file.url(now)}).data)


class Certificate(APIView):
    """A certificate of ownership."""

    scope = Scope.LISTEN

    @extend_schema(
        parameters=[
            OpenApiParameter("named", bool, description="Whether one's name stands in it; it does not unless asked.")
        ],
        responses={200: CertificateSerializer, 503: ProblemSerializer, **REFUSALS},
    )
    def get(self, request: Request, work_id: UUID) -> Response:
        """Return it, signed. The same comes again until something in it has changed."""
        issued = certificates.issue(
            person_id=person_id(request),
            work_id=work_id,
            named=_yes(request, "named"),
            now=clock.now(),
        )
        return Response(CertificateSerializer(issued).data)


def _yes(request: Request, name: str) -> bool:
    """Return a yes or no of the address, no unless said. Raises Invalid."""
    word = request.query_params.get(name, "false")
    if word not in ("true", "false"):
        raise Invalid(f"{name} is true or false.")
    return word == "true"


class CertificateStanding(APIView):
    """Whether a certificate holds, for anybody."""

    scope = None

    @extend_schema(responses={200: StandingSerializer, 404: ProblemSerializer})
    def get(self, request: Request, certificate_id: UUID) -> Response:
        """Say it, as of now."""
        found = certificates.standing(certificate_id=certificate_id, now=clock.now())
        return Response(StandingSerializer(found).data, headers={"Cache-Control": "no-store"})


def export_content(export: LibraryExport, *, now: Any) -> dict[str, Any]:
    """Return a zip as the API speaks of it."""
    is_ready = export.state == LibraryExport.State.READY
    return {**vars(export), "url": delivery.keep_url(export.key, now=now, filename=exports.FILE) if is_ready else None}


class Exports(APIView):
    """Zips of everything one owns."""

    scope = Scope.LISTEN

    @extend_schema(responses={200: ExportSerializer(many=True), **_FOR_THE_SIGNED_IN})
    def get(self, request: Request) -> Response:
        """Return the last ten, the newest first."""
        now = clock.now()
        found = exports.asked_by(person_id(request))
        return Response(ExportSerializer([export_content(one, now=now) for one in found], many=True).data)

    @extend_schema(request=ExportBody, responses={202: ExportSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Have one packed. While one is being packed, it is that one."""
        body = read(ExportBody, request.data)
        now = clock.now()
        export = exports.ask(person_id=person_id(request), format=body["format"], now=now)
        tasks.wake_export(export.id)
        return Response(ExportSerializer(export_content(export, now=now)).data, status=202)


class OneExport(APIView):
    """A zip of everything one owns."""

    scope = Scope.LISTEN

    @extend_schema(responses={200: ExportSerializer, 404: ProblemSerializer, **_FOR_THE_SIGNED_IN})
    def get(self, request: Request, export_id: UUID) -> Response:
        """Return how far it is."""
        export = exports.get(person_id=person_id(request), export_id=export_id)
        return Response(ExportSerializer(export_content(export, now=clock.now())).data)
