"""The list of erasures: after a backup was restored, whoever it does not know as erased is erased again from it."""

from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from members import clock
from members.belonging.models import Membership
from members.erasing import erasures, lists
from members.erasing.models import Erasure
from members.models import Person
from members.problems import Invalid
from tests import callers, cast
from tests.members import belonging
from tests.members.test_erasures import WEEK, go, plain, post, state_of

pytestmark = pytest.mark.django_db


def erase(path) -> str:
    said = StringIO()
    call_command("erase", "--from", str(path), stdout=said)
    return said.getvalue().strip()


@pytest.fixture
def lena():
    """Give a member who signs in with a name, an address and a token."""
    made = plain()
    belonging.pay(belonging.approved(made, now=clock.now()), now=clock.now())
    return made


def lost(tmp_path, *happens):
    """Let things happen after a backup, save the list, and restore the backup: nothing of it is known any more."""
    path = tmp_path / "erasures.csv"
    with transaction.atomic():
        for one in happens:
            one()
        client = Client()
        client.force_login(belonging.secretary("sue"))
        path.write_bytes(b"".join(client.get("/secretary/erasures.csv").streaming_content))
        transaction.set_rollback(True)
    return path


def test_whoever_was_erased_since_the_backup_is_erased_again_and_their_code_still_claims(lena, tmp_path):
    client, codes = Client(), []

    def leave():
        _, code = erasures.ask(person_id=lena.id, now=clock.now())
        codes.append(code)
        cast.set_clock(clock.now() + WEEK)
        for _ in range(3):
            erasures.advance(now=clock.now())
            post()
        assert state_of(lena) == "erased"

    path = lost(tmp_path, leave)
    cast.set_clock(clock.now() + 2 * WEEK)
    mail.outbox.clear()
    # The backup knows her, and her sign-in works.
    lena.refresh_from_db()
    assert (lena.name, Erasure.objects.count()) == ("Lena", 0)
    client.force_login(lena)
    assert client.get("/account").status_code == 200
    listed = path.read_text()
    assert (lena.email in listed, "Lena" in listed, str(lena.id) in listed, codes[0] in listed) == (
        False,
        False,
        True,
        False,
    )
    assert erase(path) == "1 begun again, 0 known here already, 0 of people who are not here."
    assert client.get("/account").status_code == 302
    assert erase(path) == "0 begun again, 1 known here already, 0 of people who are not here."
    for _ in range(3):
        erasures.advance(now=clock.now())
        post()
    lena.refresh_from_db()
    assert (state_of(lena), lena.name, lena.email) == (
        "erased",
        "Somebody who left",
        f"erased-{lena.id}@erased.invalid",
    )
    assert erasures.of_code(codes[0]) == lena.id
    assert any("A backup of our records was restored" in one.body for one in mail.outbox)
    # The register says when she left, and not when the backup was restored.
    assert Membership.objects.get(person=lena).ended_at == Erasure.objects.get(person=lena).ends_at
    assert erase(path).startswith("0 begun again, 1 known")


def test_who_had_only_asked_asks_again_and_who_stayed_stays(lena, tmp_path):
    ida = cast.person("ida")

    def ask():
        erasures.ask(person_id=lena.id, now=clock.now())
        erasures.ask(person_id=ida.id, now=clock.now())
        erasures.take_back(person_id=ida.id, now=clock.now())

    path = lost(tmp_path, ask)
    assert path.read_bytes() == b"person,asked_at,ends_at,erased_at,code_sha256\r\n"
    assert erase(path).startswith("0 begun again, 0 known")
    # One who asked before the backup goes on her way, with the code that she was told last.
    erasures.ask(person_id=lena.id, now=clock.now())
    told = []

    def draw_and_go():
        told.append(erasures.draw_code(person_id=lena.id))
        cast.set_clock(clock.now() + WEEK)
        for _ in range(3):
            erasures.advance(now=clock.now())
            post()

    path = lost(tmp_path, draw_and_go)
    assert (erase(path)[:13], state_of(lena)) == ("1 begun again", "settling")
    assert Erasure.objects.get(person=lena).code_sha256 == erasures.digest(told[0])


def test_nobody_with_a_role_and_nobody_unknown_goes(lena, tmp_path):
    """Who joined after the backup is not there; who had a role when it was made hands it over first."""
    path = lost(tmp_path, lambda: go(lena), lambda: go(cast.person("nia")))
    lena.staff_roles.create(role="treasurer")
    with pytest.raises(CommandError, match=str(lena.id)):
        erase(path)
    assert (Erasure.objects.count(), Person.objects.get(id=lena.id).is_active) == (0, True)
    lena.staff_roles.all().delete()
    assert erase(path) == "1 begun again, 0 known here already, 1 of people who are not here."


@pytest.mark.parametrize(
    "listed",
    [
        "",
        "person,name\r\n",
        "{head}\r\nlena,2026-10-01T12:00+00:00,2026-10-08T12:00+00:00,,\r\n",
        "{head}\r\n{id},2026-10-08T12:00+00:00,2026-10-01T12:00+00:00,,\r\n",
        "{head}\r\n{id},2026-10-01T12:00+00:00,2026-10-08T12:00+00:00,,5e5e\r\n",
        "{head}\r\n{id},2026-10-01T12:00+00:00,2026-10-08T12:00,,\r\n",
        "{head}\r\n{id},2026-10-01T12:00+00:00\r\n",
        "{head}\r\n{id},2026-10-01T12:00+00:00,2026-10-08T12:00+00:00,,\r\nx\r\n",
    ],
)
def test_what_is_no_list_does_nothing(lena, listed, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text(listed.format(head=",".join(lists.COLUMNS), id=lena.id))
    before = callers.digest()
    with pytest.raises(CommandError):
        erase(path)
    with pytest.raises(Invalid):
        lists.read(path.read_text().splitlines())
    assert callers.digest() == before
