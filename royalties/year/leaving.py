"""Capital of members who left: it does not wait for its years' turn, and nobody may keep it back.

Who left, or was expelled, is owed their whole capital account, within six months of the end of that year: German
Cooperatives Act (GenG), section 73 (2), as of 22 November 2026. It can be paid as soon as the year of leaving is
closed; one treasurer begins it for all who are due, another confirms. No figure of it can be voted on or chosen, and
who is due is nobody's decision; until it is paid an alarm rings. It goes to what is payable, and from there to an
account, or to whoever has the claim code.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from members import clock, letters, money, patience
from members.letters import Letter
from members.problems import NotAllowed, NotFound
from royalties import accounts, alarms, ledger
from royalties.payouts import BatchStands, NothingDue, check_treasurer
from royalties.year.models import CapitalRelease, FinancialYear

State = CapitalRelease.State
# Six months after the end of a year.
LAST_MONTH, LAST_DAY = 6, 30
# Lines whose capital lies in the account of somebody who left by a year's end, and in no release yet.
OWED = """
SELECT p.year, p.line, p.person_id, p.cents - p.cash_cents AS cents,
       extract(year FROM coop_day(g.ended_at))::int AS left_in
  FROM royalties_patronage p
  JOIN royalties_financialyear y ON y.year = p.year AND y.state = 'done'
  JOIN members_gone_facts g ON g.person_id = p.person_id
 WHERE p.cents > p.cash_cents AND extract(year FROM coop_day(g.ended_at)) <= %(left_by)s
   AND NOT EXISTS (SELECT FROM royalties_releasedline r WHERE (r.year, r.line) = (p.year, p.line))
"""
BY_YEAR = f"""
SELECT left_in, count(DISTINCT person_id), sum(cents)::bigint FROM ({OWED}) owed GROUP BY 1 ORDER BY 1
"""  # noqa: S608  (our own words)
TAKEN = f"""
INSERT INTO royalties_releasedline (year, line, release_id)
SELECT year, line, %(release)s FROM ({OWED}) owed ORDER BY year, line
"""  # noqa: S608  (as above)
# Under the names that the whole year's turn would book: so that turn, when it comes, does nothing for these.
RELEASED = """
SELECT %(capital)s || p.person_id AS debit, %(payable)s || p.person_id AS credit,
       (p.cents - p.cash_cents) * 10000 AS micros, 'patronage-redeemed' AS kind, 'year:' || p.year AS together,
       'year:' || p.year || ':' || p.member_class || ':' || p.person_id || ':redeemed' AS key,
       %(happened_at)s::timestamptz AS happened_at, %(month)s::date AS month, 'Left the co-op' AS reason,
       row_number() OVER (ORDER BY p.year, p.line) AS position
  FROM royalties_releasedline r JOIN royalties_patronage p ON (p.year, p.line) = (r.year, r.line)
 WHERE r.release_id = %(release)s
"""
IN_RELEASE = """
SELECT p.person_id, p.cents - p.cash_cents AS cents
  FROM royalties_releasedline r JOIN royalties_patronage p ON (p.year, p.line) = (r.year, r.line)
 WHERE r.release_id = %(release)s
"""
SUMS = f"SELECT count(DISTINCT person_id), coalesce(sum(cents), 0)::bigint FROM ({IN_RELEASE}) taken"  # noqa: S608
PEOPLE = f"SELECT DISTINCT person_id FROM ({IN_RELEASE}) taken ORDER BY 1"  # noqa: S608  (as above)
LEFT_AT = "SELECT ended_at FROM members_gone_facts WHERE person_id = %(person)s"


@dataclass(frozen=True, kw_only=True)
class Due:
    """What is due to those who left in a year: how many they are, how much, and by when it has to be paid."""

    left_in: int
    people: int
    cents: int
    pay_by: date
    is_late: bool


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A release that waits for another treasurer."""

    id: UUID
    begun_by_id: UUID
    begun_by: str
    people: int
    cents: int


def pay_by(left_in: int) -> date:
    """Return the last day on which the capital of who left in a year is in time."""
    return date(left_in + 1, LAST_MONTH, LAST_DAY)


def due_through(now: datetime) -> int:
    """Return the last year whose leavers are due: it is closed, or its half year is over all the same. One query."""
    closed: int = FinancialYear.objects.aggregate(last=Max("year"))["last"] or 0
    day = clock.day(now)
    return max(closed, day.year - (1 if day > pay_by(day.year - 1) else 2))


