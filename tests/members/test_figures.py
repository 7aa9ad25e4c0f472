"""Figures of policies: said and typed in per cent and in money, exact both ways, and refused beyond their bounds."""

import pytest

from members import figures, policies
from members.forms import FiguresForm


def form(key, **changed):
    """Return the form of a policy, filled in as people type its founding figures, with some of them changed."""
    policy = policies.registered(key)
    begun = FiguresForm(policy, initial=policy.founding)
    typed = {name: str(begun[name].value()) for name in policy.schema}
    return FiguresForm(policy, {**typed, **changed})


@pytest.mark.parametrize("key", ["content", "governance", "opening", "payouts", "pricing", "revenue"])
def test_what_is_shown_comes_back_as_it_was(key):
    found = form(key)
    assert found.is_valid(), found.errors
    assert found.cleaned_data == policies.registered(key).founding


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("creators_ppm", 700_000, "70\N{NO-BREAK SPACE}%"),
        ("creators_ppm", 333_333, "33.3333\N{NO-BREAK SPACE}%"),
        ("price_min_micros", 1_022_000, "€1.022"),
        ("least_cents", 1_000, "€10.00"),
        ("photo_edge_min", 1_600, "1,600"),
        ("lossless", "encouraged", "encouraged"),
    ],
)
def test_a_figure_is_read_as_people_say_it(name, value, shown):
    assert figures.show(name, value) == shown


@pytest.mark.parametrize(
    ("key", "changed", "why"),
    [
        ("revenue", {"creators_ppm": "59.9999", "coop_ppm": "40.0001"}, "From 60\N{NO-BREAK SPACE}% to 90"),
        ("revenue", {"creators_ppm": "75"}, "must sum to the whole"),
        ("revenue", {"creators_ppm": "70.00001"}, "at most four decimals"),
        ("revenue", {"creators_ppm": "NaN"}, "Write a rate in per cent"),
        ("revenue", {"creators_ppm": "-70"}, "Write a rate in per cent"),
        ("payouts", {"least_cents": "1.005"}, "in whole cents"),
        ("payouts", {"least_cents": "0.99"}, "From €1.00 to"),
        ("opening", {"seconds": "19"}, "From 20 to 60."),
        ("opening", {"seconds": "30.5"}, "whole number"),
        ("content", {"ai_generated": "perhaps"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_is_refused_in_words(key, changed, why):
    found = form(key, **changed)
    assert not found.is_valid()
    assert why in str(found.errors)


def test_what_changes_stands_beside_what_holds():
    policy = policies.registered("revenue")
    found = figures.changes(policy, policy.founding, {"creators_ppm": 720_000, "coop_ppm": 280_000})
    assert [(one.label, one.before, one.after, one.stays) for one in found] == [
        ("To the creators", "70\N{NO-BREAK SPACE}%", "72\N{NO-BREAK SPACE}%", False),
        ("To the co-op", "30\N{NO-BREAK SPACE}%", "28\N{NO-BREAK SPACE}%", False),
    ]
