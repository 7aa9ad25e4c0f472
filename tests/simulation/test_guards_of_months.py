"""The books are broken on purpose, in turn. The house may agree with itself each time; the auditor has to notice."""

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from types import ModuleType

import pytest
from django.db import DatabaseError

from playback import chargebacks, topups
from royalties import earning, holds, journal, payouts, posting, settling, statements
from tests.simulation import scenes_of_months as scenes
from tests.simulation.acts_of_months import ActsOfMonths
from tests.simulation.audit import Objection
from tests.simulation.removal import FACTS_SQL, changed, view_changed
from tests.simulation.scenes_of_months import MonthScene

NOTICED = (Objection, DatabaseError)
BEGINS = datetime(2026, 5, 5, 10, 0, tzinfo=UTC)
MONEY, REFUND_MONTH = "playback_money_facts", "CASE WHEN r.reversed_at >= m.closed_at THEN r.reversed_at ELSE"
BOOK = "ledger.book([entry], now=now)"
Play = Callable[[MonthScene], None]
Break = Callable[[], AbstractContextManager[None]]


def constant(module: ModuleType, name: str, old: str, new: str) -> Break:
    """Return what replaces a part of a module's constant, and puts it back."""

    @contextmanager
    def broken():
        whole = getattr(module, name)
        assert old in whole
        setattr(module, name, whole.replace(old, new))
        try:
            yield
        finally:
            setattr(module, name, whole)

    return broken


def facts(old: str, new: str) -> Break:
    """Return what lets playback tell its money otherwise, to posting and to `reconcile` alike."""
    return lambda: view_changed(FACTS_SQL, MONEY, old, new)


def function(of: object, old: str, new: str) -> Break:
    """Return what replaces a part of a function."""
    return lambda: changed(of, old, new)  # type: ignore[arg-type]


@contextmanager
def no_promotion():
    """Let a promo credit that was spent be no expense."""
    lines = posting._LINES["play"]
    posting._LINES["play"] = [line for line in lines if line.pocket != "gift"]
    try:
        yield
    finally:
        posting._LINES["play"] = lines


BREAKS: dict[str, tuple[Break, Play]] = {
    "a micro goes to another payee": (
        constant(earning, "LINES", "remainder DESC, share_ppm DESC", "remainder, share_ppm"),
        scenes.divided,
    ),
    "a reversal counts in another month": (
        facts(f"{REFUND_MONTH} c.charged_at END,\n           c.charged_at", "r.reversed_at,\n           c.charged_at"),
        scenes.given_back_before_the_close,
    ),
    "a reversal in time is borne": (
        constant(earning, "BORNE", "f.reversed_at >= m.closed", "true"),
        scenes.given_back_before_the_close,
    ),
    "a late refund is not borne": (
        constant(earning, "BORNE", "f.reversed_at >= m.closed", "false"),
        scenes.given_back_after_the_close,
    ),
    "nothing is released": (
        constant(earning, "RELEASE", "s.in_force_from < %(ends)s", "false"),
        scenes.held_and_released,
    ),
    "a chargeback is booked twice": (
        facts(
            "           taken_micros, 0, 0, 0, disputed_micros\n      FROM playback_chargeback\n",
            "           taken_micros, 0, 0, 0, 2 * disputed_micros\n      FROM playback_chargeback\n",
        ),
        scenes.charged_back_and_won,
    ),
    "a chargeback is taken twice": (
        function(chargebacks._opened, "if found is not None:", "if False:"),
        scenes.charged_back_and_won,
    ),
    "a chargeback takes what was cashed out": (
        function(chargebacks.left_of, "or 0) - cashed)", "or 0))"),
        scenes.cashed_out_then_charged_back,
    ),
    "grants are not posted": (
        facts("FROM playback_promogrant", "FROM playback_promogrant WHERE false"),
        scenes.spent_promo,
    ),
    "promo credit that was spent is no expense": (no_promotion, scenes.spent_promo),
    "what came back is not owed again": (function(settling._owe_again, BOOK, "pass"), scenes.paid_and_sent_back),
    "what was refused is not owed again": (function(settling._owe_again, BOOK, "pass"), scenes.paid_and_refused),
    "what the bank paid is not booked": (function(settling.book, BOOK, "pass"), scenes.paid_and_sent_back),
    "what came back late is not told": (
        constant(statements, "MOVED", "t.month <= %(month)s", "t.month = %(month)s"),
        scenes.sent_back_late,
    ),
    "the first days do not wait": (
        function(holds.of, '"first_days": FIRST_DAYS,', '"first_days": 0,'),
        scenes.paid_too_early,
    ),
    "one treasurer pays alone": (
        function(payouts.release, "if batch.prepared_by_id == staff_id:", "if False:"),
        scenes.released_alone,
    ),
    "one treasurer writes alone": (
        function(journal.confirm, "if entry.entered_by_id == staff_id:", "if False:"),
        scenes.written_down,
    ),
    "the bank says another balance": (function(journal.lock, "if ours != theirs:", "if False:"), scenes.written_down),
}
ALL_SCENES = sorted({scene for _, scene in BREAKS.values()}, key=lambda scene: scene.__name__)


@pytest.fixture
def play(committed, settings, monkeypatch):
    """Give a function that plays a scene to its end, with a last audit."""

    def through(scene: Play) -> None:
        stage = ActsOfMonths(begins=BEGINS, vat_ppm=0)
        settings.VAT_PPM = 0
        monkeypatch.setattr(topups, "gateway", lambda: stage.gateway)
        scene(MonthScene(stage))
        stage.audit()

    return through


@pytest.mark.parametrize("scene", ALL_SCENES, ids=lambda scene: scene.__name__)
def test_whole_a_scene_is_as_the_auditor_keeps_it(play, scene):
    play(scene)


@pytest.mark.parametrize("name", BREAKS)
def test_broken_it_is_noticed(play, name):
    broken, scene = BREAKS[name]
    with broken(), pytest.raises(NOTICED):
        play(scene)
