"""Expulsion: the board asks with reasons, the member answers, most of the board decide, a panel hears appeals.

The member is heard for fourteen days before anything can be decided. Who is expelled can appeal for thirty days; the
secretary seats a panel of three members who are not of the board, and two of them decide. An expulsion that they lift
never was: the member has their number and their day of joining again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from members import admission, letters
from members.admission import Staff
from members.belonging import memberships
from members.belonging.memberships import MembershipStands
from members.belonging.models import Expulsion, Instrument, Membership, Voice
from members.letters import Letter
from members.models import StaffRole
from members.problems import Invalid, NotAllowed, NotFound

HEARD_FOR = timedelta(days=14)
APPEAL_WITHIN = timedelta(days=30)
PANEL = 3
TEXT_MOST = 4000


def open_question(*, membership_id: UUID, staff_id: UUID, reasons: str, now: datetime) -> Expulsion:
    """Ask whether a member must go, and tell them why. Raises NotAllowed, NotFound, Invalid, MembershipStands."""
    _check_director(staff_id)
    said = _text(reasons)
    try:
        with transaction.atomic():
            found = memberships.lock(membership_id)
            if found.state != Membership.State.JOINED:
                raise MembershipStands("Only who belongs can be expelled.")
            if found.person_id == staff_id:
                raise NotAllowed("nobody asks this about themselves; one leaves")
            made = Expulsion.objects.create(membership=found, reasons=said, opened_at=now, opened_by_id=staff_id)
            _tell(
                found,
                f"expulsion-asked:{made.id}",
                "The board asks whether you can stay a member",
                [f"The reasons: {said}", "You have fourteen days to answer before anything is decided."],
                now=now,
            )
            return made
    except IntegrityError:
        raise MembershipStands("The board asks this about the member already.") from None


def answer(*, person_id: UUID, words: str) -> None:
    """Answer the board's reasons. The latest answer stands. Raises NotFound, Invalid."""
    said = _text(words)
    with transaction.atomic():
        found = (
            Expulsion.objects.select_for_update(of=("self",), no_key=True)
            .filter(membership__person_id=person_id, expelled_at=None, dropped_at=None)
            .first()
        )
        if found is None:
            raise NotFound("the board asks nothing about you")
        found.answer = said
        found.save(update_fields=["answer"])


def say(*, expulsion_id: UUID, staff_id: UUID, yes: bool, now: datetime) -> Expulsion:
    """Give a director's voice. More than half of the board for it expel; as soon as that cannot be, it is dropped.

    Raises NotAllowed, NotFound, and MembershipStands within the fourteen days, twice, and when it is decided.
    """
    _check_director(staff_id)
    with transaction.atomic():
        found, membership = _locked(expulsion_id)
        if found.expelled_at or found.dropped_at or membership.state != Membership.State.JOINED:
            raise MembershipStands("This is decided, or the member has left.")
        if membership.person_id == staff_id:
            raise NotAllowed("nobody decides about themselves")
        if now < found.opened_at + HEARD_FOR:
            raise MembershipStands(f"The member is heard until {found.opened_at + HEARD_FOR:%-d %B %Y}.")
        _give(found, staff_id, yes=yes, on_appeal=False, now=now)
        # Who is asked about does not decide, and so is not counted among those of whom most have to agree.
        seated = StaffRole.objects.filter(role="director").exclude(person_id=membership.person_id)
        board = set(seated.values_list("person_id", flat=True))
        said = dict(found.voices.filter(on_appeal=False, person_id__in=board).values_list("person_id", "says_yes"))
        for_it = sum(1 for yes in said.values() if yes)
        against = len(said) - for_it
        if for_it * 2 > len(board):
            _expel(found, membership, now=now)
        elif against * 2 >= len(board):
            found.dropped_at = now
            found.save(update_fields=["dropped_at"])
    return found


def appeal(*, person_id: UUID, words: str, now: datetime) -> Expulsion:
    """Appeal against one's expulsion within thirty days. Raises NotFound, Invalid, MembershipStands."""
    said = _text(words)
    with transaction.atomic():
        found = (
            Expulsion.objects.select_for_update(of=("self",), no_key=True)
            .filter(membership__person_id=person_id, expelled_at__isnull=False)
            .order_by("-expelled_at")
            .first()
        )
        if found is None:
            raise NotFound("you were not expelled")
        assert found.expelled_at is not None
        if found.appealed_at or now >= found.expelled_at + APPEAL_WITHIN:
            raise MembershipStands("An appeal is made once, within thirty days.")
        found.appeal, found.appealed_at = said, now
        found.save(update_fields=["appeal", "appealed_at"])
    return found


def seat(*, expulsion_id: UUID, staff_id: UUID, person_ids: Sequence[UUID]) -> None:
    """Seat the panel of an appeal: three members, none of the board, not the one concerned. Once.

    Raises NotAllowed for all but a secretary, NotFound, Invalid, MembershipStands.
    """
    memberships.check_secretary(staff_id)
    with transaction.atomic():
        found, membership = _locked(expulsion_id)
        if found.appealed_at is None or found.voices.filter(on_appeal=True).exists():
            raise MembershipStands("There is no appeal that waits for its panel.")
        chosen = set(person_ids)
        if len(chosen) != PANEL or membership.person_id in chosen:
            raise Invalid("A panel has three members, and not the one it is about.")
        if any(
            not memberships.is_member(one) or admission.has_role(person_id=one, roles=(Staff.DIRECTOR,))
            for one in chosen
        ):
            raise Invalid("A panel has three members, none of the board.")
        Voice.objects.bulk_create(
            Voice(expulsion=found, person_id=one, on_appeal=True) for one in sorted(chosen, key=str)
        )


