"""The front page: what this is, what is new, what members own most, and what few have heard."""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog import drawing, publishing
from catalog.models import Work
from catalog.views import shelf
from catalog.views.shelf import Card
from members import policies
from members.requests import moment_of, person_id_of
from playback import shelves

# Of the newest works so many are looked at, so many shown, and so many of them by one creator.
NEW_LOOKED_AT, NEW_SHOWN, NEW_OF_ONE_CREATOR = 60, 12, 2


def _new() -> list[UUID]:
    """Return the newest works, two of one creator at most while there are others: an album is not the whole shelf."""
    newest = Work.objects.filter(state=Work.State.PUBLISHED).order_by("-published_at", "-id")
    looked_at = list(newest.values_list("id", "creator_id")[:NEW_LOOKED_AT])
    of_creator: Counter[UUID] = Counter()
    first: list[UUID] = []
    rest: list[UUID] = []
    for work_id, creator_id in looked_at:
        of_creator[creator_id] += 1
        (first if of_creator[creator_id] <= NEW_OF_ONE_CREATOR else rest).append(work_id)
    chosen = {*[*first, *rest][:NEW_SHOWN]}
    return [work_id for work_id, _ in looked_at if work_id in chosen]


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """Show the shelves; to who is not signed in, first of all what this is."""
    now, person_id = moment_of(request), person_id_of(request)
    new, places = _new(), shelves.places()
    told = {place.work_id: f"owned by {place.owners_least} or more" for place in places["owned"] if place.owners_least}
    shelved = [place.work_id for name in places for place in places[name]]
    works = shelf.on_the_shelf().filter(id__in={*new, *shelved})
    cards = {card.work.id: card for card in shelf.cards(works, person_id=person_id, now=now, told=told)}
    shown = _those(cards, new)
    first = next((card for card in shown if _may_lead(card)), None)
    context = {
        "new": shown,
        "owned": _those(cards, (place.work_id for place in places["owned"])),
        "quiet": _those(cards, (place.work_id for place in places["quiet"])),
        "first": first,
        **_ladder_of(first, now=now),
        **_shares(now=now),
        "opening_seconds": policies.policy_at("opening", now).params["seconds"],
    }
    return render(request, "front.html", context)


def _may_lead(card: Card) -> bool:
    """Return whether a card can stand for what a play costs: a track with a price, not theirs yet."""
    return not card.is_photo and not card.owned and not card.own and card.price_micros is not None


def _those(cards: dict[UUID, Card], ids: Iterable[UUID]) -> list[Card]:
    return [cards[work_id] for work_id in ids if work_id in cards]


def _ladder_of(first: Card | None, *, now: Any) -> dict[str, Any]:
    steps, _ = publishing.steps_now(figure=first.work.price_micros if first else None, now=now)
    return {
        "steps": [
            {
                "number": i,
                "price_micros": price,
                "height": height,
                "state": "next" if i == 1 else "left",
                "is_last": i == len(steps),
            }
            for i, (price, height) in enumerate(zip(steps, drawing.heights(steps), strict=True), start=1)
        ],
        "price_micros": sum(steps),
        "first_step_micros": steps[0],
    }


def _shares(*, now: Any) -> dict[str, Any]:
    revenue = policies.policy_at("revenue", now)
    creators_ppm = int(revenue.params["creators_ppm"])
    return {
        "creators_micros": creators_ppm,
        "coop_micros": 1_000_000 - creators_ppm,
        "creators_percent": creators_ppm // 10_000,
        "coop_percent": 100 - creators_ppm // 10_000,
        "revenue_version": revenue.seq,
    }