def due(*, now: datetime) -> list[Due]:
    """Return what is due and in no release yet, by the year of leaving. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(BY_YEAR, {"left_by": due_through(now)})
        return [
            Due(
                left_in=left_in,
                people=people,
                cents=cents,
                pay_by=pay_by(left_in),
                is_late=clock.day(now) > pay_by(left_in),
            )
            for left_in, people, cents in cursor.fetchall()
        ]


def begun() -> Begun | None:
    """Return the release that waits for another treasurer, or None. Two queries at most."""
    found = CapitalRelease.objects.select_related("begun_by").filter(state=State.BEGUN).first()
    if found is None:
        return None
    people, cents = _sums(found.id)
    return Begun(id=found.id, begun_by_id=found.begun_by_id, begun_by=str(found.begun_by), people=people, cents=cents)


def begin(*, staff_id: UUID, now: datetime) -> CapitalRelease:
    """Say as one treasurer that all capital that is due to who left is to be paid; another one confirms it.

    Raises NotAllowed; BatchStands while one is begun; NothingDue.
    """
    check_treasurer(staff_id)
    left_by = due_through(now)
    try:
        with transaction.atomic():
            patience.take_time(minutes=5)
            made = CapitalRelease.objects.create(left_by=left_by, begun_by_id=staff_id, begun_at=now)
            with connection.cursor() as cursor:
                cursor.execute(TAKEN, {"left_by": left_by, "release": made.id})
                if not cursor.rowcount:
                    raise NothingDue("Nobody who left has capital that is due and not paid.")
    except IntegrityError:
        raise BatchStands("A payment to those who left is begun already. Another treasurer confirms it.") from None
    return made


def confirm(*, release_id: UUID, staff_id: UUID, now: datetime) -> CapitalRelease:
    """Confirm as another treasurer, and book it to what is payable. Asked again by the same one, it answers the same.

    Raises NotAllowed, also for whoever began it; NotFound; BatchStands; LedgerRefused.
    """
    check_treasurer(staff_id)
    with transaction.atomic():
        patience.take_time(minutes=5)
        found = CapitalRelease.objects.select_for_update().filter(id=release_id).first()
        if found is None:
            raise NotFound("there is no such payment")
        if found.state == State.CONFIRMED and found.confirmed_by_id == staff_id:
            return found
        if found.state != State.BEGUN:
            raise BatchStands("Another treasurer confirmed this payment.")
        if found.begun_by_id == staff_id:
            raise NotAllowed("capital is paid back by another treasurer than the one who began it")
        found.state, found.confirmed_by_id, found.confirmed_at = State.CONFIRMED, staff_id, now
        found.save(update_fields=["state", "confirmed_by", "confirmed_at"])
        _tell(found, now)
        ledger.book_selected(RELEASED, _given(found, now), now=now)
    return found


def owed_by(person_id: UUID) -> date | None:
    """Return by when the capital of somebody who left has to be paid; None for whoever belongs. One query."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT_AT, {"person": person_id})
        found = cursor.fetchone()
    return pay_by(clock.day(found[0]).year) if found else None


def ring(*, now: datetime) -> int:
    """Let an alarm ring for what is due to who left, until it is paid. Return how many ring."""
    found = {
        f"capital-due:{one.left_in}": (
            f"{money.show_cents(one.cents)} of capital are due to {one.people} who left in {one.left_in}:"
            f" by {one.pay_by:%-d %B %Y} at the latest."
        )
        for one in due(now=now)
    }
    alarms.keep(about="capital-due:", found=found, now=now)
    return len(found)


def _sums(release_id: UUID) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(SUMS, {"release": release_id})
        people, cents = cursor.fetchone()
    return people, cents


def _given(release: CapitalRelease, now: datetime) -> dict[str, Any]:
    return {
        "release": release.id,
        "capital": accounts.capital_prefix(),
        "payable": accounts.payable_prefix(),
        "happened_at": now,
        "month": clock.month(now),
    }


def _tell(release: CapitalRelease, now: datetime) -> None:
    """Tell those of a release, each once. Who was erased has no address: what is written to them goes nowhere."""
    letter = Letter(
        subject="Your capital account is paid",
        paragraphs=[
            "You left the co-op, so two treasurers released what lay in your capital account.",
            "It goes out with the next payouts.",
        ],
        act="See your part",
        path="/membership",
    )
    with connection.cursor() as cursor:
        cursor.execute(PEOPLE, {"release": release.id})
        people = [person_id for (person_id,) in cursor.fetchall()]
    letters.send_to_people(letter, people, topic=f"capital:{release.id}", now=now)
