"""Panels: three members drawn by lot, who hear what somebody says against a decision; two of them decide.

It is the same panel for a contested vote, for an expulsion, and for a work that a voted rule takes off. In the lot is
who could vote at the moment of the appeal, without directors and without whoever had a part in what was decided. A
hash makes the lot, so neither side seats anybody, and who knows its seed and the roll draws the same three. Where they
say nothing in the days that `governance` gives them, what was decided stands.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from members import admission, deadlines, letters
from members.admission import Staff
from members.belonging import memberships
from members.letters import Letter
from members.problems import Invalid, NotAllowed, NotFound, Problem
from members.voting import electorate
from members.voting.panel_models import Appeal, Seat

SIZE = 3
TEXT_MOST = 4_000
AppealT = TypeVar("AppealT", bound=Appeal)


class PanelOver(Problem):
    """The panel has decided, or its time is over."""

    slug, status, title = "panel-over", 409, "The panel has decided, or its time is over"


@dataclass(frozen=True, kw_only=True)
class Case:
    """How an appeal is put to the three: what it is about, in a few words and in sentences, and what silence does."""

    title: str
    sentences: tuple[str, ...]
    silence: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Duty:
    """An appeal on whose panel somebody sits and has not spoken yet, and where it is read."""

    title: str
    decide_until: datetime
    path: str


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """An appeal as a page shows it: its seats, those who spoke first, and the seat of whoever looks."""

    appeal: Appeal
    seats: tuple[Seat, ...]
    mine: Seat | None
    is_open: bool

    @property
    def rulings(self) -> tuple[Seat, ...]:
        """Those who have spoken."""
        return tuple(one for one in self.seats if one.ruling)


def deadline(begins: datetime, *, rules: Mapping[str, Any]) -> datetime:
    """Return until when a panel decides that begins at a moment, under the figures of a version of `governance`."""
    return deadlines.after(begins, int(rules["contest_days"]))


def convene(appeal: Appeal, *, seed: str, but: Collection[UUID], case: Case, now: datetime) -> None:
    """Draw the three who hear an appeal and ask each of them. Where fewer can be drawn, there are fewer; two decide.

    Two queries and a letter to each.
    """
    everybody_else = {appeal.person_id, *but} | admission.people_in(Staff.DIRECTOR)
    drawn = electorate.draw(seed, many=SIZE, but=everybody_else, moment=now)
    seats = appeal.panel.model
    seats.objects.bulk_create(seats(appeal=appeal, person_id=one) for one in drawn)
    until = f"{deadlines.on_the_wall(appeal.decide_until):%-d %B %Y, %H:%M}"
    asked = Letter(
        subject=f"You were drawn to decide about {case.title}",
        paragraphs=[
            *case.sentences,
            "You were drawn by lot with two others, and two of you decide.",
            f"If there is no decision by {until}, {case.silence}.",
        ],
        act="Read and rule",
        path=case.path,
    )
    letters.send_to_people(asked, drawn, topic=f"{appeal.id}:panel", now=now)


def rule(appeal: Appeal, *, person_id: UUID, ruling: str, reasons: str, now: datetime) -> bool:
    """Keep what one of the three says, and return whether that decided it. What one said can be changed until then.

    Locks the appeal, so it is called in a transaction, after what is locked before it. Raises NotFound for who has no
    seat, NotAllowed for who is a director by now or has left, PanelOver, and Invalid without reasons.
    """
    reasons = said(reasons)
    mine = appeal.panel.filter(person_id=person_id).first()
    if mine is None:
        raise NotFound("there is nothing here for you to decide")
    if ruling not in (known := dict(rulings(appeal))):
        raise Invalid(f"Say one of {', '.join(known)}.")
    if not memberships.is_member(person_id) or admission.has_role(person_id=person_id, roles=(Staff.DIRECTOR,)):
        raise NotAllowed("a panel is made of members who are no directors")
    appeal.refresh_from_db(from_queryset=type(appeal)._meta.default_manager.select_for_update(of=("self",)))
    if not is_open(appeal, now=now):
        raise PanelOver("It is decided.")
    mine.ruling, mine.reasons, mine.ruled_at = ruling, reasons, now
    mine.save(update_fields=["ruling", "reasons", "ruled_at"])
    if appeal.panel.filter(ruling=ruling).count() * 2 <= SIZE:
        return False
    appeal.ruling, appeal.ruled_at = ruling, now
    appeal.save(update_fields=["ruling", "ruled_at"])
    return True


def rulings(appeal: Appeal) -> list[tuple[str, str]]:
    """Return what a panel can say of an appeal, each with its words."""
    return list(type(appeal)._meta.get_field("ruling").choices or ())


def is_open(appeal: Appeal, *, now: datetime) -> bool:
    """Return whether a panel may still decide."""
    return not appeal.ruling and now < appeal.decide_until


def hearing(appeal: Appeal, *, person_id: UUID | None, now: datetime) -> Hearing:
    """Return an appeal as it is shown to somebody. One query."""
    seats = tuple(appeal.panel.select_related("person").order_by("ruled_at", "id"))
    mine = next((one for one in seats if one.person_id == person_id), None)
    return Hearing(appeal=appeal, seats=seats, mine=mine, is_open=is_open(appeal, now=now))


def unheard(appeals: QuerySet[AppealT], *, person_id: UUID, now: datetime) -> QuerySet[AppealT]:
    """Return those of `appeals` that wait for what somebody says on their panel, those with the least time first."""
    waiting = appeals.filter(panel__person_id=person_id, panel__ruling="", ruling="", decide_until__gt=now)
    return waiting.order_by("decide_until", "id")


def duties(person_id: UUID, *, now: datetime) -> list[Duty]:
    """Return the appeals of every kind that wait for what somebody says. One query for each kind."""
    found = [duty for kind in settings.MEMBERS_PANELS for duty in import_string(kind)(person_id, now=now)]
    return sorted(found, key=lambda duty: (duty.decide_until, duty.path))


def said(text: str) -> str:
    """Return an appeal's text, or somebody's reasons, without the space around it. Raises Invalid."""
    text = text.strip()
    if not 1 <= len(text) <= TEXT_MOST or memberships.NUL in text:
        raise Invalid(f"Say it in 1 to {TEXT_MOST} letters.")
    return text
