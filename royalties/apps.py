"""The app `royalties` obeys the policies `revenue`, `payouts` and `surplus`."""

from django.apps import AppConfig


class RoyaltiesConfig(AppConfig):
    """Registers what `royalties` obeys."""

    name = "royalties"

    def ready(self) -> None:
        """Register the policies, and who can witness that somebody is a creator."""
        from members import policies
        from members.belonging import classes
        from royalties import listened, rules

        policies.register(rules.REVENUE)
        policies.register(rules.PAYOUTS)
        policies.register(rules.SURPLUS)
        classes.register_witness("creator", listened.by_enough)
