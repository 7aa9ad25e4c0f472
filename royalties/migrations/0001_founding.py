"""The founding version of `revenue`."""

from django.db import migrations

from members import policies


def record(apps, schema_editor):
    """Record version 1."""
    with schema_editor.connection.cursor() as cursor:
        policies.record_founding(cursor, key="revenue", params={"creators_ppm": 700_000, "coop_ppm": 300_000})


class Migration(migrations.Migration):
    dependencies = [("members", "0002_clock")]
    operations = [migrations.RunPython(record, migrations.RunPython.noop)]
