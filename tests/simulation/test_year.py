"""Whole years against the auditor, who keeps the books by hand: every account, line, statement and payout.

A seed that fails is printed; `REFRAIN_SEED=123 pytest tests/simulation/test_year.py` lives it again, `REFRAIN_STEPS`
says how far. With `REFRAIN_LONG=1` two hundred years of four thousand steps.
"""

import os
from pathlib import Path

import pytest

from playback import topups
from tests.simulation.year import Year

LONG = bool(os.environ.get("REFRAIN_LONG"))
SEED = os.environ.get("REFRAIN_SEED")
SEEDS = [int(SEED)] if SEED else list(range(1, 201 if LONG else 4))
STEPS = int(os.environ.get("REFRAIN_STEPS") or (4_000 if LONG else 300))
LAST_ACTS = 25


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(max(600, STEPS))
def test_a_year_is_as_the_auditor_keeps_it(seed, committed, settings, monkeypatch, tmp_path: Path):
    year = Year(seed)
    settings.VAT_PPM = year.stage.vat_ppm
    monkeypatch.setattr(topups, "gateway", lambda: year.stage.gateway)
    try:
        year.live(STEPS)
        year.check_publications(tmp_path)
    except Exception as error:
        acts = "\n".join(year.stage.journal[-LAST_ACTS:])
        error.add_note(
            f"{acts}\nThe last acts of seed {seed}. Live it again:"
            f" REFRAIN_SEED={seed} REFRAIN_STEPS={STEPS} pytest tests/simulation/test_year.py"
        )
        raise
