"""The app `royalties` obeys the policy `revenue`."""

from django.apps import AppConfig


class RoyaltiesConfig(AppConfig):
    """Registers what `royalties` obeys."""

    name = "royalties"

    def ready(self) -> None:
        """Register the policy."""
        from members import policies  # noqa: PLC0415  (models are not loaded before)
        from royalties import rules  # noqa: PLC0415

        policies.register(rules.REVENUE)
