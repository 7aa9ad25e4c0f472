"""Whole lives against the auditor, who predicts every answer and every balance.

A seed that fails is printed; `REFRAIN_SEED=123 pytest tests/simulation/test_life.py` lives it again, `REFRAIN_STEPS`
says how far. With `REFRAIN_LONG=1` a thousand lives of ten thousand steps.
"""

import os

import pytest

from playback import topups
from tests.simulation.life import Life

LONG = bool(os.environ.get("REFRAIN_LONG"))
SEED = os.environ.get("REFRAIN_SEED")
SEEDS = [int(SEED)] if SEED else list(range(1, 1_001 if LONG else 21))
STEPS = int(os.environ.get("REFRAIN_STEPS") or (10_000 if LONG else 500))
LAST_ACTS = 25


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(max(600, STEPS))
def test_a_life_is_as_the_auditor_predicts(seed, committed, settings, monkeypatch):
    life = Life(seed)
    settings.VAT_PPM = life.stage.vat_ppm
    monkeypatch.setattr(topups, "gateway", lambda: life.stage.gateway)
    try:
        life.live(STEPS)
    except Exception as error:
        acts = "\n".join(life.stage.journal[-LAST_ACTS:])
        error.add_note(
            f"{acts}\nThe last acts of seed {seed}. Live it again:"
            f" REFRAIN_SEED={seed} REFRAIN_STEPS={STEPS} pytest tests/simulation/test_life.py"
        )
        raise
