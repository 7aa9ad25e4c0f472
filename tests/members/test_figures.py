"""Figures of policies: said and typed in per cent and in money, exact both ways, and refused beyond their bounds."""

import pytest

from members import figures, policies
from members.forms import FiguresForm
from members.policies import OneOf


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
        ("opening", {"seconds": "30.5"}, "Write a whole number, like 20."),
        ("opening", {"seconds": "thirty"}, "Write a whole number, like 20."),
        ("opening", {"seconds": "٣٠"}, "Write a whole number, like 20."),
        ("opening", {"seconds": ""}, "This field is required."),
        ("opening", {"seconds": "61"}, "From 20 to 60."),
        ("payouts", {"least_cents": "25.01"}, "From €1.00 to €25.00."),
        ("payouts", {"yearly_least_cents": "5.01"}, "From €0.01 to €5.00."),
        ("payouts", {"least_cents": "ten"}, "in whole cents"),
        ("payouts", {"least_cents": "1", "yearly_least_cents": "2"}, "cannot need more"),
        ("pricing", {"plays": "31"}, "From 3 to 30."),
        ("pricing", {"growth_num": "4"}, "each play costs 1 to 3 times the one before"),
        ("pricing", {"price_min_micros": "2"}, "The default price €1.022 is not between €2.00 and €50.00."),
        ("pricing", {"plays": "30", "growth_num": "3"}, "the least is €0.0001"),
        ("surplus", {"workers_ppm": "19,5"}, "must sum to the whole, 100 %: these come to 99.5 %."),
        ("surplus", {"reserve_ppm": "14.9999"}, "From 15\N{NO-BREAK SPACE}% to 90"),
        ("surplus", {"reserve_ppm": "80", "common_good_ppm": "20"}, "cannot take the whole result"),
        ("content", {"photo_edge_min": "1,6"}, "Write a whole number, like 100."),
        ("content", {"sample_rate_min": "192001"}, "From 8,000 to 192,000."),
        ("governance", {"weight_worker_ppm": "25"}, "these come to 105 %."),
        ("governance", {"weight_worker_ppm": "50.1"}, "From 5\N{NO-BREAK SPACE}% to 50"),
        ("governance", {"support_ordinary_num": "2", "support_ordinary_den": "3"}, "it is from 1/2 to 3/5"),
        ("governance", {"contest_days": "4"}, "From 5 to 14."),
        ("governance", {"sponsors_least": "10", "sponsors_most": "9"}, "cannot be more than the most"),
        ("content", {"ai_generated": "perhaps"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_is_refused_in_words(key, changed, why):
    found = form(key, **changed)
    assert not found.is_valid()
    assert why in str(found.errors)


@pytest.mark.parametrize(
    ("key", "changed", "found"),
    [
        ("content", {"photo_edge_min": "2,000", "sample_rate_min": "48 000"}, [2_000, 48_000]),
        ("content", {"photo_edge_min": "2.000", "sample_rate_min": "48\N{NARROW NO-BREAK SPACE}000"}, [2_000, 48_000]),
        ("pricing", {"price_default_micros": "1,5", "price_max_micros": "1,000.00"}, [1_500_000, 1_000_000_000]),
        ("pricing", {"price_default_micros": "€2", "price_max_micros": "1.000,00"}, [2_000_000, 1_000_000_000]),
        ("revenue", {"creators_ppm": "72,5", "coop_ppm": "27,5 %"}, [725_000, 275_000]),
    ],
)
def test_figures_are_typed_as_people_write_them(key, changed, found):
    typed = form(key, **changed)
    assert typed.is_valid(), typed.errors
    assert [typed.cleaned_data[name] for name in changed] == found


def test_figures_that_break_a_bound_together_are_all_named():
    typed = form("revenue", creators_ppm="75")
    assert not typed.is_valid()
    assert typed.together == ["creators_ppm", "coop_ppm"]
    assert str(typed["coop_ppm"]).count('aria-invalid="true"') == 1
    assert form("opening").together == []


@pytest.mark.parametrize("key", ["content", "governance", "opening", "payouts", "pricing", "revenue", "surplus"])
def test_every_figure_has_its_bounds_beside_it_and_is_refused_by_them(key):
    policy = policies.registered(key)
    for name, sort in policy.schema.items():
        if isinstance(sort, OneOf):
            continue
        said = f"From {figures.show(name, sort.least)} to {figures.show(name, sort.most)}."
        assert FiguresForm(policy)[name].help_text == said
        for beyond in (sort.least - 1, sort.most + 1):
            shown = FiguresForm(policy, initial={name: beyond})[name].value()
            wrong = form(key, **{name: str(shown)})
            assert not wrong.is_valid(), (name, beyond)
            # What is below nothing is no figure at all.
            assert wrong.errors[name] == [said] or beyond < 0, (name, beyond, wrong.errors[name])
        assert form(key, **{name: ""}).errors[name] == ["This field is required."]


def test_what_changes_stands_beside_what_holds():
    policy = policies.registered("revenue")
    found = figures.changes(policy, policy.founding, {"creators_ppm": 720_000, "coop_ppm": 280_000})
    assert [(one.label, one.before, one.after, one.stays) for one in found] == [
        ("To the creators", "70\N{NO-BREAK SPACE}%", "72\N{NO-BREAK SPACE}%", False),
        ("To the co-op", "30\N{NO-BREAK SPACE}%", "28\N{NO-BREAK SPACE}%", False),
    ]
