"""Rows of `royalties`, each room's in a module of its own."""

from royalties import (  # noqa: F401  (Django finds rows where models are)
    journal_models,
    ledger_models,
    payout_models,
    publication_models,
    run_models,
    so_far_models,
)
from royalties.year import models as year_models  # noqa: F401
