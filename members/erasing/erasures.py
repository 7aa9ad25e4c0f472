"""Erasures: somebody asks to be forgotten, has a week to think again, and goes when their money has gone before them.

Asked, settling, erased; beat moves it on. While it settles nobody signs in any more: credit is cashed out, royalties
are paid, shares come back. Then everything that says who they were is taken away. The person's row stays, empty, under
its number: books and rolls name numbers, and a number that leads to nobody tells nothing. Every app that keeps
something of people registers a keeper when it starts; what waits, and what is to be forgotten, only they know.
"""

import hmac
import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from members import admission, letters, seals
from members.belonging import memberships
from members.belonging.memberships import NotAMember
from members.erasing import traces
from members.erasing.models import Erasure
from members.erasing.traces import Traces
from members.letters import Letter
from members.models import Person, StaffRole, Token
from members.problems import NotAllowed, NotFound, Problem

# How long it can be taken back: whoever got hold of a sign-in must not be able to end a library in a minute.
CAN_BE_TAKEN_BACK = timedelta(days=7)
# So long afterwards one still looks whether something came back: the longest vote, the slowest bank are over by then.
TENDED = timedelta(days=90)
# Without letters and figures that are taken for one another: 32 of them, five bits each, a hundred bits in all.
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ023456789"
CODE_LETTERS, CODE_GROUP = 20, 5


class ErasureRuns(Problem):
    """The person has asked already, or is gone."""

    slug, status, title = "erasure-runs", 409, "This erasure is under way"


class NoErasure(Problem):
    """Nothing runs that could be taken back or go on."""

    slug, status, title = "no-erasure", 409, "There is no erasure to change"


class HasDuties(Problem):
    """Somebody who looks after the co-op hands that over first."""

    slug, status, title = "has-duties", 409, "You look after the co-op"


class Keeper(Protocol):
    """Whoever keeps something of people."""

    def settle(self, traces: Traces, *, now: datetime) -> list[str]:
        """Do what must be done before somebody can be forgotten; return in words what still waits. Safe to repeat."""

    def forget(self, traces: Traces, *, now: datetime) -> None:
        """Take away what says who it was, inside the transaction that forgets them everywhere."""


_keepers: list[Keeper] = []


def register_keeper(keeper: Keeper) -> None:
    """Make known an app that keeps something of people. Called by it when it starts."""
    _keepers.append(keeper)


def ask(*, person_id: UUID, now: datetime) -> tuple[Erasure, str]:
    """Ask to be erased; return the erasure, and the claim code, which is told this once.

    Raises ErasureRuns, HasDuties.
    """
    code = _new_code()
    return _begin(person_id, begun_by=None, code=code, now=now), code


def begin(*, email: str, staff_id: UUID, now: datetime) -> Erasure:
    """Begin the erasure of somebody who asked for it elsewhere, by a letter for instance. They are told by mail.

    No code is told to the staff: whoever signs in within the week draws theirs. Raises NotAllowed, NotFound,
    ErasureRuns, HasDuties.
    """
    memberships.check_secretary(staff_id)
    person_id = admission.person_of(email)
    if person_id is None:
        raise NotFound("nobody signs in with this address")
    if person_id == staff_id:
        raise NotAllowed("nobody begins their own erasure as secretary; your account's page does")
    return _begin(person_id, begun_by=staff_id, code="", now=now)


def draw_code(*, person_id: UUID) -> str:
    """Draw a new claim code, which ends the one before, and return it.

    Raises NoErasure for who did not ask, or asked more than a week ago.
    """
    code = _new_code()
    with transaction.atomic():
        found = _asked(person_id)
        found.code_sha256 = digest(code)
        found.save(update_fields=["code_sha256"])
    return code


def take_back(*, person_id: UUID, now: datetime) -> None:
    """Stay after all. Raises NoErasure for who did not ask, or asked more than a week ago."""
    with transaction.atomic():
        found = _asked(person_id)
        found.state, found.code_sha256 = Erasure.State.TAKEN_BACK, ""
        found.save(update_fields=["state", "code_sha256"])
        _tell(found, "taken-back", "You stay", "Your erasure is taken back. Nothing was removed.", now=now)


def of_person(person_id: UUID) -> Erasure | None:
    """Return the erasure that runs for a person, or None. One query."""
    return Erasure.objects.filter(person_id=person_id, state__in=Erasure.LIVE).first()


def all_of_them() -> QuerySet[Erasure]:
    """Return every erasure that was not taken back, those that run first, the newest first among each."""
    rows = Erasure.objects.exclude(state=Erasure.State.TAKEN_BACK).select_related("person")
    return rows.order_by("erased_at", "-asked_at", "id")


def gone(person_ids: Collection[UUID]) -> frozenset[UUID]:
    """Return who of these is on their way out or erased. One query."""
    states = (Erasure.State.SETTLING, Erasure.State.ERASED)
    rows = Erasure.objects.filter(person_id__in=person_ids, state__in=states)
    return frozenset(rows.values_list("person_id", flat=True))


def erased() -> dict[UUID, datetime]:
    """Return everybody who was erased, and when. One query."""
    rows = Erasure.objects.filter(state=Erasure.State.ERASED).values_list("person_id", "erased_at")
    return {person_id: erased_at for person_id, erased_at in rows if erased_at is not None}


def of_code(code: str) -> UUID | None:
    """Return the erased person to whom a claim code was told, or None. One query, whether there is one or not."""
    told = digest(code)
    found = Erasure.objects.filter(code_sha256=told, state=Erasure.State.ERASED).first()
    # The index compares digests, of which nobody chooses a letter; this compares them once more in constant time.
    return found.person_id if hmac.compare_digest(found.code_sha256 if found else "-" * 64, told) and found else None


