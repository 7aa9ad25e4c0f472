"""The app `members`."""

from django.apps import AppConfig


class MembersConfig(AppConfig):
    """Says who `members` is."""

    name = "members"
