"""The pages of playback, a module for each kind."""
