"""What the auditor expects of each thing that people ask for. Part of the auditor: plain Python, the rules alone."""

from datetime import datetime, timedelta
from typing import Any

from tests.simulation.auditor import (
    DAY,
    HOUR,
    MINUTE,
    TWENTY,
    Answer,
    Books,
    Charge,
    Holding,
    Id,
    Offer,
    Refused,
    Session,
    TopUp,
    split,
)

NOT_FOUND = Refused("not-found")
MOMENT = timedelta(seconds=1)


def _price_changed(price: int, version: int) -> Refused:
    """Return the refusal that says what it costs now, and by which version."""
    figures = (("policy", ("pricing", version)), ("price_micros", price), ("pricing_version", version))
    return Refused("price-changed", figures)


class Auditor(Books):
    """Books, and a ruling for every request: what will be answered, and what stands afterwards."""

    def begin(self, person: Id, work: Id, now: datetime) -> Answer | Refused:
        """Begin or resume a session."""
        known, live = self.works[work], self.live.get((person, work))
        if known.state == "draft" and not known.is_own(person, now):
            return NOT_FOUND
        if live is not None and self._goes_on(live, now):
            return {**self.sitting(live, now), "new": False, "session": live}
        asked = self.asks(person, work, now)
        basis = self.basis(person, work, asked, now)
        if isinstance(basis, Refused):
            return basis
        self.wallet(person)
        waits = live is not None and live.charge is None and live.basis == "paid" and now < live.began + 4 * HOUR
        if not waits:
            if live is not None:
                live.ended = True
            live = Session(person, work, began=now)
            self.sessions.append(live)
            self.live[person, work] = live
        self._quote(live, basis, now)
        return {**self.sitting(live, now), "new": not waits, "session": live}

    def _goes_on(self, live: Session, now: datetime) -> bool:
        """Whether nothing is asked anew: charged or free of charge, not heard to the end, its address alive."""
        if now >= live.playlist_until or live.completed or (live.charge and live.charge.reversed):
            return False
        if live.basis == "owned":
            return self.holding(live.listener, live.work).owned
        if live.basis == "own":
            return self.works[live.work].is_own(live.listener, now)
        if self.works[live.work].state == "suspended" and not self.holding(live.listener, live.work).owned:
            return False
        return live.basis == "free" or live.charge is not None

    def _quote(self, session: Session, basis: str, now: datetime) -> None:
        held, asked = self.holding(session.listener, session.work), self.asks(session.listener, session.work, now)
        if basis in {"paid", "owned"}:
            self._fall(held, asked.cap)
        known = self.works[session.work]
        session.basis, session.expires = basis, now + 15 * MINUTE
        session.number, session.price = (asked.number, asked.price) if basis == "paid" else (None, 0)
        session.cap, session.terms, session.revision = asked.cap, asked.terms, held.revision
        session.free_ms, session.open_ms = self.gate(session.work, now)
        session.playlist_until = now + min(timedelta(milliseconds=2 * known.duration_ms) + HOUR, 12 * HOUR)
        if known.kind == "photo":
            session.playlist_until = now + 10 * MINUTE

    def _fall(self, held: Holding, cap: int) -> None:
        """Keep a fallen cap; what is paid in full by it is owned."""
        if held.terms and not held.owned and cap != held.cap:
            held.cap, held.owned = cap, cap == held.paid
            held.revision += 1

    def requote(self, person: Id, session: Session | None, now: datetime) -> Answer | Refused:
        """Write a fresh quote into a session that waits for its charge."""
        if session is None or session.listener != person or session.ended or session.charge is not None:
            return NOT_FOUND
        basis = self.basis(person, session.work, self.asks(person, session.work, now), now)
        if isinstance(basis, Refused):
            return basis
        self._quote(session, basis, now)
        return self.sitting(session, now)

    def charge(  # noqa: PLR0911  (one for each line of the rule)
        self, person: Id, session: Session | None, price: int, now: datetime
    ) -> Answer | Refused:
        """Charge a session, at most `price`; refusals in the order of the rules."""
        if session is None or session.listener != person:
            return NOT_FOUND
        held = self.holding(person, session.work)
        if session.charge is not None:
            return session.charge.answer
        if session.basis != "paid":
            return self._nothing(person, held)
        if self.works[session.work].state == "suspended" and not held.owned:
            return Refused("work-unavailable")
        if session.ended or now >= session.expires:
            return Refused("session-expired")
        if held.owned:
            return self._nothing(person, held)
        if held.revision != session.revision or price < session.price:
            return Refused("price-changed")
        taken = self._take(person, session.work, session.terms, session.cap, session.number, session.price, now)
        if isinstance(taken, Charge):
            session.charge, taken.session = taken, session
            if self.works[session.work].kind == "photo":
                # The database's clock stood a moment after the minute.
                session.playlist_until = now + 10 * MINUTE + MOMENT
            return taken.answer
        return taken

    def _nothing(self, person: Id, held: Holding) -> Answer:
        wallet = self.wallet(person)
        return {
            "charged_micros": 0,
            "play_number": None,
            "paid_micros": held.paid,
            "remaining_micros": 0,
            "owned": True,
            "balance_micros": wallet.balance,
            "promo_micros": wallet.promo,
        }

    def _take(  # noqa: PLR0917  (what a charge is made of)
        self, person: Id, work: Id, terms: Any, cap: int, number: int | None, amount: int, now: datetime
    ) -> Any:
        """Take money for a play or the rest: promo first, both counters, terms kept from the first charge on."""
        moment = self.booked(now)
        refused = self.refusal(person, amount, moment, moment)
        if refused:
            return refused
        self._count(person, amount, moment)
        return self._hold(person, work, terms, cap, number, amount, moment)

    def _count(self, person: Id, amount: int, moment: datetime) -> None:
        """Let both limits' counters count what is spent."""
        wallet, spans = self.wallet(person), self.spans(moment)
        for span, counts in wallet.counted.items():
            wallet.counted[span] = (spans[span], amount + (counts[1] if counts[0] == spans[span] else 0))

    def _hold(  # noqa: PLR0917  (what a charge is made of)
        self, person: Id, work: Id, terms: Any, cap: int, number: int | None, amount: int, moment: datetime
    ) -> Charge:
        """Write a charge, promo first, and what is held by it."""
        wallet, held = self.wallet(person), self.holding(person, work)
        promo = min(wallet.promo, amount)
        self.enter(person, "purchase" if number is None else "play", promo - amount, -promo, moment)
        if held.terms is None:
            held.terms, held.cap = terms, cap
        charge = Charge(person, work, number, amount, promo, moment, held.terms[4], {}, None)
        held.live.append(charge)
        held.owned, held.revision = held.paid == held.cap, held.revision + 1
        charge.answer = {
            "charged_micros": amount,
            "play_number": number,
            "paid_micros": held.paid,
            "remaining_micros": held.cap - held.paid,
            "owned": held.owned,
            "balance_micros": wallet.balance,
            "promo_micros": wallet.promo,
        }
        self.charges.append(charge)
        return charge

    def purchase(  # noqa: C901, PLR0911  (one for each line of the rule)
        self, person: Id, work: Id, price: int, key: str, now: datetime
    ) -> Answer | Refused:
        """Buy the rest, or keep a free work."""
        kept = self.kept.get((person, "purchase", key))
        if kept is not None:
            return kept[1] if kept[0] == (work, price) else Refused("key-reused")
        known, held = self.works[work], self.holding(person, work)
        own = known.is_own(person, now)
        if known.state == "draft" and not own:
            return NOT_FOUND
        if held.owned:
            return self._nothing(person, held)
        if own:
            return Refused("own-work")
        if not (known.may_play_on(now) if held.terms else known.state == "published"):
            return known.unavailable()
        asked = self.asks(person, work, now)
        self._fall(held, asked.cap)
        if asked.left == 0:
            if not held.terms:
                held.cap, held.owned, held.revision = 0, True, held.revision + 1
            return self._nothing(person, held)
        if any(charge.number is None for charge in held.live):
            return Refused("already-bought", (("price_micros", asked.price),))
        if asked.left > price:
            version = self.in_force("pricing", now)[0]
            return _price_changed(asked.left, version)
        taken = self._take(person, work, asked.terms, asked.cap, None, asked.left, now)
        if isinstance(taken, Charge):
            self.kept[person, "purchase", key] = ((work, price), taken.answer)
            return taken.answer
        return taken

    def purchase_release(  # noqa: C901, PLR0917  (one branch for each line of the rule)
        self, person: Id, release: Id, price: int, shown: Any, key: str, now: datetime
    ) -> Answer | Refused:
        """Buy all that can be bought of a release, and keep what is free: all or nothing, the list as it was shown."""
        kept = self.kept.get((person, "release", key))
        if kept is not None:
            return kept[1] if kept[0] == (release, price, shown) else Refused("key-reused")
        offer = self.offer(person, release, now)
        for work, part in offer.parts.items():
            if part not in {"own", "unavailable"}:
                self._fall(self.holding(person, work), offer.asked[work].cap)
        bought, free = offer.works("bought"), offer.works("kept")
        if not bought and not free:
            return self._nothing_in(offer) or self._bought_all(person, 0, [], [])
        if shown != offer.shown or offer.total > price:
            version = self.in_force("pricing", now)[0]
            return _price_changed(offer.total, version)
        moment = self.booked(now)
        if bought and (refused := self.refusal(person, offer.total, moment, moment)):
            return refused
        if bought:
            self._count(person, offer.total, moment)
        for work in sorted(bought):
            asked = offer.asked[work]
            self._hold(person, work, asked.terms, asked.cap, None, asked.left, moment)
        for work in free:
            held = self.holding(person, work)
            held.cap, held.owned, held.revision = 0, True, held.revision + 1
        answer = self._bought_all(person, offer.total, bought, free)
        if bought:
            self.kept[person, "release", key] = ((release, price, shown), answer)
        return answer

    def _nothing_in(self, offer: Offer) -> Refused | None:
        """Return why there is nothing to sell; nothing is refused to who owns some of it."""
        for part, slug in (("owned", None), ("own", "own-work"), ("by-plays", "already-bought")):
            if part in offer.parts.values():
                return Refused(slug) if slug else None
        return Refused("work-unavailable")

    def _bought_all(self, person: Id, total: int, bought: list[Id], free: list[Id]) -> Answer:
        wallet = self.wallet(person)
        return {
            "charged_micros": total,
            "bought": [str(work) for work in bought],
            "kept": [str(work) for work in free],
            "balance_micros": wallet.balance,
            "promo_micros": wallet.promo,
        }

    def progress(self, person: Id, session: Session | None, position_ms: int, *, completed: bool) -> Refused | None:
        """Note how far somebody heard; past the opening of what costs nothing it is a play."""
        if session is None or session.listener != person:
            return NOT_FOUND
        basis = session.basis
        if basis == "paid" and session.charge is None and self.holding(person, session.work).owned:
            basis = "owned"
        is_track = self.works[session.work].kind == "track"
        if completed and is_track and (session.charge is not None or basis != "paid"):
            session.completed = True
        if basis != "paid" and position_ms >= session.free_ms and session.played_free is None:
            session.played_free = basis
            self.free_plays[session.id] = basis
        return None

    def may_give(self, staff: Id, listener: Id) -> bool:
        """Whether somebody of the staff may give to this listener."""
        return staff in self.staff and staff != listener

    def reverse(  # noqa: C901, PLR0911  (one for each line of the rule)
        self, charge: Charge | None, listener: Id, staff: Id, reason: str, now: datetime
    ) -> Answer | Refused:
        """Give a charge back as it was paid, once; above 20.00 two people have to ask."""
        if not reason.strip():
            return Refused("invalid")
        if not self.may_give(staff, listener):
            return Refused("not-allowed")
        if charge is None or charge.listener != listener:
            return NOT_FOUND
        if staff in self.works[charge.work].managers:
            return Refused("not-allowed")
        answer = {"amount_micros": charge.amount, "waits": False, "reversed": True}
        if charge.reversed:
            return answer
        if charge.amount > TWENTY:
            charge.asked_by = charge.asked_by or staff
            if charge.asked_by == staff:
                return {**answer, "waits": True, "reversed": False}
        moment = self.booked(now)
        charge.reversed, charge.reversed_at = True, moment
        charge.late = self.month_open is not None and self.spans(charge.moment)["month"] < self.month_open[0]
        wallet, spans = self.wallet(listener), self.spans(moment)
        self.enter(listener, "reversal", charge.amount - charge.from_promo, charge.from_promo, moment)
        for span, (counts, spent) in wallet.counted.items():
            if counts == self.spans(charge.moment)[span] == spans[span]:
                wallet.counted[span] = (counts, max(0, spent - charge.amount))
        held = self.holding(listener, charge.work)
        held.live.remove(charge)
        held.owned, held.revision = False, held.revision + 1
        if not held.live:
            held.terms = held.cap = None
        return answer

    def grant(  # noqa: PLR0917  (what a grant is made of)
        self, listener: Id, staff: Id, amount: int, reason: str, key: str, now: datetime
    ) -> Answer | Refused:
        """Give promo credit from the budget, once per key."""
        if amount <= 0 or not reason.strip():
            return Refused("invalid")
        if not self.may_give(staff, listener):
            return Refused("not-allowed")
        kept = self.kept.get((staff, "grant", key))
        if kept is not None:
            return kept[1] if kept[0] == (listener, amount) else Refused("key-reused")
        if amount > self.budget:
            return Refused("promo-budget-spent")
        self.budget -= amount
        self.grants.append((self.booked(now), amount))
        self.enter(listener, "promo", 0, amount, self.booked(now))
        wallet = self.wallet(listener)
        answer = {"amount_micros": amount, "promo_after_micros": wallet.promo, "balance_after_micros": wallet.balance}
        self.kept[staff, "grant", key] = ((listener, amount), answer)
        return answer

    def set_limits(self, person: Id, limits: dict[str, int | None], now: datetime) -> Refused | None:
        """Set both limits: lower at once, higher after a night's sleep."""
        if any(limit is not None and not 0 <= limit <= 10**12 for limit in limits.values()):
            return Refused("invalid")
        wallet = self.wallet(person)
        for span, wanted in limits.items():
            stands, waits = wallet.limit(span, now), wallet.raises[span]
            if waits and waits[0] <= now:
                waits = None
            if stands is None or (wanted is not None and wanted <= stands):
                wallet.limits[span], wallet.raises[span] = wanted, None
            else:
                wallet.limits[span] = stands
                wallet.raises[span] = waits if waits and waits[1] == wanted else (now + DAY, wanted)
        return None

    def start_top_up(self, person: Id, cents: int, country: str, key: str, vat_ppm: int) -> TopUp | Refused:
        """Ask for credit; repeated with its key it is the same."""
        if not 100 <= cents <= 50_000 or len(country) != 2 or not country.isalpha():
            return Refused("invalid")
        kept = self.kept.get((person, "top-up", key))
        if kept is not None:
            return kept[1] if kept[0] == cents else Refused("key-reused")
        if self.wallet(person).frozen:
            return Refused("wallet-frozen")
        top_up = TopUp(person, cents, vat_ppm)
        self.top_ups.append(top_up)
        self.kept[person, "top-up", key] = (cents, top_up)
        return top_up

    def take_in(  # noqa: PLR0917  (what an event says)
        self, name: str, kind: str, top_up: TopUp | None, cents: int, currency: str, now: datetime
    ) -> bool:
        """Take in a webhook: once per event, paid wins over canceled, only what can be credited is."""
        if name in self.events:
            return False
        self.events.add(name)
        if top_up is None or cents <= 0 or currency != "EUR":
            return True
        if kind == "checkout.paid" and top_up.state != "settled":
            net, vat = split(cents, [1_000_000, top_up.vat_ppm])
            top_up.state, top_up.gross, top_up.net, top_up.vat = "settled", cents, net, vat
            top_up.settled_at = self.booked(now)
            self.enter(top_up.listener, "top-up", net * 10_000, 0, top_up.settled_at)
        elif kind == "checkout.canceled" and top_up.state == "started":
            top_up.state = "canceled"
        return True

    def overview(self, person: Id, now: datetime) -> Answer:
        """Say what a wallet's page says."""
        wallet, spans = self.wallet(person), self.spans(now)
        spent = {span: spent if counts == spans[span] else 0 for span, (counts, spent) in wallet.counted.items()}
        waits = {span: raise_ if raise_ and now < raise_[0] else (None, None) for span, raise_ in wallet.raises.items()}
        return {
            "balance_micros": wallet.balance,
            "promo_micros": wallet.promo,
            "frozen": wallet.frozen,
            "spent_today_micros": spent["day"],
            "spent_this_month_micros": spent["month"],
            **{f"{span}_limit_micros": wallet.limit(span, now) for span in spans},
            **{f"next_{span}_limit_at": waits[span][0] for span in spans},
            **{f"next_{span}_limit_micros": waits[span][1] for span in spans},
        }

    def sweep(self, now: datetime) -> int:
        """Forget sessions never charged that began more than 30 days ago."""
        old = [one for one in self.sessions if one.charge is None and one.began < now - 30 * DAY]
        for session in old:
            self.sessions.remove(session)
            if self.live.get((session.listener, session.work)) is session:
                del self.live[session.listener, session.work]
        return len(old)

    def listening(self, person: Id, work: Id, now: datetime) -> Answer | Refused:
        """Say what a work's page says; nothing is written."""
        known, held = self.works[work], self.holding(person, work)
        if known.state == "draft" and not known.is_own(person, now):
            return NOT_FOUND
        asked = self.asks(person, work, now)
        basis = self.basis(person, work, asked, now)
        available, basis = (False, "paid") if isinstance(basis, Refused) else (True, basis)
        free_ms, open_ms = self.gate(work, now)
        pays = basis == "paid"
        return {
            "basis": basis,
            "owned": basis == "owned",
            "available": available,
            "play_number": asked.number if pays else None,
            "price_micros": asked.price if pays else None,
            "paid_micros": held.paid,
            "cap_micros": asked.cap,
            "remaining_micros": 0 if basis == "owned" else asked.left,
            "plays": asked.terms[1],
            "paid_plays": tuple(sorted(held.numbers)),
            "ladder": self.steps(person, work, asked),
            "pricing_version": asked.terms[4],
            "free_seconds": free_ms / 1000,
            "open_seconds": open_ms / 1000,
            "blocked": self.refusal(person, asked.price, now, now) if pays else None,
        }
