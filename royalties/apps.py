"""The app `royalties` obeys the policy `revenue`."""

from django.apps import AppConfig


class RoyaltiesConfig(AppConfig):
    """Registers what `royalties` obeys."""

    name = "royalties"

    def ready(self) -> None:
        """Register the policy."""
        from members import policies
        from royalties import rules

        policies.register(rules.REVENUE)
