"""Files sent in pieces over HTTP: the tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload).

Core protocol, creation, termination, expiration and checksum. Every tus client works; what became of a file is read as
JSON at the same address.
"""

import base64
import binascii
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import tasks
from catalog.api.uploads import profile_of
from catalog.intake import transfers
from catalog.models import Transfer
from catalog.serializers.uploads import MetadataSerializer, TransferSerializer
from members import clock
from members.access import CursorPage, WrongType, person_id
from members.api import ProblemSerializer, read
from members.problems import Invalid, Problem
from members.tokens import Scope

VERSION = "1.0.0"
ALGORITHMS = {"sha1": 20, "sha256": 32}
PIECE_TYPE = "application/offset+octet-stream"
NUMBER_DIGITS_MOST = 15
SPOKEN = OpenApiParameter("Tus-Resumable", str, OpenApiParameter.HEADER, required=True, enum=[VERSION])


class OtherVersion(Problem):
    """The request speaks another version of the tus protocol, or does not say which."""

    slug, status, title = "tus-version", 412, "This version of tus is not spoken here"


class PieceBody(BaseParser):
    """Names the type of a piece. Its bytes are never parsed: they go to a disk as they come."""

    media_type = PIECE_TYPE


class Tus(APIView):
    """What every answer of the protocol says."""

    scope: str | None = Scope.PUBLISH

    def scope_for(self, method: str) -> str | None:
        """Ask nothing of whoever asks what is spoken here."""
        return None if method == "OPTIONS" else Scope.PUBLISH

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Say what is spoken here."""
        said = {
            "Tus-Version": VERSION,
            "Tus-Extension": "creation,termination,expiration,checksum",
            "Tus-Max-Size": str(settings.UPLOAD_BYTES_MAX),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        }
        return Response(status=204, headers=said)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Name the version on every answer, and say on every refusal of it which one there is."""
        answer: Any = super().finalize_response(request, response, *args, **kwargs)
        answer["Tus-Resumable"] = VERSION
        answer["Cache-Control"] = "no-store"
        if answer.status_code == OtherVersion.status:
            answer["Tus-Version"] = VERSION
        return answer


def _check_version(request: Request) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise OtherVersion(f"Send the header Tus-Resumable: {VERSION}.")


def _number(request: Request, name: str) -> int:
    said = request.headers.get(name, "")
    if not (said.isascii() and said.isdigit() and len(said) <= NUMBER_DIGITS_MOST):
        raise Invalid(f"The header {name} is a whole number of bytes.")
    return int(said)


