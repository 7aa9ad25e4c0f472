"""The ring and the ladder as they are drawn."""

import pytest

from catalog import drawing as of_work
from catalog.ladder import ladder
from playback import drawing

FOUNDING = ladder(1_022_000, 9, 2, 1)


def test_equal_factors_are_equal_rises() -> None:
    assert of_work.heights(FOUNDING) == [0, 13, 25, 38, 50, 62, 75, 88, 100]


def test_a_flat_ladder_stands_at_the_top() -> None:
    assert of_work.heights([5, 5, 5]) == [100, 100, 100]


def test_the_ring_is_whole_and_says_what_is_paid_next_and_left() -> None:
    segments = drawing.ring(plays=9, paid={1, 2, 4}, next_number=3)
    assert [segment.kind for segment in segments] == ["paid", "paid", "next", "paid", *["left"] * 5]
    arc, rest = map(float, segments[0].dash.split())
    assert arc + rest == pytest.approx(drawing.AROUND, abs=0.02)
    assert 9 * (arc + 3.2) == pytest.approx(drawing.AROUND, abs=0.05)


def test_figures_stand_on_the_steps_only_where_they_fit() -> None:
    assert drawing.has_figures_on_steps(FOUNDING)
    assert not drawing.has_figures_on_steps(ladder(2_500_000, 9, 2, 1))
    assert not drawing.has_figures_on_steps(ladder(1_022_000, 12, 3, 2))


def test_the_loudest_bar_fills_the_wave_and_silence_has_a_bar_too() -> None:
    wave = of_work.wave([0, 5, 10], gate_at=0.5)
    assert [bar.height for bar in wave.bars] == [3, 33.0, 66.0]
    assert [bar.is_free for bar in wave.bars] == [True, True, False]
    assert wave.width == 12
