"""Who may come in: the edge that all of the API shares. Who asks, what they may, how often, how a refusal reads."""

import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, pagination
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from members import throttles, tokens
from members.models import Person
from members.problems import Invalid, NotFound, Problem

if TYPE_CHECKING:  # the framework reads its settings, which name this module, when it loads its views
    from rest_framework.views import APIView

PROBLEM_TYPE = "application/problem+json"
REFUSED_TOKENS_PER_MINUTE = 60
_FIELDS_OF_A_BEARER = ["id", "email", "name", "is_staff"]


class NotSignedIn(Problem):
    """Nobody is signed in, or the token is not (or no longer) valid."""

    slug, status, title = "not-signed-in", 401, "Sign in first"


class ScopeMissing(Problem):
    """The token was not made for this."""

    slug, status, title = "scope-missing", 403, "This token may not do that"


def address(request: HttpRequest) -> str:
    """Return the address that asks, for counting alone; it is kept nowhere else and nowhere for long."""
    return str(request.META.get("REMOTE_ADDR", ""))


def bearer_of(request: HttpRequest) -> tokens.Bearer | None:
    """Return who the request's token speaks for, or None without a token. Raises NotSignedIn for a bad one."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if not header.startswith("Bearer "):
        return None
    found = tokens.find(header[7:])
    if found is None:
        throttles.check(f"refused:{address(request)}", limit=REFUSED_TOKENS_PER_MINUTE)
        raise NotSignedIn("the token is unknown, has expired or was revoked")
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

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge that makes DRF answer 401 rather than 403."""
        return "Bearer"


class ScopeRequired(BasePermission):
    """Admits people whose token carries the view's `scope`; a sign-in by cookie carries them all but the guarded ones.

    A view without a scope says so by `scope = None`: it is open to everyone.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return True or raise: a refusal names what is missing."""
        scope = view.scope_for(request.method) if hasattr(view, "scope_for") else view.scope  # type: ignore[attr-defined]
        if scope is None:
            return True
        if not request.user.is_authenticated:
            raise NotSignedIn("this needs somebody who is signed in, or a token")
        if isinstance(request.auth, tokens.Bearer) and scope not in request.auth.scopes:
            raise ScopeMissing(f"the token lacks the scope {scope}", scope=str(scope))
        return True


class EveryRoute(BaseThrottle):
    """Counts every request, by person where somebody is signed in, else by address."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Return True or raise TooManyRequests."""
        who = request.user.pk if request.user.is_authenticated else address(request._request)
        throttles.check(f"api:{who}", limit=settings.THROTTLE_PER_MINUTE)
        return True


class CursorPage(pagination.CursorPagination):
    """Stable pages: `results` and the address of the `next` ones."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-pk"

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
    """Return the request's Idempotency-Key. Raises Invalid unless it is 1 to 128 plain characters."""
    key = request.headers.get("Idempotency-Key", "")
    if not 1 <= len(key) <= 128 or not key.isprintable():
        raise Invalid("This needs the header Idempotency-Key: 1 to 128 characters, the same again when it is repeated.")
    return key


def problem_answer(problem: Problem) -> JsonResponse:
    """Return the problem as an answer of a plain view."""
    return JsonResponse(problem.content(), status=problem.status, content_type=PROBLEM_TYPE)


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an exception in a view; None lets a fault of ours become a logged 500."""
    headers: dict[str, str] = {}
    if isinstance(error, Http404):
        error = NotFound()
    if isinstance(error, exceptions.APIException):
        problem = _from_framework(error)
    elif isinstance(error, Problem):
        problem = error
    else:
        return None
    if problem.status == NotSignedIn.status:
        headers["WWW-Authenticate"] = "Bearer"
    if "retry_after_seconds" in problem.extra:
        headers["Retry-After"] = str(problem.extra["retry_after_seconds"])
    return Response(problem.content(), status=problem.status, headers=headers, content_type=PROBLEM_TYPE)


def _from_framework(error: exceptions.APIException) -> Problem:
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return NotSignedIn(str(error.detail))
    if isinstance(error, exceptions.ValidationError):
        return Invalid("Some of what was sent cannot be used.", fields=error.detail)
    problem = Problem(str(error.detail))
    problem.slug = str(error.default_code).replace("_", "-")
    problem.status, problem.title = error.status_code, str(error.default_detail)
    return problem


def person_id(request: Request) -> uuid.UUID:
    """Return who asks. Only for views with a scope."""
    assert not isinstance(request.user, AnonymousUser)
    return request.user.pk
