"""The pages of proposals, as a member goes through them: written, sponsored, voted on, counted and found again."""

import json

import pytest

from members import clock
from members.models import Notice
from members.voting import proposals, urns
from members.voting.proposal_models import Proposal
from tests import cast
from tests.members import assembly

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """Give six members who may vote."""
    return assembly.members("ada", "bo", "cem", "dora", "emil", "fay")


def read(client, path, person=None):
    """Return what a page says to a person, or to a stranger."""
    client.logout()
    if person:
        client.force_login(person)
    answer = client.get(path)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def post(client, path, person, **fields):
    """Send a form as a person and return the page it leads to."""
    client.force_login(person)
    return client.post(path, fields, follow=True)


def test_a_member_writes_a_proposal_and_puts_it_before_the_members(client, people):
    ada = people[0]
    assert "What is heard free" in read(client, "/proposals/new", ada)
    assert "From 20 to 60." in read(client, "/proposals/new?policy=opening", ada)
    wrong = post(client, "/proposals/new?policy=opening", ada, title="Shorter", reasons="Why not.", seconds="19")
    assert (wrong.status_code, "From 20 to 60." in wrong.content.decode()) == (400, True)
    assert not Proposal.objects.exists()
    page = post(client, "/proposals/new?policy=opening", ada, title="Shorter", reasons="Why not.", seconds="30")
    draft = Proposal.objects.get()
    assert page.redirect_chain[-1][0] == f"/proposals/{draft.id}"
    assert "<del>45</del><ins>30</ins>" in page.content.decode()
    client.force_login(people[1])
    assert client.get(f"/proposals/{draft.id}").status_code == 404
    page = post(client, f"/proposals/{draft.id}/submit", ada)
    assert "0 of 3 stand behind it" in page.content.decode()
    # Who writes about the same finds out before, and not when it is to be put before the members.
    assert "Another proposal about this is under way" in read(client, "/proposals/new?policy=opening", people[1])
    assert "Another proposal" not in read(client, "/proposals/new?policy=pricing", people[1])
    for person in people[:3]:
        page = post(client, f"/proposals/{draft.id}/sponsor", person)
    assert "3 of 3 stand behind it" in page.content.decode()
    page = post(client, f"/proposals/{draft.id}/remark", people[3], text="Half a minute is a chorus.")
    assert "Half a minute is a chorus." in page.content.decode()
    assembly.beat()
    page = post(
        client, f"/proposals/{draft.id}/edit", people[3], title="Shorter", reasons="A little longer.", seconds="35"
    )
    assert "Version 2 by Dora: suggested" in page.content.decode()
    page = post(client, f"/proposals/{draft.id}/amendments/2", ada)
    assert "<del>45</del><ins>35</ins>" in page.content.decode()
    assert "0 of 3 stand behind it" in page.content.decode()


def test_a_draft_is_thrown_away_and_leaves_nothing_to_read(client, people):
    draft = assembly.drafted(people[0])
    page, told = f"/proposals/{draft.id}", Notice.objects.count()
    assert "Throw the draft away" in read(client, page, people[0])
    assert post(client, f"{page}/retract", people[1]).status_code == 404
    said = post(client, f"{page}/retract", people[0])
    assert said.redirect_chain[-1][0] == "/proposals"
    assert f"The draft “{draft.title}” is thrown away." in said.content.decode()
    assert f'href="{page}"' not in said.content.decode()
    assert "Throw the draft away" not in read(client, page, people[0])
    assert Notice.objects.count() == told
    client.force_login(people[1])
    assert client.get(page).status_code == 404


def test_who_is_no_member_reads_and_is_told_how_to_join(client, people):
    proposal = assembly.submitted(people[0])
    page = read(client, "/coop")
    assert "A shorter opening" in page
    assert "How to join" in page
    assert "Stand behind it" not in read(client, f"/proposals/{proposal.id}")
    assert "A shorter opening" in read(client, "/proposals")


def test_a_member_votes_and_finds_the_ballot_when_it_is_counted(client, people):
    proposal = assembly.called(people)
    page = read(client, f"/proposals/{proposal.id}", people[0])
    assert "You vote as a listener." in page
    assert "0 of 6 on the roll have voted." in page
    body = json.dumps({"choice": "yes", "nonce": "5e" * 16})
    sent = client.post(f"/api/v1/proposals/{proposal.id}/ballot", body, content_type="application/json")
    tracker = sent.json()["receipt"]["tracker"]
    again = client.post(f"/api/v1/proposals/{proposal.id}/ballot", body, content_type="application/json")
    assert (sent.status_code, again.json()) == (200, sent.json())
    other = json.dumps({"choice": "no", "nonce": "5e" * 16})
    refused = client.post(f"/api/v1/proposals/{proposal.id}/ballot", other, content_type="application/json")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/already-voted")
    assert "You have voted" in read(client, f"/proposals/{proposal.id}", people[0])
    assembly.vote(proposal, ".yyyn.", people)
    early = client.get(f"/api/v1/proposals/{proposal.id}").json()
    assert (early["turnout"], early["verdict"]) == ({"members": 6, "voted": 5}, None)
    assert client.get(f"/api/v1/proposals/{proposal.id}/bundle.zip").status_code == 404
    assert client.post(f"/proposals/{proposal.id}/urn", {"tracker": tracker}).status_code == 409
    assembly.go_on(proposal)
    # Whoever keeps addresses with who asked for them, a proxy's log for instance, must not learn whose ballot it is.
    asked = client.get(f"/proposals/{proposal.id}/urn", {"tracker": tracker})
    assert (asked.status_code, asked.headers["Location"]) == (302, f"/proposals/{proposal.id}")
    page = client.post(f"/proposals/{proposal.id}/urn", {"tracker": tracker}).content.decode()
    assert "It passed" in page
    assert "listener, <b>yes</b>" in page
    assert "5 ≥ 5: yes." in page
    other = client.post(f"/proposals/{proposal.id}/urn", {"tracker": "0" * 64})
    assert "No ballot has this tracker." in other.content.decode()
    bundle = client.get(f"/api/v1/proposals/{proposal.id}/bundle.zip")
    assert b"".join(bundle.streaming_content)[:2] == b"PK"
    assert client.get(f"/api/v1/proposals/{proposal.id}").json()["verdict"] == "passed"


