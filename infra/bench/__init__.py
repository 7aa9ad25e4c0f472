"""Benches: how fast the hot paths are, each against the plainest thing that does the same work in the same run."""
