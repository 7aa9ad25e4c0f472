"""Who may come in: the edge that all of the API shares. Who asks, what they may, how often, how a refusal reads."""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from typing import IO, TYPE_CHECKING, Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from rest_framework import exceptions, pagination
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from members import clock, throttles, tokens
from members.models import Person
from members.problems import Invalid, NotAllowed, NotFound, Problem

if TYPE_CHECKING:  # the framework reads its settings, which name this module, when it loads its views
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
REFUSED_TOKENS_PER_MINUTE = 60
SECOND_FACTOR_LASTS = timedelta(minutes=15)
# What a form adds around the file that it carries.
FORM_BYTES = 1_000_000
DEPTH_MOST = 8
KEY_LENGTH_MOST = 128
PAGE_SIZE_DIGITS_MOST = 9
AWAY_SECONDS = 2
_FIELDS_OF_A_BEARER = ["id", "email", "name", "is_staff"]


class NotSignedIn(Problem):
    """Nobody is signed in, or the token is not (or no longer) valid."""

    slug, status, title = "not-signed-in", 401, "Sign in first"


class ScopeMissing(Problem):
    """The token was not made for this."""

    slug, status, title = "scope-missing", 403, "This token may not do that"


class SecondFactorNeeded(Problem):
    """Votes and other people's money need a sign-in with a second factor that is at most 15 minutes old."""

    slug, status, title = "second-factor-needed", 403, "Confirm that it is you"


class NotFromOurPage(Problem):
    """A sign-in by cookie changes something only with the token that our own pages carry (CSRF)."""

    slug, status, title = "csrf-refused", 403, "This did not come from our page"


class WrongMethod(Problem):
    """There is something at this address, but it does not do that; the header Allow says what it does."""

    slug, status, title = "method-not-allowed", 405, "That cannot be done here"


class WrongType(Problem):
    """The body is of a type that is not read here."""

    slug, status, title = "unsupported-media-type", 415, "A body of this type is not read here"


class NoSuchForm(Problem):
    """The answer cannot be given in any of the types that were asked for."""

    slug, status, title = "not-acceptable", 406, "There is no answer of that type"


class BodyTooLarge(Problem):
    """The request is larger than anything this address takes; none of it was read."""

    slug, status, title = "body-too-large", 413, "The request is too large"


class DatabaseAway(Problem):
    """The database did not answer. Whatever was asked either happened whole or not at all; asking again finds out."""

    slug, status, title = "unavailable", 503, "Refrain is away for a moment"


def address(request: HttpRequest) -> str:
    """Return the address that asks, for counting alone; it is kept nowhere else and nowhere for long."""
    return str(request.META.get("REMOTE_ADDR", ""))


def _has_token(request: HttpRequest) -> bool:
    return bool(request.META.get("HTTP_AUTHORIZATION", "").startswith("Bearer "))


def bearer_of(request: HttpRequest) -> tokens.Bearer | None:
    """Return who the request's token speaks for, or None without a token, and count the request.

    Raises NotSignedIn for a bad token, and TooManyRequests.
    """
    if not _has_token(request):
        return None
    found = tokens.find(request.META["HTTP_AUTHORIZATION"][7:])
    if found is None:
        throttles.check(f"refused:{address(request)}", limit=REFUSED_TOKENS_PER_MINUTE)
        raise NotSignedIn("the token is unknown, has expired or was revoked")
    throttles.check(f"person:{found.person_id}", limit=settings.THROTTLE_PER_MINUTE)
    return found


class BearerAuthentication(BaseAuthentication):
    """Signs a request in by its token."""

    def authenticate(self, request: Request) -> tuple[Person, tokens.Bearer] | None:
        """Return the person and what the token may be used for."""
        found = bearer_of(request._request)
        if found is None:
            return None
        person = Person.from_db(
            "default", _FIELDS_OF_A_BEARER, [found.person_id, found.email, found.name, found.is_staff]
        )
        return person, found

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes DRF answer 401 rather than 403."""
        return "Bearer"


class CookieAuthentication(SessionAuthentication):
    """Signs a request in by the pages' session cookie, with the CSRF check."""

    def enforce_csrf(self, request: Request) -> None:
        """Raise NotFromOurPage unless the request carries our pages' token."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as refusal:
            raise NotFromOurPage(f"{refusal.detail}.".replace("..", ".")) from None

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes DRF answer 401 rather than 403."""
        return "Bearer"


