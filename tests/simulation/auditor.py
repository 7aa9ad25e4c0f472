"""An auditor who knows the rules and no code: predicts every answer and every balance of a life.

Plain Python, without Django and without a line of Refrain. What it says is written from the rules (how a ladder is
made, what a holding keeps, in which order a charge is refused), so a mistake of ours would have to be made twice.
Amounts are whole micros. Moments are aware datetimes; `now` is when something is asked.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TWENTY = 20_000_000

Id = Any
Answer = dict[str, Any]


def split(total: int, weights: list[int]) -> list[int]:
    """Divide by largest remainder: exact shares, rounded down, the rest one each by remainder, weight, place."""
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [int(share) for share in exact]
    order = sorted(range(len(weights)), key=lambda i: (parts[i] - exact[i], -weights[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def ladder(price: int, plays: int, num: int, den: int) -> list[int]:
    """Return the prices of the plays, cheapest first; each weighs `num / den` of the one before."""
    return sorted(split(price, [num**k * den ** (plays - 1 - k) for k in range(plays)]))


@dataclass(frozen=True)
class Refused:
    """An answer that is a refusal: the rule's slug and the figures that come with it."""

    slug: str
    figures: tuple[tuple[str, Any], ...] = ()


@dataclass
class Sheet:
    """Whom a work pays, with their millionths in the sheet's order; in force `since` a moment, if everybody agreed."""

    version: int
    since: datetime | None
    lines: list[tuple[Id, int]]
    # Who proposed it, and so agreed with it.
    by: Id = None


@dataclass
class Work:
    """What is known of a work."""

    managers: set[Id]
    sheets: list[Sheet]
    figure: int | None
    duration_ms: int
    pieces_ms: list[int]
    kind: str = "track"
    state: str = "published"
    off_at: datetime | None = None
    # Since when it is suspended after a report, and what it was before.
    suspended_at: datetime | None = None
    before: str = "published"
    # Who runs its profile, and who helps; nobody when that was closed.
    owner: Id = None
    editors: list[Id] = field(default_factory=list)
    closed: bool = False
    # What rules about the catalogue look at, and who ever agreed to be paid by it.
    origin: str = "human"
    lossless: bool = True
    edge: int = 1_600
    payees: set[Id] = field(default_factory=set)
    # The version of `content` that took it off.
    voted_off: int | None = None

    def unavailable(self) -> "Refused":
        """Return why it cannot be begun: it is off, by which vote if a vote took it off."""
        cited = self.state == "off" and self.voted_off
        return Refused("work-unavailable", (("policy", ("content", self.voted_off)),) if cited else ())

    def is_own(self, person: Id, now: datetime) -> bool:
        """Whether it is the person's own: they run its profile, or the sheet in force pays them."""
        sheet = self.sheet(now)
        return person in self.managers or (sheet is not None and person in dict(sheet.lines))

    def sheet(self, at: datetime) -> Sheet | None:
        """Return the sheet that is in force at a moment: the newest that has begun."""
        begun = [sheet for sheet in self.sheets if sheet.since is not None and sheet.since <= at]
        return max(begun, key=lambda sheet: (sheet.since, sheet.version), default=None)

    def may_play_on(self, now: datetime) -> bool:
        """Whether who has live charges may go on: 90 days after it was taken off."""
        return self.state == "published" or (self.state == "off" and now < self.off_at + 90 * DAY)


@dataclass
class Wallet:
    """Two pockets, two limits with their raises, two counters."""

    balance: int = 0
    promo: int = 0
    frozen: bool = False
    limits: dict[str, int | None] = field(default_factory=lambda: {"day": None, "month": None})
    raises: dict[str, tuple[datetime, int | None] | None] = field(default_factory=lambda: {"day": None, "month": None})
    counted: dict[str, tuple[date | None, int]] = field(default_factory=lambda: {"day": (None, 0), "month": (None, 0)})

    def limit(self, span: str, now: datetime) -> int | None:
        """Return the limit in force."""
        waits = self.raises[span]
        return waits[1] if waits and waits[0] <= now else self.limits[span]


