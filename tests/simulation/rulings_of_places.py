"""What the auditor expects of shares, of places in classes and of hours worked.

Part of the auditor: plain Python, the rules alone.
"""

from datetime import date, datetime, timedelta

from tests.simulation.auditor import DAY, Id, Refused
from tests.simulation.rulings_of_membership import (
    INVALID,
    NOT_A_MEMBER,
    NOT_ALLOWED,
    NOT_FOUND,
    STANDS,
    THIRTY,
    Membership,
    Place,
    Registrar,
    Shares,
    Worked,
)


class Places(Registrar):
    """An auditor who also knows what a place in a class asks for."""

    # Shares.

    def ask_shares(self, person: Id, count: int) -> Refused | None:
        """Ask for shares, one wish at a time."""
        one = self.of(person)
        if one is None:
            return NOT_A_MEMBER
        if one.state == "applied" or any(not shares.paid for shares in one.shares):
            return STANDS
        one.shares.append(Shares(count))
        return None

    def confirm_shares(self, one: Membership, shares: Shares, staff: Id, iban: str, now: datetime) -> Refused | None:
        """Keep that shares were paid in."""
        if staff not in self.treasurers or one.person == staff:
            return NOT_ALLOWED
        if shares.paid or one.ended:
            return STANDS
        if self.accounts_of_members.setdefault(iban, one) is not one:
            return Refused("instrument-taken")
        shares.paid = True
        self.settle(one, now)
        return None

    def repay_shares(self, one: Membership, shares: Shares, staff: Id) -> Refused | None:
        """Pay shares back to somebody who left: by two treasurers, once."""
        if staff not in self.treasurers or one.person == staff:
            return NOT_ALLOWED
        if not shares.paid or shares.repaid or not one.ended:
            return STANDS
        if shares.repaying == staff:
            return NOT_ALLOWED
        shares.repaid, shares.repaying = shares.repaying is not None, shares.repaying or staff
        return None

    # Classes and hours.

    def ask_place(self, person: Id, name: str) -> Refused | None:
        """Ask for a place in a further class."""
        one = self.of(person, "joined")
        if one is None:
            return NOT_A_MEMBER
        if one.place(name):
            return STANDS
        one.places.append(Place(name))
        return None

    def approve_place(self, one: Membership, place: Place, staff: Id, now: datetime) -> Refused | None:
        """Let the secretary agree to a place."""
        if staff not in self.secretaries:
            return NOT_ALLOWED
        if one.state != "joined" or place.approved or place.ended:
            return STANDS
        if one.person == staff:
            return NOT_ALLOWED
        place.approved = True
        self.settle(one, now)
        return None

    def choose(self, person: Id, name: str, now: datetime) -> Refused | None:
        """Vote in another class, in which one has a place."""
        one = self.of(person, "joined")
        if one is None:
            return NOT_A_MEMBER
        place = one.place(name)
        if place is None or place.since is None or one.choices[-1][1] == name:
            return INVALID
        one.choices.append((now, name))
        return None

    def give_up(self, person: Id, name: str, now: datetime) -> Refused | None:
        """Give a place up, but that of the class one votes in."""
        one = self.of(person, "joined")
        if one is None:
            return NOT_A_MEMBER
        place = one.place(name)
        if place is None:
            return NOT_FOUND
        if one.choices[-1][1] == name:
            return STANDS
        place.ended = now
        return None

    def may_speak(self, person: Id, about: Id) -> bool:
        """Whether somebody speaks for the workers about another: as one, or as a director while there is no other."""
        if person == about:
            return False
        held = self.of(person, "joined")
        place = held and held.place("worker")
        return bool(place and place.since) or (person in self.directors and not self.workers(but=about))

    def give_voice(self, one: Membership, place: Place, person: Id, now: datetime) -> Refused | None:
        """Say yes to somebody who wants to be a worker."""
        if place.since or place.ended:
            return STANDS
        if not self.may_speak(person, one.person):
            return NOT_ALLOWED
        place.voices.add(person)
        self.settle(one, now)
        return None

    def record_hours(self, person: Id, day: date, minutes: int, now: datetime) -> Refused | None:
        """Record time worked, of the last 62 days, at most 16 hours a day."""
        today = self.day(now)
        if not today - timedelta(days=62) <= day <= today:
            return INVALID
        one = self.of(person, "joined")
        if one is None:
            return NOT_A_MEMBER
        if one.place("worker") is None:
            return NOT_ALLOWED
        same = [one for one in self.worked if (one.person, one.day) == (person, day) and one.approved is not False]
        if sum(one.minutes for one in same) + minutes > 16 * 60:
            return INVALID
        self.worked.append(Worked(person, day, minutes))
        return None

    def decide_hours(self, worked: Worked, person: Id, *, approves: bool, now: datetime) -> Refused | None:
        """Approve another's time, or refuse it."""
        if not self.may_speak(person, worked.person):
            return NOT_ALLOWED
        if worked.approved is not None:
            return STANDS
        worked.approved, worked.approved_at = approves, now
        if one := self.of(worked.person):
            self.settle(one, now)
        return None

    def look_at_members(self, now: datetime) -> int:
        """Remind whose year ends, and give the places whose condition is met by now; return how many were looked at."""
        today = self.day(now)
        ends = [one.until() for one in self.members()]
        reminded = sum(today - THIRTY < until <= today + 14 * DAY for until in ends if until)
        waiting = [
            one
            for one in self.members()
            if any(place.approved and place.since is None and place.ended is None for place in one.places)
        ]
        for one in waiting:
            self.settle(one, now)
        return reminded + len(waiting)
