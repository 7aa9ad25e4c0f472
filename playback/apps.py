"""The app `playback` obeys the policy `opening`."""

from django.apps import AppConfig


class PlaybackConfig(AppConfig):
    """Registers what `playback` obeys, and that it keeps the wallets."""

    name = "playback"

    def ready(self) -> None:
        """Register both."""
        from members import policies
        from members.belonging import dues
        from playback import rules
        from playback.dues import WalletDues

        policies.register(rules.OPENING)
        dues.register_payer(WalletDues())
