"""Photos' sessions and the purchase of a release: how long a photo is open, and the functions that charge, anew."""

import re
from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"


def replacing(text):
    """Return the functions of a file as statements that replace those of an earlier version of it."""
    functions = text[text.index("\nCREATE FUNCTION ") :]
    return re.sub(r"^CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", functions, flags=re.MULTILINE)


class Migration(migrations.Migration):
    dependencies = [("playback", "0004_library")]
    operations = [
        migrations.AddField("session", "view_seconds", models.PositiveSmallIntegerField(null=True)),
        migrations.RunSQL(replacing((SQL / "charging.sql").read_text()), migrations.RunSQL.noop),
        migrations.RunSQL(
            (SQL / "releases.sql").read_text(),
            "DROP FUNCTION playback_charge_release(uuid, bigint, uuid[], bigint[], smallint[], integer[], integer[],"
            " integer[])",
        ),
    ]
