"""Whole years of a co-op that decides, against the auditor, who keeps the register and counts every vote by hand.

A seed that fails is printed; `REFRAIN_SEED=123 pytest tests/simulation/test_commons.py` lives it again, `REFRAIN_STEPS`
says how far. With `REFRAIN_LONG=1` a hundred years of two thousand steps.
"""

import os
from pathlib import Path

import pytest

from members import policies
from playback import topups
from tests.simulation.generations import Generations

LONG = bool(os.environ.get("REFRAIN_LONG"))
SEED = os.environ.get("REFRAIN_SEED")
SEEDS = [int(SEED)] if SEED else list(range(1, 101 if LONG else 3))
STEPS = int(os.environ.get("REFRAIN_STEPS") or (2_000 if LONG else 100))
LAST_ACTS = 25


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(max(600, STEPS))
def test_a_co_op_decides_as_the_auditor_counts(seed, committed, settings, monkeypatch, tmp_path: Path):
    # What an earlier test recorded is gone with it.
    policies.forget()
    commons = Generations(seed)
    settings.VAT_PPM = commons.stage.vat_ppm
    monkeypatch.setattr(topups, "gateway", lambda: commons.stage.gateway)
    try:
        commons.live(STEPS)
        commons.check_publications(tmp_path)
        commons.check_that_a_year_was_divided(tmp_path)
    except Exception as error:
        acts = "\n".join(commons.stage.journal[-LAST_ACTS:])
        error.add_note(
            f"{acts}\nThe last acts of seed {seed}. Live it again:"
            f" REFRAIN_SEED={seed} REFRAIN_STEPS={STEPS} pytest tests/simulation/test_commons.py"
        )
        raise
