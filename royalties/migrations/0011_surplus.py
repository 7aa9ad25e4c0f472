"""The founding version of `surplus`."""

from django.db import migrations

from members import policies

SURPLUS = {
    "reserve_ppm": 300_000,
    "common_good_ppm": 50_000,
    "creators_ppm": 450_000,
    "listeners_ppm": 350_000,
    "workers_ppm": 200_000,
    "cash_ppm": 300_000,
}


def record(apps, schema_editor):
    """Record version 1."""
    with schema_editor.connection.cursor() as cursor:
        policies.record_founding(cursor, key="surplus", params=SURPLUS)


class Migration(migrations.Migration):
    dependencies = [("royalties", "0010_sums"), ("members", "0002_clock")]
    operations = [migrations.RunPython(record, migrations.RunPython.noop)]
