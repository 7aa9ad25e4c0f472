"""What works are found by: words, their triggers, and a list of words for the mistyped; indexes for the filters."""

from pathlib import Path

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0007_transfers"),
    ]

    operations = [
        UnaccentExtension(),
        TrigramExtension(),
        migrations.CreateModel(
            name="Finding",
            fields=[
                (
                    "work",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="finding",
                        serialize=False,
                        to="catalog.work",
                    ),
                ),
                ("kind", models.CharField(max_length=5)),
                ("published_at", models.DateTimeField()),
                ("title", models.TextField()),
                ("vector", django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.CreateModel(
            name="Word",
            fields=[
                ("word", models.CharField(max_length=40, primary_key=True, serialize=False)),
            ],
        ),
        migrations.AddField(
            model_name="release",
            name="created_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddIndex(
            model_name="creator",
            index=models.Index(fields=["-created_at", "-id"], name="creator_new"),
        ),
        migrations.AddIndex(
            model_name="release",
            index=models.Index(fields=["-created_at", "-id"], name="release_new"),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(
                condition=models.Q(("state", "published")), fields=["kind", "-published_at", "-id"], name="work_of_kind"
            ),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(
                condition=models.Q(("state", "published")),
                fields=["licence", "-published_at", "-id"],
                name="work_of_licence",
            ),
        ),
        migrations.AddIndex(
            model_name="work",
            index=models.Index(
                condition=models.Q(("price_micros", 0), ("state", "published")),
                fields=["-published_at", "-id"],
                name="work_free",
            ),
        ),
        migrations.AddIndex(
            model_name="work",
            index=django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("state", "published")), fields=["tags"], name="work_tags"
            ),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=django.contrib.postgres.indexes.GinIndex(fields=["vector"], name="finding_words"),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(fields=["title"], name="finding_title", opclasses=["text_pattern_ops"]),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(fields=["-published_at", "-work"], name="finding_new"),
        ),
        migrations.AddIndex(
            model_name="word",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["word"], name="word_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.RunSQL((SQL / "search.sql").read_text(), (SQL / "search_undone.sql").read_text()),
    ]
