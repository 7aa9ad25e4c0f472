"""The app `royalties` obeys the policies `revenue` and `payouts`."""

from django.apps import AppConfig


class RoyaltiesConfig(AppConfig):
    """Registers what `royalties` obeys."""

    name = "royalties"

    def ready(self) -> None:
        """Register the policy."""
        from members import classes, policies
        from royalties import listened, rules

        policies.register(rules.REVENUE)
        policies.register(rules.PAYOUTS)
        classes.register_witness("creator", listened.by_enough)
