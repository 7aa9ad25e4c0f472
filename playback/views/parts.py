"""What the pages of a track and of a photo share: the figures of ring and ladder, and the credit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from members import money
from playback import drawing, wallets
from playback.sessions import Listening


def holding(listening: Listening, *, title: str, noun: str) -> dict[str, Any]:
    """Return what the ring, the ladder and the figures of a holding are drawn from; `noun` is play or view."""
    left_after = max(0, listening.remaining_micros - (listening.price_micros or 0))
    return {
        "listening": listening,
        "noun": noun,
        "ring": drawing.ring(plays=listening.plays, paid=listening.paid_plays, next_number=listening.play_number),
        "steps": _steps(listening),
        "figures_on_steps": drawing.has_figures_on_steps(listening.ladder),
        "ladder_label": _ladder_label(title, listening, noun),
        "paid_count": len(listening.paid_plays),
        "left_after_micros": left_after,
        "places": money.places_needed(
            [listening.price_micros or 0, listening.paid_micros, left_after, listening.cap_micros]
        ),
    }


def credit(person_id: UUID | None, now: datetime) -> int:
    """Return what can be spent, both pockets, in micros; nothing for a stranger."""
    if person_id is None:
        return 0
    overview = wallets.overview(person_id=person_id, now=now)
    return overview.balance_micros + overview.promo_micros


def _steps(listening: Listening) -> list[drawing.Step]:
    """Return the steps to draw; none for a ladder of which a purchase paid some steps at once."""
    if not listening.ladder or 0 in listening.ladder:
        return []
    paid = range(1, listening.plays + 1) if listening.owned else listening.paid_plays
    return drawing.steps(listening.ladder, paid=paid, next_number=listening.play_number)


def _ladder_label(title: str, listening: Listening, noun: str) -> str:
    if listening.owned or not listening.paid_plays:
        return f"The ladder of {title}: {listening.plays} {noun}s, {money.show(listening.cap_micros)} in all"
    return (
        f"Your ladder of {title}: {len(listening.paid_plays)} of {listening.plays} {noun}s paid,"
        f" {money.show(listening.remaining_micros)} left to own"
    )
