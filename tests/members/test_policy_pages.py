"""The pages of policies: what holds, what is to come and what was, for everybody, with the vote behind each."""

from datetime import timedelta

import pytest

from members import clock, policies
from tests import cast
from tests.members import assembly

pytestmark = pytest.mark.django_db


def words(page):
    """Return a page with each run of spaces and lines as one space."""
    return " ".join(page.split())


def main_of(page):
    """Return what a page says itself, without head and foot."""
    return page.partition("<main")[2].partition("</main>")[0]


def test_everybody_reads_what_holds_today(client):
    page = client.get("/policies").content.decode()
    assert "What a play costs" in page
    assert "How the co-op decides" in page
    assert page.count("founding.") == len(policies.names())


def test_a_version_to_come_stands_beside_the_one_that_holds(client):
    begins = cast.vote("opening", after=timedelta(days=40), seconds=30)
    page = words(client.get("/policies").content.decode())
    assert f"Version 2 from {begins.astimezone(clock.zone()):%-d %B %Y}" in page
    page = client.get("/policies/opening").content.decode()
    assert page.index('badge--dash">to come') < page.index("holds now")
    assert '<span class="diff__was">45 before</span><b>30</b>' in page
    cast.set_clock(begins + timedelta(seconds=1))
    assert 'badge--dash">to come' not in client.get("/policies/opening").content.decode()


def test_what_was_voted_stands_there_before_it_is_a_version(client):
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    proposal = assembly.called(people)
    page = client.get("/policies/opening").content.decode()
    assert f'Something else is proposed: <a href="/proposals/{proposal.id}">A shorter opening</a>' in page
    assembly.vote(proposal, "yyyyyy", people)
    assembly.go_on(proposal)
    assembly.go_on(proposal)
    page = client.get("/policies/opening").content.decode()
    assert "From 1 October 2026, 00:00" in page
    assert '<span class="diff__was">45 before</span><b>30</b>' in page
    assert f'By <a href="/proposals/{proposal.id}">proposal {proposal.number}, “A shorter opening”</a>' in page
    assert "It gets its number a day before it begins." in words(page)
    assert 'id="v2"' not in page
    cast.set_clock(assembly.seen(proposal).effective_from - timedelta(hours=20))
    assembly.beat()
    page = client.get("/policies/opening").content.decode()
    assert 'id="v2"' in page
    assert 'id="voted"' not in page
    assert f'Voted: <a href="/proposals/{proposal.id}">proposal {proposal.number}, “A shorter opening”</a>.' in page
    cast.set_clock(assembly.seen(proposal).effective_from + assembly.MINUTE)
    assembly.beat()
    page = client.get("/policies/opening").content.decode()
    # As it is, with the vote behind it, and as it was: founded, by no vote.
    assert page.index("holds now") < page.index("Voted: ") < page.index("The co-op was founded with it")
    assert page.count("Voted: ") == 1
    assert "without a vote" not in page


def test_what_was_voted_and_cannot_come_to_hold_says_so(client):
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    proposal = assembly.called(people)
    assembly.vote(proposal, "yyyyyy", people)
    assembly.go_on(proposal)
    queued = assembly.go_on(proposal)
    between = cast.vote("opening", after=timedelta(hours=2), seconds=50)
    page = words(client.get("/policies/opening").content.decode())
    assert 'It was to follow version 1, and <a href="/policies/opening#v2">opening 2</a> came between' in page
    assert "Recorded by hand, without a vote." in page
    assert between < queued.effective_from
    cast.set_clock(queued.effective_from - timedelta(hours=20))
    assembly.beat()
    failed = assembly.seen(proposal)
    assert (failed.state, failed.made_seq) == ("failed", None)
    page = words(client.get("/policies/opening").content.decode())
    assert 'id="voted"' not in page
    assert 'id="v3"' not in page
    assert page.index("Asked, without effect") < page.index(f"Proposal {proposal.number}, failed.")
    assert "version 2 came between" in page
    assert "version 2 came between" in client.get(f"/proposals/{proposal.id}").content.decode()


def test_a_refusal_for_another_version_leads_to_it(client):
    ada, *_ = assembly.members("ada", "bo")
    draft = assembly.drafted(ada)
    cast.vote("opening", after=timedelta(hours=2), seconds=50)
    client.force_login(ada)
    refused = client.post(f"/proposals/{draft.id}/submit")
    assert refused.status_code == 422
    assert 'by <a href="/policies/opening#v2">opening 2</a>' in words(refused.content.decode())


def test_what_was_voted_down_stands_with_what_was_asked_and_advice_with_no_policy(client):
    people = assembly.members("ada", "bo", "cem", "dora", "emil", "fay")
    proposal = assembly.called(people)
    assembly.vote(proposal, "nnnnny", people)
    assembly.go_on(proposal)
    assembly.go_on(proposal)
    advice = assembly.submitted(people[1], key="", title="A summer party")
    page = words(client.get("/policies/opening").content.decode())
    assert f"Proposal {proposal.number}, defeated. It was voted down." in page
    assert 'id="v2"' not in page
    for path in ("/policies", *(f"/policies/{key}" for key in policies.names())):
        assert "A summer party" not in client.get(path).content.decode()
    assert "/policies/" not in main_of(client.get(f"/proposals/{advice.id}").content.decode())


def test_a_policy_that_nobody_obeys_is_not_there(client):
    assert client.get("/policies/weather").status_code == 404


def test_reading_them_costs_the_same_however_many_versions_there_are(client, django_assert_max_num_queries):
    for seconds in range(20, 40):
        cast.vote("opening", after=timedelta(days=seconds), seconds=seconds)
    client.get("/policies")
    with django_assert_max_num_queries(4):
        client.get("/policies/opening")
