"""Charging, the database's refusals, the promo budget, and the founding version of `opening`."""

from pathlib import Path

from django.db import migrations

from members import policies

SQL = Path(__file__).resolve().parent.parent / "sql"


def record(apps, schema_editor):
    """Record version 1, and an empty budget."""
    with schema_editor.connection.cursor() as cursor:
        policies.record_founding(cursor, key="opening", params={"seconds": 45})
        cursor.execute("INSERT INTO playback_promobudget (id, left_micros) VALUES (1, 0)")


class Migration(migrations.Migration):
    dependencies = [("playback", "0001_initial"), ("catalog", "0003_founding"), ("members", "0002_clock")]
    operations = [
        migrations.RunSQL((SQL / "charging.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunSQL((SQL / "refusals.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunPython(record, migrations.RunPython.noop),
    ]
