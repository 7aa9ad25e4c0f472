"""Listening and paying over HTTP."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import delivery
from members import clock, policies
from members.access import ScopeMissing, WrongType, bearer_of, idempotency_key, person_id, problem_answer
from members.api import ProblemSerializer, read
from members.problems import Invalid, NotFound, Problem
from members.tokens import Scope
from playback import charging, gate, openings, sessions
from playback.api.answers import KEY, REFUSALS
from playback.charging import PriceChanged
from playback.models import Session
from playback.serializers.listening import (
    ChargedSerializer,
    OpeningSerializer,
    PriceBody,
    ProgressBody,
    SessionBody,
    SessionSerializer,
)
from playback.sessions import Sitting

PRICE_BODY_BYTES_MOST = 1_000


def playlist_url(*, listener_id: UUID, session_id: UUID, until: datetime) -> str:
    """Return the address of a session's playlist."""
    return gate.address(listener_id=listener_id, session_id=session_id, until=until)


def address_of(sitting: Sitting, *, listener_id: UUID, now: datetime) -> dict[str, str | None]:
    """Return where a session is heard or seen: a track's playlist, or what may be seen of a photo now."""
    if sitting.kind == sessions.PHOTO:
        return {"view_url": sessions.view_url(sitting, now=now)}
    until = sitting.playlist_until
    return {"playlist_url": playlist_url(listener_id=listener_id, session_id=sitting.id, until=until)}


def session_content(sitting: Sitting, *, listener_id: UUID, now: datetime) -> dict[str, Any]:
    """Return a session as the API speaks of it."""
    return {
        "id": sitting.id,
        "work": sitting.work_id,
        "kind": sitting.kind,
        "owned": sitting.basis == sessions.OWNED,
        "own": sitting.basis == sessions.OWN,
        "free": sitting.basis == sessions.FREE,
        "charged": sitting.charged,
        "play_number": sitting.play_number,
        "price_micros": sitting.price_micros,
        "paid_micros": sitting.paid_micros,
        "cap_micros": sitting.cap_micros,
        "remaining_micros": sitting.cap_micros - sitting.paid_micros if sitting.basis == sessions.PAID else 0,
        "currency": settings.CURRENCY,
        "pricing_version": sitting.pricing_version,
        "pricing_href": policies.href("pricing", sitting.pricing_version),
        "opening_version": sitting.opening_version,
        "opening_href": policies.href("opening", sitting.opening_version),
        "free_seconds": sitting.free_seconds,
        "open_seconds": sitting.open_seconds,
        "duration_seconds": sitting.duration_seconds,
        "blocked": sitting.blocked.content() if sitting.blocked else None,
        "expires_at": sitting.expires_at,
        **address_of(sitting, listener_id=listener_id, now=now),
        "position_seconds": sitting.position_seconds,
    }


class Opening(APIView):
    """The opening of a work, without signing in."""

    scope = None

    @extend_schema(responses={200: OpeningSerializer, 404: ProblemSerializer, 409: ProblemSerializer})
    def get(self, request: Request, work_id: UUID) -> Response:
        """Return where it is heard; the day's count goes up by one."""
        now = clock.now()
        found = openings.for_anyone(work_id=work_id, now=now)
        if found.kind == sessions.PHOTO:
            return Response({"view_url": delivery.preview_url(work_id, now=now)})
        return Response(
            {
                "playlist_url": gate.address(listener_id=None, session_id=work_id, until=now + openings.LIVES),
                "free_seconds": found.free_ms / 1000,
                "open_seconds": found.open_ms / 1000,
            }
        )


