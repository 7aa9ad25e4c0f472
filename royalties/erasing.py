"""What `royalties` keeps of a payee, and what of it stays when they are forgotten.

Who named an account is paid from a cent on with the next payouts, and the account stays until the bank has confirmed.
What is owed to somebody without one, and what their shares earn later, stays owed to an empty person, for who has the
claim code (royalties/claims.py). Statements, lines and the books name nobody but numbers, and stay.
"""

from datetime import datetime

from django.db.models import Q

from members import clock, money, months
from members.erasing.traces import Traces
from royalties import payout_accounts, payouts
from royalties.id_shares import IdShare
from royalties.payout_models import BankLine, Payout

LEAVING = (Payout.State.PREPARED, Payout.State.IN_TRANSIT)


class RoyaltiesKeeper:
    """What `royalties` does when a payee goes."""

    def settle(self, traces: Traces, *, now: datetime) -> list[str]:
        """Wait for what goes to their account. What a suspended work holds back may wait for years: that is claimed."""
        whose = traces.person_id
        cents = sum(Payout.objects.filter(person_id=whose, state__in=LEAVING).values_list("cents", flat=True))
        if cents:
            return [f"{money.show_cents(cents)} of royalties on their way to the bank"]
        if payout_accounts.of_person(whose) is None:
            return []
        due = payouts.due(month=months.before(clock.month(now)), now=now, whose=IdShare.one(whose)).get(whose)
        owed = due.payable_micros - due.held.suspended_micros if due else 0
        if owed < money.MICROS_PER_CENT:
            return []
        return [f"{money.show(owed)} of royalties, which the next payouts take"]

    def forget(self, traces: Traces, *, now: datetime) -> None:
        """Take away accounts, and their name where a bank wrote it on a line."""
        payout_accounts.empty(traces.person_id, now=now)
        named = Q()
        for name in (*traces.names, *traces.addresses):
            named |= Q(words__icontains=name)
        BankLine.objects.filter(named).update(words="")
