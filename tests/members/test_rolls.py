"""Am I on the roll? What its page and the API say to whom, the proof, and what the secretary corrects."""

import json
from datetime import timedelta

import pytest

from members import clock, seals
from members.belonging import memberships
from members.belonging.models import Membership
from members.models import Notice
from members.problems import Invalid, NotAllowed, NotFound
from members.voting import elections, rolls
from members.voting.proposal_models import Proposal
from tests import callers, cast
from tests.callers import Caller
from tests.members import assembly, belonging

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def people():
    """Give six members who may vote."""
    return assembly.members("ada", "bo", "cem", "dora", "emil", "fay")


@pytest.fixture
def proposal(people):
    """Give a proposal whose vote is announced and not open yet."""
    made = assembly.submitted(people[0])
    assembly.sponsor(made, *people[:3])
    assembly.beat()
    return assembly.go_on(made)


def read(client, path, person=None, status=200):
    client.logout()
    if person:
        client.force_login(person)
    answer = client.get(path)
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def number_of(person):
    return str(Membership.objects.get(person=person).number)


def correct(proposal, person, sam, *, to="", why="Two people were mixed up."):
    return rolls.correct(
        proposal_id=proposal.id, number=number_of(person), class_name=to, reason=why, staff_id=sam.id, now=clock.now()
    )


def root_of(proof):
    path = [bytes.fromhex(step) for step in proof["path"]]
    return seals.root_from_proof(
        content=proof["leaf"].encode(), index=proof["index"], count=proof["count"], path=path
    ).hex()


# Oneself.


def test_a_member_sees_their_line_and_its_proof_leads_to_the_published_root(client, people, proposal):
    path = f"/proposals/{proposal.id}/roll"
    shown = read(client, path, people[1])
    assert "You are on it, as a listener." in shown
    assert "1 June 2026" in shown
    assert "1 June 2027" in shown
    assert "You have not voted." in shown
    assert "Am I on the roll?" in read(client, f"/proposals/{proposal.id}", people[1])
    kept = json.loads(read(client, f"{path}/my-proof.json", people[1]))
    mine = Caller(people[1], "listen").get(f"proposals/{proposal.id}/roll/mine").json()
    assert mine["proof"] == kept
    assert (mine["member_class"], mine["voted"], mine["why_not"]) == ("listener", False, [])
    assert (mine["joined_at"][:10], mine["paid_until"]) == ("2026-06-01", "2027-06-01")
    public = Caller(None).get(f"proposals/{proposal.id}/roll").json()
    assert root_of(kept) == kept["root"] == public["root"] == public["notice"]["notice"]["roll"]["root"]
    assert (public["members"], public["corrections"]) == ({"listener": 6}, [])
    leaf = json.loads(kept["leaf"])
    assert (leaf["class"], leaf["election"]) == ("listener", str(proposal.election_id))
    # Another one's leaf is another one.
    assert json.loads(read(client, f"{path}/my-proof.json", people[2]))["leaf"] != kept["leaf"]


def test_who_votes_reads_there_that_they_voted(client, people, proposal):
    assembly.go_on(proposal)
    assembly.vote(proposal, "y.....", people)
    path = f"/proposals/{proposal.id}/roll"
    assert "You voted." in read(client, path, people[0])
    assert "You have not voted." in read(client, path, people[1])
    assembly.go_on(proposal)
    # Counted, and held again for too few: the first vote's lines are asked from what was published of it.
    election = elections.get(proposal.election_id)
    assert rolls.place(election, person_id=people[0].id).voted
    assert root_of(rolls.proof(election, person_id=people[0].id)) == election.roll_root


def test_who_is_not_on_it_reads_why(client, people):
    gina, hank, iris, joan = (cast.person(name) for name in ("gina", "hank", "iris", "joan"))
    belonging.applicant(hank, now=clock.now())
    proposal = assembly.submitted(people[0])
    cast.set_clock(clock.now() + 2 * DAY)
    belonging.pay(belonging.approved(iris, now=clock.now()), now=clock.now())
    memberships.leave(person_id=people[5].id, now=clock.now())
    assembly.sponsor(proposal, *people[:3])
    assembly.beat()
    proposal = assembly.go_on(proposal)
    belonging.pay(belonging.approved(joan, now=clock.now()), now=clock.now())
    expected = {
        gina: "You had not applied to join by then.",
        hank: "You had applied, and had not joined by then.",
        iris: "You joined on 5 August 2026, less than 30 days before.",
        joan: "You had not applied to join by then.",
        people[5]: "Your membership ended on 5 August 2026.",
    }
    path = f"/proposals/{proposal.id}/roll"
    for person, why in expected.items():
        shown = read(client, path, person)
        assert "You are not on it." in shown
        assert why in shown
        said = Caller(person, "listen").get(f"proposals/{proposal.id}/roll/mine").json()
        assert (said["member_class"], said["proof"], said["why_not"][0]) == ("", None, why)
        read(client, f"{path}/my-proof.json", person, status=404)


