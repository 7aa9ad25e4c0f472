"""What a royalty run reads of split sheets."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0008_search")]
    operations = [
        migrations.RunSQL(
            (SQL / "sheet_facts.sql").read_text(), "DROP VIEW catalog_payee_facts; DROP VIEW catalog_sheet_facts"
        )
    ]
