"""The app `members` obeys the policy `governance`."""

from django.apps import AppConfig


class MembersConfig(AppConfig):
    """Registers what the co-op itself obeys."""

    name = "members"

    def ready(self) -> None:
        """Register the policy."""
        from members import governance, policies

        policies.register(governance.GOVERNANCE)
