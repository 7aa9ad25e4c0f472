"""Dry runs as members meet them: while figures are typed, on a proposal's page, in the API; and that of governance."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from members import clock, policies
from members.voting import dry_runs
from members.voting.proposal_models import Proposal
from tests import cast
from tests.members import assembly

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def people():
    """Give six members who may vote."""
    return assembly.members("ada", "bo", "cem", "dora", "emil", "fay")


def governed(**changed: int) -> list[tuple[str, object, object]]:
    now = clock.now()
    found = dry_runs.preview("governance", {**policies.policy_at("governance", now).params, **changed}, now=now)
    return [(row.label, row.before, row.after) for row in found.rows]


def words(page: str) -> str:
    """Return a page with each run of spaces and lines as one space."""
    return " ".join(page.split())


def test_past_votes_are_counted_again_by_asked_rules(people) -> None:
    assert governed(head_quorum_least=6) == []
    proposal = assembly.called(people)
    assembly.vote(proposal, ".yyyny", people)
    assert governed(head_quorum_least=6) == []
    assembly.go_on(proposal)
    cache.clear()
    name = f"Proposal {proposal.number}: A shorter opening"
    # Five of six came, four of them said yes. The other classes are empty: 0.35 * 4/5 + 0.65 * 1/2 = 0.605.
    assert governed(head_quorum_least=6) == [(name, "passes", "too few came")]
    assert governed(support_ordinary_num=3, support_ordinary_den=5) == [(name, "passes", "passes")]
    assert governed(heads_ordinary_num=9, heads_ordinary_den=10) == [(name, "passes", "does not pass")]
    weights = {"weight_creator_ppm": 500_000, "weight_listener_ppm": 300_000, "support_ordinary_num": 3}
    assert governed(**weights, support_ordinary_den=5) == [(name, "passes", "does not pass")]


def test_a_second_call_is_counted_again_as_one(people) -> None:
    proposal = assembly.called(people)
    assert assembly.go_on(proposal).is_second_call
    assembly.go_on(proposal)
    assembly.vote(proposal, "yyy...", people)
    assembly.go_on(proposal)
    # Half of five, or of six, is three, and three came.
    name = f"Proposal {proposal.number}: A shorter opening"
    assert governed(head_quorum_least=6) == [(name, "passes", "passes")]


def test_figures_are_tried_while_they_are_typed(client: Client, people) -> None:
    client.force_login(people[0])
    told = client.get("/policies/opening/trial?seconds=30").content.decode()
    assert "<del>45</del><ins>30</ins>" in told
    assert "An ordinary vote decides it." in told
    assert "No month is sealed yet" in told
    assert "<html" not in told
    wrong = client.get("/policies/opening/trial?seconds=19").content.decode()
    assert '<li data-fields="seconds"> Seconds of the opening: <span>From 20 to 60.</span> </li>' in words(wrong)
    assert "These are the figures that hold." in client.get("/policies/opening/trial?seconds=45").content.decode()
    larger = client.get("/policies/revenue/trial?creators_ppm=80&coop_ppm=20").content.decode()
    assert "A special vote decides it" in larger
    apart = client.get("/policies/revenue/trial?creators_ppm=80&coop_ppm=30").content.decode()
    assert '<li data-fields="creators_ppm coop_ppm">' in apart
    assert "must sum to the whole, 100 %: these come to 110 %." in apart
    assert client.get("/policies/nothing/trial").status_code == 404
    client.logout()
    assert client.get("/policies/opening/trial?seconds=30").status_code == 302


def test_a_button_tries_them_without_a_script_and_keeps_nothing(client: Client, people) -> None:
    client.force_login(people[0])
    sent = {"title": "", "reasons": "Half a minute.", "seconds": "30", "try": "1"}
    answer = client.post("/proposals/new?policy=opening", sent)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<del>45</del><ins>30</ins>" in page
    assert "Half a minute." in page
    assert 'value="30"' in page
    assert "field__error" not in page
    refused = client.post("/proposals/new?policy=opening", {**sent, "seconds": "61"}).content.decode()
    assert "These figures cannot be asked for." in refused
    assert not Proposal.objects.exists()


def test_a_proposals_page_and_the_api_tell_of_it(client: Client, people) -> None:
    proposal = assembly.submitted(people[0], key="payouts", least_cents=500, yearly_least_cents=200)
    page = client.get(f"/proposals/{proposal.id}").content.decode()
    assert "No month is sealed yet" in page
    found = client.get(f"/api/v1/proposals/{proposal.id}/preview").json()
    assert found.keys() == {"month", "words", "rows", "own", "ladder", "caveat"}
    assert (found["month"], found["rows"], found["own"], found["ladder"]) == (None, [], [], None)
    advice = assembly.submitted(people[1], key="")
    assert client.get(f"/api/v1/proposals/{advice.id}/preview").status_code == 404
    assert 'id="dry-run"' not in client.get(f"/proposals/{advice.id}").content.decode()
    draft = assembly.drafted(people[2])
    assert client.get(f"/api/v1/proposals/{draft.id}/preview").status_code == 404


def test_what_was_frozen_is_told_as_it_was_found_then(client: Client, people) -> None:
    first = assembly.called(people)
    proposal = assembly.submitted(people[1], key="governance", **_governance(head_quorum_least=6))
    assembly.sponsor(proposal, *people[:3])
    assembly.vote(first, ".yyyny", people)
    assembly.go_on(first)
    assert assembly.seen(proposal).dry_run is None
    assert "passes" in client.get(f"/proposals/{proposal.id}").content.decode()
    assembly.beat()
    assembly.go_on(proposal)
    frozen = assembly.seen(proposal)
    assert (frozen.state, [row["after"] for row in frozen.dry_run["rows"]]) == ("notice", ["too few came"])
    told = client.get(f"/api/v1/proposals/{proposal.id}/preview").json()
    assert told["rows"] == frozen.dry_run["rows"]
    # Another result comes in; what members read before they vote stays.
    later = assembly.called(people[2:], key="payouts", title="Sooner", least_cents=500, yearly_least_cents=200)
    assembly.vote(later, "yyyyyy", people)
    assembly.go_on(later)
    cache.clear()
    assert client.get(f"/api/v1/proposals/{proposal.id}/preview").json() == told
    assert "Made when the text was frozen" in client.get(f"/proposals/{proposal.id}").content.decode()


def test_a_proposal_whose_bounds_were_drawn_closer_says_so(client: Client, people) -> None:
    draft = assembly.drafted(people[0])
    Proposal.objects.filter(id=draft.id).update(params={"seconds": 90})
    client.force_login(people[0])
    assert "it is a whole number from 20 to 60" in client.get(f"/proposals/{draft.id}").content.decode()


def test_a_page_costs_the_same_however_many_votes_are_counted_again(
    client: Client, people, django_assert_max_num_queries: Callable[..., object]
) -> None:
    proposal = assembly.called(people)
    assembly.vote(proposal, ".yyyny", people)
    assembly.go_on(proposal)
    client.force_login(cast.person("lars"))
    asked = "&".join(f"{name}={value}" for name, value in _typed(head_quorum_least=6).items())
    client.get(f"/policies/governance/trial?{asked}")
    cache.clear()
    with django_assert_max_num_queries(10):
        assert "too few came" in client.get(f"/policies/governance/trial?{asked}").content.decode()


def _governance(**changed: int) -> dict[str, int]:
    return {**policies.policy_at("governance", clock.now()).params, **changed}  # type: ignore[dict-item]


def _typed(**changed: int) -> dict[str, str]:
    """Return the figures of governance as people type them: rates in per cent."""
    return {
        name: str(value // 10_000) if name.endswith("_ppm") else str(value)
        for name, value in _governance(**changed).items()
    }
