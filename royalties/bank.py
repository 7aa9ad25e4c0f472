"""The bank's files, taken in: its lines are kept once, and those about payouts are booked as they come.

The same file again does nothing, and neither does the same line in another file. A line that is no payout's is kept
until the journal explains it. What a line says of a payout is believed only if the sum is the payout's own.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from members import locks, seals
from royalties import bankfiles, payouts, settling
from royalties.adopting import unexplained
from royalties.bankfiles import Line, Part, Read
from royalties.payout_models import BankFile, BankLine, BankPart, Payout

__all__ = ["TakenIn", "take_in", "unexplained"]
NO_REASON = "The bank gave no reason."
# The codes of the ISO 20022 external code set that a payee can do something about, in words.
REASONS = {
    "AC01": "there is no such account.",
    "AC03": "there is no such account.",
    "AC04": "the account is closed.",
    "AC06": "the account is blocked.",
    "AC13": "the account takes no transfers of this kind.",
    "AG01": "the account takes no transfers.",
    "BE04": "the holder's address is missing there.",
    "BE01": "the holder is not the one we named.",
    "MD07": "the holder has died.",
    "RR01": "the bank asks for more about the payer.",
}


@dataclass(frozen=True, kw_only=True)
class TakenIn:
    """What a file did: its lines, how many were new, payouts booked and given back, lines nobody explained yet."""

    kind: str
    lines: int
    new_lines: int
    booked: int
    came_back: int
    unexplained: int
    balance_cents: int | None = None
    balance_on: date | None = None


def take_in(*, content: bytes, staff_id: UUID, now: datetime) -> TakenIn:
    """Take in a file of the bank: pain.002, camt.053, camt.054 or CSV. The same one again does nothing.

    Raises NotAllowed, FileNotRead; then nothing of it was taken in.
    """
    payouts.check_treasurer(staff_id)
    said = bankfiles.read(content)
    digest = seals.sha256(content)
    with transaction.atomic():
        locks.wait_for(settling.BANK_LOCK)
        if BankFile.objects.filter(sha256=digest).exists():
            return _done(said)
        file = BankFile.objects.create(
            sha256=digest, kind=said.kind, taken_by_id=staff_id, taken_at=now, lines=len(said.lines)
        )
        refused = _refuse(said, now)
        known = set(
            BankLine.objects.filter(reference__in=[line.reference for line in said.lines]).values_list(
                "reference", flat=True
            )
        )
        fresh = list({line.reference: line for line in said.lines if line.reference not in known}.values())
        booked = came_back = 0
        for line in fresh:
            made, back = _settle(line, now)
            booked, came_back = booked + made, came_back + back
            kept = BankLine.objects.create(
                reference=line.reference,
                file=file,
                booked_on=line.booked_on,
                cents=line.cents,
                words=line.words,
                end_to_end=line.parts[0].end_to_end if len(line.parts) == 1 else "",
                payouts=made + back or _settled_before(line),
                file_name=line.file_name,
            )
            if not kept.payouts:
                # Perhaps payouts that were lost with a backup (royalties/adopting.py).
                BankPart.objects.bulk_create(
                    BankPart(line=kept, end_to_end=part.end_to_end, cents=part.cents, reason=_words(part.reason))
                    for part in line.parts
                    if part.cents
                )
        return _done(said, new=len(fresh), booked=booked, came_back=came_back + refused)


def _done(said: Read, *, new: int = 0, booked: int = 0, came_back: int = 0) -> TakenIn:
    return TakenIn(
        kind=said.kind,
        lines=len(said.lines),
        new_lines=new,
        booked=booked,
        came_back=came_back,
        unexplained=unexplained().count(),
        balance_cents=said.balance_cents,
        balance_on=said.balance_on,
    )


def _refuse(said: Read, now: datetime) -> int:
    """Book what a status report refuses; return how many payouts that were."""
    done = 0
    reasons = {one.end_to_end: one.reason for one in said.refusals if one.end_to_end}
    for name, payout in settling.find(reasons).items():
        done += settling.reject(payout, reason=_words(reasons[name]), now=now)
    if said.refused_file:
        for payout in settling.in_file(said.refused_file):
            done += settling.reject(payout, reason=_words(said.reason), now=now)
    return done


def _settle(line: Line, now: datetime) -> tuple[int, int]:
    """Book the payouts that a line is about; return how many the bank paid, and how many came back."""
    if line.cents < 0 and not line.parts and line.file_name:
        sent = settling.in_file(line.file_name)
        if sum(one.cents for one in sent if one.state == Payout.State.IN_TRANSIT) == -line.cents:
            return sum(settling.book(one, on=line.booked_on, now=now) for one in sent), 0
        return 0, 0
    found = settling.find(part.end_to_end for part in line.parts)
    # Believed only whole: a line of which a part is nobody's, or has another sum, is left to people.
    if not line.parts or any(not _fits(part, found) for part in line.parts):
        return 0, 0
    booked = came_back = 0
    for part in line.parts:
        payout = found[part.end_to_end]
        if line.cents < 0:
            booked += settling.book(payout, on=line.booked_on, now=now)
        else:
            came_back += settling.give_back(payout, on=line.booked_on, reason=_words(part.reason), now=now)
    return booked, came_back


def _settled_before(line: Line) -> int:
    """Return how many payouts a line is about that were booked by another message before it."""
    found = settling.find(part.end_to_end for part in line.parts)
    if not line.parts or any(not _fits(part, found) for part in line.parts):
        return 0
    settled = ("booked", "returned") if line.cents < 0 else ("returned",)
    return len(line.parts) if all(one.state in settled for one in found.values()) else 0


def _fits(part: Part, found: dict[str, Payout]) -> bool:
    return part.end_to_end in found and found[part.end_to_end].cents == abs(part.cents)


def _words(reason: str) -> str:
    code, _, rest = reason.partition(" ")
    return " ".join(filter(None, (REASONS.get(code, code), rest)))[:200] or NO_REASON