def test_a_panel_rules_from_its_page(client):
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay", "gus", "hana", "ivo", "june")
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyyyyyy", people)
    assembly.go_on(proposal)
    page = post(client, f"/proposals/{proposal.id}/contest", people[9], grounds="I was not told.")
    assert "I was not told." in page.content.decode()
    seat = proposal.contests.get()
    judges = [people[[one.id for one in people].index(each.person_id)] for each in seat.panel.all()]
    assert "You sit on the panel" in read(client, f"/proposals/{proposal.id}", judges[0])
    path = f"/proposals/{proposal.id}/contests/{seat.id}"
    assert "Your ruling" in read(client, path, judges[0])
    assert "Your ruling" not in read(client, path, people[9])
    assert post(client, path, judges[0], ruling="voided", reasons=" ").status_code == 400
    for judge in judges[:2]:
        page = post(client, path, judge, ruling="upheld", reasons="Everybody was told.")
    assert "The panel has decided: The vote stands." in page.content.decode()
    assert Notice.objects.filter(subject="You were drawn to decide about a vote: A shorter opening").count() == 3
    told = Notice.objects.filter(subject="The panel has decided: A shorter opening")
    assert {one.person_id for one in told} == {people[0].id, people[9].id, *(one.id for one in judges)}
    # Everybody reads the reasons, and the panel alone whose they are.
    shown, inside = read(client, path), read(client, path, judges[2])
    assert shown.count("Everybody was told.") == inside.count("Everybody was told.") == 2
    assert shown.count("One of the panel,") == 2
    assert all(f"<li>{judge.name}" in inside for judge in judges)
    assert "<li>" + judges[0].name not in shown
    assert client.get(f"/proposals/{proposal.id}/contests/{proposal.id}").status_code == 404
    assert post(client, path, judges[2], ruling="voided", reasons="No.").status_code == 409


def test_advice_is_not_said_to_come_into_force(client, people):
    for key, end, not_end in (("opening", "In force", "The board answers"), ("", "The board answers", "In force")):
        draft = assembly.drafted(people[0], key=key)
        shown = read(client, f"/proposals/{draft.id}", people[0])
        assert (end in shown, not_end in shown, "Waits for its day" in shown) == (True, False, bool(key))


def test_when_the_days_to_contest_are_over_the_pages_say_that_a_panel_still_sits(client):
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay", "gus", "hana", "ivo", "june")
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyyyyyy", people)
    page = f"/proposals/{assembly.go_on(proposal).id}"
    assert "Contest it" in read(client, page, people[0])
    assert "A member may still contest how it was held." in read(client, "/coop")
    post(client, f"{page}/contest", people[9], grounds="I was not told.")
    assert assembly.go_on(proposal).state == Proposal.State.CONTEST
    assert "The panel decides until" in read(client, page, people[0])
    assert "Contest it" not in read(client, page, people[0])
    assert "It passed. A panel hears who contests it." in read(client, "/coop")
    cast.set_clock(proposal.contests.get().decide_until + assembly.MINUTE)
    assembly.beat()
    assert "The panel did not rule" in read(client, page)


def test_lists_cost_the_same_however_long_they_are(client, people, django_assert_max_num_queries):
    assembly.submitted(people[0])
    for key, figures in (("payouts", {"least_cents": 500, "yearly_least_cents": 200}), ("", {})):
        assembly.submitted(people[1], key=key, **figures)
    for path in ("/proposals", "/api/v1/proposals"):
        client.get(path)
        with django_assert_max_num_queries(4):
            assert client.get(path).status_code == 200


def test_early_results_are_nowhere(client, people):
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyy..", people)
    with pytest.raises(urns.NotClosed):
        urns.result(assembly.seen(proposal).election_id)
    for path in (f"/proposals/{proposal.id}", "/coop", "/proposals", f"/api/v1/proposals/{proposal.id}"):
        assert "weighted yes" not in read(client, path, people[0])
    assert proposals.get(proposal.id, person_id=None).why == ""
    assert clock.now() < assembly.seen(proposal).ends_at
