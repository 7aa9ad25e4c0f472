"""Expulsion: the board asks with reasons, the member answers, most of the board decide, a panel hears appeals.

The member is heard for fourteen days before anything can be decided. Who is expelled can appeal for thirty days, to a
panel drawn by lot from members who had no part in it. An expulsion that it lifts never was: the member has their number
and their day of joining again. Where the panel is silent, the expulsion stands.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from members import admission, governance, letters
from members.admission import Staff
from members.belonging import memberships
from members.belonging.memberships import MembershipStands
from members.belonging.models import Expulsion, ExpulsionAppeal, Instrument, Membership, Voice
from members.erasing import erasures
from members.letters import Letter
from members.models import StaffRole
from members.problems import NotAllowed, NotFound
from members.voting import panels
from members.voting.panels import Case, Duty, Hearing, said

Ruling = ExpulsionAppeal.Ruling
HEARD_FOR = timedelta(days=14)
APPEAL_WITHIN = timedelta(days=30)
# So many appeals that are decided are shown to the board and the secretary.
DECIDED_SHOWN = 20


def open_question(*, membership_id: UUID, staff_id: UUID, reasons: str, now: datetime) -> Expulsion:
    """Ask whether a member must go, and tell them why. Raises NotAllowed, NotFound, Invalid, MembershipStands."""
    _check_director(staff_id)
    reasons = said(reasons)
    try:
        with transaction.atomic():
            found = memberships.lock(membership_id)
            if found.state != Membership.State.JOINED:
                raise MembershipStands("Only who belongs can be expelled.")
            if found.person_id == staff_id:
                raise NotAllowed("nobody asks this about themselves; one leaves")
            made = Expulsion.objects.create(membership=found, reasons=reasons, opened_at=now, opened_by_id=staff_id)
            _tell(
                found,
                f"expulsion-asked:{made.id}",
                "The board asks whether you can stay a member",
                [f"The reasons: {reasons}", "You have fourteen days to answer before anything is decided."],
                now=now,
            )
            return made
    except IntegrityError:
        raise MembershipStands("The board asks this about the member already.") from None


def answer(*, person_id: UUID, words: str) -> None:
    """Answer the board's reasons. The latest answer stands. Raises NotFound, Invalid."""
    words = said(words)
    with transaction.atomic():
        found = (
            Expulsion.objects.select_for_update(of=("self",), no_key=True)
            .filter(membership__person_id=person_id, expelled_at=None, dropped_at=None)
            .first()
        )
        if found is None:
            raise NotFound("the board asks nothing about you")
        found.answer = words
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
        _, is_first = Voice.objects.get_or_create(
            expulsion=found, person_id=staff_id, defaults={"says_yes": yes, "given_at": now}
        )
        if not is_first:
            raise MembershipStands("You have said so already.")
        # Who is asked about does not decide, and so is not counted among those of whom most have to agree.
        seated = StaffRole.objects.filter(role="director").exclude(person_id=membership.person_id)
        board = set(seated.values_list("person_id", flat=True))
        voices = list(found.voices.filter(person_id__in=board).values_list("says_yes", flat=True))
        for_it = sum(1 for says_yes in voices if says_yes)
        against = len(voices) - for_it
        if for_it * 2 > len(board):
            _expel(found, membership, now=now)
        elif against * 2 >= len(board):
            found.dropped_at = now
            found.save(update_fields=["dropped_at"])
    return found


# The appeal.


def appeal(*, person_id: UUID, words: str, now: datetime) -> ExpulsionAppeal:
    """Appeal against one's expulsion, once and within thirty days; a panel of three is drawn.

    Raises NotFound, Invalid, MembershipStands.
    """
    text = said(words)
    with transaction.atomic():
        found = (
            Expulsion.objects.select_for_update(of=("self",), no_key=True)
            .filter(membership__person_id=person_id, expelled_at__isnull=False)
            .order_by("-expelled_at")
            .first()
        )
        if found is None:
            raise NotFound("you were not expelled")
        if appeal_until(found, now=now) is None or ExpulsionAppeal.objects.filter(expulsion=found).exists():
            raise MembershipStands("An appeal is made once, within thirty days.")
        filed = ExpulsionAppeal.objects.create(
            expulsion=found,
            person_id=person_id,
            text=text,
            filed_at=now,
            decide_until=panels.deadline(now, rules=governance.in_force(now).params),
        )
        _convene(filed, now=now)
    return filed


