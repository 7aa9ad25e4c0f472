"""The acts about credit that goes back, and about who is paid: cash-outs, chargebacks, split sheets that wait."""

from datetime import datetime, timedelta
from typing import Any

from catalog import sharing
from catalog.models import SplitSheet, Work
from catalog.sharing import Payee
from members.models import Person
from playback import cashouts, chargebacks, topups, transfers
from playback.cashout_models import CashOut as CashOutRow
from playback.cashout_models import Refund as RefundRow
from playback.chargeback_models import Chargeback as ChargebackRow
from playback.models import TopUp as TopUpRow
from tests import cast
from tests.royalties import treasury
from tests.simulation import auditor as rules
from tests.simulation.accounts_by_hand import Bookkeeper
from tests.simulation.acts import Acts
from tests.simulation.audit import Objection
from tests.simulation.rulings import Refused
from tests.simulation.rulings_of_credit import Chargeback, Refund


class ActsOfCredit(Acts):
    """A stage on which credit goes back and shares are agreed on."""

    auditing = Bookkeeper
    auditor: Bookkeeper

    def person(self, name: str, *, staff: tuple[str, ...] = ()) -> Person:
        """Let somebody join, whose address is proved to be theirs."""
        made = super().person(name, staff=staff)
        cast.confirm(made)
        if "treasurer" in staff:
            self.auditor.treasurers.add(made.id)
        return made

    def _know(self, made: Work, owner: Person, editor: Person | None = None) -> Work:
        super()._know(made, owner, editor)
        self.auditor.works[made.id].sheets[0].since = self.auditor.sheet_begins(self.now)
        self.auditor.works[made.id].payees.add(owner.id)
        return made

    def of(self, person_id: rules.Id) -> Person:
        """Return who somebody is."""
        return next(person for person in self.people if str(person.id) == str(person_id))

    def deliver(self, event: dict[str, Any]) -> None:
        """Let a webhook arrive: about a payment, a refund or a chargeback."""
        if "checkout" in event:
            super().deliver(event)
            self._learn_settled()
            return
        self._act(
            f"webhook {event['id']} {event['type']}",
            lambda: topups.take_in(event=event, now=self.now),
            lambda: self._rule_on(event),
        )
        about = event.get("refund") or event["chargeback"]
        self.check(self.of(about["person"]))
        self._learn_chargebacks()

    def _rule_on(self, event: dict[str, Any]) -> bool:
        if "refund" in event:
            refund = next(one for one in self.auditor.refunds() if str(one.id) == event["refund"]["reference"])
            return self.auditor.hear_of_refund(event["id"], event["type"], refund, self.now)
        if "chargeback" in event:
            said = event["chargeback"]
            top_up = next((one for one in self.auditor.top_ups if str(one.id) == said["reference"]), None)
            return self.auditor.hear_of_chargeback(
                event["id"], event["type"], said["id"], top_up, said["amount_cents"], self.now
            )
        return super()._rule_on(event)

    def pull(self) -> None:
        """Ask the gateway for what no webhook told."""
        super().pull()
        self._learn_settled()
        self._learn_chargebacks()

    def _learn_settled(self) -> None:
        """Learn to the moment when payments were credited, within the minute that is known."""
        new = {one.id: one for one in self.auditor.top_ups if one.settled_at and not one.settled_at.microsecond}
        for name, moment in TopUpRow.objects.filter(id__in=new).values_list("id", "settled_at"):
            if not timedelta(0) <= moment - new[name].settled_at < timedelta(minutes=1):
                raise Objection(f"top-up {name} was settled at {moment}, not {new[name].settled_at}")
            new[name].settled_at = moment

    def _learn_chargebacks(self) -> None:
        for one in self.auditor.chargebacks:
            one.id = one.id or ChargebackRow.objects.get(gateway_id=one.name).id

    def cash_out(self, person: Person, amount: int, key: str) -> Any:
        """Take credit out, as it was shown."""

        def call() -> dict[str, Any]:
            taken, _ = cashouts.take(person_id=person.id, amount_micros=amount, key=key)
            parts = [(one.top_up_id, one.net_cents, one.vat_cents) for one in cashouts.parts_of(taken)]
            return {"amount": taken.amount_micros, "parts": parts}

        expected = self._act(
            f"cash out {person} {amount} key {key}",
            call,
            lambda: self.auditor.cash_out(person.id, amount, key, self.now),
        )
        self._learn_cash_outs()
        self.check(person)
        return expected

    def _learn_cash_outs(self) -> None:
        for taken in self.auditor.cash_outs:
            if taken.id is None:
                known = [one.id for one in self.auditor.cash_outs if one.id]
                row = CashOutRow.objects.exclude(id__in=known).filter(listener=taken.listener).first()
                if row is None:
                    raise Objection(f"{taken.amount} of credit never went back")
                taken.id = row.id
                rows = RefundRow.objects.filter(cash_out=taken.id).order_by("line_number")
                for refund, one in zip(taken.refunds, rows, strict=True):
                    refund.id = one.id

    def tell_of_refund(self, refund: Refund, kind: str) -> dict[str, Any]:
        """Let the gateway say what became of a refund; return the event."""
        event = {
            "id": f"refund-{refund.id}-{len(self.gateway.told)}",
            "type": kind,
            "refund": {
                "id": f"refund-{refund.id}",
                "reference": str(refund.id),
                "amount_cents": refund.net + refund.vat,
                "currency": "EUR",
                "person": str(refund.listener),
            },
        }
        self.gateway.told.append(event)
        return event

    def transfer(self, refund: Refund, enters: Person, releases: Person) -> None:
        """Pay a refund by transfer, by two people."""

        def call() -> None:
            entry = transfers.enter(
                refund_id=refund.id, staff_id=enters.id, holder="Somebody", iban=treasury.IBANS[0], now=self.now
            )
            transfers.release(refund_id=refund.id, transfer_id=entry.id, staff_id=releases.id, now=self.now)

        def ruling() -> Refused | None:
            if enters.id not in self.auditor.treasurers or enters.id == refund.listener:
                return Refused("not-allowed")
            return self.auditor.transfer_refund(refund, releases.id, self.now)

        if enters != releases and refund.state == "transfer":
            # Entered anew it would be another entry.
            self.crash = None
            self._act(f"transfer {refund.net} by {enters} and {releases}", call, ruling)

    def tell_of_chargeback(self, top_up: rules.TopUp, kind: str, name: str, cents: int) -> dict[str, Any]:
        """Let the gateway say that a bank took a payment back, or what became of that; return the event."""
        event = {
            "id": f"dispute-event-{len(self.gateway.told)}",
            "type": f"chargeback.{kind}",
            "chargeback": {
                "id": name,
                "reference": str(top_up.id),
                "amount_cents": cents,
                "currency": "EUR",
                "person": str(top_up.listener),
            },
        }
        self.gateway.told.append(event)
        return event

    def decide(self, chargeback: Chargeback, staff: Person, reason: str) -> None:
        """Let a treasurer decide that the wallet moves again."""
        self._act(
            f"decide {chargeback.name} by {staff}",
            lambda: _nothing(
                chargebacks.decide(chargeback_id=chargeback.id, staff_id=staff.id, reason=reason, now=self.now)
            ),
            lambda: self.auditor.decide(chargeback, staff.id, reason),
        )
        self.check(self.of(chargeback.top_up.listener))

    # Who is paid.

    def unshared_track(self, owner: Person, *, price_micros: int | None = None) -> Work:
        """Publish a track on whose shares nobody agreed yet: what it earns is held."""
        made = cast.track(cast.creator(owner), state=Work.State.DRAFT, price_micros=price_micros, now=self.now)
        Work.objects.filter(id=made.id).update(state=Work.State.PUBLISHED, published_at=self.now)
        made.refresh_from_db()
        known = self._know(made, owner)
        self.auditor.works[known.id].sheets.clear()
        self.auditor.works[known.id].payees.clear()
        return known

    def propose(self, work: Work, shares: dict[Person, int]) -> SplitSheet | None:
        """Propose who is paid for a work: in force at once if that is only whoever proposes it."""
        owner = work.creator.roles.get(role="owner").person
        known = self.auditor.works[work.id]
        lines = [(person.id, share) for person, share in shares.items()]
        before = [sheet for sheet in known.sheets if sheet.version > 0]
        if before and before[-1].lines == lines:
            return None
        self.journal.append(f"{self.now:%Y-%m-%d %H:%M} {work} shall pay {shares}")
        payees = [Payee(email=person.email, share_ppm=share) for person, share in shares.items()]
        made = sharing.propose(work_id=work.id, person_id=owner.id, payees=payees, now=self.now)
        since = None
        if set(shares) == {owner}:
            begun = [sheet.since for sheet in known.sheets if sheet.since]
            since = max([self.auditor.sheet_begins(self.now), *begun])
        proposed = rules.Sheet(made.version, since, lines, owner.id)
        known.sheets = [*(sheet for sheet in known.sheets if sheet.since), proposed]
        known.payees.add(owner.id)
        self._check_sheet(made, since)
        return made

    def accept(self, work: Work, sheet: SplitSheet, people: list[Person]) -> None:
        """Let the payees of a sheet accept it; the last one puts it in force from the next midnight."""
        known = next((one for one in self.auditor.works[work.id].sheets if one.version == sheet.version), None)
        if known is None or known.since is not None:
            return
        self.journal.append(f"{self.now:%Y-%m-%d %H:%M} {people} accept what {work} pays")
        for person in people:
            sharing.accept(sheet_id=sheet.id, person_id=person.id)
        self.auditor.works[work.id].payees |= {person.id for person in people}
        day = self.auditor.day(self.auditor.sheet_begins(self.now)) + timedelta(days=1)
        known.since = datetime(day.year, day.month, day.day, tzinfo=self.auditor.zone)
        sheet.refresh_from_db()
        self._check_sheet(sheet, known.since)

    def _check_sheet(self, sheet: SplitSheet, since: Any) -> None:
        if sheet.in_force_from != since:
            raise Objection(f"sheet {sheet.version} is in force from {sheet.in_force_from}, not {since}")


def _nothing(_answer: object) -> None:
    return None