@dataclass
class Charge:
    """Money that moved, and what stood afterwards."""

    listener: Id
    work: Id
    number: int | None
    amount: int
    from_promo: int
    moment: datetime
    version: int
    answer: Answer
    session: "Session | None"
    id: Id = None
    reversed: bool = False
    reversed_at: datetime | None = None
    # Given back when its month was closed already.
    late: bool = False
    reversal: Id = None
    asked_by: Id = None


@dataclass
class Holding:
    """Terms (price, plays, num, den, version), cap, the live charges, and whether it is owned."""

    terms: tuple[int, int, int, int, int] | None = None
    cap: int | None = None
    live: list[Charge] = field(default_factory=list)
    owned: bool = False
    revision: int = 0

    @property
    def paid(self) -> int:
        """What all live charges sum to."""
        return sum(charge.amount for charge in self.live)

    @property
    def numbers(self) -> dict[int, int]:
        """The plays with a live charge, and what each cost."""
        return {charge.number: charge.amount for charge in self.live if charge.number is not None}


@dataclass
class Session:
    """A sitting with its quote."""

    listener: Id
    work: Id
    began: datetime
    basis: str = "paid"
    id: Id = None
    ended: bool = False
    expires: datetime | None = None
    playlist_until: datetime | None = None
    number: int | None = None
    price: int = 0
    cap: int = 0
    terms: tuple[int, int, int, int, int] | None = None
    revision: int = 0
    free_ms: int = 0
    open_ms: int = 0
    charge: Charge | None = None
    completed: bool = False
    played_free: str | None = None


@dataclass
class TopUp:
    """Credit that somebody asked for."""

    listener: Id
    asked: int
    vat_ppm: int
    id: Id = None
    state: str = "started"
    begun: datetime | None = None
    gross: int = 0
    net: int = 0
    vat: int = 0
    settled_at: datetime | None = None


@dataclass(frozen=True)
class Asked:
    """What the next play and the rest cost now."""

    terms: tuple[int, int, int, int, int]
    cap: int
    paid: int
    number: int | None
    price: int

    @property
    def left(self) -> int:
        """What is left to own it."""
        return self.cap - self.paid


@dataclass(frozen=True)
class Offer:
    """What a release costs somebody: the sum, and what becomes of each work, in the release's order."""

    parts: dict[Id, str]
    asked: dict[Id, Asked]

    def works(self, part: str) -> list[Id]:
        """Return the works of one part."""
        return [work for work, found in self.parts.items() if found == part]

    @property
    def total(self) -> int:
        """What all that are bought cost together."""
        return sum(self.asked[work].left for work in self.works("bought"))

    @property
    def shown(self) -> tuple[frozenset[Id], frozenset[Id]]:
        """What would be bought and what kept: the list that a purchase names."""
        return frozenset(self.works("bought")), frozenset(self.works("kept"))


def next_play(terms: tuple[int, ...], cap: int, paid: int, numbers: dict[int, int]) -> tuple[int, int]:
    """Return number and price of the next play: the lowest number free; the only one left costs the rest."""
    _, plays, num, den, _ = terms
    free = [number for number in range(1, plays + 1) if number not in numbers]
    if len(free) == 1:
        return free[0], cap - paid
    return free[0], min(max(1, ladder(cap, plays, num, den)[free[0] - 1]), cap - paid)