def appeal_until(found: Expulsion, *, now: datetime) -> datetime | None:
    """Return until when somebody can appeal; None where nobody was expelled, and once that is over."""
    end = found.expelled_at + APPEAL_WITHIN if found.expelled_at else now
    return end if now < end else None


def rule(*, appeal_id: UUID, person_id: UUID, ruling: str, reasons: str, now: datetime) -> ExpulsionAppeal:
    """Say as one of the panel whether an expulsion stands. Raises as `panels.rule` does, and MembershipStands."""
    with transaction.atomic():
        filed = _appeal(appeal_id)
        membership = memberships.lock(filed.expulsion.membership_id)
        if not panels.rule(filed, person_id=person_id, ruling=ruling, reasons=reasons, now=now):
            return filed
        if ruling == Ruling.LIFTED:
            _restore(membership, now=now)
            words = ["The panel lifted your expulsion. You are a member as before."]
        else:
            words = ["The panel heard your appeal. Your expulsion stands."]
        _tell_of_the_end(filed, membership, words, now=now)
    return filed


def settle(*, now: datetime) -> int:
    """Tell those whose panel was silent that their expulsion stands, and draw the panels that nobody sits on yet."""
    waiting = ExpulsionAppeal.objects.filter(ruling="", lapsed_at=None)
    empty = list(waiting.filter(panel=None, decide_until__gt=now).order_by("filed_at", "id"))
    silent = list(waiting.filter(decide_until__lte=now).order_by("filed_at", "id").values_list("id", flat=True))
    for filed in empty:
        with transaction.atomic():
            _convene(filed, now=now)
    return sum(_lapse(appeal_id, now=now) for appeal_id in silent)


def hearing(*, appeal_id: UUID, person_id: UUID | None, now: datetime) -> Hearing:
    """Return an appeal as its panel and whoever appealed read it. Two queries. Raises NotFound for anybody else."""
    filed = _appeal(appeal_id)
    expulsion = filed.expulsion
    decision = f"{expulsion.reasons}\n\nThe answer then: {expulsion.answer or 'none'}"
    found = panels.hearing(
        filed, title=_title(filed), path=path(filed), decision=decision, person_id=person_id, now=now
    )
    if found.mine is None and filed.person_id != person_id:
        raise NotFound("there is no appeal for you to read")
    return found


def duties_of(person_id: UUID, *, now: datetime) -> list[Duty]:
    """Return the appeals that wait for what somebody says on their panel. One query."""
    appeals = ExpulsionAppeal.objects.select_related("expulsion__membership")
    waiting = panels.unheard(appeals, person_id=person_id, now=now)
    return [Duty(id=one.id, title=_title(one), decide_until=one.decide_until, path=path(one)) for one in waiting]


def path(filed: ExpulsionAppeal) -> str:
    """Return where an appeal is read."""
    return f"/membership/appeals/{filed.id}"


# What others ask.


def asked() -> Sequence[Expulsion]:
    """Return the questions before the board, oldest first. Two queries."""
    return list(
        Expulsion.objects.filter(expelled_at=None, dropped_at=None, membership__state="joined")
        .select_related("membership__person", "opened_by")
        .prefetch_related("voices__person")
        .order_by("opened_at", "id")
    )


def appeals(*, now: datetime) -> Sequence[ExpulsionAppeal]:
    """Return the appeals that a panel looks at, oldest first. One query."""
    waiting = ExpulsionAppeal.objects.filter(ruling="", decide_until__gt=now)
    return list(waiting.select_related("expulsion__membership").order_by("filed_at", "id"))


def decided(*, now: datetime) -> Sequence[ExpulsionAppeal]:
    """Return the latest appeals that are over, with what their panels said, newest first. Two queries."""
    over = ExpulsionAppeal.objects.exclude(ruling="", decide_until__gt=now)
    found = over.select_related("expulsion__membership").prefetch_related("panel")
    return list(found.order_by("-filed_at", "id")[:DECIDED_SHOWN])


def about(person_id: UUID) -> Expulsion | None:
    """Return the latest question about a person that was not dropped, with its appeal. One query."""
    found = Expulsion.objects.filter(membership__person_id=person_id, dropped_at=None).select_related("appeal")
    return found.order_by("-opened_at", "id").first()


