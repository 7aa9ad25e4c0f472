"""What the auditor expects of credit that goes back: cash-outs and their refunds, and payments that a bank takes back.

Part of the auditor: plain Python, the rules alone.
"""

from dataclasses import dataclass, field
from datetime import datetime

from tests.simulation.auditor import Answer, Id, Refused, TopUp, split
from tests.simulation.rulings import Auditor

CENT = 10_000


@dataclass
class Refund:
    """What one payment gets back of a cash-out, in cents."""

    listener: Id
    top_up: TopUp
    net: int
    vat: int
    state: str = "waiting"
    made_at: datetime | None = None
    ended_at: datetime | None = None
    by_transfer: bool = False
    id: Id = None


@dataclass
class CashOut:
    """Credit that was taken out."""

    listener: Id
    amount: int
    at: datetime
    refunds: list[Refund]
    id: Id = None


@dataclass
class Chargeback:
    """A payment that a bank took back: what the wallet gave of it, and what the co-op."""

    name: str
    top_up: TopUp
    taken: int
    borne: int
    at: datetime
    state: str = "open"
    ended_at: datetime | None = None
    decided: bool = False
    id: Id = None


@dataclass
class Rest:
    """What is left of a payment: credit in micros, and net and VAT not refunded yet in cents."""

    top_up: TopUp
    micros: int
    net: int
    vat: int = field(default=0)


class Credit(Auditor):
    """An auditor who also knows what comes out of a wallet without being spent."""

    def __init__(self, **known: object) -> None:
        super().__init__(**known)  # type: ignore[arg-type]
        self.cash_outs: list[CashOut] = []
        self.chargebacks: list[Chargeback] = []
        self.treasurers: set[Id] = set()

    def refunds(self, top_up: TopUp | None = None) -> list[Refund]:
        """Return all refunds, or those of one payment that were not sent back."""
        found = [refund for taken in self.cash_outs for refund in taken.refunds]
        if top_up is None:
            return found
        return [refund for refund in found if refund.top_up is top_up and refund.state != "returned"]

    def rests(self, person: Id) -> list[Rest]:
        """Return the payments that the bought credit is the rest of, newest first: credit is spent oldest first."""
        taken_back = {id(one.top_up) for one in self.chargebacks if one.state != "won"}
        paid = [one for one in self.top_ups if one.listener == person and one.state == "settled"]
        left, rests = self.wallet(person).balance, []
        for top_up in sorted(paid, key=lambda one: (one.settled_at, one.id), reverse=True):
            if id(top_up) in taken_back:
                continue
            gone = self.refunds(top_up)
            net, vat = top_up.net - sum(one.net for one in gone), top_up.vat - sum(one.vat for one in gone)
            rests.append(Rest(top_up, min(left, net * CENT), net, vat))
            left -= rests[-1].micros
        return [rest for rest in rests if rest.micros]

    def cash_out(self, person: Id, amount: int, key: str, now: datetime) -> Answer | Refused:
        """Take bought credit out, to the newest payments first; once per key."""
        kept = self.kept.get((person, "cash-out", key))
        if kept is not None:
            return kept[1] if kept[0] == amount else Refused("key-reused")
        if self.wallet(person).frozen:
            return Refused("wallet-frozen")
        if amount <= 0 or amount % CENT:
            return Refused("invalid")
        rests = self.rests(person)
        most = min(self.wallet(person).balance, sum(rest.micros for rest in rests)) // CENT * CENT
        if amount > most:
            return Refused("cash-out-refused", (("available_micros", most),))
        refunds, left = [], amount // CENT
        for rest in rests:
            cents = min(left, rest.micros // CENT)
            if not cents:
                break
            vat = split(rest.vat, [cents, rest.net - cents])[0]
            refunds.append(Refund(person, rest.top_up, cents, vat))
            left -= cents
        taken = CashOut(person, amount, self.booked(now), refunds)
        self.cash_outs.append(taken)
        self.enter(person, "cash-out", -amount, 0, taken.at)
        answer = {"amount": amount, "parts": [(one.top_up.id, one.net, one.vat) for one in refunds]}
        self.kept[person, "cash-out", key] = (amount, answer)
        return answer

    def hear_of_refund(self, name: str, kind: str, refund: Refund, now: datetime) -> bool:
        """Take in what the gateway says of a refund: once per event; that it failed wins over that it was made."""
        if name in self.events:
            return False
        self.events.add(name)
        under_way = refund.state == "waiting"
        if kind == "refund.failed" and (under_way or (refund.state == "refunded" and not refund.by_transfer)):
            self.return_refund(refund, now)
        elif kind == "refund.paid" and under_way:
            refund.state, refund.made_at = "refunded", self.booked(now)
        elif kind == "refund.too_old" and under_way:
            refund.state = "transfer"
        return True

    def return_refund(self, refund: Refund, now: datetime) -> None:
        """Put a refund's credit into the wallet again."""
        refund.state, refund.ended_at = "returned", self.booked(now)
        self.enter(refund.listener, "cash-out-returned", refund.net * CENT, 0, refund.ended_at)

    def transfer_refund(self, refund: Refund, staff: Id, now: datetime) -> Refused | None:
        """Pay a refund by transfer, as a treasurer who is not its listener may who did not enter it."""
        if staff not in self.treasurers or staff == refund.listener:
            return Refused("not-allowed")
        refund.state, refund.made_at, refund.by_transfer = "refunded", self.booked(now), True
        return None

    def hear_of_chargeback(  # noqa: PLR0917  (what an event says)
        self, event: str, kind: str, name: str, top_up: TopUp | None, cents: int, now: datetime
    ) -> bool:
        """Take in what the gateway says of a chargeback, in whichever order: taken once, and won once."""
        if event in self.events:
            return False
        self.events.add(event)
        if top_up is None or top_up.state != "settled" or cents <= 0:
            return True
        found = next((one for one in self.chargebacks if one.name == name), None)
        if found is None:
            found = self._take_back(name, top_up, cents, now)
        if kind == "chargeback.won" and found.state != "won":
            found.state, found.ended_at = "won", self.booked(now)
            self.enter(found.top_up.listener, "chargeback-won", found.taken, 0, found.ended_at)
        elif kind == "chargeback.lost" and found.state == "open":
            found.state = "lost"
        return True

    def _take_back(self, name: str, top_up: TopUp, cents: int, now: datetime) -> Chargeback:
        """Take of the wallet at most what is left of that payment, the rest from the co-op, and freeze the wallet."""
        wallet = self.wallet(top_up.listener)
        out = sum(one.net for one in self.refunds(top_up)) * CENT
        out += sum(one.taken for one in self.chargebacks if one.top_up is top_up and one.state != "won")
        taken = min(wallet.balance, max(0, top_up.net * CENT - out), cents * CENT)
        made = Chargeback(name, top_up, taken, cents * CENT - taken, self.booked(now))
        self.chargebacks.append(made)
        wallet.frozen = True
        self.enter(top_up.listener, "chargeback", -taken, 0, made.at)
        return made

    def decide(self, chargeback: Chargeback, staff: Id, reason: str) -> Refused | None:
        """Let a treasurer, about whom it is not, say that the wallet moves again once nothing else is open."""
        listener = chargeback.top_up.listener
        if staff not in self.treasurers:
            return Refused("not-allowed")
        if not reason.strip():
            return Refused("invalid")
        if staff == listener:
            return Refused("not-allowed")
        if not chargeback.decided:
            chargeback.decided = True
            others = [one for one in self.chargebacks if one.top_up.listener == listener and not one.decided]
            self.wallet(listener).frozen = self.wallet(listener).frozen and bool(others)
        return None
