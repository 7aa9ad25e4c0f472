"""Sums of millions of amounts."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("royalties", "0009_recovery")]
    operations = [migrations.RunSQL((SQL / "sums.sql").read_text(), "DROP AGGREGATE royalties_sum(bigint)")]