def _metadata(request: Request) -> dict[str, Any]:
    """Return what Upload-Metadata says: pairs of a key and a value in base64. Raises Invalid."""
    pairs: dict[str, str] = {}
    for pair in filter(None, request.headers.get("Upload-Metadata", "").split(",")):
        key, _, value = pair.strip().partition(" ")
        try:
            pairs[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            raise Invalid(f"The value of {key[:40]!r} in Upload-Metadata is not UTF-8 in base64.") from None
    return read(MetadataSerializer, pairs)


def _checksum(request: Request) -> tuple[str, bytes]:
    said = request.headers.get("Upload-Checksum", "")
    if not said:
        return "", b""
    algorithm, _, value = said.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Invalid(f"The checksum is one of {', '.join(ALGORITHMS)}.")
    try:
        digest = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != ALGORITHMS[algorithm]:
        raise Invalid("The checksum is not base64 of its length.")
    return algorithm, digest


def _standing(transfer: Transfer) -> dict[str, str]:
    found = {"Upload-Offset": str(transfer.offset_bytes)}
    if transfer.state == Transfer.State.SENDING:
        found["Upload-Expires"] = http_date(transfer.expires_at.timestamp())
    return found


class Transfers(Tus, ListAPIView):
    """One's own files on their way."""

    serializer_class = TransferSerializer
    parser_classes = [PieceBody]

    class pagination_class(CursorPage):  # noqa: N801  (DRF's name for it)
        """Newest first."""

        ordering = ("-created_at", "-id")  # type: ignore[assignment]

    def get_queryset(self) -> Any:
        """Return the person's own."""
        return transfers.mine(person_id(self.request))

    @extend_schema(
        request=None,
        parameters=[
            SPOKEN,
            OpenApiParameter("Upload-Length", int, OpenApiParameter.HEADER, required=True),
            OpenApiParameter(
                "Upload-Metadata",
                str,
                OpenApiParameter.HEADER,
                required=True,
                description="Pairs of key and base64: filename; perhaps creator (slug), folder, modified, replaces.",
            ),
        ],
        responses={
            201: OpenApiResponse(description="The header Location says where its pieces go."),
            404: ProblemSerializer,
            412: ProblemSerializer,
            413: ProblemSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Make room for a file (tus: creation)."""
        _check_version(request)
        if request.headers.get("Upload-Defer-Length"):
            raise Invalid("The length of the file has to be known: send Upload-Length.")
        said = _metadata(request)
        transfer = transfers.begin(
            person_id=person_id(request),
            creator_id=profile_of(person_id(request), said.get("creator")),
            filename=said["filename"],
            size_bytes=_number(request, "Upload-Length"),
            folder=said.get("folder", ""),
            modified_ms=said.get("modified"),
            replaces=said.get("replaces"),
            now=clock.now(),
        )
        headers = {**_standing(transfer), "Location": f"{settings.TRANSFERS_PATH}{transfer.id}"}
        return Response(status=201, headers=headers)


class OneTransfer(Tus):
    """A file on its way."""

    parser_classes = [PieceBody]

    @extend_schema(responses={200: TransferSerializer, 404: ProblemSerializer})
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """Say how far it has come, and what became of it."""
        found = transfers.find(transfer_id=transfer_id, person_id=person_id(request))
        return Response(TransferSerializer(found).data)

    def head(self, request: Request, transfer_id: UUID) -> Response:
        """Say where its next byte goes (tus)."""
        _check_version(request)
        found = transfers.find(transfer_id=transfer_id, person_id=person_id(request))
        if found.state == Transfer.State.REFUSED:
            raise transfers.TransferOver(found.reason)
        return Response(headers={**_standing(found), "Upload-Length": str(found.size_bytes)})

    @extend_schema(
        request={PIECE_TYPE: OpenApiTypes.BINARY},
        parameters=[
            SPOKEN,
            OpenApiParameter("Upload-Offset", int, OpenApiParameter.HEADER, required=True),
            OpenApiParameter(
                "Upload-Checksum",
                str,
                OpenApiParameter.HEADER,
                description="sha1 or sha256, a blank, and the digest in base64.",
            ),
        ],
        responses={
            204: OpenApiResponse(description="The header Upload-Offset says how much has arrived."),
            404: ProblemSerializer,
            409: ProblemSerializer,
            412: ProblemSerializer,
            413: ProblemSerializer,
            460: ProblemSerializer,
            503: ProblemSerializer,
        },
    )
    def patch(self, request: Request, transfer_id: UUID) -> Response:
        """Take the next piece in (tus)."""
        _check_version(request)
        if request.content_type != PIECE_TYPE:
            raise WrongType(f"A piece is of the type {PIECE_TYPE}.")
        algorithm, digest = _checksum(request)
        piece = transfers.Piece(
            offset=_number(request, "Upload-Offset"),
            length=int(request.META.get("CONTENT_LENGTH") or 0),
            read=request._request.read,
            algorithm=algorithm,
            digest=digest,
        )
        transfer = transfers.add(transfer_id=transfer_id, person_id=person_id(request), piece=piece, now=clock.now())
        if transfer.state == Transfer.State.COMPLETE:
            tasks.wake_transfer(transfer.id)
        return Response(status=204, headers=_standing(transfer))

    @extend_schema(
        parameters=[SPOKEN],
        responses={204: None, 404: ProblemSerializer, 409: ProblemSerializer, 412: ProblemSerializer},
    )
    def delete(self, request: Request, transfer_id: UUID) -> Response:
        """Give the file up (tus: termination)."""
        _check_version(request)
        transfers.give_up(transfer_id=transfer_id, person_id=person_id(request))
        return Response(status=204)