class ScopeRequired(BasePermission):
    """Admits people whose token carries the view's `scope`.

    A sign-in by cookie carries them all; the guarded ones only while its second factor is fresh. A view without a scope
    says so by `scope = None`: it is open to everyone.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return True or raise: a refusal names what is missing."""
        scope = view.scope_for(request.method) if hasattr(view, "scope_for") else view.scope  # type: ignore[attr-defined]
        if scope is None:
            return True
        if not request.user.is_authenticated:
            raise NotSignedIn("this needs somebody who is signed in, or a token")
        if isinstance(request.auth, tokens.Bearer):
            if scope not in request.auth.scopes:
                raise ScopeMissing(f"the token lacks the scope {scope}", scope=str(scope))
        elif scope in tokens.GUARDED and not has_fresh_second_factor(request._request):
            raise SecondFactorNeeded("Sign in with your second factor once more; that holds for 15 minutes.")
        return True


def has_fresh_second_factor(request: HttpRequest) -> bool:
    """Return whether the person signed in, or confirmed it, with a second factor at most 15 minutes ago.

    Always true where settings switch the second factor off, as in the demo. Two queries.
    """
    if not settings.SECOND_FACTOR_REQUIRED:
        return True
    # allauth dates its records with the machine's clock, which no test and no demo moves.
    actual = clock.now() - clock.offset()
    oldest = (actual - SECOND_FACTOR_LASTS).timestamp()
    return any(
        record["method"] == "mfa" and record["at"] >= oldest
        for record in get_authentication_records(request, request.user)
    )


def fresh_second_factor_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Return a page's view that first asks who is signed in for their second factor, unless they showed it just now.

    Raises SecondFactorNeeded where it cannot be asked for: nothing was typed yet by somebody who has none.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if has_fresh_second_factor(request):
            return view(request, *args, **kwargs)
        if request.method in ("GET", "HEAD") and is_mfa_enabled(request.user):
            return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': request.get_full_path()})}")
        raise SecondFactorNeeded("Sign in with your second factor once more; that holds for 15 minutes.")

    return guarded


class DoorMiddleware:
    """Counts and measures every request before anything of it is read.

    It is counted by person where somebody is signed in, else by address; one with a token when the token is looked up,
    which is before anything else is done for it (`bearer_of`).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Take what answers."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or say that it is too much."""
        try:
            _check_size(request)
            if not (request.path.startswith("/api/") and _has_token(request)):
                who = f"person:{request.user.pk}" if request.user.is_authenticated else f"address:{address(request)}"
                throttles.check(who, limit=settings.THROTTLE_PER_MINUTE)
        except (Problem, OperationalError, InterfaceError) as met:
            problem = met if isinstance(met, Problem) else _away(request, met)
            refused = problem_answer(problem)
            if "text/html" in request.headers.get("Accept", ""):
                refused.content = f"{problem.title}: {problem.detail}\n".encode()
                refused.headers["Content-Type"] = "text/plain; charset=utf-8"
            return refused
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Say that the database is away, where a view of the API met that."""
        if request.path.startswith("/api/") and isinstance(exception, OperationalError | InterfaceError):
            return problem_answer(_away(request, exception))
        return None


def _away(request: HttpRequest, error: Exception) -> DatabaseAway:
    logger.error("the database did not answer %s: %s", request.path, error)
    return DatabaseAway(
        "The database does not answer. Ask again in a moment: what you asked for was done whole or not at all.",
        retry_after_seconds=AWAY_SECONDS,
    )


def _check_size(request: HttpRequest) -> None:
    """Raise BodyTooLarge for a body that nothing here takes. What has no length has no body (PEP 3333)."""
    try:
        size = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        size = 0
    takes_files = request.path in settings.UPLOAD_PATHS or request.path.startswith(settings.TRANSFERS_PATH)
    most = settings.UPLOAD_BYTES_MAX + FORM_BYTES if takes_files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if size > most:
        raise BodyTooLarge(f"It has {size:,} bytes; at most {most:,} are taken here.", bytes_most=most)


class JsonBody(BaseParser):
    """Reads a JSON body as strictly as RFC 8259 writes it: UTF-8, no NaN, and nothing that cannot be said again."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return what the body says. Raises Invalid."""
        try:
            said = json.loads(stream.read().decode(), parse_constant=_refuse_constant)
            # Half a character, written as an escape, is read but can be neither kept nor shown.
            json.dumps(said, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            raise Invalid("The body is not JSON that can be read here.") from None
        if not _is_shallow(said, DEPTH_MOST):
            raise Invalid(f"The body is nested deeper than {DEPTH_MOST} times; nothing here needs that.")
        return said


def _is_shallow(said: object, most: int) -> bool:
    inside = said.values() if isinstance(said, dict) else said if isinstance(said, list) else ()
    return most >= 0 and all(_is_shallow(one, most - 1) for one in inside)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


class CursorPage(pagination.CursorPagination):
    """Stable pages: `results` and the address of the `next` ones."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-pk"

    def paginate_queryset(self, queryset: Any, request: Request, view: "APIView | None" = None) -> list[Any] | None:
        """Return the rows of the page. Raises Invalid for a cursor that we did not give out."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (exceptions.NotFound, ValidationError, ValueError):
            raise Invalid("The cursor is not one of ours; begin again without it.") from None

    def get_page_size(self, request: Request) -> int:
        """Return how many rows are asked for, at most 200. Raises Invalid for what is no number of rows."""
        said = request.query_params.get("page_size", str(self.page_size))
        if not (said.isascii() and said.isdigit() and len(said) <= PAGE_SIZE_DIGITS_MOST and int(said)):
            raise Invalid("The size of a page is a whole number from 1 on; at most 200 are given.")
        return min(int(said), self.max_page_size)

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """Return the parameters for the OpenAPI document."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for one in parameters:
            if one["name"] == self.page_size_query_param:
                one["schema"] = {"type": "integer", "minimum": 1}
                one["description"] = f"How many rows; at most {self.max_page_size} are given."
        return parameters

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page."""
        return Response({"results": data, "next": self.get_next_link()})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the page's shape for the OpenAPI document."""
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {"results": schema, "next": {"type": "string", "nullable": True}},
        }


