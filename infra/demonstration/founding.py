"""The demo's co-op: how its people came to belong, what they work, who goes, and what waits for the secretary.

All of it by the ways that members have: an application, the secretary's word, money that a treasurer saw, hours that
another one approved. Days are counted back from the day on which the demo begins.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from infra.demonstration.people import CROWD, PEOPLE, Member
from members import clock, ibans
from members.belonging import dues, expulsions, hours, memberships, places, shares
from members.belonging.models import ClassPlace, Membership
from members.models import Person
from members.problems import Invalid

# Thirty days before anybody can ask for a vote, and as long as a vote takes before its price holds for a month.
FOUNDED_BEFORE = 126
# Who came later, or never did.
LATE = {"Mika": 62, "Noor": 12}
APART = {"Hana", "Ivo", "Gus"}
# A worker's shift: what was done, and for how many minutes.
FOUNDING_SHIFT = ("Setting up the catalogue", 7 * 60)
SHIFTS = (("Answered reports", 210), ("Looked at new uploads", 150), ("Wrote the newsletter", 95), ("Mended tags", 240))
FOUNDING_DAYS, SHIFT_EVERY = 6, 9
GERMAN_BANK = "37040044"
# Early enough that the treasurers have booked it before somebody looks at the demo in November.
THURSDAY, PAID_AHEAD = 3, timedelta(days=58)


@dataclass
class Coop:
    """The people by their names, and what is known of them on the way."""

    people: Mapping[str, Person]
    accounts: int = 0
    asked: dict[str, UUID] = field(default_factory=dict)

    def id(self, name: str) -> UUID:
        """Return who is called so."""
        return self.people[name].id

    def new_iban(self) -> str:
        """Return an account that nobody else has; in some numbers alone the bank's own digits are right."""
        while True:
            self.accounts += 1
            bban = f"{GERMAN_BANK}{self.accounts:010d}"
            made = f"DE{98 - int(f'{bban}131400') % 97:02d}{bban}"
            with suppress(Invalid):
                return ibans.check(made).iban


def found(coop: Coop, *, now: datetime) -> None:
    """Let the founders join; the first worker is spoken for by the board, the second by the first."""
    for who in (*PEOPLE, *CROWD):
        if who.name not in LATE and who.name not in APART:
            _join(coop, who, now=now)
    for name, approved_by in (("Wen", "Tess"), ("Wim", "Wen")):
        words, minutes = FOUNDING_SHIFT
        for day in range(1, FOUNDING_DAYS + 1):
            worked = clock.day(now) - timedelta(days=day)
            shift = hours.record(person_id=coop.id(name), worked_on=worked, minutes=minutes, words=words, now=now)
            hours.approve(worked_id=shift.id, person_id=coop.id(approved_by), now=now)
        _speak_for(coop, name, by=approved_by, now=now)


