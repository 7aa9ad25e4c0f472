"""Roles of staff: given and taken at the shell, and the board has three to seven."""

import io

import pytest
from django.core.management import CommandError, call_command

from members import admission, clock
from members.admission import BoardSize, Staff
from members.voting import proposals
from tests import cast
from tests.members import assembly

pytestmark = pytest.mark.django_db


def staff(*words):
    out = io.StringIO()
    call_command("staff", *words, stdout=out)
    return out.getvalue().splitlines()


def test_the_board_has_seven_at_most_and_keeps_three():
    people = [cast.person(f"dora{number}") for number in range(8)]
    for one in people[:7]:
        admission.give_role(person_id=one.id, role=Staff.DIRECTOR)
    with pytest.raises(BoardSize, match="7 directors at most"):
        admission.give_role(person_id=people[7].id, role=Staff.DIRECTOR)
    # Given again it is the same.
    admission.give_role(person_id=people[0].id, role=Staff.DIRECTOR)
    assert len(admission.people_in(Staff.DIRECTOR)) == 7
    for one in people[:4]:
        admission.take_role(person_id=one.id, role=Staff.DIRECTOR)
    with pytest.raises(BoardSize, match="3 directors at least"):
        admission.take_role(person_id=people[4].id, role=Staff.DIRECTOR)
    assert admission.people_in(Staff.DIRECTOR) == {one.id for one in people[4:7]}


def test_the_command_says_who_does_what():
    lena = cast.person("lena")
    assert staff("give", "treasurer", lena.email.upper()) == [
        "director: nobody", "treasurer: Lena", "secretary: nobody", "catalogue: nobody",
    ]  # fmt: skip
    assert staff("take", "treasurer", lena.email)[1] == "treasurer: nobody"
    for words in (("give", "treasurer", "nobody@cast.example"), ("take", "treasurer", lena.email), ("give",)):
        with pytest.raises(CommandError):
            staff(*words)


def test_two_directors_are_no_board_that_sponsors():
    people = assembly.members("ada", "bo", "cem", "dora")
    for one in people[:2]:
        one.staff_roles.create(role="director")
    proposal = assembly.submitted(people[2])
    assembly.sponsor(proposal, *people[:2])
    assert not proposals.is_sponsored(proposal, now=clock.now())
    people[3].staff_roles.create(role="director")
    assert proposals.is_sponsored(proposal, now=clock.now())