def idempotency_key(request: HttpRequest) -> str:
    """Return the request's Idempotency-Key. Raises Invalid unless it is 1 to 128 characters of ASCII."""
    key = request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= KEY_LENGTH_MOST or not key.isascii() or not key.isprintable():
        raise Invalid("This needs the header Idempotency-Key: 1 to 128 characters, the same again when it is repeated.")
    return key


def problem_answer(problem: Problem) -> JsonResponse:
    """Return the problem as an answer of a plain view."""
    return JsonResponse(
        problem.content(), status=problem.status, headers=_headers_of(problem), content_type=PROBLEM_TYPE
    )


def answer(error: Exception, context: dict[str, Any]) -> JsonResponse | None:
    """Return the answer to an exception in a view; None lets a fault of ours become a logged 500.

    It is JSON also where the view speaks something else, as the pages of the API's own description do.
    """
    if isinstance(error, Http404):
        error = NotFound()
    if isinstance(error, exceptions.APIException):
        error = _from_framework(error)
    return problem_answer(error) if isinstance(error, Problem) else None


def _headers_of(problem: Problem) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if problem.status == NotSignedIn.status:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_seconds" in problem.extra:
        headers["Retry-After"] = str(problem.extra["retry_after_seconds"])
    return headers


def _from_framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.ValidationError):
        return Invalid("Some of what was sent cannot be used.", fields=error.detail)
    ours = next((problem for kind, problem in _OUR_WORDS.items() if isinstance(error, kind)), Invalid)
    return ours(str(error.detail))


_OUR_WORDS: dict[type[exceptions.APIException], type[Problem]] = {
    exceptions.NotAuthenticated: NotSignedIn,
    exceptions.AuthenticationFailed: NotSignedIn,
    exceptions.PermissionDenied: NotAllowed,
    exceptions.NotFound: NotFound,
    exceptions.MethodNotAllowed: WrongMethod,
    exceptions.NotAcceptable: NoSuchForm,
    exceptions.UnsupportedMediaType: WrongType,
}


def person_id(request: Request) -> uuid.UUID:
    """Return who asks. Only for views with a scope."""
    assert not isinstance(request.user, AnonymousUser)
    return request.user.pk
