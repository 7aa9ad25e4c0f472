"""The founding versions of `pricing` and `content`, and the views that the apps to the right may read."""

from pathlib import Path

from django.db import migrations

from members import policies

SQL = Path(__file__).resolve().parent.parent / "sql"

PRICING = {
    "plays": 9,
    "growth_num": 2,
    "growth_den": 1,
    "price_default_micros": 1_022_000,
    "price_min_micros": 200_000,
    "price_max_micros": 50_000_000,
}
CONTENT = {"ai_generated": "labelled", "lossless": "encouraged", "sample_rate_min": 44_100, "photo_edge_min": 1_600}


def record(apps, schema_editor):
    """Record version 1 of each."""
    with schema_editor.connection.cursor() as cursor:
        policies.record_founding(cursor, key="pricing", params=PRICING)
        policies.record_founding(cursor, key="content", params=CONTENT)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_initial"), ("members", "0002_clock")]
    operations = [
        migrations.RunSQL((SQL / "views.sql").read_text(), migrations.RunSQL.noop),
        migrations.RunPython(record, migrations.RunPython.noop),
    ]
