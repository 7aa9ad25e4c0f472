"""The app `royalties` obeys the policies `revenue` and `payouts`."""

from django.apps import AppConfig


class RoyaltiesConfig(AppConfig):
    """Registers what `royalties` obeys."""

    name = "royalties"

    def ready(self) -> None:
        """Register the policy."""
        from members import policies
        from royalties import rules

        policies.register(rules.REVENUE)
        policies.register(rules.PAYOUTS)
