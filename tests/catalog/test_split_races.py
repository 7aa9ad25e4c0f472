"""Many answer a split sheet at once, and somebody replaces it meanwhile: there is one truth afterwards."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from django.db import close_old_connections, connection

from catalog import people, publishing, sharing
from catalog.models import CreatorRole, SplitLine, SplitSheet
from catalog.sharing import Payee
from members import clock
from members.models import Notice, Person
from members.problems import Problem
from tests import cast

pytestmark = pytest.mark.usefixtures("committed")
ROUNDS = 6


def all_at_once(*acts: Callable[[], object]) -> list[object]:
    """Do everything at the same moment, each on a connection of its own; a refusal is told by its slug."""
    told: list[object] = ["nothing"] * len(acts)
    start = threading.Barrier(len(acts))

    def one(number: int) -> None:
        close_old_connections()
        try:
            connection.ensure_connection()
            start.wait(timeout=60)
            told[number] = acts[number]()
        except Problem as problem:
            told[number] = problem.slug
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert "nothing" not in told
    return told


def test_all_payees_accept_at_once_each_twice_and_it_comes_into_force_once() -> None:
    ana, payees = cast.person("ana"), [cast.person(f"payee{n}") for n in range(4)]
    for person in (ana, *payees):
        cast.confirm(person)
    song = cast.track(cast.creator(ana), state="draft")
    for number in range(ROUNDS):
        lines = [Payee(email=person.email, share_ppm=250_000, part=f"round {number}") for person in payees]
        sheet = sharing.propose(work_id=song.id, person_id=ana.id, payees=lines, now=clock.now())
        told = all_at_once(*(partial(sharing.accept, sheet_id=sheet.id, person_id=who.id) for who in payees * 2))
        sheet.refresh_from_db()
        assert sheet.in_force_from is not None
        assert {getattr(one, "in_force_from", one) for one in told} <= {None, sheet.in_force_from}
        assert SplitLine.objects.filter(sheet=sheet, accepted_at=None).count() == 0
        assert Notice.objects.filter(key__startswith=f"split:{sheet.id}:in-force:").count() == 4


def accept(sheet: SplitSheet, by: Person) -> str:
    sharing.accept(sheet_id=sheet.id, person_id=by.id)
    return "accepted"


def test_one_accepts_while_another_sheet_takes_its_place() -> None:
    """Either it was accepted first, and the newer one waits beside it; or it was replaced, and nobody accepted it."""
    ana, ben = cast.person("ana"), cast.person("ben")
    for person in (ana, ben):
        cast.confirm(person)
    song = cast.track(cast.creator(ana), state="draft")
    seen: Counter[str] = Counter()
    for number in range(ROUNDS * 2):
        lines = [Payee(email=ana.email, share_ppm=500_000), Payee(email=ben.email, share_ppm=500_000)]
        marked = [Payee(email=one.email, share_ppm=one.share_ppm, part=f"{number}") for one in lines]
        sheet = sharing.propose(work_id=song.id, person_id=ana.id, payees=marked, now=clock.now())
        newer = [Payee(email=one.email, share_ppm=one.share_ppm, part=f"newer {number}") for one in lines]
        accepted, _ = all_at_once(
            lambda sheet=sheet: accept(sheet, ben),
            lambda newer=newer: sharing.propose(work_id=song.id, person_id=ana.id, payees=newer, now=clock.now()),
        )
        sheet.refresh_from_db()
        if accepted == "accepted":
            assert sheet.lines.filter(person=ben).exists()
            assert (sheet.in_force_from is not None, sheet.ended_at) == (True, None)
        else:
            assert accepted == "split-sheet-over"
            assert (sheet.in_force_from, sheet.ending) == (None, "replaced")
            assert not sheet.lines.filter(email=ben.email).exclude(accepted_at=None).exists()
        seen[str(accepted)] += 1
        assert SplitSheet.objects.filter(sharing.WAITING, work=song).count() == 1
    assert sum(seen.values()) == ROUNDS * 2


def test_accepting_and_declining_at_once_have_one_outcome() -> None:
    ana, ben, cleo = (cast.person(name) for name in ("ana", "ben", "cleo"))
    for person in (ana, ben, cleo):
        cast.confirm(person)
    song = cast.track(cast.creator(ana), state="draft")
    for number in range(ROUNDS):
        lines = [Payee(email=who.email, share_ppm=500_000, part=str(number)) for who in (ben, cleo)]
        sheet = sharing.propose(work_id=song.id, person_id=ana.id, payees=lines, now=clock.now())
        sharing.accept(sheet_id=sheet.id, person_id=ben.id)
        all_at_once(
            lambda sheet=sheet: sharing.accept(sheet_id=sheet.id, person_id=cleo.id),
            lambda sheet=sheet: sharing.decline(sheet_id=sheet.id, person_id=cleo.id),
        )
        sheet.refresh_from_db()
        line = sheet.lines.get(email=cleo.email)
        assert (sheet.in_force_from is not None) == (line.accepted_at is not None)
        assert (sheet.ending == "declined") == (line.declined_at is not None)
        assert (sheet.in_force_from is None) == (sheet.ended_at is not None)


def test_two_propose_at_once_and_one_sheet_waits() -> None:
    ana, ed = cast.person("ana"), cast.person("ed")
    song = cast.track(cast.creator(ana, editors=(ed,)), state="draft")

    def propose(who: Person, ppm: int) -> int:
        lines = [Payee(email="x@y.example", share_ppm=ppm), Payee(email="v@w.example", share_ppm=1_000_000 - ppm)]
        return sharing.propose(work_id=song.id, person_id=who.id, payees=lines, now=clock.now()).version

    told = all_at_once(*(lambda n=n: propose((ana, ed)[n % 2], 100_000 + n) for n in range(8)))
    assert sorted(map(str, told)) == [str(n) for n in range(1, 9)]
    assert SplitSheet.objects.filter(sharing.WAITING, work=song).count() == 1


def test_publishing_at_once_founds_one_sheet() -> None:
    ana = cast.person("ana")
    song = cast.track(cast.creator(ana), state="draft")
    all_at_once(
        *(lambda: publishing.publish(work_id=song.id, person_id=ana.id, now=clock.now()).state for _ in range(8))
    )
    assert SplitSheet.objects.filter(work=song).count() == 1


def test_two_owners_leave_at_once_and_one_stays() -> None:
    for _ in range(ROUNDS):
        ana, ben = cast.person("ana"), cast.person("ben")
        band = cast.creator(ana)
        CreatorRole.objects.create(creator=band, person=ben, role="owner")
        told = all_at_once(
            *(
                partial(people.remove, creator_id=band.id, member_id=who.id, person_id=who.id, now=clock.now())
                for who in (ana, ben)
            )
        )
        assert Counter(map(str, told)) == {"None": 1, "last-owner": 1}
        assert band.roles.filter(role="owner").count() == 1
