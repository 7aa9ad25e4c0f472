"""The register: everybody who belongs or ever belonged, as the law wants it kept. For the secretary alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from members import clock
from members.belonging import memberships
from members.belonging.models import ClassPlace, Membership
from members.problems import Invalid, NotFound

STATES = ("applied", "approved", "joined", "refused", "withdrawn", "left", "expelled")
PAGE = 50
NUMBER_DIGITS_MOST = 9
# Greater than any number of a member.
NUMBERS_MOST = 10**NUMBER_DIGITS_MOST
COLUMNS = (
    "number", "name", "address", "email", "state", "applied_on", "joined_on", "ended_on", "classes", "votes_in",
    "dues", "paid_until", "shares",
)  # fmt: skip
# A spreadsheet reads a cell that begins with one of these as a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One membership in the register."""

    id: UUID
    number: int | None
    name: str
    address: str
    email: str
    state: str
    applied_at: datetime
    joined_at: datetime | None
    ended_at: datetime | None
    classes: tuple[str, ...]
    votes_in: str
    paid_until: date | None
    dues: str
    shares: int


ENTRIES = """
SELECT m.id, m.number, m.legal_name, m.postal_address, p.email, m.state, m.applied_at, m.joined_at, m.ended_at,
       ARRAY(SELECT c.member_class::text FROM members_classplace c
              WHERE c.membership_id = m.id AND c.since IS NOT NULL AND c.ended_at IS NULL ORDER BY c.member_class),
       (SELECT v.member_class FROM members_votingchoice v WHERE v.membership_id = m.id ORDER BY v.seq DESC LIMIT 1),
       (SELECT max(d.covers_until) FROM members_duespayment d WHERE d.membership_id = m.id),
       (SELECT coalesce(sum(s.count), 0)::bigint FROM members_shareholding s
         WHERE s.membership_id = m.id AND s.paid_at IS NOT NULL AND s.repaid_at IS NULL)
  FROM members_membership m JOIN members_person p ON p.id = m.person_id
 WHERE (%(state)s = '' OR m.state = %(state)s)
   AND (%(words)s = '' OR m.legal_name ILIKE %(like)s OR p.email ILIKE %(like)s OR m.number::text = %(words)s)
   AND (%(after)s::uuid IS NULL OR (m.applied_at, coalesce(m.number, %(none)s), m.legal_name, m.id) > (
        SELECT a.applied_at, coalesce(a.number, %(none)s), a.legal_name, a.id
          FROM members_membership a WHERE a.id = %(after)s::uuid))
 ORDER BY m.applied_at, coalesce(m.number, %(none)s), m.legal_name, m.id
 LIMIT %(limit)s
"""


def entries(
    *,
    now: datetime,
    state: str = "",
    words: str = "",
    after: UUID | None = None,
    limit: int = PAGE,
) -> list[Entry]:
    """Return entries in the order of their application: those of a state, of a name, e-mail or number. One query.

    Who applied at one moment stands by number, and who has none after those, by name. `after` is the entry before.
    Raises Invalid for a state that is none.
    """
    if memberships.NUL in words:
        raise Invalid("Nobody has that in their name.")
    if state and state not in STATES:
        raise Invalid(f"A membership is {', '.join(STATES)}.")
    today = clock.day(now)
    plain = words.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    with connection.cursor() as cursor:
        cursor.execute(
            ENTRIES,
            {
                "state": state,
                "words": words.strip(),
                "like": f"%{plain}%",
                "after": after,
                "none": NUMBERS_MOST,
                "limit": limit,
            },
        )
        return [_entry(row, today) for row in cursor.fetchall()]


def wishes() -> dict[UUID, list[str]]:
    """Return in which classes those who apply want to be, by membership. One query."""
    found: dict[UUID, list[str]] = {}
    asked = ClassPlace.objects.filter(membership__state=Membership.State.APPLIED, ended_at=None)
    for membership_id, member_class in asked.order_by("member_class").values_list("membership_id", "member_class"):
        found.setdefault(membership_id, []).append(member_class)
    return found


def id_of(number: str) -> UUID:
    """Return the membership that has a number. One query. Raises NotFound."""
    return _numbered(number).id


def person_of(number: str) -> UUID:
    """Return whose membership has a number. One query. Raises NotFound."""
    return _numbered(number).person_id


def rows(*, now: datetime, at_once: int = 1000) -> Iterator[list[str]]:
    """Give the whole register as rows of a table, the names of its columns first. A query for each thousand."""
    yield list(COLUMNS)
    after: UUID | None = None
    while found := entries(now=now, after=after, limit=at_once):
        for one in found:
            yield [_plain(cell) for cell in _cells(one)]
        after = found[-1].id


def _numbered(number: str) -> Membership:
    digits = number.strip()
    if digits.isascii() and digits.isdigit() and len(digits) <= NUMBER_DIGITS_MOST:
        found = Membership.objects.filter(number=int(digits)).first()
        if found is not None:
            return found
    raise NotFound("no member has that number")


def _entry(row: tuple[Any, ...], today: date) -> Entry:
    number_to_ended, (held, votes_in, until, shares) = row[:9], row[9:]
    names = ("id", "number", "name", "address", "email", "state", "applied_at", "joined_at", "ended_at")
    return Entry(
        **dict(zip(names, number_to_ended, strict=True)),
        classes=tuple(held),
        votes_in=votes_in,
        paid_until=until,
        dues=memberships.dues_at(until, today),
        shares=shares,
    )


def _cells(one: Entry) -> list[str]:
    days = [clock.day(moment).isoformat() if moment else "" for moment in (one.applied_at, one.joined_at, one.ended_at)]
    return [
        str(one.number or ""),
        one.name,
        one.address.replace("\n", ", "),
        one.email,
        one.state,
        *days,
        " ".join(one.classes),
        one.votes_in,
        one.dues,
        one.paid_until.isoformat() if one.paid_until else "",
        str(one.shares),
    ]


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
