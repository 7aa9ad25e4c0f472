"""The app `members` obeys the policy `governance`."""

from django.apps import AppConfig


class MembersConfig(AppConfig):
    """Registers what the co-op itself obeys."""

    name = "members"

    def ready(self) -> None:
        """Register the policy, and what is kept of people here."""
        from members import governance, policies
        from members.erasing import erasures
        from members.erasing.keeping import MembersKeeper

        policies.register(governance.GOVERNANCE)
        erasures.register_keeper(MembersKeeper())