class Sessions(APIView):
    """Begin listening."""

    scope = Scope.LISTEN

    @extend_schema(request=SessionBody, responses={200: SessionSerializer, 201: SessionSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        """Begin a session or resume the live one. Nothing is charged by it."""
        body = read(SessionBody, request.data)
        listener, now = person_id(request), clock.now()
        sitting, new = sessions.begin(
            person_id=listener, work_id=body["work"], source=body.get("source", Session.Source.API), now=now
        )
        content = session_content(sitting, listener_id=listener, now=now)
        return Response(SessionSerializer(content).data, status=201 if new else 200)


class OneSession(APIView):
    """A session."""

    scope = Scope.LISTEN

    @extend_schema(
        responses={200: SessionSerializer, 401: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}
    )
    def get(self, request: Request, session_id: UUID) -> Response:
        """Return it as it stands."""
        listener = person_id(request)
        now = clock.now()
        sitting = sessions.get(person_id=listener, session_id=session_id, now=now)
        return Response(SessionSerializer(session_content(sitting, listener_id=listener, now=now)).data)


class ChargeSession(APIView):
    """Charge a play. A token's request, the hottest, passes by the framework, with the same checks."""

    scope = Scope.SPEND

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a token's POST at once; leave everything else to DRF."""
        if request.method != "POST" or not request.META.get("HTTP_AUTHORIZATION", "").startswith("Bearer "):
            return super().dispatch(request, *args, **kwargs)
        try:
            bearer = bearer_of(request)
            assert bearer is not None
            if Scope.SPEND not in bearer.scopes:
                raise ScopeMissing(f"the token lacks the scope {Scope.SPEND}", scope=str(Scope.SPEND))
            price = _price_of(request)
            content = charge_content(bearer.person_id, kwargs["session_id"], price)
            return JsonResponse(content, headers={"Cache-Control": "no-store"})
        except Problem as problem:
            return problem_answer(problem)

    @extend_schema(request=PriceBody, responses={200: ChargedSerializer, **REFUSALS})
    def post(self, request: Request, session_id: UUID) -> Response:
        """Charge the play the session's quote describes, never more than `price_micros`."""
        body = read(PriceBody, request.data)
        content = charge_content(person_id(request), session_id, body["price_micros"])
        return Response(content, headers={"Cache-Control": "no-store"})


def charge_content(listener_id: UUID, session_id: UUID, price_micros: int) -> dict[str, Any]:
    """Charge and return the answer; a changed price comes with the fresh quote."""
    try:
        charged, until = charging.charge_session(
            person_id=listener_id, session_id=session_id, price_micros=price_micros
        )
    except PriceChanged as changed:
        now = clock.now()
        try:
            fresh = sessions.requote(person_id=listener_id, session_id=session_id, now=now)
        except NotFound:
            # Another tab charged it in between: asked again, it tells what was recorded.
            charged, until = charging.charge_session(
                person_id=listener_id, session_id=session_id, price_micros=price_micros
            )
        else:
            quote = session_content(fresh, listener_id=listener_id, now=now)
            changed.extra["quote"] = SessionSerializer(quote).data
            changed.extra["policy"] = policies.citation("pricing", fresh.pricing_version)
            raise
    if until is None:
        now = clock.now()
        sitting = sessions.get(person_id=listener_id, session_id=session_id, now=now)
        return {**asdict(charged), "view_url": sessions.view_url(sitting, now=now)}
    address = playlist_url(listener_id=listener_id, session_id=session_id, until=until)
    return {**asdict(charged), "playlist_url": address}


def _price_of(request: HttpRequest) -> int:
    """Return `price_micros` of the body, which holds it and nothing else. Raises WrongType and Invalid."""
    body = request.body
    if body and request.content_type != "application/json":
        raise WrongType("Send the price as application/json.")
    try:
        found = json.loads(body.decode()) if len(body) <= PRICE_BODY_BYTES_MOST else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and found.keys() == {"price_micros"}:
        price = found["price_micros"]
        if type(price) is int and 0 <= price < 2**53:
            return price
    if not isinstance(found, dict):
        raise Invalid("The body is a JSON object.")
    read(PriceBody, found)
    raise Invalid("An amount is a whole number of micros.")


class Progress(APIView):
    """Say how far a work was heard. It never moves money."""

    scope = Scope.LISTEN

    @extend_schema(request=ProgressBody, responses={204: None, **REFUSALS})
    def post(self, request: Request, session_id: UUID) -> Response:
        """Note it."""
        body = read(ProgressBody, request.data)
        sessions.report_progress(
            person_id=person_id(request),
            session_id=session_id,
            position_ms=int(body["position_seconds"] * 1000),
            completed=body["state"] == "completed",
            now=clock.now(),
        )
        return Response(status=204)


class Purchase(APIView):
    """Pay the rest of a work at once; or keep one that is free."""

    scope = Scope.SPEND

    @extend_schema(parameters=[KEY], request=PriceBody, responses={200: ChargedSerializer, **REFUSALS})
    def post(self, request: Request, work_id: UUID) -> Response:
        """Buy it for at most `price_micros`."""
        key = idempotency_key(request)
        body = read(PriceBody, request.data)
        charged = charging.purchase(
            person_id=person_id(request), work_id=work_id, price_micros=body["price_micros"], key=key, now=clock.now()
        )
        return Response(asdict(charged))


@require_safe
def playlist(request: HttpRequest, capability: str) -> HttpResponse:
    """Answer with the playlist that the capability opens now."""
    try:
        text = gate.playlist(capability=capability, growing=request.GET.get("growing") == "1", now=clock.now())
    except Problem as problem:
        return problem_answer(problem)
    answer = HttpResponse(text, content_type="application/vnd.apple.mpegurl")
    answer["Cache-Control"] = "no-store"
    return answer
