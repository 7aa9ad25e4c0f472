"""Rows that were lost with a backup, made anew from what the gateway says of them, under the ids they had.

A checkout carries the top-up's id and its listener, a refund the refund's id and its checkout: so a payment that came
after the backup is credited to who paid it, and credit that was paid back is taken out of the wallet again. What cannot
be placed (somebody who joined after the backup, credit spent anew) is left to the books (royalties/recovery.py).
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from members import admission, clock, money
from playback import vat, wallets
from playback.cashout_models import CashOut, Refund
from playback.chargeback_models import Chargeback
from playback.models import TopUp

EVIDENCE = "what the payment provider says of the payment"
logger = logging.getLogger(__name__)


def top_up(event: Mapping[str, Any], *, now: datetime) -> TopUp | None:
    """Make the top-up anew that a paid checkout is about, not settled yet; None where its listener is unknown.

    Inside a transaction; the listener's wallet is locked. Two queries or five.
    """
    said = event["checkout"]
    top_up_id, person_id = _id_in(said["reference"]), _id_in(said.get("person", ""))
    country = said.get("country", "")
    if top_up_id is None or person_id is None or not admission.is_known(person_id):
        return None
    if said["amount_cents"] <= 0 or said["currency"] != settings.CURRENCY or len(country) != 2:
        return None
    wallets.lock(person_id)
    known = TopUp.objects.filter(id=top_up_id).first()
    if known is not None or TopUp.objects.filter(checkout_id=said["id"]).exists():
        return known
    asked_at = _moment_of(event, now)
    logger.warning("top-up %s is made anew from what the gateway says of it", top_up_id)
    return TopUp.objects.create(
        id=top_up_id,
        listener_id=person_id,
        asked_cents=said["amount_cents"],
        country=country,
        country_evidence=[EVIDENCE],
        regime=vat.regime(country),
        vat_ppm=vat.rate(country, on=clock.day(asked_at)),
        checkout_id=said["id"],
        created_at=asked_at,
    )


def refund(event: Mapping[str, Any]) -> Refund | None:
    """Make the refund anew that the gateway paid, waiting for its word, and take its credit out of the wallet.

    None where the payment is unknown or taken back, less of it is left, or the wallet holds less. Inside a transaction;
    the wallet and the payment are locked. At most seven queries.
    """
    said = event["refund"]
    refund_id, paid = _id_in(said["reference"]), _lock_paid(said.get("checkout", ""))
    if refund_id is None or paid is None or said["currency"] != settings.CURRENCY:
        return None
    wallet = wallets.lock(paid.listener_id)
    parts = _parts(paid, gross_cents=said["amount_cents"])
    if parts is None or money.from_cents(parts[0]) > wallet.balance_micros:
        return None
    net_cents, vat_cents = parts
    wallet.balance_micros -= money.from_cents(net_cents)
    wallet.save(update_fields=["balance_micros"])
    taken = CashOut.objects.create(
        listener_id=paid.listener_id,
        amount_micros=money.from_cents(net_cents),
        taken_at=clock.money_moment(),
        balance_after_micros=wallet.balance_micros,
        promo_after_micros=wallet.promo_micros,
    )
    logger.warning("refund %s is made anew from what the gateway says of it", refund_id)
    return Refund.objects.create(
        id=refund_id,
        cash_out=taken,
        listener_id=paid.listener_id,
        top_up=paid,
        line_number=1,
        net_cents=net_cents,
        vat_cents=vat_cents,
    )


def _lock_paid(checkout_id: str) -> TopUp | None:
    """Lock the wallet, then the settled payment of a checkout that no bank took back, and return it."""
    settled = TopUp.objects.filter(checkout_id=checkout_id, state=TopUp.State.SETTLED).exclude(checkout_id="")
    standing = settled.exclude(chargebacks__state__in=[Chargeback.State.OPEN, Chargeback.State.LOST])
    found = standing.values_list("id", "listener_id").first()
    if found is None:
        return None
    wallets.lock(found[1])
    return TopUp.objects.select_for_update().get(id=found[0])


def _parts(paid: TopUp, *, gross_cents: int) -> tuple[int, int] | None:
    """Return net and VAT of a refund, as a cash-out of that net would have divided what was left of the payment.

    None where no net comes to that gross. More net is more gross, so halving finds the only one there can be.
    """
    assert paid.net_cents is not None
    assert paid.vat_cents is not None
    kept = paid.refunds.exclude(state=Refund.State.RETURNED).values_list("net_cents", "vat_cents")
    net_left = paid.net_cents - sum(net for net, _ in kept)
    vat_left = paid.vat_cents - sum(tax for _, tax in kept)

    def tax_on(net: int) -> int:
        return money.allocate(vat_left, [net, net_left - net])[0]

    low, high = 1, net_left
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if middle + tax_on(middle) >= gross_cents else (middle + 1, high)
    return (low, tax_on(low)) if low <= net_left and low + tax_on(low) == gross_cents else None


def _moment_of(event: Mapping[str, Any], now: datetime) -> datetime:
    """Return when an event happened, by the co-op's clock; `now` for one that does not say."""
    created = event.get("created")
    return datetime.fromtimestamp(created, UTC) + clock.offset() if isinstance(created, int) and created else now


def _id_in(reference: object) -> UUID | None:
    try:
        return UUID(str(reference))
    except ValueError:
        return None
