"""The pages of policies: what holds, what is to come and what was, for everybody, with the vote behind each."""

from datetime import timedelta

import pytest

from members import clock, policies
from tests import cast
from tests.members import assembly

pytestmark = pytest.mark.django_db


def test_everybody_reads_what_holds_today(client):
    page = client.get("/policies").content.decode()
    assert "What a play costs" in page
    assert "How the co-op decides" in page
    assert page.count("founding.") == len(policies.names())


def test_a_version_to_come_stands_beside_the_one_that_holds(client):
    begins = cast.vote("opening", after=timedelta(days=40), seconds=30)
    page = " ".join(client.get("/policies").content.decode().split())
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
    assert f'<a href="/proposals/{proposal.id}">The vote that makes it</a>' in page
    assert 'id="v2"' not in page
    cast.set_clock(assembly.seen(proposal).effective_from - timedelta(hours=20))
    assembly.beat()
    page = client.get("/policies/opening").content.decode()
    assert 'id="v2"' in page
    assert 'id="voted"' not in page


def test_a_policy_that_nobody_obeys_is_not_there(client):
    assert client.get("/policies/weather").status_code == 404


def test_reading_them_costs_the_same_however_many_versions_there_are(client, django_assert_max_num_queries):
    for seconds in range(20, 40):
        cast.vote("opening", after=timedelta(days=seconds), seconds=seconds)
    client.get("/policies")
    with django_assert_max_num_queries(4):
        client.get("/policies/opening")
