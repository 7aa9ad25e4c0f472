"""What the apps to the right may read of the co-op's months and time zone."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("members", "0004_facts")]
    operations = [
        migrations.RunSQL(
            (SQL / "month_facts.sql").read_text(), "DROP VIEW members_zone_facts; DROP VIEW members_month_facts"
        )
    ]
