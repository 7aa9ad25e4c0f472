"""Top-ups: how bought credit comes into a wallet.

A top-up is asked for here and paid at a gateway; the gateway's signed webhook says what was paid, at least once and in
any order. The event's id and what it does are written in one transaction, so the second delivery changes nothing. The
amount is the gateway's, never the browser's.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from members import clock, money, notices, seals
from members.problems import Invalid, NotFound, Problem
from playback import chargebacks, charging, play_money, refunds, remaking, vat, wallets
from playback.gateways import GatewaySilent, PaymentGateway
from playback.models import GatewayEvent, TopUp

CENTS_LEAST, CENTS_MOST = 100, 50_000
AT_ONCE = 500
# What an event may be about.
ABOUT = ("refund", "chargeback", "checkout")
SIGNATURE_LIVES = timedelta(minutes=5)
SETTLED_TYPE, CANCELED_TYPE = "checkout.paid", "checkout.canceled"
logger = logging.getLogger(__name__)


class SignatureRefused(Problem):
    """The webhook was not signed by the gateway, or too long ago."""

    slug, status, title = "signature-refused", 400, "The signature is not the gateway's"


@dataclass(frozen=True, kw_only=True)
class Unplaced:
    """Money that moved at the gateway, and that is nobody's here: an event's type, and what it is about, gross."""

    type: str
    gateway_id: str
    amount_cents: int
    received_at: datetime


def gateway() -> PaymentGateway:
    """Return the gateway this installation uses."""
    if settings.GATEWAY == "play-money":
        return play_money.PlayMoney(address=settings.GATEWAY_URL, key=settings.GATEWAY_KEY)
    raise GatewaySilent("No payment gateway is set up here yet.")


def webhook_key() -> bytes:
    """Return the key that signs webhooks, derived from the gateway's."""
    return hmac.new(settings.GATEWAY_KEY.encode(), b"webhook", hashlib.sha256).hexdigest().encode()


def start(
    *,
    person_id: UUID,
    amount_cents: int,
    country: str,
    evidence: list[str],
    idempotency_key: str,
    return_url: str,
    now: datetime,
) -> TopUp:
    """Ask for a top-up of `amount_cents`, gross, and open its checkout; repeated with the same key it is the same one.

    Raises Invalid for an amount outside 1.00 to 500.00 or an unknown country, KeyReused, WalletFrozen, GatewaySilent.
    """
    if not CENTS_LEAST <= amount_cents <= CENTS_MOST:
        raise Invalid(f"A top-up is between {money.show_cents(CENTS_LEAST)} and {money.show_cents(CENTS_MOST)}.")
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise Invalid("The country is two letters (ISO 3166), for instance DE.")
    body = seals.sha256_of({"amount_cents": amount_cents, "country": country.upper()})
    with transaction.atomic():
        wallet = wallets.lock(person_id)
        kept = charging.kept_answer(person_id=person_id, route="top-up", key=idempotency_key, body_sha256=body)
        if kept is not None:
            top_up = TopUp.objects.get(id=kept["id"])
        else:
            if wallet.frozen_at is not None:
                raise wallets.frozen()
            top_up = TopUp.objects.create(
                listener_id=person_id,
                asked_cents=amount_cents,
                country=country.upper(),
                country_evidence=evidence,
                regime=vat.regime(country.upper()),
                vat_ppm=vat.rate(country.upper(), on=clock.day(now)),
                created_at=now,
            )
            charging.keep_answer(
                person_id=person_id,
                route="top-up",
                key=idempotency_key,
                body_sha256=body,
                answer={"id": str(top_up.id)},
            )
    if not top_up.checkout_id:
        checkout = gateway().start(top_up=top_up, return_url=return_url)
        TopUp.objects.filter(id=top_up.id, checkout_id="").update(checkout_id=checkout.id, checkout_url=checkout.url)
        top_up.refresh_from_db()
    return top_up


