"""The app `catalog` obeys the policies `pricing` and `content`."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Registers what the catalogue obeys."""

    name = "catalog"

    def ready(self) -> None:
        """Register the policies, and what is kept of people here."""
        from catalog import rules
        from catalog.erasing import CatalogKeeper
        from members import policies
        from members.erasing import erasures

        policies.register(rules.PRICING)
        policies.register(rules.CONTENT)
        erasures.register_keeper(CatalogKeeper())
