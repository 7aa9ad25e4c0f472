"""The money of a year: each member's part at once to their payouts, the rest to their capital account, by the line.

A turn books so many lines, each under a name of its own: done again it does nothing. Capital accounts are redeemed a
whole year at a time, the oldest first, by two treasurers; so nobody is paid before those who wait longer. Who left is
owed theirs sooner (leaving.py); what they were paid then the year's turn does not book again.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from members import clock, letters, money
from members.letters import Letter
from members.problems import NotAllowed
from royalties import accounts, ledger
from royalties.ledger import Entry
from royalties.payouts import check_treasurer
from royalties.year import closing
from royalties.year.models import FinancialYear, Patronage, ReleasedLine
from royalties.year.motion import YearStands

State = FinancialYear.State
LINES_AT_ONCE = 50_000
# What one line moves: at once to what is paid out with the next payouts, the rest to the member's capital account.
DIVIDED = """
SELECT %(patronage)s AS debit, %(payable)s || person_id AS credit, cash_cents * 10000 AS micros,
       'patronage' AS kind, line * 2 AS place, 'cash' AS name, member_class, person_id
  FROM royalties_patronage WHERE year = %(year)s AND line > %(after)s AND line <= %(until)s AND cash_cents > 0
 UNION ALL
SELECT %(reserve)s, %(capital)s || person_id, (cents - cash_cents) * 10000, 'patronage-retained', line * 2 + 1,
       'retained', member_class, person_id
  FROM royalties_patronage WHERE year = %(year)s AND line > %(after)s AND line <= %(until)s AND cents > cash_cents
"""
REDEEMED = """
SELECT %(capital)s || person_id AS debit, %(payable)s || person_id AS credit, (cents - cash_cents) * 10000 AS micros,
       'patronage-redeemed' AS kind, line AS place, 'redeemed' AS name, member_class, person_id
  FROM royalties_patronage WHERE year = %(year)s AND line > %(after)s AND line <= %(until)s AND cents > cash_cents
"""


def divide(year: FinancialYear, *, now: datetime) -> int:
    """Book the next lines of an accepted year, and return up to which line all are booked. Inside a transaction."""
    until = min(year.lines, year.through + LINES_AT_ONCE)
    _write_letters(year, until, "divided", now)
    if year.through == 0:
        ledger.book(_shared(year, now), now=now)
    _book(DIVIDED, year, until, now)
    return until


def begin_redeeming(*, year: int, staff_id: UUID, now: datetime) -> FinancialYear:
    """Say as one treasurer that a year's capital accounts are to be paid; another one confirms it.

    Raises NotAllowed; NotFound; YearStands unless the year is divided and all before it are redeemed.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        found = _redeemable(year)
        found.redeeming_by_id, found.redeeming_at = staff_id, now
        found.save(update_fields=["redeeming_by", "redeeming_at"])
    return found


def confirm_redeeming(*, year: int, staff_id: UUID, now: datetime) -> FinancialYear:
    """Confirm as another treasurer that a year's capital accounts are paid; the workers book it.

    Raises NotAllowed, also for whoever began it; NotFound; YearStands.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        found = _redeemable(year)
        if found.redeeming_by_id is None:
            raise YearStands("A treasurer begins it, and another one confirms it.")
        if found.redeeming_by_id == staff_id:
            raise NotAllowed("capital is paid back by another treasurer than the one who began it")
        found.redeemed_by_id, found.redeemed_at = staff_id, now
        found.state, found.through, found.percent = State.REDEEMING, 0, 0
        found.words = "Divided; its capital is booked to be paid"
        found.save(update_fields=["redeemed_by", "redeemed_at", "state", "through", "percent", "words"])
    return found


def redeem(year: FinancialYear, *, now: datetime) -> int:
    """Book the next lines of a year that is redeemed; return up to which line all are booked. Inside a transaction."""
    until = min(year.lines, year.through + LINES_AT_ONCE)
    _write_letters(year, until, "redeemed", now)
    _book(REDEEMED, year, until, now)
    return until


def _redeemable(year: int) -> FinancialYear:
    closing.get(year)
    found = FinancialYear.objects.select_for_update().get(year=year)
    if found.state != State.DONE:
        raise YearStands("Only the capital of a year that was divided can be paid, and once.")
    if FinancialYear.objects.filter(year__lt=year).exclude(state__in=[State.REDEEMED, State.NOTHING]).exists():
        raise YearStands("The capital of an earlier year comes first.")
    return found


def _book(lines: str, year: FinancialYear, until: int, now: datetime) -> None:
    given: dict[str, Any] = {
        "year": year.year,
        "after": year.through,
        "until": until,
        "patronage": accounts.PATRONAGE,
        "reserve": accounts.RESERVE,
        "payable": accounts.payable_prefix(),
        "capital": accounts.capital_prefix(),
        "happened_at": now,
        "month": clock.month(now),
        "together": f"year:{year.year}",
    }
    entries = f"""
        SELECT debit, credit, micros, kind, %(together)s AS together,
               %(together)s || ':' || member_class || ':' || person_id || ':' || name AS key,
               %(happened_at)s::timestamptz AS happened_at, %(month)s::date AS month,
               '' AS reason, place AS position
          FROM ({lines}) AS lines"""  # noqa: S608  (constants, joined)
    ledger.book_selected(entries, given, now=now)


def _shared(year: FinancialYear, now: datetime) -> Iterable[Entry]:
    """Yield what leaves the reserve for no member's account: the common good, and what all are paid at once."""
    figures = year.figures or {}
    for name, credit, cents in (
        ("common-good", accounts.COMMON_GOOD, figures["common_good_cents"]),
        ("cash", accounts.PATRONAGE, figures["cash_cents"]),
    ):
        if cents:
            yield Entry(
                debit=accounts.RESERVE,
                credit=credit,
                amount_micros=money.from_cents(cents),
                kind="year-divided",
                key=f"year:{year.year}:{name}",
                group=f"year:{year.year}",
                happened_at=now,
                month=clock.month(now),
                reason=f"Surplus of {year.year}",
            )


def _write_letters(year: FinancialYear, until: int, what: str, now: datetime) -> None:
    """Tell those of the next lines, each person once however many lines they have."""
    lines = Patronage.objects.filter(year=year.year, line__gt=year.through, line__lte=until, cents__gt=0)
    if what == "redeemed":
        paid = ReleasedLine.objects.filter(year=year.year, release__state="confirmed", line=OuterRef("line"))
        lines = lines.filter(~Exists(paid), cents__gt=F("cash_cents"))
    people = lines.values_list("person_id", flat=True)
    said = {
        "divided": (
            f"The surplus of {year.year} is divided, and a part of it is yours",
            "Members accepted the motion. A part goes out with the next payouts, the rest is in your capital account.",
        ),
        "redeemed": (
            f"Your capital of {year.year} is paid",
            "Two treasurers released what your capital account kept of that year. It goes out with the next payouts.",
        ),
    }
    subject, words = said[what]
    letter = Letter(subject=subject, paragraphs=[words], act="See your part", path="/membership")
    letters.send_to_people(letter, people.distinct().order_by("person_id"), topic=f"year:{year.year}:{what}", now=now)
