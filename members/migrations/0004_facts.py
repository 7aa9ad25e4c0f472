"""What a royalty run reads of policies, and money that is never booked before the last close."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("members", "0003_addresses")]
    operations = [migrations.RunSQL((SQL / "facts.sql").read_text(), (SQL / "facts_away.sql").read_text())]
