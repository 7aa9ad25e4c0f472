"""What members decide by is broken on purpose, in turn. The house may agree with itself; the auditor has to notice.

Whole, each scene is as the auditor keeps it. With `REFRAIN_LONG=1` all breaks are tried, else those of the first ones.
"""

import os
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError

from members import policies
from members.belonging import instruments
from members.voting import electorate, proposal_life, tally
from playback import topups
from playback.dues import WalletDues
from royalties import earning, holds, posting, surplus
from royalties.year import drawing
from tests.simulation import scenes_of_commons as scenes
from tests.simulation.acts_of_years import ActsOfYears
from tests.simulation.audit import Objection
from tests.simulation.removal import BALLOTS_SQL, sql_changed
from tests.simulation.scenes_of_commons import CommonsScene
from tests.simulation.test_guards_of_months import Break, constant, function

LONG = bool(os.environ.get("REFRAIN_LONG"))
NOTICED = (Objection, DatabaseError)
MAY, NOVEMBER = (datetime(2026, month, 3, 10, 0, tzinfo=UTC) for month in (5, 11))
Play = Callable[[CommonsScene], None]


def ballots(old: str, new: str) -> Break:
    """Return what replaces a part of a function of the urn."""
    return lambda: sql_changed(BALLOTS_SQL, old, new)


def all_of(module: object, name: str, old: str, new: str) -> Break:
    """Return what replaces a part of a constant of a module."""
    return constant(module, name, old, new)  # type: ignore[arg-type]


@contextmanager
def dues_are_no_income():
    """Let dues that came out of a wallet stay out of the books."""
    lines = posting._LINES["dues"]
    posting._LINES["dues"] = []
    try:
        yield
    finally:
        posting._LINES["dues"] = lines


@contextmanager
def recorded_early():
    """Let a version be written down as soon as its vote has passed."""
    before = proposal_life.RECORDED_BEFORE
    proposal_life.RECORDED_BEFORE = timedelta(days=400)
    try:
        yield
    finally:
        proposal_life.RECORDED_BEFORE = before


# In every run.
BREAKS: dict[str, tuple[Break, Play]] = {
    "who left is on the roll": (
        all_of(electorate, "ROLL", "(m.ended_at IS NULL OR m.ended_at > %(moment)s)", "true"),
        scenes.who_may_vote,
    ),
    "a half is enough": (
        function(tally._reached, "reached > needed if exceeded else reached >= needed", "reached >= needed"),
        scenes.as_many_for_as_against,
    ),
    "empty chairs say nothing": (
        function(tally._class, "empty = max(0, quorum - votes.yes - votes.no)", "empty = 0"),
        scenes.a_price_that_binds,
    ),
    "a ballot is cast late": (ballots("OR moment >= e.closes_at THEN", "THEN"), scenes.voted_late_and_twice),
    "one votes twice": (ballots("IF r.voted THEN", "IF false THEN"), scenes.voted_late_and_twice),
    "a price binds before its month": (
        function(policies.policy_at, "if version.effective_from <= moment:", "if True:"),
        scenes.a_price_that_binds,
    ),
    "a split does not bind": (
        function(
            earning._stretches, 'policies.policy_at("revenue", begins)', 'policies.versions("revenue", begins)[0]'
        ),
        scenes.a_split_that_binds,
    ),
    "another version may come between": (
        function(policies.check_follows, "if last_seq != base_seq:", "if False:"),
        scenes.another_came_between,
    ),
    "dues are no income": (dues_are_no_income, scenes.dues_from_the_wallet),
    "what is suspended is paid": (
        all_of(
            holds,
            "HELD",
            "sum(l.net_micros) AS net\n      FROM catalog_suspension",
            "0 AS net\n      FROM catalog_suspension",
        ),
        scenes.suspended,
    ),
    "what is one's own counts": (
        all_of(drawing, "OWN", "WHERE s.in_force_from < %(ends)s", "WHERE false AND s.in_force_from < %(ends)s"),
        scenes.a_year_divided,
    ),
}
# In long runs.
FURTHER: dict[str, tuple[Break, Play]] = {
    "a change of class counts at once": (
        all_of(electorate, "ROLL", "c.chosen_at <= %(before)s", "c.chosen_at <= %(moment)s"),
        scenes.who_may_vote,
    ),
    "dues may be overdue": (
        all_of(electorate, "ROLL", "AND d.covers_until > %(day)s - %(grace)s", ""),
        scenes.two_paid_no_more,
    ),
    "a second call needs as many": (
        function(tally.head_quorum, "_up(quorum * HALF) if is_second_call else quorum", "quorum"),
        scenes.called_once_more,
    ),
    "a version is recorded early": (
        recorded_early,
        scenes.a_price_that_binds,
    ),
    "an account carries two": (
        function(instruments.note, "if taken.exists():", "if False:"),
        scenes.dues_from_the_wallet,
    ),
    "promo credit pays dues": (
        function(
            WalletDues.pay,
            "if wallet.balance_micros < amount_micros:",
            "if wallet.balance_micros + wallet.promo_micros < amount_micros:",
        ),
        scenes.dues_from_the_wallet,
    ),
    "what was paid before is held": (
        all_of(holds, "HELD", "AND p.released_at < s.suspended_at", "AND false"),
        scenes.suspended,
    ),
    "promo credit is patronage": (
        all_of(drawing, "DRAWN", "f.amount_micros - f.promo_micros", "f.amount_micros"),
        scenes.a_year_divided,
    ),
    "buying one's own record pays": (
        function(surplus._guard, "if comes_back < kept else", "if True else"),
        scenes.a_year_divided,
    ),
    "cash is rounded down": (
        all_of(drawing, "SHARED", "(cents * %(cash_ppm)s + 999999) / 1000000", "cents * %(cash_ppm)s / 1000000"),
        scenes.a_year_divided,
    ),
}
TRIED = {**BREAKS, **(FURTHER if LONG else {})}
SCENES = sorted({scene for _, scene in TRIED.values()}, key=lambda scene: scene.__name__)


@pytest.fixture
def play(committed, settings, monkeypatch):
    """Give a function that plays a scene to its end, with a last audit."""

    def through(scene: Play) -> None:
        policies.forget()
        stage = ActsOfYears(begins=NOVEMBER if scene is scenes.a_year_divided else MAY, vat_ppm=0)
        settings.VAT_PPM = 0
        monkeypatch.setattr(topups, "gateway", lambda: stage.gateway)
        scene(CommonsScene(stage))
        stage.audit()

    return through


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_whole_a_scene_is_as_the_auditor_keeps_it(play, scene):
    play(scene)


@pytest.mark.parametrize("name", TRIED)
def test_broken_it_is_noticed(play, name):
    broken, scene = TRIED[name]
    with broken(), pytest.raises(NOTICED):
        play(scene)
