"""What every view of playback may answer with, and the header that each way of moving money asks for."""

from drf_spectacular.utils import OpenApiParameter

from members.access import KEY_LENGTH_MOST
from members.api import ProblemSerializer

REFUSALS = {
    400: ProblemSerializer,
    401: ProblemSerializer,
    402: ProblemSerializer,
    403: ProblemSerializer,
    404: ProblemSerializer,
    409: ProblemSerializer,
    410: ProblemSerializer,
}
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MOST, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    OpenApiParameter.HEADER,
    required=True,
    description="The same again when the request is repeated, another one for another intent.",
)
