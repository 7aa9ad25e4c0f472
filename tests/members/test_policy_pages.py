"""The pages of policies: what holds, what is to come and what was, for everybody, with the vote behind each."""

from datetime import timedelta

import pytest

from members import clock, policies
from tests import cast

pytestmark = pytest.mark.django_db


def test_everybody_reads_what_holds_today(client):
    page = client.get("/policies").content.decode()
    assert "What a play costs" in page
    assert "How the co-op decides" in page
    assert page.count("founding.") == len(policies.names())


def test_a_version_to_come_stands_beside_the_one_that_holds(client):
    begins = cast.vote("opening", after=timedelta(days=40), seconds=30)
    page = client.get("/policies").content.decode()
    assert f"Version 2 from {begins.astimezone(clock.zone()):%-d %B %Y}" in page
    page = client.get("/policies/opening").content.decode()
    assert page.index('badge--dash">to come') < page.index("holds now")
    assert '<span class="diff__was">45 before</span><b>30</b>' in page
    cast.set_clock(begins + timedelta(seconds=1))
    assert 'badge--dash">to come' not in client.get("/policies/opening").content.decode()


def test_a_policy_that_nobody_obeys_is_not_there(client):
    assert client.get("/policies/weather").status_code == 404


def test_reading_them_costs_the_same_however_many_versions_there_are(client, django_assert_max_num_queries):
    for seconds in range(20, 40):
        cast.vote("opening", after=timedelta(days=seconds), seconds=seconds)
    client.get("/policies")
    with django_assert_max_num_queries(3):
        client.get("/policies/opening")