class Books:
    """What the auditor has written down, and what follows from it without any new fact."""

    def __init__(self, *, zone: str, policies: dict[str, list[tuple[datetime, dict[str, Any]]]]) -> None:
        self.zone = ZoneInfo(zone)
        self.policies = policies
        self.works: dict[Id, Work] = {}
        self.releases: dict[Id, list[Id]] = {}
        self.wallets: dict[Id, Wallet] = {}
        self.holdings: dict[tuple[Id, Id], Holding] = {}
        self.sessions: list[Session] = []
        self.live: dict[tuple[Id, Id], Session] = {}
        self.free_plays: dict[Id, str] = {}
        self.charges: list[Charge] = []
        self.top_ups: list[TopUp] = []
        self.entries: dict[Id, list[tuple[str, int, int]]] = {}
        # When bought credit came and went, and how much.
        self.bought: dict[Id, list[tuple[datetime, int]]] = {}
        self.events: set[str] = set()
        self.kept: dict[tuple[Id, str, str], tuple[Any, Any]] = {}
        self.staff: set[Id] = set()
        self.budget = 0
        # What moved promo credit that nobody has spent yet: when, and how much.
        self.fundings: list[tuple[datetime, int]] = []
        self.grants: list[tuple[datetime, int]] = []
        # The first day of the month that is open since the last closing, and when that was.
        self.month_open: tuple[date, datetime] | None = None

    def wallet(self, person: Id) -> Wallet:
        """Return somebody's wallet, an empty one if they have none."""
        return self.wallets.setdefault(person, Wallet())

    def holding(self, person: Id, work: Id) -> Holding:
        """Return what somebody has in a work."""
        return self.holdings.setdefault((person, work), Holding())

    def day(self, moment: datetime) -> date:
        """Return the co-op's day."""
        return moment.astimezone(self.zone).date()

    def spans(self, moment: datetime) -> dict[str, date]:
        """Return the day and the month that a moment counts for."""
        day = self.day(moment)
        return {"day": day, "month": day.replace(day=1)}

    def booked(self, now: datetime) -> datetime:
        """Return when money that moves now is booked: never in a month that is closed, nor before it was closed."""
        if self.month_open is None:
            return now
        first, closed_at = self.month_open
        return max(now, datetime(first.year, first.month, first.day, tzinfo=self.zone), closed_at)

    def in_force(self, key: str, now: datetime) -> tuple[int, dict[str, Any]]:
        """Return number and figures of the version in force."""
        versions = [(seq, params) for seq, (since, params) in enumerate(self.policies[key], 1) if since <= now]
        return versions[-1]

    def price_now(self, work: Id, now: datetime) -> tuple[int, int, int, int, int]:
        """Return the terms that a holding would begin with."""
        seq, pricing = self.in_force("pricing", now)
        figure = self.works[work].figure
        wanted = pricing["price_default_micros"] if figure is None else figure
        price = 0 if figure == 0 else min(max(wanted, pricing["price_min_micros"]), pricing["price_max_micros"])
        return price, pricing["plays"], pricing["growth_num"], pricing["growth_den"], seq

    def asks(self, person: Id, work: Id, now: datetime) -> Asked:
        """Return what the next play and the rest cost: the cap falls to the price now, and never rises."""
        held, now_terms = self.holding(person, work), self.price_now(work, now)
        terms = held.terms or now_terms
        cap = now_terms[0] if held.cap is None else max(held.paid, min(held.cap, now_terms[0]))
        if held.terms and len(held.numbers) == terms[1]:
            cap = held.paid
        if held.owned or cap == held.paid:
            return Asked(terms, cap, held.paid, None, 0)
        return Asked(terms, cap, held.paid, *next_play(terms, cap, held.paid, held.numbers))

    def basis(self, person: Id, work: Id, asked: Asked, now: datetime) -> str | Refused:
        """Return on what basis a work is heard."""
        held, known = self.holding(person, work), self.works[work]
        if held.owned:
            return "owned"
        if known.is_own(person, now):
            return "own"
        if not (known.may_play_on(now) if held.terms else known.state == "published"):
            return known.unavailable()
        if asked.left == 0:
            return "owned" if held.terms else "free"
        return "paid"

    def offer(self, person: Id, release: Id, now: datetime) -> Offer:
        """Return what a release costs somebody."""
        asked = {work: self.asks(person, work, now) for work in self.releases[release]}
        return Offer({work: self._part(person, work, asked[work], now) for work in asked}, asked)

    def _part(self, person: Id, work: Id, asked: Asked, now: datetime) -> str:
        held, basis = self.holding(person, work), self.basis(person, work, asked, now)
        if isinstance(basis, Refused):
            return "unavailable"
        if basis == "free":
            return "kept"
        if basis == "paid":
            return "by-plays" if any(charge.number is None for charge in held.live) else "bought"
        return basis

    def shows(self, session: Session, now: datetime) -> str | None:
        """Return what is seen of a photo: its preview, the whole, or nothing once it was suspended."""
        known, held = self.works[session.work], self.holding(session.listener, session.work)
        if known.kind != "photo":
            return "sound"
        basis = "owned" if session.basis == "paid" and held.owned else session.basis
        if known.state == "suspended" and basis in {"paid", "free"}:
            return None
        if session.charge is not None and session.charge.reversed:
            return "preview"
        opened = session.charge is not None and now < session.playlist_until
        return "whole" if opened or basis != "paid" else "preview"

    def gate(self, work: Id, now: datetime) -> tuple[int, int]:
        """Return how much is free and where the gate stands: the first boundary five seconds later, or nothing."""
        known = self.works[work]
        if known.duration_ms < 20_000:
            return 0, 0
        free = min(self.in_force("opening", now)[1]["seconds"] * 1000, known.duration_ms // 2)
        heard = 0
        for piece in known.pieces_ms:
            heard += piece
            if heard >= free + 5_000:
                break
        return free, heard

    def refusal(self, person: Id, amount: int, now: datetime, counted_at: datetime) -> Refused | None:
        """Return why a wallet would not pay: frozen, the day's limit, the month's, too little."""
        wallet, spans = self.wallet(person), self.spans(counted_at)
        if wallet.frozen:
            return Refused("wallet-frozen")
        for span in ("day", "month"):
            limit, (counts, spent) = wallet.limit(span, now), wallet.counted[span]
            spent = spent if counts == spans[span] else 0
            if limit is not None and spent + amount > limit:
                figures = (("limit", span), ("limit_micros", limit), ("needed_micros", amount))
                return Refused("spending-limit-reached", figures)
        if wallet.balance + wallet.promo < amount:
            available = wallet.balance + wallet.promo
            return Refused("insufficient-funds", (("available_micros", available), ("needed_micros", amount)))
        return None

    def sitting(self, session: Session, now: datetime) -> Answer:
        """Return a session as its listener sees it."""
        held = self.holding(session.listener, session.work)
        asks = session.basis == "paid" and session.charge is None and not held.owned
        return {
            "id": session.id,
            "work_id": session.work,
            "basis": "owned" if session.basis == "paid" and held.owned else session.basis,
            "charged": session.charge is not None,
            "play_number": session.number,
            "price_micros": session.price if asks else 0,
            "paid_micros": held.paid,
            "cap_micros": session.cap if held.cap is None else held.cap,
            "pricing_version": session.terms[4],
            "free_seconds": session.free_ms / 1000,
            "open_seconds": session.open_ms / 1000,
            "blocked": self.refusal(session.listener, session.price, now, now) if asks else None,
            "expires_at": session.expires,
            "playlist_until": session.playlist_until,
            "reversed": session.charge is not None and session.charge.reversed,
            "shows": self.shows(session, now),
        }

    def steps(self, person: Id, work: Id, asked: Asked) -> tuple[int, ...]:
        """Return what each play cost or will cost, if all that are left are played one after the other."""
        held, (_, plays, _, _, _) = self.holding(person, work), asked.terms
        numbers, paid = dict(held.numbers), held.paid
        while paid < asked.cap and len(numbers) < plays:
            number, price = next_play(asked.terms, asked.cap, paid, numbers)
            numbers[number], paid = price, paid + price
        return tuple(numbers.get(number, 0) for number in range(1, plays + 1)) if asked.cap else ()

    def fund(self, amount: int, now: datetime) -> None:
        """Change the promo budget."""
        self.budget += amount
        self.fundings.append((self.booked(now), amount))

    def enter(self, person: Id, kind: str, balance: int, promo: int, at: datetime) -> None:
        """Move the pockets by a line of the history."""
        wallet = self.wallet(person)
        wallet.balance += balance
        wallet.promo += promo
        self.entries.setdefault(person, []).append((kind, balance, promo))
        self.bought.setdefault(person, []).append((at, balance))
