"""The work on a closed year: drawing, publishing, and once members accepted it, the money; later the capital accounts.

Each turn is one transaction that locks the year, asks what is still to be done, and writes down how far it came. It
reads what was drawn and nothing else, so it does not matter who takes a turn, how many do, or when one of them dies.
"""

from datetime import datetime

from django.db import transaction

from members import patience
from members.voting import proposals
from royalties.year import booking, drawing, motion, publication
from royalties.year.models import FinancialYear

State = FinancialYear.State
# What a person reads while it happens.
DRAWING, PUBLISHING = "Drawing what counts and sharing it out", "Publishing every line of it"
READY, NOTHING = "Waits for the members", "Nothing is left to divide"
BOOKING, DONE = "Booking each member’s part", "Divided"
REDEEMING, REDEEMED = "Paying from the capital accounts", "Divided, and its capital accounts are paid"
WORKED_ON = (State.DRAWING, State.PUBLISHING, State.READY, State.BOOKING, State.REDEEMING)


def waiting() -> list[int]:
    """Return the years on which there may be work, oldest first. One query."""
    return list(FinancialYear.objects.filter(state__in=WORKED_ON).order_by("year").values_list("year", flat=True))


def advance(*, year: int, now: datetime) -> bool:
    """Take the next turn at a year, and return whether there was one to take."""
    with transaction.atomic():
        found = FinancialYear.objects.select_for_update(skip_locked=True).filter(year=year, state__in=WORKED_ON).first()
        if found is None:
            return False
        before = (found.state, found.through)
        patience.take_time(minutes=120, megabytes=128)
        _TURNS[State(found.state)](found, now)
        return (found.state, found.through) != before


def _draw(year: FinancialYear, _now: datetime) -> None:
    drawn = drawing.draw(year)
    if drawn is None:
        _go_to(year, State.NOTHING, 100, NOTHING)
        return
    year.figures, year.lines = drawn.figures, drawn.lines
    year.save(update_fields=["figures", "lines"])
    _go_to(year, State.PUBLISHING, 60, PUBLISHING)


def _publish(year: FinancialYear, _now: datetime) -> None:
    publication.publish(year)
    _go_to(year, State.READY, 100, READY)


def _look(year: FinancialYear, now: datetime) -> None:
    """Begin once members accepted the motion; nobody has to press anything."""
    if motion.outcome(year) == proposals.State.ENACTED:
        year.accepted_at = now
        year.save(update_fields=["accepted_at"])
        _go_to(year, State.BOOKING, 0, BOOKING)


def _book(year: FinancialYear, now: datetime) -> None:
    through = booking.divide(year, now=now)
    if through < year.lines:
        _come_to(year, through)
        return
    year.done_at = now
    year.save(update_fields=["done_at"])
    _go_to(year, State.DONE, 100, DONE)


def _redeem(year: FinancialYear, now: datetime) -> None:
    through = booking.redeem(year, now=now)
    if through < year.lines:
        _come_to(year, through)
        return
    _go_to(year, State.REDEEMED, 100, REDEEMED)


def _come_to(year: FinancialYear, through: int) -> None:
    year.through, year.percent = through, through * 100 // year.lines
    year.save(update_fields=["through", "percent"])


def _go_to(year: FinancialYear, state: FinancialYear.State, percent: int, words: str) -> None:
    year.state, year.through, year.percent, year.words = state, 0, percent, words
    year.save(update_fields=["state", "through", "percent", "words"])


_TURNS = {
    State.DRAWING: _draw,
    State.PUBLISHING: _publish,
    State.READY: _look,
    State.BOOKING: _book,
    State.REDEEMING: _redeem,
}
