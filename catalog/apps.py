"""The app `catalog` obeys the policies `pricing` and `content`."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Registers what the catalogue obeys."""

    name = "catalog"

    def ready(self) -> None:
        """Register the policies."""
        from catalog import rules
        from members import policies

        policies.register(rules.PRICING)
        policies.register(rules.CONTENT)
