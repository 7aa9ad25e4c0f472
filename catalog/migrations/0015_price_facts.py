"""What works ask, for dry runs of prices and openings."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("catalog", "0014_tenures")]
    operations = [migrations.RunSQL((SQL / "price_facts.sql").read_text(), "DROP VIEW catalog_price_facts")]
