"""Who is told what of a proposal, step by step, once each: by mail and on the page of one's letters."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from members import clock, notices, policies
from members.models import Notice, Person
from members.voting import contests, discussion, proposals
from members.voting.proposal_models import Contest, Proposal
from tests import cast
from tests.members import assembly

pytestmark = pytest.mark.django_db
NAMES = ("ada", "bo", "cem", "dora", "emil", "fay", "gus", "hana")
ROLL = " ".join(NAMES)
# Ada writes it; Bo and Cem stand behind it, as she does.
PARTIES = "ada bo cem"
TITLE = "A shorter opening"
Journey = Callable[[list[Person]], Proposal]


@pytest.fixture
def people() -> list[Person]:
    """Give eight members who may vote, of whom nobody is anything else."""
    return assembly.members(*NAMES)


def told(people: list[Person]) -> dict[str, str]:
    """Return every letter by its subject, with the names of who got it, having looked that nobody got one twice."""
    names = {person.id: person.name.lower() for person in people}
    got: dict[str, list[str]] = {}
    for one in Notice.objects.filter(subject__contains=TITLE):
        # A vote that is called again is another one: its letters are told apart by what they say.
        got.setdefault(f"{one.subject} / {one.body.count('again')}", []).append(names.get(one.person_id, "somebody"))
    merged: dict[str, str] = {}
    for subject, readers in sorted(got.items()):
        merged[subject] = " ".join(sorted(readers))
    return merged


def counted(people: list[Person], choices: str) -> Proposal:
    """Bring a proposal to the end of its count."""
    proposal = assembly.called(people, title=TITLE)
    assembly.vote(proposal, choices, people)
    assembly.go_on(proposal)
    return proposal


def enacted(people: list[Person]) -> Proposal:
    """Vote figures into force."""
    proposal = counted(people, "yyyyyyyn")
    begins = assembly.go_on(proposal).effective_from
    assert begins is not None
    for moment in (begins - timedelta(hours=20), begins + assembly.MINUTE):
        cast.set_clock(moment)
        assembly.beat()
    return proposal


def outrun(people: list[Person]) -> Proposal:
    """Vote figures that cannot come to hold, for another version comes between."""
    proposal = counted(people, "yyyyyyyn")
    begins = assembly.go_on(proposal).effective_from
    assert begins is not None
    cast.vote("opening", after=timedelta(hours=2), seconds=50)
    cast.set_clock(begins - timedelta(hours=20))
    assembly.beat()
    return proposal


def stale(people: list[Person]) -> Proposal:
    """Let another version come before a proposal is frozen."""
    proposal = sponsored(people)
    cast.vote("opening", after=timedelta(hours=2), seconds=50)
    assembly.go_on(proposal)
    return proposal


def sponsored(people: list[Person]) -> Proposal:
    """Bring a proposal to its deliberation."""
    proposal = assembly.submitted(people[0], title=TITLE)
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    return proposal


def lapsed(people: list[Person]) -> Proposal:
    """Let too few stand behind a proposal."""
    proposal = assembly.submitted(people[0], title=TITLE)
    assembly.sponsor(proposal, people[1])
    assembly.go_on(proposal)
    return proposal


def retracted(people: list[Person]) -> Proposal:
    """Take a proposal back while it is deliberated."""
    proposal = sponsored(people)
    proposals.retract(proposal_id=proposal.id, author_id=people[0].id, now=clock.now())
    return proposal


def defeated(people: list[Person]) -> Proposal:
    """Vote a proposal down."""
    proposal = counted(people, "nnnnnnny")
    assembly.go_on(proposal)
    return proposal


def inquorate(people: list[Person]) -> Proposal:
    """Stay away, twice."""
    proposal = counted(people, "........")
    assembly.go_on(proposal)
    assembly.go_on(proposal)
    return proposal


def voided(people: list[Person]) -> Proposal:
    """Let a panel void a vote, and the one that is held instead."""
    proposal = counted(people, "yyyyyyyn")
    for _ in range(2):
        filed = contests.file(
            proposal_id=proposal.id, person_id=people[7].id, grounds="I was not told.", now=clock.now()
        )
        for person_id in list(filed.panel.values_list("person_id", flat=True))[:2]:
            said = {"ruling": Contest.Ruling.VOIDED, "reasons": "So it was.", "now": clock.now()}
            contests.rule(appeal_id=filed.id, person_id=person_id, **said)
        if assembly.go_on(proposal).state == Proposal.State.VOIDED:
            break
        assembly.go_on(proposal)
        assembly.vote(proposal, "yyyyyyyn", people)
        assembly.go_on(proposal)
    return proposal


def advised(people: list[Person]) -> Proposal:
    """Ask the board for something, in words."""
    people[6].staff_roles.create(role="director")
    proposal = assembly.called(people, key="", title=TITLE)
    assembly.vote(proposal, "yyyyyyyn", people)
    assembly.go_on(proposal)
    assembly.go_on(proposal)
    return proposal


CALLED = {
    f"It is deliberated: {TITLE} / 0": PARTIES,
    f"A vote begins on 25 August 2026: {TITLE} / 0": ROLL,
    f"The vote is open: {TITLE} / 0": ROLL,
}
PASSED = {**CALLED, f"{TITLE}: it passed / 0": ROLL}
QUEUED = {**PASSED, f"It holds from 1 October 2026: {TITLE} / 0": PARTIES}
TWICE = " ".join(sorted(f"{ROLL} {ROLL}".split()))
TABLE: list[tuple[Journey, str, dict[str, str]]] = [
    (lapsed, "lapsed", {f"It lapsed: {TITLE} / 0": "ada bo"}),
    (retracted, "retracted", {f"It is deliberated: {TITLE} / 0": PARTIES, f"It was taken back: {TITLE} / 0": "bo cem"}),
    (stale, "failed", {f"It is deliberated: {TITLE} / 0": PARTIES, f"It cannot hold: {TITLE} / 0": PARTIES}),
    (enacted, "enacted", {**QUEUED, f"It holds now: {TITLE} / 0": ROLL}),
    (outrun, "failed", {**QUEUED, f"It cannot hold: {TITLE} / 0": ROLL}),
    (
        defeated,
        "defeated",
        {**CALLED, f"{TITLE}: it did not pass / 0": ROLL, f"It was voted down: {TITLE} / 0": PARTIES},
    ),
    (
        inquorate,
        "inquorate",
        {
            **CALLED,
            # Called once more, two weeks later, and open once more; told each time that too few came.
            f"A vote begins on 16 September 2026: {TITLE} / 0": ROLL,
            f"The vote is open: {TITLE} / 0": TWICE,
            f"{TITLE}: it could not be decided / 0": TWICE,
            f"Too few voted: {TITLE} / 0": PARTIES,
        },
    ),
    (advised, "enacted", {**PASSED, f"It is decided: {TITLE} / 0": ROLL}),
]


@pytest.mark.parametrize(("journey", "state", "expected"), TABLE, ids=[one[0].__name__ for one in TABLE])
def test_each_step_is_told_once_to_whom_it_concerns(
    people: list[Person], journey: Journey, state: str, expected: dict[str, str]
) -> None:
    proposal = journey(people)
    assert assembly.seen(proposal).state == state
    assert told(people) == expected
    # Beat comes by again and again, and nobody hears of it twice.
    for _ in range(2):
        assembly.beat()
    assert told(people) == expected


def test_who_was_erased_is_not_written_to(people: list[Person]) -> None:
    Person.objects.filter(id=people[1].id).update(is_active=False)
    lapsed(people)
    assert told(people) == {f"It lapsed: {TITLE} / 0": "ada"}


def test_a_vote_that_a_panel_voids_twice_is_told_to_everybody_on_its_roll(people: list[Person]) -> None:
    proposal = voided(people)
    assert assembly.seen(proposal).state == "voided"
    found = told(people)
    again = next(one for one in found if one.startswith("A vote begins") and not one.endswith("/ 0"))
    assert found[again] == ROLL
    assert found[f"The vote is void: {TITLE} / 0"] == ROLL
    assert Notice.objects.filter(subject=f"The vote is contested: {TITLE}", person=people[0]).count() == 2


def test_what_holds_is_told_with_the_place_where_it_is_read(people: list[Person]) -> None:
    enacted(people)
    letter = Notice.objects.get(subject=f"It holds now: {TITLE}", person=people[5])
    assert "The first 30 seconds of a track, at most half of it, are free." in letter.body
    assert "/policies/opening#v2\n" in letter.body
    policies.forget()
    client = Client()
    client.force_login(people[5])
    page = client.get("/account/letters").content.decode()
    assert page.count(f"It holds now: {TITLE}") == 1
    assert page.count(f"The vote is open: {TITLE}") == 1
    assert '<a href="/policies/opening#v2">Read what holds, and what held before</a>' in page
    # Newest first; and Fay, who neither wrote it nor stood behind it, reads nothing of those who did.
    assert page.index("It holds now") < page.index("it passed") < page.index("A vote begins on")
    assert "It is deliberated" not in page
    client.force_login(cast.person("lars"))
    assert "Nothing yet." in client.get("/account/letters").content.decode()


def test_an_amendment_is_told_to_the_author_its_answer_to_who_wrote_it_and_sponsors_are_asked_again(
    people: list[Person],
) -> None:
    proposal = sponsored(people)
    words = {"title": "A middling opening", "reasons": "Half way."}
    for writer, seconds in ((people[3], 35), (people[4], 40)):
        discussion.amend(
            proposal_id=proposal.id, person_id=writer.id, params={"seconds": seconds}, now=clock.now(), **words
        )
    suggested = Notice.objects.filter(subject=f"A change is suggested: {TITLE}")
    assert [(one.person_id, "Dora" in one.body) for one in suggested.order_by("key")] == [
        (people[0].id, True),
        (people[0].id, False),
    ]
    discussion.decline(proposal_id=proposal.id, number=3, author_id=people[0].id, now=clock.now())
    discussion.accept(proposal_id=proposal.id, number=2, author_id=people[0].id, now=clock.now())
    subjects = {"Your change was declined": people[4], "Your change was accepted": people[3]}
    for subject, reader in subjects.items():
        assert Notice.objects.get(subject=f"{subject}: A middling opening").person_id == reader.id
    asked = Notice.objects.filter(subject="Do you stand behind it still? A middling opening")
    assert {one.person_id for one in asked} == {one.id for one in people[:3]}
    # Other words alone ask nobody again.
    assembly.sponsor(proposal, people[1])
    discussion.amend(
        proposal_id=proposal.id,
        person_id=people[0].id,
        title="A middling opening",
        reasons="So be it.",
        params={"seconds": 35},
        now=clock.now(),
    )
    assert asked.count() == 3


def test_a_letter_is_mailed_once_and_by_one_name_if_a_worker_dies_after_sending(people: list[Person]) -> None:
    lapsed(people)
    assert notices.send_waiting(now=clock.now()) >= 2
    about = [one for one in mail.outbox if TITLE in one.subject]
    assert sorted(one.to[0] for one in about) == sorted(one.email for one in people[:2])
    assert notices.send_waiting(now=clock.now()) == 0
    # The worker had died before it could write down that the mail went: a mailbox keeps one of the two.
    Notice.objects.filter(subject__contains=TITLE).update(sent_at=None, attempts=0)
    notices.send_waiting(now=clock.now())
    again = [one for one in mail.outbox if TITLE in one.subject][2:]
    names = [{one.to[0]: one.message()["Message-ID"] for one in some} for some in (about, again)]
    assert names[0] == names[1]
    assert len(set(names[0].values())) == 2


def test_ones_letters_cost_the_same_however_many_there_are(
    people: list[Person], client: Client, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for number in range(45):
        notices.write(
            person_id=people[0].id, key=f"one {number}", subject=f"Letter {number}", body="Said.", now=clock.now()
        )
    client.force_login(people[0])
    client.get("/account/letters")
    with django_assert_max_num_queries(7):
        page = client.get("/account/letters?page=2").content.decode()
    assert page.count("letters__one") == 20
    assert ("Newer ones" in page, "Earlier ones" in page) == (True, True)
