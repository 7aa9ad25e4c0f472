"""Transfers: refunds of payments too old for the gateway, paid by hand. One treasurer enters, another releases.

Whoever releases names the entry they looked at, so that an account changed in between is never paid unseen. Nobody
enters or releases for themselves, and the database refuses it too.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from members import admission, clock, ibans, letters, money, sepa
from members.admission import Staff
from members.letters import Letter
from members.problems import Invalid, NotAllowed, NotFound, Problem
from playback import refunds
from playback.cashout_models import Refund, RefundTransfer

HOLDER_MOST, REASON_MOST, SHOWN_MOST = 120, 500, 20
ONE_DAY = timedelta(days=1)
TREASURERS = (Staff.TREASURER,)


class EntryReplaced(Problem):
    """The transfer was entered anew, paid or given back since it was looked at."""

    slug, status, title = "transfer-replaced", 409, "This entry no longer stands"


def check_treasurer(staff_id: UUID) -> None:
    """Raise NotAllowed unless the person is a treasurer."""
    if not admission.has_role(person_id=staff_id, roles=TREASURERS):
        raise NotAllowed("only treasurers pay by transfer")


def waiting(*, staff_id: UUID) -> list[Refund]:
    """Return the refunds to be paid by transfer, oldest first, each with its newest entry. Raises NotAllowed."""
    check_treasurer(staff_id)
    found = list(
        Refund.objects.filter(state=Refund.State.TRANSFER)
        .select_related("listener", "top_up", "cash_out")
        .order_by("cash_out__taken_at", "id")
    )
    newest = {}
    entries = RefundTransfer.objects.filter(refund__in=found).select_related("entered_by").order_by("entered_at", "id")
    for entry in entries:
        newest[entry.refund_id] = entry
    for refund in found:
        refund.entry = newest.get(refund.id)  # type: ignore[attr-defined]  # for the page and the API
    return found


def enter(*, refund_id: UUID, staff_id: UUID, holder: str, iban: str, now: datetime) -> RefundTransfer:
    """Enter where a refund is paid to; a newer entry replaces an older one.

    Raises NotAllowed, NotFound, and Invalid for an account that is none.
    """
    check_treasurer(staff_id)
    holder = " ".join(holder.split())
    if not 1 <= len(holder) <= HOLDER_MOST:
        raise Invalid(f"The holder of the account has a name of at most {HOLDER_MOST} letters.")
    account = ibans.check(iban)
    with transaction.atomic():
        refund = _to_be_paid(refund_id, staff_id)
        return RefundTransfer.objects.create(
            refund=refund,
            holder=holder,
            sealed=ibans.seal(account.iban, owner_id=refund.listener_id),
            mask=account.mask,
            entered_by_id=staff_id,
            entered_at=now,
        )


def release(*, refund_id: UUID, transfer_id: UUID, staff_id: UUID, now: datetime) -> RefundTransfer:
    """Release the newest entry, which is the one that was looked at; asked again, it answers the same.

    Raises NotAllowed, also for who entered it, NotFound, and EntryReplaced.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        refund = refunds.lock(refund_id)
        if refund is None:
            raise NotFound("there is no such refund")
        newest = refund.transfers.order_by("-entered_at", "-id").first()
        if newest is not None and newest.id == transfer_id and newest.released_by_id == staff_id:
            return newest
        refund = _to_be_paid(refund_id, staff_id)
        if newest is None or newest.id != transfer_id:
            raise EntryReplaced("Another account was entered meanwhile. Look at it again; nothing was released.")
        if newest.entered_by_id == staff_id:
            raise NotAllowed("a transfer is released by another treasurer than the one who entered it")
        newest.released_by_id, newest.released_at = staff_id, now
        newest.save(update_fields=["released_by", "released_at"])
        refund.state, refund.ended_at = Refund.State.REFUNDED, clock.money_moment()
        refund.save(update_fields=["state", "ended_at"])
        letter = Letter(
            subject=f"{money.show_cents(refund.gross_cents)} are on their way to your account",
            paragraphs=[
                (
                    f"The transfer for your payment of {refunds.day_of(refund.top_up.settled_at)} was released to the"
                    f" account ending in {newest.mask[-4:]}. It takes a bank day or two."
                )
            ],
            act="See the cash-out",
            path=f"/wallet/cash-outs/{refund.cash_out_id}",
        )
        letters.send(letter, person_id=refund.listener_id, key=f"refund-transferred:{refund.id}", now=now)
        return newest


def released(*, staff_id: UUID) -> list[RefundTransfer]:
    """Return the last transfers that were released, newest first, for whoever takes their files to the bank.

    Raises NotAllowed.
    """
    check_treasurer(staff_id)
    rows = RefundTransfer.objects.filter(released_at__isnull=False).select_related("refund__listener", "released_by")
    return list(rows.order_by("-released_at", "-id")[:SHOWN_MOST])


def bank_file(*, refund_id: UUID, staff_id: UUID) -> bytes:
    """Return the file that tells the bank to pay a transfer which was released; always the same bytes.

    Raises NotAllowed, NotFound.
    """
    check_treasurer(staff_id)
    rows = RefundTransfer.objects.filter(refund_id=refund_id, released_at__isnull=False)
    entry = rows.select_related("refund__top_up").first()
    if entry is None or entry.released_at is None:
        raise NotFound("no transfer of that refund was released")
    payment = sepa.Payment(
        end_to_end=f"RFT-{entry.refund_id.hex[:28]}",
        name=entry.holder,
        iban=ibans.unseal(entry.sealed, owner_id=entry.refund.listener_id),
        cents=entry.refund.gross_cents,
        words=f"{settings.COOP_NAME}: credit cashed out",
    )
    return sepa.write(
        [payment],
        message_id=f"RFT-{entry.id.hex[:28]}",
        payer=settings.COOP_NAME,
        account=ibans.of_the_coop(),
        made_at=entry.released_at.astimezone(clock.zone()).replace(microsecond=0),
        pay_on=clock.day(entry.released_at) + ONE_DAY,
    )


def give_up(*, refund_id: UUID, staff_id: UUID, reason: str) -> Refund:
    """Give the credit back to the wallet, for who cannot be reached or would rather have it there.

    Raises NotAllowed, NotFound, and Invalid without a reason.
    """
    check_treasurer(staff_id)
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= REASON_MOST:
        raise Invalid("Say why in a sentence; the listener reads it.")
    with transaction.atomic():
        refund = _to_be_paid(refund_id, staff_id)
        refunds.give_back(refund, reason=reason)
    return refund


def _to_be_paid(refund_id: UUID, staff_id: UUID) -> Refund:
    """Return the refund, locked, which waits for a transfer and is somebody else's."""
    refund = refunds.lock(refund_id)
    if refund is None:
        raise NotFound("there is no such refund")
    if refund.listener_id == staff_id:
        raise NotAllowed("nobody pays a transfer to themselves")
    if refund.state != Refund.State.TRANSFER:
        raise EntryReplaced("This refund no longer waits for a transfer.")
    return refund
