"""The part of a release that has prices: its tracks as a queue, and the purchase of all of it."""

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from members.requests import moment_of, person_id_of
from playback import queue, releases, wallets
from playback.releases import Line, Offer, Part
from playback.views.queue import shown
from playback.views.wallet import CONSENT_VERSION


def release_fragment(request: HttpRequest, release: Any, works: list[UUID], heard: UUID | None = None) -> SafeString:
    """Return tracks with their prices, the button that plays them through, and the purchase with its list.

    `heard` is the work on whose page it stands, if it is not the release's own.
    """
    now, person_id = moment_of(request), person_id_of(request)
    offer = releases.offer(person_id=person_id, release_id=release.id, now=now)
    lines = shown(request, works[: queue.WORKS_MOST])
    consented = person_id is not None and wallets.overview(person_id=person_id, now=now).consented
    href = reverse("catalog:release", args=[release.id])
    facts = {
        "release": str(release.id),
        "part_path": reverse("catalog:release-part", args=[release.id]) + (f"?heard={heard}" if heard else ""),
        "purchase_micros": offer.purchase_micros,
        "list_hash": offer.list_hash,
        "consented": consented,
        "consent_version": CONSENT_VERSION,
    }
    context = {
        "release": release,
        "href": href,
        "facts": json.dumps(facts),
        "shown": lines,
        "list": " ".join(str(one.line.facts.work_id) for one in lines),
        "next_micros": lines[0].line.rest_micros if lines else 0,
        "asks": any(one.line.asks for one in lines),
        "plays": any(one.line.basis is not None for one in lines),
        "offer": offer,
        "parts": _parts(offer),
        "bought": offer.works(Part.BOUGHT),
        "kept": offer.works(Part.KEPT),
        "all_owned": all(line.part in (Part.OWNED, Part.OWN) for line in offer.lines),
        "consented": consented,
        "signed_in": person_id is not None,
        "heard": heard,
    }
    return mark_safe(render_to_string("playback/_release.html", context, request))  # noqa: S308  (a rendered template)


def _parts(offer: Offer) -> list[tuple[str, list[Line]]]:
    """Return what a purchase does with each work, a group for each answer, in the order of the release."""
    groups = {part: [line for line in offer.lines if line.part == part] for part in Part}
    return [(str(part), lines) for part, lines in groups.items() if lines]
