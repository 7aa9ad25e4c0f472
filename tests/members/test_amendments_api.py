"""Amendments over the API: read by everybody, suggested by members, answered by the author alone."""

import pytest

from tests import cast
from tests.callers import Caller
from tests.members import assembly

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """Give five members who may vote."""
    return assembly.members("ada", "bo", "cem", "dora", "emil")


@pytest.fixture
def deliberated(people):
    """Give a proposal of the first of them that is being deliberated."""
    made = assembly.submitted(people[0])
    assembly.sponsor(made, *people[:3])
    assembly.beat()
    return made


def suggest(who, proposal, **said):
    body = {"title": "A bit shorter", "reasons": "Not that short.", "params": {"seconds": 35}} | said
    return Caller(who).post(f"proposals/{proposal.id}/amendments", body)


def test_everybody_reads_every_version_and_what_became_of_it(people, deliberated):
    assert suggest(people[3], deliberated).status_code == 201
    assert suggest(people[4], deliberated, params={"seconds": 40}).status_code == 201
    author = Caller(people[0])
    accepted = author.post(f"proposals/{deliberated.id}/amendments/2/accept")
    declined = author.post(f"proposals/{deliberated.id}/amendments/3/decline")
    assert (accepted.status_code, declined.status_code) == (200, 200)
    found = Caller(None).get(f"proposals/{deliberated.id}/amendments").json()
    assert found["next"] is None
    told = [
        (one["number"], one["params"], one["accepted_at"] is not None, one["declined_at"] is not None)
        for one in found["results"]
    ]
    assert [one[:2] for one in told] == [(1, {"seconds": 30}), (2, {"seconds": 35}), (3, {"seconds": 40})]
    assert [one[2:] for one in told[1:]] == [(True, False), (False, True)]
    # It has no names but those of who wrote them.
    assert {one["written_by"] for one in found["results"]} == {people[0].name, people[3].name, people[4].name}
    assert assembly.seen(deliberated).params == {"seconds": 35}
    assert declined.json() == found["results"][2]


def test_the_authors_own_is_accepted_at_once(people, deliberated):
    answer = suggest(people[0], deliberated, params={"seconds": 30})
    assert (answer.status_code, answer.json()["number"]) == (201, 2)
    assert answer.json()["accepted_at"] is not None
    assert assembly.seen(deliberated).title == "A bit shorter"


def test_it_is_answered_by_the_author_alone_and_once(people, deliberated):
    suggest(people[3], deliberated)
    for answer in ("accept", "decline"):
        path = f"proposals/{deliberated.id}/amendments/2/{answer}"
        assert Caller(people[3]).post(path).status_code == 404
        assert Caller(None).post(path).status_code == 401
    assert Caller(people[0]).post(f"proposals/{deliberated.id}/amendments/2/decline").status_code == 200
    assert Caller(people[0]).post(f"proposals/{deliberated.id}/amendments/2/accept").status_code == 404
    assert assembly.seen(deliberated).params == {"seconds": 30}


def test_bad_ones_are_refused_with_words_and_nothing_is_kept(people, deliberated):
    beyond = suggest(people[3], deliberated, params={"seconds": 61})
    assert beyond.status_code == 422
    assert "60" in beyond.json()["detail"]
    assert suggest(people[3], deliberated, params={"seconds": 30.5}).status_code == 422
    assert suggest(people[3], deliberated, colour="red").status_code == 400
    assert suggest(cast.person("mallory"), deliberated).status_code == 403
    assert deliberated.versions.count() == 1
    assembly.go_on(deliberated)
    assert suggest(people[3], deliberated).json()["type"].endswith("not-now")
    assert deliberated.versions.count() == 1


def test_of_a_draft_nobody_reads_or_changes_anything(people):
    draft = assembly.drafted(people[0])
    assert Caller(people[1]).get(f"proposals/{draft.id}/amendments").status_code == 404
    assert suggest(people[1], draft).status_code in (404, 409)
