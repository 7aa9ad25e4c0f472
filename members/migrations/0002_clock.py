"""The clock in SQL, the co-op's one row, and the refusal to change what is append-only."""

from pathlib import Path

from django.conf import settings
from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


def found_the_coop(apps, schema_editor):
    """Write the one row: the time zone, and a clock that is not moved."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO members_coop (id, time_zone, clock_offset) VALUES (1, %s, interval '0')",
            [settings.COOP_TIME_ZONE],
        )


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]
    operations = [
        migrations.RunSQL((SQL / "clock.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunPython(found_the_coop, migrations.RunPython.noop),
    ]
