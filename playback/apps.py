"""The app `playback` obeys the policy `opening`."""

from django.apps import AppConfig


class PlaybackConfig(AppConfig):
    """Registers what `playback` obeys, and that it keeps the wallets."""

    name = "playback"

    def ready(self) -> None:
        """Register both, and what is kept of people here."""
        from members import policies
        from members.belonging import dues
        from members.erasing import erasures
        from playback import rules
        from playback.dues import WalletDues
        from playback.erasing import PlaybackKeeper

        policies.register(rules.OPENING)
        dues.register_payer(WalletDues())
        erasures.register_keeper(PlaybackKeeper())
