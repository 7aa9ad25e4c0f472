"""The acts of members: applying, approving, dues and shares, classes, hours, leaving; and works that are suspended."""

from datetime import date, timedelta
from typing import Any

from catalog import reports
from catalog.models import Work
from members import policies
from members.belonging import dues, hours, memberships, places, shares
from members.belonging.models import ClassPlace, DuesPayment, ShareHolding, WorkedTime
from members.belonging.models import Membership as MembershipRow
from members.models import Person
from tests.simulation.acts_of_months import ActsOfMonths
from tests.simulation.audit import Objection, _agree, _rows
from tests.simulation.auditor import Refused
from tests.simulation.rulings_of_beat import Beat
from tests.simulation.rulings_of_membership import Membership, Place, Shares, Worked

REGISTER = "SELECT id, person_id, state, number, joined_at, ended_at IS NOT NULL FROM members_membership"
PLACES = """
SELECT p.membership_id, p.member_class, p.approved_at IS NOT NULL, p.since, p.ended_at IS NOT NULL
  FROM members_classplace p
"""
PAID = "SELECT membership_id, covers_from, covers_until, way, amount_micros FROM members_duespayment"
HELD = "SELECT id, count, paid_at IS NOT NULL, repaid_at IS NOT NULL FROM members_shareholding"
WORKED = "SELECT id, minutes, approved FROM members_workedtime"


