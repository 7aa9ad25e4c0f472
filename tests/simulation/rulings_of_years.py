"""What the auditor makes of a year: its result, what counts of each charge, each class's pool, each member's part.

Part of the auditor: plain Python, the rules alone. Each charge is looked at by itself, and rates are fractions.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from math import ceil

from tests.simulation.accounts_by_hand import Entry
from tests.simulation.auditor import Charge, Id, Refused, split
from tests.simulation.rulings_of_beat import Beat
from tests.simulation.rulings_of_credit import CENT
from tests.simulation.rulings_of_membership import NOT_ALLOWED, NOT_FOUND
from tests.simulation.rulings_of_months import DECEMBER, Group, Moved
from tests.simulation.rulings_of_votes import Proposal

RESERVE, RESULT, COMMON_GOOD = "equity.reserve", "equity.result", "equity.common-good"
PATRONAGE = "liabilities.patronage"
PPM, CASH_LEAST = 1_000_000, 100
STANDS, OPEN = Refused("year-stands"), Refused("year-open")
CLASSES = {"creators": "creator", "listeners": "listener", "workers": "worker"}


@dataclass(frozen=True)
class Part:
    """A member's part of a class's pool: what they brought, cents for it, and of these what is paid at once."""

    name: str
    number: int
    person: Id
    brought: int
    cents: int
    cash: int

    @property
    def capital(self) -> int:
        """Return the cents that go to the capital account."""
        return self.cents - self.cash


@dataclass
class YearEnd:
    """A closed year."""

    year: int
    closed_at: datetime
    result: int
    shortfall: int
    state: str = "drawing"
    pools: dict[str, int] = field(default_factory=dict)
    common_good: int = 0
    scale: int = PPM
    parts: list[Part] = field(default_factory=list)
    divided_in: date | None = None
    redeeming: Id = None
    redeemed_in: date | None = None
    # Parts whose capital was paid before, to who left, and in which month.
    early: dict[Part, date] = field(default_factory=dict)


class Years(Beat):
    """The whole auditor, to the year's end."""

    def __init__(self, **known: object) -> None:
        super().__init__(**known)
        self.years: dict[int, YearEnd] = {}

    # Closing.

    def close_year(self, year: int, staff: Id, now: datetime) -> Refused | None:
        """Close a year whose months are sealed and locked, in its order; what it left goes to the reserve."""
        if staff not in self.treasurers:
            return NOT_ALLOWED
        if year in self.years:
            return None
        last, first = date(year, DECEMBER, 1), min(self.closed, default=None)
        if first is None or last < first or last not in self.closed or not self.closed[last].sealed:
            return OPEN
        if not self.is_locked(last) or (first < date(year, 1, 1) and year - 1 not in self.years):
            return OPEN
        self.years[year] = YearEnd(year, now, *self.left_by(year))
        return None

    def left_by(self, year: int) -> tuple[int, int]:
        """Return what a year leaves if it is closed now, and how much the years before it lost."""
        accounts = self.accounts()
        result = -sum(
            micros
            for (code, month), micros in accounts.items()
            if code.startswith(("income.", "expenses.")) and month.year == year
        )
        return result, max(0, sum(micros for (code, _), micros in accounts.items() if code == RESERVE))

    def entries_by_hand(self) -> Iterator[Entry]:
        """Yield what was booked of years, too."""
        yield from super().entries_by_hand()
        for one in self.years.values():
            month = self.month(one.closed_at)
            yield (RESULT, RESERVE, one.result, month)
            if one.divided_in:
                month = one.divided_in
                yield RESERVE, COMMON_GOOD, one.common_good * CENT, month
                for part in one.parts:
                    yield RESERVE, f"liabilities.payable.{part.person}", part.cash * CENT, month
                    yield RESERVE, f"liabilities.capital.{part.person}", part.capital * CENT, month
            for part in one.parts:
                if month := one.early.get(part) or one.redeemed_in:
                    capital, payable = (f"liabilities.{name}.{part.person}" for name in ("capital", "payable"))
                    yield capital, payable, part.capital * CENT, month

    # Drawing.

    def _draw(self, one: YearEnd) -> None:
        cents = (one.result - one.shortfall) // CENT
        if cents <= 0:
            one.state = "nothing"
            return
        begins, ends = (datetime(year, 1, 1, tzinfo=self.zone) for year in (one.year, one.year + 1))
        brought = self._brought(one, begins, ends)
        bases = {name: sum(of.values()) for name, of in brought.items()}
        rates = self.in_force("surplus", begins)[1]
        good, reserve = rates["common_good_ppm"], rates["reserve_ppm"]
        _, one.common_good, pool = split(cents, [reserve, good, PPM - reserve - good])
        one.pools = dict(zip(CLASSES, split(pool, [rates[f"{name}_ppm"] for name in CLASSES]), strict=True))
        one.scale = self._guard(one.pools, bases, begins, ends)
        for name in ("creators", "listeners"):
            one.pools[name] = one.pools[name] * one.scale // PPM
        one.parts = [
            part
            for name, place in CLASSES.items()
            for part in self._share(name, one.pools[name], brought[name], self._at_the_end(place, ends), rates)
        ]
        one.state = "ready"

    def _brought(self, one: YearEnd, begins: datetime, ends: datetime) -> dict[str, Counter[Id]]:
        """Return what everybody brought, members or not: the creators' part of what counts, what counts, minutes."""
        closed_at = self.closed[date(one.year, DECEMBER, 1)].closed_at
        listened: Counter[Id] = Counter()
        groups: Counter[tuple[date, Id, int | None, int]] = Counter()
        for charge in self.charges:
            stands = not charge.reversed_at or charge.reversed_at >= closed_at
            if begins <= charge.moment < ends and stands and not self._was_own(charge, begins, ends):
                sheet, revenue = self.works[charge.work].sheet(charge.moment), self.in_force("revenue", charge.moment)
                bought = charge.amount - charge.from_promo
                listened[charge.listener] += bought
                groups[self.month(charge.moment), charge.work, sheet and sheet.version, revenue[0]] += bought
        earned: Counter[Id] = Counter()
        for (month, work, version, revenue), micros in groups.items():
            rates = self.policies["revenue"][revenue - 1][1]
            creators = split(micros, [rates["creators_ppm"], rates["coop_ppm"]])[0]
            shares = self._shares(one.year, month, self.closed[month].groups[work, version, revenue], work)
            # What nobody was paid within the year is nobody's.
            earned.update(
                dict(zip((who for who, _ in shares), split(creators, [ppm for _, ppm in shares]), strict=True))
            )
            earned[None] += 0 if shares else creators
        worked: Counter[Id] = Counter()
        for hours in self.worked:
            if hours.approved and hours.day.year == one.year and hours.approved_at <= one.closed_at:
                worked[hours.person] += hours.minutes
        return {"creators": earned, "listeners": listened, "workers": worked}

    def _was_own(self, charge: Charge, begins: datetime, ends: datetime) -> bool:
        """Whether its listener ran the work or was on one of its sheets at any time in the year."""
        known = self.works[charge.work]
        if charge.listener in known.managers:
            return True
        sheets = sorted((sheet for sheet in known.sheets if sheet.since), key=lambda one: (one.since, one.version))
        # Of a work without any sheet there is one end too many.
        until = [sheet.since for sheet in sheets[1:]] + [ends]
        return any(
            sheet.since < ends and over >= begins and charge.listener in dict(sheet.lines)
            for sheet, over in zip(sheets, until, strict=False)
        )

    def _shares(self, year: int, month: date, group: Group, work: Id) -> list[tuple[Id, int]]:
        if group.sheet:
            return group.sheet.lines
        if group.released_in is None or group.released_in.year > year:
            return []
        lines = [line for line in self.closed[group.released_in].lines if (line.of, line.work) == (month, work)]
        return [(line.payee, line.share) for line in sorted(lines, key=lambda one: one.number)]

    def _guard(self, pools: dict[str, int], bases: dict[str, int], begins: datetime, ends: datetime) -> int:
        """Return by how many millionths the pools are scaled, so that buying one's own record earns nothing."""
        versions = self.policies["revenue"]
        until = [since for since, _ in versions[1:]] + [None]
        held = [
            params
            for (since, params), over in zip(versions, until, strict=True)
            if since < ends and (over is None or over > begins)
        ]
        rates = min(held, key=lambda params: params["coop_ppm"])
        creators, listeners = (
            Fraction(pools[name] * CENT, bases[name]) if bases[name] else Fraction(0)
            for name in ("creators", "listeners")
        )
        back = Fraction(rates["creators_ppm"], PPM) * creators + listeners
        kept = Fraction(rates["coop_ppm"], PPM)
        return PPM if back < kept else ceil(kept / back * PPM) - 1

    def _at_the_end(self, name: str, ends: datetime) -> list[tuple[int, Id]]:
        """Return who held a place in a class at the year's end, by their numbers."""
        found = []
        for one in self.register:
            for place in one.places:
                over = min((at for at in (place.ended, one.ended) if at), default=None)
                if place.name == name and one.joined and place.since and max(place.since, one.joined) < ends:
                    found += [(one.number, one.person)] if over is None or over >= ends else []
        return sorted(found)

    def _share(
        self, name: str, pool: int, brought: Counter[Id], members: list[tuple[int, Id]], rates: dict[str, int]
    ) -> list[Part]:
        """Divide a pool by what members brought; what all others brought stays in the reserve."""
        of = [(number, person, brought[person]) for number, person in members if brought[person]]
        whole = sum(brought.values())
        if not whole:
            return []
        cents = split(pool, [*(weight for _, _, weight in of), whole - sum(weight for _, _, weight in of)])
        parts = []
        for (number, person, weight), part in zip(of, cents, strict=False):
            cash = ceil(Fraction(part * rates["cash_ppm"], PPM))
            parts.append(Part(name, number, person, weight, part, cash if cash >= CASH_LEAST else 0))
        return parts

    # The motion and the money.

    def motion(self, year: int) -> Proposal | None:
        """Return the last proposal about a year."""
        return next((one for one in reversed(self.proposals) if one.year == year), None)

    def put_motion(self, year: int, staff: Id, now: datetime) -> Refused | None:
        """Put a year's figures before the members, by a treasurer who is one."""
        if staff not in self.treasurers:
            return NOT_ALLOWED
        if year not in self.years:
            return NOT_FOUND
        last = self.motion(year)
        if self.years[year].state != "ready" or (last and last.state == "enacted"):
            return STANDS
        if not self.of(staff, "joined"):
            return NOT_ALLOWED
        if last and any(one is last for one in self.under_way()):
            return Refused("one-proposal-per-policy")
        one = Proposal(staff, "", None, None, "ordinary", year=year)
        self.proposals.append(one)
        self.submit(one, staff, now)
        return None

    def work_on_years(self, now: datetime) -> dict[int, str]:
        """Draw what is closed, divide what members accepted, pay capital that two released; return how all stand."""
        for one in self.years.values():
            if one.state == "drawing":
                self._draw(one)
            last = self.motion(one.year)
            if one.state == "ready" and last and last.state == "enacted":
                one.state, one.divided_in = "done", self.month(now)
                self._owe({part: part.cash for part in one.parts}, one.divided_in)
            if one.state == "redeeming":
                one.state, one.redeemed_in = "redeemed", self.month(now)
                self._owe({part: part.capital for part in one.parts if part not in one.early}, one.redeemed_in)
        return {one.year: one.state for one in self.years.values()}

    def _owe(self, cents: dict[Part, int], month: date) -> None:
        self.moved += [Moved(part.person, month, owed * CENT) for part, owed in cents.items() if owed]

    def redeem(self, year: int, staff: Id, *, confirms: bool) -> Refused | None:
        """Release a year's capital, the oldest year first: one treasurer begins, another confirms."""
        if staff not in self.treasurers:
            return NOT_ALLOWED
        one = self.years.get(year)
        if one is None:
            return NOT_FOUND
        earlier = [other.state for other in self.years.values() if other.year < year]
        if one.state != "done" or any(state not in {"redeemed", "nothing"} for state in earlier):
            return STANDS
        if not confirms:
            one.redeeming = staff
        elif one.redeeming is None:
            return STANDS
        elif one.redeeming == staff:
            return NOT_ALLOWED
        else:
            one.state = "redeeming"
        return None
