"""Rows by which the catalogue is searched; the triggers of `catalog/sql/search.sql` write them, nothing else does."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models


class Finding(models.Model):
    """What a published work is found by: the words of its title, creator, release and tags, weighted A to D.

    There is none for a work that is not published. `title` is spelled as words are asked for.
    """

    work = models.OneToOneField("catalog.Work", models.CASCADE, primary_key=True, related_name="finding")
    kind = models.CharField(max_length=5)
    published_at = models.DateTimeField()
    title = models.TextField()
    vector = SearchVectorField()

    class Meta:
        app_label = "catalog"
        indexes = [
            # Written at once: else each search would also read through what was published since the last cleaning.
            GinIndex(fields=["vector"], name="finding_words", fastupdate=False),
            models.Index(fields=["title"], name="finding_title", opclasses=["text_pattern_ops"]),
            models.Index(fields=["-published_at", "-work"], name="finding_new"),
        ]


class Word(models.Model):
    """A word that some work is or was found by. A mistyped word is looked up here."""

    word = models.CharField(max_length=40, primary_key=True)

    class Meta:
        app_label = "catalog"
        indexes = [GinIndex(fields=["word"], name="word_trigrams", opclasses=["gin_trgm_ops"])]

    def __str__(self) -> str:
        return self.word