def test_dues_a_place_and_a_class_that_are_missing_are_named(people):
    now = clock.now()
    belonging.place(people[3], "creator", now=now)
    two_years_on = now + 760 * DAY
    late = rolls._why_not(rolls._Register(Membership.objects.get(person=people[0]), moment=two_years_on), ())
    assert late == ["Your dues were overdue: they were paid until 1 June 2027."]


def test_strangers_see_how_many_and_nobody(client, people, proposal):
    shown = read(client, f"/proposals/{proposal.id}/roll")
    assert "Sign in to see whether you are on it." in shown
    assert proposal.election.roll_root in shown
    assert "None. The roll is as it was announced." in shown
    for person in people[1:]:
        assert person.email not in shown
        assert f">{person.name}<" not in shown
    draft = assembly.drafted(people[1], key="", title="Not yet")
    read(client, f"/proposals/{draft.id}/roll", status=404)
    waiting = assembly.submitted(people[1], key="", title="No vote yet")
    read(client, f"/proposals/{waiting.id}/roll", status=404)
    assert Caller(None).get(f"proposals/{waiting.id}/roll").status_code == 404


def test_the_page_costs_the_same_however_many_were_corrected(client, people, proposal, django_assert_max_num_queries):
    sam = belonging.secretary()
    client.force_login(people[1])
    for one in (None, *people[3:]):
        if one:
            correct(proposal, one, sam)
        with django_assert_max_num_queries(16):
            assert client.get(f"/proposals/{proposal.id}/roll").status_code == 200


# The secretary.


def test_a_correction_is_logged_told_and_proved(client, people, proposal):
    sam, fay = belonging.secretary(), people[5]
    announced = proposal.election.roll_root
    client.force_login(sam)
    assert "Proposal 1: A shorter opening" in client.get("/secretary/rolls").content.decode()
    sent = {"number": number_of(fay), "class": "", "words": "Two people were mixed up."}
    done = client.post(f"/secretary/rolls/{proposal.id}/correct", sent, follow=True)
    assert "Corrected and logged." in done.content.decode()
    again = client.post(f"/secretary/rolls/{proposal.id}/correct", sent)
    assert (again.status_code, "The roll says so already" in again.content.decode()) == (422, True)
    path = f"/proposals/{proposal.id}/roll"
    shown = read(client, path)
    assert "Two people were mixed up." in shown
    assert f">{fay.name}<" not in shown
    assert announced in shown
    assert "You were taken off it on" in read(client, path, fay)
    letter = Notice.objects.get(subject="The roll was corrected: A shorter opening")
    assert letter.person_id == fay.id
    assert "You were on it as a listener. You are not on it any more." in letter.body
    # Put back, the root is the announced one again, and both corrections stay.
    correct(proposal, fay, sam, to="listener", why="It was the other one.")
    found = elections.get(proposal.election_id)
    assert (found.roll_root, found.corrections.count()) == (announced, 2)
    proof = rolls.proof(found, person_id=people[1].id)
    assert root_of(proof) == announced
    chain = [(one["root_before"], one["root_after"]) for one in proof["corrections"]]
    assert (chain[0][0], chain[0][1], chain[1][1]) == (announced, chain[1][0], announced)
    assert sam.name not in json.dumps(Caller(None).get(f"proposals/{proposal.id}/roll").json())


def test_who_corrects_and_for_whom(people, proposal):
    sam, stranger = belonging.secretary(), cast.person("lars", staff=("treasurer", "director"))
    before = callers.digest()
    with pytest.raises(NotAllowed):
        correct(proposal, people[1], stranger)
    with pytest.raises(Invalid, match="hold a place"):
        correct(proposal, people[1], sam, to="creator")
    with pytest.raises(Invalid, match="Say why"):
        correct(proposal, people[1], sam, why=" ")
    with pytest.raises(NotFound):
        rolls.correct(
            proposal_id=proposal.id, number="999", class_name="", reason="?", staff_id=sam.id, now=clock.now()
        )
    people[1].staff_roles.create(role="secretary")
    with pytest.raises(NotAllowed, match="another secretary"):
        correct(proposal, people[1], people[1])
    people[1].staff_roles.all().delete()
    assert callers.digest() == before


def test_a_day_before_it_opens_the_roll_stands_and_the_page_says_so(client, people, proposal):
    sam = belonging.secretary()
    cast.set_clock(proposal.election.opens_at - DAY)
    with pytest.raises(elections.RollFixed):
        correct(proposal, people[1], sam)
    client.force_login(sam)
    assert "No roll can be corrected now" in client.get("/secretary/rolls").content.decode()
    sent = {"number": number_of(people[1]), "class": "", "words": "Late."}
    refused = client.post(f"/secretary/rolls/{proposal.id}/correct", sent)
    assert (refused.status_code, "The roll stands" in refused.content.decode()) == (409, False)
    assert "24 hours before its vote opens" in refused.content.decode()
    assert "nothing moves the roll" in read(client, f"/proposals/{proposal.id}/roll")
    assert Proposal.objects.get(id=proposal.id).election.corrections.count() == 0
