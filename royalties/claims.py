"""Claims: what is still owed to somebody who was erased is paid to whoever has the code that was told to them.

The code leads to an empty person, to whose account of the ledger their shares go on earning. Whoever types it names a
bank account; the next payouts pay it, from a cent on, and when the bank has confirmed the account is forgotten again.
What nobody claimed lapses by law and goes where disputed money goes, year by year.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from members import clock, ibans, money
from members.erasing import erasures
from members.problems import Problem
from royalties import accounts, ledger, payout_accounts
from royalties.ledger import Entry
from royalties.ledger_models import Transfer
from royalties.payout_models import Payout
from royalties.year import leaving

# A claim lapses three years after the end of the year in which it arose: German Civil Code (BGB), sections 195 and
# 199 (1), as they stand on 22 November 2026. A co-op under another law changes this.
YEARS_TO_CLAIM = 3
LEAVING = (Payout.State.PREPARED, Payout.State.IN_TRANSIT)


class NoSuchClaim(Problem):
    """Nobody was told this code."""

    slug, status, title = "no-such-claim", 404, "This code claims nothing"


class NothingOwed(Problem):
    """The code is right, and less than a cent is owed now."""

    slug, status, title = "nothing-owed-yet", 409, "Nothing is owed now"


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What will be paid, in whole cents so far, and where to, as it may be shown."""

    cents: int
    mask: str


def claim(*, code: str, holder: str, iban: str, now: datetime) -> Claimed:
    """Let what is owed under a code be paid to an account with the next payouts. Claimed again, the newest account is.

    Raises Invalid for the account, NoSuchClaim, NothingOwed. The account is looked at first, so that how long a refusal
    takes says nothing of the code.
    """
    account = ibans.check(iban)
    person_id = erasures.of_code(code)
    owed = ledger.payable([person_id])[person_id] if person_id else 0
    if person_id is None:
        raise NoSuchClaim("Nobody was told this code. Nothing was kept of what you typed.")
    if owed < money.MICROS_PER_CENT:
        raise NothingOwed(
            f"Less than a cent is owed under this code now.{_later(person_id)} Nothing you typed was kept."
        )
    payout_accounts.enter(person_id=person_id, holder=holder, iban=account.iban, now=now)
    return Claimed(cents=owed // money.MICROS_PER_CENT, mask=account.mask)


def _later(person_id: UUID) -> str:
    """Say what the code can claim later: the capital account, once treasurers paid it."""
    capital, day = ledger.balance(accounts.capital(person_id)), leaving.owed_by(person_id)
    if not capital or day is None:
        return ""
    return f" {money.show(capital)} of a capital account can be claimed by {day:%-d %B %Y} at the latest."


def tidy(*, now: datetime) -> int:
    """Forget accounts of claims that are paid, and let lapse what nobody claimed in time; return how many of both.

    For a daily beat. Done again, it finds nothing.
    """
    gone = erasures.erased()
    done = 0
    for person_id in sorted(gone):
        with transaction.atomic():
            done += _let_lapse(person_id, now=now) + _forget_paid(person_id, now=now)
    return done


def _forget_paid(person_id: UUID, *, now: datetime) -> bool:
    if payout_accounts.of_person(person_id) is None:
        return False
    if Payout.objects.filter(person_id=person_id, state__in=LEAVING).exists():
        return False
    if ledger.payable([person_id])[person_id] >= money.MICROS_PER_CENT:
        return False
    return payout_accounts.empty(person_id, now=now) > 0


def _let_lapse(person_id: UUID, *, now: datetime) -> bool:
    """Book what arose too long ago. Payments count against what is oldest, so what arose since is what is left."""
    if Payout.objects.filter(person_id=person_id, state__in=LEAVING).exists():
        return False
    code = accounts.payable(person_id)
    since = date(clock.day(now).year - YEARS_TO_CLAIM, 1, 1)
    recent = Transfer.objects.filter(credit=code, month__gte=since).aggregate(sum=Sum("amount_micros"))["sum"] or 0
    lapsed = ledger.payable([person_id])[person_id] - recent
    if lapsed <= 0:
        return False
    entry = Entry(
        debit=code,
        credit=accounts.DISPUTES,
        amount_micros=lapsed,
        kind="claim-lapsed",
        key=f"claim-lapsed:{person_id}:{since.year}",
        happened_at=now,
        month=clock.month(now),
        reason="Nobody claimed it within the time of the law.",
    )
    return ledger.book([entry], now=now) > 0
