"""The app `royalties` obeys the policies `revenue`, `payouts` and `surplus`."""

from django.apps import AppConfig


class RoyaltiesConfig(AppConfig):
    """Registers what `royalties` obeys."""

    name = "royalties"

    def ready(self) -> None:
        """Register the policies, who can witness that somebody is a creator, and what is kept of people here."""
        from members import policies
        from members.belonging import classes
        from members.erasing import erasures
        from royalties import listened, rules
        from royalties.erasing import RoyaltiesKeeper

        policies.register(rules.REVENUE)
        policies.register(rules.PAYOUTS)
        policies.register(rules.SURPLUS)
        classes.register_witness("creator", listened.by_enough)
        erasures.register_keeper(RoyaltiesKeeper())
