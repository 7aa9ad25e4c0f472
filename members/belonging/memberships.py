"""Memberships: applying, the secretary's word, joining with the first dues, leaving. And how somebody stands.

Nobody is made a member by paying, and nobody by a word alone: the secretary approves, then the first dues make the
member. So nothing has to be given back to whoever was refused. What one person holds is changed with their membership's
row locked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from members import admission, clock, letters, locks
from members.admission import Staff
from members.belonging import classes
from members.belonging.models import (
    ClassPlace,
    DuesPayment,
    Instrument,
    Membership,
    VotingChoice,
)
from members.letters import Letter
from members.problems import Invalid, NotAllowed, NotFound, Problem

# How long one has belonged, and voted in a class, before it counts for a vote.
COUNTS_AFTER = timedelta(days=30)
# Dues that are this late at most are not overdue yet.
GRACE = timedelta(days=30)
NAME_MOST, ADDRESS_MOST, WORDS_MOST = 120, 400, 1000
# PostgreSQL keeps every letter but this one.
NUL = "\0"
NUMBERS_LOCK = 1_919_247_975
LIVE = (Membership.State.APPLIED, Membership.State.APPROVED, Membership.State.JOINED)


class AlreadyMember(Problem):
    """The person belongs already, or has applied."""

    slug, status, title = "already-a-member", 409, "You have a membership"


class NotAMember(Problem):
    """This is for members, and the person is none (yet)."""

    slug, status, title = "not-a-member", 403, "This is for members"


class MembershipStands(Problem):
    """The membership, or what hangs on it, is not as it was when it was looked at."""

    slug, status, title = "membership-stands", 409, "This is not as it was"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in a class. `since` is None until it is held; `approved` says whether the secretary agreed."""

    id: UUID
    member_class: str
    asked_at: datetime
    approved: bool
    since: datetime | None
    met_by: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a person stands. `voting_class` is the one chosen last, which counts from `counts_from` on.

    `paid_until` is the first day that no dues cover; `overdue_from` the first on which they are overdue.
    """

    id: UUID
    person_id: UUID
    state: str
    number: int | None
    legal_name: str
    postal_address: str
    applied_at: datetime
    joined_at: datetime | None
    ended_at: datetime | None
    words: str
    places: tuple[Place, ...]
    voting_class: str
    counts_from: datetime | None
    votes_until_then: str
    paid_until: date | None
    overdue_from: date | None
    dues: str

    @property
    def is_good(self) -> bool:
        """Return whether the person belongs and owes no dues."""
        return self.state == Membership.State.JOINED and self.dues != "overdue"

    def holds(self, member_class: str) -> bool:
        """Return whether a place in the class is held."""
        return any(place.member_class == member_class and place.since for place in self.places)


def apply_for(
    *,
    person_id: UUID,
    legal_name: str,
    postal_address: str,
    member_classes: Collection[str],
    voting_class: str,
    now: datetime,
) -> Membership:
    """Ask to belong, in some classes, and vote in one of them. Raises Invalid and AlreadyMember."""
    name, address = " ".join(legal_name.split()), "\n".join(line.strip() for line in postal_address.split("\n")).strip()
    if not 1 <= len(name) <= NAME_MOST or not 1 <= len(address) <= ADDRESS_MOST or NUL in name + address:
        raise Invalid("The register needs your full name and your postal address.")
    asked = sorted({classes.check_known(one) for one in member_classes})
    if voting_class not in asked:
        raise Invalid("You vote in one of the classes that you ask for.")
    try:
        with transaction.atomic():
            made = Membership.objects.create(
                person_id=person_id, legal_name=name, postal_address=address, applied_at=now
            )
            ClassPlace.objects.bulk_create(ClassPlace(membership=made, member_class=one, asked_at=now) for one in asked)
            VotingChoice.objects.create(membership=made, seq=1, member_class=voting_class, chosen_at=now)
    except IntegrityError:
        raise AlreadyMember("You belong to the co-op already, or your application is being looked at.") from None
    return made


def approve(*, membership_id: UUID, staff_id: UUID, now: datetime) -> Membership:
    """Let an applicant in, with all the classes asked for. They join with their first dues.

    Raises NotAllowed for all but another secretary, NotFound, MembershipStands.
    """
    check_secretary(staff_id)
    with transaction.atomic():
        found = _waiting(membership_id, staff_id)
        found.state, found.decided_at, found.decided_by_id = Membership.State.APPROVED, now, staff_id
        found.save(update_fields=["state", "decided_at", "decided_by_id"])
        ClassPlace.objects.filter(membership=found, approved_at=None, ended_at=None).update(
            approved_at=now, approved_by_id=staff_id
        )
        settle(found, now=now)
        if found.state == Membership.State.APPROVED:
            _tell(
                found,
                "approved",
                "Your application is approved",
                "The secretary approved your application. With your first dues you are a member.",
                now=now,
            )
    return found


def refuse(*, membership_id: UUID, staff_id: UUID, words: str, now: datetime) -> None:
    """Refuse an application and say why. Raises as `approve`, and Invalid without words."""
    check_secretary(staff_id)
    said = said_why(words)
    with transaction.atomic():
        found = _waiting(membership_id, staff_id)
        found.state, found.decided_at, found.decided_by_id = Membership.State.REFUSED, now, staff_id
        found.words, found.ended_at = said, now
        found.save(update_fields=["state", "decided_at", "decided_by_id", "words", "ended_at"])
        ClassPlace.objects.filter(membership=found, ended_at=None).update(ended_at=now)
        _tell(found, "refused", "Your application was refused", f"The secretary refused it: {said}", now=now)


def leave(*, person_id: UUID, now: datetime) -> Membership:
    """End one's own membership at once, or take back an application. Raises NotAMember.

    Shares are paid back by the treasurers. What was paid as dues stays paid; the register keeps name and days.
    """
    with transaction.atomic():
        found = lock_of(person_id)
        joined = found.state == Membership.State.JOINED
        found.state = Membership.State.LEFT if joined else Membership.State.WITHDRAWN
        end(found, now=now)
        if joined:
            _tell(found, "left", "You left the co-op", "Your membership has ended, as you asked.", now=now)
    return found


def end(membership: Membership, *, now: datetime) -> None:
    """Keep a locked membership whose state has just become one that is over, and let go what it held."""
    membership.ended_at = now
    membership.save(update_fields=["state", "ended_at"])
    Instrument.objects.filter(membership=membership, freed_at=None).update(freed_at=now)


def settle(membership: Membership, *, now: datetime) -> None:
    """Let a locked membership become what its conditions now allow: a member, with places in classes.

    Called whenever something changed that a condition speaks of. Done again, it changes nothing.
    """
    if membership.state == Membership.State.APPROVED and DuesPayment.objects.filter(membership=membership).exists():
        locks.wait_for(NUMBERS_LOCK)
        highest: int = Membership.objects.aggregate(highest=Max("number"))["highest"] or 0
        membership.state, membership.joined_at, membership.number = Membership.State.JOINED, now, highest + 1
        membership.save(update_fields=["state", "joined_at", "number"])
        _tell(
            membership,
            "joined",
            f"You are member number {membership.number}",
            "Your dues are paid and you belong to the co-op. From thirty days on you are on the roll of votes.",
            now=now,
        )
    if membership.state != Membership.State.JOINED:
        return
    for place in ClassPlace.objects.filter(
        membership=membership, approved_at__isnull=False, since=None, ended_at=None
    ).order_by("member_class"):
        if words := classes.met_by(place, membership, now=now):
            place.since, place.met_by = now, words
            place.save(update_fields=["since", "met_by"])


def settle_waiting(*, now: datetime) -> int:
    """Look again at everybody whose place waits for its condition, and return how many there were. For a daily beat."""
    waiting = (
        ClassPlace.objects.filter(
            approved_at__isnull=False, since=None, ended_at=None, membership__state=Membership.State.JOINED
        )
        .order_by("membership_id")
        .values_list("membership_id", flat=True)
        .distinct()
    )
    found = list(waiting)
    for membership_id in found:
        with transaction.atomic():
            settle(lock(membership_id), now=now)
    return len(found)


def lock(membership_id: UUID) -> Membership:
    """Lock and return a membership, inside a transaction. Raises NotFound."""
    found = Membership.objects.select_for_update(no_key=True).filter(id=membership_id).first()
    if found is None:
        raise NotFound("there is no such membership")
    return found


def lock_of(person_id: UUID) -> Membership:
    """Lock and return the membership that somebody has, or has applied for. Raises NotAMember."""
    found = Membership.objects.select_for_update(no_key=True).filter(person_id=person_id, state__in=LIVE).first()
    if found is None:
        raise NotAMember("You are not a member of the co-op.")
    return found


def lock_member(person_id: UUID) -> Membership:
    """Lock and return the membership of somebody who has joined. Raises NotAMember."""
    found = lock_of(person_id)
    if found.state != Membership.State.JOINED:
        raise NotAMember("You have applied; you are a member with the secretary’s word and your first dues.")
    return found


def is_member(person_id: UUID) -> bool:
    """Return whether the person belongs now. One query."""
    return Membership.objects.filter(person_id=person_id, state=Membership.State.JOINED).exists()


def count() -> int:
    """Return how many belong now. One query."""
    return Membership.objects.filter(state=Membership.State.JOINED).count()


def standing(person_id: UUID, *, now: datetime) -> Standing | None:
    """Return how somebody stands, by their latest membership; None for who never applied. Four queries."""
    found = Membership.objects.filter(person_id=person_id).order_by("-applied_at", "id").first()
    return standing_of(found, now=now) if found else None


def standing_of(membership: Membership, *, now: datetime) -> Standing:
    """Return how the person of a membership stands. Three queries."""
    places = ClassPlace.objects.filter(membership=membership, ended_at=None).order_by("member_class")
    choices = list(VotingChoice.objects.filter(membership=membership).order_by("-seq"))
    latest = choices[0]
    waits = latest.chosen_at + COUNTS_AFTER > now
    before = next((one.member_class for one in choices[1:] if one.chosen_at + COUNTS_AFTER <= now), "")
    until = DuesPayment.objects.filter(membership=membership).aggregate(until=Max("covers_until"))["until"]
    return Standing(
        id=membership.id,
        person_id=membership.person_id,
        state=membership.state,
        number=membership.number,
        legal_name=membership.legal_name,
        postal_address=membership.postal_address,
        applied_at=membership.applied_at,
        joined_at=membership.joined_at,
        ended_at=membership.ended_at,
        words=membership.words,
        places=tuple(
            Place(
                id=one.id,
                member_class=one.member_class,
                asked_at=one.asked_at,
                approved=one.approved_at is not None,
                since=one.since,
                met_by=one.met_by,
            )
            for one in places
        ),
        voting_class=latest.member_class,
        counts_from=latest.chosen_at + COUNTS_AFTER if waits else None,
        votes_until_then=before if waits else "",
        paid_until=until,
        overdue_from=until + GRACE if until else None,
        dues=dues_at(until, clock.day(now)),
    )


def dues_at(covered_until: date | None, day: date) -> str:
    """Say how dues that cover until a day stand on another: paid, in grace or overdue; none if there never were any."""
    if covered_until is None:
        return "none"
    if day < covered_until:
        return "paid"
    return "grace" if day < covered_until + GRACE else "overdue"


def check_secretary(staff_id: UUID) -> None:
    """Raise NotAllowed unless the person is a secretary."""
    if not admission.has_role(person_id=staff_id, roles=(Staff.SECRETARY,)):
        raise NotAllowed("this is for the secretary")


def said_why(words: str) -> str:
    """Return reasons in one line. Raises Invalid for none, or too many."""
    said = " ".join(words.split())
    if not 1 <= len(said) <= WORDS_MOST or NUL in said:
        raise Invalid(f"Say why, in at most {WORDS_MOST} letters.")
    return said


def _waiting(membership_id: UUID, staff_id: UUID) -> Membership:
    found = lock(membership_id)
    if found.state != Membership.State.APPLIED:
        raise MembershipStands("This application was decided or taken back since you looked.")
    if found.person_id == staff_id:
        raise NotAllowed("nobody decides about their own application")
    return found


def _tell(membership: Membership, topic: str, subject: str, words: str, *, now: datetime) -> None:
    letters.send(
        Letter(subject=subject, paragraphs=[words], act="Your membership", path="/membership"),
        person_id=membership.person_id,
        key=f"membership-{topic}:{membership.id}",
        now=now,
    )
