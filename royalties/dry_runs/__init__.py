"""Dry runs of what money goes by: prices, the creators' part, payouts, the surplus."""
