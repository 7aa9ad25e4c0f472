"""The listening part of a work's page, and how works stand on a shelf for one person."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from catalog import delivery
from catalog import drawing as work_drawing
from members import policies
from members.requests import moment_of, person_id_of
from playback import holdings, sessions
from playback.models import Holding, Session
from playback.views import parts
from playback.views.looking import photo_fragment
from playback.views.wallet import CONSENT_VERSION

PEAKS_WITHOUT_SOUND = [8] * 180


def listening_fragment(request: HttpRequest, work: Any) -> SafeString:
    """Return the listening part of a work's page: player, ring, ladder and every word that a state of it may say."""
    if work.kind == "photo":
        return photo_fragment(request, work)
    now = moment_of(request)
    person_id = person_id_of(request)
    listening = sessions.listening(person_id=person_id, work_id=work.id, now=now)
    credit = parts.credit(person_id, now)
    heard = _paid_and_not_heard_out(person_id, work.id, now)
    renditions = {rendition.kind: rendition for rendition in work.renditions.filter(kind__in=["waveform", "cover"])}
    wave = renditions.get("waveform")
    href = reverse("catalog:work", args=[work.id])
    asks_first = listening.free_seconds == 0 and (listening.basis == "paid" or not listening.signed_in)
    facts = {
        "work": str(work.id),
        "title": work.title,
        "by": str(work.creator),
        "href": href,
        "listening_path": reverse("catalog:listening", args=[work.id]),
        "cover": delivery.cover_url(renditions["cover"], now=now) if "cover" in renditions else "",
        "basis": listening.basis,
        "owned": listening.owned,
        "signed_in": listening.signed_in,
        "consented": listening.consented,
        "consent_version": CONSENT_VERSION,
        "goes_on": listening.goes_on,
        "price_micros": listening.price_micros,
        "remaining_micros": listening.remaining_micros,
        "credit_micros": credit,
        "free_seconds": listening.free_seconds,
        "open_seconds": listening.open_seconds,
        "duration_seconds": listening.duration_seconds,
        "blocked": listening.blocked.content() if listening.blocked else None,
        "charged": heard is not None,
        "place_seconds": heard.position_ms / 1000 if heard else 0,
    }
    context = {
        **parts.holding(listening, title=work.title, noun="play"),
        "work": work,
        "facts": json.dumps(facts),
        "facts_href": href,
        "credit_micros": credit,
        "asks_first": asks_first,
        "has_gate": listening.available
        and listening.free_seconds > 0
        and (listening.basis == "paid" or not listening.signed_in),
        "wave": work_drawing.wave(
            wave.layout["peaks"] if wave else PEAKS_WITHOUT_SOUND,
            gate_at=listening.free_seconds / listening.duration_seconds if listening.duration_seconds else 0,
        ),
    }
    return mark_safe(render_to_string("playback/_listening.html", context, request))  # noqa: S308  (a rendered template)


@dataclass(frozen=True, kw_only=True)
class OnShelf:
    """What a card says of a work to one person: the next play's price (None: nothing asked), and how far they are."""

    price_micros: int | None
    owned: bool
    paid_plays: int
    plays: int


def standings(*, person_id: UUID | None, figures: Mapping[UUID, int | None], now: datetime) -> dict[UUID, OnShelf]:
    """Return how works with these price figures stand for the person. One query for who is signed in, else none."""
    pricing = policies.policy_at("pricing", now)
    held = {}
    if person_id is not None:
        rows = Holding.objects.filter(listener_id=person_id, work_id__in=figures)
        held = {row.work_id: holdings.from_row(row) for row in rows}
    found = {}
    for work_id, figure in figures.items():
        has = held.get(work_id, holdings.NOTHING)
        terms = holdings.terms_now(figure=figure, pricing=pricing.params, version=pricing.seq)
        asked = holdings.quote(held=has, now=terms)
        found[work_id] = OnShelf(
            price_micros=asked.price_micros if asked.play_number is not None else None,
            owned=has.owned_at is not None,
            paid_plays=len(has.paid_plays),
            plays=terms.plays if has.terms is None else has.terms.plays,
        )
    return found


def _paid_and_not_heard_out(person_id: UUID | None, work_id: UUID, now: datetime) -> Session | None:
    """Return the session that pressing play will go on with, nothing asked: charged and not yet heard to the end."""
    if person_id is None:
        return None
    return Session.objects.filter(
        listener_id=person_id,
        work_id=work_id,
        ended_at=None,
        charge_id__isnull=False,
        completed_at=None,
        reversed_at=None,
        playlist_until__gt=now,
    ).first()
