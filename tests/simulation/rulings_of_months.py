"""What the auditor makes of a month: closed in its order, divided by hand, held, released, and told to its payees.

Part of the auditor: plain Python, the rules alone. Each charge is looked at by itself, and shares are fractions.
"""

from abc import abstractmethod
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import ceil

from tests.simulation.auditor import DAY, Charge, Id, Refused, Sheet, split
from tests.simulation.rulings_of_credit import CENT, Credit

FRESH = 14 * DAY
FIRST_DAYS, FIRST_DAYS_UNTIL = 30, 45
DECEMBER = 12


def after(month: date) -> date:
    """Return the month that follows."""
    return (month + 32 * DAY).replace(day=1)


@dataclass
class Group:
    """A work's month under one sheet and one version of `revenue`."""

    sheet: Sheet | None
    gross: int = 0
    promo: int = 0
    numbers: list[int] = field(default_factory=list)
    purchases: int = 0
    listeners: set[Id] = field(default_factory=set)
    given_back: int = 0
    creators: int = 0
    coop: int = 0
    released_in: date | None = None

    @property
    def plays(self) -> list[int]:
        """Return how many plays there were of each number."""
        return [self.numbers.count(number) for number in range(1, max(self.numbers, default=0) + 1)]


@dataclass(frozen=True)
class Line:
    """What a payee gets of a group: `paid_in` the month of the run, `of` the month that earned it."""

    paid_in: date
    of: date
    work: Id
    version: int
    revenue: int
    number: int
    payee: Id
    share: int
    micros: int


@dataclass
class Closed:
    """A month that is no longer open, and what the run found."""

    month: date
    closed_at: datetime
    groups: dict[tuple[Id, int | None, int], Group] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    held: int = 0
    borne: int = 0
    booked: bool = False
    sealed: bool = False


@dataclass
class Moved:
    """What left a payee's account (below zero) or came back to it, and in which month it counts."""

    payee: Id
    month: date
    micros: int
    told: bool = False


@dataclass(frozen=True)
class Due:
    """What a payee gets with a month's payouts, or why nothing."""

    cents: int
    why_not: str
    held: int