def get(*, person_id: UUID, top_up_id: UUID) -> TopUp:
    """Return a top-up of this person. Raises NotFound."""
    found = TopUp.objects.filter(id=top_up_id, listener_id=person_id).first()
    if found is None:
        raise NotFound("there is no such top-up of yours")
    return found


def check_signature(*, header: str, body: bytes, actual: datetime) -> None:
    """Raise SignatureRefused unless the gateway signed `body` within the last five minutes.

    `header` is `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`; `actual` is the time as the world has it.
    """
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    stamp, given = parts.get("t", ""), parts.get("v1", "")
    if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
        raise SignatureRefused("The signature has no moment.")
    expected = hmac.new(webhook_key(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise SignatureRefused("The signature does not fit the message.")
    if abs(actual - datetime.fromtimestamp(int(stamp), UTC)) > SIGNATURE_LIVES:
        raise SignatureRefused("The signature is older than five minutes.")


def read_event(body: bytes) -> Mapping[str, Any]:
    """Return the event in a webhook's body. Raises Invalid when it has not the gateway's shape."""
    try:
        return check_event(json.loads(body))
    except ValueError as error:
        raise Invalid("The event has not the gateway's shape.") from error


def check_event(event: Any) -> Mapping[str, Any]:
    """Return the event, which has the gateway's shape, or raise Invalid."""
    try:
        about = next(event[name] for name in ABOUT if name in event)
        shape = (str, str, str, str, int, str)
        found = (event["id"], event["type"], *(about[name] for name in ("id", "reference", "amount_cents", "currency")))
    except (KeyError, TypeError, StopIteration) as error:
        raise Invalid("The event has not the gateway's shape.") from error
    if any(type(value) is not wanted for value, wanted in zip(found, shape, strict=True)):
        raise Invalid("The event has not the gateway's shape.")
    content: Mapping[str, Any] = event
    return content


def take_in(*, event: Mapping[str, Any], now: datetime) -> bool:
    """Take in an event of the gateway once; return whether it was new. The row and its effect are one transaction.

    Paid wins over canceled, in whichever order they come. A top-up or refund that was lost with a backup is made anew.
    What cannot be credited (an unknown listener, another currency, no amount) is kept with an error in the log.
    """
    if "refund" in event:
        return _take_in_refund(event, now)
    if "chargeback" in event:
        return chargebacks.take_in(event=event, now=now)
    checkout = event["checkout"]
    with transaction.atomic():
        top_up = TopUp.objects.filter(id=_id_in(checkout["reference"])).first()
        if top_up is not None:
            wallets.lock(top_up.listener_id)
            top_up = TopUp.objects.select_for_update().get(id=top_up.id)
        if GatewayEvent.objects.filter(id=event["id"]).exists():
            return False
        if top_up is None and event["type"] == SETTLED_TYPE:
            top_up = remaking.top_up(event, now=now)
        GatewayEvent.objects.bulk_create(
            [GatewayEvent(id=event["id"], type=event["type"], top_up=top_up, content=dict(event), received_at=now)]
        )
        creditable = top_up is not None and checkout["amount_cents"] > 0 and checkout["currency"] == settings.CURRENCY
        if not creditable:
            logger.error("gateway event %s cannot be credited: %s", event["id"], checkout)
        elif top_up is not None and event["type"] == SETTLED_TYPE and top_up.state != TopUp.State.SETTLED:
            _settle(top_up, checkout["amount_cents"])
        elif top_up is not None and event["type"] == CANCELED_TYPE and top_up.state == TopUp.State.STARTED:
            TopUp.objects.filter(id=top_up.id).update(state=TopUp.State.CANCELED)
    return True


def _take_in_refund(event: Mapping[str, Any], now: datetime) -> bool:
    """Take in an event about a refund. One that names no refund of ours, or another sum, is kept and does nothing."""
    said = event["refund"]
    with transaction.atomic():
        refund = refunds.lock(_id_in(said["reference"]))
        if GatewayEvent.objects.filter(id=event["id"]).exists():
            return False
        if refund is None and refunds.EVENTS.get(event["type"]) == refunds.REFUNDED:
            refund = remaking.refund(event)
        GatewayEvent.objects.bulk_create(
            [GatewayEvent(id=event["id"], type=event["type"], refund=refund, content=dict(event), received_at=now)]
        )
        fits = (
            refund is not None
            and said["amount_cents"] == refund.gross_cents
            and said["currency"] == settings.CURRENCY
            and event["type"] in refunds.EVENTS
        )
        if refund is None or not fits:
            logger.error("gateway event %s fits no refund: %s", event["id"], said)
        else:
            refunds.record(refund_id=refund.id, outcome=refunds.EVENTS[event["type"]], gateway_id=said["id"], now=now)
    return True


def _settle(top_up: TopUp, gross_cents: int) -> None:
    """Credit the net of what was paid; the wallet is locked."""
    net_cents, vat_cents = money.allocate(gross_cents, [money.PPM, top_up.vat_ppm])
    wallet = wallets.lock(top_up.listener_id)
    wallet.balance_micros += money.from_cents(net_cents)
    wallet.save(update_fields=["balance_micros"])
    top_up.settled_at = clock.money_moment()
    top_up.state = TopUp.State.SETTLED
    top_up.gross_cents, top_up.net_cents, top_up.vat_cents = gross_cents, net_cents, vat_cents
    top_up.balance_after_micros, top_up.promo_after_micros = wallet.balance_micros, wallet.promo_micros
    top_up.save()
    notices.write(
        person_id=top_up.listener_id,
        key=f"top-up:{top_up.id}",
        subject=f"Your top-up of {money.show_cents(gross_cents)}",
        body=(
            f"You paid {money.show_cents(gross_cents)}: {money.show_cents(net_cents)} is now credit,"
            f" {money.show_cents(vat_cents)} is VAT.\n\n"
            f"Your credit is {money.show(wallet.balance_micros)}. Every line of it: {settings.BASE_URL}/wallet\n"
        ),
        now=top_up.settled_at,
    )


def _id_in(reference: str) -> UUID:
    """Return the id that a reference is; no row has the one returned for what is none."""
    try:
        return UUID(reference)
    except ValueError:
        return UUID(int=0)


def pull(*, since: datetime, now: datetime) -> int:
    """Take in what the gateway knows since a moment and no webhook told; return how many were new."""
    return sum(take_in(event=event, now=now) for event in missed(since=since))


def missed(*, since: datetime) -> Iterator[Mapping[str, Any]]:
    """Yield the gateway's events since a moment that were never taken in, in their order. Raises GatewaySilent.

    What has not the shape of an event is left out, with an error in the log, so that it stops nothing behind it. One
    query for each 500 events.
    """
    told = iter(gateway().events(since=since))
    while chunk := list(islice(told, AT_ONCE)):
        named = [str(one.get("id")) for one in chunk]
        known = set(GatewayEvent.objects.filter(id__in=named).values_list("id", flat=True))
        for event in chunk:
            try:
                if check_event(event)["id"] not in known:
                    yield event
            except Invalid:
                logger.exception("an event of the gateway cannot be read: %s", event)


def unplaced() -> Iterator[Unplaced]:
    """Yield the money that moved at the gateway and that no row of ours stands for, the oldest first. One query."""
    kinds = [SETTLED_TYPE, chargebacks.OPENED, chargebacks.WON]
    kinds += [kind for kind, outcome in refunds.EVENTS.items() if outcome == refunds.REFUNDED]
    rows = GatewayEvent.objects.filter(type__in=kinds, top_up=None, refund=None).order_by("received_at", "id")
    for row in rows:
        said = next(row.content[name] for name in ABOUT if name in row.content)
        if said["amount_cents"] > 0 and said["currency"] == settings.CURRENCY:
            yield Unplaced(
                type=row.type, gateway_id=said["id"], amount_cents=said["amount_cents"], received_at=row.received_at
            )
