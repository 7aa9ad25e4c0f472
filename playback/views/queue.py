"""The queue as a page shows it: every line with its price, and what playing on from there costs."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from members.requests import moment_of, person_id_of
from playback import queue, sessions, wallets
from playback.queue import Line
from playback.views.wallet import CONSENT_VERSION
from playback.wallets import WalletOverview


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A line of a queue with what the player has to know of it, as JSON."""

    line: Line
    facts: str
    seconds: float
    ticks: list[str]


def shown(request: HttpRequest, work_ids: list[UUID]) -> list[Shown]:
    """Return the works as lines of a queue for whoever asks. A number of queries that does not depend on how many."""
    now, person_id = moment_of(request), person_id_of(request)
    overview = wallets.overview(person_id=person_id, now=now) if person_id is not None else None
    return [
        Shown(
            line=line,
            facts=json.dumps(_facts(line, overview, now)),
            seconds=(line.facts.duration_ms or 0) / 1000,
            ticks=_ticks(line),
        )
        for line in queue.lines(person_id=person_id, work_ids=work_ids, now=now)
    ]


def _ticks(line: Line) -> list[str]:
    """Return the state of each play: paid, next or left; nothing for what has no ladder to climb."""
    if line.basis in (sessions.OWN, sessions.FREE):
        return []
    if line.owned:
        return ["paid"] * line.plays
    to_come = next((number for number in range(1, line.plays + 1) if number not in line.paid_plays), 0)
    return [
        "paid" if number in line.paid_plays else "next" if number == to_come else "left"
        for number in range(1, line.plays + 1)
    ]


def _facts(line: Line, overview: WalletOverview | None, now: datetime) -> dict[str, Any]:
    """Return what the player has to know of a track, by the same names as on the work's own page."""
    told = line.facts
    blocked = overview.refusal(line.price_micros) if overview and line.asks else None
    return {
        "work": str(told.work_id),
        "title": told.title,
        "by": told.creator,
        "href": reverse("catalog:work", args=[told.work_id]),
        "listening_path": reverse("catalog:listening", args=[told.work_id]),
        "cover": told.cover.url(now) if told.cover else "",
        "basis": line.basis or sessions.PAID,
        "available": line.basis is not None,
        "owned": line.owned,
        "signed_in": overview is not None,
        "consented": bool(overview and overview.consented),
        "consent_version": CONSENT_VERSION,
        "goes_on": bool(overview and overview.goes_on),
        "price_micros": line.next_micros or None,
        "remaining_micros": line.remaining_micros,
        "credit_micros": overview.balance_micros + overview.promo_micros if overview else 0,
        "free_seconds": line.free_ms / 1000,
        "open_seconds": line.free_ms / 1000,
        "duration_seconds": (told.duration_ms or 0) / 1000,
        "blocked": blocked.content() if blocked else None,
        "charged": line.paid_already,
        "place_seconds": line.position_ms / 1000,
        "rest_micros": line.rest_micros,
    }


@never_cache
@require_safe
def lines(request: HttpRequest) -> HttpResponse:
    """Show the works named in the address as lines of a queue; what cannot be read as a work is left out."""
    return render(
        request, "playback/_queue_lines.html", {"shown": shown(request, _named(request.GET.get("works", "")))}
    )


def _named(words: str) -> list[UUID]:
    """Return the ids of works that stand in `words`, parted by commas."""
    found = []
    for word in words.split(",")[: queue.WORKS_MOST]:
        try:
            found.append(UUID(word))
        except ValueError:
            continue
    return found
