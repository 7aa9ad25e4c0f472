"""Panels: three members drawn by lot, who hear what somebody says against a decision; two of them decide.

It is the same panel for a contested vote, for an expulsion, and for a work that a voted rule takes off. In the lot is
who could vote at the moment of the appeal, without directors and without whoever had a part in what was decided. A
hash makes the lot, so neither side seats anybody, and who knows its seed and the roll draws the same three. Where they
say nothing in the days that `governance` gives them, what was decided stands.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

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


class Kind(Protocol):
    """What a kind of appeal offers; the modules of all kinds are named in the settings (MEMBERS_PANELS)."""

    def duties_of(self, person_id: UUID, *, now: datetime) -> list["Duty"]:
        """Return the appeals that wait for what somebody says on their panel."""

    def hearing(self, *, appeal_id: UUID, person_id: UUID | None, now: datetime) -> "Hearing":
        """Return an appeal as somebody may read it. Raises NotFound."""

    def rule(self, *, appeal_id: UUID, person_id: UUID, ruling: str, reasons: str, now: datetime) -> Appeal:
        """Keep what one of the three says, and do what follows. Raises as `panels.rule` does."""


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

    id: UUID
    title: str
    decide_until: datetime
    path: str


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """An appeal as it is read: against which decision, its seats, those who spoke first, and the seat of who reads."""

    title: str
    path: str
    decision: str
    appeal: Appeal
    seats: tuple[Seat, ...]
    mine: Seat | None
    is_open: bool

    @property
    def rulings(self) -> tuple[Seat, ...]:
        """Those who have spoken."""
        return tuple(one for one in self.seats if one.ruling)

    @property
    def ruled(self) -> str | None:
        """What was decided; None where it is not."""
        return self.appeal.ruling or None

    @property
    def may_say(self) -> list[str]:
        """The rulings there are."""
        return [ruling for ruling, _ in rulings(self.appeal)]

    @property
    def sits(self) -> bool:
        """Whether who reads is one of the three."""
        return self.mine is not None


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
    rows = type(appeal)._meta.default_manager
    assert rows is not None
    appeal.refresh_from_db(from_queryset=rows.select_for_update(of=("self",)))
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


def hearing(appeal: Appeal, *, title: str, path: str, decision: str, person_id: UUID | None, now: datetime) -> Hearing:
    """Return an appeal as it is shown to somebody. One query."""
    seats = tuple(appeal.panel.select_related("person").order_by("ruled_at", "id"))
    mine = next((one for one in seats if one.person_id == person_id), None)
    open_now = is_open(appeal, now=now)
    return Hearing(title=title, path=path, decision=decision, appeal=appeal, seats=seats, mine=mine, is_open=open_now)


def unheard(appeals: QuerySet[AppealT], *, person_id: UUID, now: datetime) -> QuerySet[AppealT]:
    """Return those of `appeals` that wait for what somebody says on their panel, those with the least time first."""
    waiting = appeals.filter(panel__person_id=person_id, panel__ruling="", ruling="", decide_until__gt=now)
    return waiting.order_by("decide_until", "id")


def duties(person_id: UUID, *, now: datetime) -> list[Duty]:
    """Return the appeals of every kind that wait for what somebody says. One query for each kind."""
    found = [duty for kind in _kinds() for duty in kind.duties_of(person_id, now=now)]
    return sorted(found, key=lambda duty: (duty.decide_until, duty.path))


def kind_of(appeal_id: UUID, *, person_id: UUID, now: datetime) -> tuple["Kind", Hearing]:
    """Return an appeal of whichever kind, as somebody may read it. A query or two for each kind. Raises NotFound."""
    for kind in _kinds():
        with suppress(NotFound):
            return kind, kind.hearing(appeal_id=appeal_id, person_id=person_id, now=now)
    raise NotFound("there is no appeal for you to read")


def said(text: str) -> str:
    """Return an appeal's text, or somebody's reasons, without the space around it. Raises Invalid."""
    text = text.strip()
    if not 1 <= len(text) <= TEXT_MOST or memberships.NUL in text:
        raise Invalid(f"Say it in 1 to {TEXT_MOST} letters.")
    return text


def _kinds() -> list["Kind"]:
    return [cast("Kind", import_module(name)) for name in settings.MEMBERS_PANELS]