def _expel(found: Expulsion, membership: Membership, *, now: datetime) -> None:
    found.expelled_at = now
    found.save(update_fields=["expelled_at"])
    membership.state = Membership.State.EXPELLED
    memberships.end(membership, now=now)
    _tell(
        membership,
        f"expelled:{found.id}",
        "The board has expelled you",
        [f"The reasons: {found.reasons}", "You can appeal within thirty days; three members drawn by lot decide."],
        now=now,
    )


def _convene(filed: ExpulsionAppeal, *, now: datetime) -> None:
    """Draw a panel without who asked the question and who decided it, also where they have left the board since."""
    found = filed.expulsion
    case = Case(
        title=_title(filed),
        sentences=("The board expelled a member, who appeals. The expulsion holds until it is lifted.",),
        silence="the expulsion stands",
        path=path(filed),
    )
    parties = {found.opened_by_id, *found.voices.values_list("person_id", flat=True)}
    panels.convene(filed, seed=f"expulsion {found.id}", but=parties, case=case, now=now)


def _lapse(appeal_id: UUID, *, now: datetime) -> bool:
    with transaction.atomic():
        filed = ExpulsionAppeal.objects.select_for_update(of=("self",)).select_related("expulsion").get(id=appeal_id)
        if filed.ruling or filed.lapsed_at:
            return False
        filed.lapsed_at = now
        filed.save(update_fields=["lapsed_at"])
        words = ["The panel did not come to a decision in its time. Your expulsion stands."]
        _tell_of_the_end(filed, Membership.objects.get(id=filed.expulsion.membership_id), words, now=now)
    return True


def _tell_of_the_end(filed: ExpulsionAppeal, membership: Membership, words: Sequence[str], *, now: datetime) -> None:
    """Tell who appealed, the board and the secretary how an appeal ended."""
    key = f"appeal-decided:{filed.expulsion_id}"
    letter = Letter(subject="Your appeal is decided", paragraphs=words, act="Read the reasons", path=path(filed))
    letters.send(letter, person_id=membership.person_id, key=key, now=now)
    means = {Ruling.LIFTED: "The panel lifted the expulsion.", Ruling.UPHELD: "The panel upheld the expulsion."}
    told = Letter(
        subject=f"The appeal of {membership.legal_name} is decided",
        paragraphs=[means[Ruling(filed.ruling)] if filed.ruling else "The panel was silent. The expulsion stands."],
        act="Read the reasons",
        path="/secretary/expulsions",
    )
    staff = admission.people_in(Staff.DIRECTOR) | admission.people_in(Staff.SECRETARY)
    letters.send_to_people(told, sorted(staff - {membership.person_id}, key=str), topic=f"{filed.id}:ended", now=now)


def _restore(membership: Membership, *, now: datetime) -> None:
    """Undo an expulsion, unless the person has applied anew meanwhile."""
    if Membership.objects.filter(person_id=membership.person_id, state__in=memberships.LIVE).exists():
        raise MembershipStands("The person has applied anew. The secretary looks at that first.")
    carried = Instrument.objects.filter(freed_at=None).values("digest")
    freed = Instrument.objects.filter(membership=membership, freed_at=membership.ended_at)
    freed.exclude(digest__in=carried).update(freed_at=None)
    membership.state, membership.ended_at = Membership.State.JOINED, None
    membership.save(update_fields=["state", "ended_at"])
    if erasures.gone([membership.person_id]):
        # They are on their way out, or forgotten: a member again, they leave as they asked.
        memberships.leave(person_id=membership.person_id, now=now)


def _appeal(appeal_id: UUID) -> ExpulsionAppeal:
    found = ExpulsionAppeal.objects.select_related("expulsion__membership").filter(id=appeal_id).first()
    if found is None:
        raise NotFound("there is no appeal for you to read")
    return found


def _title(filed: ExpulsionAppeal) -> str:
    return f"the expulsion of {filed.expulsion.membership.legal_name}"


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


def _tell(membership: Membership, key: str, subject: str, words: Sequence[str], *, now: datetime) -> None:
    letter = Letter(subject=subject, paragraphs=words, act="Your membership", path="/membership")
    letters.send(letter, person_id=membership.person_id, key=key, now=now)
