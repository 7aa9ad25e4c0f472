"""Recovery: what a restored backup lost, asked of the gateway and the bank, and booked once under their ids.

Every step may be done again, and goes on where it was killed: events are known by their ids, the bank's lines by their
references, payouts by their names at the bank. Charges that were lost are known to nobody. They are the co-op's loss:
listeners have the credit again that they had spent, and nobody is paid for those plays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction

from members import clock, lineage, money
from playback import chargebacks, refunds, topups
from playback.topups import Unplaced
from royalties import accounts, adopting, highwater, ledger, posting, reconciliation, settling
from royalties.adopting import Unknown
from royalties.ledger import Entry
from royalties.payout_models import PayoutBatch
from royalties.reconciliation import Difference

# Before the backup's last sign of life: webhooks may be late, and clocks differ.
MARGIN = timedelta(days=2)
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
USUAL_DAYS = 7
USUAL = """
SELECT count(*), coalesce(sum(amount_micros), 0)::bigint FROM playback_charge_facts
 WHERE charged_at >= %(since)s AND charged_at < %(until)s
"""
# What the gateway did for which no row of ours stands: with whom it clears, and who waits to be found.
_CLEARED = {
    topups.SETTLED_TYPE: (accounts.PROVIDER, accounts.SUSPENSE),
    chargebacks.OPENED: (accounts.SUSPENSE, accounts.PROVIDER),
    chargebacks.WON: (accounts.PROVIDER, accounts.SUSPENSE),
    **{
        kind: (accounts.SUSPENSE, accounts.PROVIDER)
        for kind, outcome in refunds.EVENTS.items()
        if outcome == refunds.REFUNDED
    },
}


@dataclass(frozen=True, kw_only=True)
class Gap:
    """The time nobody knows the charges of, and what would have been charged in it if it was as the days before."""

    since: datetime
    until: datetime
    usual_charges: int
    usual_micros: int


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found in the books: rows posted, payments that nobody could place, files of payouts, differences."""

    posted: int
    placed: int
    adopted: int
    unknown_files: list[Unknown] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


def since() -> datetime:
    """Return from when on to ask the gateway, by the clock on the wall; from the beginning where nobody knows."""
    standing = lineage.standing()
    if standing is None or standing.lost_since is None:
        return BEGINNING
    return standing.lost_since - MARGIN


def pull(*, since: datetime, now: datetime, tell: Callable[[int], None]) -> int:
    """Take in what the gateway knows since a moment and we do not; `tell` hears each time how many.

    Returns how many. Raises GatewaySilent.
    """
    taken = 0
    for event in topups.missed(since=since):
        taken += topups.take_in(event=event, now=now)
        tell(taken)
    return taken


def place(*, now: datetime) -> int:
    """Book money that moved at the gateway and that no row stands for, to be looked into; return how many entries.

    So what the provider settles agrees with the books. It stands on the suspense account until a treasurer finds out
    whose it is: somebody who joined after the backup, or credit that was paid back and spent anew.
    """
    return ledger.book([_entry(one, now) for one in topups.unplaced()], now=now)


def settle(*, now: datetime) -> Found:
    """Bring the books up to what happened, and compare."""
    with transaction.atomic():
        adopted = adopting.adopt_old(now=now)
        for batch in PayoutBatch.objects.select_for_update().filter(state=PayoutBatch.State.PREPARED):
            adopted += adopting.mark(batch)
    placed, posted = place(now=now), posting.post(now=now)
    return Found(
        posted=posted,
        placed=placed,
        adopted=adopted,
        unknown_files=adopting.unknown(),
        differences=reconciliation.raise_alarms(now=now),
    )


def gap() -> Gap | None:
    """Return of what time the charges are lost, while the co-op is closed and it is known. One query."""
    standing = lineage.standing()
    if standing is None or standing.lost_since is None:
        return None
    # The charges that are left are dated by the co-op's clock.
    until = standing.lost_since + clock.offset()
    with connection.cursor() as cursor:
        cursor.execute(USUAL, {"since": until - timedelta(days=USUAL_DAYS), "until": until})
        charges, micros = cursor.fetchone()
    lasted, usual = standing.closed_at - standing.lost_since, timedelta(days=USUAL_DAYS)
    return Gap(
        since=standing.lost_since,
        until=standing.closed_at,
        usual_charges=charges * (lasted // timedelta(seconds=1)) // (usual // timedelta(seconds=1)),
        usual_micros=micros * (lasted // timedelta(seconds=1)) // (usual // timedelta(seconds=1)),
    )


def reopen(*, found: Found, reason: str = "") -> bool:
    """Open the co-op; with differences only for a reason, which is kept. Return whether it was closed.

    Raises what a store that is away raises: the new mark has to be outside first.
    """
    if not lineage.standing():
        return False
    assert reason or not found.differences
    words = f"{found.posted} rows posted, {found.placed} payments to be placed, {found.adopted} payouts adopted."
    if found.differences:
        words += f" {len(found.differences)} differences, opened all the same: {reason}"
    highwater.reopen(words=words)
    return True


def _entry(one: Unplaced, now: datetime) -> Entry:
    debit, credit = _CLEARED[one.type]
    return Entry(
        debit=debit,
        credit=credit,
        amount_micros=money.from_cents(one.amount_cents),
        kind="gateway-unplaced",
        key=f"gateway:{one.type}:{one.gateway_id}",
        happened_at=one.received_at,
        month=settling.open_month(clock.day(one.received_at), now),
        reason=f"The payment provider told of {one.gateway_id}, and no row of ours stands for it.",
    )