def digest(code: str) -> str:
    """Return what is kept of a claim code: a hundred bits of chance need no salt and no slow hash."""
    said = code.upper().replace("O", "0")
    return seals.sha256("".join(letter for letter in said if letter in LETTERS).encode())


def advance(*, now: datetime) -> int:
    """Move every erasure on whose time has come, and return how many moved. Safe to run twice."""
    moved = 0
    for erasure_id in list(
        Erasure.objects.filter(state=Erasure.State.ASKED, ends_at__lte=now)
        .order_by("ends_at", "id")
        .values_list("id", flat=True)
    ):
        moved += _close_the_door(erasure_id, now=now)
    for erasure_id in list(
        Erasure.objects.filter(state=Erasure.State.SETTLING).order_by("ends_at", "id").values_list("id", flat=True)
    ):
        moved += _go_on(erasure_id, now=now)
    _tend(now=now)
    return moved


def shut(erasure: Erasure, *, words: str, left_at: datetime, now: datetime) -> None:
    """End every way to sign in and the membership, and tell them. Inside a transaction that has the erasure alone."""
    erasure.state = Erasure.State.SETTLING
    erasure.save(update_fields=["state"])
    Person.objects.filter(id=erasure.person_id).update(is_active=False)
    Token.objects.filter(person_id=erasure.person_id).delete()
    with suppress(NotAMember):
        memberships.leave(person_id=erasure.person_id, now=left_at)
    _tell(erasure, "settling", "You are leaving now", words, now=now)


def _begin(person_id: UUID, *, begun_by: UUID | None, code: str, now: datetime) -> Erasure:
    if StaffRole.objects.filter(person_id=person_id).exists():
        raise HasDuties("Whoever has a role for the co-op hands it over first. Nothing was begun.")
    try:
        with transaction.atomic():
            made = Erasure.objects.create(
                person_id=person_id,
                asked_at=now,
                begun_by_id=begun_by,
                ends_at=now + CAN_BE_TAKEN_BACK,
                code_sha256=digest(code) if code else "",
            )
            _tell(
                made,
                "asked",
                "You will be erased in a week",
                "Until then you can take it back, take home what you own, and draw your claim code: with it you are"
                " paid what is still owed to you afterwards. After that nobody can sign in as you.",
                now=now,
            )
    except IntegrityError:
        raise ErasureRuns("This was asked for before. The page says how far it has come.") from None
    return made


def _asked(person_id: UUID) -> Erasure:
    found = Erasure.objects.select_for_update().filter(person_id=person_id, state=Erasure.State.ASKED).first()
    if found is None:
        raise NoErasure("Nothing was asked for that could still be changed.")
    return found


def _close_the_door(erasure_id: UUID, *, now: datetime) -> bool:
    """End every way to sign in, and say in a last letter what follows."""
    with transaction.atomic():
        found = _locked(erasure_id, Erasure.State.ASKED)
        if found is None:
            return False
        shut(
            found,
            words="Nobody signs in as you any more. Your credit goes back to how you paid, what you earned goes to your"
            " account if you named one. When that is done everything that names you is removed. This is the last"
            " letter that is not about your money.",
            left_at=now,
            now=now,
        )
    return True


def _go_on(erasure_id: UUID, *, now: datetime) -> bool:
    """Settle what is left; forget the person where nothing is."""
    with transaction.atomic():
        found = _locked(erasure_id, Erasure.State.SETTLING)
        if found is None:
            return False
        left = traces.of(found.person_id)
        waits = _settle(left, now=now)
        if waits != found.waits_for:
            found.waits_for = waits
            found.save(update_fields=["waits_for"])
        if waits:
            return False
        _take_the_time()
        for keeper in reversed(_keepers):
            keeper.forget(left, now=now)
        found.state, found.erased_at, found.waits_for = Erasure.State.ERASED, now, []
        found.save(update_fields=["state", "erased_at", "waits_for"])
    return True


def _settle(left: Traces, *, now: datetime) -> list[str]:
    # What the lower apps write, letters for instance, they find written when they are asked last.
    return [words for keeper in reversed(_keepers) for words in keeper.settle(left, now=now)]


def _tend(*, now: datetime) -> None:
    """Settle what came late for somebody just erased: a refund that bounced, a vote that closed meanwhile."""
    late = Erasure.objects.filter(state=Erasure.State.ERASED, erased_at__gt=now - TENDED)
    for person_id in list(late.order_by("erased_at", "id").values_list("person_id", flat=True)):
        with transaction.atomic():
            _settle(traces.of(person_id), now=now)


def _take_the_time() -> None:
    """Let this transaction look through everything that was ever written to people, however long that takes."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL transaction_timeout = 0")


def _locked(erasure_id: UUID, state: Erasure.State) -> Erasure | None:
    rows = Erasure.objects.select_for_update(skip_locked=True)
    return rows.filter(id=erasure_id, state=state).first()


def _new_code() -> str:
    drawn = "".join(secrets.choice(LETTERS) for _ in range(CODE_LETTERS))
    return "-".join(drawn[at : at + CODE_GROUP] for at in range(0, CODE_LETTERS, CODE_GROUP))


def _tell(erasure: Erasure, topic: str, subject: str, words: str, *, now: datetime) -> None:
    letters.send(
        Letter(subject=subject, paragraphs=[words], act="Your account", path="/account/leaving"),
        person_id=erasure.person_id,
        key=f"erasure-{topic}:{erasure.id}",
        now=now,
    )
