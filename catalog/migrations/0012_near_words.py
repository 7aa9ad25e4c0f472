"""Mistyped words are looked for farther away: letters swapped, or moved, leave few trigrams as they were."""

from pathlib import Path

from django.contrib.postgres.operations import CreateExtension
from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0011_suspension_facts")]
    operations = [
        CreateExtension("fuzzystrmatch"),
        migrations.RunSQL((SQL / "near_words.sql").read_text(), (SQL / "near_words_undone.sql").read_text()),
    ]