class ActsOfMembers(ActsOfMonths):
    """A stage with members, a secretary and a board."""

    auditing = Beat
    auditor: Beat

    def person(self, name: str, *, staff: tuple[str, ...] = ()) -> Person:
        """Let somebody come; the auditor knows secretaries and directors too."""
        made = super().person(name, staff=staff)
        for role, known in (("secretary", self.auditor.secretaries), ("director", self.auditor.directors)):
            if role in staff:
                known.add(made.id)
        return made

    def _lose(self, call: Any, *, committed: bool) -> None:
        super()._lose(call, committed=committed)
        # Who died remembers no policy either.
        policies.forget()

    def audit(self) -> None:
        """Compare everything, the register too."""
        super().audit()
        compare_register(self.auditor)

    # Joining and leaving.

    def apply(self, person: Person, names: set[str], votes: str) -> Any:
        """Apply; return the auditor's membership, or its refusal."""

        def call() -> dict[str, Any]:
            made = memberships.apply_for(
                person_id=person.id,
                legal_name=f"{person.name} Example",
                postal_address="Ring 1\n10115 Berlin",
                member_classes=names,
                voting_class=votes,
                now=self.now,
            )
            return {"state": made.state}

        # Asked again it would be refused, and be another answer.
        self.crash = None
        answer = self._act(
            f"apply {person} for {sorted(names)}, votes as {votes}",
            call,
            lambda: self.auditor.apply(person.id, names, votes, self.now),
        )
        if isinstance(answer, Refused):
            return answer
        made = self.auditor.register[-1]
        made.id = MembershipRow.objects.get(person_id=person.id, state="applied").id
        self._learn_places(made)
        return made

    def _of(self, person: Person) -> Membership:
        found = self.auditor.of(person.id)
        assert found is not None
        return found

    def _learn_places(self, one: Membership) -> None:
        for place in one.places:
            if place.id is None:
                row = ClassPlace.objects.get(membership_id=one.id, member_class=place.name, ended_at=None)
                place.id = row.id

    def approve(self, one: Membership, staff: Person) -> None:
        """Let the secretary, or somebody else, let an applicant in."""

        def call() -> None:
            memberships.approve(membership_id=one.id, staff_id=staff.id, now=self.now)

        self._act(f"approve an application by {staff}", call, lambda: self.auditor.approve(one, staff.id, self.now))

    def leave(self, person: Person) -> None:
        """Leave, or take an application back."""

        def call() -> None:
            memberships.leave(person_id=person.id, now=self.now)

        self._act(f"leave {person}", call, lambda: self.auditor.leave(person.id, self.now))

    # Dues and shares.

    def pay_dues(self, person: Person, first: date) -> None:
        """Pay a year's dues with credit."""

        def call() -> dict[str, Any]:
            return _paid(dues.pay_from_wallet(person_id=person.id, covers_from=first, now=self.now))

        self._act(
            f"dues of {person} from {first}", call, lambda: self.auditor.pay_from_wallet(person.id, first, self.now)
        )
        self._learn_paid()
        self.check(person)

    def confirm_dues(self, one: Membership, first: date, staff: Person, iban: str) -> None:
        """Let a treasurer say that a year's dues came by bank."""

        def call() -> dict[str, Any]:
            return _paid(
                dues.confirm_by_bank(
                    membership_id=one.id, staff_id=staff.id, covers_from=first, iban=iban, now=self.now
                )
            )

        self._act(
            f"dues of {self.of(one.person)} from {first} by bank, by {staff}",
            call,
            lambda: self.auditor.confirm_dues(one, staff.id, first, iban, self.now),
        )

    def _learn_paid(self) -> None:
        """Learn to the moment when dues were taken out of a wallet, within the minute that is known."""
        for one in self.auditor.register:
            for paid in one.dues:
                if paid.from_wallet and not paid.paid.microsecond:
                    row = DuesPayment.objects.get(membership_id=one.id, covers_from=paid.first)
                    if not timedelta(0) <= row.paid_at - paid.paid < timedelta(minutes=1):
                        raise Objection(f"dues were paid at {row.paid_at}, not {paid.paid}")
                    before, paid.paid = paid.paid, row.paid_at
                    one.joined = row.paid_at if one.joined == before else one.joined
                    for place in one.places:
                        place.since = row.paid_at if place.since == before else place.since

    def ask_shares(self, person: Person, count: int) -> None:
        """Ask for shares."""

        def call() -> None:
            shares.ask(person_id=person.id, count=count, now=self.now)

        answer = self._act(f"{count} shares for {person}", call, lambda: self.auditor.ask_shares(person.id, count))
        if answer is None:
            one = self._of(person)
            one.shares[-1].id = ShareHolding.objects.get(membership_id=one.id, paid_at=None, dropped_at=None).id

    def confirm_shares(self, one: Membership, held: Shares, staff: Person, iban: str) -> None:
        """Let a treasurer say that shares were paid in."""

        def call() -> None:
            shares.confirm(holding_id=held.id, staff_id=staff.id, iban=iban, now=self.now)

        self._act(
            f"shares of {self.of(one.person)} by {staff}",
            call,
            lambda: self.auditor.confirm_shares(one, held, staff.id, iban, self.now),
        )

    def repay_shares(self, one: Membership, held: Shares, staff: Person) -> None:
        """Let a treasurer pay shares back."""

        def call() -> None:
            shares.repay(holding_id=held.id, staff_id=staff.id, now=self.now)

        # Asked again it would be another word.
        self.crash = None
        self._act(f"shares back by {staff}", call, lambda: self.auditor.repay_shares(one, held, staff.id))

    # Classes and hours.

    def ask_place(self, person: Person, name: str) -> None:
        """Ask for a place in a further class."""

        def call() -> None:
            places.ask(person_id=person.id, member_class=name, now=self.now)

        answer = self._act(f"{person} asks to be a {name}", call, lambda: self.auditor.ask_place(person.id, name))
        if answer is None:
            self._learn_places(self._of(person))

    def approve_place(self, one: Membership, place: Place, staff: Person) -> None:
        """Let the secretary agree to a place."""

        def call() -> None:
            places.approve(place_id=place.id, staff_id=staff.id, now=self.now)

        self._act(
            f"a place as {place.name} by {staff}",
            call,
            lambda: self.auditor.approve_place(one, place, staff.id, self.now),
        )

    def choose(self, person: Person, name: str) -> None:
        """Choose another class to vote in."""

        def call() -> None:
            places.choose(person_id=person.id, member_class=name, now=self.now)

        self._act(f"{person} votes as {name}", call, lambda: self.auditor.choose(person.id, name, self.now))

    def give_up(self, person: Person, name: str) -> None:
        """Give a place up."""

        def call() -> None:
            places.give_up(person_id=person.id, member_class=name, now=self.now)

        self._act(f"{person} is no {name}", call, lambda: self.auditor.give_up(person.id, name, self.now))

    def give_voice(self, one: Membership, place: Place, person: Person) -> None:
        """Say yes to somebody who wants to work."""

        def call() -> None:
            places.give_voice(place_id=place.id, person_id=person.id, now=self.now)

        self._act(
            f"{person} wants {self.of(one.person)} as a worker",
            call,
            lambda: self.auditor.give_voice(one, place, person.id, self.now),
        )

    def record_hours(self, person: Person, day: date, minutes: int) -> None:
        """Record time worked."""

        def call() -> None:
            hours.record(person_id=person.id, worked_on=day, minutes=minutes, words="Worked.", now=self.now)

        # Recorded again it would be other time.
        self.crash = None
        answer = self._act(
            f"{person} worked {minutes} on {day}",
            call,
            lambda: self.auditor.record_hours(person.id, day, minutes, self.now),
        )
        if answer is None:
            known = [one.id for one in self.auditor.worked if one.id]
            self.auditor.worked[-1].id = WorkedTime.objects.exclude(id__in=known).get().id

    def decide_hours(self, worked: Worked, person: Person, *, approves: bool) -> None:
        """Approve or refuse another's time."""

        def call() -> None:
            if approves:
                hours.approve(worked_id=worked.id, person_id=person.id, now=self.now)
            else:
                hours.refuse(worked_id=worked.id, person_id=person.id, because="It was not so.", now=self.now)

        self._act(
            f"{person} {'approves' if approves else 'refuses'} {worked.minutes} minutes",
            call,
            lambda: self.auditor.decide_hours(worked, person.id, approves=approves, now=self.now),
        )

    def look_at_members(self) -> None:
        """Let the daily beat look at everybody."""
        self._act(
            "look at members",
            lambda: dues.remind(now=self.now) + memberships.settle_waiting(now=self.now),
            lambda: self.auditor.look_at_members(self.now),
        )

    # Works that are suspended.

    def set_state(self, work: Work, state: str) -> None:
        """Publish, take off, suspend after a report, or bring back as it was before it was suspended."""
        known = self.auditor.works[work.id]
        if state == "suspended" and known.state in {"published", "off"}:
            self.journal.append(f"{self.now:%Y-%m-%d %H:%M} {work} is suspended")
            reports.file(work_id=work.id, person_id=None, category="other", text="It is not right.", now=self.now)
            reports.suspend(
                work_id=work.id, staff_id=self.finder.id, facts="Found.", rule="A rule.", scope="All.", now=self.now
            )
            known.before, known.state, known.suspended_at = known.state, "suspended", self.now
        elif known.state == "suspended" and state != "suspended":
            self.journal.append(f"{self.now:%Y-%m-%d %H:%M} {work} is suspended no more")
            reports.lift(work_id=work.id, staff_id=self.finder.id, reasons="It was a mistake.", now=self.now)
            known.state = known.before
            if known.closed and known.state == "published":
                known.state, known.off_at = "off", self.now
        elif state != "suspended":
            super().set_state(work, state)

    @property
    def finder(self) -> Person:
        """Return who decides about reports: somebody of the catalogue's staff, who made nothing."""
        found = self.__dict__.get("_finder")
        if found is None:
            found = self.__dict__["_finder"] = self.person("cato", staff=("catalogue",))
        return found


def _paid(row: DuesPayment) -> dict[str, Any]:
    return {"first": row.covers_from, "until": row.covers_until, "from_wallet": row.way == "wallet"}


def compare_register(auditor: Beat) -> None:
    """Compare every membership, place, year paid, share and hour."""
    register = auditor.register
    _agree(
        "register",
        {one.id: (one.person, one.state, one.number, one.joined, one.ended is not None) for one in register},
        {row[0]: row[1:] for row in _rows(REGISTER)},
    )
    books = {
        (one.id, place.name, place.approved, place.since, place.ended is not None)
        for one in register
        for place in one.places
    }
    _agree("places", books, set(_rows(PLACES)))
    paid = {
        (one.id, paid.first, paid.until, "wallet" if paid.from_wallet else "bank", 10_000_000)
        for one in register
        for paid in one.dues
    }
    _agree("dues", paid, set(_rows(PAID)))
    held = {one.id: (one.count, one.paid, one.repaid) for member in register for one in member.shares}
    _agree("shares", held, {row[0]: row[1:] for row in _rows(HELD)})
    worked = {one.id: (one.minutes, one.approved) for one in auditor.worked}
    _agree("hours", worked, {row[0]: row[1:] for row in _rows(WORKED)})
