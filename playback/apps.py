"""The app `playback` obeys the policy `opening`."""

from django.apps import AppConfig


class PlaybackConfig(AppConfig):
    """Registers what `playback` obeys."""

    name = "playback"

    def ready(self) -> None:
        """Register the policy."""
        from members import policies  # noqa: PLC0415  (models are not loaded before)
        from playback import rules  # noqa: PLC0415

        policies.register(rules.OPENING)
