"""The app `playback` obeys the policy `opening`."""

from django.apps import AppConfig


class PlaybackConfig(AppConfig):
    """Registers what `playback` obeys."""

    name = "playback"

    def ready(self) -> None:
        """Register the policy."""
        from members import policies
        from playback import rules

        policies.register(rules.OPENING)
