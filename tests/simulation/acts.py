"""The acts: everything that people, staff, creators, members and the gateway can do on the stage."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from catalog import publishing
from catalog.models import SplitLine, SplitSheet, Work
from members import policies
from members.models import Month, Person
from playback import charging, releases, reversals, sessions, topups, wallets
from playback.charging import PriceChanged
from playback.models import TopUp as TopUpRow
from playback.models import Wallet as WalletRow
from tests.simulation import auditor as rules
from tests.simulation.audit import Objection
from tests.simulation.auditor import Id
from tests.simulation.rulings import Refused
from tests.simulation.stage import Stage


class Acts(Stage):
    """A stage with every act there is."""

    # Listening and paying.

    def begin(self, person: Person, work: Work) -> Any:
        """Begin or resume a session; return the auditor's session, or its refusal."""

        def call() -> dict[str, Any]:
            sitting, new = sessions.begin(person_id=person.id, work_id=work.id, now=self.now)
            return {**_shallow(sitting), "shows": self._shows(sitting), "new": new}

        expected = self._act(f"begin {person} {work}", call, lambda: self.auditor.begin(person.id, work.id, self.now))
        self.check(person)
        return expected["session"] if isinstance(expected, dict) else expected

    def _seen(self, sitting: sessions.Sitting) -> dict[str, Any]:
        return {**_shallow(sitting), "shows": self._shows(sitting)}

    def _shows(self, sitting: sessions.Sitting) -> str | None:
        """Return what a photo's address leads to."""
        if sitting.kind != "photo":
            return "sound"
        address = sessions.view_url(sitting, now=self.now)
        if address is None:
            return None
        return "whole" if "/view.jpg" in address else "preview"

    def requote(self, person: Person, session: rules.Session) -> None:
        """Ask for a fresh quote."""
        self._act(
            f"requote {person}",
            lambda: self._seen(sessions.requote(person_id=person.id, session_id=session.id, now=self.now)),
            lambda: self.auditor.requote(person.id, session, self.now),
        )
        self.check(person)

    def look(self, person: Person, session: rules.Session) -> None:
        """Look at a session as it stands."""
        self._act(
            f"look {person}",
            lambda: self._seen(sessions.get(person_id=person.id, session_id=session.id, now=self.now)),
            lambda: self.auditor.sitting(session, self.now) if session.listener == person.id else Refused("not-found"),
        )

    def charge(self, person: Person, session: rules.Session, price: int | None = None) -> Any:
        """Charge a session, at its price unless told."""
        most = session.price if price is None else price

        def call() -> dict[str, Any]:
            charged, until = charging.charge_session(person_id=person.id, session_id=session.id, price_micros=most)
            is_photo = self.auditor.works[session.work].kind == "photo"
            if (until is None) is not is_photo:
                raise Objection(f"a playlist of a {'photo' if is_photo else 'track'}: {until}")
            if until is not None and not timedelta(0) <= until - session.playlist_until < timedelta(minutes=1):
                raise Objection(f"the playlist lives until {until}, not {session.playlist_until}")
            return asdict(charged)

        expected = self._act(
            f"charge {person} at most {most}", call, lambda: self.auditor.charge(person.id, session, most, self.now)
        )
        self.check(person)
        return expected

    def progress(self, person: Person, session: rules.Session, position_ms: int, *, completed: bool) -> None:
        """Say how far it was heard."""
        self._act(
            f"progress {person} {position_ms} {completed}",
            lambda: sessions.report_progress(
                person_id=person.id,
                session_id=session.id,
                position_ms=position_ms,
                completed=completed,
                now=self.now,
            ),
            lambda: self.auditor.progress(person.id, session, position_ms, completed=completed),
        )

    def purchase(self, person: Person, work: Work, price: int, key: str) -> Any:
        """Pay the rest, at most `price`."""
        expected = self._act(
            f"purchase {person} {work} at most {price} key {key}",
            lambda: asdict(
                charging.purchase(person_id=person.id, work_id=work.id, price_micros=price, key=key, now=self.now)
            ),
            lambda: self.auditor.purchase(person.id, work.id, price, key, self.now),
        )
        self.check(person)
        return expected

    def offer(self, person: Person, release: Id) -> tuple[Any, str]:
        """Look at what a release costs; return the auditor's list, and the hash that stands for it."""
        offers: list[releases.Offer] = []

        def call() -> dict[str, Any]:
            offers.append(releases.offer(person_id=person.id, release_id=release, now=self.now))
            found = offers[-1]
            parts = {line.work_id: str(line.part) for line in found.lines}
            return {"total": found.purchase_micros, "parts": parts, "blocked": found.blocked}

        def ruling() -> dict[str, Any]:
            found = self.auditor.offer(person.id, release, self.now)
            blocked = self.auditor.refusal(person.id, found.total, self.now, self.now) if found.total else None
            return {"total": found.total, "parts": found.parts, "blocked": blocked}

        self._act(f"look at release by {person}", call, ruling)
        return self.auditor.offer(person.id, release, self.now).shown, offers[-1].list_hash

    def purchase_release(self, person: Person, release: Id, price: int, shown: tuple[Any, str], key: str) -> Any:
        """Buy all of a release, at most for `price`, as it was shown."""
        known, list_hash = shown

        def call() -> dict[str, Any]:
            try:
                purchased = releases.purchase(
                    person_id=person.id,
                    release_id=release,
                    price_micros=price,
                    list_hash=list_hash,
                    key=key,
                    now=self.now,
                )
            except PriceChanged as changed:
                # The auditor knows lists and no hashes: the same list has the same one.
                same = known == self.auditor.offer(person.id, release, self.now).shown
                if (changed.extra.pop("list_hash") == list_hash) is not same:
                    raise Objection("a list's hash stands for another list") from changed
                raise
            return asdict(purchased)

        expected = self._act(
            f"buy release by {person} at most {price} key {key}",
            call,
            lambda: self.auditor.purchase_release(person.id, release, price, known, key, self.now),
        )
        self.check(person)
        return expected

    def read_page(self, person: Person, work: Work) -> None:
        """Read what the work's page says."""
        self._act(
            f"read {person} {work}",
            lambda: _shallow(sessions.listening(person_id=person.id, work_id=work.id, now=self.now)),
            lambda: self.auditor.listening(person.id, work.id, self.now),
        )

    def set_limits(self, person: Person, day: int | None, month: int | None) -> None:
        """Set both limits."""

        def call() -> None:
            wallets.set_limits(person_id=person.id, day_limit_micros=day, month_limit_micros=month, now=self.now)

        self._act(
            f"limits {person} {day} {month}",
            call,
            lambda: self.auditor.set_limits(person.id, {"day": day, "month": month}, self.now),
        )
        self.check(person)

    # What staff does.

    def reverse(self, charge: rules.Charge | None, listener: Person, staff: Person, reason: str = "Broken.") -> Any:
        """Give a charge back."""
        charge_id = listener.id if charge is None else charge.id

        def call() -> dict[str, Any]:
            given = reversals.reverse(
                listener_id=listener.id, charge_id=charge_id, staff_id=staff.id, reason=reason, now=self.now
            )
            return {
                "amount_micros": given.amount_micros,
                "waits": given.waits,
                "reversed": given.reversal_id is not None,
                "reversal": given.reversal_id,
            }

        expected = self._act(
            f"reverse {listener} {charge and charge.amount} by {staff}",
            call,
            lambda: self.auditor.reverse(charge, listener.id, staff.id, reason, self.now),
        )
        if isinstance(expected, dict):
            charge.reversal = charge.reversal or self.seen["reversal"]
            if charge.reversal != self.seen["reversal"]:
                raise Objection("it was given back twice")
        self.check(listener)
        return expected

    def grant(self, listener: Person, staff: Person, amount: int, key: str, reason: str = "Welcome.") -> None:
        """Give promo credit."""

        def call() -> dict[str, Any]:
            given = reversals.grant(
                listener_id=listener.id, staff_id=staff.id, amount_micros=amount, reason=reason, key=key
            )
            return {
                "amount_micros": given.amount_micros,
                "promo_after_micros": given.promo_after_micros,
                "balance_after_micros": given.balance_after_micros,
            }

        self._act(
            f"grant {listener} {amount} by {staff} key {key}",
            call,
            lambda: self.auditor.grant(listener.id, staff.id, amount, reason, key, self.now),
        )
        self.check(listener)

    def fund(self, amount: int) -> None:
        """Fill the promo budget, or take out of it."""
        reversals.fund_budget(amount_micros=amount)
        self.auditor.fund(amount, self.now)

    def freeze(self, person: Person, *, frozen: bool) -> None:
        """Freeze a wallet, or thaw it."""
        self.journal.append(f"freeze {person} {frozen}")
        WalletRow.objects.get_or_create(listener=person)
        WalletRow.objects.filter(listener=person).update(frozen_at=self.now if frozen else None)
        self.auditor.wallet(person.id).frozen = frozen

    # Credit.

    def start_top_up(self, person: Person, cents: int, key: str, country: str = "DE") -> Any:
        """Ask for credit; the gateway may be silent. Returns the auditor's top-up, or its refusal."""
        found: list[Any] = []

        def call() -> dict[str, Any]:
            row = topups.start(
                person_id=person.id,
                amount_cents=cents,
                country=country,
                evidence=["said so"],
                idempotency_key=key,
                return_url="https://refrain.example/wallet",
                now=self.now,
            )
            return {"asked": row.asked_cents, "opened": row.checkout_id == self.gateway.checkouts[row.id]}

        def ruling() -> Any:
            top_up = self.auditor.start_top_up(person.id, cents, country, key, self.vat_ppm)
            found[:] = [top_up]
            if isinstance(top_up, Refused):
                return top_up
            if self.gateway.silent and top_up.id not in self.gateway.checkouts:
                return Refused("gateway-unreachable")
            return {"asked": top_up.asked, "opened": True}

        self._act(f"top up {person} {cents} key {key}", call, ruling)
        if not isinstance(found[0], Refused) and found[0].id is None:
            known = [one.id for one in self.auditor.top_ups if one.id]
            found[0].id = TopUpRow.objects.exclude(id__in=known).get(listener=person).id
            found[0].begun = self.now
        return found[0]

    def deliver(self, event: dict[str, Any]) -> None:
        """Let a webhook arrive."""
        checkout = event["checkout"]
        self._act(
            f"webhook {event['id']} {event['type']} {checkout['amount_cents']}",
            lambda: topups.take_in(event=event, now=self.now),
            lambda: self._rule_on(event),
        )
        top_up = next((one for one in self.auditor.top_ups if str(one.id) == checkout["reference"]), None)
        if top_up is not None:
            self.check(next(one for one in self.people if one.id == top_up.listener))

    def pull(self) -> None:
        """Ask the gateway for what no webhook told."""

        def ruling() -> int | Refused:
            if self.gateway.silent:
                return Refused("gateway-unreachable")
            return sum([self._rule_on(event) for event in self.gateway.told])

        self._act("pull", lambda: topups.pull(since=self.now - timedelta(days=9), now=self.now), ruling)

    def _rule_on(self, event: dict[str, Any]) -> bool:
        checkout = event["checkout"]
        top_up = next((one for one in self.auditor.top_ups if str(one.id) == checkout["reference"]), None)
        return self.auditor.take_in(
            event["id"], event["type"], top_up, checkout["amount_cents"], checkout["currency"], self.now
        )

    def read_wallet(self, person: Person) -> None:
        """Read what a wallet's page says."""
        self._act(
            f"wallet {person}",
            lambda: _shallow(wallets.overview(person_id=person.id, now=self.now)),
            lambda: self.auditor.overview(person.id, self.now),
        )

    def sweep(self) -> None:
        """Sweep sessions that were never charged."""
        self._act("sweep", lambda: sessions.forget_uncharged(now=self.now), lambda: self.auditor.sweep(self.now))

    # What creators and members decide.

    def price(self, work: Work, figure: int | None) -> None:
        """Let the creator set a price."""
        owner = work.creator.roles.get(role="owner").person_id
        known = self.auditor.works[work.id]
        version, pricing = self.auditor.in_force("pricing", self.now)
        fits = not figure or pricing["price_min_micros"] <= figure <= pricing["price_max_micros"]

        def ruling() -> Refused | None:
            if not fits:
                return Refused("invalid", (("policy", ("pricing", version)),))
            known.figure = figure
            return None

        def call() -> None:
            publishing.change(work_id=work.id, person_id=owner, now=self.now, price_micros=figure)

        self._act(f"price {work} {figure}", call, ruling)

    def set_state(self, work: Work, state: str) -> None:
        """Publish, take off (both by the creator) or suspend (by staff)."""
        owner = work.creator.roles.get(role="owner").person_id
        known = self.auditor.works[work.id]
        self.journal.append(f"{work} becomes {state}")
        if state == "suspended":
            Work.objects.filter(id=work.id).update(state=state)
        elif state == "off":
            publishing.take_off(work_id=work.id, person_id=owner, now=self.now)
        else:
            Work.objects.filter(id=work.id, state="suspended").update(state="published")
            publishing.publish(work_id=work.id, person_id=owner, now=self.now)
        if state == "off" and known.state == "published":
            known.state, known.off_at = "off", self.now
        elif state != "off":
            known.state, known.off_at = state, None

    def share(self, work: Work, person: Person) -> None:
        """Put a split sheet in force that pays somebody too."""
        self.journal.append(f"{work} pays {person} too")
        version = work.split_sheets.count() + 1
        owner = work.creator.roles.get(role="owner").person
        with transaction.atomic():
            sheet = SplitSheet.objects.create(work=work, version=version, created_at=self.now, in_force_from=self.now)
            shares = {owner: 1_000_000} if person == owner else {owner: 600_000, person: 400_000}
            for line, (who, ppm) in enumerate(shares.items(), 1):
                SplitLine.objects.create(
                    sheet=sheet, line_number=line, email=who.email, person=who, share_ppm=ppm, accepted_at=self.now
                )
        lines = [(who.id, ppm) for who, ppm in shares.items()]
        self.auditor.works[work.id].sheets.append(rules.Sheet(version, self.now, lines))

    def vote(self, key: str, after: timedelta, **changed: Any) -> None:
        """Let a version of a policy be recorded."""
        versions = self.auditor.policies[key]
        params, effective = {**versions[-1][1], **changed}, self.now + after

        def ruling() -> dict[str, Any] | Refused:
            if after < timedelta(hours=1):
                return Refused("policy-refused")
            if effective <= versions[-1][0]:
                return Refused("policy-refused", (("policy", (key, len(versions))),))
            versions.append((effective, params))
            return {"seq": len(versions)}

        def call() -> dict[str, Any]:
            version = policies.add_version(key=key, params=params, effective_from=effective, now=self.now)
            return {"seq": version.seq}

        self._act(f"vote {key} {changed} after {after}", call, ruling)

    def close_month(self) -> None:
        """Close the month before this one, as whoever closes does: one short transaction under the periods' lock."""
        this = self.auditor.spans(self.now)["month"]
        last = (this - timedelta(days=1)).replace(day=1)
        if self.auditor.month_open is not None and self.auditor.month_open[0] >= this:
            return
        self.journal.append(f"month {last} is closing")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(1919247969)")
            Month.objects.create(starts_on=last, state="closing", closed_at=self.now)
        self.auditor.month_open = this, self.now


def _shallow(answer: Any) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in answer.__dataclass_fields__}
