"""Rows of `royalties`, each room's in a module of its own."""

from royalties import ledger_models, publication_models, run_models  # noqa: F401  (Django finds rows where models are)