class Months(Credit):
    """An auditor who also counts months and knows what everybody is owed."""

    def __init__(self, **known: object) -> None:
        super().__init__(**known)
        self.closed: dict[date, Closed] = {}
        self.moved: list[Moved] = []
        # What each statement carried forward, by payee and month.
        self.carried: dict[Id, dict[date, int]] = defaultdict(dict)
        self.bank_accounts: set[Id] = set()

    def month(self, moment: datetime) -> date:
        """Return the first day of the co-op's month."""
        return self.day(moment).replace(day=1)

    def begins(self, month: date) -> datetime:
        """Return the first moment of a month."""
        return datetime(month.year, month.month, 1, tzinfo=self.zone)

    def sheet_begins(self, now: datetime) -> datetime:
        """Return from when on a sheet of now holds: never within a month that is closed."""
        return max([now, *(one.closed_at for one in self.closed.values())])

    # Closing.

    def next_month(self) -> date | None:
        """Return the month that is closed next: after the last one, or that of the first charge."""
        if self.closed:
            return after(max(self.closed))
        return min((self.month(one.moment) for one in self.charges), default=None)

    def close(self, month: date, now: datetime) -> Refused | None:
        """Close a month that is over, in its order, when the one before is sealed."""
        if month in self.closed:
            return None
        if month.day != 1 or now < self.begins(after(month)):
            return Refused("month-not-over")
        following = self.next_month()
        if any(not one.sealed for one in self.closed.values()):
            return Refused("earlier-month-open")
        if following and (month > following or (self.closed and month < following)):
            return Refused("earlier-month-open")
        given_back = [
            one.reversed_at for one in self.charges if one.reversed_at and one.reversed_at >= self.begins(month)
        ]
        self.closed[month] = Closed(month, max([now, *given_back]))
        self.learn_close(month, self.closed[month].closed_at)
        return None

    def learn_close(self, month: date, closed_at: datetime) -> None:
        """Write down when exactly a month was closed."""
        self.closed[month].closed_at = closed_at
        self.month_open = after(max(self.closed)), max(one.closed_at for one in self.closed.values())

    def divide(self, month: date) -> None:
        """Divide a closed month: each group between creators and co-op, and the creators' part by the sheet."""
        done = self.closed[month]
        done.groups = self._groups(month)
        done.lines = [
            line
            for (work, _, revenue), group in done.groups.items()
            if group.sheet
            for line in self._lines(month, month, work, revenue, group.sheet, group.creators)
        ]
        done.held = sum(group.creators for group in done.groups.values() if not group.sheet)
        done.borne = sum(one.amount for one in self.charges if one.late and self.month(one.reversed_at) == month)
        for earlier in self.closed.values():
            for (work, _, revenue), group in earlier.groups.items():
                first = self._first_sheet(work, before=self.begins(after(month)))
                if earlier.month < month and not group.sheet and not group.released_in and first:
                    group.released_in = month
                    done.lines += self._lines(month, earlier.month, work, revenue, first, group.creators)

    def _groups(self, month: date) -> dict[tuple[Id, int | None, int], Group]:
        groups: dict[tuple[Id, int | None, int], Group] = {}
        for charge in self.charges:
            if self.month(charge.moment) != month:
                continue
            sheet, revenue = self.works[charge.work].sheet(charge.moment), self.in_force("revenue", charge.moment)[0]
            group = groups.setdefault((charge.work, sheet and sheet.version, revenue), Group(sheet))
            if charge.reversed and not charge.late:
                group.given_back += charge.amount
                continue
            group.gross += charge.amount
            group.promo += charge.from_promo
            group.numbers += [charge.number] if charge.number else []
            group.purchases += charge.number is None
            group.listeners.add(charge.listener)
        for (_, _, revenue), group in groups.items():
            _, params = self.policies["revenue"][revenue - 1]
            group.creators, group.coop = split(group.gross, [params["creators_ppm"], params["coop_ppm"]])
        return {key: group for key, group in groups.items() if group.gross}

    def _first_sheet(self, work: Id, *, before: datetime) -> Sheet | None:
        """Return the first sheet that was in force; of two that began at one moment, the newer."""
        begun = [sheet for sheet in self.works[work].sheets if sheet.since and sheet.since < before]
        first = min((sheet.since for sheet in begun), default=None)
        return max((one for one in begun if one.since == first), key=lambda one: one.version, default=None)

    def _lines(  # noqa: PLR0917  (what a line is made of)
        self, paid_in: date, of: date, work: Id, revenue: int, sheet: Sheet, creators: int
    ) -> list[Line]:
        parts = split(creators, [share for _, share in sheet.lines])
        return [
            Line(paid_in, of, work, sheet.version, revenue, number, payee, share, micros)
            for number, ((payee, share), micros) in enumerate(zip(sheet.lines, parts, strict=True), 1)
        ]

    # What is owed.

    def payable(self) -> dict[Id, int]:
        """Return what everybody is owed: their lines, less what was paid out and did not come back."""
        owed: dict[Id, int] = defaultdict(int)
        for one in self.closed.values():
            for line in one.lines if one.booked else []:
                owed[line.payee] += line.micros
        for moved in self.moved:
            owed[moved.payee] += moved.micros
        return owed

    def dues(self, month: date, now: datetime) -> dict[Id, Due]:
        """Return what everybody who is owed anything gets if a month is paid now."""
        _, params = self.in_force("payouts", now)
        usual = params["yearly_least_cents" if month.month == DECEMBER else "least_cents"]
        held, found, gone = self.holds(month, now), {}, self.gone()
        for payee, owed in self.payable().items():
            # Whoever goes is paid from a cent on.
            least = 1 if payee in gone else usual
            free = max(0, owed - held[payee]) // CENT
            if free >= least:
                why_not = "" if payee in self.bank_accounts else "no-account"
            elif owed < CENT:
                why_not = "nothing-owed"
            else:
                why_not = "held" if owed // CENT >= least else "below-threshold"
            if owed:
                found[payee] = Due(0 if why_not else free, why_not, held[payee])
        return found

    def holds(self, month: date, now: datetime) -> dict[Id, int]:
        """Return what of everybody's royalties waits: of their first 30 days, and paid with fresh credit.

        Of a work that is suspended all waits that no payout had reached.
        """
        today = self.day(now)
        earliest = min(month, (today - timedelta(days=FIRST_DAYS_UNTIL)).replace(day=1))
        net: dict[tuple[Id, Id, date], int] = defaultdict(int)
        gross: dict[tuple[Id, date], int] = defaultdict(int)
        earned_in: dict[Id, set[date]] = defaultdict(set)
        for closed in self.closed.values():
            for line in closed.lines:
                earned_in[line.payee].add(line.of)
                if self.suspended_since(line.work):
                    continue
                if line.paid_in <= month and line.of >= earliest:
                    net[line.payee, line.work, line.of] += line.micros
            for (work, _, _), group in closed.groups.items():
                gross[work, closed.month] += group.gross
        days, fresh, held = self._days(), self._fresh(month), self.stopped(month)
        for (payee, work, of), micros in net.items():
            began = self._began(payee, net, days, month) if min(earned_in[payee]) >= earliest else None
            until = began + timedelta(days=FIRST_DAYS) if began else None
            if began and began + timedelta(days=FIRST_DAYS_UNTIL) <= today:
                until = None
            first = sum(sum_ for day, sum_ in days[work, of].items() if until and day < until)
            young = sum(sum_ for day, sum_ in fresh[work].items() if of == month and (not until or day >= until))
            whole = gross[work, of]
            first = min(whole, first)
            held[payee] += ceil(Fraction(micros * first, whole))
            held[payee] += ceil(Fraction(micros * min(whole - first, young), whole))
        return held

    def stopped(self, month: date) -> dict[Id, int]:
        """Return what of everybody's royalties waits because its work is suspended."""
        found: dict[Id, int] = defaultdict(int)
        for line in (line for closed in self.closed.values() for line in closed.lines if line.paid_in <= month):
            since = self.suspended_since(line.work)
            if since and not self.was_paid(line.payee, line.paid_in, before=since):
                found[line.payee] += line.micros
        return found

    def gone(self) -> set[Id]:
        """Return who is on their way out, or erased: here nobody."""
        return set()

    def suspended_since(self, work: Id) -> datetime | None:
        """Return since when a work is suspended after a report."""
        known = self.works[work]
        return known.suspended_at if known.state == "suspended" else None

    @abstractmethod
    def was_paid(self, payee: Id, month: date, *, before: datetime) -> bool:
        """Whether a payout that counts reached what somebody was owed of a month, before a moment."""

    def _days(self) -> dict[tuple[Id, date], dict[date, int]]:
        """Return what each work was charged on each day and kept, by its months."""
        days: dict[tuple[Id, date], dict[date, int]] = defaultdict(lambda: defaultdict(int))
        for charge in self.charges:
            if not charge.reversed:
                days[charge.work, self.month(charge.moment)][self.day(charge.moment)] += charge.amount
        return days

    def _began(
        self,
        payee: Id,
        net: dict[tuple[Id, Id, date], int],
        days: dict[tuple[Id, date], dict[date, int]],
        month: date,
    ) -> date | None:
        """Return a payee's first day: the first on which a work earned under a sheet on which they stand.

        Of what was held till there was a sheet every day counts.
        """
        found = []
        for _, work, of in (key for key in net if key[0] == payee):
            lines = [
                line
                for closed in self.closed.values()
                for line in closed.lines
                if (line.payee, line.work, line.of) == (payee, work, of) and line.paid_in <= month
            ]
            sheets = {sheet.version: sheet.since for sheet in self.works[work].sheets}
            since = min(self.begins(of) if line.paid_in > of else sheets[line.version] for line in lines)
            last: dict[date, datetime] = {}
            for charge in self.charges:
                if charge.work == work:
                    day = self.day(charge.moment)
                    last[day] = max(last.get(day, charge.moment), charge.moment)
            found += [day for day, micros in days[work, of].items() if micros > 0 and last[day] >= since]
        return min(found, default=None)

    def _fresh(self, month: date) -> dict[Id, dict[date, int]]:
        """Return what of each work was paid, on which day, with credit bought in its last 14 days.

        Of fresh credit what is not in the wallet at the end was spent, by the last charges.
        """
        ends = self.begins(after(month))
        found: dict[Id, dict[date, int]] = defaultdict(lambda: defaultdict(int))
        for person, entries in self.bought.items():
            left = sum(micros for at, micros in entries if at < ends)
            spent = max(0, self._fresh_credit(person, ends) - left)
            charges: list[Charge] = [
                one
                for one in self.charges
                if one.listener == person
                and self.month(one.moment) == month
                and not (one.reversed_at and one.reversed_at < ends)
            ]
            for charge in sorted(charges, key=lambda one: (one.moment, one.id), reverse=True):
                used = min(spent, charge.amount - charge.from_promo)
                spent -= used
                if used:
                    found[charge.work][self.day(charge.moment)] += used
        return found

    def _fresh_credit(self, person: Id, ends: datetime) -> int:
        fresh = [one for one in self.top_ups if one.listener == person and one.settled_at]
        fresh = [one for one in fresh if ends - FRESH <= one.settled_at < ends]
        micros = sum(one.net for one in fresh) * CENT
        for taken in self.cash_outs:
            micros -= sum(
                one.net * CENT
                for one in taken.refunds
                if one.top_up in fresh and taken.at < ends and one.state != "returned"
            )
        for one in self.chargebacks:
            micros -= one.taken if one.top_up in fresh and one.at < ends and one.state != "won" else 0
        return micros

    # What is told.

    def state(self, month: date) -> dict[Id, tuple[int, int, int, int, int, int]]:
        """Write a month's statements: brought, earned, released, paid out, come back, and carried forward."""
        told: dict[Id, tuple[int, int, int, int, int, int]] = {}
        new = [one for one in self.moved if not one.told and one.month <= month]
        lines = self.closed[month].lines
        people = {line.payee for line in lines} | {one.payee for one in new}
        people |= {payee for payee, carried in self.carried.items() if carried and carried[max(carried)]}
        for payee in people:
            carried = self.carried[payee]
            opening = carried[max(carried)] if carried else 0
            earned = sum(line.micros for line in lines if line.payee == payee and line.of == month)
            released = sum(line.micros for line in lines if line.payee == payee and line.of < month)
            paid = -sum(one.micros for one in new if one.payee == payee and one.micros < 0)
            back = sum(one.micros for one in new if one.payee == payee and one.micros > 0)
            closing = opening + earned + released - paid + back
            told[payee] = (opening, earned, released, paid, back, closing)
            carried[month] = closing
        for one in new:
            one.told = True
        return told
