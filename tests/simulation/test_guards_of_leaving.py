"""What looks after who goes, and what puts votes and works right, is broken on purpose; the auditor has to notice.

Whole, each scene is as the auditor keeps it. With `REFRAIN_LONG=1` all breaks are tried, else those of the first ones.
"""

import os
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError

from catalog import objections
from catalog.erasing import _leave
from members import policies
from members.belonging import expulsions
from members.erasing import erasures
from members.erasing.keeping import MembersKeeper
from members.voting import elections, panels, proposal_life, rolls, urns
from playback import topups
from playback.erasing import PlaybackKeeper
from royalties import claims, payouts
from royalties.erasing import RoyaltiesKeeper
from royalties.year import booking
from royalties.year import leaving as capital
from tests.simulation import scenes_of_leaving as scenes
from tests.simulation.acts_of_objections import ActsOfObjections
from tests.simulation.audit import Objection
from tests.simulation.scenes_of_leaving import LeavingScene
from tests.simulation.test_guards_of_commons import all_of, ballots
from tests.simulation.test_guards_of_months import Break, function

LONG = bool(os.environ.get("REFRAIN_LONG"))
NOTICED = (Objection, DatabaseError)
MAY, NOVEMBER = (datetime(2026, month, 3, 10, 0, tzinfo=UTC) for month in (5, 11))
Play = Callable[[LeavingScene], None]


def value(of: object, name: str, broken: object) -> Break:
    """Return what gives a module another constant, and puts it back."""

    @contextmanager
    def patched():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(of, name, broken)
            yield

    return patched


# In every run.
BREAKS: dict[str, tuple[Break, Play]] = {
    "marks need no ballots": (ballots("WHEN marks <> ballots THEN", "WHEN false THEN"), scenes.put_right),
    "a recount finds what was counted": (
        function(urns.recount, "if found != election.votes:", "if False:"),
        scenes.put_right,
    ),
    "nobody is heard": (value(expulsions, "HEARD_FOR", timedelta(0)), scenes.expelled),
    "credit stays behind": (function(PlaybackKeeper.settle, "_cash_out(wallet)", "pass"), scenes.forgotten),
    "an appeal stops nothing": (
        function(objections._is_looked_at, "return appeal is not None and", "return False and appeal is not None and"),
        scenes.objected,
    ),
}
# In long runs.
FURTHER: dict[str, tuple[Break, Play]] = {
    "a void vote is held for ever": (
        function(proposal_life._void, "if proposal.reruns >= proposals.RERUNS_MOST:", "if False:"),
        scenes.spoiled_again,
    ),
    "shares stay behind": (function(MembersKeeper.settle, "if shares:", "if False:"), scenes.forgotten),
    "anybody votes in any class": (
        function(rolls.correct, "if class_name and not held.exists():", "if False:"),
        scenes.put_right,
    ),
    "an altered ballot counts": (ballots("WHEN altered > 0 THEN", "WHEN false THEN"), scenes.spoiled_again),
    "one of a panel decides": (
        function(panels.rule, "if appeal.panel.filter(ruling=ruling).count() * 2 <= SIZE:", "if False:"),
        scenes.put_right,
    ),
    "the parties sit on the panel": (
        function(panels.convene, "{appeal.person_id, *but} | ", ""),
        scenes.one_to_draw,
    ),
    "a roll moves till the vote opens": (value(elections, "CORRECTED_UNTIL", timedelta(0)), scenes.put_right),
    "anybody corrects a roll": (
        function(rolls.correct, "memberships.check_secretary(staff_id)", "pass"),
        scenes.put_right,
    ),
    "half of the board expels": (
        function(expulsions.say, "if for_it * 2 > len(board):", "if for_it:"),
        scenes.expelled,
    ),
    "whoever is expelled stays so": (
        function(expulsions.rule, "if ruling == Ruling.LIFTED:", "if False:"),
        scenes.expelled,
    ),
    "nobody thinks again": (
        function(erasures.advance, "ends_at__lte=now", "ends_at__isnull=False"),
        scenes.forgotten,
    ),
    "who is forgotten stays on rolls": (
        function(elections.forget, "filter(person_id=person_id)", "none()"),
        scenes.forgotten,
    ),
    "letters are cut short": (
        function(MembersKeeper.settle, "if _letters_wait(traces):", "if False:"),
        scenes.forgotten,
    ),
    "a closed profile sells on": (
        function(_leave, "people.close(creator_id=profile.id, person_id=role.person_id, now=now)", "pass"),
        scenes.forgotten,
    ),
    "whoever goes waits for ten euros": (
        function(payouts.due, "1 if person_id in going else least_cents", "least_cents"),
        scenes.paid_before_forgotten,
    ),
    "an account goes before its money": (
        function(RoyaltiesKeeper.settle, "if owed < money.MICROS_PER_CENT:", "if True:"),
        scenes.paid_before_forgotten,
    ),
    "an account goes before its payout": (
        function(RoyaltiesKeeper.settle, "if cents:", "if False:"),
        scenes.paid_before_forgotten,
    ),
    "nothing can be claimed": (
        function(claims.claim, "if owed < money.MICROS_PER_CENT:", "if False:"),
        scenes.claimed,
    ),
    "an account outlives its claim": (
        function(claims._forget_paid, "return payout_accounts.empty(person_id, now=now) > 0", "return True"),
        scenes.claimed,
    ),
    "capital is due a day early": (
        function(capital.due_through, "day > pay_by(day.year - 1)", "day >= pay_by(day.year - 1)"),
        scenes.left_with_capital,
    ),
    "who left is paid twice": (
        all_of(booking, "REDEEMED", "'redeemed' AS name", "'redeemed again' AS name"),
        scenes.left_with_capital,
    ),
    "claims never lapse": (function(claims._let_lapse, "if lapsed <= 0:", "if True:"), scenes.unclaimed),
    "claims lapse a year early": (value(claims, "YEARS_TO_CLAIM", 2), scenes.unclaimed),
    "works leave after a month": (value(objections, "NOTICE", timedelta(days=30)), scenes.objected),
    "a vote reaches what it did not make stricter": (
        function(
            objections._stricter,
            'if after["lossless"] == "required" != before["lossless"]:',
            'if after["lossless"] == "required":',
        ),
        scenes.objected,
    ),
    "nobody need run a work to appeal": (
        function(
            objections.appeal,
            "work = publishing.managed_work(work_id=work_id, person_id=person_id)",
            "work = Work.objects.get(id=work_id)",
        ),
        scenes.objected,
    ),
}
TRIED = {**BREAKS, **(FURTHER if LONG else {})}
SCENES = sorted({scene for _, scene in TRIED.values()}, key=lambda scene: scene.__name__)


@pytest.fixture
def play(committed, settings, monkeypatch):
    """Give a function that plays a scene to its end, with a last audit."""

    def through(scene: Play) -> None:
        policies.forget()
        stage = ActsOfObjections(begins=NOVEMBER if scene is scenes.left_with_capital else MAY, vat_ppm=0)
        settings.VAT_PPM = 0
        monkeypatch.setattr(topups, "gateway", lambda: stage.gateway)
        scene(LeavingScene(stage))
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
