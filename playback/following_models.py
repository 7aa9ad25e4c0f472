"""Rows of what listeners keep near without paying: creators followed, works at hand, the front page's shelves."""

from django.conf import settings
from django.db import models


class Follow(models.Model):
    """A listener who wants to hear of what a creator publishes."""

    pk = models.CompositePrimaryKey("listener_id", "creator_id")
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="follows", db_index=False)
    creator = models.ForeignKey("catalog.Creator", models.PROTECT, related_name="follows")
    followed_at = models.DateTimeField()

    class Meta:
        app_label = "playback"


class Favourite(models.Model):
    """A work a listener wants at hand. It says nothing of money."""

    pk = models.CompositePrimaryKey("listener_id", "work_id")
    listener = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="favourites", db_index=False)
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="favourites", db_index=False)
    marked_at = models.DateTimeField()

    class Meta:
        app_label = "playback"
        indexes = [models.Index(fields=["listener", "-marked_at", "-work"], name="favourite_by_listener")]


class ShelfPlace(models.Model):
    """A place on a shelf of the front page, filled once a day. `owners_least` is a round number that is passed."""

    class Shelf(models.TextChoices):
        OWNED = "owned"
        QUIET = "quiet"

    day = models.DateField()
    shelf = models.CharField(max_length=5, choices=Shelf)
    kind = models.CharField(max_length=5)
    position = models.PositiveSmallIntegerField()
    work = models.ForeignKey("catalog.Work", models.PROTECT, related_name="+", db_index=False)
    owners_least = models.PositiveIntegerField(null=True)

    class Meta:
        app_label = "playback"
        constraints = [
            models.UniqueConstraint(fields=["day", "shelf", "kind", "position"], name="shelf_place_is_taken_once")
        ]
