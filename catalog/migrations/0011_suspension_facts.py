"""What payouts read of suspensions."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0010_names")]
    operations = [
        migrations.RunSQL((SQL / "suspension_facts.sql").read_text(), "DROP VIEW catalog_suspension_facts"),
    ]