def decide_appeal(*, expulsion_id: UUID, person_id: UUID, uphold: bool, now: datetime) -> Expulsion:
    """Give a voice in the panel. Two of three decide. Raises NotFound for who has no seat, MembershipStands."""
    with transaction.atomic():
        found, membership = _locked(expulsion_id)
        if not found.voices.filter(on_appeal=True, person_id=person_id).exists():
            raise NotFound("you are not on this panel")
        if found.lifted_at or found.upheld_at:
            raise MembershipStands("The panel has decided.")
        _give(found, person_id, yes=uphold, on_appeal=True, now=now)
        said = list(found.voices.filter(on_appeal=True, says_yes__isnull=False).values_list("says_yes", flat=True))
        upheld = sum(1 for yes in said if yes)
        if upheld * 2 > PANEL:
            found.upheld_at = now
            found.save(update_fields=["upheld_at"])
            words = ["The panel heard your appeal. Your expulsion stands."]
            _tell(membership, f"appeal-decided:{found.id}", "Your appeal is decided", words, now=now)
        elif (len(said) - upheld) * 2 > PANEL:
            _lift(found, membership, now=now)
    return found


def asked() -> Sequence[Expulsion]:
    """Return the questions before the board, oldest first. Two queries."""
    return _listed(expelled_at=None, dropped_at=None, membership__state="joined")


def appeals() -> Sequence[Expulsion]:
    """Return the appeals that are not decided, oldest first. Two queries."""
    return _listed(appealed_at__isnull=False, lifted_at=None, upheld_at=None)


def about(person_id: UUID) -> Expulsion | None:
    """Return the latest question about a person that was not dropped, whatever came of it. One query."""
    return (
        Expulsion.objects.filter(membership__person_id=person_id, dropped_at=None).order_by("-opened_at", "id").first()
    )


def seats_of(person_id: UUID) -> Sequence[Expulsion]:
    """Return the appeals in whose panel somebody sits and has not spoken yet. One query."""
    return list(
        Expulsion.objects.filter(
            voices__person_id=person_id, voices__on_appeal=True, voices__says_yes=None, lifted_at=None, upheld_at=None
        )
        .select_related("membership")
        .order_by("appealed_at", "id")
    )


def _listed(**wanted: object) -> Sequence[Expulsion]:
    return list(
        Expulsion.objects.filter(**wanted)
        .select_related("membership__person", "opened_by")
        .prefetch_related("voices__person")
        .order_by("opened_at", "id")
    )


def _expel(found: Expulsion, membership: Membership, *, now: datetime) -> None:
    found.expelled_at = now
    found.save(update_fields=["expelled_at"])
    membership.state = Membership.State.EXPELLED
    memberships.end(membership, now=now)
    _tell(
        membership,
        f"expelled:{found.id}",
        "The board has expelled you",
        [f"The reasons: {found.reasons}", "You can appeal within thirty days; three members decide."],
        now=now,
    )


def _lift(found: Expulsion, membership: Membership, *, now: datetime) -> None:
    """Undo an expulsion, unless the person has applied anew meanwhile."""
    found.lifted_at = now
    found.save(update_fields=["lifted_at"])
    if Membership.objects.filter(person_id=membership.person_id, state__in=memberships.LIVE).exists():
        raise MembershipStands("The person has applied anew. The secretary looks at that first.")
    carried = Instrument.objects.filter(freed_at=None).values("digest")
    freed = Instrument.objects.filter(membership=membership, freed_at=membership.ended_at)
    freed.exclude(digest__in=carried).update(freed_at=None)
    membership.state, membership.ended_at = Membership.State.JOINED, None
    membership.save(update_fields=["state", "ended_at"])
    words = ["The panel lifted your expulsion. You are a member as before."]
    _tell(membership, f"appeal-decided:{found.id}", "Your appeal is decided", words, now=now)


def _give(found: Expulsion, person_id: UUID, *, yes: bool, on_appeal: bool, now: datetime) -> None:
    voice, made = Voice.objects.get_or_create(
        expulsion=found,
        person_id=person_id,
        on_appeal=on_appeal,
        defaults={"says_yes": yes, "given_at": now},
    )
    if made:
        return
    if voice.says_yes is not None:
        raise MembershipStands("You have said so already.")
    voice.says_yes, voice.given_at = yes, now
    voice.save(update_fields=["says_yes", "given_at"])


def _locked(expulsion_id: UUID) -> tuple[Expulsion, Membership]:
    found = Expulsion.objects.filter(id=expulsion_id).first()
    if found is None:
        raise NotFound("there is no such question")
    membership = memberships.lock(found.membership_id)
    found.refresh_from_db()
    return found, membership


def _check_director(staff_id: UUID) -> None:
    if not admission.has_role(person_id=staff_id, roles=(Staff.DIRECTOR,)):
        raise NotAllowed("this is for the board")


def _text(words: str) -> str:
    said = words.strip()
    if not 1 <= len(said) <= TEXT_MOST or memberships.NUL in said:
        raise Invalid(f"Write at most {TEXT_MOST} letters, and not none.")
    return said


def _tell(membership: Membership, key: str, subject: str, words: Sequence[str], *, now: datetime) -> None:
    letter = Letter(subject=subject, paragraphs=words, act="Your membership", path="/membership")
    letters.send(letter, person_id=membership.person_id, key=key, now=now)
