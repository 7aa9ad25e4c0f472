"""What `playback` keeps of a listener, and what of it stays when they are forgotten.

Bought credit goes back first, to the payments it came from. Charges, holdings and certificates stay: they are books,
and what proves that something was owned; who owned it is an empty person from then on. What was marked, followed or
packed goes.
"""

from datetime import datetime, timedelta
from typing import Any

from members import money
from members.erasing.traces import Traces
from playback import cashouts, wallets
from playback.cashout_models import CashOut, Refund, RefundTransfer
from playback.cashouts import CannotCashOut
from playback.following_models import Favourite, Follow
from playback.library_models import Certificate, LibraryExport
from playback.models import TopUp, Wallet

# A refund that bounced is tried again, but not at every turn.
TRIED_AGAIN_AFTER = timedelta(days=1)
# A checkout that was begun may still be paid for so long; after that the gateway has ended it.
CHECKOUT_LASTS = timedelta(days=1)
# In place of an account that is not kept any more.
BLANK_SEAL = "v1."
UNDER_WAY = (Refund.State.WAITING, Refund.State.SENT, Refund.State.TRANSFER)
EXPORTS_ON_HAND = (LibraryExport.State.WAITING, LibraryExport.State.PACKING)


class PlaybackKeeper:
    """What `playback` does when a listener goes."""

    def settle(self, traces: Traces, *, now: datetime) -> list[str]:
        """Cash out what was bought, and wait for its refunds."""
        whose = traces.person_id
        wallet = Wallet.objects.filter(listener_id=whose).first()
        if wallet is None:
            return []
        if wallet.frozen_at is not None:
            return ["a payment that their bank took back, about which a treasurer decides"]
        if TopUp.objects.filter(
            listener_id=whose, state=TopUp.State.STARTED, created_at__gt=now - CHECKOUT_LASTS
        ).exists():
            return ["a payment that they began and that may still come"]
        refunds = Refund.objects.filter(listener_id=whose)
        waits = []
        bounced = refunds.filter(state=Refund.State.RETURNED, ended_at__gt=now - TRIED_AGAIN_AFTER).exists()
        if not bounced:
            _cash_out(wallet)
        elif cashouts.available(wallet.balance_micros):
            waits.append("credit that a payment could not take back; it is tried again in a day")
        cents = sum(one.gross_cents for one in refunds.filter(state__in=UNDER_WAY))
        if cents:
            waits.append(f"{money.show_cents(cents)} that go back to how they paid")
        if LibraryExport.objects.filter(listener_id=whose, state__in=EXPORTS_ON_HAND).exists():
            waits.append("a zip of their library that is being packed")
        return waits

    def forget(self, traces: Traces, *, now: datetime) -> None:
        """Take away what was marked and followed, accounts of transfers, names on certificates, zips and limits."""
        whose = traces.person_id
        Follow.objects.filter(listener_id=whose).delete()
        Favourite.objects.filter(listener_id=whose).delete()
        RefundTransfer.objects.filter(refund__listener_id=whose).update(holder="", sealed=BLANK_SEAL, mask="")
        LibraryExport.objects.filter(listener_id=whose, state=LibraryExport.State.READY).update(expires_at=now)
        TopUp.objects.filter(listener_id=whose).exclude(state=TopUp.State.SETTLED).update(checkout_url="")
        Wallet.objects.filter(listener_id=whose).update(
            day_limit_micros=None,
            month_limit_micros=None,
            next_day_limit_micros=None,
            next_day_limit_at=None,
            next_month_limit_micros=None,
            next_month_limit_at=None,
            goes_on=False,
        )
        for certificate in Certificate.objects.filter(listener_id=whose).exclude(content__certificate__holder=""):
            certificate.content = _without_holder(certificate.content)
            certificate.save(update_fields=["content"])


def _cash_out(wallet: Wallet) -> None:
    """Take out all that can go back. What is less than a cent, or has nowhere to go, stays."""
    amount = cashouts.available(wallet.balance_micros)
    key = f"erasure-{CashOut.objects.filter(listener_id=wallet.listener_id).count()}"
    while amount:
        try:
            cashouts.take(person_id=wallet.listener_id, amount_micros=amount, key=key)
        except CannotCashOut as less:
            amount = less.extra["available_micros"]
        except wallets.WalletFrozen:
            return
        else:
            return


def _without_holder(content: dict[str, Any]) -> dict[str, Any]:
    """Return a certificate as it is kept without its holder's name.

    Their own copy stays signed and is proved with it alone; this one says under which digest it was issued, which is
    what its public page compares.
    """
    return {**content, "certificate": {**content["certificate"], "holder": ""}}
