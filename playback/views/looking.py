"""The part of a photo's page that has prices: the preview or the full size, what opening it costs, ring and ladder."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from catalog import delivery
from members.problems import NotFound
from members.requests import moment_of, person_id_of
from playback import sessions
from playback.models import Session
from playback.sessions import Listening
from playback.views import parts
from playback.views.wallet import CONSENT_VERSION


def photo_fragment(request: HttpRequest, work: Any) -> SafeString:
    """Return the picture as this person may see it now, the price of a view, and how it becomes theirs."""
    now, person_id = moment_of(request), person_id_of(request)
    listening = sessions.listening(person_id=person_id, work_id=work.id, now=now)
    paid = _paid_view(person_id, work.id, now)
    opens = listening.available and (listening.basis != sessions.PAID and person_id is not None)
    open_url = _open_url(person_id, work.id, paid, now) if paid or opens else None
    facts = {
        "work": str(work.id),
        "listening_path": reverse("catalog:listening", args=[work.id]),
        "price_micros": listening.price_micros,
        "remaining_micros": listening.remaining_micros,
        "consented": listening.consented,
        "consent_version": CONSENT_VERSION,
        "counts": opens,
        "href": reverse("catalog:work", args=[work.id]),
        "open_seconds_left": (paid.playlist_until - now).total_seconds() if paid and open_url else 0,
    }
    context = {
        **parts.holding(listening, title=work.title, noun="view"),
        "work": work,
        "is_photo": True,
        "facts": json.dumps(facts),
        "facts_href": reverse("catalog:work", args=[work.id]),
        "credit_micros": parts.credit(person_id, now),
        "open_url": open_url,
        "open_until": paid.playlist_until if paid and open_url and not listening.owned else None,
        "asks_consent": not listening.consented and not open_url and _is_for_sale(listening),
        "sources": _sources(work.id, listening, now),
        "alternative": work.alternative_text or f"{work.title}; its creator has not described it",
    }
    return mark_safe(render_to_string("playback/_looking.html", context, request))  # noqa: S308  (a rendered template)


def _is_for_sale(listening: Listening) -> bool:
    """Return whether who is signed in is asked a price for the next view."""
    return listening.signed_in and listening.available and listening.basis == sessions.PAID


def _paid_view(person_id: UUID | None, work_id: UUID, now: datetime) -> Session | None:
    """Return the session whose view is paid and still open."""
    if person_id is None:
        return None
    return Session.objects.filter(
        listener_id=person_id,
        work_id=work_id,
        ended_at=None,
        charge_id__isnull=False,
        reversed_at=None,
        playlist_until__gt=now,
    ).first()


def _open_url(person_id: UUID | None, work_id: UUID, paid: Session | None, now: datetime) -> str | None:
    """Return where the whole picture is seen: under the paid session's address, or one for what opens free."""
    if paid is not None and person_id is not None:
        return sessions.view_url(sessions.get(person_id=person_id, session_id=paid.id, now=now), now=now)
    return delivery.view_url(work_id, now=now, lives=sessions.VIEW_LIVES)


def _sources(work_id: UUID, listening: Listening, now: datetime) -> list[tuple[str, int]]:
    """Return the previews, the smallest first; none of what nobody may see now."""
    if not listening.available:
        return []
    try:
        return delivery.preview_sources(work_id, now=now)
    except NotFound:
        return []
