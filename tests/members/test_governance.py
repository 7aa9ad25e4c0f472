"""The policy `governance`: its founding figures count the worked example, and its bounds hold the door open."""

from fractions import Fraction

import pytest

from members import governance, policies
from members.policies import PolicyRefused
from members.voting import tally
from members.voting.tally import Kind, Verdict, Votes

FOUNDING = governance.GOVERNANCE.founding


def test_the_founding_figures_are_the_rules_of_the_worked_example():
    rules = governance.rules(FOUNDING)
    assert rules.bars == tally.FOUNDING_BARS
    assert (rules.heads_share, rules.heads_least, rules.heads_most) == (Fraction(1, 10), 5, 300)
    votes = {
        "creator": Votes(members=120, yes=38, no=14, abstained=3),
        "listener": Votes(members=800, yes=20, no=30, abstained=5),
        "worker": Votes(members=10, yes=1),
    }
    found = tally.count(Kind.ORDINARY, votes, rules=rules)
    assert (found.support, found.verdict) == (Fraction(7679, 12480), Verdict.PASSED)


@pytest.mark.django_db
def test_the_founding_version_is_what_the_code_says():
    from members import clock  # noqa: PLC0415  (needs the database)

    assert policies.policy_at("governance", clock.now()).params == FOUNDING


@pytest.mark.parametrize(
    "changed",
    [
        {"voting_days": 4},
        {"voting_days": 31},
        {"deliberation_days": 4},
        {"notice_long_days": 31},
        {"contest_days": 15},
        {"head_quorum_num": 1, "head_quorum_den": 21},
        {"head_quorum_num": 34, "head_quorum_den": 100},
        {"head_quorum_least": 2},
        {"head_quorum_least": 11},
        {"support_ordinary_num": 49, "support_ordinary_den": 100},
        {"support_ordinary_num": 61, "support_ordinary_den": 100},
        {"support_special_num": 59, "support_special_den": 100},
        {"support_special_num": 76, "support_special_den": 100},
        {"support_constitutional_num": 13, "support_constitutional_den": 20},
        {"support_constitutional_num": 81, "support_constitutional_den": 100},
        {"heads_ordinary_num": 33, "heads_ordinary_den": 100},
        {"heads_special_num": 49, "heads_special_den": 100},
        {"heads_constitutional_num": 66, "heads_constitutional_den": 100},
        {"weight_worker_ppm": 200_001},
        {"weight_creator_ppm": 500_001, "weight_worker_ppm": 149_999},
        {"weight_worker_ppm": 49_999, "weight_listener_ppm": 500_001},
        {"sponsors_least": 10, "sponsors_most": 9},
        {"voting_days": 7.0},
        {"voting_days": True},
        {"voting_days": "7"},
        {"voting_days": float("nan")},
        {"weight_creator_ppm": 449_999},
        {"weights": 1},
    ],
)
def test_a_figure_beyond_its_bounds_is_refused(changed):
    with pytest.raises(PolicyRefused):
        policies.check("governance", {**FOUNDING, **changed})


@pytest.mark.parametrize(
    ("members", "sponsors"), [(1, 1), (2, 2), (3, 3), (150, 3), (151, 4), (612, 13), (1_250, 25), (90_000, 25)]
)
def test_how_many_sponsors_a_proposal_needs(members, sponsors):
    assert governance.sponsors_needed(members, FOUNDING) == sponsors


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        (Kind.ORDINARY, (14, 14, 7, 7, 7)),
        (Kind.ADVISORY, (14, 14, 7, 7, 7)),
        (Kind.SPECIAL, (14, 21, 14, 14, 7)),
        (Kind.CONSTITUTIONAL, (14, 21, 14, 14, 7)),
    ],
)
def test_what_weighs_more_takes_longer(kind, days):
    found = governance.timings(kind, FOUNDING)
    assert (found.sponsoring, found.deliberation, found.notice, found.voting, found.contest) == days


def test_it_is_explained_in_words():
    words = governance.GOVERNANCE.explain(FOUNDING)
    said = words[0].replace("\N{NO-BREAK SPACE}", " ")
    assert said == "Of each decision, classes carry: creators 45 %, listeners 35 %, workers 20 %."
    assert words[1].startswith("It passes above 1/2 of that weight, a special one from 2/3")
