"""What the auditor expects of members: joining, dues and shares, places in classes, hours, leaving; who is on a roll.

Part of the auditor: plain Python, the rules alone.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from tests.simulation.accounts_by_hand import WALLETS, Bookkeeper, Entry
from tests.simulation.auditor import DAY, Answer, Id, Refused

DUES, INCOME = 10_000_000, "income.dues"
YEAR, THIRTY = 365 * DAY, 30 * DAY
EARLY = 60 * DAY
FORTY_HOURS = 40 * 60
LISTENERS_LEAST = 5
NOT_FOUND, NOT_ALLOWED, NOT_A_MEMBER = Refused("not-found"), Refused("not-allowed"), Refused("not-a-member")
STANDS, INVALID = Refused("membership-stands"), Refused("invalid")


@dataclass
class Place:
    """A place in a class: asked for, approved, and held `since` its condition was met too."""

    name: str
    approved: bool = False
    since: datetime | None = None
    ended: datetime | None = None
    voices: set[Id] = field(default_factory=set)
    id: Id = None


@dataclass
class Dues:
    """A year that was paid: the days from `first` to before `until`."""

    first: date
    until: date
    from_wallet: bool
    paid: datetime


@dataclass
class Shares:
    """Shares: asked for, paid in, paid back by two."""

    count: int
    paid: bool = False
    repaying: Id = None
    repaid: bool = False
    id: Id = None


@dataclass
class Membership:
    """One time of belonging."""

    person: Id
    places: list[Place]
    choices: list[tuple[datetime, str]]
    state: str = "applied"
    joined: datetime | None = None
    ended: datetime | None = None
    number: int | None = None
    dues: list[Dues] = field(default_factory=list)
    shares: list[Shares] = field(default_factory=list)
    id: Id = None

    def place(self, name: str) -> Place | None:
        """Return the place in a class that is asked for or held."""
        return next((one for one in self.places if one.name == name and one.ended is None), None)

    def until(self) -> date | None:
        """Return the first day that no dues cover."""
        return max((one.until for one in self.dues), default=None)


@dataclass
class Worked:
    """Minutes of a day."""

    person: Id
    day: date
    minutes: int
    approved: bool | None = None
    approved_at: datetime | None = None
    id: Id = None


def a_year_after(first: date) -> date:
    """Return the same day of the next year; who began on a leap day, the first of March."""
    try:
        return first.replace(year=first.year + 1)
    except ValueError:
        return date(first.year + 1, 3, 1)


class Registrar(Bookkeeper):
    """An auditor who keeps the members' register, too."""

    def __init__(self, **known: object) -> None:
        super().__init__(**known)
        self.register: list[Membership] = []
        self.worked: list[Worked] = []
        self.secretaries: set[Id] = set()
        self.directors: set[Id] = set()
        # Which account carries whose membership.
        self.accounts_of_members: dict[str, Membership] = {}
        # When somebody was last found to be heard by enough people, for a place among the creators.
        self.heard_at: dict[Id, datetime] = {}

    def of(self, person: Id, *states: str) -> Membership | None:
        """Return somebody's membership or application that is not over; only in these states, where some are named."""
        wanted = states or ("applied", "approved", "joined")
        return next((one for one in self.register if one.person == person and one.state in wanted), None)

    def members(self) -> list[Membership]:
        """Return who belongs."""
        return [one for one in self.register if one.state == "joined"]

    # The books.

    def paid_from_wallets(self) -> list[Dues]:
        """Return the years that were paid with credit."""
        return [paid for one in self.register for paid in one.dues if paid.from_wallet]

    def rows(self) -> int:
        """Count the dues that came out of wallets, too."""
        return super().rows() + len(self.paid_from_wallets())

    def entries_by_hand(self) -> Iterator[Entry]:
        """Yield the dues too: credit becomes income."""
        yield from super().entries_by_hand()
        for paid in self.paid_from_wallets():
            yield WALLETS, INCOME, DUES, self.month(paid.paid)

    # Joining and leaving.

    def apply(self, person: Id, names: set[str], votes: str, now: datetime) -> Answer | Refused:
        """Ask to belong."""
        if votes not in names:
            return INVALID
        if self.of(person):
            return Refused("already-a-member")
        self.register.append(Membership(person, [Place(name) for name in sorted(names)], [(now, votes)]))
        return {"state": "applied"}

    def approve(self, one: Membership, staff: Id, now: datetime) -> Refused | None:
        """Let the secretary let somebody in."""
        if staff not in self.secretaries:
            return NOT_ALLOWED
        if one.state != "applied":
            return STANDS
        if one.person == staff:
            return NOT_ALLOWED
        one.state = "approved"
        for place in one.places:
            place.approved = True
        self.settle(one, now)
        return None

    def leave(self, person: Id, now: datetime) -> Refused | None:
        """End a membership, or take an application back."""
        one = self.of(person)
        if one is None:
            return NOT_A_MEMBER
        one.state = "left" if one.state == "joined" else "withdrawn"
        one.ended = now
        self.accounts_of_members = {iban: of for iban, of in self.accounts_of_members.items() if of is not one}
        return None

    def settle(self, one: Membership, now: datetime) -> None:
        """Let somebody become a member with the first dues, and have each place whose condition is met."""
        if one.state == "approved" and one.dues:
            one.number = 1 + max((other.number or 0 for other in self.register), default=0)
            one.state, one.joined = "joined", now
        if one.state == "joined":
            for place in one.places:
                if place.approved and place.since is None and place.ended is None and self._met(one, place, now):
                    place.since = now

    def _met(self, one: Membership, place: Place, now: datetime) -> bool:
        if place.name == "worker":
            needed = min(2, max(1, len(self.workers(but=one.person))))
            return self._minutes(one.person, now) >= FORTY_HOURS and len(place.voices) >= needed
        if any(shares.paid and not shares.repaid for shares in one.shares):
            return True
        if place.name == "listener":
            return bool(one.dues)
        return place.name == "creator" and self._heard(one.person, now)

    def workers(self, *, but: Id) -> list[Membership]:
        """Return who has a place among the workers, but one."""
        places = ((one, one.place("worker")) for one in self.members() if one.person != but)
        return [one for one, place in places if place and place.since]

    def _minutes(self, person: Id, now: datetime) -> int:
        since = self.day(now - YEAR)
        return sum(one.minutes for one in self.worked if one.person == person and one.approved and one.day >= since)

    def _heard(self, person: Id, now: datetime) -> bool:
        """Whether five people's bought credit paid for published works whose sheet in force pays the person."""
        kept = self.heard_at.get(person)
        if kept and kept > now - YEAR:
            return True
        spent: Counter[tuple[Id, Id]] = Counter()
        for charge in self.charges:
            known = self.works[charge.work]
            sheet = known.sheet(now)
            if known.state == "published" and sheet and dict(sheet.lines).get(person) and charge.listener != person:
                given_back = charge.reversed
                if now - YEAR < charge.moment <= now and not given_back:
                    spent[charge.work, charge.listener] += charge.amount - charge.from_promo
        if len({listener for (_, listener), micros in spent.items() if micros > 0}) < LISTENERS_LEAST:
            return False
        self.heard_at[person] = now
        return True

    # Dues and shares.

    def due_from(self, one: Membership, now: datetime) -> date:
        """Return the first day of the year that is to be paid: after the last one, or today when that is long over."""
        until, today = one.until(), self.day(now)
        return until if until and today < until + THIRTY else today

    def _cannot_pay(self, one: Membership, first: date, now: datetime) -> Refused | None:
        if one.state not in {"approved", "joined"}:
            return Refused("dues-not-due")
        due = self.due_from(one, now)
        if due > self.day(now) + EARLY:
            return Refused("dues-not-due")
        return STANDS if first != due else None

    def pay_from_wallet(self, person: Id, first: date, now: datetime) -> Answer | Refused:
        """Pay a year with bought credit, once."""
        one = self.of(person)
        if one is None:
            return NOT_A_MEMBER
        wallet = self.wallet(person)
        paid = next((paid for paid in one.dues if paid.first == first), None)
        if paid is None:
            if refused := self._cannot_pay(one, first, now):
                return refused
            if wallet.frozen:
                return Refused("wallet-frozen")
            if wallet.balance < DUES:
                return Refused("insufficient-funds", (("available_micros", wallet.balance), ("needed_micros", DUES)))
            moment = self.booked(now)
            self.enter(person, "dues", -DUES, 0, moment)
            paid = self._keep(one, first, moment, from_wallet=True)
        return {"first": paid.first, "until": paid.until, "from_wallet": paid.from_wallet}

    def confirm_dues(self, one: Membership, staff: Id, first: date, iban: str, now: datetime) -> Answer | Refused:
        """Keep that a year was paid by bank, from an account that carries nobody else's membership."""
        if staff not in self.treasurers or one.person == staff:
            return NOT_ALLOWED
        if any(paid.first == first for paid in one.dues):
            return STANDS
        if refused := self._cannot_pay(one, first, now):
            return refused
        if self.accounts_of_members.setdefault(iban, one) is not one:
            return Refused("instrument-taken")
        paid = self._keep(one, first, now, from_wallet=False)
        return {"first": paid.first, "until": paid.until, "from_wallet": False}

    def _keep(self, one: Membership, first: date, paid_at: datetime, *, from_wallet: bool) -> Dues:
        paid = Dues(first, a_year_after(first), from_wallet, paid_at)
        one.dues.append(paid)
        self.settle(one, paid_at)
        return paid

    # The roll.

    def roll(self, moment: datetime) -> dict[Id, str]:
        """Return who votes if the roll is drawn up at a moment, and in which class.

        Thirty days a member, in the class and with that choice; dues not overdue; still there.
        """
        before, today, found = moment - THIRTY, self.day(moment), {}
        for one in self.register:
            if one.joined is None or one.joined > before or (one.ended and one.ended <= moment):
                continue
            chosen = [name for at, name in one.choices if at <= before]
            covered = [paid for paid in one.dues if paid.paid <= moment and paid.first <= today < paid.until + THIRTY]
            held = [
                place
                for place in one.places
                if chosen
                and place.name == chosen[-1]
                and place.since
                and place.since <= before
                and (place.ended is None or place.ended > moment)
            ]
            if covered and held:
                found[one.person] = chosen[-1]
        return found