def look_after(coop: Coop, *, left: int, now: datetime) -> None:
    """Do what members, workers, board and secretary do on the evening that is so many days before the end."""
    for name, day in LATE.items():
        if day == left:
            _join(coop, next(who for who in CROWD if who.name == name), now=now)
    if left % SHIFT_EVERY == 0:
        _work(coop, left // SHIFT_EVERY, now=now)
    if act := _ACTS.get(left):
        act(coop, now)
    if clock.day(now).weekday() == THURSDAY:
        _renew(coop, now=now)
    memberships.settle_waiting(now=now)


def _renew(coop: Coop, *, now: datetime) -> None:
    """Let members whose year is about to end pay the next one by bank."""
    for one in dues.owing(now=now):
        joined = one.membership.state == Membership.State.JOINED
        if joined and one.covers_from <= clock.day(now) + PAID_AHEAD:
            dues.confirm_by_bank(
                membership_id=one.membership.id,
                staff_id=coop.id("Tom" if one.membership.person_id == coop.id("Tess") else "Tess"),
                covers_from=one.covers_from,
                iban=coop.new_iban(),
                now=now,
            )


def _work(coop: Coop, number: int, *, now: datetime) -> None:
    """Record a worker's shift, which the other one approves; the last one is left to approve."""
    words, minutes = SHIFTS[number % len(SHIFTS)]
    name, other = ("Wen", "Wim") if number % 2 else ("Wim", "Wen")
    shift = hours.record(person_id=coop.id(name), worked_on=clock.day(now), minutes=minutes, words=words, now=now)
    if number > 1:
        hours.approve(worked_id=shift.id, person_id=coop.id(other), now=now)


def _join(coop: Coop, who: Member, *, now: datetime) -> None:
    """Let somebody apply, be approved, and pay shares and a year by bank."""
    approved = _approve(coop, _apply(coop, who, now=now), now=now)
    treasurer = coop.id("Tom" if who.name == "Tess" else "Tess")
    iban = coop.new_iban()
    if who.shares:
        wanted = shares.ask(person_id=coop.id(who.name), count=who.shares, now=now)
        shares.confirm(holding_id=wanted.id, staff_id=treasurer, iban=iban, now=now)
    first = dues.due_from(approved, now=now)
    dues.confirm_by_bank(membership_id=approved.id, staff_id=treasurer, covers_from=first, iban=iban, now=now)


def _apply(coop: Coop, who: Member, *, now: datetime) -> Membership:
    return memberships.apply_for(
        person_id=coop.id(who.name),
        legal_name=f"{who.name} {who.surname}",
        postal_address=f"Ringstraße {len(who.surname) * 7}\n{who.country}-10115 Berlin",
        member_classes=who.classes,
        voting_class=who.votes_as,
        now=now,
    )


def _approve(coop: Coop, application: Membership, *, now: datetime) -> Membership:
    # Nobody decides about their own: the second secretary lets the first in.
    secretary = coop.id("Wim" if application.person_id == coop.id("Sam") else "Sam")
    return memberships.approve(membership_id=application.id, staff_id=secretary, now=now)


def _speak_for(coop: Coop, name: str, *, by: str, now: datetime) -> None:
    wanted = ClassPlace.objects.get(membership__person_id=coop.id(name), member_class="worker", ended_at=None)
    places.give_voice(place_id=wanted.id, person_id=coop.id(by), now=now)


def _ask_about_kai(coop: Coop, now: datetime) -> None:
    membership = Membership.objects.get(person_id=coop.id("Kai"), state=Membership.State.JOINED)
    asked = expulsions.open_question(
        membership_id=membership.id,
        staff_id=coop.id("Tess"),
        reasons="Kai wrote to eleven listeners for money, in the co-op's name, and went on after we asked him to stop.",
        now=now,
    )
    coop.asked["Kai"] = asked.id


def _kai_answers(coop: Coop, now: datetime) -> None:
    del now  # an answer is dated by the question
    expulsions.answer(person_id=coop.id("Kai"), words="I collected for a friend's record. I will not do it again.")


def _expel_kai(coop: Coop, now: datetime) -> None:
    for director in ("Tess", "Cleo"):
        expulsions.say(expulsion_id=coop.asked["Kai"], staff_id=coop.id(director), yes=True, now=now)


def _kai_appeals(coop: Coop, now: datetime) -> None:
    words = "I have paid all of it back. Ask the eleven."
    expulsions.appeal(person_id=coop.id("Kai"), words=words, now=now)


def _fay_leaves(coop: Coop, now: datetime) -> None:
    memberships.leave(person_id=coop.id("Fay"), now=now)


def _lena_wants_to_work(coop: Coop, now: datetime) -> None:
    wanted = places.ask(person_id=coop.id("Lena"), member_class="worker", now=now)
    places.approve(place_id=wanted.id, staff_id=coop.id("Sam"), now=now)
    hours.record(
        person_id=coop.id("Lena"), worked_on=clock.day(now), minutes=120, words="Sorted the photos by place", now=now
    )
    places.give_voice(place_id=wanted.id, person_id=coop.id("Wen"), now=now)


def _lars_wants_shares(coop: Coop, now: datetime) -> None:
    shares.ask(person_id=coop.id("Lars"), count=2, now=now)


def _hana_applies(coop: Coop, now: datetime) -> None:
    _approve(coop, _apply(coop, next(who for who in CROWD if who.name == "Hana"), now=now), now=now)


def _ivo_applies(coop: Coop, now: datetime) -> None:
    _apply(coop, next(who for who in CROWD if who.name == "Ivo"), now=now)


# What happens once, by the days that are left. Gus never asked to belong; whoever signs up can.
_ACTS: dict[int, Callable[[Coop, datetime], None]] = {
    52: _ask_about_kai,
    47: _kai_answers,
    40: _fay_leaves,
    35: _expel_kai,
    10: _lars_wants_shares,
    7: _lena_wants_to_work,
    # Within thirty days, and late enough that his panel still sits when somebody looks.
    6: _kai_appeals,
    5: _hana_applies,
    3: _ivo_applies,
}
