"""Playback over HTTP, a module for each resource. Each view translates and makes one call into the core."""
