"""The ledger as the auditor has it: every account in every month, added up from what happened, fact by fact.

Part of the auditor: plain Python, the rules alone. Nothing here knows of postings, groups of rows or keys.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from tests.simulation.auditor import Charge
from tests.simulation.rulings_of_credit import CENT
from tests.simulation.rulings_of_the_treasury import JOURNAL, Treasurers

# Who receives, who gives, how much, and the month in which it counts.
Entry = tuple[str, str, int, date]
Accounts = dict[tuple[str, date], int]

BANK, PROVIDER, COMMITTED = "assets.bank", "assets.provider", "assets.promo-committed"
WALLETS, PROMO_WALLETS, PROMO_BUDGET = "liabilities.wallets", "liabilities.promo-wallets", "liabilities.promo-budget"
VAT, CASH_OUTS, HELD, PAYOUTS = (
    "liabilities.vat",
    "liabilities.cash-outs",
    "liabilities.royalties-held",
    "liabilities.payouts",
)
PLAYS, ROYALTIES, PROMOTION = "income.plays", "expenses.royalties", "expenses.promotion"
BORNE, DISPUTES = "expenses.refunds-borne", "expenses.disputes"


class Bookkeeper(Treasurers):
    """The whole auditor."""

    def __init__(self, **known: object) -> None:
        super().__init__(**known)
        self.rows_posted = 0

    def rows(self) -> int:
        """Return how many things happened that posting carries over."""
        return (
            len(self.charges)
            + sum(one.reversed for one in self.charges)
            + sum(one.state == "settled" for one in self.top_ups)
            + len(self.grants)
            + len(self.fundings)
            + len(self.cash_outs)
            + sum((one.made_at is not None) + (one.ended_at is not None) for one in self.refunds())
            + len(self.chargebacks)
            + sum(one.state == "won" for one in self.chargebacks)
        )

    def post(self) -> int:
        """Post what was not posted yet; return how much that was."""
        rows = self.rows() - self.rows_posted
        self.rows_posted += rows
        return rows

    def accounts(self) -> Accounts:
        """Return what is on every account from every month, debits less credits, in micros."""
        found: Accounts = defaultdict(int)
        for debit, credit, micros, month in self.entries_by_hand():
            found[debit, month] += micros
            found[credit, month] -= micros
        return {key: micros for key, micros in found.items() if micros}

    def bank_at_the_end_of(self, month: date) -> int:
        """Return what the bank has at a month's end."""
        return sum(micros for (code, of), micros in self.accounts().items() if code == BANK and of <= month)

    def entries_by_hand(self) -> Iterator[Entry]:
        """Yield all that has to stand in the books."""
        for charge in self.charges:
            yield from self._charge(charge)
        for top_up in self.top_ups:
            if top_up.settled_at:
                month = self.month(top_up.settled_at)
                yield PROVIDER, WALLETS, top_up.net * CENT, month
                yield PROVIDER, VAT, top_up.vat * CENT, month
        for at, micros in self.fundings:
            yield COMMITTED, PROMO_BUDGET, micros, self.month(at)
        for at, micros in self.grants:
            yield PROMO_BUDGET, PROMO_WALLETS, micros, self.month(at)
        yield from self._credit()
        yield from self._royalties()
        yield from self._payouts()
        for entry in self.journal:
            if entry.state == "confirmed":
                yield *JOURNAL[entry.kind], entry.micros, entry.day.replace(day=1)

    def _charge(self, charge: Charge) -> Iterator[Entry]:
        """Yield a charge that was not given back in time; one that came back later is borne by the co-op."""
        promo, bought = charge.from_promo, charge.amount - charge.from_promo
        month = self.month(charge.moment)
        if not charge.reversed or charge.late:
            yield WALLETS, PLAYS, bought, month
            yield PROMO_WALLETS, PLAYS, promo, month
            yield PROMOTION, COMMITTED, promo, month
        if charge.late:
            later = self.month(charge.reversed_at)
            yield BORNE, WALLETS, bought, later
            yield BORNE, PROMO_WALLETS, promo, later
            yield COMMITTED, PROMOTION, promo, later

    def _credit(self) -> Iterator[Entry]:
        for taken in self.cash_outs:
            yield WALLETS, CASH_OUTS, taken.amount, self.month(taken.at)
        for refund in self.refunds():
            paid_by = BANK if refund.by_transfer else PROVIDER
            net, vat = refund.net * CENT, refund.vat * CENT
            if refund.made_at:
                yield CASH_OUTS, paid_by, net, self.month(refund.made_at)
                yield VAT, paid_by, vat, self.month(refund.made_at)
            if refund.ended_at and refund.made_at:
                yield paid_by, WALLETS, net, self.month(refund.ended_at)
                yield paid_by, VAT, vat, self.month(refund.ended_at)
            elif refund.ended_at:
                yield CASH_OUTS, WALLETS, net, self.month(refund.ended_at)
        for one in self.chargebacks:
            yield WALLETS, PROVIDER, one.taken, self.month(one.at)
            yield DISPUTES, PROVIDER, one.borne, self.month(one.at)
            if one.state == "won":
                yield PROVIDER, WALLETS, one.taken, self.month(one.ended_at)
                yield PROVIDER, DISPUTES, one.borne, self.month(one.ended_at)

    def _royalties(self) -> Iterator[Entry]:
        for closed in self.closed.values():
            if closed.booked:
                yield ROYALTIES, HELD, closed.held, closed.month
                for line in closed.lines:
                    source = ROYALTIES if line.of == closed.month else HELD
                    yield source, f"liabilities.payable.{line.payee}", line.micros, closed.month

    def _payouts(self) -> Iterator[Entry]:
        for one in (one for batch in self.batches for one in batch.payouts):
            micros, payable = one.cents * CENT, f"liabilities.payable.{one.payee}"
            if one.month:
                yield payable, PAYOUTS, micros, one.month
            if one.booked_in:
                yield PAYOUTS, BANK, micros, one.booked_in
            if one.back_in:
                yield BANK if one.booked_in else PAYOUTS, payable, micros, one.back_in
